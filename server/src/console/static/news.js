/* Says at the head of a page what came since it was drawn, draws its figures anew, and tells the page's other scripts
   (the event "moved"). The server tells that something moved and nothing else; what came is asked for then. Only while the window is looked at: a browser has six
   connections for a server. Every page works without this file: its reload link is the page itself. */
(function () {
  "use strict";
  var line = document.querySelector("[data-stream]");
  if (!line || !window.EventSource || !window.fetch) { return; }
  var stream = null;
  var first = null;
  var asking = false;
  var again = false;
  var REDRAW_EVERY_MS = 4000;
  var redrawing = false;
  var drawn = 0;
  var waiting = null;

  function ask() {
    if (!line.hasAttribute("data-news")) { return; }
    if (asking) { again = true; return; }
    asking = true;
    window.fetch(line.getAttribute("data-news"), { credentials: "same-origin", redirect: "error" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (words) {
        if (!words) { return; }
        line.querySelector("[data-words]").textContent = words;
        line.hidden = false;
      })
      .catch(function () { /* no network: the next event asks again */ })
      .then(function () {
        asking = false;
        if (again) { again = false; ask(); }
      });
  }
  /* The same page is fetched again and its figures take the place of the old ones; not while somebody stands in them
     with the keyboard, and not more often than people can read. */
  function redraw() {
    var live = document.querySelector("[data-live]");
    if (!live || !window.DOMParser) { return; }
    var soon = drawn + REDRAW_EVERY_MS - Date.now();
    if (redrawing || soon > 0) {
      if (waiting === null) {
        waiting = window.setTimeout(function () { waiting = null; redraw(); }, Math.max(soon, 100));
      }
      return;
    }
    if (live.contains(document.activeElement)) { return; }
    redrawing = true;
    window.fetch(window.location.href, { credentials: "same-origin", redirect: "error" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (page) {
        var fresh = page && new DOMParser().parseFromString(page, "text/html").getElementById(live.id);
        if (fresh && !live.contains(document.activeElement)) {
          live.parentNode.replaceChild(document.importNode(fresh, true), live);
        }
      })
      .catch(function () { /* no network: the next event draws again */ })
      .then(function () { redrawing = false; drawn = Date.now(); });
  }
  function moved(event) {
    // The first position is that of the page, unless the window was away meanwhile.
    if (first !== null && event.lastEventId !== first) {
      ask();
      redraw();
    }
    first = event.lastEventId;
    // Also the first one: something may have moved between the page and its stream.
    document.dispatchEvent(new Event("moved"));
  }
  function turn() {
    if (document.hidden) {
      if (stream) { stream.close(); stream = null; }
    } else if (!stream) {
      stream = new EventSource(line.getAttribute("data-stream"));
      stream.addEventListener("moved", moved);
    }
  }
  document.addEventListener("visibilitychange", turn);
  window.addEventListener("pagehide", function () { if (stream) { stream.close(); stream = null; } });
  window.addEventListener("pageshow", turn);
  turn();
}());
