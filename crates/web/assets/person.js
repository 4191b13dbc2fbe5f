// The page of a person stays as it is now: with each change of the person, and every minute, the server renders it anew.

import { ring, showBells } from "./bell.js";
import { showTimes } from "./page.js";
import { listen } from "./stream.js";

const main = document.getElementById("main");
const { person } = document.getElementById("person").dataset;
const EVERY_MS = 60_000;

const controls = (within) => Array.from(within.querySelectorAll("a, button, summary, h1"));
const nameOf = (control) => `${control.tagName} ${control.textContent}`;

// Puts what the server rendered in place: what is open stays open, and the focus stays where it is.
function show(fresh) {
  const open = Array.from(main.querySelectorAll("details"), (details) => details.open);
  const focused = controls(main).find((control) => control === document.activeElement);
  const note = main.querySelector(".bell-said");
  fresh.querySelectorAll("details").forEach((details, at) => (details.open = open[at] ?? false));
  showTimes(fresh);
  main.replaceChildren(...fresh.childNodes);
  if (note) {
    main.querySelector(".person-actions")?.append(note);
  }
  showBells();
  const again = focused && controls(main).find((control) => nameOf(control) === nameOf(focused));
  again?.focus({ preventScroll: true });
}

// One request at a time; what changes meanwhile is asked for once more.
let state = "idle";
async function refresh() {
  if (state !== "idle") {
    state = "again";
    return;
  }
  state = "busy";
  const answer = await fetch(`/people/${person}`).catch(() => undefined);
  // A person who is deleted has a page that says so; a server that does not answer has none.
  if (answer && answer.status < 500) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("main");
    if (fresh) {
      show(document.importNode(fresh, true));
    }
  }
  const isLate = state === "again";
  state = "idle";
  if (isLate) {
    refresh();
  }
}

function receive(name, data) {
  switch (name) {
    case "presence":
      ring(data);
      data.person === person && refresh();
      break;
    case "person":
      data.id === person && refresh();
      break;
    case "person-removed":
      data.person === person && refresh();
      break;
    case "reset":
      location.reload();
      break;
    case "closed":
      setTimeout(() => location.reload(), 2000);
      break;
  }
}

listen(document.body.dataset.revision, receive);
setInterval(() => document.hidden || refresh(), EVERY_MS);
