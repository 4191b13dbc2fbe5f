//! Dates and times as a feed writes them, and how long events last.

use calcard::icalendar::{
    ICalendarDuration, ICalendarEntry, ICalendarParameterName, ICalendarValue,
};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::problem::{Effect, Fault};
use crate::stamp::{Stamp, StampError};
use crate::zones::Zones;

/// How a date or time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A DATE: the whole day is meant.
    Day,
    /// A time without a zone.
    Floating,
    /// A time with a TZID.
    Zoned,
    /// A time with "Z".
    Utc,
}

/// A date or time as the feed writes it, with the zone that it is read in.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) local: DateTime,
    pub(crate) zone: TimeZone,
    pub(crate) form: Form,
}

impl Moment {
    /// Milliseconds since 1970 UTC. A time that the clocks skip counts as if they had not yet been changed, one that they
    /// show twice is the first (RFC 5545 §3.3.5). `None` beyond the years that can be reckoned with.
    pub(crate) fn instant(&self) -> Option<i64> {
        instant(&self.zone, self.local)
    }

    /// The same, read in the zone of the series that it belongs to if it names none itself.
    pub(crate) fn of_series(mut self, zone: &TimeZone) -> Self {
        if self.form == Form::Floating {
            self.zone = zone.clone();
        }
        self
    }

    /// The last instant, if the moment is after it.
    fn last_if_after(&self) -> Option<i64> {
        (self.local.year() == 9999).then_some(LAST)
    }

    pub(crate) fn is_day(&self) -> bool {
        self.form == Form::Day
    }
}

/// See [`Moment::instant`].
pub(crate) fn instant(zone: &TimeZone, local: DateTime) -> Option<i64> {
    zone.to_timestamp(local).ok().map(Timestamp::as_millisecond)
}

/// The last instant that can be reckoned with, in milliseconds since 1970 UTC: 30 December 9999. The end of a day after it lies
/// beyond.
pub(crate) const LAST: i64 = 253_402_207_200_000;

/// How long an event lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    /// Days of the calendar, which have 23 or 25 hours when clocks change.
    pub(crate) days: i64,
    /// Seconds of the clock, after the days.
    pub(crate) seconds: i64,
}

impl Length {
    /// The end of what begins at `local`.
    pub(crate) fn end(self, zone: &TimeZone, local: DateTime) -> Option<i64> {
        let local = local
            .checked_add(SignedDuration::from_secs(self.days.checked_mul(86_400)?))
            .ok()?;
        instant(zone, local)?.checked_add(self.seconds.checked_mul(1000)?)
    }

    /// Never shorter than the real length: how far before a range an occurrence may begin and still touch it.
    pub(crate) fn reach(self) -> SignedDuration {
        // Two days more: zones lie up to 26 hours apart, and a day can have 25 hours.
        SignedDuration::from_secs(
            self.days
                .saturating_add(2)
                .saturating_mul(86_400)
                .saturating_add(self.seconds),
        )
    }

    pub(crate) fn of(duration: &ICalendarDuration) -> Result<Self, Fault> {
        if duration.neg && !duration.is_empty() {
            return Err(Fault::NegativeDuration);
        }
        let days = i64::from(duration.weeks) * 7 + i64::from(duration.days);
        let seconds = i64::from(duration.hours) * 3600
            + i64::from(duration.minutes) * 60
            + i64::from(duration.seconds);
        Ok(Self { days, seconds })
    }
}

/// From start to end: whole days between days, exact time otherwise (RFC 5545 §3.8.5.3). `None` if negative.
pub(crate) fn between(start: &Moment, end: &Moment) -> Option<Length> {
    let length = if start.is_day() && end.is_day() {
        let days = end.local.date().duration_since(start.local.date());
        Length {
            days: days.as_secs() / 86_400,
            seconds: 0,
        }
    } else {
        Length {
            days: 0,
            seconds: (end.instant().or_else(|| end.last_if_after())? - start.instant()?)
                .div_euclid(1000),
        }
    };
    (length.days >= 0 && length.seconds >= 0).then_some(length)
}

/// Reads the dates and times of one event; keeps what is wrong with it.
pub(crate) struct Reader<'a> {
    pub(crate) zones: &'a mut Zones,
    /// What does not keep the event from being read.
    pub(crate) notes: Vec<(Fault, Effect)>,
}

impl Reader<'_> {
    /// Records a fault, once an event.
    pub(crate) fn note(&mut self, fault: Fault, effect: Effect) {
        if !self.notes.iter().any(|(known, _)| *known == fault) {
            self.notes.push((fault, effect));
        }
    }

    /// The first value of a property.
    pub(crate) fn moment(
        &mut self,
        entry: &ICalendarEntry,
        name: &'static str,
    ) -> Result<Moment, Fault> {
        let zone = self.zone(entry);
        let value = entry.values.first().and_then(ICalendarValue::as_text);
        let stamp = stamp(value.unwrap_or_default(), name)?;
        self.located(stamp, zone.as_ref(), name)
    }

    /// The zone that a property names. One that cannot be read is noted, and its times are the calendar's own.
    pub(crate) fn zone(&mut self, entry: &ICalendarEntry) -> Option<TimeZone> {
        // Commas divide a name that is not in quotes: "(UTC+01:00) Amsterdam, Berlin".
        let parts = entry.parameters(&ICalendarParameterName::Tzid);
        let parts: Vec<&str> = parts.filter_map(|part| part.as_text()).collect();
        let name = parts.join(",");
        let name = name.trim();
        if name.is_empty() {
            return None;
        }
        let (zone, fault) = self.zones.get(name);
        if let Some(fault) = fault {
            self.note(fault, Effect::AsDescribed);
        }
        zone.or_else(|| Some(self.zones.floating()))
    }

    /// Reads a value in the zone that its property names.
    pub(crate) fn located(
        &mut self,
        stamp: Stamp,
        zone: Option<&TimeZone>,
        name: &'static str,
    ) -> Result<Moment, Fault> {
        let local = stamp.local();
        let (local, zone, form) = match (stamp.time, stamp.offset, zone) {
            (None, _, _) => (local, self.zones.days(), Form::Day),
            (Some(_), Some(offset), _) => {
                let utc = local.checked_sub(SignedDuration::from_secs(offset.into()));
                let utc = utc.map_err(|_| Fault::OutOfReach(name))?;
                (utc, TimeZone::UTC, Form::Utc)
            }
            (Some(_), None, Some(zone)) => (local, zone.clone(), Form::Zoned),
            (Some(_), None, None) => (local, self.zones.floating(), Form::Floating),
        };
        Ok(Moment { local, zone, form })
    }
}

/// Reads a date or time of a property.
pub(crate) fn stamp(text: &str, name: &'static str) -> Result<Stamp, Fault> {
    Stamp::read(text).map_err(|error| match error {
        StampError::Form => Fault::NotADate(name),
        StampError::NoSuchDate => Fault::NoSuchDate(name),
    })
}
