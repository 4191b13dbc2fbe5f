//! The system clock, for protocol fields with dates. No other file of the crate reads it.

/// Current time in milliseconds since 1970.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock; everything that decides takes the time as an argument"
)]
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
