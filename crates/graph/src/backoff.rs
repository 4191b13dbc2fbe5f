//! Waiting time before a retry: the time that the service asked for, else exponential backoff.

use std::time::Duration;

/// Maximum wait, whether Offhook chose it or the service asked for it.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// Exponential backoff after attempt number `attempt` (from 1): 1, 2, 4 … 60 seconds, lengthened by up to a quarter
/// according to `spread` so that waiting writes do not retry all at the same time.
pub fn backoff(attempt: u32, spread: u64) -> Duration {
    let base =
        Duration::from_secs(1 << attempt.saturating_sub(1).min(6)).min(Duration::from_secs(60));
    base + base * u32::try_from(spread % 256).unwrap_or(0) / 1024
}

/// Parses a `Retry-After` header (RFC 9110, 10.2.3): seconds, whole or decimal (Graph has sent both), rounded up, or an
/// HTTP date relative to `now` (milliseconds since 1970). Returns at most 300 seconds, and `None` for any other text.
pub fn parse_retry_after(value: &str, now: i64) -> Option<Duration> {
    let seconds = retry_after_seconds(value, now)?;
    (seconds.is_finite() && seconds >= 0.0)
        .then(|| Duration::from_secs_f64(seconds.ceil().min(WAIT_MAX.as_secs_f64())))
}

/// Parses a `Retry-After` header (RFC 9110, 10.2.3) without limits: a number of seconds, which may be negative or infinite,
/// or the seconds from `now` (milliseconds since 1970) to an HTTP date. Returns `None` for any other text.
pub fn retry_after_seconds(value: &str, now: i64) -> Option<f64> {
    let value = value.trim();
    let seconds: f64 = match value.parse() {
        Ok(seconds) => seconds,
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
            // A date in the past means no wait.
            (date.as_millisecond().saturating_sub(now).max(0) as f64) / 1_000.0
        }
    };
    (!seconds.is_nan()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{backoff, parse_retry_after};

    #[test]
    fn row_91_retry_after_may_be_whole_decimal_a_date_or_nonsense() {
        // Wed, 21 Oct 2026 07:28:00 GMT is 90 seconds later.
        let now = 1_792_567_590_000;
        let seconds = |value| parse_retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("10"), Some(10));
        assert_eq!(seconds(" 2.128 "), Some(3));
        assert_eq!(seconds("0"), Some(0));
        assert_eq!(seconds("999999999"), Some(300));
        assert_eq!(seconds("Wed, 21 Oct 2026 07:28:00 GMT"), Some(90));
        assert_eq!(seconds("Wed, 21 Oct 2026 07:00:00 GMT"), Some(0));
        assert_eq!(seconds("Thu, 22 Oct 2026 07:28:00 GMT"), Some(300));
        for nonsense in [
            "",
            "-1",
            "NaN",
            "inf",
            "soon",
            "Wed, 99 Oct 2026 07:28:00 GMT",
        ] {
            assert_eq!(seconds(nonsense), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(value in ".{0,40}", now in any::<i64>()) {
            let _ = parse_retry_after(&value, now);
        }
    }

    #[test]
    fn the_wait_grows_to_a_minute_and_spreads_by_a_quarter_at_most() {
        assert_eq!(backoff(1, 0), Duration::from_secs(1));
        assert_eq!(backoff(4, 0), Duration::from_secs(8));
        assert_eq!(backoff(40, 0), Duration::from_secs(60));
        assert!(backoff(40, u64::MAX) <= Duration::from_secs(75));
    }
}
