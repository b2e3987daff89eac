// What needs a script at all: the console works without it.
"use strict";

// A part of a page that lives: <div data-live="URL">. The server sends it anew whenever it has changed; the browser
// connects again by itself when the connection is lost, and until then the page says so.
for (const part of document.querySelectorAll("[data-live]")) {
  const note = document.createElement("p");
  note.className = "flash warn";
  note.setAttribute("role", "status");
  note.textContent = "The connection to the server is lost: what stands here may be old. Trying again.";
  note.hidden = true;
  part.before(note);

  const source = new EventSource(part.dataset.live);
  source.addEventListener("open", () => { note.hidden = true; });
  source.addEventListener("error", () => {
    note.hidden = false;
    // The server has refused: the reader may have been signed out, which a new load of the page shows.
    if (source.readyState === EventSource.CLOSED) window.location.reload();
  });
  source.addEventListener("update", (event) => {
    const open = new Set([...part.querySelectorAll("details[open][id]")].map((one) => one.id));
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    // Made by the server's templates, which escape every value.
    part.innerHTML = event.data;
    for (const id of open) part.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    if (focused) part.querySelector(`#${CSS.escape(focused)}`)?.focus();
  });
  source.addEventListener("over", () => source.close());
}

// Ask before what cannot be taken back, where a form says so.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.ask;
  if (question && !window.confirm(question)) event.preventDefault();
});
