// The one line in which a list tells a person's presence: the same as status_line.rs.

import { moment } from "./time.js";
import { say } from "./words.js";

// The built-in profiles have the English words of the statuses as names.
const statuses = {
  "Available": "Available",
  "Be right back": "BeRightBack",
  "Busy": "Busy",
  "Do not disturb": "DoNotDisturb",
  "Absent": "Absent",
  "Offline": "Offline",
};

function named(activity) {
  const via = activity.kind === "OnThePhone" && activity.via === "teams" ? "Teams" : "";
  return activity.kind === "UsingApp" ? activity.label : say(`activity-${activity.kind}${via}`);
}

function below(status, text) {
  const same = statuses[text];
  if (same === undefined) {
    return text;
  }
  return same === status ? "" : say(`status-${same}`);
}

// What a presence of the API is in words: first, after it, below it.
export function statusLine(presence) {
  const line = confirmed(presence);
  if (presence.confidence === "stale") {
    line.below = [line.below, say("confidence-stale")].filter(Boolean).join(" · ");
  }
  return line;
}

// The line without doubts about its age.
function confirmed({ status, activity, text }) {
  const word = say(`status-${status}`);
  if (!activity) {
    return { lead: word, detail: "", below: below(status, text) };
  }
  if (status !== "Busy") {
    return { lead: word, detail: named(activity), below: "" };
  }
  if (activity.kind === "UsingApp") {
    return { lead: word, detail: activity.label, below: "" };
  }
  const inTeams = activity.kind === "OnThePhone" && activity.via === "teams";
  return { lead: say(`activity-${activity.kind}`), detail: inTeams ? say("line-teams-call") : "", below: "" };
}

// "until 15:00", in the reader's zone.
export function untilText(time) {
  return say("line-until", { time: moment(time) });
}
