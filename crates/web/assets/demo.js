// The demo's page: presses keys without a new page, draws the devices anew when something changed, and measures how long the
// board and Teams take.

import { listen } from "./stream.js";
import { say } from "./words.js";

const devices = document.getElementById("devices");
const effect = document.getElementById("effect");
const person = devices.dataset.person;
// Time between two looks at the devices, after an action and otherwise.
const SOON_MS = 100;
const IDLE_MS = 1500;
// How long after an action its effects are looked for.
const EFFECT_MS = 10_000;

let action;
let drawn;
let timer;

const teamsStatus = () => document.getElementById("teams-status")?.textContent;

function tell() {
  const texts = [];
  if (action?.board !== undefined) {
    texts.push(say("demo-board-after", { value: action.board }));
  }
  if (action?.teams !== undefined) {
    texts.push(say("demo-teams-after", { value: action.teams, status: teamsStatus() }));
  }
  if (texts.length > 0) {
    effect.textContent = texts.join(" · ");
  }
}

function elapsed() {
  return Math.round(performance.now() - action.at);
}

function draw(text) {
  if (text === drawn) {
    return;
  }
  drawn = text;
  // Only what the server rendered becomes markup.
  const page = new DOMParser().parseFromString(text, "text/html");
  const focused = devices.contains(document.activeElement) ? document.activeElement.id : undefined;
  const before = teamsStatus();
  devices.replaceChildren(...page.body.childNodes);
  if (focused) {
    const again = document.getElementById(focused);
    (again?.disabled ? devices.querySelector("button:enabled") : again)?.focus();
  }
  if (action && action.teams === undefined && before !== teamsStatus()) {
    action.teams = elapsed();
    tell();
  }
}

async function look() {
  clearTimeout(timer);
  const answer = await fetch(`/demo/devices?person=${person}`).catch(() => undefined);
  if (answer?.ok) {
    draw(await answer.text());
  } else {
    effect.textContent = say("demo-failed");
  }
  clearTimeout(timer);
  const isSoon = action && elapsed() < EFFECT_MS;
  timer = setTimeout(look, isSoon ? SOON_MS : IDLE_MS);
}

devices.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  action = { at: performance.now() };
  // The answer leads to a new page, which is not needed here.
  await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => undefined);
  look();
});

listen(document.body.dataset.revision, (name, data) => {
  if (name === "presence" && data.person === person) {
    if (action && action.board === undefined) {
      action.board = elapsed();
      tell();
    }
    look();
  }
});

const choice = document.getElementById("person");
choice.addEventListener("change", () => choice.form.submit());
choice.form.querySelector("button").hidden = true;
look();
