/* Says on a page of a case that somebody else decided meanwhile, before a reason is written for nothing: asked when the
   server tells that something moved (news.js), when the window is looked at again, and in the review queue now and then.
   Every page works without this file: the server checks the version when a form arrives. */
(function () {
  "use strict";
  var desk = document.querySelector("[data-watch]");
  if (!desk || !window.fetch) { return; }
  var LOOK_EVERY_MS = 20000;
  var REST_MS = 2000;
  var leaving = false;
  var looked = 0;
  var waiting = null;

  function tell(lines) {
    var told = document.importNode(document.getElementById("overtaken").content, true);
    told.querySelector("[data-lines]").textContent = lines;
    desk.insertBefore(told, desk.firstChild);
    desk.setAttribute("data-overtaken", "");
    Array.prototype.forEach.call(desk.querySelectorAll(".acts"), function (it) { it.hidden = true; });
    desk.querySelector(".notice").scrollIntoView({ block: "nearest" });
  }
  function look() {
    if (document.hidden || leaving || desk.hasAttribute("data-overtaken")) { return; }
    looked = Date.now();
    window.fetch(desk.getAttribute("data-watch"), { credentials: "same-origin", redirect: "error" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (lines) { if (lines && !leaving && !desk.hasAttribute("data-overtaken")) { tell(lines); } })
      .catch(function () { /* no network: the next event asks again */ });
  }
  /* In a busy hour something moves all the time; most of it is another case. */
  function soon() {
    if (waiting !== null) { return; }
    waiting = window.setTimeout(function () { waiting = null; look(); }, Math.max(looked + REST_MS - Date.now(), 0));
  }
  document.addEventListener("submit", function () {
    leaving = true;
    window.setTimeout(function () { leaving = false; }, 5000);
  });
  window.addEventListener("pageshow", function () { leaving = false; });
  document.addEventListener("moved", soon);
  window.addEventListener("focus", look);
  document.addEventListener("visibilitychange", look);
  if (desk.hasAttribute("data-desk")) { window.setInterval(look, LOOK_EVERY_MS); }
}());
