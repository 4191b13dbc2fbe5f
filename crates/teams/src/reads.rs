//! People who are read beside the sweep: at once on request, or once a second while they are busy or watched.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use presence::{Confidence, Effect, PersonId, Presence, TenantLag, TenantName};
use runtime::{engine_task::Sink, people_index::PeopleIndex};
use tokio::{sync::Notify, time::Instant};

/// Reads beside the sweep, of all tenants. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reads {
    directory: PeopleIndex,
    tenants: Arc<HashMap<TenantName, TenantReads>>,
}

impl Reads {
    /// No people yet, for these tenants.
    pub fn new(directory: PeopleIndex, tenants: &[TenantName]) -> Self {
        let tenants = tenants
            .iter()
            .map(|name| (name.clone(), TenantReads::default()));
        Self {
            directory,
            tenants: Arc::new(tenants.collect()),
        }
    }

    /// Requests a read of a person at once. A second request before the read has no effect.
    pub fn request(&self, person: PersonId) {
        if let Some(reads) = self.of_person(person) {
            reads.request(person);
        }
    }

    /// Records a person's presence: people with an activity or an uncertain state are read more often.
    pub fn record_presence(&self, person: PersonId, presence: &Presence) {
        if let Some(reads) = self.of_person(person) {
            reads.record_presence(person, presence);
        }
    }

    /// Records the time after which Teams showed a write.
    pub fn write_seen(&self, person: PersonId, lag: Duration) {
        if let Some(reads) = self.of_person(person) {
            reads.lag().record(lag);
        }
    }

    /// Marks a person as watched for at most this time: watched people are read more often.
    pub fn mark_watched(&self, person: PersonId, lasts: Duration) {
        if let Some(reads) = self.of_person(person) {
            reads.watched().insert(person, Instant::now() + lasts);
        }
    }

    /// The reads of one tenant.
    pub fn of_tenant(&self, name: &TenantName) -> TenantReads {
        self.tenants.get(name).cloned().unwrap_or_default()
    }

    fn of_person(&self, person: PersonId) -> Option<&TenantReads> {
        // Most installations have one tenant or none, and need no lookup of the person.
        match self.tenants.len() {
            0 => None,
            1 => self.tenants.values().next(),
            _ => self.tenants.get(&self.directory.person(person)?.tenant),
        }
    }
}

impl Sink for Reads {
    fn apply(&self, effect: &Effect) {
        match effect {
            Effect::Changed {
                person, presence, ..
            } => self.record_presence(*person, presence),
            Effect::ReadTeams(person) => self.request(*person),
            Effect::WriteLag { person, lag } => self.write_seen(*person, *lag),
            Effect::Store(_)
            | Effect::Write(_)
            | Effect::WritingPaused { .. }
            | Effect::WritingResumed(_) => {}
        }
    }
}

/// People of one tenant who are read at once, or more often than by the sweep. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TenantReads {
    requested: Arc<Mutex<BTreeSet<PersonId>>>,
    eventful: Arc<Mutex<BTreeSet<PersonId>>>,
    /// Watched people, with the end of the longest subscription.
    watched: Arc<Mutex<BTreeMap<PersonId, Instant>>>,
    /// Time until the tenant shows a write.
    lag: Arc<Mutex<TenantLag>>,
    wake: Arc<Notify>,
}

impl TenantReads {
    pub(super) fn lag(&self) -> MutexGuard<'_, TenantLag> {
        self.lag.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for requested people, and removes them from the list.
    pub(super) async fn next_requested(&self) -> BTreeSet<PersonId> {
        self.wake.notified().await;
        std::mem::take(&mut *self.requested())
    }

    pub(super) fn request(&self, person: PersonId) {
        self.requested().insert(person);
        self.wake.notify_one();
    }

    fn record_presence(&self, person: PersonId, presence: &Presence) {
        let eventful = presence.activity.is_some()
            || matches!(presence.confidence, Confidence::Masked | Confidence::Likely);
        let mut known = self.eventful();
        if eventful {
            known.insert(person);
        } else {
            known.remove(&person);
        }
    }

    /// People to read beside the sweep, at most `most`: the eventful ones first, then the watched ones, both in turn. Only
    /// people that `is_read` accepts take a place.
    pub(super) fn few(
        &self,
        most: usize,
        is_read: impl Fn(PersonId) -> bool,
        turns: &mut Turns,
    ) -> Vec<PersonId> {
        // Copied, so that no lock is held while the people are asked for: the engine's task takes the same lock.
        let mut eventful = self.eventful().clone();
        let mut watched: BTreeSet<PersonId> = {
            let mut watched = self.watched();
            let now = Instant::now();
            watched.retain(|_, until| *until > now);
            watched.keys().copied().collect()
        };
        for people in [&mut eventful, &mut watched] {
            people.retain(|person| is_read(*person));
        }
        few(&eventful, &watched, most, turns)
    }

    /// Forgets people who were removed.
    pub(super) fn retain(&self, is_known: impl Fn(PersonId) -> bool) {
        self.eventful().retain(|person| is_known(*person));
        self.watched().retain(|person, _| is_known(*person));
    }

    /// Whether a place beside the sweep is left for each eventful person that `is_read` accepts.
    pub(super) fn all_eventful_fit(&self, most: usize, is_read: impl Fn(PersonId) -> bool) -> bool {
        let eventful = self.eventful().clone();
        let read = eventful.iter().filter(|person| is_read(**person));
        read.take(most + 1).count() <= most
    }

    fn watched(&self) -> MutexGuard<'_, BTreeMap<PersonId, Instant>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn eventful(&self) -> MutexGuard<'_, BTreeSet<PersonId>> {
        self.eventful.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn requested(&self) -> MutexGuard<'_, BTreeSet<PersonId>> {
        self.requested
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last people that were read beside the sweep, of each kind: the next turn begins after them.
#[derive(Debug)]
pub(super) struct Turns {
    eventful: PersonId,
    watched: PersonId,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            eventful: PersonId(0),
            watched: PersonId(0),
        }
    }
}

/// Eventful people, then watched people, both in turn, at most `most`.
fn few(
    eventful: &BTreeSet<PersonId>,
    watched: &BTreeSet<PersonId>,
    most: usize,
    turns: &mut Turns,
) -> Vec<PersonId> {
    let mut people = in_turn(eventful, most, &mut turns.eventful);
    let only_watched: BTreeSet<PersonId> = watched.difference(eventful).copied().collect();
    let room = most.saturating_sub(people.len());
    people.extend(in_turn(&only_watched, room, &mut turns.watched));
    people
}

/// At most `most` of these people, beginning after `last` and going round. Sets `last` to the last of them.
fn in_turn(people: &BTreeSet<PersonId>, most: usize, last: &mut PersonId) -> Vec<PersonId> {
    let after = (Bound::Excluded(*last), Bound::Unbounded);
    let in_turn = people.range(after).chain(people.range(..=*last));
    let chosen: Vec<PersonId> = in_turn.copied().take(most).collect();
    if let Some(chosen) = chosen.last() {
        *last = *chosen;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use presence::PersonId;
    use tokio::time::Instant;

    use super::{TenantReads, Turns, few};

    fn numbers(people: &[PersonId]) -> Vec<u64> {
        people.iter().map(|id| id.0).collect()
    }

    #[test]
    fn busy_people_go_first_and_watched_people_take_turns() {
        let busy = BTreeSet::from([2, 9].map(PersonId));
        let watched = BTreeSet::from([1, 2, 3, 4, 5].map(PersonId));
        let mut turns = Turns::default();
        let mut turn = |most| numbers(&few(&busy, &watched, most, &mut turns));
        assert_eq!(turn(4), [2, 9, 1, 3]);
        assert_eq!(turn(4), [2, 9, 4, 5]);
        assert_eq!(turn(100), [2, 9, 1, 3, 4, 5]);
    }

    #[test]
    fn more_busy_people_than_places_take_turns_too() {
        let busy = BTreeSet::from([2, 5, 9].map(PersonId));
        let watched = BTreeSet::from([1].map(PersonId));
        let mut turns = Turns::default();
        let mut turn = |most| numbers(&few(&busy, &watched, most, &mut turns));
        assert_eq!(turn(2), [2, 5]);
        assert_eq!(turn(2), [9, 2]);
        assert_eq!(turn(2), [5, 9]);
        assert!(turn(0).is_empty());
    }

    /// Busy: 1 to 4. Watched: 5 and 6.
    fn reads() -> TenantReads {
        let reads = TenantReads::default();
        reads.eventful().extend((1..=4).map(PersonId));
        let until = Instant::now() + Duration::from_secs(3_600);
        let watched = [5, 6].map(|id| (PersonId(id), until));
        reads.watched().extend(watched);
        reads
    }

    #[test]
    fn people_who_are_not_synchronised_take_no_place_of_those_who_are() {
        let reads = reads();
        let mut turns = Turns::default();
        let is_read = |person: PersonId| matches!(person.0, 3 | 4 | 6);
        assert_eq!(numbers(&reads.few(2, is_read, &mut turns)), [3, 4]);
        assert_eq!(numbers(&reads.few(3, is_read, &mut turns)), [3, 4, 6]);
        // Nor do they lengthen the interval.
        assert!(reads.all_eventful_fit(2, is_read));
        assert!(!reads.all_eventful_fit(1, is_read));
    }

    #[test]
    fn removed_people_are_forgotten() {
        let reads = reads();
        reads.retain(|person| person.0 % 2 == 0);
        let mut turns = Turns::default();
        assert_eq!(numbers(&reads.few(9, |_| true, &mut turns)), [2, 4, 6]);
        assert_eq!(reads.eventful().len(), 2);
    }
}
