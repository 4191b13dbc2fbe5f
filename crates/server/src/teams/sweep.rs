//! Reading Teams: everybody's presence over and over, spread over the rhythm.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use graph::{BULK_MAX, EVENTFUL_MAX, FASTEST, UserPresence, rhythm};
use presence::{Confidence, Fact, Input, PersonId, Presence, TeamsState, Timestamp};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinSet,
    time::Instant,
};

use super::Tenant;
use crate::shard::Cause;

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

/// Asks for single people to be read at once, and knows whom something is going on with. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    asked: Arc<Mutex<BTreeSet<PersonId>>>,
    eventful: Arc<Mutex<BTreeSet<PersonId>>>,
    wake: Arc<Notify>,
}

impl Reads {
    /// Asks for a person. Asking again before it was done changes nothing.
    pub fn ask(&self, person: PersonId) {
        self.lock().insert(person);
        self.wake.notify_one();
    }

    /// What is shown of a person now: whoever rings, is in a call, or whose state is not certain is read more often.
    pub fn follow(&self, person: PersonId, presence: &Presence) {
        let eventful = presence.activity.is_some()
            || matches!(presence.confidence, Confidence::Masked | Confidence::Likely);
        let mut known = self.eventful();
        if eventful {
            known.insert(person);
        } else {
            known.remove(&person);
        }
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
    pub async fn read_asked(self, reads: Reads) {
        loop {
            reads.wake.notified().await;
            let asked = std::mem::take(&mut *reads.lock());
            let ids: Vec<Arc<str>> = asked
                .into_iter()
                .filter_map(|person| self.directory.person(person)?.teams_id.clone())
                .collect();
            self.read_all(&ids).await;
        }
    }

    /// Reads whoever something is going on with once a second, for ever, where the sweep takes longer than that.
    pub async fn read_eventful(self, reads: Reads) {
        loop {
            tokio::time::sleep(FASTEST).await;
            if rhythm(self.swept.load(Ordering::Relaxed), self.limit) <= FASTEST {
                continue;
            }
            let eventful: Vec<PersonId> = reads.eventful().iter().copied().collect();
            let ids: Vec<Arc<str>> = eventful
                .into_iter()
                .filter(|person| self.organisation.syncs(*person))
                .filter_map(|person| self.directory.person(person)?.teams_id.clone())
                .take(EVENTFUL_MAX)
                .collect();
            self.read_all(&ids).await;
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
        loop {
            let began = Instant::now();
            let mut wish = None;
            let ids = self.swept_people();
            let period = if ids.is_empty() {
                IDLE
            } else {
                rhythm(ids.len(), self.limit)
            };
            let mut requests = JoinSet::new();
            let chunks = ids.len().div_ceil(BULK_MAX);
            for (index, chunk) in ids.chunks(BULK_MAX).enumerate() {
                let due = began
                    + period * u32::try_from(index).unwrap_or(0)
                        / u32::try_from(chunks).unwrap_or(1);
                if wish.is_none() {
                    tokio::select! {
                        () = tokio::time::sleep_until(due) => {}
                        Some(asked) = wishes.recv() => wish = Some(asked),
                    }
                }
                self.afford().await;
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

    async fn sweep_once(&self) {
        self.read_all(&self.swept_people()).await;
    }

    /// Reads these one request after the other, as the budget allows.
    async fn read_all(&self, ids: &[Arc<str>]) {
        for chunk in ids.chunks(BULK_MAX) {
            self.afford().await;
            self.read(chunk).await;
        }
    }

    /// The Teams accounts to read: none where nothing may cross.
    fn swept_people(&self) -> Vec<Arc<str>> {
        let ids = self
            .directory
            .teams_ids(|person| self.organisation.syncs(person));
        if ids.is_empty() {
            self.health.report(PART, None);
        }
        self.swept.store(ids.len(), Ordering::Relaxed);
        ids
    }

    async fn read(&self, ids: &[Arc<str>]) {
        let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
        let asked_at = self.clock.now();
        let result = self.client.presences(&ids).await;
        let received = Instant::now();
        self.note(PART, "getPresencesByUserId", result.as_ref().map(|_| ()));
        let Ok(presences) = result else {
            return;
        };
        let inputs = self.news(presences, asked_at);
        self.shard.inputs(inputs, Cause::Graph(received)).await;
    }

    /// What of the answer is news, for the engine.
    fn news(&self, presences: Vec<UserPresence>, asked_at: Timestamp) -> Vec<Input> {
        let now = self.clock.now();
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let inputs = presences.into_iter().filter_map(|presence| {
            let person = self.directory.by_teams_id(&presence.id)?;
            let sequence = presence.sequence_number.as_deref();
            if !fresh.take(person, asked_at, sequence, now) {
                return None;
            }
            let state = TeamsState::new(
                presence.availability.as_deref().unwrap_or_default(),
                presence.activity.as_deref().unwrap_or_default(),
            );
            Some(Input::Person(
                person,
                Fact::TeamsObserved { state, asked_at },
            ))
        });
        inputs.collect()
    }
}
