//! Rate limits: the calls of an application in a tenant within a sliding window.
//!
//! Pure. Refused calls count as well, so that a client that does not wait stays throttled.

use std::{collections::HashMap, sync::Arc};

use crate::duration::{Milliseconds, SECOND};

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Bucket {
    /// Reads and writes of presence.
    Presence,
    /// Creation, change and deletion of subscriptions.
    Subscriptions,
    /// Lists of subscriptions.
    SubscriptionLists,
    /// Reads of the directory, in resource units.
    Directory,
}

impl Bucket {
    const fn window(self) -> Milliseconds {
        match self {
            Self::Presence => 30 * SECOND,
            Self::Subscriptions | Self::SubscriptionLists => 20 * SECOND,
            Self::Directory => 10 * SECOND,
        }
    }
}

/// The calls in each second of a window.
#[derive(Debug, Default)]
struct Counts {
    /// Each second with its calls, the newest last.
    seconds: Vec<(i64, u64)>,
}

/// All windows of a tenant, by application.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    counts: HashMap<(Arc<str>, Bucket), Counts>,
}

impl Throttle {
    /// Counts a call; returns the time to wait if it exceeds the limit. A limit of 0 means no limit.
    pub(crate) fn call(
        &mut self,
        app: &Arc<str>,
        bucket: Bucket,
        units: u64,
        limit: u64,
        now: Milliseconds,
    ) -> Option<Milliseconds> {
        if limit == 0 {
            return None;
        }
        let counts = self.counts.entry((Arc::clone(app), bucket)).or_default();
        let second = now.div_euclid(SECOND);
        let oldest = (now - bucket.window()).div_euclid(SECOND);
        counts.seconds.retain(|(at, _)| *at > oldest);
        match counts.seconds.last_mut() {
            Some((at, calls)) if *at == second => *calls += units,
            _ => counts.seconds.push((second, units)),
        }
        let mut total: u64 = counts.seconds.iter().map(|(_, calls)| calls).sum();
        if total <= limit {
            return None;
        }
        // The wait ends when enough of the oldest calls have left the window.
        for (at, calls) in &counts.seconds {
            total -= calls;
            if total < limit {
                return Some((at * SECOND + bucket.window() - now).max(SECOND));
            }
        }
        Some(bucket.window())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: &str) -> Arc<str> {
        name.into()
    }

    #[test]
    fn rule_56_the_limit_holds_per_application_and_ends_with_the_wait() {
        let mut throttle = Throttle::default();
        let mut call = |name: &str, now| throttle.call(&app(name), Bucket::Presence, 1, 1_500, now);
        for number in 0..1_500 {
            assert_eq!(call("x", number), None);
        }
        let wait = call("x", 1_500).unwrap();
        assert_eq!(call("y", 1_500), None, "others have their own");
        assert!((28_000..=31_000).contains(&wait), "{wait}");
        assert!(call("x", 1_500 + wait - 1_001).is_some());
        assert_eq!(call("x", 1_500 + wait), None);
    }

    #[test]
    fn who_hammers_stays_out() {
        let mut throttle = Throttle::default();
        for second in 0..120 {
            let refused = (0..10)
                .filter(|_| {
                    throttle
                        .call(&app("x"), Bucket::SubscriptionLists, 1, 25, second * SECOND)
                        .is_some()
                })
                .count();
            assert!(second < 3 || refused == 10, "{second}: {refused}");
        }
    }
}
