//! Durations in Graph's form (`PT5M`), and conversion of times.

use jiff::{Span, SpanRelativeTo, Timestamp};

/// UTC milliseconds since 1970: a moment, or the distance between two.
pub(crate) type Milliseconds = i64;

/// One second.
pub(crate) const SECOND: Milliseconds = 1_000;
/// One minute.
pub(crate) const MINUTE: Milliseconds = 60 * SECOND;
/// One hour.
pub(crate) const HOUR: Milliseconds = 60 * MINUTE;
/// One day of 24 hours: Graph's durations know no daylight saving.
pub(crate) const DAY: Milliseconds = 24 * HOUR;

/// Reads an ISO 8601 duration without years and months.
///
/// Lower case is refused: Graph accepts the XML form of durations only, and the parser used here would also accept forms
/// such as `1h`.
pub(crate) fn parse(text: &str) -> Option<Milliseconds> {
    let designated = text.strip_prefix('-').unwrap_or(text);
    if !designated.starts_with('P')
        || designated
            .bytes()
            .any(|byte| byte.is_ascii_lowercase() || byte == b' ')
    {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    i64::try_from(duration.as_millis()).ok()
}

/// A time as timestamp. Times outside the range of timestamps become the nearest limit.
pub(crate) fn timestamp(milliseconds: Milliseconds) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(if milliseconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nonsense_never_panics(text in ".{0,40}", marked in "-?P[0-9A-Z.,]{0,30}") {
            let _ = parse(&text);
            let _ = parse(&marked);
        }

        #[test]
        fn whole_seconds_are_read_as_written(seconds in 0_i64..1_000_000_000) {
            prop_assert_eq!(parse(&format!("PT{seconds}S")), Some(seconds * SECOND));
        }
    }

    #[test]
    fn xml_durations_are_read() {
        for (text, expected) in [
            ("PT5M", 5 * MINUTE),
            ("PT300S", 5 * MINUTE),
            ("PT240M", 4 * HOUR),
            ("PT4H1S", 4 * HOUR + SECOND),
            ("P1D", DAY),
            ("P1DT1H", DAY + HOUR),
            ("-PT5M", -5 * MINUTE),
            ("PT0S", 0),
            ("PT0.5S", 500),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "1h",
            "5m",
            "banana",
            "P",
            "PT",
            "pt5m",
            "PT5m",
            "P1Y",
            "P1M",
            "PT5M ",
            "5 minutes",
            "PT9999999999999H",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
