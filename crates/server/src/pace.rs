//! How much is done for one stranger: so much at once after a quiet time, and so much a second in the long run.

use std::{collections::HashMap, hash::Hash, time::Duration};

/// Strangers that are remembered; beyond, those that have been quiet longest are forgotten.
const REMEMBERED_MAX: usize = 65_536;

/// What each of them has left.
#[derive(Debug)]
pub(crate) struct Pace<K> {
    /// What one has after having been quiet.
    burst: f64,
    /// What comes back in a second.
    per_second: f64,
    left: HashMap<K, Left>,
}

#[derive(Clone, Copy, Debug)]
struct Left {
    amount: f64,
    at: Duration,
}

impl<K: Eq + Hash> Pace<K> {
    pub(crate) fn new(burst: f64, per_second: f64) -> Self {
        Self {
            burst,
            per_second,
            left: HashMap::new(),
        }
    }

    /// Whether one has anything left.
    pub(crate) fn has_left(&self, now: Duration, key: &K) -> bool {
        self.now(now, self.left.get(key)) >= 1.0
    }

    /// Takes so much, also where there is less; whether there was anything. Nobody owes more than this one time.
    pub(crate) fn take(&mut self, now: Duration, key: K, cost: f64) -> bool {
        if self.left.len() >= REMEMBERED_MAX && !self.left.contains_key(&key) {
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

    /// All is well with this one: it has everything again.
    pub(crate) fn forgive(&mut self, key: &K) {
        self.left.remove(key);
    }

    /// Gives back what was taken for nothing.
    pub(crate) fn give_back(&mut self, key: &K, cost: f64) {
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

    /// Forgets those who may do everything again, or else everybody: who has little left then has all.
    fn make_room(&mut self, now: Duration) {
        let (burst, per_second) = (self.burst, self.per_second);
        self.left.retain(|_, left| {
            let since = now.saturating_sub(left.at).as_secs_f64();
            left.amount + since * per_second < burst
        });
        if self.left.len() >= REMEMBERED_MAX {
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

    fn taken(pace: &mut Pace<IpAddr>, now: Duration, address: IpAddr) -> usize {
        (0..200).filter(|_| pace.take(now, address, 1.0)).count()
    }

    #[test]
    fn everybody_has_a_pace_of_their_own_and_comes_back_with_time() {
        let mut pace = Pace::new(100.0, 10.0);
        assert_eq!(taken(&mut pace, SECOND, address(1)), 100);
        assert!(!pace.has_left(SECOND, &address(1)));
        assert_eq!(taken(&mut pace, SECOND * 3, address(1)), 19);
        assert_eq!(taken(&mut pace, SECOND * 60, address(1)), 100);
        assert!(pace.has_left(SECOND, &address(2)));
        pace.forgive(&address(1));
        assert_eq!(taken(&mut pace, SECOND * 60, address(1)), 100);
    }

    #[test]
    fn what_costs_much_is_owed_once() {
        let mut pace = Pace::new(100.0, 10.0);
        for _ in 0..5 {
            pace.take(SECOND, address(1), 50.0);
        }
        assert!(!pace.has_left(SECOND * 6, &address(1)));
        assert!(pace.has_left(SECOND * 7, &address(1)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut pace = Pace::new(100.0, 10.0);
        for number in 0..200_000_u32 {
            pace.take(SECOND, IpAddr::from(number.to_be_bytes()), 1.0);
        }
        assert!(pace.left.len() <= REMEMBERED_MAX);
    }
}
