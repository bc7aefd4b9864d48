/* Says at the head of a page what came since it was drawn. The server tells that something moved and nothing else;
   what came is asked for then. Only while the window is looked at: a browser has six connections for a server.
   Every page works without this file. */
(function () {
  "use strict";
  var line = document.querySelector("[data-news]");
  if (!line || !window.EventSource || !window.fetch) { return; }
  var stream = null;
  var first = null;
  var asking = false;
  var again = false;

  function ask() {
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
  function moved(event) {
    // The first position is that of the page, unless the window was away meanwhile.
    if (first !== null && event.lastEventId !== first) { ask(); }
    first = event.lastEventId;
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
