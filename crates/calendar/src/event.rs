//! Converts a VEVENT from the parser's properties to typed values.

use calcard::{
    common::IanaParse,
    icalendar::{
        ICalendarClassification, ICalendarComponent, ICalendarDuration, ICalendarEntry,
        ICalendarParameterName, ICalendarProperty, ICalendarStatus, ICalendarTransparency,
        ICalendarValue,
    },
};
use jiff::{
    SignedDuration,
    civil::{DateTime, Time},
    tz::TimeZone,
};

use crate::{
    FreeBusy,
    attendee::declined,
    moment::{Form, Length, Moment, Reader, between, instant, stamp},
    parts::Parts,
    problem::{Effect, Fault},
    rule::Rule,
    stamp::Stamp,
    zones::text,
};

/// End of a rule (UNTIL).
#[derive(Debug)]
pub(crate) enum Until {
    Instant(i64),
    Local(DateTime),
}

/// Version of an event (RFC 5546 §2.1.5), ordered by SEQUENCE, then DTSTAMP; a cancellation ranks above other events with
/// the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) sequence: i64,
    stamp: i64,
    pub(crate) cancelled: bool,
}

/// A VEVENT that could be read.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) uid: String,
    pub(crate) version: Version,
    pub(crate) start: Moment,
    pub(crate) length: Length,
    pub(crate) rules: Vec<(Rule, Option<Until>)>,
    /// RDATE; a period has its own length.
    pub(crate) added: Vec<(Moment, Option<Length>)>,
    /// Start times excluded by EXDATE.
    pub(crate) excluded: Vec<Moment>,
    /// RECURRENCE-ID: the occurrence of the series that this event replaces.
    pub(crate) replaces: Option<Moment>,
    /// True if the event has no DTSTART and starts at the time in RECURRENCE-ID.
    pub(crate) starts_as_replaced: bool,
    pub(crate) summary: String,
    pub(crate) private: bool,
    pub(crate) free_busy: FreeBusy,
    pub(crate) all_day: bool,
}

/// Kind of a VEVENT.
pub(crate) enum Read {
    Event(Box<Event>),
    /// Cancellation of all events of a UID, without a time (RFC 5546 §3.2.5).
    Cancellation {
        uid: String,
        version: Version,
    },
}

/// Context of a component.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// True for METHOD:CANCEL.
    pub(crate) cancels: bool,
    /// Mail addresses of the calendar's owner.
    pub(crate) addresses: &'a [&'a str],
}

impl Event {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.version.cancelled
    }

    /// Reads a component. The error is the reason why no part of it can be shown.
    pub(crate) fn read(
        component: &ICalendarComponent,
        context: Context<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<Read, Fault> {
        let uid = component.uid().unwrap_or_default().to_owned();
        let cancelled = context.cancels || component.status() == Some(&ICalendarStatus::Cancelled);
        let version = version(component, cancelled);
        let replaces = match component.property(&ICalendarProperty::RecurrenceId) {
            Some(entry) => {
                if entry.has_parameter(&ICalendarParameterName::Range) {
                    reader.record(Fault::ThisAndFuture, Effect::AsDescribed);
                }
                Some(reader.moment(entry, "RECURRENCE-ID")?)
            }
            None => None,
        };
        let start = match (component.property(&ICalendarProperty::Dtstart), &replaces) {
            (Some(entry), _) => reader.moment(entry, "DTSTART")?,
            (None, Some(replaced)) => replaced.clone(),
            (None, None) if cancelled && !uid.is_empty() => {
                return Ok(Read::Cancellation { uid, version });
            }
            (None, None) => return Err(Fault::NoStart),
        };
        start.instant().ok_or(Fault::OutOfReach("DTSTART"))?;
        let length = length(component, &start, reader)?;
        let outlook = |name: &str| text(component, &ICalendarProperty::Other(name.to_owned()));
        let all_day = start.is_day()
            || outlook("X-MICROSOFT-CDO-ALLDAYEVENT")
                .is_some_and(|value| value.eq_ignore_ascii_case("TRUE"));
        let free_busy = if declined(component, context.addresses) {
            FreeBusy::Free
        } else {
            free_busy(component, outlook("X-MICROSOFT-CDO-BUSYSTATUS"))
        };
        let mut event = Self {
            uid,
            version,
            length,
            rules: Vec::new(),
            added: Vec::new(),
            excluded: Vec::new(),
            starts_as_replaced: component.property(&ICalendarProperty::Dtstart).is_none(),
            replaces,
            summary: text(component, &ICalendarProperty::Summary)
                .unwrap_or_default()
                .to_owned(),
            private: private(component),
            free_busy,
            all_day,
            start,
        };
        for entry in &component.entries {
            if let Err(fault) = event.read_recurrence(entry, reader) {
                reader.record(fault, Effect::PropertyLeftOut);
            }
        }
        Ok(Read::Event(Box::new(event)))
    }

    fn read_recurrence(
        &mut self,
        entry: &ICalendarEntry,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        match &entry.name {
            ICalendarProperty::Rrule => {
                let value = entry.values.first().and_then(ICalendarValue::as_text);
                let value = value.ok_or_else(|| Fault::Rule(" cannot be read".to_owned()))?;
                let parts = Parts::read(value).map_err(Fault::Rule)?;
                let rule = Rule::new(&parts, self.start.local).map_err(Fault::Rule)?;
                let until = parts.until.map(|until| self.until(until));
                self.rules.push((rule, until));
                Ok(())
            }
            ICalendarProperty::Exrule => Err(Fault::ExRule),
            ICalendarProperty::Rdate => {
                let zone = reader.zone(entry);
                for_each(&entry.values, |value| {
                    let added = self.added(value, zone.as_ref(), reader)?;
                    self.added.push(added);
                    Ok(())
                })
            }
            ICalendarProperty::Exdate => {
                let zone = reader.zone(entry);
                for_each(&entry.values, |value| {
                    let value = stamp(value, "EXDATE")?;
                    let excluded = reader.located(value, zone.as_ref(), "EXDATE")?;
                    self.excluded.push(excluded);
                    Ok(())
                })
            }
            _ => Ok(()),
        }
    }

    /// Reads a value of RDATE: a date, a time, or a period (RFC 5545 §3.3.9).
    fn added(
        &self,
        value: &str,
        zone: Option<&TimeZone>,
        reader: &mut Reader<'_>,
    ) -> Result<(Moment, Option<Length>), Fault> {
        let mut at = |value: &str| {
            let moment = reader.located(stamp(value, "RDATE")?, zone, "RDATE")?;
            Ok(moment.of_series(&self.start.zone))
        };
        let Some((start, end)) = value.split_once('/') else {
            return Ok((at(value)?, None));
        };
        let start = at(start)?;
        let length = match ICalendarDuration::parse(end.as_bytes()) {
            Some(duration) => Length::of(&duration)?,
            None => between(&start, &at(end)?).ok_or(Fault::Period)?,
        };
        Ok((start, Some(length)))
    }

    /// Converts UNTIL. A DATE includes its whole day. For all-day events midnight UTC does too, because some exporters
    /// write it for a date; any other time means its day in the series' zone.
    fn until(&self, until: Stamp) -> Until {
        let local = until.local();
        let end_of_day = Until::Local(until.date.to_datetime(Time::MAX));
        let of_days = self.start.is_day();
        match (until.time, until.offset) {
            (None, _) => end_of_day,
            (Some(time), _) if of_days && time == Time::midnight() => end_of_day,
            (Some(_), None) if of_days => end_of_day,
            (Some(_), None) => Until::Local(local),
            (Some(_), Some(offset)) => {
                let utc = local.checked_sub(SignedDuration::from_secs(offset.into()));
                let at = utc.ok().and_then(|utc| instant(&TimeZone::UTC, utc));
                at.map_or(end_of_day, Until::Instant)
            }
        }
    }
}

/// Reads each value. The first fault counts for the property, and the other values are still used.
fn for_each(
    values: &[ICalendarValue],
    mut read: impl FnMut(&str) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut first = Ok(());
    for value in values {
        let value = value.as_text().unwrap_or_default().trim();
        // "EXDATE:" and "EXDATE:a,,b" contain empty values.
        if value.is_empty() {
            continue;
        }
        let read = read(value);
        if first.is_ok() {
            first = read;
        }
    }
    first
}

fn version(component: &ICalendarComponent, cancelled: bool) -> Version {
    let stamp = first(component, &ICalendarProperty::Dtstamp)
        .and_then(ICalendarValue::as_text)
        .and_then(|stamp| instant(&TimeZone::UTC, Stamp::read(stamp).ok()?.local()));
    Version {
        sequence: first(component, &ICalendarProperty::Sequence)
            .and_then(ICalendarValue::as_integer)
            .unwrap_or(0),
        stamp: stamp.unwrap_or(i64::MIN),
        cancelled,
    }
}

/// Length by DTEND or DURATION; without both, an all-day event lasts a day and other events have no length (RFC 5545
/// §3.6.1).
fn length(
    component: &ICalendarComponent,
    start: &Moment,
    reader: &mut Reader<'_>,
) -> Result<Length, Fault> {
    let one_day = Length {
        days: 1,
        seconds: 0,
    };
    if let Some(entry) = component.property(&ICalendarProperty::Dtend) {
        let mut end = reader.moment(entry, "DTEND")?;
        if start.form == Form::Zoned {
            end = end.of_series(&start.zone);
        }
        let length = between(start, &end).ok_or(Fault::EndBeforeStart)?;
        // Some exporters end an all-day event on the day of its start.
        return Ok(if start.is_day() && end.local == start.local {
            one_day
        } else {
            length
        });
    }
    match first(component, &ICalendarProperty::Duration) {
        Some(ICalendarValue::Duration(duration)) => Length::of(duration),
        Some(_) => Err(Fault::Duration),
        None if start.is_day() => Ok(one_day),
        None => Ok(Length {
            days: 0,
            seconds: 0,
        }),
    }
}

fn free_busy(component: &ICalendarComponent, outlook: Option<&str>) -> FreeBusy {
    // Outlook's own property is more precise than TRANSP and STATUS, which Outlook derives from it.
    match outlook.map(str::to_ascii_uppercase).as_deref() {
        Some("FREE" | "WORKINGELSEWHERE") => return FreeBusy::Free,
        Some("TENTATIVE") => return FreeBusy::Tentative,
        Some("BUSY") => return FreeBusy::Busy,
        Some("OOF") => return FreeBusy::OutOfOffice,
        _ => {}
    }
    if component.transparency() == Some(&ICalendarTransparency::Transparent) {
        FreeBusy::Free
    } else if component.status() == Some(&ICalendarStatus::Tentative) {
        FreeBusy::Tentative
    } else {
        FreeBusy::Busy
    }
}

/// Unknown classes are private (RFC 5545 §3.8.1.3).
fn private(component: &ICalendarComponent) -> bool {
    match first(component, &ICalendarProperty::Class) {
        None => false,
        Some(ICalendarValue::Classification(class)) => *class != ICalendarClassification::Public,
        Some(_) => true,
    }
}

fn first<'a>(
    component: &'a ICalendarComponent,
    property: &ICalendarProperty,
) -> Option<&'a ICalendarValue> {
    component.property(property)?.values.first()
}
