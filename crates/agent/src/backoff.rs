//! How long to wait before the next try: longer after each, and never together with everybody else.

use std::time::Duration;

/// Waits between tries.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    least: Duration,
    most: Duration,
    tries: u32,
}

impl Backoff {
    /// From about `least` up to `most`.
    pub const fn new(least: Duration, most: Duration) -> Self {
        Self {
            least,
            most,
            tries: 0,
        }
    }

    /// It went well.
    pub fn reset(&mut self) {
        self.tries = 0;
    }

    /// How long to wait now: a random half of it, so that agents that lost a server together do not come back together.
    pub fn wait(&mut self) -> Duration {
        let whole = self
            .least
            .saturating_mul(1 << self.tries.min(16))
            .min(self.most);
        self.tries = self.tries.saturating_add(1);
        // Without random numbers it is only less polite.
        let share = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
        whole.mul_f64(0.5 + share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_its_end_and_begins_anew() {
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
