// Rows of the board: their actions and ages, and how new ones come in without a reload.

import { untilText } from "./status-line.js";
import { showAge } from "./time.js";
import { say } from "./words.js";

// Writes a text only if it is another: an unchanged element is not drawn again.
export function write(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

// What the server wrote as a time of the API becomes a time of the reader.
export function age(row) {
  const since = row.querySelector(".since time");
  if (since) {
    showAge(since);
  }
  const until = row.querySelector("time.until");
  if (until) {
    write(until, untilText(until.dateTime));
  }
}

function action(className, href, text, label) {
  const link = document.createElement("a");
  link.className = className;
  link.href = href;
  link.textContent = text;
  link.setAttribute("aria-label", label);
  return link;
}

// Links to call and to chat. Without scripts the person's page has them.
export function rowActions(row) {
  const actions = row.querySelector(".actions");
  if (!actions || actions.dataset.done !== undefined || row.dataset.person === document.body.dataset.viewer) {
    return;
  }
  actions.dataset.done = "";
  const name = nameOf(row);
  if (row.dataset.call) {
    actions.append(action("button call", `tel:${row.dataset.call}`, say("row-call"), say("row-call-of", { name })));
  }
  if (row.dataset.chat !== undefined) {
    const link = action("button chat", `/people/${row.dataset.person}/chat`, say("row-chat"), say("row-chat-of", { name }));
    link.target = "_blank";
    link.rel = "noopener";
    actions.append(link);
  }
}

export function nameOf(row) {
  return row.querySelector(".name").textContent;
}

// The group in the board, made from the server's if it is not there yet.
function groupIn(board, wanted) {
  const known = Array.from(board.querySelectorAll(".group"));
  const found = known.find((group) => group.dataset.group === wanted.dataset.group);
  if (found) {
    return found;
  }
  const made = document.importNode(wanted, true);
  for (const chunk of made.querySelectorAll(".chunk")) {
    chunk.replaceChildren();
  }
  // Favourites come first, and everybody else last.
  const last = known.find((group) => group.dataset.group === "all");
  if (wanted.dataset.group === "favourites") {
    board.prepend(made);
  } else if (last && wanted.dataset.group !== "all") {
    last.before(made);
  } else {
    board.append(made);
  }
  return made;
}

// Puts the rows of a page of the server into the board; `people` without one are deleted. Focus stays where it is.
export function insertRows(board, rows, page, people) {
  const collator = new Intl.Collator(document.documentElement.lang);
  const focus = document.activeElement;
  const focused = focus?.closest?.(".person")?.dataset.person;
  const focusedClass = ["star", "name", "call", "chat"].find((name) => focus?.classList.contains(name));
  for (const person of people) {
    rows.get(person)?.remove();
    rows.delete(person);
  }
  for (const wanted of page.querySelectorAll(".group")) {
    const group = groupIn(board, wanted);
    for (const rendered of wanted.querySelectorAll(".person")) {
      const row = document.importNode(rendered, true);
      const after = Array.from(group.querySelectorAll(".person"))
        .find((other) => collator.compare(nameOf(other), nameOf(row)) > 0);
      if (after) {
        after.before(row);
      } else {
        group.querySelector(".chunk:last-child").append(row);
      }
      rows.set(row.dataset.person, row);
      rowActions(row);
      age(row);
      row.classList.add("changed");
    }
  }
  for (const group of board.querySelectorAll(".group")) {
    if (!group.querySelector(".person")) {
      group.remove();
    }
  }
  if (focused && focusedClass) {
    rows.get(focused)?.querySelector(`.${focusedClass}`)?.focus({ preventScroll: true });
  }
}
