// The page of Teamsbox: a live list of people, and the actions of one of them in Teams.
// Names are untrusted: text is inserted through textContent only.

const element = (id) => document.getElementById(id);
const people = new Map(); // id -> { row, button, dot, words, search, presence }
let chosen = null;
let detail = null; // complete state of the selected person
let loading = null; // id whose ground truth is on its way
let again = false; // it changed meanwhile
let clock = { manual: false, now: Date.now(), read: performance.now() };

const WORDS = {
  "Available/Available": "Available",
  "AvailableIdle/Inactive": "Available, idle",
  "Available/AvailableInactive": "Available, idle",
  "Available/OutOfOffice": "Available, out of office",
  "Busy/InAMeeting": "In a meeting",
  "Busy/Busy": "Busy",
  "Busy/InACall": "In a call",
  "Busy/InAConferenceCall": "In a conference call",
  "DoNotDisturb/DoNotDisturb": "Do not disturb",
  "DoNotDisturb/Presenting": "Presenting",
  "BeRightBack/BeRightBack": "Be right back",
  "Away/Away": "Away",
  "Offline/Offline": "Offline",
  "Offline/OffWork": "Appears offline",
};
const words = ({ availability, activity }) => WORDS[`${availability}/${activity}`] ?? `${availability}, ${activity}`;

// --- requests to the emulator ---

async function ask(method, path, body) {
  const options = { method, cache: "no-store" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const response = await fetch(`/box/v1/${path}`, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? `The emulator answered ${response.status}.`);
  return answer;
}

async function act(method, path, body) {
  if (!chosen) return;
  element("message").textContent = "";
  const id = chosen;
  try {
    const state = await ask(method, `users/${id}/${path}`, body);
    // The answer to a new calendar entry has the entry and the person.
    if (id === chosen) show(state.user ?? state);
  } catch (error) {
    element("message").textContent = error.message;
  }
}

// --- the list ---

function add(person) {
  const row = document.createElement("li");
  const button = document.createElement("button");
  const dot = document.createElement("span");
  const name = document.createElement("span");
  const text = document.createElement("span");
  row.dataset.user = person.id;
  button.type = "button";
  button.tabIndex = -1;
  dot.className = "dot";
  dot.setAttribute("aria-hidden", "true");
  name.className = "name";
  name.textContent = person.displayName;
  text.className = "words";
  button.append(dot, name, text);
  row.append(button);
  const option = document.createElement("option");
  option.value = person.id;
  option.textContent = person.displayName;
  const search = `${person.displayName}\n${person.userPrincipalName}`.toLowerCase();
  people.set(person.id, { row, button, dot, text, option, search, sequence: "" });
  return { row, option };
}

function update(person) {
  const entry = people.get(person.id);
  // Sequence numbers are compared as texts: an answer may arrive after a later event.
  if (person.sequenceNumber <= entry.sequence) return;
  entry.sequence = person.sequenceNumber;
  for (const part of [entry.row, entry.dot]) {
    part.dataset.availability = person.availability;
    part.dataset.activity = person.activity;
  }
  entry.text.textContent = words(person);
}

function remove(id) {
  const entry = people.get(id);
  if (!entry) return;
  entry.row.remove();
  entry.option.remove();
  people.delete(id);
  if (chosen === id) {
    chosen = null;
    choose(people.keys().next().value);
  }
  filter();
}

async function load() {
  const [list, time, faults] = await Promise.all([ask("GET", "users?presence=true"), ask("GET", "clock"), ask("GET", "faults")]);
  setClock(time);
  setFaults(faults);
  const present = new Set(list.map((person) => person.id));
  for (const id of [...people.keys()]) if (!present.has(id)) remove(id);
  const rows = document.createDocumentFragment();
  const options = document.createDocumentFragment();
  for (const person of list) {
    if (!people.has(person.id)) {
      const { row, option } = add(person);
      rows.append(row);
      options.append(option);
    }
    update(person);
  }
  element("people").append(rows);
  element("call-with").append(options);
  filter();
  const wanted = decodeURIComponent(location.hash.slice(1));
  choose(people.has(chosen) ? chosen : people.has(wanted) ? wanted : list[0]?.id);
}

function filter() {
  const wanted = element("filter").value.trim().toLowerCase();
  let shown = 0;
  for (const { row, search } of people.values()) {
    const hidden = !search.includes(wanted);
    if (row.hidden !== hidden) row.hidden = hidden;
    if (!hidden) shown += 1;
  }
  element("count").textContent = shown === people.size ? `${shown} people` : `${shown} of ${people.size} people`;
  keepReachable();
}

// One row is in the tab order; arrow keys move within the list.
function keepReachable() {
  const current = element("people").querySelector('button[tabindex="0"]');
  if (current && !current.parentElement.hidden) return;
  if (current) current.tabIndex = -1;
  const first = element("people").querySelector("li:not([hidden]) > button");
  if (first) first.tabIndex = 0;
}

function focusRow(row) {
  if (!row) return;
  const current = element("people").querySelector('button[tabindex="0"]');
  if (current) current.tabIndex = -1;
  row.firstElementChild.tabIndex = 0;
  row.firstElementChild.focus();
}

function walk(row, step) {
  let next = row;
  do next = step > 0 ? next.nextElementSibling : next.previousElementSibling; while (next?.hidden);
  return next;
}

// --- the selected person ---

function choose(id) {
  if (!id) return;
  if (chosen !== id) {
    const before = people.get(chosen);
    if (before) {
      before.button.removeAttribute("aria-current");
      before.option.disabled = false;
    }
    const { button, option } = people.get(id);
    button.setAttribute("aria-current", "true");
    option.disabled = true;
    if (option.selected) element("call-with").value = "";
    chosen = id;
    detail = null;
    element("message").textContent = "";
    history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  }
  refresh();
}

// At most one request is in progress; changes during it cause exactly one more.
async function refresh() {
  if (!chosen) return;
  if (loading) {
    again = true;
    return;
  }
  loading = chosen;
  try {
    const state = await ask("GET", `users/${loading}`);
    if (loading === chosen) show(state);
  } catch (error) {
    element("message").textContent = error.message;
  } finally {
    const stale = again || loading !== chosen;
    loading = null;
    again = false;
    if (stale) refresh();
  }
}

function show(state) {
  detail = state;
  update(state);
  element("person-name").textContent = state.displayName;
  element("person-mail").textContent = state.userPrincipalName;
  element("person-dot").dataset.availability = state.availability;
  const aggregate = element("aggregate");
  const text = `${words(state)} (${state.availability}/${state.activity})`;
  if (aggregate.textContent !== text) aggregate.textContent = text;
  aggregate.dataset.availability = state.availability;
  aggregate.dataset.activity = state.activity;
  element("call-state").textContent = describeCall(state.call);
  const rows = state.sessions.map((session) => {
    const row = document.createElement("tr");
    row.dataset.kind = session.kind;
    row.dataset.name = session.name;
    const kind = session.kind === "client" ? "Teams client" : "Application";
    const changed = new Date(session.changedAt).toLocaleTimeString();
    for (const text of [kind, session.name, words(session), changed, ""]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    row.lastElementChild.dataset.expires = session.expires ?? "";
    return row;
  });
  element("sessions").tBodies[0].replaceChildren(...rows);
  element("calendar").replaceChildren(...state.calendar.map(describeEntry));
  for (const [name, view] of Object.entries(state.views)) {
    const cell = element(`view-${name}`);
    const text = words(view);
    if (cell.textContent !== text) cell.textContent = text;
    cell.dataset.availability = view.availability;
    cell.dataset.activity = view.activity;
  }
  count();
}

const KINDS = { meeting: "Meeting", busy: "Busy", outOfOffice: "Out of office", focus: "Focus time" };

function describeEntry(entry) {
  const item = document.createElement("li");
  const text = document.createElement("span");
  const button = document.createElement("button");
  const time = (moment) => new Date(moment).toLocaleString();
  text.textContent = `${KINDS[entry.kind] ?? entry.kind}, ${time(entry.starts)} to ${time(entry.ends)} `;
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Remove";
  button.setAttribute("aria-label", `Remove ${text.textContent.trim()}`);
  button.addEventListener("click", () => act("DELETE", `calendar/${entry.id}`));
  item.append(text, button);
  return item;
}

// --- faults ---

const FAULTS = {
  "Graph answers 503": { graph: { status: 503 } },
  "Graph answers 429 with a wait of 10 s": { graph: { status: 429, retryAfter: "10" } },
  "Presence answers 401 five times": { graph: { status: 401, remaining: 5, operations: ["getPresence", "getPresencesByUserId"] } },
  "Every fifth read of presence answers 401": { graph: { status: 401, percent: 20, operations: ["getPresence", "getPresencesByUserId"] } },
  "Entra issues no tokens": { token: { status: 503 } },
  "Answers take 2 s": { delayMilliseconds: 2000 },
  "Reads lag by 5 s": { readLag: "PT5S" },
  "Notifications are dropped": { notifications: { silentOutage: true } },
  "Notifications have the wrong client state": { notifications: { wrongClientState: true } },
  "Notifications have a bad signature": { notifications: { badSignature: true } },
  "Notifications carry a forged token": { notifications: { forgedToken: true } },
};

function setFaults(faults) {
  const on = Object.entries(faults).filter(([, value]) => value !== null);
  element("fault-state").textContent = on.length ? on.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join("; ") : "None";
  element("fault-state").dataset.on = String(on.length > 0);
}

async function switchFaults(faults) {
  element("message").textContent = "";
  try {
    setFaults(await ask("PUT", "faults", faults));
  } catch (error) {
    element("message").textContent = error.message;
  }
}

// Other people's clients lag behind: their views are requested as long as they differ.
setInterval(() => {
  const late = detail && Object.values(detail.views).some((view) => words(view) !== words(detail));
  if (late && !clock.manual) refresh();
}, 2000);

function describeCall(call) {
  if (!call) return "No call";
  const other = people.get(call.with);
  const whom = other ? other.option.textContent : "an external party";
  const share = call.sharing ? ", sharing the screen" : "";
  if (call.kind === "sharing") {
    if (!call.sharing) return `Watching the screen of ${whom}`;
    return call.with ? `Sharing the screen with ${whom}` : "Sharing the screen";
  }
  // A joined meeting has no other side, not even an external party.
  if (call.kind === "meeting") return `${other ? `Meeting with ${whom}` : "In a meeting"}${share}`;
  return `${call.kind === "video" ? "Video" : "Audio"} call with ${whom}${share}`;
}

// --- time ---

function setClock(time) {
  clock = { manual: time.mode === "manual", now: Date.parse(time.now), read: performance.now() };
  element("advance").hidden = !clock.manual;
  count();
}

const now = () => (clock.manual ? clock.now : clock.now + performance.now() - clock.read);

function left(expires) {
  if (!expires) return "stays";
  const seconds = Math.max(0, Math.ceil((Date.parse(expires) - now()) / 1000));
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24];
  const [minutes, rest] = [Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  if (days) return `${days} d ${hours} h ${two(minutes)} min`;
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

// Only texts with a remaining time are updated, once a second.
function count() {
  element("clock-mode").textContent = clock.manual ? "Manual clock" : "Real clock";
  element("clock-now").textContent = new Date(now()).toLocaleString();
  for (const cell of element("sessions").querySelectorAll("td[data-expires]")) {
    cell.textContent = left(cell.dataset.expires);
  }
  const preferred = detail?.preferred;
  element("preferred").textContent = preferred ? `${words(preferred)}, ends in ${left(preferred.expires)}` : "None";
}

// --- event handlers ---

element("people").addEventListener("click", (event) => {
  const row = event.target.closest("[data-user]");
  if (!row) return;
  focusRow(row);
  choose(row.dataset.user);
});
element("people").addEventListener("keydown", (event) => {
  const row = event.target.closest("[data-user]");
  if (!row) return;
  const rows = element("people");
  const last = rows.lastElementChild;
  const target = {
    ArrowDown: () => walk(row, 1),
    ArrowUp: () => walk(row, -1),
    Home: () => (rows.firstElementChild.hidden ? walk(rows.firstElementChild, 1) : rows.firstElementChild),
    End: () => (last.hidden ? walk(last, -1) : last),
  }[event.key];
  if (!target) return;
  event.preventDefault();
  focusRow(target());
});
element("filter").addEventListener("input", filter);

const partner = () => (element("call-with").value ? { with: element("call-with").value } : {});
const device = () => element("device").value;
const buttons = {
  "call-audio": () => act("PUT", "call", { kind: "audio", ...partner() }),
  "call-video": () => act("PUT", "call", { kind: "video", ...partner() }),
  "call-meeting": () => act("PUT", "call", { kind: "meeting" }),
  "call-end": () => act("DELETE", "call"),
  "share-start": () => act("PUT", "sharing", detail?.call ? {} : partner()),
  "share-stop": () => act("DELETE", "sharing"),
  "manual-set": () => act("PUT", "manual", { availability: element("manual").value }),
  "manual-reset": () => act("DELETE", "manual"),
  "sign-in": () => act("POST", `clients/${device()}`),
  "sign-out": () => act("DELETE", `clients/${device()}${element("sign-out-now").checked ? "?now=true" : ""}`),
  "attend-active": () => act("PUT", `clients/${device()}`, { attention: "active" }),
  "attend-idle": () => act("PUT", `clients/${device()}`, { attention: "idle" }),
  "attend-locked": () => act("PUT", `clients/${device()}`, { attention: "locked" }),
  "calendar-add": () => act("POST", "calendar", { kind: element("calendar-kind").value, lasts: element("calendar-lasts").value }),
  "fault-on": () => switchFaults(FAULTS[element("fault").value]),
  "fault-off": () => switchFaults({}),
};
for (const name of Object.keys(FAULTS)) {
  const option = document.createElement("option");
  option.value = option.textContent = name;
  element("fault").append(option);
}
for (const button of element("advance").querySelectorAll("button")) {
  button.addEventListener("click", () => ask("POST", "clock", { advance: button.dataset.advance }).catch(() => {}));
}
for (const [id, press] of Object.entries(buttons)) element(id).addEventListener("click", press);

const events = new EventSource("/box/v1/events");
const reload = () => load().catch((error) => { element("connection").textContent = error.message; });
// The event stream is connected before the list is loaded, so that no change is missed.
events.addEventListener("hello", () => {
  element("connection").textContent = "";
  reload();
});
events.addEventListener("reset", reload);
events.addEventListener("clock", (event) => {
  setClock(JSON.parse(event.data));
  refresh();
});
events.addEventListener("faults", (event) => setFaults(JSON.parse(event.data)));
events.addEventListener("user", (event) => {
  const person = JSON.parse(event.data);
  if (person.removed) {
    remove(person.id);
    return;
  }
  if (!people.has(person.id)) {
    const { row, option } = add(person);
    element("people").append(row);
    element("call-with").append(option);
    filter();
  }
  update(person);
  if (!chosen) choose(person.id);
  else if (person.id === chosen) refresh();
});
events.addEventListener("error", () => {
  element("connection").textContent = "Connection to the emulator lost. Reconnecting…";
});
setInterval(count, 1000);
