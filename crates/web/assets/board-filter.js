// Search, filters and density of the board, in place and in its address. The server does the same for each address.

import { write } from "./board-rows.js";
import { haystack, words } from "./search.js";
import { say } from "./words.js";

const board = document.getElementById("board");
const search = document.getElementById("filter");
const chips = document.getElementById("chips");
const view = document.getElementById("view");
const summary = document.getElementById("summary");
const nobody = document.getElementById("nobody");

// What stands for the favourites in the address: filter.rs.
const FAVOURITES = "★";

// What the search looks into, by row; made when it is first looked for, and after each change.
const haystacks = new WeakMap();

function searchable(row) {
  let text = haystacks.get(row);
  if (text === undefined) {
    const parts = [".name", ".place", ".line"].map((part) => row.querySelector(part).textContent);
    text = haystack([...parts, row.dataset.mail ?? ""].join("\n"));
    haystacks.set(row, text);
  }
  return text;
}

function isIn(row, group) {
  if (group === FAVOURITES) {
    return row.closest(".group").dataset.group === "favourites";
  }
  // Names may have commas and points themselves.
  const place = `, ${row.querySelector(".place").textContent}, `;
  return place.includes(`, ${group}, `) || place.includes(` · ${group}, `);
}

function chosenStatus() {
  return chips.querySelector("[aria-current]")?.dataset.status ?? "";
}

function ownGroups() {
  return document.querySelectorAll("#groups a");
}

const COUNTED_AFTER_MS = 300;
let scheduled = false;

// Whether the row belongs to what is chosen.
function filtered() {
  const wanted = words(search.value);
  const status = chosenStatus();
  const group = view.elements.group.value;
  return (row) => (status === "" || row.dataset.status === status)
    && (group === "" || isIn(row, group))
    && wanted.every((word) => searchable(row).includes(word));
}

// Shows and hides after changes: the changed `row` at once, everything and the counts a little later, once for many changes.
export function filterBoard(rows, row) {
  if (row) {
    haystacks.delete(row);
    row.hidden = !filtered()(row);
  }
  if (!scheduled) {
    scheduled = true;
    setTimeout(() => {
      scheduled = false;
      count(rows);
      filterNow(rows);
    }, COUNTED_AFTER_MS);
  }
}

// Shows the rows that search and filters leave.
function filterNow(rows) {
  const isShown = filtered();
  let shown = 0;
  for (const row of rows.values()) {
    const hidden = !isShown(row);
    if (row.hidden !== hidden) {
      row.hidden = hidden;
    }
    shown += hidden ? 0 : 1;
  }
  // What has no row to show takes no room.
  for (const part of board.querySelectorAll(".chunk, .group")) {
    const hidden = !part.querySelector(".person:not([hidden])");
    if (part.hidden !== hidden) {
      part.hidden = hidden;
    }
  }
  const isWhole = shown === rows.size;
  write(summary, isWhole ? say("board-people", { count: rows.size }) : say("board-people-of", { shown, count: rows.size }));
  nobody.hidden = shown > 0 || rows.size === 0;
  showChoices();
}

// Counts people by status and group, for chips, rail and headings. Only changes of rows change them, not the search.
function count(rows) {
  const counts = {};
  for (const row of rows.values()) {
    counts[row.dataset.status] = (counts[row.dataset.status] ?? 0) + 1;
  }
  for (const chip of chips.children) {
    const { status } = chip.dataset;
    write(chip.querySelector(".count"), String(status === "" ? rows.size : counts[status] ?? 0));
  }
  for (const link of ownGroups()) {
    const members = Array.from(rows.values()).filter((row) => isIn(row, link.dataset.group));
    write(link.querySelector("small"), String(members.length));
  }
  for (const part of board.querySelectorAll(".group")) {
    const available = part.querySelectorAll('.person[data-status="Available"]').length;
    const count = part.querySelectorAll(".person").length;
    write(part.querySelector(".section small"), say("board-reachable", { shown: available, count }));
  }
}

// A chip or group of the rail without people is shown only while it is chosen.
function showChoices() {
  const isEmpty = (choice, counter) => choice.querySelector(counter).textContent === "0" && !choice.hasAttribute("aria-current");
  for (const chip of chips.children) {
    chip.hidden = chip.dataset.status !== "" && isEmpty(chip, ".count");
  }
  for (const link of ownGroups()) {
    link.hidden = isEmpty(link, "small");
  }
}

// The address of what is shown: for "back", for a bookmark, for a colleague.
function remember() {
  const query = new URLSearchParams();
  const compact = view.elements.view.checked ? "compact" : "";
  const all = { q: search.value.trim(), status: chosenStatus(), group: view.elements.group.value, sort: view.elements.sort.value, view: compact };
  for (const [name, value] of Object.entries(all)) {
    if (value) {
      query.set(name, value);
    }
  }
  history.replaceState(history.state, "", query.size > 0 ? `/?${query}` : "/");
  return query;
}

// Marks the rail's group that is chosen.
function mark() {
  for (const link of ownGroups()) {
    if (link.dataset.group === view.elements.group.value) {
      link.setAttribute("aria-current", "true");
    } else {
      link.removeAttribute("aria-current");
    }
  }
}

export function startFilter(rows) {
  view.querySelector(".plain").hidden = true;
  search.addEventListener("input", () => {
    filterNow(rows);
    remember();
  });
  search.form.addEventListener("submit", (event) => event.preventDefault());
  chips.addEventListener("click", (event) => {
    const chip = event.target.closest("a");
    if (!chip || event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    event.preventDefault();
    for (const other of chips.children) {
      other.removeAttribute("aria-current");
    }
    chip.setAttribute("aria-current", "true");
    filterNow(rows);
    remember();
  });
  view.addEventListener("change", ({ target }) => {
    const query = remember();
    if (target.name === "sort") {
      // The server knows the order of all.
      location.assign(`/?${query}`);
      return;
    }
    board.classList.toggle("board-compact", view.elements.view.checked);
    mark();
    filterNow(rows);
  });
  // The rail's groups choose what the field of the groups chooses; a second press ends it.
  document.getElementById("groups")?.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    event.preventDefault();
    const { group } = view.elements;
    group.value = group.value === link.dataset.group ? "" : link.dataset.group;
    mark();
    filterNow(rows);
    remember();
    const rail = document.getElementById("rail");
    rail.matches(":popover-open") && rail.hidePopover();
  });
  // A field that the browser filled again after "back".
  if (search.value || view.elements.group.value) {
    filterNow(rows);
  }
}
