//! Changes of people between the broadcast of events and the task of the presence server.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use presence::PersonId;
use runtime::events::{Change, Event, Reset};
use telephony::sip_server::Wake;

/// Changes that the presence server has not handled yet. Bounded by the number of people: a person is listed once.
#[derive(Debug, Default)]
pub(super) struct Changes {
    people: Mutex<BTreeMap<PersonId, Concern>>,
    /// Set when names or lines changed, or a person was added or deleted: lists have other members.
    pub(super) lists: AtomicBool,
    /// Set when many watchers may see more or less of many people than before.
    pub(super) all: AtomicBool,
    /// Wakes the presence server.
    pub(super) wake: Wake,
}

/// What watchers of a changed person must receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Concern {
    /// A new document of the same class.
    Document,
    /// A document of another class: the watcher may see more or less than before.
    Class,
}

impl Changes {
    /// Records an event of the broadcast.
    pub(super) fn record(&self, event: &Event) {
        match &event.change {
            Change::Presence(change) => {
                if change.previous.is_none() {
                    self.lists.store(true, Ordering::Release);
                }
                self.record_person(change.person, Concern::Document);
            }
            Change::Person(person) | Change::Removed(person) => {
                self.lists.store(true, Ordering::Release);
                self.record_person(*person, Concern::Document);
            }
            Change::Visibility(owner, _) => self.record_person(*owner, Concern::Class),
            Change::Reset(Reset::Among(people)) => {
                self.lists.store(true, Ordering::Release);
                for person in &**people {
                    self.record_person(*person, Concern::Class);
                }
                self.wake.wake();
            }
            Change::Reset(Reset::Everyone) => {
                self.all.store(true, Ordering::Release);
                self.wake.wake();
            }
        }
    }

    fn record_person(&self, person: PersonId, concern: Concern) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        match people.get_mut(&person) {
            Some(recorded) => *recorded = concern.max(*recorded),
            None => {
                people.insert(person, concern);
                self.wake.wake();
            }
        }
    }

    /// Removes at most `limit` people who changed, and returns them.
    pub(super) fn take(&self, limit: usize) -> Vec<(PersonId, Concern)> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| people.pop_first())
            .take(limit)
            .collect()
    }
}
