//! Graph's timestamps, which may have any zone or none.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Parses a timestamp of Graph; without a zone it is UTC. `None` for other text.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

/// Parses a timestamp to milliseconds since 1970.
pub(crate) fn parse_milliseconds(text: &str) -> Option<i64> {
    parse_time(text).map(Timestamp::as_millisecond)
}

/// Formats milliseconds since 1970 as Graph expects them; the latest possible time for values beyond the calendar.
pub(crate) fn format_milliseconds(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .unwrap_or(Timestamp::MAX)
        .to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_69_and_70_zones_are_optional() {
        for (text, expected) in [
            (
                "2024-04-19T23:58:00.4569264",
                "2024-04-19T23:58:00.4569264Z",
            ),
            (
                "2022-02-06T23:37:09.2420488-08:00",
                "2022-02-07T07:37:09.2420488Z",
            ),
            ("2026-08-28T10:59:00.0000000Z", "2026-08-28T10:59:00Z"),
            (" 2100-01-01T00:00:00Z ", "2100-01-01T00:00:00Z"),
        ] {
            assert_eq!(parse_time(text).unwrap().to_string(), expected);
        }
        for nonsense in ["", "now", "2024-13-01T00:00:00", "12:00"] {
            assert_eq!(parse_time(nonsense), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_formatted_times_are_parsed(text in ".{0,40}", time in any::<i64>()) {
            let _ = parse_time(&text);
            let written = format_milliseconds(time);
            if Timestamp::from_millisecond(time).is_ok() {
                prop_assert_eq!(parse_milliseconds(&written), Some(time));
            }
        }
    }
}
