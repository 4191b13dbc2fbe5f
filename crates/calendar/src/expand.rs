//! Expands events to occurrences in a window: recurrence, exceptions, and the limit on their number.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use crate::{
    MAX_OCCURRENCES, Occurrence, Window,
    event::{Event, Until, Version},
    moment::{Form, LAST, Length, Moment, instant},
    problem::Fault,
    rule::{Budget, OutOfSteps},
    shortened,
};

/// Target of an exception (EXDATE, RECURRENCE-ID): the occurrence with this start, or all on this day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Instant(i64),
    Day(Date),
}

impl Key {
    /// Target of `moment` in a series with the start `start`. A time without a zone has the zone of the series.
    fn of(moment: &Moment, start: &Moment) -> Option<Self> {
        if moment.is_day() {
            return Some(Self::Day(moment.local.date()));
        }
        if start.is_day() {
            return day_of(moment, &start.zone).map(Self::Day);
        }
        moment
            .clone()
            .of_series(&start.zone)
            .instant()
            .map(Self::Instant)
    }
}

/// Day of a time in a series of all-day events: the written day, also for midnight UTC; the day in the series' zone for
/// other times in UTC.
fn day_of(moment: &Moment, zone: &TimeZone) -> Option<Date> {
    if moment.form == Form::Utc && moment.local.time() != Time::midnight() {
        let at = Timestamp::from_millisecond(moment.instant()?).ok()?;
        return Some(zone.to_datetime(at).date());
    }
    Some(moment.local.date())
}

/// Occurrences found so far: at most twice the limit, and always the earliest ones.
pub(crate) struct Occurrences {
    window: Window,
    found: Vec<Occurrence>,
    /// True if later occurrences were dropped.
    pub(crate) overflowed: bool,
}

impl Occurrences {
    pub(crate) fn new(window: Window) -> Self {
        Self {
            window,
            found: Vec::new(),
            overflowed: false,
        }
    }

    /// All occurrences in order, and true if later ones were dropped.
    pub(crate) fn finish(mut self) -> (Vec<Occurrence>, bool) {
        self.trim();
        (self.found, self.overflowed)
    }

    /// Adds an occurrence if it overlaps the window.
    fn offer(&mut self, event: &Event, start: i64, end: i64) {
        let Window { from, to } = self.window;
        // An occurrence without length overlaps the window if it starts in the window.
        if start >= to || end < from || (end == from && start < end) || end < start {
            return;
        }
        self.found.push(Occurrence {
            uid: shortened(&event.uid),
            start,
            end,
            summary: shortened(&event.summary),
            private: event.private,
            free_busy: event.free_busy,
            all_day: event.all_day,
        });
        if self.found.len() >= MAX_OCCURRENCES * 2 {
            self.trim();
        }
    }

    fn trim(&mut self) {
        self.found
            .sort_by(|a, b| (a.start, a.end, &a.uid).cmp(&(b.start, b.end, &b.uid)));
        self.overflowed |= self.found.len() > MAX_OCCURRENCES;
        self.found.truncate(MAX_OCCURRENCES);
    }
}

/// Series of a feed; of several versions of a UID, the latest.
struct Series<'a> {
    /// UIDs with an event without RECURRENCE-ID.
    with_master: HashSet<&'a str>,
    latest: HashMap<&'a str, Version>,
    masters: HashMap<&'a str, &'a Event>,
}

impl<'a> Series<'a> {
    fn of(events: &'a [Event], cancellations: &'a [(String, Version)]) -> Self {
        let without_id = events.iter().filter(|event| event.replaces.is_none());
        let mut series = Self {
            with_master: without_id.map(|event| event.uid.as_str()).collect(),
            latest: HashMap::new(),
            masters: HashMap::new(),
        };
        let cancelled = cancellations.iter();
        let versions: Vec<(&str, Version)> = events
            .iter()
            .filter(|event| series.is_master(event))
            .map(|event| (event.uid.as_str(), event.version))
            .chain(cancelled.map(|(uid, version)| (uid.as_str(), *version)))
            .collect();
        for (uid, version) in versions {
            let latest = series.latest.entry(uid).or_insert(version);
            *latest = version.max(*latest);
        }
        for event in events {
            if series.is_master(event) && series.is_latest(event) {
                series.masters.insert(&event.uid, event);
            }
        }
        series
    }

    /// True for a series or a single event, as opposed to a changed occurrence of a series. An event with a rule *and*
    /// RECURRENCE-ID is a series if the feed has no other event of that UID.
    fn is_master(&self, event: &Event) -> bool {
        event.replaces.is_none()
            || (!event.rules.is_empty() && !self.with_master.contains(event.uid.as_str()))
    }

    /// True for the latest version. Of two versions with equal numbers both are shown, because neither is known to be
    /// outdated.
    fn is_latest(&self, event: &Event) -> bool {
        let latest = self.latest.get(event.uid.as_str());
        event.uid.is_empty() || latest.is_none_or(|latest| event.version >= *latest)
    }

    /// True if the whole series was cancelled, including this changed occurrence.
    fn is_cancelled_with(&self, event: &Event) -> bool {
        let latest = self.latest.get(event.uid.as_str());
        latest.is_some_and(|latest| latest.cancelled && event.version.sequence <= latest.sequence)
    }

    /// Start of the series of a changed occurrence, or its own start without a series.
    fn start_of(&self, event: &'a Event) -> &'a Moment {
        let master = self.masters.get(event.uid.as_str());
        master.map_or(&event.start, |master| &master.start)
    }
}

/// Adds the occurrences of all events to `into`. Calls `report` with the index in `events` and the fault of an event that
/// could not be expanded completely.
pub(crate) fn expand(
    events: &[Event],
    cancellations: &[(String, Version)],
    into: &mut Occurrences,
    mut report: impl FnMut(usize, Fault),
) {
    let mut budget = Budget::new();
    let series = Series::of(events, cancellations);
    // Of several versions of an exception the latest applies.
    let mut exceptions: HashMap<(&str, Key), usize> = HashMap::new();
    let mut replaced: HashMap<&str, HashSet<Key>> = HashMap::new();
    for (place, event) in events.iter().enumerate() {
        let key = event
            .replaces
            .as_ref()
            .filter(|_| !series.is_master(event))
            .and_then(|moment| Key::of(moment, series.start_of(event)));
        let Some(key) = key else {
            continue;
        };
        replaced.entry(&event.uid).or_default().insert(key);
        let latest = exceptions.entry((&event.uid, key)).or_insert(place);
        if events
            .get(*latest)
            .is_some_and(|known| known.version <= event.version)
        {
            *latest = place;
        }
    }
    let latest: HashSet<usize> = exceptions.into_values().collect();
    let none = HashSet::new();
    for (place, event) in events.iter().enumerate() {
        if event.is_cancelled() {
            continue;
        }
        if !series.is_master(event) {
            if latest.contains(&place) && !series.is_cancelled_with(event) {
                let start = start_of_change(event, series.start_of(event));
                offer(event, &start.zone, start.local, None, into);
            }
            continue;
        }
        if !series.is_latest(event) {
            continue;
        }
        let replaced = replaced.get(event.uid.as_str()).unwrap_or(&none);
        if expand_one(event, replaced, into, &mut budget).is_err() {
            report(place, Fault::TooMuchWork);
        }
    }
}

/// Start of a changed occurrence; without DTSTART, the original start in the series.
fn start_of_change(event: &Event, series: &Moment) -> Moment {
    if !event.starts_as_replaced {
        return event.start.clone();
    }
    if event.start.is_day() && !series.is_day() {
        let mut start = series.clone();
        start.local = event.start.local.date().to_datetime(series.local.time());
        return start;
    }
    event.start.clone().of_series(&series.zone)
}

fn offer(
    event: &Event,
    zone: &TimeZone,
    local: DateTime,
    length: Option<Length>,
    into: &mut Occurrences,
) {
    let start = instant(zone, local);
    // A start after the year 9999 is outside of every window. An end after it means "without end" and is cut.
    if let Some(start) = start {
        let end = length.unwrap_or(event.length).end(zone, local);
        into.offer(event, start, end.unwrap_or(LAST));
    }
}

/// True if every rule of the event ends before its first occurrence: COUNT=0, or UNTIL before DTSTART, which Google writes
/// when "this and all that follow" was deleted at the first occurrence.
fn never_begins(event: &Event) -> bool {
    let start = &event.start;
    !event.rules.is_empty()
        && event.rules.iter().all(|(rule, until)| {
            rule.is_empty()
                || until
                    .as_ref()
                    .is_some_and(|until| is_past(until, &start.zone, start.local))
        })
}

fn is_past(until: &Until, zone: &TimeZone, local: DateTime) -> bool {
    match until {
        Until::Local(until) => local > *until,
        Until::Instant(until) => instant(zone, local).is_none_or(|start| start > *until),
    }
}

/// Local time of an RDATE in the series' zone.
fn added_at(event: &Event, added: &Moment) -> Option<DateTime> {
    let start = &event.start;
    match (start.is_day(), added.is_day()) {
        (true, _) => day_of(added, &start.zone).map(|day| day.to_datetime(Time::midnight())),
        (false, true) => Some(added.local.date().to_datetime(start.local.time())),
        // A time in another zone is converted to the zone of the series.
        (false, false) => added.instant().and_then(|at| local(event, at)),
    }
}

fn expand_one(
    event: &Event,
    replaced: &HashSet<Key>,
    into: &mut Occurrences,
    budget: &mut Budget,
) -> Result<(), OutOfSteps> {
    let zone = &event.start.zone;
    let excluded: HashSet<Key> = event
        .excluded
        .iter()
        .filter_map(|moment| Key::of(moment, &event.start))
        .collect();
    // RRULE, RDATE and DTSTART may contain the same occurrence.
    let mut seen: HashSet<i64> = HashSet::new();
    let single = event.rules.len() + event.added.len() == 0;
    let mut occurrence = |local: DateTime, length: Option<Length>, into: &mut Occurrences| {
        let Some(start) = instant(zone, local) else {
            return;
        };
        let keys = [Key::Instant(start), Key::Day(local.date())];
        let left_out = keys
            .iter()
            .any(|key| excluded.contains(key) || replaced.contains(key));
        if !left_out && (single || seen.insert(start)) {
            offer(event, zone, local, length, into);
        }
    };
    for (added, length) in &event.added {
        if let Some(local) = added_at(event, added) {
            occurrence(local, *length, into);
        }
    }
    if !never_begins(event) {
        occurrence(event.start.local, None, into);
    }
    let reach = event.length.reach();
    let range = bound(event, into.window.from).saturating_sub(reach)
        ..bound(event, into.window.to).saturating_add(SignedDuration::from_hours(48));
    for (rule, until) in &event.rules {
        if rule.is_empty() {
            continue;
        }
        rule.each(event.start.local, range.clone(), budget, |local| {
            if until
                .as_ref()
                .is_some_and(|until| is_past(until, zone, local))
            {
                return ControlFlow::Break(());
            }
            occurrence(local, None, into);
            ControlFlow::Continue(())
        })?;
    }
    Ok(())
}

fn local(event: &Event, instant: i64) -> Option<DateTime> {
    Timestamp::from_millisecond(instant)
        .ok()
        .map(|at| event.start.zone.to_datetime(at))
}

/// Limit of a window in the event's local time, widened where the conversion is inexact.
fn bound(event: &Event, instant: i64) -> DateTime {
    local(event, instant).unwrap_or(if instant < 0 {
        DateTime::MIN
    } else {
        DateTime::MAX
    })
}
