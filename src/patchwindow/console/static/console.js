// What needs a script at all: the console works without it.
"use strict";

// A notice above *place*, which nobody sees before it has something to say.
function notice(place) {
  const note = document.createElement("p");
  note.className = "flash warn";
  note.setAttribute("role", "status");
  note.hidden = true;
  place.before(note);
  return (text) => { note.textContent = text; note.hidden = !text; };
}

// A part of a page that lives: <div data-live="URL">. The server sends it anew whenever it has changed, and says at least
// every 15 seconds that it is there: a connection may be lost without anybody telling the browser. While nobody looks at the
// page it asks for nothing, as browsers have few connections to one server.
const SILENT_MS = 40000, AGAIN_MS = 5000;
for (const part of document.querySelectorAll("[data-live]")) {
  const say = notice(part);
  let source, timer;

  const stop = () => { clearTimeout(timer); source?.close(); };
  const again = (wait) => { clearTimeout(timer); timer = setTimeout(connect, wait); };
  const lost = () => say("The connection to the server is lost: what stands here may be old. Trying again.");
  const heard = () => {
    say("");
    clearTimeout(timer);
    timer = setTimeout(() => { lost(); connect(); }, SILENT_MS);
  };
  function connect() {
    stop();
    source = new EventSource(part.dataset.live);
    source.addEventListener("open", heard);
    source.addEventListener("still", heard);
    source.addEventListener("error", () => {
      lost();
      // Otherwise the browser connects again by itself.
      if (source.readyState === EventSource.CLOSED) again(AGAIN_MS);
    });
    source.addEventListener("update", (event) => {
      heard();
      const open = new Set([...part.querySelectorAll("details[open][id]")].map((one) => one.id));
      const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
      // Made by the server's templates, which escape every value.
      part.innerHTML = event.data;
      for (const id of open) part.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
      if (focused) part.querySelector(`#${CSS.escape(focused)}`)?.focus();
    });
    // The whole page is another now: a record without buttons, a way to sign in, or a word that it is gone.
    source.addEventListener("over", () => { stop(); window.location.reload(); });
    source.addEventListener("full", (event) => { stop(); say(event.data); });
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : connect()));
  if (!document.hidden) connect();
}

// What htmx asks for and does not get must not go unnoticed: a refusal is a page of its own, and silence is said.
const sayOfPage = notice(document.querySelector("main > .title"));
document.addEventListener("htmx:responseError", (event) => window.location.assign(event.detail.pathInfo.finalRequestPath));
document.addEventListener("htmx:sendError", () => sayOfPage("The server does not answer: what stands here is from before. Try again."));
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) sayOfPage(""); });

// Ask before what cannot be taken back, where a form says so.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.ask;
  if (question && !window.confirm(question)) event.preventDefault();
});
