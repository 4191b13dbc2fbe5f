//! Parses RRULE values (RFC 5545 §3.3.10).
//!
//! `calcard` is not used here, because it drops COUNT=0 (an endless series instead of none), truncates numbers to eight or
//! sixteen bits (BYHOUR=265 becomes 9) and ignores unknown parts.

use calcard::icalendar::ICalendarFrequency as Frequency;
use jiff::civil::Weekday;

use crate::stamp::Stamp;

/// Maximum number of values in one part; lists of all seconds of a day are hostile.
const NUMBERS_MAX: usize = 750;

/// Parts of a rule. The ranges of numbers are not checked yet.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) frequency: Frequency,
    pub(crate) interval: i64,
    pub(crate) count: Option<u32>,
    pub(crate) until: Option<Stamp>,
    pub(crate) seconds: Vec<i64>,
    pub(crate) minutes: Vec<i64>,
    pub(crate) hours: Vec<i64>,
    pub(crate) week_days: Vec<(Option<i16>, Weekday)>,
    pub(crate) month_days: Vec<i64>,
    pub(crate) year_days: Vec<i64>,
    pub(crate) weeks: Vec<i64>,
    pub(crate) months: Vec<i64>,
    pub(crate) positions: Vec<i64>,
    pub(crate) week_start: Weekday,
}

impl Parts {
    /// Parses an RRULE. The error names the unreadable part without repeating its value.
    pub(crate) fn read(value: &str) -> Result<Self, String> {
        let mut parts = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            seconds: Vec::new(),
            minutes: Vec::new(),
            hours: Vec::new(),
            week_days: Vec::new(),
            month_days: Vec::new(),
            year_days: Vec::new(),
            weeks: Vec::new(),
            months: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Monday,
        };
        let mut frequency = None;
        for part in value
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part.split_once('=').ok_or(" cannot be read")?;
            let value = value.trim();
            match name.trim().to_ascii_uppercase().as_str() {
                "FREQ" => frequency = Some(frequency_of(value).ok_or("'s FREQ cannot be read")?),
                "INTERVAL" => {
                    parts.interval = value
                        .parse()
                        .ok()
                        .filter(|interval| (1..=u32::MAX.into()).contains(interval))
                        .ok_or("'s INTERVAL is not a number from 1")?;
                }
                "COUNT" => {
                    let count: u64 = value
                        .parse()
                        .map_err(|_| "'s COUNT is not a number from 0")?;
                    parts.count = Some(u32::try_from(count).unwrap_or(u32::MAX));
                }
                "UNTIL" => {
                    parts.until =
                        Some(Stamp::read(value).map_err(|_| "'s UNTIL is not a date or time")?)
                }
                "BYSECOND" => parts.seconds = numbers("BYSECOND", value)?,
                "BYMINUTE" => parts.minutes = numbers("BYMINUTE", value)?,
                "BYHOUR" => parts.hours = numbers("BYHOUR", value)?,
                "BYDAY" => parts.week_days = list("BYDAY", value, nth_weekday)?,
                "BYMONTHDAY" => parts.month_days = numbers("BYMONTHDAY", value)?,
                "BYYEARDAY" => parts.year_days = numbers("BYYEARDAY", value)?,
                "BYWEEKNO" => parts.weeks = numbers("BYWEEKNO", value)?,
                "BYMONTH" if value.to_ascii_uppercase().contains('L') => {
                    return Err("'s BYMONTH names a leap month".to_owned());
                }
                "BYMONTH" => parts.months = numbers("BYMONTH", value)?,
                "BYSETPOS" => parts.positions = numbers("BYSETPOS", value)?,
                "WKST" => parts.week_start = weekday(value).ok_or("'s WKST is not a weekday")?,
                "RSCALE" if value.eq_ignore_ascii_case("GREGORIAN") => {}
                "RSCALE" => {
                    return Err("'s RSCALE names a calendar other than the Gregorian".to_owned());
                }
                "SKIP" if value.eq_ignore_ascii_case("OMIT") => {}
                "SKIP" => return Err("'s SKIP asks for days to be moved".to_owned()),
                // Extensions of vendors.
                name if name.starts_with("X-") => {}
                _ => return Err(" has an unknown part".to_owned()),
            }
        }
        parts.frequency = frequency.ok_or(" has no FREQ")?;
        Ok(parts)
    }
}

fn frequency_of(value: &str) -> Option<Frequency> {
    Some(match value.to_ascii_uppercase().as_str() {
        "SECONDLY" => Frequency::Secondly,
        "MINUTELY" => Frequency::Minutely,
        "HOURLY" => Frequency::Hourly,
        "DAILY" => Frequency::Daily,
        "WEEKLY" => Frequency::Weekly,
        "MONTHLY" => Frequency::Monthly,
        "YEARLY" => Frequency::Yearly,
        _ => return None,
    })
}

fn numbers(name: &str, value: &str) -> Result<Vec<i64>, String> {
    list(name, value, |number| number.parse().ok())
}

fn list<T>(name: &str, value: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let items = value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    let read: Option<Vec<T>> = items.take(NUMBERS_MAX).map(read).collect();
    read.ok_or_else(|| format!("'s {name} cannot be read"))
}

/// Parses `MO`, `2MO`, `+2MO`, `-1MO`.
fn nth_weekday(value: &str) -> Option<(Option<i16>, Weekday)> {
    let (nth, day) = value.split_at_checked(value.len().checked_sub(2)?)?;
    let nth = match nth.trim() {
        "" => None,
        nth => Some(
            nth.parse()
                .ok()
                .filter(|nth| *nth != 0 && (-53..=53).contains(nth))?,
        ),
    };
    Some((nth, weekday(day)?))
}

fn weekday(value: &str) -> Option<Weekday> {
    Some(match value.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}
