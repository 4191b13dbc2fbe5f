// The board's one script: takes changes from the event stream and writes them into the rows that the server rendered.
// Texts go through textContent; only rows that the server rendered become markup.

import { ring } from "./bell.js";
import { showCard } from "./card.js";
import { filterBoard, startFilter } from "./board-filter.js";
import { age, insertRows, nameOf, rowActions, write } from "./board-rows.js";
import { statusLine, untilText } from "./status-line.js";
import { listen } from "./stream.js";
import { showAge } from "./time.js";
import { say } from "./words.js";

const board = document.getElementById("board");
const connection = document.getElementById("connection");
const rows = new Map();
for (const row of board.querySelectorAll(".person")) {
  rows.set(row.dataset.person, row);
}

function cell(row, name) {
  return row.querySelector("." + name);
}

// The time of a cell; made when there is one to show, and gone when there is none: nobody sees since when a person is offline.
function time(cell, value, className) {
  let time = cell.querySelector(className ? `time.${className}` : "time");
  if (!value) {
    time?.remove();
    return undefined;
  }
  if (!time) {
    time = document.createElement("time");
    time.className = className;
    cell.insertBefore(time, cell.querySelector(".text"));
  }
  const moved = time.dateTime !== value;
  time.dateTime = value;
  return { time, moved };
}

function apply({ person, presence }) {
  const row = rows.get(person);
  if (!row) {
    renew(person);
    return;
  }
  row.dataset.status = presence.status;
  row.dataset.confidence = presence.confidence;
  const { lead, detail, below } = statusLine(presence);
  write(cell(row, "status"), lead);
  write(cell(row, "detail"), detail && ` · ${detail}`);
  write(cell(row, "text"), below);
  const until = time(cell(row, "line"), presence.until, "until");
  if (until) {
    write(until.time, untilText(presence.until));
  }
  const since = time(cell(row, "since"), presence.since, "");
  if (since) {
    showAge(since.time);
  }
  if (since?.moved) {
    row.classList.remove("changed");
    requestAnimationFrame(() => row.classList.add("changed"));
  }
  filterBoard(rows, row);
}

// Rows that the server renders anew: of new and renamed people, and of people who are in another group now. Changes that come
// together, as in an import, are asked for together.
const renewed = new Set();
const RENEWED_AT_ONCE = 200;
const RENEWED_AFTER_MS = 50;

function renew(person) {
  renewed.add(person);
  if (renewed.size === 1) {
    setTimeout(renewAll, RENEWED_AFTER_MS);
  }
}

async function renewAll() {
  const people = Array.from(renewed).slice(0, RENEWED_AT_ONCE);
  const answer = await fetch(`/rows?people=${people.join(",")}`).catch(() => undefined);
  if (answer?.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("#board-empty")?.remove();
    insertRows(board, rows, page, people.filter((person) => renewed.has(person)));
    filterBoard(rows);
  }
  for (const person of people) {
    renewed.delete(person);
  }
  if (renewed.size > 0) {
    setTimeout(renewAll, RENEWED_AFTER_MS);
  }
}

function remove({ person }) {
  renewed.delete(person);
  const row = rows.get(person);
  if (row) {
    rows.delete(person);
    row.remove();
    filterBoard(rows);
  }
}

function state(state, key) {
  connection.dataset.state = state;
  connection.textContent = say(key);
}

function receive(name, data) {
  switch (name) {
    case "hello":
      state("live", "board-live");
      break;
    case "presence":
      ring(data);
      apply(data);
      break;
    case "person":
      renew(data.id);
      break;
    case "person-removed":
      remove(data);
      break;
    case "reset":
      location.reload();
      break;
    case "lost":
      state("lost", "board-lost");
      break;
    case "closed":
      // The browser gives up for good when the answer is a refusal: the page then says what to do.
      state("lost", "board-lost");
      setTimeout(() => location.reload(), 2000);
      break;
  }
}

// Up and down between people, from the search too; a slash leads to the search.
const search = document.getElementById("filter");
function step(from, direction) {
  const all = Array.from(board.querySelectorAll(".person:not([hidden])"));
  const at = from ? all.indexOf(from) + direction : 0;
  const next = all[Math.max(0, Math.min(at, all.length - 1))];
  next && cell(next, "name").focus();
}
document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.(".person");
  const direction = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (direction && (row || event.target === search)) {
    event.preventDefault();
    step(row, direction);
  } else if (event.key === "/" && !event.target.closest?.("input, select, textarea, dialog")) {
    event.preventDefault();
    search.focus();
  }
});

async function favour(star) {
  const row = star.closest(".person");
  star.setAttribute("aria-pressed", String(star.getAttribute("aria-pressed") !== "true"));
  const stars = board.querySelectorAll('.star[aria-pressed="true"]');
  const people = Array.from(stars, (pressed) => pressed.closest(".person").dataset.person);
  await fetch(`/api/v1/people/${document.body.dataset.viewer}/favourites`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ people }),
  }).catch(() => undefined);
  // Whatever became of it, the server knows who stands where.
  renew(row.dataset.person);
}

board.addEventListener("click", (event) => {
  const star = event.target.closest(".star");
  if (star) {
    favour(star);
    return;
  }
  const row = event.target.closest(".person");
  const isOther = event.target.closest("a:not(.name), button");
  if (row && !isOther && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    showCard(row.dataset.person, nameOf(row), say(`status-${row.dataset.status}`));
  }
});

const day = document.getElementById("day");
day?.addEventListener("click", async () => {
  const running = day.getAttribute("aria-pressed") !== "true";
  const answer = await fetch("/demo/day", {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ running }),
  });
  if (answer.ok) {
    day.setAttribute("aria-pressed", String(running));
    day.textContent = say(running ? "demo-pause" : "demo-resume");
  }
});

// Ages and actions are written when rows come into view: most of 10,000 never do.
function enter(chunk) {
  for (const row of chunk.children) {
    rowActions(row);
    age(row);
  }
}
board.addEventListener("contentvisibilityautostatechange", (event) => event.skipped || enter(event.target), true);
for (const chunk of board.querySelectorAll(".chunk")) {
  if (chunk.checkVisibility({ contentVisibilityAuto: true })) {
    enter(chunk);
  }
}
setInterval(() => {
  for (const chunk of document.hidden ? [] : board.querySelectorAll(".chunk")) {
    if (chunk.checkVisibility({ contentVisibilityAuto: true })) {
      enter(chunk);
    }
  }
}, 30_000);

startFilter(rows);
listen(document.body.dataset.revision, receive);
