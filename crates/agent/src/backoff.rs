//! Wait before a retry: exponential, with a random part so that agents do not retry simultaneously.

use std::time::Duration;

/// Exponential backoff.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    least: Duration,
    most: Duration,
    tries: u32,
}

impl Backoff {
    /// Waits from about `least` up to `most`.
    pub const fn new(least: Duration, most: Duration) -> Self {
        Self {
            least,
            most,
            tries: 0,
        }
    }

    /// Starts again with the shortest wait, after a success.
    pub fn reset(&mut self) {
        self.tries = 0;
    }

    /// Next wait. Half of it is random, so that agents that lost a server at the same time do not reconnect at the same
    /// time.
    pub fn wait(&mut self) -> Duration {
        let whole = self
            .least
            .saturating_mul(1 << self.tries.min(16))
            .min(self.most);
        self.tries = self.tries.saturating_add(1);
        // Without random numbers the full wait is used.
        let share = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
        whole.mul_f64(0.5 + share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_maximum_and_reset() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 60 * second);
        let mut whole = second;
        for _ in 0..100 {
            let wait = backoff.wait();
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
            whole = (whole * 2).min(60 * second);
        }
        backoff.reset();
        assert!(backoff.wait() <= second);
    }
}
