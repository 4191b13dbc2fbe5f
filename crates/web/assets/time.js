// Times by the reader's locale and zone.

// The page's language, in the reader's region if that is one of this language: English in Britain has 24 hours.
const language = document.documentElement.lang;
const region = navigator.languages?.find((known) => known === language || known.startsWith(`${language}-`));
export const locale = region ?? language;

const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const unit = (name) => new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "short" });
const units = { minute: unit("minute"), hour: unit("hour") };

const MINUTE = 60_000;

function day(at) {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

// The time of day, with the date if it is another day.
export function moment(text) {
  const at = new Date(text);
  return day(at) === day(new Date()) ? clock.format(at) : `${date.format(at)}, ${clock.format(at)}`;
}

export function exact(text) {
  return full.format(new Date(text));
}

// How long ago: "12 min", "2 h", "yesterday", "3 Nov".
export function age(text) {
  const at = new Date(text);
  const now = new Date();
  const minutes = Math.max(0, Math.floor((now - at) / MINUTE));
  if (minutes < 60) {
    return units.minute.format(minutes);
  }
  // Hours, also over midnight: a call of two hours began two hours ago.
  if (minutes < 12 * 60 || day(at) === day(now)) {
    return units.hour.format(Math.floor(minutes / 60));
  }
  const days = Math.round((day(now) - day(at)) / (24 * 60 * MINUTE));
  return days < 7 ? relative.format(-days, "day") : date.format(at);
}

// Writes an element's time; an empty one has no text.
export function showAge(time) {
  const text = time.dateTime;
  const shown = text ? age(text) : "";
  if (time.textContent !== shown) {
    time.textContent = shown;
  }
  const title = text ? exact(text) : "";
  if (time.title !== title) {
    time.title = title;
  }
}
