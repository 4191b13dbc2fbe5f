//! Deadlines of subscriptions. Entries are never searched: an entry that is due for a subscription without anything to do is
//! skipped, so that a renewal costs nothing here.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    time::Duration,
};

use crate::transaction::T1;

/// The time of a NOTIFY's first repetition, the subscription, and the serial number of the NOTIFY.
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

    /// Adds the end of a subscription, in seconds.
    pub(super) fn expire(&mut self, second: u32, id: u32) {
        self.expiries.entry(second).or_default().push(id);
    }

    /// Adds the first repetition of a NOTIFY sent over UDP.
    pub(super) fn sent(&mut self, now: Duration, id: u32, serial: u64) {
        self.first.push_back((now + T1, id, serial));
    }

    /// Adds another deadline of a subscription.
    pub(super) fn later(&mut self, at: Duration, id: u32) {
        self.later.push(Reverse((at, id)));
    }

    /// The next subscriptions that may have ended.
    pub(super) fn ended(&mut self, now: Duration) -> Option<(u32, Vec<u32>)> {
        let entry = self.expiries.first_entry()?;
        let due = Duration::from_secs((*entry.key()).into()) <= now;
        due.then(|| entry.remove_entry())
    }

    /// The next NOTIFY that may need its first repetition.
    pub(super) fn unanswered(&mut self, now: Duration) -> Option<(u32, u64)> {
        let (at, ..) = self.first.front()?;
        if *at > now {
            return None;
        }
        self.first.pop_front().map(|(_, id, serial)| (id, serial))
    }

    /// The next subscription with another deadline.
    pub(super) fn due(&mut self, now: Duration) -> Option<u32> {
        let Reverse((at, _)) = self.later.peek()?;
        if *at > now {
            return None;
        }
        self.later.pop().map(|Reverse((_, id))| id)
    }
}
