//! System clock, for values that outlive the agent, and waiting.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Zoned;
use tokio::time::Instant;

use crate::usage::Milliseconds;

/// Current time in milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the agent reads the clock"
)]
pub fn wall_clock() -> Milliseconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, milliseconds)
}

/// Current local time.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the agent reads the clock"
)]
pub fn local_time() -> Zoned {
    Zoned::now()
}

/// Duration in milliseconds, at most `u64::MAX`.
pub fn milliseconds(duration: Duration) -> Milliseconds {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Waits until this time; forever for `None`.
pub async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
