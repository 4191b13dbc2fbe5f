//! One VEVENT, from the parser's properties to what recurrence and the clock need.

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendarClassification, ICalendarComponent, ICalendarDuration, ICalendarEntry,
    ICalendarParameterName, ICalendarPeriod, ICalendarProperty, ICalendarStatus,
    ICalendarTransparency, ICalendarValue, ICalendarWeekday,
};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::FreeBusy;
use crate::rule::Rule;
use crate::zones::{Zones, text};

/// A date or a time as the feed says it, with the zone it is said in.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) local: DateTime,
    pub(crate) zone: TimeZone,
    /// A DATE: the whole day is meant.
    pub(crate) day: bool,
}

impl Moment {
    /// Milliseconds since 1970 UTC. A time that the clocks skip counts as if they had not yet been changed, one that they
    /// show twice is the first (RFC 5545 §3.3.5). `None` beyond the years that can be reckoned with.
    pub(crate) fn instant(&self) -> Option<i64> {
        instant(&self.zone, self.local)
    }
}

/// See [`Moment::instant`].
pub(crate) fn instant(zone: &TimeZone, local: DateTime) -> Option<i64> {
    zone.to_timestamp(local).ok().map(Timestamp::as_millisecond)
}

/// How long an event lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    /// Days of the calendar, which have 23 or 25 hours when clocks change.
    days: i64,
    /// Seconds of the clock, after the days.
    seconds: i64,
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

    fn of(duration: &ICalendarDuration) -> Result<Self, String> {
        if duration.neg && !duration.is_empty() {
            return Err("its DURATION is negative".to_owned());
        }
        let days = i64::from(duration.weeks) * 7 + i64::from(duration.days);
        let seconds = i64::from(duration.hours) * 3600
            + i64::from(duration.minutes) * 60
            + i64::from(duration.seconds);
        Ok(Self { days, seconds })
    }
}

/// When a rule ends.
#[derive(Debug)]
pub(crate) enum Until {
    Instant(i64),
    Local(DateTime),
}

/// A readable VEVENT.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) uid: String,
    pub(crate) sequence: i64,
    pub(crate) start: Moment,
    pub(crate) length: Length,
    pub(crate) rules: Vec<(Rule, Option<Until>)>,
    /// RDATE; a period brings its own length.
    pub(crate) added: Vec<(Moment, Option<Length>)>,
    /// EXDATE.
    pub(crate) excluded: Vec<Moment>,
    /// RECURRENCE-ID: the occurrence of its series that this event stands for.
    pub(crate) replaces: Option<Moment>,
    pub(crate) cancelled: bool,
    pub(crate) summary: String,
    pub(crate) private: bool,
    pub(crate) free_busy: FreeBusy,
    pub(crate) all_day: bool,
}

impl Event {
    /// Reads a component. `notes` gets what is wrong with it but does not keep it from being read; the error says why
    /// nothing can be shown of it.
    pub(crate) fn read(
        component: &ICalendarComponent,
        zones: &mut Zones,
        notes: &mut Vec<String>,
    ) -> Result<Self, String> {
        let replaces = match component.property(&ICalendarProperty::RecurrenceId) {
            Some(entry) => {
                if entry.has_parameter(&ICalendarParameterName::Range) {
                    notes.push(
                        "its change \"this and all that follow\" is shown for one occurrence only"
                            .to_owned(),
                    );
                }
                Some(moment(entry, zones)?)
            }
            None => None,
        };
        let start = match (component.property(&ICalendarProperty::Dtstart), &replaces) {
            (Some(entry), _) => moment(entry, zones)?,
            (None, Some(replaced)) => replaced.clone(),
            (None, None) => return Err("it has no DTSTART".to_owned()),
        };
        start.instant().ok_or("its DTSTART is out of reach")?;
        let length = length(component, &start, zones)?;
        let outlook = |name: &str| text(component, &ICalendarProperty::Other(name.to_owned()));
        let all_day = start.day
            || outlook("X-MICROSOFT-CDO-ALLDAYEVENT")
                .is_some_and(|value| value.eq_ignore_ascii_case("TRUE"));
        let mut event = Self {
            uid: component.uid().unwrap_or_default().to_owned(),
            sequence: first(component, &ICalendarProperty::Sequence)
                .and_then(ICalendarValue::as_integer)
                .unwrap_or(0),
            length,
            rules: Vec::new(),
            added: Vec::new(),
            excluded: Vec::new(),
            replaces,
            cancelled: component.status() == Some(&ICalendarStatus::Cancelled),
            summary: text(component, &ICalendarProperty::Summary)
                .unwrap_or_default()
                .to_owned(),
            private: private(component),
            free_busy: free_busy(component, outlook("X-MICROSOFT-CDO-BUSYSTATUS")),
            all_day,
            start,
        };
        for entry in &component.entries {
            if let Err(reason) = event.read_recurrence(entry, zones) {
                notes.push(format!("{reason}; what it says is not shown"));
            }
        }
        Ok(event)
    }

    fn read_recurrence(&mut self, entry: &ICalendarEntry, zones: &mut Zones) -> Result<(), String> {
        match &entry.name {
            ICalendarProperty::Rrule => match entry.values.first() {
                Some(ICalendarValue::RecurrenceRule(read)) => {
                    let rule = Rule::new(read, self.start.local)
                        .map_err(|reason| format!("its RRULE's {reason}"))?;
                    let until = read
                        .until
                        .as_ref()
                        .map(|until| self.until(until))
                        .transpose()?;
                    self.rules.push((rule, until));
                }
                _ => return Err("its RRULE cannot be read".to_owned()),
            },
            ICalendarProperty::Exrule => {
                return Err("its EXRULE (withdrawn from iCalendar in 2009) is not read".to_owned());
            }
            ICalendarProperty::Rdate => {
                let zone = zone(entry, zones)?;
                for value in &entry.values {
                    let added = match value {
                        ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
                            let (start, end) =
                                (located(start, &zone, zones)?, located(end, &zone, zones)?);
                            let length = between(&start, &end)
                                .ok_or("its RDATE has a period that ends before it starts")?;
                            (start, Some(length))
                        }
                        ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
                            (located(start, &zone, zones)?, Some(Length::of(duration)?))
                        }
                        value => (located(date_time(entry, Some(value))?, &zone, zones)?, None),
                    };
                    self.added.push(added);
                }
            }
            ICalendarProperty::Exdate => {
                let zone = zone(entry, zones)?;
                for value in &entry.values {
                    self.excluded
                        .push(located(date_time(entry, Some(value))?, &zone, zones)?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A DATE includes its whole day. For all-day events so does midnight UTC, which some exporters write for a date.
    fn until(&self, until: &PartialDateTime) -> Result<Until, String> {
        let local = civil(until)?;
        let end_of_day = Until::Local(local.date().to_datetime(Time::MAX));
        if !until.has_time() || (self.start.day && local.time() == Time::midnight()) {
            Ok(end_of_day)
        } else if until.has_zone() {
            let utc = local.checked_sub(SignedDuration::from_secs(offset(until)));
            let instant = utc.ok().and_then(|utc| instant(&TimeZone::UTC, utc));
            Ok(instant.map_or(end_of_day, Until::Instant))
        } else {
            Ok(Until::Local(local))
        }
    }
}

/// DTEND, or DURATION, or what RFC 5545 §3.6.1 says for neither: a DATE lasts its day, a time does not last.
fn length(
    component: &ICalendarComponent,
    start: &Moment,
    zones: &mut Zones,
) -> Result<Length, String> {
    let one_day = Length {
        days: 1,
        seconds: 0,
    };
    if let Some(entry) = component.property(&ICalendarProperty::Dtend) {
        let end = moment(entry, zones)?;
        let length = between(start, &end).ok_or("its DTEND is before its DTSTART")?;
        // Some exporters end an all-day event on the day it starts.
        return Ok(if start.day && end.local == start.local {
            one_day
        } else {
            length
        });
    }
    match first(component, &ICalendarProperty::Duration) {
        Some(ICalendarValue::Duration(duration)) => Length::of(duration),
        Some(_) => Err("its DURATION cannot be read".to_owned()),
        None if start.day => Ok(one_day),
        None => Ok(Length {
            days: 0,
            seconds: 0,
        }),
    }
}

/// From start to end: whole days between days, exact time otherwise (RFC 5545 §3.8.5.3). `None` if negative.
fn between(start: &Moment, end: &Moment) -> Option<Length> {
    let length = if start.day && end.day {
        Length {
            days: end
                .local
                .date()
                .duration_since(start.local.date())
                .as_secs()
                / 86_400,
            seconds: 0,
        }
    } else {
        Length {
            days: 0,
            seconds: (end.instant()? - start.instant()?).div_euclid(1000),
        }
    };
    (length.days >= 0 && length.seconds >= 0).then_some(length)
}

fn free_busy(component: &ICalendarComponent, outlook: Option<&str>) -> FreeBusy {
    // Outlook's own word is finer than TRANSP and STATUS, which it derives from it.
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

/// A class that nobody knows is private too (RFC 5545 §3.8.1.3).
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

fn moment(entry: &ICalendarEntry, zones: &mut Zones) -> Result<Moment, String> {
    let zone = zone(entry, zones)?;
    located(date_time(entry, entry.values.first())?, &zone, zones)
}

/// The zone that a property names.
fn zone(entry: &ICalendarEntry, zones: &mut Zones) -> Result<TimeZone, String> {
    match entry.tz_id().map(str::trim).filter(|name| !name.is_empty()) {
        None => Ok(zones.default_zone()),
        Some(name) => zones
            .get(name)
            .map_err(|reason| format!("its time zone {reason}")),
    }
}

fn date_time<'a>(
    entry: &ICalendarEntry,
    value: Option<&'a ICalendarValue>,
) -> Result<&'a PartialDateTime, String> {
    value
        .and_then(ICalendarValue::as_partial_date_time)
        .ok_or_else(|| {
            // Asked for properties of RFC 5545 only: the name is none that the feed made up.
            format!("its {} is not a date or time", entry.name.as_str())
        })
}

fn located(value: &PartialDateTime, zone: &TimeZone, zones: &Zones) -> Result<Moment, String> {
    let local = civil(value)?;
    if !value.has_time() {
        return Ok(Moment {
            local,
            zone: zones.default_zone(),
            day: true,
        });
    }
    if value.has_zone() {
        let utc = local.checked_sub(SignedDuration::from_secs(offset(value)));
        let local = utc.map_err(|_| "it has a time that is out of reach".to_owned())?;
        return Ok(Moment {
            local,
            zone: TimeZone::UTC,
            day: false,
        });
    }
    Ok(Moment {
        local,
        zone: zone.clone(),
        day: false,
    })
}

/// Seconds east of UTC: 0 for "Z"; iCalendar has nothing else, some exporters do.
fn offset(value: &PartialDateTime) -> i64 {
    let seconds =
        i64::from(value.tz_hour.unwrap_or(0)) * 3600 + i64::from(value.tz_minute.unwrap_or(0)) * 60;
    if value.tz_minus { -seconds } else { seconds }
}

/// The numbers of a date or time, if the calendar has them.
pub(crate) fn civil(value: &PartialDateTime) -> Result<DateTime, String> {
    let small = |number: Option<u8>| i8::try_from(number.unwrap_or(0)).unwrap_or(i8::MAX);
    let year = i16::try_from(value.year.unwrap_or(0)).unwrap_or(i16::MAX);
    let date = Date::new(year, small(value.month), small(value.day));
    // A leap second is the last second of its minute.
    let second = if value.second == Some(60) {
        59
    } else {
        small(value.second)
    };
    let time = Time::new(small(value.hour), small(value.minute), second, 0);
    match (date, time) {
        (Ok(date), Ok(time)) => Ok(date.to_datetime(time)),
        // What jiff says repeats the numbers.
        (Err(_), _) | (_, Err(_)) => Err("it has a date or time that does not exist".to_owned()),
    }
}

/// The weekday in jiff's terms.
pub(crate) fn weekday(day: ICalendarWeekday) -> Weekday {
    match day {
        ICalendarWeekday::Sunday => Weekday::Sunday,
        ICalendarWeekday::Monday => Weekday::Monday,
        ICalendarWeekday::Tuesday => Weekday::Tuesday,
        ICalendarWeekday::Wednesday => Weekday::Wednesday,
        ICalendarWeekday::Thursday => Weekday::Thursday,
        ICalendarWeekday::Friday => Weekday::Friday,
        ICalendarWeekday::Saturday => Weekday::Saturday,
    }
}
