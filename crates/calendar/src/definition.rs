//! Time zones that a feed defines itself (VTIMEZONE, RFC 5545 §3.6.5), as a table of changes.
//!
//! The table has every onset of every observance: DTSTART, RDATE and RRULE with all its parts, COUNT and UNTIL. It becomes
//! a TZif file (RFC 9636), so that `jiff` converts its times like those of any zone in the database.

use std::ops::ControlFlow;

use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarValue,
};
use jiff::{
    SignedDuration,
    civil::{DateTime, Time, date},
    tz::TimeZone,
};

use crate::{
    parts::Parts,
    rule::{Budget, Rule},
    stamp::{self, Stamp},
};

/// Range in which rules are expanded; the nearest offset applies before and after it.
const FROM: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);
const TO: DateTime = date(2101, 1, 1).at(0, 0, 0, 0);
/// Maximum number of changes of a zone. Two changes a year since 1601 are fewer; hourly changes are hostile.
const CHANGES_MAX: usize = 2_000;

/// A change of the offset: `from` seconds ahead of UTC before it, `to` seconds from it on.
#[derive(Clone, Copy, Debug)]
struct Change {
    at: i64,
    from: i32,
    to: i32,
}

/// Zone that a component defines; `None` if it has no observance.
///
/// # Errors
/// A part of the definition cannot be read, or its expansion exceeds the budget.
pub(crate) fn zone(
    calendar: &ICalendar,
    component: &ICalendarComponent,
    budget: &mut Budget,
) -> Result<Option<TimeZone>, Unreadable> {
    let parts = component
        .component_ids
        .iter()
        .filter_map(|id| calendar.components.get(usize::try_from(*id).ok()?));
    let mut changes = Vec::new();
    for part in parts {
        let observance = matches!(
            part.component_type,
            ICalendarComponentType::Standard | ICalendarComponentType::Daylight
        );
        if observance {
            onsets(part, &mut changes, budget)?;
        }
    }
    changes.sort_by_key(|change| change.at);
    if changes.is_empty() {
        return Ok(None);
    }
    let tzif = tzif(&changes).ok_or(Unreadable)?;
    TimeZone::tzif("", &tzif).map(Some).map_err(|_| Unreadable)
}

/// Error for a definition that cannot be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unreadable;

/// Adds the onsets of one observance.
fn onsets(
    component: &ICalendarComponent,
    changes: &mut Vec<Change>,
    budget: &mut Budget,
) -> Result<(), Unreadable> {
    let first = |property| component.property(&property)?.values.first();
    let to = first(ICalendarProperty::Tzoffsetto)
        .and_then(offset)
        .ok_or(Unreadable)?;
    let from = match first(ICalendarProperty::Tzoffsetfrom) {
        Some(from) => offset(from).ok_or(Unreadable)?,
        None => to,
    };
    let start = first(ICalendarProperty::Dtstart)
        .and_then(local)
        .ok_or(Unreadable)?;
    let mut add = |onset: Onset| {
        let at = match onset {
            Onset::Local(local) => seconds(local).checked_sub(from.into()),
            Onset::Utc(utc) => Some(seconds(utc)),
        };
        if changes.len() >= CHANGES_MAX {
            return Err(Unreadable);
        }
        changes.extend(at.map(|at| Change { at, from, to }));
        Ok(())
    };
    add(Onset::Local(start))?;
    for entry in &component.entries {
        match &entry.name {
            ICalendarProperty::Rdate => {
                for value in &entry.values {
                    add(onset(value).ok_or(Unreadable)?)?;
                }
            }
            ICalendarProperty::Rrule => {
                let text = entry.values.first().and_then(ICalendarValue::as_text);
                let parts = Parts::read(text.ok_or(Unreadable)?).map_err(|_| Unreadable)?;
                let rule = Rule::new(&parts, start).map_err(|_| Unreadable)?;
                let until = match parts.until {
                    None => DateTime::MAX,
                    Some(until) => match (until.time, until.offset) {
                        (None, _) => until.date.to_datetime(Time::MAX),
                        (Some(_), None) => until.local(),
                        (Some(_), Some(offset)) => until
                            .local()
                            .checked_add(SignedDuration::from_secs((from - offset).into()))
                            .map_err(|_| Unreadable)?,
                    },
                };
                let mut fits = Ok(());
                rule.each(start, FROM..TO, budget, |local| {
                    if local > until {
                        return ControlFlow::Break(());
                    }
                    fits = add(Onset::Local(local));
                    if fits.is_ok() {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    }
                })
                .map_err(|_| Unreadable)?;
                fits?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Onset of an observance: in local time with the offset before it (RFC 5545 §3.6.5), or in UTC, which some exporters
/// write.
enum Onset {
    Local(DateTime),
    Utc(DateTime),
}

fn onset(value: &ICalendarValue) -> Option<Onset> {
    // A period counts with its start.
    let start = value.as_text()?.split('/').next()?;
    let stamp = Stamp::read(start).ok()?;
    Some(match stamp.offset {
        None => Onset::Local(stamp.local()),
        Some(offset) => {
            let utc = SignedDuration::from_secs(offset.into());
            Onset::Utc(stamp.local().checked_sub(utc).ok()?)
        }
    })
}

fn local(value: &ICalendarValue) -> Option<DateTime> {
    Stamp::read(value.as_text()?).ok().map(Stamp::local)
}

/// Parses TZOFFSETFROM or TZOFFSETTO.
fn offset(value: &ICalendarValue) -> Option<i32> {
    stamp::offset(value.as_text()?)
}

/// Seconds from 1970 to a local time, as if it were UTC.
fn seconds(local: DateTime) -> i64 {
    local.duration_since(FROM).as_secs()
}

/// Encodes the changes as a TZif file of version 2 (RFC 9636 §3). `None` if there are too many.
fn tzif(changes: &[Change]) -> Option<Vec<u8>> {
    let first = changes.first()?;
    // Of two observances with the same onset, the later one in the file applies.
    let mut times: Vec<Change> = Vec::with_capacity(changes.len());
    for change in changes {
        match times.last_mut() {
            Some(last) if last.at == change.at => *last = *change,
            _ => times.push(*change),
        }
    }
    let mut offsets = vec![first.from];
    let mut kinds = Vec::with_capacity(times.len());
    for change in &times {
        let kind = offsets.iter().position(|known| *known == change.to);
        let kind = kind.unwrap_or_else(|| {
            offsets.push(change.to);
            offsets.len() - 1
        });
        kinds.push(u8::try_from(kind).ok()?);
    }
    let header = |times: u32, types: u32| {
        let mut header = b"TZif2".to_vec();
        header.extend([0; 15]);
        // Counts in the header: UT indicators, standard indicators, leap seconds, times, types, characters.
        for count in [0, 0, 0, times, types, 4] {
            header.extend(u32::to_be_bytes(count));
        }
        header
    };
    // The block of version 1, which readers of version 2 skip.
    let mut file = header(0, 1);
    file.extend([0, 0, 0, 0, 0, 0]);
    file.extend(b"LOC\0");
    file.extend(header(
        u32::try_from(times.len()).ok()?,
        u32::try_from(offsets.len()).ok()?,
    ));
    for change in &times {
        file.extend(change.at.to_be_bytes());
    }
    file.extend(kinds);
    for offset in &offsets {
        file.extend(offset.to_be_bytes());
        file.extend([0, 0]);
    }
    file.extend(b"LOC\0\n\n");
    Some(file)
}
