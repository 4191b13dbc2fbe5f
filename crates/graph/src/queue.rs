//! The queue of writes of one tenant: at most one pending write per person and slot, the latest; one request per person
//! on the wire; failures wait by themselves and are overtaken by newer wishes.
//!
//! An outage ends for all at once: while writes fail, one of those that rest is tried every two seconds, and its success ends
//! the rest of all others. A write that fails while others succeed has trouble of its own and only its own patience.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use crate::{Operation, Priority, Slot, backoff};

/// A write that may be sent now. `tag` is the caller's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending<T> {
    /// Entra object id of the person.
    pub user: Arc<str>,
    /// What to write.
    pub operation: Operation,
    /// The caller's own.
    pub tag: T,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Acknowledged.
    Done,
    /// Try again, after the time that the service named or after our own.
    Retry(Option<Duration>),
    /// It will never succeed.
    GiveUp,
}

#[derive(Debug)]
struct Entry<T> {
    operation: Operation,
    sequence: u64,
    tag: T,
}

#[derive(Debug)]
struct User<T> {
    waiting: [Option<Entry<T>>; 2],
    in_flight: Option<Entry<T>>,
    attempts: u32,
    not_before: i64,
    rest: Rest,
}

/// Why a person's writes rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// They do not, or never failed.
    None,
    /// The last one failed at this time, as far as is known together with all others.
    Outage(i64),
    /// Others succeed, this one fails.
    OwnTrouble,
    /// Somebody said how long to wait: the service, or who knows that nothing changes before.
    Asked,
}

/// While everything fails, one write is tried so often.
const PROBE: i64 = 2_000;

type Place = (Priority, u64, Arc<str>, Slot);

/// The queue. Times are milliseconds on any clock that does not run backwards.
#[derive(Debug)]
pub struct WriteQueue<T> {
    users: HashMap<Arc<str>, User<T>>,
    ready: BTreeSet<Place>,
    resting: BTreeSet<(i64, Arc<str>)>,
    sequence: u64,
    /// Those of the resting who wait for the end of an outage.
    outage: BTreeSet<Arc<str>>,
    probe_at: i64,
    succeeded_at: i64,
}

impl<T> Default for WriteQueue<T> {
    fn default() -> Self {
        Self {
            users: HashMap::new(),
            ready: BTreeSet::new(),
            resting: BTreeSet::new(),
            sequence: 0,
            outage: BTreeSet::new(),
            probe_at: i64::MIN,
            succeeded_at: i64::MIN,
        }
    }
}

impl<T> WriteQueue<T> {
    /// Adds a write; what waited for the same slot is replaced.
    pub fn push(&mut self, now: i64, user: &Arc<str>, operation: Operation, tag: T) {
        self.sequence += 1;
        let sequence = self.sequence;
        let entry = self.users.entry(user.clone()).or_insert_with(|| User {
            waiting: [None, None],
            in_flight: None,
            attempts: 0,
            not_before: now,
            rest: Rest::None,
        });
        let slot = operation.slot();
        let Some(place) = entry.waiting.get_mut(slot as usize) else {
            return;
        };
        if let Some(replaced) = place.replace(Entry {
            operation,
            sequence,
            tag,
        }) {
            self.ready.remove(&(
                replaced.operation.priority(),
                replaced.sequence,
                user.clone(),
                slot,
            ));
        }
        self.make_ready(now, user);
    }

    /// The next write that may be sent. It counts as on the wire until [`WriteQueue::finish`].
    pub fn pop(&mut self, now: i64) -> Option<Pending<T>>
    where
        T: Clone,
    {
        self.wake(now);
        self.probe(now);
        let (_, _, user, slot) = self.ready.pop_first()?;
        let entry = self.users.get_mut(&user)?;
        let write = entry.waiting.get_mut(slot as usize)?.take()?;
        let pending = Pending {
            user: user.clone(),
            operation: write.operation,
            tag: write.tag.clone(),
        };
        entry.in_flight = Some(write);
        // The person's other write waits its turn.
        for (slot, other) in [Slot::Session, Slot::Preferred]
            .into_iter()
            .zip(&entry.waiting)
        {
            if let Some(other) = other {
                self.ready.remove(&(
                    other.operation.priority(),
                    other.sequence,
                    user.clone(),
                    slot,
                ));
            }
        }
        Some(pending)
    }

    /// Says what became of the person's write on the wire. Returns whether a failed one was overtaken by a newer wish.
    pub fn finish(&mut self, now: i64, user: &Arc<str>, outcome: Outcome) {
        let Some(entry) = self.users.get_mut(user) else {
            return;
        };
        let Some(write) = entry.in_flight.take() else {
            return;
        };
        match outcome {
            Outcome::Done | Outcome::GiveUp => {
                entry.attempts = 0;
                entry.not_before = now;
                entry.rest = Rest::None;
            }
            Outcome::Retry(wait) => {
                entry.rest = match (entry.rest, wait) {
                    (_, Some(_)) => Rest::Asked,
                    (Rest::Outage(before), None) if before < self.succeeded_at => Rest::OwnTrouble,
                    (Rest::OwnTrouble, None) => Rest::OwnTrouble,
                    (_, None) => Rest::Outage(now),
                };
                entry.attempts = entry.attempts.saturating_add(1);
                let wait = wait.unwrap_or_else(|| backoff(entry.attempts, write.sequence));
                entry.not_before =
                    now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                if let Some(place) = entry.waiting.get_mut(write.operation.slot() as usize) {
                    place.get_or_insert(write);
                }
            }
        }
        if matches!(entry.rest, Rest::Outage(_)) {
            if self.outage.is_empty() {
                self.probe_at = now.saturating_add(PROBE);
            }
            self.outage.insert(user.clone());
        } else {
            self.outage.remove(user);
        }
        if entry.waiting.iter().all(Option::is_none) {
            self.users.remove(user);
            self.outage.remove(user);
        } else {
            self.make_ready(now, user);
        }
        if outcome == Outcome::Done {
            self.succeeded_at = now;
            self.end_outage(now);
        }
    }

    /// When [`WriteQueue::pop`] may give something, if nothing is ready now.
    pub fn next_wake(&self) -> Option<i64> {
        let rested = self.resting.first().map(|(at, _)| *at);
        let probe = (!self.outage.is_empty()).then_some(self.probe_at);
        rested.into_iter().chain(probe).min()
    }

    /// The service is back: what rested because of it goes on.
    fn end_outage(&mut self, now: i64) {
        for user in std::mem::take(&mut self.outage) {
            self.end_rest(now, &user);
        }
    }

    /// Everything fails: one is tried before its time.
    fn probe(&mut self, now: i64) {
        if !self.ready.is_empty() || now < self.probe_at {
            return;
        }
        let on_the_wire = |user: &Arc<str>| {
            let entry = self.users.get(user);
            entry.is_none_or(|entry| entry.in_flight.is_some())
        };
        if let Some(user) = self.outage.iter().find(|user| !on_the_wire(user)).cloned() {
            self.probe_at = now.saturating_add(PROBE);
            self.end_rest(now, &user);
        }
    }

    fn end_rest(&mut self, now: i64, user: &Arc<str>) {
        if let Some(entry) = self.users.get_mut(user) {
            self.resting.remove(&(entry.not_before, user.clone()));
            entry.not_before = now;
            self.make_ready(now, user);
        }
    }

    /// How many writes may be sent now, as far as is known: those whose rest ended since the last [`WriteQueue::pop`] are
    /// not among them.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// People with a write that waits or is on the wire.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Nothing waits and nothing is on the wire.
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
        if entry.not_before > now {
            self.resting.insert((entry.not_before, user.clone()));
            return;
        }
        for (slot, write) in [Slot::Session, Slot::Preferred]
            .into_iter()
            .zip(&entry.waiting)
        {
            if let Some(write) = write {
                self.ready.insert((
                    write.operation.priority(),
                    write.sequence,
                    user.clone(),
                    slot,
                ));
            }
        }
    }

    fn wake(&mut self, now: i64) {
        while let Some((at, user)) = self.resting.first().cloned() {
            if at > now {
                return;
            }
            self.resting.pop_first();
            self.make_ready(now, &user);
        }
    }
}

#[cfg(test)]
mod tests;
