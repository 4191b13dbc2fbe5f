//! From events to occurrences in a window: recurrence, exceptions, and the bound on how many.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};

use crate::event::{Event, Length, Moment, Until, instant};
use crate::rule::Budget;
use crate::{MAX_OCCURRENCES, Occurrence, Window, shortened};

/// What an exception (EXDATE, RECURRENCE-ID) points at: an occurrence's start, or any on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Instant(i64),
    Day(Date),
}

impl Key {
    /// What `moment` points at in an event that is, or is not, one of days.
    fn of(moment: &Moment, of_days: bool) -> Option<Self> {
        // Exporters also write the midnight of a day where they mean the day.
        if moment.day || (of_days && moment.local.time() == Time::midnight()) {
            Some(Self::Day(moment.local.date()))
        } else {
            moment.instant().map(Self::Instant)
        }
    }
}

/// The occurrences found so far: never more than twice the limit, and the earliest of all.
pub(crate) struct Occurrences {
    window: Window,
    found: Vec<Occurrence>,
    /// Whether later ones were let go.
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

    /// All of them, in order.
    pub(crate) fn finish(mut self) -> (Vec<Occurrence>, bool) {
        self.trim();
        (self.found, self.overflowed)
    }

    /// Takes in what happens to be in the window.
    fn offer(&mut self, event: &Event, start: i64, end: i64) {
        let Window { from, to } = self.window;
        // What does not last touches the window if it begins in it.
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

/// Puts the occurrences of all events into `into`. `tell` gets the place in `events` and what could not be done.
pub(crate) fn expand(
    events: &[Event],
    into: &mut Occurrences,
    mut tell: impl FnMut(usize, String),
) {
    let mut budget = Budget::new();
    // A feed may hold several versions of one exception: the latest holds.
    let mut exceptions: HashMap<(&str, Key), usize> = HashMap::new();
    let mut replaced: HashMap<&str, HashSet<Key>> = HashMap::new();
    for (place, event) in events.iter().enumerate() {
        let Some(key) = event
            .replaces
            .as_ref()
            .and_then(|moment| Key::of(moment, event.start.day))
        else {
            continue;
        };
        replaced.entry(&event.uid).or_default().insert(key);
        let latest = exceptions.entry((&event.uid, key)).or_insert(place);
        if events
            .get(*latest)
            .is_some_and(|known| known.sequence <= event.sequence)
        {
            *latest = place;
        }
    }
    let latest: HashSet<usize> = exceptions.into_values().collect();
    let none = HashSet::new();
    for (place, event) in events
        .iter()
        .enumerate()
        .filter(|(_, event)| !event.cancelled)
    {
        if event.replaces.is_some() {
            if latest.contains(&place) {
                offer(event, event.start.local, None, into);
            }
            continue;
        }
        let replaced = replaced.get(event.uid.as_str()).unwrap_or(&none);
        if let Err(problem) = expand_one(event, replaced, into, &mut budget) {
            tell(place, problem);
        }
    }
}

fn offer(event: &Event, local: DateTime, length: Option<Length>, into: &mut Occurrences) {
    let zone = &event.start.zone;
    let start = instant(zone, local);
    let end = length.unwrap_or(event.length).end(zone, local);
    // A start or end beyond the year 9999 is in nobody's window.
    if let (Some(start), Some(end)) = (start, end) {
        into.offer(event, start, end);
    }
}

fn expand_one(
    event: &Event,
    replaced: &HashSet<Key>,
    into: &mut Occurrences,
    budget: &mut Budget,
) -> Result<(), String> {
    let zone = &event.start.zone;
    let excluded: HashSet<Key> = event
        .excluded
        .iter()
        .filter_map(|moment| Key::of(moment, event.start.day))
        .collect();
    // RRULE, RDATE and DTSTART may name the same occurrence.
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
            offer(event, local, length, into);
        }
    };
    for (moment, length) in &event.added {
        // Said in another zone, it is still an occurrence of this event: its local time there.
        let local = if moment.day {
            Some(moment.local)
        } else {
            moment.instant().and_then(|at| local(event, at))
        };
        if let Some(local) = local {
            occurrence(local, *length, into);
        }
    }
    occurrence(event.start.local, None, into);
    let reach = event.length.reach();
    let range = bound(event, into.window.from).saturating_sub(reach)
        ..bound(event, into.window.to).saturating_add(SignedDuration::from_hours(48));
    for (rule, until) in &event.rules {
        let walked = rule.each(event.start.local, range.clone(), budget, |local| {
            let ended = match until {
                None => false,
                Some(Until::Local(until)) => local > *until,
                Some(Until::Instant(until)) => {
                    instant(zone, local).is_none_or(|start| start > *until)
                }
            };
            if ended {
                return ControlFlow::Break(());
            }
            occurrence(local, None, into);
            ControlFlow::Continue(())
        });
        walked.map_err(|_| {
            "its RRULE takes too much reckoning; only what was found until then is shown".to_owned()
        })?;
    }
    Ok(())
}

fn local(event: &Event, instant: i64) -> Option<DateTime> {
    Timestamp::from_millisecond(instant)
        .ok()
        .map(|at| event.start.zone.to_datetime(at))
}

/// A window's end on the event's clock, as near as can be said.
fn bound(event: &Event, instant: i64) -> DateTime {
    local(event, instant).unwrap_or(if instant < 0 {
        DateTime::MIN
    } else {
        DateTime::MAX
    })
}
