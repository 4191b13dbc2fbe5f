//! When which subscription has something to do. Entries are never looked for: one whose time has come and who has nothing to
//! do is passed over, so that a renewal costs nothing here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use crate::transaction::T1;

/// The time of one NOTIFY's first repetition, and which NOTIFY it was.
type First = (Duration, u32, u64);

#[derive(Debug, Default)]
pub(super) struct Timers {
    /// Ends of subscriptions, by the second.
    expiries: BTreeMap<u32, Vec<u32>>,
    /// First repetitions: all after the same time, so that they come in order.
    first: VecDeque<First>,
    /// Further repetitions, and NOTIFYs that wait for their interval.
    later: BinaryHeap<Reverse<(Duration, u32)>>,
}

impl Timers {
    pub(super) fn next(&self) -> Option<Duration> {
        let expiry = self
            .expiries
            .first_key_value()
            .map(|(second, _)| Duration::from_secs((*second).into()));
        let first = self.first.front().map(|(at, ..)| *at);
        let later = self.later.peek().map(|Reverse((at, _))| *at);
        [expiry, first, later].into_iter().flatten().min()
    }

    /// A subscription ends at that second, unless it is renewed.
    pub(super) fn expire(&mut self, second: u32, id: u32) {
        self.expiries.entry(second).or_default().push(id);
    }

    /// A NOTIFY was sent over UDP.
    pub(super) fn sent(&mut self, now: Duration, id: u32, serial: u64) {
        self.first.push_back((now + T1, id, serial));
    }

    /// Something else is to be done at that time.
    pub(super) fn later(&mut self, at: Duration, id: u32) {
        self.later.push(Reverse((at, id)));
    }

    /// Subscriptions that may have ended.
    pub(super) fn ended(&mut self, now: Duration) -> Option<(u32, Vec<u32>)> {
        let entry = self.expiries.first_entry()?;
        let due = Duration::from_secs((*entry.key()).into()) <= now;
        due.then(|| entry.remove_entry())
    }

    /// A NOTIFY that may have to be repeated for the first time.
    pub(super) fn unanswered(&mut self, now: Duration) -> Option<(u32, u64)> {
        let (at, ..) = self.first.front()?;
        if *at > now {
            return None;
        }
        self.first.pop_front().map(|(_, id, serial)| (id, serial))
    }

    /// A subscription with something else to do.
    pub(super) fn due(&mut self, now: Duration) -> Option<u32> {
        let Reverse((at, _)) = self.later.peek()?;
        if *at > now {
            return None;
        }
        self.later.pop().map(|Reverse((_, id))| id)
    }
}
