"""Random calendars, and their occurrences as icalendar and recurring-ical-events read them.

Usage: random_calendars.py SEED COUNT. Prints one JSON object a line: the calendar, the window, and its occurrences as
[start, end, all-day] in milliseconds since 1970; an end of null is not compared.

What is left out, since the Python readers do otherwise than RFC 5545:
- starts that their rule does not name: undefined by section 3.8.5.3, but dateutil leaves the start out of the series;
- ends of occurrences during which the clocks change: section 3.8.5.3 keeps the exact duration, Python adds wall-clock time;
- zones of the database under a name with another definition: Python prefers the database, section 3.6.5 does not;
- all-day series with a UNTIL that is a time: Python compares the day in UTC;
- RDATE with periods and RANGE=THISANDFUTURE: the periods' ends are lost in Python, and Offhook shows one occurrence of the range;
- exceptions of series that have several occurrences a day: recurring-ical-events also compares the local time of an occurrence
  with the exception's time in UTC; and exceptions at midnight, with which it leaves out the whole day;
- STATUS:CANCELLED: recurring-ical-events shows it; it is dropped here.
"""

import datetime as dt
import json
import random
import sys
import zoneinfo

import icalendar
import recurring_ical_events
from dateutil import tz
from dateutil.rrule import rrulestr

DEFAULT = zoneinfo.ZoneInfo("Europe/Berlin")
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
IANA = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney", "America/St_Johns", "Asia/Tokyo"]
WINDOWS = ["W. Europe Standard Time", "Eastern Standard Time", "Tokyo Standard Time"]
WINDOW = (dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc), dt.datetime(2027, 7, 1, tzinfo=dt.timezone.utc))


def offset(minutes):
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def definition(rng, name):
    """A zone of the file's own: yearly rules, single changes, RDATE, or none."""
    standard = rng.choice([-480, -210, 0, 60, 330, 570])
    daylight = standard + rng.choice([30, 60])
    spring, autumn = rng.choice([3, 4]), rng.choice([9, 10, 11])
    hour = rng.choice([0, 2, 3])
    kind = rng.choice(["fixed", "rules", "changes", "dates", "ended"])
    part = lambda which, start, before, after, *more: "\r\n".join(
        [f"BEGIN:{which}", f"DTSTART:{start}", f"TZOFFSETFROM:{offset(before)}", f"TZOFFSETTO:{offset(after)}", *more, f"END:{which}"]
    )
    if kind == "fixed":
        parts = [part("STANDARD", "19700101T000000", standard, standard)]
    elif kind in ("rules", "ended"):
        nth = rng.choice(["1SU", "2SU", "-1SU"])
        # The first onsets are days that the rules name.
        first = lambda month: sunday(2020, month, nth)
        until = f";UNTIL={2026 if rng.random() < 0.5 else 2025}1231T000000Z" if kind == "ended" else ""
        parts = [
            part("DAYLIGHT", f"{first(spring)}T{hour:02}0000", standard, daylight, f"RRULE:FREQ=YEARLY;BYMONTH={spring};BYDAY={nth}{until}"),
            part("STANDARD", f"{first(autumn)}T{hour:02}0000", daylight, standard, f"RRULE:FREQ=YEARLY;BYMONTH={autumn};BYDAY={nth}{until}"),
        ]
    elif kind == "changes":
        parts = []
        for year in (2025, 2026, 2027):
            parts.append(part("DAYLIGHT", f"{year}{spring:02}{rng.randint(1, 28):02}T{hour:02}0000", standard, daylight))
            parts.append(part("STANDARD", f"{year}{autumn:02}{rng.randint(1, 28):02}T{hour:02}0000", daylight, standard))
    else:
        dates = lambda month: ",".join(f"{year}{month:02}15T{hour:02}0000" for year in (2026, 2027))
        parts = [
            part("DAYLIGHT", f"2025{spring:02}15T{hour:02}0000", standard, daylight, f"RDATE:{dates(spring)}"),
            part("STANDARD", f"2025{autumn:02}15T{hour:02}0000", daylight, standard, f"RDATE:{dates(autumn)}"),
        ]
    return "\r\n".join(["BEGIN:VTIMEZONE", f"TZID:{name}", *parts, "END:VTIMEZONE"])


def sunday(year, month, nth):
    days = [day for day in range(1, 32) if valid(year, month, day) and dt.date(year, month, day).weekday() == 6]
    return f"{year}{month:02}{days[{'1SU': 0, '2SU': 1, '-1SU': -1}[nth]]:02}"


def valid(year, month, day):
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return True


def rule(rng, all_day):
    """A rule without its end."""
    frequency = rng.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"] + ([] if all_day else ["HOURLY"]))
    parts = [f"FREQ={frequency}"]
    if frequency == "HOURLY" or rng.random() < 0.5:
        parts.append(f"INTERVAL={rng.choice([7, 11, 25, 31] if frequency == 'HOURLY' else [2, 3, 5, 7])}")
    some = lambda values, most: ",".join(str(value) for value in sorted(rng.sample(values, rng.randint(1, most))))
    if rng.random() < 0.3:
        parts.append(f"BYMONTH={some(list(range(1, 13)), 6)}")
    by = rng.random()
    if frequency in ("DAILY", "WEEKLY", "HOURLY") and by < 0.6:
        parts.append(f"BYDAY={','.join(rng.sample(DAYS, rng.randint(1, 4)))}")
    elif frequency == "MONTHLY" and by < 0.35:
        parts.append(f"BYDAY={rng.choice(['1', '2', '-1', '-2', ''])}{rng.choice(DAYS)}")
    elif frequency == "MONTHLY" and by < 0.7:
        parts.append(f"BYMONTHDAY={some([1, 5, 13, 28, 29, 30, 31, -1, -2, -10], 3)}")
    elif frequency == "YEARLY" and by < 0.3:
        parts.append(f"BYYEARDAY={some([1, 60, 100, 200, 365, 366, -1, -100], 3)}")
    elif frequency == "YEARLY" and by < 0.5 and not any(part.startswith("BYMONTH=") for part in parts):
        parts += [f"BYWEEKNO={some([1, 10, 20, 52, 53, -1], 3)}", f"BYDAY={rng.choice(DAYS)}"]
    elif frequency == "YEARLY" and by < 0.8:
        # dateutil raises an error for a tenth weekday of a month.
        nth = ["1", "2", "-1"] + ([] if any(part.startswith("BYMONTH=") for part in parts) else ["10", "-20"])
        parts.append(f"BYDAY={rng.choice(nth)}{rng.choice(DAYS)}")
    if not all_day and frequency in ("DAILY", "WEEKLY", "MONTHLY") and rng.random() < 0.2:
        parts.append(f"BYHOUR={some(list(range(24)), 3)}")
    if not all_day and frequency != "HOURLY" and rng.random() < 0.1:
        parts.append(f"BYMINUTE={some([0, 15, 30, 45], 3)}")
    if frequency in ("MONTHLY", "YEARLY") and any(part.startswith("BY") for part in parts) and rng.random() < 0.2:
        parts.append(f"BYSETPOS={rng.choice(['1', '-1', '2'])}")
    if rng.random() < 0.2:
        parts.append(f"WKST={rng.choice(DAYS)}")
    return ";".join(parts)


def synchronised(text, base):
    """The first time that the rule names and from which it names the same again; None if there is none."""
    start = base
    for _ in range(3):
        first = rrulestr(text, dtstart=start).after(start - dt.timedelta(seconds=1))
        if first is None or first.year > 2027:
            return None
        if first == start:
            return start
        start = first
    return None


class Event:
    """One series of a calendar, with its exceptions."""

    def __init__(self, rng, uid, zones):
        self.rng, self.uid = rng, uid
        self.form = rng.choice(["day", "floating", "utc", "zone", "zone", "zone", "zone"])
        self.zone = rng.choice(zones) if self.form == "zone" else None
        self.all_day = self.form == "day"
        base = dt.datetime(2025, 6, 1) + dt.timedelta(days=rng.randint(0, 500))
        if rng.random() < 0.3:
            base = base.replace(month=rng.choice([3, 10, 11]), day=rng.randint(24, 30))
        if not self.all_day:
            base += dt.timedelta(minutes=15 * rng.randint(0, 95))
        self.rule = rule(rng, self.all_day) if rng.random() < 0.8 else None
        self.start = base
        if self.rule:
            self.start = synchronised(self.rule, base)
        self.lines = []

    def time(self, name, at, **form):
        shape = form.get("form", self.form)
        if shape == "day":
            return f"{name};VALUE=DATE:{at:%Y%m%d}"
        if shape == "zone":
            quotes = '"' if self.rng.random() < 0.3 else ""
            return f"{name};TZID={quotes}{self.zone}{quotes}:{at:%Y%m%dT%H%M%S}"
        return f"{name}:{at:%Y%m%dT%H%M%S}{'Z' if shape == 'utc' else ''}"

    def write(self):
        """The series and its changed occurrences, as lines."""
        rng = self.rng
        minutes = rng.choice([15, 30, 60, 90, 180, 600])
        days = rng.randint(1, 3)
        length = dt.timedelta(days=days) if self.all_day else dt.timedelta(minutes=minutes)
        lines = [self.time("DTSTART", self.start)]
        # No clocks change in these months: Python counts the hours that they show.
        steady = self.all_day or self.start.month in (1, 2, 5, 6, 7, 8, 12)
        if steady and rng.random() < 0.6:
            lines.append(self.time("DTEND", self.start + length))
        else:
            lines.append(f"DURATION:P{days}D" if self.all_day else f"DURATION:PT{minutes}M")
        named, changes = [], []
        if self.rule:
            text = self.rule
            ending = rng.random()
            if ending < 0.4:
                text += f";COUNT={rng.randint(1, 40)}"
            elif ending < 0.6:
                until = self.start + dt.timedelta(days=rng.randint(0, 500))
                text += f";UNTIL={until:%Y%m%d}" if self.all_day else (
                    f";UNTIL={until:%Y%m%dT%H%M%S}" + ("" if self.form == "floating" else "Z"))
            lines.append(f"RRULE:{text}")
            naive = text if "UNTIL" not in text else self.rule
            series = rrulestr(naive, dtstart=self.start)
            for at in series:
                named.append(at)
                if len(named) >= 30:
                    break
        else:
            named = [self.start]
        many_a_day = self.rule and any(part in self.rule for part in ("HOURLY", "BYHOUR", "BYMINUTE"))
        if self.rule and len(named) > 7 and not many_a_day and (self.all_day or self.start.hour + self.start.minute):
            chosen = rng.sample(named[1:], 5)
            for at in chosen[:rng.randint(0, 3)]:
                lines.append(self.time("EXDATE", at))
            if rng.random() < 0.3:
                added = self.start + dt.timedelta(days=rng.randint(1, 300))
                lines.append(self.time("RDATE", added))
            for at in chosen[3:rng.randint(3, 5)]:
                moved = at + (dt.timedelta(days=1) if self.all_day else dt.timedelta(minutes=45))
                changes.append([self.time("RECURRENCE-ID", at), self.time("DTSTART", moved),
                                "DURATION:P1D" if self.all_day else "DURATION:PT20M"]
                               + (["STATUS:CANCELLED"] if rng.random() < 0.2 else []))
        rng.shuffle(lines)
        whole = [event(self.uid, lines)] + [event(self.uid, change) for change in changes]
        rng.shuffle(whole)
        return whole


def event(uid, lines):
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20250101T000000Z", *lines, "END:VEVENT"])


def calendar(rng, name):
    # icalendar keeps the first definition of a name for all calendars.
    own = [f"Own {name} {number}".replace(":", "-") for number in range(rng.randint(0, 2))]
    zones = IANA + WINDOWS + own * 5
    events = [Event(rng, f"event-{number}", zones) for number in range(rng.randint(1, 4))]
    body = [definition(rng, name) for name in own]
    for one in events:
        if one.start is not None:
            body += one.write()
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Offhook//random//EN", *body, "END:VCALENDAR", ""])


def instant(value):
    if not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        value = value.replace(tzinfo=DEFAULT)
    if not tz.datetime_exists(value):
        # A time that the clocks skip: section 3.3.5 takes the offset before, dateutil's zones that after.
        before = (value - dt.timedelta(hours=4)).utcoffset()
        value = (value.replace(tzinfo=None) - before).replace(tzinfo=dt.timezone.utc)
    return value, round(value.timestamp() * 1000)


def occurrences(text):
    read = icalendar.Calendar.from_ical(text)
    # A day more on both sides: days and floating times have no zone there.
    margin = dt.timedelta(days=4)
    found = recurring_ical_events.of(read).between(WINDOW[0] - margin, WINDOW[1] + margin)
    low, high = (round(end.timestamp() * 1000) for end in WINDOW)
    listed, seen = [], set()
    for one in found:
        if str(one.get("STATUS", "")) == "CANCELLED":
            continue
        start, end = one["DTSTART"].dt, one["DTEND"].dt
        day = not isinstance(start, dt.datetime)
        (start, first), (end, last) = instant(start), instant(end)
        steady = day or start.utcoffset() == end.utcoffset()
        # At the edges of the window the end decides.
        # Two local times of one instant, when clocks go forward, are one occurrence.
        key = (str(one["UID"]), first)
        if low + 86_400_000 * 4 <= first < high - 86_400_000 * 4 and (day or key not in seen):
            seen.add(key)
            listed.append([first, last if steady else None, day])
    return sorted(listed, key=lambda one: (one[0], one[1] or 0))


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    for number in range(count):
        name = f"{seed}:{number}"
        text = calendar(random.Random(name), name)
        low, high = (round(end.timestamp() * 1000) for end in WINDOW)
        print(json.dumps({"name": name, "calendar": text, "from": low + 86_400_000 * 4, "to": high - 86_400_000 * 4,
                          "occurrences": occurrences(text)}))


main()
