//! The sink for clients and phones: keeps the latest presence of each person, and publishes changes to listeners.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
};

use presence::{Confidence, PersonId, Presence, Relationship, Timestamp, TraceId};
use tokio::{sync::broadcast, time::Instant};
use tracing::debug_span;

use crate::{
    history::{History, KEPT},
    metrics::Metrics,
    organisation::{Membership, Organisation},
};

/// Changes kept for clients that reconnect. A client that missed more reads everything again.
const HISTORY_MAX: usize = 8_192;
/// Changes that a listener may be behind before it must read everything again.
const BEHIND_MAX: usize = 8_192;

/// One change, as clients and phones receive it.
#[derive(Clone, Debug)]
pub struct Event {
    /// Grows by one with each change. Never sent to a viewer: it counts changes that the viewer may not see.
    pub revision: u64,
    /// Time of the change.
    pub at: Timestamp,
    /// The change.
    pub change: Change,
}

/// A change.
#[derive(Clone, Debug)]
pub enum Change {
    /// The presence of a person.
    Presence(Box<PresenceChange>),
    /// Name, addresses or lines of a person.
    Person(PersonId),
    /// A person was deleted.
    Removed(PersonId),
    /// The visibility of one person, with the visibility before.
    Visibility(PersonId, VisibilityBefore),
    /// Changes of many people: viewers must read everything again.
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
    /// Trace of the fact that changed it; `None`: a deadline did.
    pub trace: Option<TraceId>,
    /// Its texts for viewers.
    pub texts: TextByLevel,
}

/// The visibility of a person before a change.
#[derive(Clone, Debug)]
pub enum VisibilityBefore {
    /// The viewer, and the viewer's relationship before. No other viewer is concerned.
    Relationship(PersonId, Relationship),
    /// The person's membership before, which decides for every viewer.
    Membership(Membership),
}

/// The viewers who must read everything again.
#[derive(Clone, Debug)]
pub enum Reset {
    /// Every viewer.
    Everyone,
    /// These people: relationships between them changed.
    Among(Arc<BTreeSet<PersonId>>),
}

impl Event {
    /// The person of the change; `None` if it is about many.
    pub const fn person(&self) -> Option<PersonId> {
        match &self.change {
            Change::Presence(change) => Some(change.person),
            Change::Person(person) | Change::Removed(person) | Change::Visibility(person, _) => {
                Some(*person)
            }
            Change::Reset(_) => None,
        }
    }

    /// The change of a presence; `None` for other changes.
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
    /// Whether it concerns a viewer. `None`: an API key or the installation's administrator.
    pub fn concerns(&self, viewer: Option<PersonId>) -> bool {
        match self {
            Self::Everyone => true,
            Self::Among(people) => viewer.is_some_and(|viewer| people.contains(&viewer)),
        }
    }
}

/// Texts of an event, made once for all viewers of a relationship.
#[derive(Clone, Debug, Default)]
pub struct TextByLevel([OnceLock<String>; Relationship::ALL.len()]);

impl TextByLevel {
    /// The text for a relationship; `make` is called for the first viewer.
    pub fn to(&self, level: Relationship, make: impl FnOnce() -> String) -> &str {
        self.0[level as usize].get_or_init(make)
    }
}

#[derive(Debug, Default)]
struct State {
    revision: u64,
    presences: BTreeMap<PersonId, Presence>,
    /// Number of the presences that are not stale.
    observed: usize,
    recent: VecDeque<Arc<Event>>,
    history: History,
}

type Observer = Box<dyn Fn(&Event) + Send + Sync>;

/// Functions that are called while a change is published.
#[derive(Default)]
struct Observers(RwLock<Vec<Observer>>);

impl std::fmt::Debug for Observers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observers").finish_non_exhaustive()
    }
}

/// The presence of all people, and its changes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Events {
    state: Arc<Mutex<State>>,
    observers: Arc<Observers>,
    sender: broadcast::Sender<Arc<Event>>,
    metrics: Arc<Metrics>,
    /// Decides the content of the history.
    organisation: Organisation,
}

/// The changes with which a listener begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenFrom {
    /// Those from now on.
    Now,
    /// Those after a revision that the listener has seen.
    Revision(u64),
    /// Those after a revision of another run of the server: everything must be read again.
    Unknown,
}

fn is_observed(presence: &Presence) -> bool {
    presence.confidence != Confidence::Stale
}

/// The start of a listener.
#[derive(Debug)]
pub struct Listening {
    /// Changes since the revision that the listener named; `None` if that is too old: everything must be read again.
    pub missed: Option<Vec<Arc<Event>>>,
    /// The present revision.
    pub revision: u64,
    /// Changes from now on.
    pub receiver: broadcast::Receiver<Arc<Event>>,
}

impl Events {
    /// Without people. Revisions continue after `revision`.
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

    /// Publishes the presence of a person, with the trace of the fact that changed it. `answered_at`: time of Graph's answer that
    /// caused it.
    pub fn publish(
        &self,
        person: PersonId,
        presence: Presence,
        now: Timestamp,
        (trace, answered_at): (Option<TraceId>, Option<Instant>),
    ) {
        let listeners = self.sender.receiver_count();
        let _span = trace.map(|trace| {
            debug_span!("client.event", trace_id = %trace, otel.kind = "producer", %person, listeners).entered()
        });
        if let Some(answered_at) = answered_at {
            self.metrics.teams_to_event.observe(answered_at);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = self.organisation.presence_for_history(person, &presence);
        state.history.record(person, now, remembered);
        state.observed += usize::from(is_observed(&presence));
        let previous = state.presences.insert(person, presence.clone());
        state.observed -= usize::from(previous.as_ref().is_some_and(is_observed));
        self.metrics
            .people
            .set(i64::try_from(state.presences.len()).unwrap_or(i64::MAX));
        let change = PresenceChange {
            person,
            previous,
            now: presence,
            trace,
            texts: TextByLevel::default(),
        };
        self.send(&mut state, now, Change::Presence(Box::new(change)));
    }

    /// Forgets a person who was deleted, and notifies clients.
    pub fn remove(&self, person: PersonId, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = state.presences.remove(&person);
        state.observed -= usize::from(previous.as_ref().is_some_and(is_observed));
        state.history.forget(person);
        if previous.is_some() {
            self.send(&mut state, now, Change::Removed(person));
        }
    }

    /// Notifies clients of new names or lines of a person.
    pub fn person_changed(&self, person: PersonId, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.send(&mut state, now, Change::Person(person));
    }

    /// Notifies the viewers concerned that they may see more or less of a person than before.
    pub fn visibility_changed(&self, owner: PersonId, before: VisibilityBefore, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.send(&mut state, now, Change::Visibility(owner, before));
    }

    /// Adds the history from before this start.
    pub fn restore_history(&self, person: PersonId, past: Vec<(Timestamp, Presence)>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.history.restore(person, past);
    }

    /// Makes viewers read everything again.
    pub fn reset(&self, reset: Reset, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.send(&mut state, now, Change::Reset(reset));
    }

    fn send(&self, state: &mut State, at: Timestamp, change: Change) {
        state.revision += 1;
        let event = Arc::new(Event {
            revision: state.revision,
            at,
            change,
        });
        if state.recent.len() == HISTORY_MAX {
            state.recent.pop_front();
        }
        state.recent.push_back(event.clone());
        let observers = &self.observers.0;
        for observer in &*observers.read().unwrap_or_else(PoisonError::into_inner) {
            observer(&event);
        }
        // Fails without listeners only. Sent under the lock, so that listeners get revisions in order.
        let _ = self.sender.send(event);
    }

    /// Calls a function with every change, for as long as the server runs. It runs under the lock of the events: it must return at
    /// once and must not call these methods.
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

    /// Beginnings of all calls in the last 24 hours, as far as the history goes back.
    pub fn calls(&self, now: Timestamp) -> Vec<Timestamp> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.history.calls(now - KEPT)
    }

    /// The revision, and the presence of a person at it.
    pub fn presence_at_revision(&self, person: PersonId) -> (u64, Option<Presence>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.revision, state.presences.get(&person).cloned())
    }

    /// The history of a person in the last 24 hours, the oldest row first.
    pub fn history(&self, person: PersonId) -> Vec<(Timestamp, Presence)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.history.of(person)
    }

    /// Whether a row of the person's history begins at this time.
    pub fn is_start_of_history_row(&self, person: PersonId, at: Timestamp) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.history.is_start_of_row(person, at)
    }

    /// The presence of all people, and its revision.
    pub fn all(&self) -> (u64, BTreeMap<PersonId, Presence>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.revision, state.presences.clone())
    }

    /// Whether there are presences of this many people, and their sources have all reported, so that none is stale.
    pub fn have_observed(&self, people: usize) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.presences.len(), state.observed) == (people, people)
    }

    /// Starts a listener, with the missed changes if they are kept.
    pub fn listen(&self, since: ListenFrom) -> Listening {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = state
            .recent
            .front()
            .map_or(state.revision + 1, |event| event.revision);
        let missed = match since {
            ListenFrom::Now => Some(Vec::new()),
            ListenFrom::Unknown => None,
            ListenFrom::Revision(since) if since > state.revision || since + 1 < oldest => None,
            ListenFrom::Revision(since) => Some(
                state
                    .recent
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

    use presence::{Confidence, PersonId, Presence, Timestamp};

    use super::{Events, HISTORY_MAX, ListenFrom, Organisation};
    use crate::fixtures::busy;

    #[test]
    fn people_are_observed_when_none_is_stale_over_all_changes() {
        let events = Events::new(Arc::default(), 0, Organisation::default());
        let now = Timestamp::default();
        let publish = |person, confidence| {
            let presence = Presence {
                confidence,
                ..busy()
            };
            events.publish(PersonId(person), presence, now, (None, None));
        };
        let observed = || {
            (0..4)
                .filter(|people| events.have_observed(*people))
                .collect()
        };
        let mut seen: Vec<Vec<usize>> = Vec::new();
        for (person, confidence) in [
            (1, Confidence::Stale),
            (1, Confidence::Certain),
            (1, Confidence::Certain),
            (2, Confidence::Certain),
            (1, Confidence::Stale),
        ] {
            publish(person, confidence);
            seen.push(observed());
        }
        for person in [1, 2, 3] {
            events.remove(PersonId(person), now);
            seen.push(observed());
        }
        let nobody: Vec<usize> = Vec::new();
        assert_eq!(
            seen,
            [
                nobody.clone(),
                vec![1],
                vec![1],
                vec![2],
                nobody,
                vec![1],
                vec![0],
                vec![0]
            ]
        );
    }

    #[test]
    fn a_client_that_returns_gets_what_it_missed_or_starts_anew() {
        let events = Events::new(Arc::default(), 0, Organisation::default());
        for person in 0..3 {
            events.publish(PersonId(person), busy(), Timestamp::default(), (None, None));
        }
        let missed = |since| events.listen(since).missed.map(|missed| missed.len());
        assert_eq!(missed(ListenFrom::Now), Some(0));
        assert_eq!(missed(ListenFrom::Revision(1)), Some(2));
        assert_eq!(missed(ListenFrom::Revision(0)), Some(3));
        assert_eq!(missed(ListenFrom::Revision(4)), None);
        assert_eq!(missed(ListenFrom::Unknown), None);
        for _ in 0..HISTORY_MAX {
            events.publish(PersonId(1), busy(), Timestamp::default(), (None, None));
        }
        assert_eq!(missed(ListenFrom::Revision(1)), None);
        assert_eq!(missed(ListenFrom::Revision(3)), Some(HISTORY_MAX));
    }
}
