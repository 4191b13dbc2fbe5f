// The script of all pages but the board. The pages work without it; with it times are local and rows can be
// dragged.

import { showAge } from "./time.js";
import "./zone.js";

const language = document.documentElement.lang;

export function showTimes(within) {
  for (const time of within.querySelectorAll("time[data-age]")) {
    showAge(time);
  }
  for (const time of within.querySelectorAll("time:not([data-age])")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.textContent = at.toLocaleString(language, { dateStyle: "short", timeStyle: "medium" });
    }
  }
}
showTimes(document.querySelector("main"));

// Where things happen by themselves, tables are read anew: not the page, so that nobody loses what they type or where
// they are.
const seconds = Number(document.body.dataset.refresh);
async function refresh() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) {
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  // What was watched has come to its end: the page is another now.
  if (!fresh.body.dataset.refresh) {
    location.reload();
    return;
  }
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!now) {
      part.remove();
    } else if (!part.contains(document.activeElement) && !part.querySelector("details[open]")) {
      showTimes(now);
      if (now.innerHTML !== part.innerHTML) {
        part.replaceChildren(...now.childNodes);
      }
    }
  }
  for (const table of document.querySelectorAll("table[id]")) {
    const now = fresh.getElementById(table.id);
    if (now && !table.contains(document.activeElement)) {
      showTimes(now);
      table.replaceChildren(...now.childNodes);
    }
  }
}

// What is entered and not sent.
function isEntered(form) {
  return Array.from(form.elements).some((field) =>
    field.options
      ? Array.from(field.options).some((option, at) => option.selected !== (option.defaultSelected || (at === 0 && !field.querySelector("[selected]"))))
      : field.type !== "hidden" && "defaultValue" in field && (field.value !== field.defaultValue || field.checked !== field.defaultChecked),
  );
}

// A page about oneself is renewed in place when one's own status has changed. Forms in use stay.
async function renew() {
  const answer = await fetch(location.href).catch(() => undefined);
  if (!answer?.ok) {
    return;
  }
  const main = document.querySelector("main");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  showTimes(fresh);
  const focused = document.activeElement;
  for (const form of main.querySelectorAll(":scope > form[id]")) {
    const other = fresh.querySelector(`:scope > [id="${form.id}"]`);
    if (!other || !(form.contains(focused) || isEntered(form))) {
      continue;
    }
    for (const button of other.querySelectorAll("button[aria-pressed]")) {
      const old = form.querySelector(`button[value="${CSS.escape(button.value)}"]`);
      old?.setAttribute("aria-pressed", button.getAttribute("aria-pressed"));
    }
    other.replaceWith(form);
  }
  main.replaceChildren(...fresh.childNodes);
  main.contains(focused) && focused.focus();
}
if (document.body.dataset.live !== undefined) {
  document.addEventListener("own-status", renew);
}
if (seconds) {
  setInterval(() => document.hidden || refresh(), seconds * 1000);
}
if (document.body.dataset.reload) {
  setTimeout(() => location.reload(), Number(document.body.dataset.reload) * 1000);
}

// Rows that have an order can be dragged; the arrows in them do the same for the keyboard.
for (const table of document.querySelectorAll("table[data-order]")) {
  const body = table.tBodies[0];
  let dragged = null;
  for (const row of body.rows) {
    row.draggable = true;
  }
  body.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("tr");
    event.dataTransfer.effectAllowed = "move";
  });
  body.addEventListener("dragover", (event) => {
    const over = event.target.closest("tr");
    if (!dragged || !over) {
      return;
    }
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    body.insertBefore(dragged, event.clientY < top + height / 2 ? over : over.nextSibling);
  });
  body.addEventListener("drop", (event) => event.preventDefault());
  body.addEventListener("dragend", async () => {
    dragged = null;
    // Rows of one name have one place in the order.
    const names = [...new Set(Array.from(body.rows, (row) => row.dataset.key))];
    await fetch(table.dataset.order, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ names }),
    });
    // Whatever became of it, the server knows the order.
    location.reload();
  });
}
