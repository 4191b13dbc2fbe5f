//! How long a stop waits for answers. Pure.

use std::time::Duration;

/// After this long without a message the PBX counts as gone.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest stop, however many answers still come.
pub(super) const STOP_MAX: Duration = Duration::from_secs(5);

/// The end of a connector that was ordered to stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopping {
    silent_at: Duration,
    ends_at: Duration,
}

impl Stopping {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            silent_at: now + ANSWER_TIMEOUT,
            ends_at: now + STOP_MAX,
        }
    }

    /// Records a message from the PBX.
    pub(super) fn on_message(&mut self, now: Duration) {
        self.silent_at = now + ANSWER_TIMEOUT;
    }

    /// When the connector ends although answers are missing.
    pub(super) fn deadline(&self) -> Duration {
        self.silent_at.min(self.ends_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A21
    #[test]
    fn a_stop_ends_after_a_second_of_silence_and_after_five_seconds_at_most() {
        let mut stopping = Stopping::new(Duration::ZERO);
        assert_eq!(stopping.deadline(), ANSWER_TIMEOUT);
        for tenths in 0..100 {
            stopping.on_message(Duration::from_millis(tenths * 100));
        }
        assert_eq!(stopping.deadline(), STOP_MAX);
    }
}
