//! Queue of a tenant's writes: at most one pending write per person and slot, the latest, and at most one request per
//! person in flight. A failed write rests before its retry and is replaced by a newer one. Only its own slot rests: a
//! refused Do not disturb does not delay the person's calls.
//!
//! The most urgent write goes first; after a number of other writes each ranks with starts of calls ([`Priority`]). A write
//! that is cleared before it was sent is not sent, and neither is the clear if Teams is known to hold no write of ours.
//!
//! An outage ends for all writes at once: while writes fail, one resting write is retried every two seconds, and its
//! success ends the rest of all others. A write that fails while others succeed rests by its own backoff only.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use pace::{Pace, Rest};

#[cfg(doc)]
use crate::Priority;
use crate::{BATCH_MAX, Budget, Operation, Purpose, Slot};

mod pace;

/// A write that may be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending<T> {
    /// Entra object id of the person.
    pub user: Arc<str>,
    /// The write.
    pub operation: Operation,
    /// Time since the write was added, or since the oldest write that it replaced was added.
    pub waited: Duration,
    /// Value that the caller passed to [`WriteQueue::push`].
    pub tag: T,
}

/// Outcome of a sent write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Graph acknowledged the write.
    Done,
    /// Graph answered a clear with 404, which does not prove that the slot is empty.
    NothingToClear,
    /// Retry, after the time that the service asked for, else after backoff.
    Retry(Option<Duration>),
    /// The write can never succeed.
    GiveUp,
}

/// Result of [`WriteQueue::push`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushResult {
    /// The write waits to be sent.
    Queued,
    /// The write clears one that was never sent: neither is sent, and both count as done.
    Cancelled,
}

/// Result of [`WriteQueue::finish`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishResult {
    /// The write is finished.
    Over,
    /// The write is retried, or a newer one replaces it.
    Queued,
    /// The write failed after [`WriteQueue::release`]; the failure has no consequence.
    Released,
}

/// Next step of the sender.
#[derive(Debug)]
pub enum Next<T> {
    /// Send this write; its token was taken from the budget.
    Write(Pending<T>),
    /// Wait this long for the budget.
    Budget(Duration),
    /// Wait until this time, in milliseconds, or until a write is added.
    Nothing(Option<i64>),
}

/// Writes that wait for the budget only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Number of writes.
    pub writes: usize,
    /// Longest wait of a write for the budget; rests after failures are not counted.
    pub oldest: Duration,
}

#[derive(Debug)]
struct Entry<T> {
    operation: Operation,
    sequence: u64,
    /// Number of writes that had been sent when this one was added.
    came_after: u64,
    /// Time at which this write, or the oldest write that it replaced, was added.
    since: i64,
    tag: T,
}

impl<T> Entry<T> {
    fn turn(&self, user: &Arc<str>) -> Turn {
        let gives_way = self.operation.priority().gives_way();
        let turn = gives_way.map(|writes| self.came_after + writes);
        (turn, self.sequence, user.clone(), self.operation.slot())
    }
}

#[derive(Debug)]
struct User<T> {
    waiting: [Option<Entry<T>>; 2],
    in_flight: Option<Entry<T>>,
    /// The clear in flight is not retried if it fails.
    is_last_try: bool,
    paces: [Pace; 2],
}

impl<T> Default for User<T> {
    fn default() -> Self {
        Self {
            waiting: [None, None],
            in_flight: None,
            is_last_try: false,
            paces: [Pace::default(); 2],
        }
    }
}

impl<T> User<T> {
    fn pace(&self, slot: Slot) -> Pace {
        self.paces.get(slot as usize).copied().unwrap_or_default()
    }
}

/// Interval in milliseconds at which one write is tried while all writes fail.
const PROBE: i64 = 2_000;
/// Time in milliseconds during which writes are sent one by one after Graph refused a batch as a whole or left items
/// without an answer. Longer than the backoff of all its items.
const SINGLE_WRITES: i64 = 300_000;

/// Sort key of a write: the count of sent writes at which it is due, then the order of arrival.
type Turn = (Option<u64>, u64, Arc<str>, Slot);

/// Queue of writes. Times are milliseconds on any clock that does not run backwards.
#[derive(Debug)]
pub struct WriteQueue<T> {
    users: HashMap<Arc<str>, User<T>>,
    ready: BTreeSet<Turn>,
    resting: BTreeSet<(i64, Arc<str>, Slot)>,
    sequence: u64,
    /// Total number of writes sent.
    sent: u64,
    /// Slots for which Teams has acknowledged a clear, with no write sent since.
    empty: HashSet<(Arc<str>, Slot)>,
    /// Resting writes that the end of an outage wakes.
    outage: BTreeSet<(Arc<str>, Slot)>,
    probe_at: i64,
    succeeded_at: i64,
    /// Time from which writes may be batched again.
    batches_from: i64,
}

impl<T> Default for WriteQueue<T> {
    fn default() -> Self {
        Self {
            users: HashMap::new(),
            ready: BTreeSet::new(),
            resting: BTreeSet::new(),
            sequence: 0,
            sent: 0,
            empty: HashSet::new(),
            outage: BTreeSet::new(),
            probe_at: i64::MIN,
            succeeded_at: i64::MIN,
            batches_from: i64::MIN,
        }
    }
}

impl<T> WriteQueue<T> {
    /// Adds a write, which replaces a waiting write to the same slot.
    pub fn push(&mut self, now: i64, user: &Arc<str>, operation: Operation, tag: T) -> PushResult {
        self.sequence += 1;
        let mut write = Entry {
            operation,
            sequence: self.sequence,
            came_after: self.sent,
            since: now,
            tag,
        };
        let slot = operation.slot();
        let entry = self.users.entry(user.clone()).or_default();
        let Some(place) = entry.waiting.get_mut(slot as usize) else {
            return PushResult::Queued;
        };
        if let Some(replaced) = place.take() {
            self.ready.remove(&replaced.turn(user));
            let takes_back = operation.clears() && !replaced.operation.clears();
            let on_the_wire = entry.in_flight.as_ref();
            let on_the_wire = on_the_wire.is_some_and(|write| write.operation.slot() == slot);
            if takes_back && !on_the_wire && self.empty.contains(&(user.clone(), slot)) {
                self.forget_idle(user, slot);
                return PushResult::Cancelled;
            }
            write.operation = write.operation.instead_of(replaced.operation);
            // A person with frequent changes does not lose their place in the queue.
            write.came_after = replaced.came_after;
            write.since = replaced.since;
        }
        *place = Some(write);
        self.make_ready(now, user);
        PushResult::Queued
    }

    /// Drops a waiting clear of the slot. A clear in flight is not retried if it fails.
    pub fn release(&mut self, user: &Arc<str>, slot: Slot) {
        let Some(entry) = self.users.get_mut(user) else {
            return;
        };
        let clears = |write: &Entry<T>| write.operation.clears() && write.operation.slot() == slot;
        entry.is_last_try |= entry.in_flight.as_ref().is_some_and(clears);
        if let Some(place) = entry.waiting.get_mut(slot as usize)
            && let Some(dropped) = place.take_if(|write| clears(write))
        {
            self.ready.remove(&dropped.turn(user));
        }
        self.forget_idle(user, slot);
    }

    /// Returns the next write if the budget has a token for it.
    pub fn next(&mut self, now: i64, budget: &mut Budget) -> Next<T>
    where
        T: Clone,
    {
        self.wake(now);
        self.probe(now);
        if self.ready.is_empty() {
            return Next::Nothing(self.next_wake());
        }
        // Chosen after the token was granted, so that a more urgent write that arrived in between goes first.
        if let Err(wait) = budget.try_acquire(now, Purpose::Write) {
            return Next::Budget(wait);
        }
        match self.pop(now) {
            Some(write) => Next::Write(write),
            None => Next::Nothing(self.next_wake()),
        }
    }

    /// Returns the next write that may be sent. The write is in flight until [`WriteQueue::finish`].
    pub fn pop(&mut self, now: i64) -> Option<Pending<T>>
    where
        T: Clone,
    {
        self.wake(now);
        self.probe(now);
        let (_, _, user, slot) = self.ready.pop_first()?;
        let entry = self.users.get_mut(&user)?;
        let write = entry.waiting.get_mut(slot as usize)?.take()?;
        self.sent += 1;
        if !write.operation.clears() {
            self.empty.remove(&(user.clone(), slot));
        }
        let pending = Pending {
            user: user.clone(),
            operation: write.operation,
            waited: age(now, write.since),
            tag: write.tag.clone(),
        };
        entry.in_flight = Some(write);
        // The person's other write waits until this one is finished.
        for other in entry.waiting.iter().flatten() {
            self.ready.remove(&other.turn(&user));
        }
        Some(pending)
    }

    /// Records the outcome of the person's write in flight.
    pub fn finish(&mut self, now: i64, user: &Arc<str>, outcome: Outcome) -> FinishResult {
        let Some(entry) = self.users.get_mut(user) else {
            return FinishResult::Over;
        };
        let Some(mut write) = entry.in_flight.take() else {
            return FinishResult::Over;
        };
        let slot = write.operation.slot();
        let is_last_try = std::mem::take(&mut entry.is_last_try);
        if outcome == Outcome::Done && write.operation.clears() {
            self.empty.insert((user.clone(), slot));
        }
        let mut pace = entry.pace(slot);
        let finished = match outcome {
            Outcome::Done | Outcome::NothingToClear | Outcome::GiveUp => {
                pace.succeed();
                FinishResult::Over
            }
            Outcome::Retry(wait) => {
                pace.fail(now, wait, (self.succeeded_at, write.sequence));
                // After an outage, priorities decide on the order again.
                write.came_after = self.sent;
                match entry.waiting.get_mut(slot as usize) {
                    Some(None) if is_last_try => {}
                    Some(Some(newer)) => {
                        newer.operation = newer.operation.instead_of(write.operation);
                    }
                    Some(place) => *place = Some(write),
                    None => {}
                }
                match is_last_try {
                    true => FinishResult::Released,
                    false => FinishResult::Queued,
                }
            }
        };
        if let Some(place) = entry.paces.get_mut(slot as usize) {
            *place = pace;
        }
        if matches!(pace.rest, Rest::Outage(_)) {
            if self.outage.is_empty() {
                self.probe_at = now.saturating_add(PROBE);
            }
            self.outage.insert((user.clone(), slot));
        } else {
            self.outage.remove(&(user.clone(), slot));
        }
        self.forget_idle(user, slot);
        self.make_ready(now, user);
        if matches!(outcome, Outcome::Done | Outcome::NothingToClear) {
            self.succeeded_at = now;
            self.end_outage(now);
        }
        finished
    }

    /// Time at which [`WriteQueue::pop`] may next return a write, if none is ready now.
    pub fn next_wake(&self) -> Option<i64> {
        let rested = self.resting.first().map(|(at, ..)| *at);
        let probe = (!self.outage.is_empty()).then_some(self.probe_at);
        rested.into_iter().chain(probe).min()
    }

    /// Wakes all writes that rest because of the outage.
    fn end_outage(&mut self, now: i64) {
        for (user, slot) in std::mem::take(&mut self.outage) {
            self.end_rest(now, &user, slot);
        }
    }

    /// Wakes one resting write early while all writes fail.
    fn probe(&mut self, now: i64) {
        if !self.ready.is_empty() || now < self.probe_at {
            return;
        }
        let on_the_wire = |user: &Arc<str>| {
            let entry = self.users.get(user);
            entry.is_none_or(|entry| entry.in_flight.is_some())
        };
        let mut idle = self.outage.iter().filter(|(user, _)| !on_the_wire(user));
        if let Some((user, slot)) = idle.next().cloned() {
            self.probe_at = now.saturating_add(PROBE);
            self.end_rest(now, &user, slot);
        }
    }

    fn end_rest(&mut self, now: i64, user: &Arc<str>, slot: Slot) {
        let entry = self.users.get_mut(user);
        if let Some(pace) = entry.and_then(|entry| entry.paces.get_mut(slot as usize)) {
            self.resting.remove(&(pace.not_before, user.clone(), slot));
            pace.not_before = now;
            self.make_ready(now, user);
        }
    }

    /// True if there are enough writes for a batch and Graph answers batches as documented. Does not count writes
    /// that became ready after the last [`WriteQueue::pop`].
    pub fn may_batch(&self, now: i64) -> bool {
        self.ready.len() >= BATCH_MAX && now >= self.batches_from
    }

    /// Records that Graph refused a batch as a whole or left out items: writes are sent one by one for five minutes.
    pub fn batch_failed(&mut self, now: i64) {
        self.batches_from = now.saturating_add(SINGLE_WRITES);
    }

    /// End of the rest of the person's waiting write to a slot; `None` if no write waits.
    pub fn retry_at(&self, user: &Arc<str>, slot: Slot) -> Option<i64> {
        let entry = self.users.get(user)?;
        let waits = entry
            .waiting
            .get(slot as usize)
            .is_some_and(Option::is_some);
        waits.then_some(entry.pace(slot).not_before)
    }

    /// True if a write to the slot waits or is in flight.
    pub fn has_write(&self, user: &Arc<str>, slot: Slot) -> bool {
        self.users.get(user).is_some_and(|entry| {
            let mut writes = entry.waiting.iter().chain([&entry.in_flight]).flatten();
            writes.any(|write| write.operation.slot() == slot)
        })
    }

    /// True if Teams has acknowledged a clear of the slot, with no write sent since.
    pub fn is_cleared(&self, user: &Arc<str>, slot: Slot) -> bool {
        self.empty.contains(&(user.clone(), slot))
    }

    /// Counts the writes that wait for the budget only.
    pub fn backlog(&mut self, now: i64) -> Backlog {
        self.wake(now);
        let waiting = self.ready.iter().filter_map(|(_, _, user, slot)| {
            let entry = self.users.get(user)?;
            let write = entry.waiting.get(*slot as usize)?.as_ref()?;
            // The rest after a failure does not count as a wait for the budget.
            Some(write.since.max(entry.pace(*slot).not_before))
        });
        let since = waiting.min().unwrap_or(now);
        Backlog {
            writes: self.ready.len(),
            oldest: age(now, since),
        }
    }

    /// Forgets acknowledged clears of people that `is_known` rejects. Their writes stay.
    pub fn retain_known(&mut self, is_known: impl Fn(&str) -> bool) {
        self.empty.retain(|(user, _)| is_known(user));
    }

    /// Number of people with a write that waits or is in flight.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// True if no write waits or is in flight.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    fn make_ready(&mut self, now: i64, user: &Arc<str>) {
        let Some(entry) = self
            .users
            .get(user)
            .filter(|entry| entry.in_flight.is_none())
        else {
            return;
        };
        for write in entry.waiting.iter().flatten() {
            let slot = write.operation.slot();
            let not_before = entry.pace(slot).not_before;
            if not_before > now {
                self.resting.insert((not_before, user.clone(), slot));
            } else {
                self.ready.insert(write.turn(user));
            }
        }
    }

    /// Forgets the backoff of a slot without writes, and a person without writes.
    fn forget_idle(&mut self, user: &Arc<str>, slot: Slot) {
        let Some(entry) = self.users.get_mut(user) else {
            return;
        };
        let on_the_wire = entry.in_flight.as_ref();
        let on_the_wire = on_the_wire.is_some_and(|write| write.operation.slot() == slot);
        let waits = entry
            .waiting
            .get(slot as usize)
            .is_some_and(Option::is_some);
        if on_the_wire || waits {
            return;
        }
        if let Some(pace) = entry.paces.get_mut(slot as usize) {
            let Pace { not_before, .. } = std::mem::take(pace);
            self.resting.remove(&(not_before, user.clone(), slot));
            self.outage.remove(&(user.clone(), slot));
        }
        if entry.in_flight.is_none() && entry.waiting.iter().all(Option::is_none) {
            self.users.remove(user);
        }
    }

    fn wake(&mut self, now: i64) {
        while let Some((at, user, _)) = self.resting.first().cloned() {
            if at > now {
                return;
            }
            self.resting.pop_first();
            self.make_ready(now, &user);
        }
    }
}

fn age(now: i64, since: i64) -> Duration {
    Duration::from_millis(now.saturating_sub(since).max(0).unsigned_abs())
}

#[cfg(test)]
mod tests;
