//! Reading Teams: everybody's presence over and over, spread over the rhythm. While writes need the budget a sweep takes up
//! to three times as long; people who are watched, ringing or in a call are then read beside it: as many as fit once a second,
//! more of them in turn.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use graph::{
    BULK_MAX, EVENTFUL_MAX, FASTEST, GraphError, Purpose, SLOWDOWN_MAX, UserPresence, rhythm,
};
use presence::{
    Confidence, Fact, Input, PersonId, Presence, SequenceNumber, TeamsAnswer, TeamsState,
    TenantLag, Timestamp,
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinSet,
    time::Instant,
};

use super::{Logins, Tenant, network_time};
use crate::{directory::Directory, shard::Cause};

/// Pause while nothing may cross or nobody has a Teams account.
const IDLE: Duration = Duration::from_millis(500);
/// The name under which the health of reading is told.
pub(super) const PART: &str = "teams sweep";

/// Asks for a whole sweep at once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SweepNow(mpsc::Sender<oneshot::Sender<()>>);

impl SweepNow {
    /// Sweeps and returns when everybody has been read.
    pub async fn sweep(&self) {
        let (done, wait) = oneshot::channel();
        if self.0.send(done).await.is_ok() {
            let _ = wait.await;
        }
    }
}

/// Asks the tenant that a person's account is in to read it at once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reads {
    directory: Directory,
    tenants: Arc<HashMap<Arc<str>, TenantReads>>,
}

impl Reads {
    /// For these tenants.
    pub fn new(directory: Directory, tenants: &[Arc<str>]) -> Self {
        let tenants = tenants
            .iter()
            .map(|name| (name.clone(), TenantReads::default()));
        Self {
            directory,
            tenants: Arc::new(tenants.collect()),
        }
    }

    /// Asks for a person. Asking again before it was done changes nothing.
    pub fn ask(&self, person: PersonId) {
        if let Some(reads) = self.of_person(person) {
            reads.ask(person);
        }
    }

    /// What is shown of a person now: whoever rings, is in a call, or whose state is not certain is read more often.
    pub fn follow(&self, person: PersonId, presence: &Presence) {
        if let Some(reads) = self.of_person(person) {
            reads.follow(person, presence);
        }
    }

    /// A write to Teams was seen after so long.
    pub fn write_seen(&self, person: PersonId, lag: Duration) {
        if let Some(reads) = self.of_person(person) {
            reads.lag().record(lag);
        }
    }

    /// Marks a person as watched by a subscription that lasts so long at most: watched people are read more often.
    pub fn watch(&self, person: PersonId, lasts: Duration) {
        if let Some(reads) = self.of_person(person) {
            reads.watched().insert(person, Instant::now() + lasts);
        }
    }

    /// Those of one tenant.
    pub(crate) fn of_tenant(&self, name: &str) -> TenantReads {
        self.tenants.get(name).cloned().unwrap_or_default()
    }

    fn of_person(&self, person: PersonId) -> Option<&TenantReads> {
        // Most installations have one tenant or none: nobody is looked up for that.
        match self.tenants.len() {
            0 => None,
            1 => self.tenants.values().next(),
            _ => self.tenants.get(&self.directory.person(person)?.tenant),
        }
    }
}

/// Single people of one tenant who are to be read at once, and with whom something is going on. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TenantReads {
    asked: Arc<Mutex<BTreeSet<PersonId>>>,
    eventful: Arc<Mutex<BTreeSet<PersonId>>>,
    /// Watched people, with the end of the longest subscription.
    watched: Arc<Mutex<BTreeMap<PersonId, Instant>>>,
    /// How long the tenant takes to show a write.
    lag: Arc<Mutex<TenantLag>>,
    wake: Arc<Notify>,
}

impl TenantReads {
    fn lag(&self) -> MutexGuard<'_, TenantLag> {
        self.lag.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ask(&self, person: PersonId) {
        self.lock().insert(person);
        self.wake.notify_one();
    }

    fn follow(&self, person: PersonId, presence: &Presence) {
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
    fn few(
        &self,
        most: usize,
        is_read: impl Fn(PersonId) -> bool,
        turns: &mut Turns,
    ) -> Vec<PersonId> {
        let read = |people: &mut dyn Iterator<Item = &PersonId>| -> BTreeSet<PersonId> {
            people.copied().filter(|person| is_read(*person)).collect()
        };
        let eventful = read(&mut self.eventful().iter());
        let mut watched = self.watched();
        let now = Instant::now();
        watched.retain(|_, until| *until > now);
        let watched = read(&mut watched.keys());
        few(&eventful, &watched, most, turns)
    }

    /// Forgets people that are no longer in the directory.
    fn retain(&self, is_known: impl Fn(PersonId) -> bool) {
        self.eventful().retain(|person| is_known(*person));
        self.watched().retain(|person, _| is_known(*person));
    }

    /// Whether a place beside the sweep is left for each eventful person that `is_read` accepts.
    fn all_eventful_fit(&self, most: usize, is_read: impl Fn(PersonId) -> bool) -> bool {
        let eventful = self.eventful();
        let read = eventful.iter().filter(|person| is_read(**person));
        read.take(most + 1).count() <= most
    }

    fn watched(&self) -> MutexGuard<'_, BTreeMap<PersonId, Instant>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn eventful(&self) -> MutexGuard<'_, BTreeSet<PersonId>> {
        self.eventful.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<PersonId>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenant {
    /// Reads single people who are asked for, for ever.
    pub async fn read_asked(self, reads: TenantReads) {
        loop {
            reads.wake.notified().await;
            let asked = std::mem::take(&mut *reads.lock());
            self.read_all(&self.accounts(asked), Purpose::ReadFew).await;
        }
    }

    /// Reads eventful and watched people once a second, for ever, while a sweep takes longer than that.
    pub async fn read_eventful(self, reads: TenantReads) {
        let most = self.few_at_once();
        let mut turns = Turns::default();
        loop {
            tokio::time::sleep(FASTEST).await;
            reads.retain(|person| self.directory.person(person).is_some());
            let sweep_interval = Duration::from_millis(self.sweep_interval.load(Ordering::Relaxed));
            // With a tolerance for timers.
            if sweep_interval > FASTEST * 5 / 4 {
                let ids = self.accounts(reads.few(most, |person| self.is_read(person), &mut turns));
                self.read_all(&ids, Purpose::ReadFew).await;
            }
        }
    }

    /// The way to ask for a sweep, and the place where such wishes arrive.
    pub fn sweeper() -> (SweepNow, mpsc::Receiver<oneshot::Sender<()>>) {
        let (sender, receiver) = mpsc::channel(1);
        (SweepNow(sender), receiver)
    }

    /// Sweeps, for ever. The rhythm is the network's time, not the server's clock: a clock that is driven by hand stands
    /// still, the world does not.
    pub async fn sweep(self, mut wishes: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut last_began = Instant::now();
        loop {
            let began = Instant::now();
            let mut wish = None;
            self.report_missing();
            self.report_ended_logins().await;
            let ids = self.swept_people();
            let period = if ids.is_empty() {
                IDLE
            } else {
                self.rhythm(ids.len())
            };
            let chunks = ids.len().div_ceil(self.at_once());
            // The last sweep took longer if writes needed the budget.
            let interval = (began - last_began).max(period);
            last_began = began;
            self.tell_interval(interval, chunks, period * SLOWDOWN_MAX);
            let mut requests = JoinSet::new();
            for (index, chunk) in ids.chunks(self.at_once()).enumerate() {
                let due = began
                    + period * u32::try_from(index).unwrap_or(0)
                        / u32::try_from(chunks).unwrap_or(1);
                if wish.is_none() {
                    tokio::select! {
                        () = tokio::time::sleep_until(due) => {}
                        Some(asked) = wishes.recv() => wish = Some(asked),
                    }
                }
                self.afford(Purpose::ReadAll).await;
                let (tenant, chunk) = (self.clone(), chunk.to_vec());
                requests.spawn(async move { tenant.read(&chunk).await });
            }
            // A slow service slows the rhythm; it never has two sweeps at once.
            while requests.join_next().await.is_some() {}
            match wish {
                Some(done) => {
                    let _ = done.send(());
                }
                None => tokio::select! {
                    () = tokio::time::sleep_until(began + period) => {}
                    // Begin anew, for it asks for everybody.
                    Some(done) = wishes.recv() => {
                        self.sweep_once().await;
                        let _ = done.send(());
                    }
                },
            }
        }
    }

    /// Publishes the interval of the last sweep, and reserves tokens for the next: `requests` within `slowest`.
    fn tell_interval(&self, interval: Duration, requests: usize, slowest: Duration) {
        self.budget()
            .guarantee_sweep(network_time(), requests, slowest);
        let milliseconds = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        self.sweep_interval.store(milliseconds, Ordering::Relaxed);
        self.metrics.tell_rhythm(&self.name, interval);
        self.tell_budget();
    }

    /// How many people one request reads.
    fn at_once(&self) -> usize {
        if self.logins.is_some() { 1 } else { BULK_MAX }
    }

    /// How long a sweep over so many takes.
    fn rhythm(&self, people: usize) -> Duration {
        rhythm(people.saturating_mul(BULK_MAX / self.at_once()), self.limit)
    }

    async fn sweep_once(&self) {
        self.read_all(&self.swept_people(), Purpose::ReadAll).await;
    }

    /// Reads these one request after the other, as the budget allows.
    async fn read_all(&self, ids: &[Arc<str>], purpose: Purpose) {
        for chunk in ids.chunks(self.at_once()) {
            self.afford(purpose).await;
            self.read(chunk).await;
        }
    }

    /// The Teams accounts to read: none where nothing may cross.
    fn swept_people(&self) -> Vec<Arc<str>> {
        let ids = self
            .directory
            .teams_ids(|person| self.serves(person) && self.has_login(person.id));
        if ids.is_empty() {
            self.report(PART, None);
        }
        ids
    }

    /// Whether a person's presence is read with a login that there is.
    fn has_login(&self, person: PersonId) -> bool {
        let signed_in = |logins: &Logins| logins.signed_in(person);
        self.logins.as_ref().is_none_or(signed_in)
    }

    /// Whether the sweep reads a person: served here, with an account and, where people sign in, a login.
    fn is_read(&self, person: PersonId) -> bool {
        let person = self.directory.person(person);
        person.is_some_and(|person| {
            person.teams_id.is_some() && self.serves(&person) && self.has_login(person.id)
        })
    }

    async fn read(&self, ids: &[Arc<str>]) {
        let (asked_at, asked_at_network) = (self.clock.now(), network_time());
        let presences = match &self.logins {
            None => self.read_many(ids).await,
            Some(logins) => self.read_each(logins, ids).await,
        };
        let received = Instant::now();
        let Some(presences) = presences else {
            return;
        };
        // What is read person by person leaves nobody out.
        let mut inputs = match self.logins {
            None => {
                let answered = presences.iter().map(|presence| &*presence.id);
                self.left_out(ids, answered, (asked_at, asked_at_network))
            }
            Some(_) => Vec::new(),
        };
        inputs.extend(self.news(presences, asked_at));
        self.shard.inputs(inputs, Cause::Graph(received)).await;
    }

    async fn read_many(&self, ids: &[Arc<str>]) -> Option<Vec<UserPresence>> {
        let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
        let result = self.client.presences(&ids).await;
        self.note(PART, "getPresencesByUserId", result.as_ref().map(|_| ()));
        result.ok()
    }

    /// With everybody's own login.
    async fn read_each(&self, logins: &Logins, ids: &[Arc<str>]) -> Option<Vec<UserPresence>> {
        let mut presences = Vec::with_capacity(ids.len());
        for id in ids {
            let person = self.directory.by_teams_id(id)?;
            let result = logins
                .with(person, |token| async move {
                    self.client.own_presence(&token).await
                })
                .await;
            // That one person must sign in again is that person's trouble, and told there.
            if !matches!(result, Err(GraphError::UserSignIn { .. })) {
                self.note(PART, "get presence", result.as_ref().map(|_| ()));
            }
            presences.extend(result.ok());
        }
        Some(presences)
    }

    /// How often a person is read about whom Teams holds a write of ours: they belong to the eventful ones, as far as there
    /// is room for these.
    fn interval_in_a_call(&self) -> Duration {
        let is_read = |person| self.is_read(person);
        if self.reads.all_eventful_fit(self.few_at_once(), is_read) {
            FASTEST
        } else {
            Duration::from_millis(self.sweep_interval.load(Ordering::Relaxed)).max(FASTEST)
        }
    }

    /// How many people are read beside the sweep.
    fn few_at_once(&self) -> usize {
        EVENTFUL_MAX / BULK_MAX * self.at_once()
    }

    /// Tells of a change, if Graph's notifications are compared with what is read.
    fn compare(&self, person: PersonId, state: &TeamsState) {
        if self.changes.is_none() {
            return;
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shown.insert(person, state.clone());
        if before.is_some_and(|before| before != *state) {
            self.changed(person);
        }
    }

    /// What of the answer is news, for the engine.
    fn news(&self, presences: Vec<UserPresence>, asked_at: Timestamp) -> Vec<Input> {
        let tenant_lag = self.reads.lag().of(self.interval_in_a_call());
        let inputs = presences.into_iter().filter_map(|presence| {
            let person = self.directory.by_teams_id(&presence.id)?;
            let availability = presence.availability.as_deref().unwrap_or_default();
            let activity = presence.activity.as_deref().unwrap_or_default();
            let state = TeamsState::new(availability, activity);
            self.compare(person, &state);
            let sequence = presence.sequence_number.as_deref();
            let answer = TeamsAnswer {
                state,
                asked_at,
                sequence: sequence.and_then(SequenceNumber::new),
                tenant_lag,
            };
            Some(Input::Person(person, Fact::TeamsObserved(answer)))
        });
        inputs.collect()
    }
}

/// The last people that were read beside the sweep, of each kind: the next turn begins after them.
#[derive(Debug)]
struct Turns {
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

/// At most `most` of these people, beginning after `last` and going round. Notes the last of them.
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
