//! Backoff of one slot of a person.

use std::time::Duration;

use crate::backoff;

#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    attempts: u32,
    /// End of the last rest after a failure, in milliseconds.
    pub(super) not_before: i64,
    pub(super) rest: Rest,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            attempts: 0,
            not_before: i64::MIN,
            rest: Rest::None,
        }
    }
}

/// Reason why the writes to a slot rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// The last write succeeded, or none was sent.
    None,
    /// The last write failed at this time, together with all others as far as known.
    Outage(i64),
    /// This write fails while others succeed.
    OwnTrouble,
    /// The service asked for the wait, or the sender knows that an earlier retry is useless.
    Requested,
}

impl Pace {
    /// Records the end of a write.
    pub(super) fn succeed(&mut self) {
        self.attempts = 0;
        self.rest = Rest::None;
    }

    /// Records a failure. `succeeded_at` is the time of the last success of any write; `sequence` spreads the rests.
    pub(super) fn fail(
        &mut self,
        now: i64,
        wait: Option<Duration>,
        (succeeded_at, sequence): (i64, u64),
    ) {
        self.rest = match (self.rest, wait) {
            (_, Some(_)) => Rest::Requested,
            (Rest::Outage(before), None) if before < succeeded_at => Rest::OwnTrouble,
            (Rest::OwnTrouble, None) => Rest::OwnTrouble,
            (_, None) => Rest::Outage(now),
        };
        self.attempts = self.attempts.saturating_add(1);
        let wait = wait.unwrap_or_else(|| backoff(self.attempts, sequence));
        self.not_before = now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
    }
}
