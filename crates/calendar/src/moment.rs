//! Dates and times as a feed writes them, and lengths of events.

use calcard::icalendar::{
    ICalendarDuration, ICalendarEntry, ICalendarParameterName, ICalendarValue,
};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use crate::{
    problem::{Effect, Fault},
    stamp::{Stamp, StampError},
    zones::Zones,
};

/// Form of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// DATE: the whole day.
    Day,
    /// Time without a zone.
    Floating,
    /// Time with a TZID.
    Zoned,
    /// Time with "Z".
    Utc,
}

/// Date or time with its zone.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) local: DateTime,
    pub(crate) zone: TimeZone,
    pub(crate) form: Form,
}

impl Moment {
    /// Milliseconds since 1970 UTC. A time that the clocks skip has the offset before the change; of a time that they
    /// repeat, the first one is meant (RFC 5545 §3.3.5). `None` outside of the supported years.
    pub(crate) fn instant(&self) -> Option<i64> {
        instant(&self.zone, self.local)
    }

    /// The same time, in the zone of its series if it names none itself.
    pub(crate) fn of_series(mut self, zone: &TimeZone) -> Self {
        if self.form == Form::Floating {
            self.zone = zone.clone();
        }
        self
    }

    /// [`LAST`] if the moment is after it.
    fn last_if_after(&self) -> Option<i64> {
        (self.local.year() == 9999).then_some(LAST)
    }

    pub(crate) fn is_day(&self) -> bool {
        self.form == Form::Day
    }
}

/// Converts a local time, like [`Moment::instant`].
pub(crate) fn instant(zone: &TimeZone, local: DateTime) -> Option<i64> {
    zone.to_timestamp(local).ok().map(Timestamp::as_millisecond)
}

/// Last supported time in milliseconds since 1970 UTC, 30 December 9999: a day after it has no end.
pub(crate) const LAST: i64 = 253_402_207_200_000;

/// Length of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    /// Calendar days, which have 23 or 25 hours when clocks change.
    pub(crate) days: i64,
    /// Seconds in addition to the days.
    pub(crate) seconds: i64,
}

impl Length {
    /// End of an event with this length that starts at `local`.
    pub(crate) fn end(self, zone: &TimeZone, local: DateTime) -> Option<i64> {
        let local = local
            .checked_add(SignedDuration::from_secs(self.days.checked_mul(86_400)?))
            .ok()?;
        instant(zone, local)?.checked_add(self.seconds.checked_mul(1000)?)
    }

    /// Upper limit of the real length: an occurrence that starts earlier than this before a range does not overlap it.
    pub(crate) fn reach(self) -> SignedDuration {
        // Two more days: zones differ by up to 26 hours, and a day can have 25 hours.
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

/// Length from start to end: whole days between all-day dates, exact time otherwise (RFC 5545 §3.8.5.3). `None` if
/// negative.
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

/// Reads the dates and times of one event, and collects its faults.
pub(crate) struct Reader<'a> {
    pub(crate) zones: &'a mut Zones,
    /// Faults that do not prevent the event from being read.
    pub(crate) faults: Vec<(Fault, Effect)>,
}

impl Reader<'_> {
    /// Records a fault once per event.
    pub(crate) fn record(&mut self, fault: Fault, effect: Effect) {
        if !self.faults.iter().any(|(known, _)| *known == fault) {
            self.faults.push((fault, effect));
        }
    }

    /// First value of a property.
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

    /// Zone of a property. An unreadable zone is recorded as a fault, and the calendar's own zone is used.
    pub(crate) fn zone(&mut self, entry: &ICalendarEntry) -> Option<TimeZone> {
        // A comma splits a name without quotes: "(UTC+01:00) Amsterdam, Berlin".
        let parts = entry.parameters(&ICalendarParameterName::Tzid);
        let parts: Vec<&str> = parts.filter_map(|part| part.as_text()).collect();
        let name = parts.join(",");
        let name = name.trim();
        if name.is_empty() {
            return None;
        }
        let (zone, fault) = self.zones.get(name);
        if let Some(fault) = fault {
            self.record(fault, Effect::AsDescribed);
        }
        zone.or_else(|| Some(self.zones.floating()))
    }

    /// Value in the zone of its property.
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

/// Parses a date or time of a property.
pub(crate) fn stamp(text: &str, name: &'static str) -> Result<Stamp, Fault> {
    Stamp::read(text).map_err(|error| match error {
        StampError::Form => Fault::NotADate(name),
        StampError::NoSuchDate => Fault::NoSuchDate(name),
    })
}
