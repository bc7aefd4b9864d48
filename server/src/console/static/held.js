/* Counts down the voids that may still be taken back, says once what waits, and takes away what can not be taken back any
   more. U takes back the newest, also where the queue has run empty; it is switched off with the other keys (console.js).
   Every page works without this file: the server knows when a void takes effect, and says so. */
(function () {
  "use strict";
  var bar = document.querySelector("[data-held-bar]");
  if (!bar) { return; }
  var forms = Array.prototype.slice.call(bar.querySelectorAll("form[data-held]"));
  var began = Date.now();

  function passed() { return Math.floor((Date.now() - began) / 1000); }
  function show() {
    var open = forms.filter(function (form) {
      var left = Number(form.getAttribute("data-held")) - passed();
      var seconds = form.querySelector("[data-held-left]");
      seconds.textContent = seconds.getAttribute("data-held-left").replace("%", Math.max(left, 0));
      if (left > 0) { return true; }
      // Whoever stands on the button is not thrown to the top of the page.
      if (form.contains(document.activeElement)) { document.getElementById("main").focus(); }
      form.hidden = true;
      return false;
    });
    if (!open.length) {
      bar.hidden = true;
      window.clearInterval(clock);
    }
  }
  // A live region speaks only of what changes in it after the page is there; the seconds stay out of it.
  window.setTimeout(function () {
    var words = forms[0].querySelector("[data-held-words]").textContent;
    bar.querySelector("[data-held-say]").textContent = words + " " + forms[0].querySelector("button").textContent;
  }, 300);
  function keysAreOff() {
    try { return window.localStorage.getItem("xunge-keys-off") === "1"; } catch (blocked) { return false; }
  }
  document.addEventListener("keydown", function (event) {
    var target = event.target;
    var plain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.repeat && !event.isComposing;
    var typing = target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
      (target.tagName === "INPUT" && target.type !== "radio" && target.type !== "checkbox");
    var button = bar.querySelector("form:not([hidden]) button");
    if (!plain || typing || event.key.toLowerCase() !== "u" || !button || bar.hidden || keysAreOff()) { return; }
    event.preventDefault();
    button.click();
  });
  var clock = window.setInterval(show, 1000);
  show();
}());
