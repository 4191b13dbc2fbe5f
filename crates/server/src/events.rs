//! The sink towards clients: keeps everybody's latest presence, and tells changes to whoever listens.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
};

use presence::{PersonId, Presence, Relationship, Timestamp};
use tokio::{sync::broadcast, time::Instant};

use crate::{
    history::History,
    metrics::Metrics,
    organisation::{Membership, Organisation},
};

/// Changes kept for a client that reconnects; older ones make it read everything again.
const HISTORY_MAX: usize = 8_192;
/// Changes that a slow client may be behind before it must read everything again.
const BEHIND_MAX: usize = 8_192;

/// One change, as clients and phones receive it.
#[derive(Clone, Debug)]
pub struct Event {
    /// Grows by one with each change. Never sent to a viewer as it is: it counts changes that the viewer may not see.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// What changed.
    pub change: Change,
}

/// What changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// The presence of a person.
    Presence(Box<PresenceChange>),
    /// Name, addresses or lines of a person.
    Person(PersonId),
    /// A person was deleted.
    Removed(PersonId),
    /// How much viewers may see of one person, with what held before.
    Visibility(PersonId, VisibilityBefore),
    /// So much that viewers must read everything again.
    Reset(Reset),
}

/// A change of a person's presence.
#[derive(Clone, Debug)]
pub struct PresenceChange {
    /// The person.
    pub person: PersonId,
    /// The presence before; `None`: the person is new.
    pub previous: Option<Presence>,
    /// The presence from now on.
    pub now: Presence,
    /// Its text for viewers.
    pub told: Told,
}

/// What decided before how much viewers may see of a person.
#[derive(Clone, Debug)]
pub enum VisibilityBefore {
    /// This viewer had this relationship. Nothing changed for others.
    Relationship(PersonId, Relationship),
    /// The place of the person, which decided for every viewer.
    Membership(Membership),
}

/// Which relationships changed, so that viewers must read everything again.
#[derive(Clone, Debug)]
pub enum Reset {
    /// Any.
    Everyone,
    /// Only those between these people.
    Among(Arc<BTreeSet<PersonId>>),
}

impl Event {
    /// The person that it is about; `None` if it is about many.
    pub const fn person(&self) -> Option<PersonId> {
        match &self.change {
            Change::Presence(change) => Some(change.person),
            Change::Person(person) | Change::Removed(person) | Change::Visibility(person, _) => {
                Some(*person)
            }
            Change::Reset(_) => None,
        }
    }

    /// The change of a presence, if it is one.
    pub fn presence(&self) -> Option<&PresenceChange> {
        match &self.change {
            Change::Presence(change) => Some(change),
            Change::Person(_) | Change::Removed(_) | Change::Visibility(..) | Change::Reset(_) => {
                None
            }
        }
    }
}

impl Reset {
    /// Whether it concerns a viewer; API keys and the installation's administrator are no person.
    pub fn concerns(&self, viewer: Option<PersonId>) -> bool {
        match self {
            Self::Everyone => true,
            Self::Among(people) => viewer.is_some_and(|viewer| people.contains(&viewer)),
        }
    }
}

/// What is told of an event to whom it may be told, made once for all viewers of a level.
#[derive(Clone, Debug, Default)]
pub struct Told([OnceLock<String>; Relationship::ALL.len()]);

impl Told {
    /// The text for a level; `make` makes the first one.
    pub fn to(&self, level: Relationship, make: impl FnOnce() -> String) -> &str {
        self.0[level as usize].get_or_init(make)
    }
}

#[derive(Debug, Default)]
struct State {
    revision: u64,
    presences: BTreeMap<PersonId, Presence>,
    history: VecDeque<Arc<Event>>,
    past: History,
}

type Observer = Box<dyn Fn(&Event) + Send + Sync>;

/// Who is told at once, while the change is made.
#[derive(Default)]
struct Observers(RwLock<Vec<Observer>>);

impl std::fmt::Debug for Observers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observers").finish_non_exhaustive()
    }
}

/// Everybody's presence and its changes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Events {
    state: Arc<Mutex<State>>,
    observers: Arc<Observers>,
    sender: broadcast::Sender<Arc<Event>>,
    metrics: Arc<Metrics>,
    /// Says what is remembered of whom.
    organisation: Organisation,
}

/// What a listener starts with.
#[derive(Debug)]
pub struct Listening {
    /// Changes since the revision that it named; `None`: too old, everything must be read again.
    pub missed: Option<Vec<Arc<Event>>>,
    /// The revision as of now.
    pub revision: u64,
    /// What comes.
    pub receiver: broadcast::Receiver<Arc<Event>>,
}

impl Events {
    /// Nobody yet. Revisions go on from `revision`.
    pub fn new(metrics: Arc<Metrics>, revision: u64, organisation: Organisation) -> Self {
        let state = State {
            revision,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            observers: Arc::default(),
            sender: broadcast::Sender::new(BEHIND_MAX),
            metrics,
            organisation,
        }
    }

    /// Tells a change.
    pub fn publish(
        &self,
        person: PersonId,
        presence: Presence,
        now: Timestamp,
        answered_at: Option<Instant>,
    ) {
        if let Some(answered_at) = answered_at {
            self.metrics.teams_to_event.observe(answered_at);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = self.organisation.remembered(person, &presence);
        state.past.note(person, now, remembered);
        let previous = state.presences.insert(person, presence.clone());
        self.metrics
            .people
            .set(i64::try_from(state.presences.len()).unwrap_or(i64::MAX));
        let change = PresenceChange {
            person,
            previous,
            now: presence,
            told: Told::default(),
        };
        self.tell(&mut state, now, Change::Presence(Box::new(change)));
    }

    /// Forgets a person who was deleted, and notifies clients.
    pub fn remove(&self, person: PersonId, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let known = state.presences.remove(&person).is_some();
        state.past.forget(person);
        if known {
            self.tell(&mut state, now, Change::Removed(person));
        }
    }

    /// Notifies clients of new names or lines of a person.
    pub fn person_changed(&self, person: PersonId, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.tell(&mut state, now, Change::Person(person));
    }

    /// Notifies the viewers concerned that they may see more or less of a person than before.
    pub fn visibility_changed(&self, owner: PersonId, before: VisibilityBefore, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.tell(&mut state, now, Change::Visibility(owner, before));
    }

    /// What was shown before this start, from the store.
    pub fn remember(&self, person: PersonId, past: Vec<(Timestamp, Presence)>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.past.recall(person, past);
    }

    /// Makes viewers read everything again.
    pub fn reset(&self, reset: Reset, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.tell(&mut state, now, Change::Reset(reset));
    }

    fn tell(&self, state: &mut State, at: Timestamp, change: Change) {
        state.revision += 1;
        let event = Arc::new(Event {
            revision: state.revision,
            at,
            change,
        });
        if state.history.len() == HISTORY_MAX {
            state.history.pop_front();
        }
        state.history.push_back(event.clone());
        let observers = &self.observers.0;
        for observer in &*observers.read().unwrap_or_else(PoisonError::into_inner) {
            observer(&event);
        }
        // Nobody listens: nobody to tell. Sent under the lock, so that listeners see revisions in order.
        let _ = self.sender.send(event);
    }

    /// Has this called with every change, for as long as the server runs: sooner than any listener wakes, and without one
    /// ever falling behind. It holds everybody up, and must not ask for anything here.
    pub fn observe(&self, observer: impl Fn(&Event) + Send + Sync + 'static) {
        let observers = &self.observers.0;
        let mut observers = observers.write().unwrap_or_else(PoisonError::into_inner);
        observers.push(Box::new(observer));
    }

    /// A person's presence.
    pub fn presence(&self, person: PersonId) -> Option<Presence> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .presences
            .get(&person)
            .cloned()
    }

    /// What was shown of a person in the last 24 hours, the oldest first.
    pub fn past(&self, person: PersonId) -> Vec<(Timestamp, Presence)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.past.of(person)
    }

    /// Whether a row of the person's history begins at this moment.
    pub fn begins_row(&self, person: PersonId, at: Timestamp) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.past.begins(person, at)
    }

    /// Everybody's presence and the revision that it belongs to.
    pub fn all(&self) -> (u64, BTreeMap<PersonId, Presence>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.revision, state.presences.clone())
    }

    /// Begins to listen, after `since` if that is still known.
    pub fn listen(&self, since: Option<u64>) -> Listening {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = state
            .history
            .front()
            .map_or(state.revision + 1, |event| event.revision);
        let missed = match since {
            None => Some(Vec::new()),
            Some(since) if since > state.revision || since + 1 < oldest => None,
            Some(since) => Some(
                state
                    .history
                    .iter()
                    .filter(|event| event.revision > since)
                    .cloned()
                    .collect(),
            ),
        };
        Listening {
            missed,
            revision: state.revision,
            receiver: self.sender.subscribe(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use presence::{PersonId, Timestamp};

    use super::{Events, HISTORY_MAX, Organisation};
    use crate::fixtures::busy;

    #[test]
    fn a_client_that_returns_gets_what_it_missed_or_starts_anew() {
        let events = Events::new(Arc::default(), 0, Organisation::default());
        for person in 0..3 {
            events.publish(PersonId(person), busy(), Timestamp::default(), None);
        }
        let missed = |since| events.listen(since).missed.map(|missed| missed.len());
        assert_eq!(missed(None), Some(0));
        assert_eq!(missed(Some(1)), Some(2));
        assert_eq!(missed(Some(0)), Some(3));
        assert_eq!(missed(Some(4)), None, "of another run of the server");
        for _ in 0..HISTORY_MAX {
            events.publish(PersonId(1), busy(), Timestamp::default(), None);
        }
        assert_eq!(missed(Some(1)), None);
        assert_eq!(missed(Some(3)), Some(HISTORY_MAX));
    }
}
