//! Parses DATE and DATE-TIME values (RFC 5545 §3.3.4 and §3.3.5), and the forms of ISO 8601 that some exporters write
//! instead.
//!
//! `calcard` is not used here, because it stops silently at the first unexpected character: `20260310T0900Z` and
//! `20260310T090000.000Z` become times without a zone.

use jiff::civil::{Date, DateTime, Time};

/// A date, or a date and a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) date: Date,
    pub(crate) time: Option<Time>,
    /// Seconds east of UTC: 0 for "Z", the only form of iCalendar.
    pub(crate) offset: Option<i32>,
}

/// Reason why a value is not a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StampError {
    /// The form is unknown.
    Form,
    /// A date such as 30 February, or a time such as 25:00.
    NoSuchDate,
}

impl Stamp {
    /// Parses `20260310`, `20260310T0900`, `20260310T090000Z`, `2026-03-10T09:00:00.000+01:00`.
    pub(crate) fn read(text: &str) -> Result<Self, StampError> {
        let text = text.trim();
        let (date, rest) = match text.split_once(['T', 't', ' ']) {
            Some((date, rest)) => (date, Some(rest.trim())),
            None => (text, None),
        };
        let [century, year, month, day] = numbers(date, '-')?
            .try_into()
            .map_err(|_| StampError::Form)?;
        let date = Date::new(i16::from(century) * 100 + i16::from(year), month, day)
            .map_err(|_| StampError::NoSuchDate)?;
        let Some(rest) = rest else {
            return Ok(Self {
                date,
                time: None,
                offset: None,
            });
        };
        let zone = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
        let (time, zone) = rest.split_at_checked(zone).ok_or(StampError::Form)?;
        let time = match time.trim_end().split_once(['.', ',']) {
            Some((whole, fraction)) if fraction.bytes().all(|byte| byte.is_ascii_digit()) => whole,
            Some(_) => return Err(StampError::Form),
            None => time.trim_end(),
        };
        let (hour, minute, second) = match numbers(time, ':')?[..] {
            [hour, minute] => (hour, minute, 0),
            // A leap second counts as the last second of its minute.
            [hour, minute, second] => (hour, minute, if second == 60 { 59 } else { second }),
            _ => return Err(StampError::Form),
        };
        let time = Time::new(hour, minute, second, 0).map_err(|_| StampError::NoSuchDate)?;
        let offset = match zone {
            "" => None,
            "Z" | "z" => Some(0),
            zone => Some(offset(zone).ok_or(StampError::Form)?),
        };
        Ok(Self {
            date,
            time: Some(time),
            offset,
        })
    }

    /// Local time; midnight for a date.
    pub(crate) fn local(self) -> DateTime {
        self.date.to_datetime(self.time.unwrap_or(Time::midnight()))
    }
}

/// Parses numbers of two digits each, with or without separators.
fn numbers(text: &str, separator: char) -> Result<Vec<i8>, StampError> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != separator)
        .map(|c| c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()
        .ok_or(StampError::Form)?;
    let pairs = digits.chunks_exact(2);
    if digits.is_empty() || digits.len() > 8 || !pairs.remainder().is_empty() {
        return Err(StampError::Form);
    }
    let number = |pair: &[u8]| {
        pair.iter()
            .fold(0, |sum, digit| sum * 10 + i8::try_from(*digit).unwrap_or(0))
    };
    Ok(pairs.map(number).collect())
}

/// Parses `+0100` or `-053028` (RFC 5545 §3.3.14) to seconds east of UTC, below a day. A missing sign means plus.
pub(crate) fn offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, digits) = match text.split_at_checked(1)? {
        ("-", digits) => (-1, digits),
        ("+", digits) => (1, digits),
        _ => (1, text),
    };
    let (hours, minutes, seconds) = match numbers(digits, ':').ok()?[..] {
        [hours] => (hours, 0, 0),
        [hours, minutes] => (hours, minutes, 0),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let whole = hours < 24 && minutes < 60 && seconds < 60;
    whole.then(|| sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60 + i32::from(seconds)))
}
