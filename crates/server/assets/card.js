// One person's card: why the presence is what it is, My Profiles to choose from, the day's appointments, and what happens
// automatically. What the server does not let the viewer see, the card does not show.

import { language, say } from "/assets/words.js";

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

export async function showCard(person, name, status) {
  shown += 1;
  const mine = shown;
  const base = `/api/v1/people/${person}`;
  const [colleague, explanation, profiles, appointments, settings] = await Promise.all(
    ["", "/explanation", "/profiles", "/appointments", "/settings/automatic"].map((part) => read(`${base}${part}`)),
  );
  if (mine !== shown) {
    // Another card was asked for meanwhile.
    return;
  }
  const title = explanation ? say("card-title", { name, status }) : name;
  document.getElementById("card-title").textContent = title;
  const failed = element("li", say("card-failed"));
  const reasons = explanation?.reasons.map(describe) ?? [failed];
  document.getElementById("reasons").replaceChildren(...reasons);
  const calls = (colleague?.lines ?? []).map(({ extension }) =>
    element("a", `${say("person-call")}: ${extension}`, { href: `tel:${extension}` }),
  );
  const more = element("a", say("person-more", { name }), { href: `/people/${person}` });
  document.getElementById("card-links").replaceChildren(...calls, more);
  timeline(person, () => mine === shown);
  const again = () => showCard(person, name, status);
  const current = explanation?.presence.profile;
  fill("profiles", (profiles?.items ?? []).filter((profile) => profile.active).map((profile) => choice(base, profile, current, again)));
  fill("appointments", (appointments?.items ?? []).map(appointment));
  fill("automatic", settings ? automatic(settings) : []);
  if (!card.open) {
    card.showModal();
  }
}

// The last 24 hours, as the server drew them for the person's own page.
async function timeline(person, isWanted) {
  const place = document.getElementById("card-timeline");
  const answer = await fetch(`/people/${person}`).catch(() => undefined);
  const page = new DOMParser().parseFromString(answer?.ok ? await answer.text() : "", "text/html");
  const drawn = page.querySelector("svg.timeline");
  if (isWanted()) {
    place.replaceChildren(...(drawn ? [document.importNode(drawn, true)] : []));
  }
}

// A part without anything in it is not there.
function fill(id, children) {
  const list = document.getElementById(id);
  list.replaceChildren(...children);
  list.closest("section").hidden = children.length === 0;
}

// The rule in the page's language: its name is the key.
function rule(name) {
  const key = `rule-${name.toLowerCase().match(/[a-z0-9]+/g).join("-")}`;
  const said = say(key);
  return said === key ? name : said;
}

function describe(reason) {
  const item = document.createElement("li");
  item.classList.toggle("counted", reason.counted);
  const verdict = say(reason.counted ? "card-decides" : "card-does-not-decide");
  const party = reason.party ? ` ${say("card-with", { party: reason.party })}` : "";
  const main = element("span", `${reason.source}: ${reason.says}${party} (${verdict})`);
  const moment = (text) => new Date(text).toLocaleString(language);
  const since = say("card-since", { time: moment(reason.since) });
  const until = reason.lease_end ? `, ${say("card-until", { time: moment(reason.lease_end) })}` : "";
  const note = reason.note ? `. ${reason.note}` : "";
  item.append(main, element("small", `${rule(reason.rule)}; ${since}${until}; ${reason.confidence}${note}`));
  return item;
}

function choice(base, profile, current, again) {
  const item = document.createElement("li");
  const button = element("button", profile.name, { type: "button", "aria-pressed": String(profile.name === current) });
  button.addEventListener("click", async () => {
    const undo = button.getAttribute("aria-pressed") === "true";
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
      item.append(element("small", `\u{1F512} ${say("card-locked", { scope: settings.decided_by ?? "default" })}`, { class: "locked" }));
    }
    return item;
  });
}
