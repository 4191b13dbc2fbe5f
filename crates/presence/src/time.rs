//! Time: a number that the caller passes in. The core never reads a clock.

use std::{
    fmt,
    num::NonZeroU64,
    ops::{Add, Sub},
    time::Duration,
};

/// A time in milliseconds since 1970-01-01T00:00:00Z.
///
/// The field counts from `i64::MIN`, so that it is never zero and `Option<Timestamp>` takes eight bytes: a person has a dozen
/// of them in memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(NonZeroU64);

impl Timestamp {
    /// The time `milliseconds` after the Unix epoch. `i64::MIN` becomes the millisecond after it.
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        match NonZeroU64::new(milliseconds.abs_diff(i64::MIN)) {
            Some(since_minimum) => Self(since_minimum),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn milliseconds(self) -> i64 {
        i64::MIN.wrapping_add_unsigned(self.0.get())
    }

    /// Duration from `earlier` to this time; zero if this time is earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.get().saturating_sub(earlier.0.get()))
    }
}

impl Default for Timestamp {
    /// The Unix epoch.
    fn default() -> Self {
        Self::from_milliseconds(0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timestamp")
            .field(&self.milliseconds())
            .finish()
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_milliseconds(self.milliseconds().saturating_add(milliseconds))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_milliseconds(self.milliseconds().saturating_sub(milliseconds))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.milliseconds())
    }
}
