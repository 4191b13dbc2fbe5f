//! Rate limits by key (token buckets): a burst after a quiet time, and a rate in the long run.

use std::{collections::HashMap, hash::Hash, time::Duration};

/// Keys that are remembered. Beyond that, keys with all their tokens are forgotten.
const KEYS_MAX: usize = 65_536;

/// The tokens of each key.
#[derive(Debug)]
pub struct RateLimit<K> {
    /// Tokens of a key that was quiet.
    burst: f64,
    /// Tokens that come back in a second.
    per_second: f64,
    left: HashMap<K, Left>,
}

#[derive(Clone, Copy, Debug)]
struct Left {
    amount: f64,
    at: Duration,
}

impl<K: Eq + Hash> RateLimit<K> {
    /// A limit of `burst` tokens, of which `per_second` come back.
    pub fn new(burst: f64, per_second: f64) -> Self {
        Self {
            burst,
            per_second,
            left: HashMap::new(),
        }
    }

    /// Whether the key has a token.
    pub fn has_left(&self, now: Duration, key: &K) -> bool {
        self.now(now, self.left.get(key)) >= 1.0
    }

    /// Takes `cost` tokens, also if the key has fewer; returns false if it had none. A key owes at most one cost.
    pub fn take(&mut self, now: Duration, key: K, cost: f64) -> bool {
        if self.left.len() >= KEYS_MAX && !self.left.contains_key(&key) {
            self.make_room(now);
        }
        let amount = self.now(now, self.left.get(&key));
        let left = Left {
            amount: (amount - cost).max(-cost),
            at: now,
        };
        self.left.insert(key, left);
        amount >= 1.0
    }

    /// Gives the key all its tokens.
    pub fn reset(&mut self, key: &K) {
        self.left.remove(key);
    }

    /// Gives tokens back.
    pub fn give_back(&mut self, key: &K, cost: f64) {
        if let Some(left) = self.left.get_mut(key) {
            left.amount = self.burst.min(left.amount + cost);
        }
    }

    fn now(&self, now: Duration, left: Option<&Left>) -> f64 {
        left.map_or(self.burst, |left| {
            let since = now.saturating_sub(left.at).as_secs_f64();
            self.burst.min(left.amount + since * self.per_second)
        })
    }

    /// Forgets keys with all their tokens; if there are none, all keys, which gives each its tokens back.
    fn make_room(&mut self, now: Duration) {
        let (burst, per_second) = (self.burst, self.per_second);
        self.left.retain(|_, left| {
            let since = now.saturating_sub(left.at).as_secs_f64();
            left.amount + since * per_second < burst
        });
        if self.left.len() >= KEYS_MAX {
            self.left.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn taken(limit: &mut RateLimit<IpAddr>, now: Duration, address: IpAddr) -> usize {
        (0..200).filter(|_| limit.take(now, address, 1.0)).count()
    }

    #[test]
    fn everybody_has_a_limit_of_their_own_and_comes_back_with_time() {
        let mut limit = RateLimit::new(100.0, 10.0);
        assert_eq!(taken(&mut limit, SECOND, address(1)), 100);
        assert!(!limit.has_left(SECOND, &address(1)));
        assert_eq!(taken(&mut limit, SECOND * 3, address(1)), 19);
        assert_eq!(taken(&mut limit, SECOND * 60, address(1)), 100);
        assert!(limit.has_left(SECOND, &address(2)));
        limit.reset(&address(1));
        assert_eq!(taken(&mut limit, SECOND * 60, address(1)), 100);
    }

    #[test]
    fn what_costs_much_is_owed_once() {
        let mut limit = RateLimit::new(100.0, 10.0);
        for _ in 0..5 {
            limit.take(SECOND, address(1), 50.0);
        }
        assert!(!limit.has_left(SECOND * 6, &address(1)));
        assert!(limit.has_left(SECOND * 7, &address(1)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut limit = RateLimit::new(100.0, 10.0);
        for number in 0..200_000_u32 {
            limit.take(SECOND, IpAddr::from(number.to_be_bytes()), 1.0);
        }
        assert!(limit.left.len() <= KEYS_MAX);
    }
}
