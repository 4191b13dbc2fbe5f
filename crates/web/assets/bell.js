// "Tell me when … is free": buttons with `data-bell` and `data-name`, and the one message when that person is available.

import { say } from "./words.js";

// People whom the reader waits for, by id with the name, for all pages of the browser.
const KEY = "offhook_bells";
// How long a page in the background leaves the message to one that the reader sees.
const HIDDEN_WAIT_MS = 300;

function waiting() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function store(people) {
  localStorage.setItem(KEY, JSON.stringify(people));
  showBells();
}

// Shows whom the reader waits for. Nobody has to wait for somebody who is available.
export function showBells() {
  const people = waiting();
  for (const button of document.querySelectorAll("[data-bell]")) {
    const isSet = people[button.dataset.bell] !== undefined;
    button.setAttribute("aria-pressed", String(isSet));
    button.hidden = !isSet && button.closest("[data-status]")?.dataset.status === "Available";
  }
}

function beside(button, text) {
  const parent = button.parentElement;
  const found = parent.querySelector(".bell-said");
  const note = found ?? document.createElement("span");
  if (!found) {
    note.className = "bell-said";
    note.setAttribute("role", "status");
    parent.append(note);
  }
  note.textContent = text;
}

async function press(button) {
  const { bell, name } = button.dataset;
  const people = waiting();
  if (people[bell] !== undefined) {
    delete people[bell];
    store(people);
    beside(button, "");
    return;
  }
  people[bell] = name;
  store(people);
  const permission = globalThis.Notification ? await Notification.requestPermission() : "denied";
  beside(button, say(permission === "granted" ? "bell-set" : "bell-denied", { name }));
}

function toast(text) {
  const shown = document.createElement("p");
  shown.className = "bell-toast";
  shown.setAttribute("role", "status");
  document.body.append(shown);
  // Screen readers announce what comes into a status that is there already.
  requestAnimationFrame(() => (shown.textContent = text));
  shown.addEventListener("click", () => shown.remove());
  setTimeout(() => shown.remove(), 20_000);
}

function tell(person, name) {
  const text = say("bell-free", { name });
  if (globalThis.Notification?.permission === "granted") {
    const shown = new Notification(text, { tag: `offhook-${person}` });
    shown.onclick = () => {
      focus();
      location.assign(`/people/${person}`);
    };
  } else {
    toast(text);
  }
}

// Takes a presence of the event stream. All pages take it; the first one tells it.
export async function ring({ person, presence }) {
  if (presence.status !== "Available" || waiting()[person] === undefined) {
    return;
  }
  if (document.hidden) {
    await new Promise((done) => setTimeout(done, HIDDEN_WAIT_MS));
  }
  const once = () => {
    const people = waiting();
    const name = people[person];
    if (name !== undefined) {
      delete people[person];
      store(people);
      tell(person, name);
    }
  };
  // Locks are there only over HTTPS and on this computer.
  await (navigator.locks ? navigator.locks.request(KEY, once) : once());
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-bell]");
  if (button) {
    press(button);
  }
});
addEventListener("storage", (event) => event.key === KEY && showBells());
showBells();
