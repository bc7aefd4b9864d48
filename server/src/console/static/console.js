/* The keys of the review queue.
   Every page works without this file. Single letters act only while nothing is being typed and can be switched off
   (WCAG 2.1.4). A key held down acts once: nobody approves twenty cases by leaning on the keyboard.
   Written for the browsers of old office machines. */
(function () {
  "use strict";
  var desk = document.querySelector("[data-desk]");
  if (!desk) { return; }
  var OFF = "xunge-keys-off";
  var leaving = false;

  function one(css) { return desk.querySelector(css); }
  function each(css, act) { Array.prototype.forEach.call(desk.querySelectorAll(css), act); }

  /* ---- keys, on or off: remembered by this browser only */
  function areOff() {
    try { return window.localStorage.getItem(OFF) === "1"; } catch (blocked) { return false; }
  }
  function turn(off) {
    try { window.localStorage.setItem(OFF, off ? "1" : "0"); } catch (blocked) { /* for this page then */ }
  }
  function showKeys() {
    var off = areOff();
    each("[data-with-keys]", function (it) { it.hidden = off; });
    each("[data-without-keys]", function (it) { it.hidden = !off; });
    each("[data-keys-tool]", function (it) { it.hidden = false; });
    each("[data-keys-switch]", function (it) {
      it.textContent = it.getAttribute(off ? "data-on" : "data-off");
    });
  }

  /* ---- the pair over the whole window, in the copy to judge by */
  var pair = document.querySelector(".pair");
  function isLarge() { return !!pair && pair.className.indexOf(" large") >= 0; }
  function enlarge(on) {
    if (!pair || on === isLarge()) { return; }
    pair.className = on ? pair.className + " large" : pair.className.replace(" large", "");
    if (!on) { return; }
    Array.prototype.forEach.call(pair.querySelectorAll("a img"), function (it) {
      if (it.src !== it.parentNode.href) { it.src = it.parentNode.href; }
    });
  }

  /* ---- forms */
  function open() { return one("details[open] form"); }
  function fold() {
    each("details[open]", function (it) { it.open = false; });
    if (document.activeElement) { document.activeElement.blur(); }
  }
  function aim(form) {
    var empty = form.querySelector("input:invalid, select:invalid, textarea:invalid");
    (empty || form.querySelector("button")).focus();
  }
  function unfold(summary) {
    var details = summary.parentNode;
    if (details.open) { fold(); return; }
    enlarge(false);
    fold();
    details.open = true;
    details.scrollIntoView({ block: "nearest" });
    aim(details.querySelector("form"));
  }
  function choose(digit) {
    var form = open();
    var radio = form && form.querySelector("[data-digit='" + digit + "']");
    if (!radio) { return false; }
    radio.checked = true;
    var words = radio.value === "other" && form.querySelector("textarea");
    if (words) { words.focus(); } else { aim(form); }
    return true;
  }
  function drawn() {
    var all = document.querySelectorAll(".pair img");
    return Array.prototype.every.call(all, function (it) { return it.complete && it.naturalWidth > 0; });
  }
  function press(key) {
    if (key === "p" && pair) { enlarge(!isLarge()); return true; }
    var it = one("[data-key='" + key + "']");
    if (!it || (desk.hasAttribute("data-overtaken") && key !== "x")) { return false; }
    if (it.tagName === "SUMMARY") { unfold(it); return true; }
    // One key decides on a pair of photos: not before both are on the screen.
    if (it.tagName === "BUTTON" && !drawn()) { return false; }
    it.click();
    return true;
  }
  function isTyping(target) {
    if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") { return true; }
    return target.tagName === "INPUT" && target.type !== "radio" && target.type !== "checkbox";
  }

  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229) { return; }
    var key = event.key.toLowerCase();
    if (key === "escape") {
      if (isLarge()) { enlarge(false); } else { fold(); }
      return;
    }
    var form = open();
    if (key === "enter" && event.ctrlKey && form && form.contains(event.target)) {
      event.preventDefault();
      form.querySelector("button").click();
      return;
    }
    var plain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.repeat;
    if (!plain || leaving || key.length !== 1 || areOff() || isTyping(event.target)) { return; }
    var done = key >= "0" && key <= "9" ? choose(key) : key >= "a" && key <= "z" && press(key);
    if (done) { event.preventDefault(); }
  });

  /* ---- a form goes out once */
  document.addEventListener("submit", function (event) {
    if (leaving) { event.preventDefault(); return; }
    leaving = true;
    window.setTimeout(function () { leaving = false; }, 5000);
  });
  window.addEventListener("pageshow", function () { leaving = false; });

  var tool = one("[data-keys-switch]");
  if (tool) {
    tool.addEventListener("click", function () { turn(!areOff()); showKeys(); });
    showKeys();
  }
  document.documentElement.setAttribute("data-keys-ready", "");
}());
