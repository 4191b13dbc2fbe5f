//! Reading Teams: everybody's presence over and over, spread over the rhythm. While writes need the budget a sweep takes up
//! to three times as long; people who are watched, ringing or in a call are then read once a second besides.

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

    /// People to read beside the sweep, at most `most`: the eventful ones first, then watched people in turn.
    fn few(&self, most: usize, last_watched: &mut PersonId) -> Vec<PersonId> {
        let eventful = self.eventful().clone();
        let mut watched = self.watched();
        let now = Instant::now();
        watched.retain(|_, until| *until > now);
        let watched: BTreeSet<PersonId> = watched.keys().copied().collect();
        few(&eventful, &watched, most, last_watched)
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
        let mut last_watched = PersonId(0);
        loop {
            tokio::time::sleep(FASTEST).await;
            let sweep_interval = Duration::from_millis(self.sweep_interval.load(Ordering::Relaxed));
            // With a tolerance for timers.
            if sweep_interval > FASTEST * 5 / 4 {
                let ids = self.accounts(reads.few(most, &mut last_watched));
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
        let ids = self.directory.teams_ids(|person| {
            let signed_in = |logins: &Logins| logins.signed_in(person.id);
            self.serves(person) && self.logins.as_ref().is_none_or(signed_in)
        });
        if ids.is_empty() {
            self.report(PART, None);
        }
        ids
    }

    async fn read(&self, ids: &[Arc<str>]) {
        let asked_at = self.clock.now();
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
                self.left_out(ids, answered, asked_at)
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
        if self.reads.eventful().len() <= self.few_at_once() {
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

/// Eventful people, then watched people in turn after `last_watched`, at most `most`.
fn few(
    eventful: &BTreeSet<PersonId>,
    watched: &BTreeSet<PersonId>,
    most: usize,
    last_watched: &mut PersonId,
) -> Vec<PersonId> {
    let mut people: Vec<PersonId> = eventful.iter().copied().take(most).collect();
    let after = (Bound::Excluded(*last_watched), Bound::Unbounded);
    let in_turn = watched.range(after).chain(watched.range(..=*last_watched));
    let in_turn = in_turn.filter(|person| !eventful.contains(person));
    let chosen: Vec<PersonId> = in_turn.copied().take(most - people.len()).collect();
    if let Some(last) = chosen.last() {
        *last_watched = *last;
    }
    people.extend(chosen);
    people
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use presence::PersonId;

    use super::few;

    #[test]
    fn busy_people_go_first_and_watched_people_take_turns() {
        let busy = BTreeSet::from([2, 9].map(PersonId));
        let watched = BTreeSet::from([1, 2, 3, 4, 5].map(PersonId));
        let mut last = PersonId(0);
        let mut turn = |most| few(&busy, &watched, most, &mut last);
        let numbers = |people: Vec<PersonId>| people.iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(numbers(turn(4)), [2, 9, 1, 3]);
        assert_eq!(numbers(turn(4)), [2, 9, 4, 5]);
        assert_eq!(numbers(turn(100)), [2, 9, 1, 3, 4, 5]);
        assert_eq!(numbers(turn(1)), [2]);
    }
}
