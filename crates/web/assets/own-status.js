// One's own status in the bar: set without leaving the page, and live. The server renders button and menu; this script asks
// for them again when the status has changed.

import { listen } from "./stream.js";
import { moment } from "./time.js";
import "./zone.js";

const part = (id) => document.getElementById(id);
const button = () => document.querySelector(".account-button");
const person = button().dataset.own;

// Times by the reader's locale.
function showTime() {
  const time = button().querySelector("time");
  if (time) {
    time.textContent = moment(time.dateTime);
  }
}
showTime();

// The word of the status in front of the page's own title, and the icon of the tab.
function showInTab() {
  const { status, word } = button().dataset;
  document.title = `(${word}) ${document.title.replace(/^\([^)]*\) /, "")}`;
  document.querySelector('link[rel="icon"]').href = `/icon/${status}.svg`;
}

// The parts of a fresh menu in place of the old ones. The button and the menu stay: they may be focused or open.
function put(fresh) {
  const now = fresh.querySelector(".account-button");
  Object.assign(button().dataset, now.dataset);
  button().replaceChildren(...now.childNodes);
  showTime();
  showInTab();
  for (const choice of fresh.querySelectorAll("#own-choose [name=profile]")) {
    const old = part("own-choose").querySelector(`[name=profile][value="${CSS.escape(choice.value)}"]`);
    old?.setAttribute("aria-pressed", choice.getAttribute("aria-pressed"));
  }
  const automatic = fresh.getElementById("own-automatic");
  const old = part("own-automatic");
  if (automatic && !old) {
    automatic.elements.to.value = location.pathname;
    part("own-choose").after(automatic);
  } else if (!automatic && old) {
    const wasFocused = old.contains(document.activeElement);
    old.remove();
    wasFocused && part("own-choose").querySelector("[name=profile]")?.focus();
  }
}

let asked = 0;
async function renew() {
  asked += 1;
  const mine = asked;
  const answer = await fetch("/me/menu").catch(() => undefined);
  // Of several answers the last asked for counts.
  if (answer?.ok && mine === asked) {
    put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    document.dispatchEvent(new Event("own-status"));
  }
}

function say(problem) {
  part("own-problem").hidden = !problem;
  part("own-problem").textContent = problem ?? "";
}

// A form of the menu: sent as the browser would, but the page stays. What was entered stays when it could not be saved.
async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => undefined);
  if (!answer) {
    say(part("own-problem").dataset.lost);
    return;
  }
  if (answer.type === "opaqueredirect") {
    say();
    form.reset();
    part("account-menu").hidePopover();
    await renew();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  say(page.querySelector("main .wrong")?.textContent ?? part("own-problem").dataset.lost);
}

part("account-menu").addEventListener("submit", (event) => {
  if (event.target.closest("#own-status")) {
    event.preventDefault();
    send(event.target, event.submitter);
  }
});

// A typed time is the length; another length takes it back.
part("own-status").addEventListener("input", ({ target }) => {
  const { time } = part("own-choose").elements;
  if (target === time && time.value) {
    for (const length of part("own-choose").querySelectorAll("[name=for]")) {
      length.checked = length.value === "";
    }
  } else if (target.name === "for") {
    time.value = "";
  }
});

listen(button().dataset.since, (name, data) => {
  if (name === "reset" || (name === "presence" && data.person === person)) {
    renew();
  }
});
