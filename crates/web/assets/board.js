// The board's one script: takes changes from the event stream and writes them into the rows that the server rendered.
// All text goes through textContent; nothing from the network becomes markup.

import { showCard } from "/assets/card.js";
import { haystack, words } from "/assets/search.js";
import { listen } from "/assets/stream.js";
import { showAge } from "/assets/time.js";
import { say } from "/assets/words.js";

const board = document.getElementById("board");
const connection = document.getElementById("connection");
const filter = document.getElementById("filter");
const summary = document.getElementById("summary");
let everybody = summary.textContent;
const rows = new Map();
// What the filter looks into, by row; made when it is first looked for, and after each change.
const haystacks = new Map();
for (const row of board.querySelectorAll(".person")) {
  rows.set(row.dataset.person, row);
}

function personName(row) {
  return cell(row, "name").firstChild.textContent.trim();
}

function cell(row, name) {
  return row.querySelector("." + name);
}

// The same as in board.rs.
function activity(what) {
  if (!what) {
    return "";
  }
  const via = what.kind === "OnThePhone" && what.via === "teams" ? "Teams" : "";
  return what.kind === "UsingApp" ? what.label : say(`activity-${what.kind}${via}`);
}

function apply({ person, presence }) {
  const row = rows.get(person);
  if (!row) {
    add(person, presence);
    return;
  }
  haystacks.delete(row);
  row.dataset.status = presence.status;
  row.dataset.confidence = presence.confidence;
  const status = say(`status-${presence.status}`);
  cell(row, "status").textContent = status;
  cell(row, "activity").textContent = activity(presence.activity);
  cell(row, "text").textContent = activity(presence.activity) || presence.text;
  const time = row.querySelector("time");
  // Nobody sees since when a person is offline.
  const since = presence.since ?? "";
  const moved = time.dateTime !== since;
  time.dateTime = since;
  showAge(time);
  row.querySelector(".why").setAttribute("aria-label", say("board-why-of", { status, name: personName(row) }));
  if (moved) {
    row.classList.remove("changed");
    requestAnimationFrame(() => row.classList.add("changed"));
  }
}

// A new person: a copy of another row, sorted in by name among the last group.
const adding = new Map();
// An import brings more than this at once: one page is less than a request for each.
const ADDED_MAX = 20;
async function add(person, presence) {
  const known = adding.has(person);
  adding.set(person, presence);
  if (known) {
    return;
  }
  if (adding.size > ADDED_MAX) {
    location.reload();
    return;
  }
  const answer = await fetch(`/api/v1/people/${person}`);
  const latest = adding.get(person);
  adding.delete(person);
  if (!latest) {
    // Deleted in the meantime.
    return;
  }
  const model = rows.values().next().value;
  if (!answer.ok || !model) {
    // Deleted in the meantime, or the first person of all: the server renders the page.
    if (!model) {
      location.reload();
    }
    return;
  }
  const row = model.cloneNode(true);
  row.dataset.person = person;
  row.hidden = false;
  row.querySelector(".star")?.setAttribute("aria-pressed", "false");
  rows.set(person, row);
  name(row, await answer.json());
  const last = board.querySelector(".group:last-child");
  const collator = new Intl.Collator(document.documentElement.lang);
  const after = Array.from(last.querySelectorAll(".person"))
    .find((other) => collator.compare(personName(other), personName(row)) > 0);
  if (after) {
    after.before(row);
  } else {
    last.querySelector(".chunk:last-child").append(row);
  }
  apply({ person, presence: latest });
  count();
}

// Name and lines of a row.
function name(row, { name, lines }) {
  haystacks.delete(row);
  const shown = cell(row, "name");
  shown.firstChild.textContent = name;
  shown.querySelector("small")?.remove();
  if (lines.length > 0) {
    const small = document.createElement("small");
    small.textContent = lines.map((line) => line.extension).join(", ");
    shown.firstChild.after(" ", small);
  }
  row.querySelector(".star")?.setAttribute("aria-label", say("board-favourite", { name }));
  const status = say(`status-${row.dataset.status}`);
  row.querySelector(".why").setAttribute("aria-label", say("board-why-of", { status, name }));
}

function rename(person) {
  const row = rows.get(person.id);
  if (row) {
    name(row, person);
  }
}

function remove({ person }) {
  adding.delete(person);
  const row = rows.get(person);
  if (row) {
    haystacks.delete(row);
    rows.delete(person);
    row.remove();
    count();
  }
}

// How many people there are.
function count() {
  everybody = say("board-people", { count: rows.size });
  filter.dispatchEvent(new Event("input"));
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
      apply(data);
      break;
    case "person":
      rename(data);
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

function searchable(row) {
  let text = haystacks.get(row);
  if (text === undefined) {
    text = haystack(row.textContent);
    haystacks.set(row, text);
  }
  return text;
}

filter.addEventListener("input", () => {
  const wanted = words(filter.value);
  let shown = 0;
  for (const row of rows.values()) {
    row.hidden = !wanted.every((word) => searchable(row).includes(word));
    shown += row.hidden ? 0 : 1;
  }
  // What has no row to show takes no room.
  const isEmpty = (part) => !part.querySelector(".person:not([hidden])");
  for (const chunk of board.querySelectorAll(".chunk")) {
    chunk.hidden = isEmpty(chunk);
  }
  for (const section of board.querySelectorAll(".section")) {
    section.hidden = isEmpty(section.parentElement);
  }
  summary.textContent = wanted.length > 0 ? say("board-people-of", { shown, count: rows.size }) : everybody;
});

// Up and down between people, from the filter too; a slash leads to the filter.
function step(from, direction) {
  const all = Array.from(rows.values()).filter((row) => !row.hidden);
  const at = from ? all.indexOf(from) + direction : 0;
  const next = all[Math.max(0, Math.min(at, all.length - 1))];
  next?.querySelector(".why").focus();
}
document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.(".person");
  const direction = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (direction && (row || event.target === filter)) {
    event.preventDefault();
    step(row, direction);
  } else if (event.key === "/" && !event.target.closest?.("input, dialog")) {
    event.preventDefault();
    filter.focus();
  }
});

async function favour(star) {
  const viewer = document.body.dataset.viewer;
  star.setAttribute("aria-pressed", String(star.getAttribute("aria-pressed") !== "true"));
  const stars = board.querySelectorAll('.star[aria-pressed="true"]');
  const people = Array.from(stars, (pressed) => pressed.closest(".person").dataset.person);
  await fetch(`/api/v1/people/${viewer}/favourites`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ people }),
  });
  // Whatever became of it, the server knows who stands where.
  location.reload();
}

board.addEventListener("click", (event) => {
  const star = event.target.closest(".star");
  if (star) {
    favour(star);
    return;
  }
  const row = event.target.closest(".why")?.closest(".person");
  if (row) {
    showCard(row.dataset.person, personName(row), say(`status-${row.dataset.status}`));
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

// Ages grow; only those of rows on the screen are drawn.
function showAges(chunk) {
  for (const time of chunk.querySelectorAll("time")) {
    showAge(time);
  }
}
const chunks = board.querySelectorAll(".chunk");
for (const chunk of chunks) {
  showAges(chunk);
  chunk.addEventListener("contentvisibilityautostatechange", (event) => event.skipped || showAges(chunk));
}
setInterval(() => {
  for (const chunk of chunks) {
    if (!document.hidden && chunk.checkVisibility({ contentVisibilityAuto: true })) {
      showAges(chunk);
    }
  }
}, 30_000);

if (filter.value) {
  filter.dispatchEvent(new Event("input"));
}
filter.form.addEventListener("submit", (event) => event.preventDefault());
listen(document.body.dataset.revision, receive);
