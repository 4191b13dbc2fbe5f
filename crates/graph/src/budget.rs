//! The request budget of one tenant: a token bucket under Microsoft's limit.

use std::time::Duration;

/// The window over which Microsoft counts presence requests.
const WINDOW_MILLISECONDS: i64 = 30_000;
/// Share of the limit that may be spent at once. The rest flows in over the window, so that no window of 30 seconds
/// ever holds more than the limit.
const BURST_SHARE: f64 = 0.1;

/// A token bucket. Times are milliseconds on any clock that does not run backwards.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Requests per 30 seconds; `None`: no limit.
    limit: Option<u32>,
    available: f64,
    filled_at: i64,
    /// The service asked for silence until then.
    silent_until: i64,
    /// When the last requests were sent, in steps of the window: the step's number and how many.
    sent: [(i64, u32); STEPS],
}

/// Steps in which the requests of a window are counted.
const STEPS: usize = 10;
const STEP_MILLISECONDS: i64 = WINDOW_MILLISECONDS / STEPS as i64;

impl Budget {
    /// A budget of `limit` requests per 30 seconds, or none.
    pub fn new(limit: Option<u32>, now: i64) -> Self {
        let available = f64::from(limit.unwrap_or(0)) * BURST_SHARE;
        Self {
            limit,
            available: available.max(1.0),
            filled_at: now,
            silent_until: now,
            sent: [(0, 0); STEPS],
        }
    }

    /// Takes one request, or says how long to wait for it.
    ///
    /// # Errors
    /// The wait, when nothing may be sent now.
    pub fn take(&mut self, now: i64) -> Result<(), Duration> {
        let wait = |milliseconds: i64| Duration::from_millis(milliseconds.max(1).unsigned_abs());
        if now < self.silent_until {
            return Err(wait(self.silent_until - now));
        }
        if let Some(limit) = self.limit {
            let burst = (f64::from(limit) * BURST_SHARE).max(1.0);
            let rate = f64::from(limit) * (1.0 - BURST_SHARE) / WINDOW_MILLISECONDS as f64;
            let elapsed = now.saturating_sub(self.filled_at).max(0) as f64;
            self.available = (self.available + elapsed * rate).min(burst);
            self.filled_at = now;
            // The tolerance is for sums of many small fractions.
            if self.available < 1.0 - 1e-6 {
                return Err(wait(((1.0 - self.available) / rate).ceil() as i64));
            }
            self.available = (self.available - 1.0).max(0.0);
        }
        self.count(now);
        Ok(())
    }

    fn count(&mut self, now: i64) {
        let step = now.div_euclid(STEP_MILLISECONDS);
        if let Some(sent) = self.sent.get_mut(step.rem_euclid(STEPS as i64) as usize) {
            let before = if sent.0 == step { sent.1 } else { 0 };
            *sent = (step, before + 1);
        }
    }

    /// How many requests were sent in the last 30 seconds, to the nearest three seconds.
    pub fn sent(&self, now: i64) -> u32 {
        let step = now.div_euclid(STEP_MILLISECONDS);
        let recent = self
            .sent
            .iter()
            .filter(|(at, _)| *at > step - STEPS as i64 && *at <= step);
        recent.map(|(_, count)| count).sum()
    }

    /// How many may be sent in 30 seconds; `None`: no limit.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// The service asked to wait: nothing is sent until then, for requests made meanwhile count against us.
    pub fn silence(&mut self, now: i64, wait: Duration) {
        let until = now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        self.silent_until = self.silent_until.max(until);
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, time::Duration};

    use proptest::prelude::*;

    use super::Budget;

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_limit(
            limit in 1u32..400,
            pauses in prop::collection::vec(0i64..400, 1..3_000),
        ) {
            let mut budget = Budget::new(Some(limit), 0);
            let (mut now, mut sent) = (0, VecDeque::new());
            for pause in pauses {
                now += pause;
                while sent.front().is_some_and(|at| *at <= now - 30_000) {
                    sent.pop_front();
                }
                if budget.take(now).is_ok() {
                    sent.push_back(now);
                }
                prop_assert!(sent.len() <= limit as usize + 1);
            }
        }

        #[test]
        fn after_the_named_wait_there_is_a_request(limit in 1u32..2_000, tries in 1usize..500) {
            let mut budget = Budget::new(Some(limit), 0);
            let mut now = 0;
            for _ in 0..tries {
                if let Err(wait) = budget.take(now) {
                    now += wait.as_millis() as i64;
                    prop_assert!(budget.take(now).is_ok());
                }
            }
        }
    }

    #[test]
    fn what_was_sent_in_the_window_is_counted_with_and_without_a_limit() {
        for limit in [None, Some(1_500)] {
            let mut budget = Budget::new(limit, 0);
            for second in 0..60 {
                budget.take(second * 1_000).unwrap();
            }
            assert_eq!(budget.sent(59_999), 30, "{limit:?}");
            assert_eq!(budget.sent(75_000), 15 - 3, "{limit:?}");
            assert_eq!(budget.sent(200_000), 0, "{limit:?}");
        }
    }

    #[test]
    fn a_service_that_asks_for_silence_gets_it() {
        let mut budget = Budget::new(None, 0);
        assert!(budget.take(0).is_ok());
        budget.silence(0, Duration::from_secs(10));
        assert_eq!(budget.take(4_000), Err(Duration::from_secs(6)));
        assert!(budget.take(10_000).is_ok());
    }
}
