/* Counts down the voids that may still be taken back, says once what waits, and takes away what can not be taken back any
   more. Every page works without this file: the server knows when a void takes effect, and says so. */
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
      seconds.hidden = false;
      seconds.textContent = " " + Math.max(left, 0) + " s";
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
  var clock = window.setInterval(show, 1000);
  show();
}());
