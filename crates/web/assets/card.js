// One person's card: why the presence is what it is, My Profiles to choose from, the day's appointments, and what happens
// automatically. What the server does not let the viewer see, the card does not show.

import { language, say } from "./words.js";

const card = document.getElementById("card");

// Counts the cards asked for: an answer that comes late belongs to none any more.
let shown = 0;

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  return made;
}

async function read(path) {
  const answer = await fetch(path).catch(() => undefined);
  return answer?.ok ? answer.json() : undefined;
}

// The person's own page, which has the reasons in words and the last 24 hours as a picture.
async function readPage(path) {
  const answer = await fetch(path).catch(() => undefined);
  return answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : undefined;
}

export async function showCard(person, name, status) {
  shown += 1;
  const mine = shown;
  const base = `/api/v1/people/${person}`;
  const [page, colleague, presence, profiles, appointments, settings] = await Promise.all([
    readPage(`/people/${person}`),
    ...["", "/presence", "/profiles", "/appointments", "/settings/automatic"].map((part) => read(`${base}${part}`)),
  ]);
  if (mine !== shown) {
    // Another card was asked for meanwhile.
    return;
  }
  const table = page?.getElementById("reasons");
  document.getElementById("card-title").textContent = page ? say("card-title", { name, status }) : name;
  const reasons = table ? Array.from(table.tBodies[0].rows, describe) : [element("li", say("card-failed"))];
  document.getElementById("reasons").replaceChildren(...reasons);
  const calls = (colleague?.lines ?? []).map(({ extension }) =>
    element("a", `${say("person-call")}: ${extension}`, { href: `tel:${extension}` }),
  );
  const more = element("a", say("person-more", { name }), { href: `/people/${person}` });
  document.getElementById("card-links").replaceChildren(...calls, more);
  const drawn = page?.querySelector("svg.timeline");
  document.getElementById("card-timeline").replaceChildren(...(drawn ? [document.importNode(drawn, true)] : []));
  const again = () => showCard(person, name, status);
  const whose = { base, name, isMine: person === document.body.dataset.viewer, again };
  const current = presence?.profile;
  fill("profiles", (profiles?.items ?? []).filter((profile) => profile.active).map((profile) => choice(whose, profile, current)));
  fill("appointments", (appointments?.items ?? []).map(appointment));
  fill("automatic", settings ? automatic(settings) : []);
  if (!card.open) {
    card.showModal();
  }
}

// A part without anything in it is not there.
function fill(id, children) {
  const list = document.getElementById(id);
  list.replaceChildren(...children);
  list.closest("section").hidden = children.length === 0;
}

// A row of the page's table: reason, effect, since when, until when.
function describe(row) {
  const [says, effect, since, until] = row.cells;
  const item = document.createElement("li");
  item.classList.toggle("counted", effect?.querySelector("[data-well=true]") != null);
  const moment = (cell, key) => {
    const time = cell?.querySelector("time");
    return time ? say(key, { time: new Date(time.dateTime).toLocaleString(language) }) : "";
  };
  const details = [effect?.textContent, moment(since, "card-since"), moment(until, "card-until")];
  item.append(element("span", says.textContent), element("small", details.filter(Boolean).join("; ")));
  return item;
}

function choice({ base, name, isMine, again }, profile, current) {
  const item = document.createElement("li");
  const button = element("button", profile.name, { type: "button", "aria-pressed": String(profile.name === current) });
  button.addEventListener("click", async () => {
    const undo = button.getAttribute("aria-pressed") === "true";
    // What is somebody else's is not changed by a slip.
    const question = say(undo ? "card-end-for" : "card-choose-for", { profile: profile.name, name });
    if (!isMine && !confirm(question)) {
      return;
    }
    const body = JSON.stringify({ profile: profile.name });
    const headers = { "content-type": "application/json" };
    await fetch(`${base}/profile`, undo ? { method: "DELETE" } : { method: "PUT", headers, body });
    await again();
  });
  const forwarding = profile.forwarding.target ? say("card-calls-to", { target: profile.forwarding.target }) : "";
  const refuses = profile.forwarding.kind === "do_not_disturb" ? say("card-calls-refused") : forwarding;
  const origin = say(profile.origin === "central" ? "card-central" : "card-own");
  item.append(button, element("small", [origin, refuses].filter(Boolean).join("; ")));
  return item;
}

function appointment(entry) {
  const item = document.createElement("li");
  const time = (text) => new Date(text).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
  const span = `${time(entry.start)} – ${entry.end ? time(entry.end) : say("card-now")}`;
  const mark = element("span", "\u25A0", { class: "colour", "aria-hidden": "true" });
  mark.style.color = entry.colour ?? "inherit";
  const profile = entry.profile ? ` (${entry.profile})` : "";
  item.append(mark, element("span", `${span} ${entry.text ?? say("status-Busy")}${profile}`));
  return item;
}

// The same keys as in the page `automatic` of the settings.
const automaticKeys = ["client_start", "client_end", "inactivity", "locked"];

function automatic(settings) {
  return automaticKeys.map((key) => {
    const item = document.createElement("li");
    item.append(element("span", `${say(`automatic-${key}`)}: ${settings[key] ?? say("card-nothing")}`));
    if (settings.user_may_change[key] === false) {
      item.append(element("small", say("card-locked", { scope: settings.decided_by ?? "default" }), { class: "locked" }));
    }
    return item;
  });
}
