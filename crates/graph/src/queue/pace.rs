//! The patience with one slot of a person.

use std::time::Duration;

use crate::backoff;

#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    attempts: u32,
    /// End of the last rest after a failure.
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

/// Why the writes to a slot rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// They do not, or never failed.
    None,
    /// The last one failed at this time, as far as is known together with all others.
    Outage(i64),
    /// Others succeed, this one fails.
    OwnTrouble,
    /// The service named the wait, or the sender knows that nothing changes before.
    Asked,
}

impl Pace {
    /// The write is over.
    pub(super) fn succeed(&mut self) {
        self.attempts = 0;
        self.rest = Rest::None;
    }

    /// A write failed; another one succeeded last at `succeeded_at`. `sequence` spreads the rests.
    pub(super) fn fail(
        &mut self,
        now: i64,
        wait: Option<Duration>,
        (succeeded_at, sequence): (i64, u64),
    ) {
        self.rest = match (self.rest, wait) {
            (_, Some(_)) => Rest::Asked,
            (Rest::Outage(before), None) if before < succeeded_at => Rest::OwnTrouble,
            (Rest::OwnTrouble, None) => Rest::OwnTrouble,
            (_, None) => Rest::Outage(now),
        };
        self.attempts = self.attempts.saturating_add(1);
        let wait = wait.unwrap_or_else(|| backoff(self.attempts, sequence));
        self.not_before = now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
    }
}
