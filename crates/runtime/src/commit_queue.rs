//! The queue of records and writes: commits the engine's records, then hands the writes that depend on them to Teams, and
//! answers people's choices of a profile when these are durable.
//!
//! Records that arrive while a transaction runs go into the next one (group commit). Only the latest record about the same
//! slot, call or choice is kept, so that a slow disk never grows the queue.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use presence::{Choice, Fact, Input, PersonId, Record, Slot, TeamsWrite};
use store::{Database, Durability, Store};
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use crate::{
    audit::Entry,
    engine_handle::{Cause, EngineHandle},
    health::{Health, Part, Trouble},
    store_health::StoreHealth,
};

/// Longest wait of a command for a sweep or for writes that Teams delays.
pub const SETTLE_MAX: Duration = Duration::from_secs(2);
/// Pause before a failed transaction is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// Interval at which the database's log is moved into it.
const CHECKPOINT: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Own(PersonId, Slot),
    TeamsCall(PersonId),
    Choice(PersonId),
}

/// A person's choice of a profile, and the sender of its acknowledgement.
#[derive(Debug)]
struct EnteredChoice {
    person: PersonId,
    choice: Option<Choice>,
    /// The entry for the audit log.
    entry: Entry,
    done: oneshot::Sender<Result<(), String>>,
}

/// The writes to Teams, once their records are durable.
pub trait WriteSink: Send + Sync + std::fmt::Debug {
    /// Adds a write. Returns the acknowledgement for the engine if the write need not be sent. `heard_at`: the PBX event
    /// that caused it.
    fn push(&self, write: TeamsWrite, heard_at: Option<Instant>) -> Option<Fact>;

    /// Whether no write waits and no request is in flight.
    fn is_idle(&self) -> bool;

    /// Completes when no write waits and no request is in flight.
    fn idle(&self) -> BoxFuture<'_, ()>;
}

#[derive(Debug, Default)]
struct Pending {
    records: BTreeMap<Key, Record>,
    writes: BTreeMap<(PersonId, Slot), (TeamsWrite, Option<Instant>)>,
    entered: Vec<EnteredChoice>,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.writes.is_empty() && self.entered.is_empty()
    }

    /// Adds what could not be committed again, unless a newer record or write has its place.
    fn put_back(&mut self, older: Self) {
        for (key, record) in older.records {
            self.records.entry(key).or_insert(record);
        }
        for (key, write) in older.writes {
            self.writes.entry(key).or_insert(write);
        }
    }
}

/// The queue of records and writes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CommitQueue {
    state: Arc<Mutex<State>>,
    wake: Arc<Notify>,
    /// Notified when nothing is left to commit.
    idle: Arc<Notify>,
    teams: Arc<dyn WriteSink>,
}

#[derive(Debug, Default)]
struct State {
    pending: Pending,
    /// A transaction runs, or its writes are being handed on.
    is_committing: bool,
}

impl CommitQueue {
    /// An empty queue before these writes to Teams.
    pub fn new(teams: Arc<dyn WriteSink>) -> Self {
        Self {
            state: Arc::default(),
            wake: Arc::default(),
            idle: Arc::default(),
            teams,
        }
    }

    /// Adds records and writes of the engine. `heard_at`: time of the PBX event that caused them.
    pub fn push(&self, records: Vec<Record>, writes: Vec<TeamsWrite>, heard_at: Option<Instant>) {
        let mut state = self.lock();
        let pending = &mut state.pending;
        for record in records {
            pending.records.insert(key(&record), record);
        }
        for write in writes {
            pending
                .writes
                .insert((write.person, write.slot), (write, heard_at));
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Stores a person's choice and applies it in the engine; returns when both are done.
    ///
    /// # Errors
    /// The choice could not be stored, and nothing changed; the text has the reason.
    pub async fn choose(
        &self,
        person: PersonId,
        choice: Option<Choice>,
        entry: Entry,
    ) -> Result<(), String> {
        let (done, wait) = oneshot::channel();
        self.lock().pending.entered.push(EnteredChoice {
            person,
            choice,
            entry,
            done,
        });
        self.wake.notify_one();
        wait.await
            .unwrap_or_else(|_| Err("the server is stopping; try again in a moment".into()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_committed(&self) -> bool {
        let state = self.lock();
        state.pending.is_empty() && !state.is_committing
    }

    /// Completes when every record is durable and every write handed to Teams' queue, after [`SETTLE_MAX`] at the latest.
    pub async fn wait_until_committed(&self) {
        // A slow store delays the caller no longer: the rest is committed afterwards.
        let _ = tokio::time::timeout(SETTLE_MAX, self.until_committed()).await;
    }

    /// Completes when no record and no write to Teams is left, after [`SETTLE_MAX`] at the latest: a tenant that does not answer
    /// delays the caller no longer, and presence expires in Teams.
    pub async fn wait_until_idle(&self) {
        let idle = async {
            // An acknowledgement of Teams may make the engine add a record, and a record a write.
            while !(self.is_committed() && self.teams.is_idle()) {
                self.until_committed().await;
                self.teams.idle().await;
            }
        };
        let _ = tokio::time::timeout(SETTLE_MAX, idle).await;
    }

    async fn until_committed(&self) {
        loop {
            let idle = self.idle.notified();
            if self.is_committed() {
                return;
            }
            idle.await;
        }
    }

    fn take(&self) -> Option<Pending> {
        let mut state = self.lock();
        state.is_committing = !state.pending.is_empty();
        if state.is_committing {
            return Some(std::mem::take(&mut state.pending));
        }
        self.idle.notify_waiters();
        None
    }

    /// Commits records and hands writes on, until the server ends.
    pub async fn run(
        self,
        (store, store_health): (Store, StoreHealth),
        engine: EngineHandle,
        health: Health,
    ) {
        loop {
            self.wake.notified().await;
            while let Some(mut batch) = self.take() {
                let entered = std::mem::take(&mut batch.entered);
                let choices: Vec<Record> = entered.iter().map(EnteredChoice::record).collect();
                // A choice survives a power failure before it is acknowledged.
                let durability = if choices.is_empty() {
                    Durability::Process
                } else {
                    Durability::Power
                };
                let changes: Vec<_> = entered
                    .iter()
                    .map(|entered| entered.entry.change())
                    .collect();
                match store
                    .commit_with_changes(
                        batch.records.values().chain(&choices),
                        &changes,
                        durability,
                    )
                    .await
                {
                    Ok(()) => {
                        health.report(&Part::Database, None);
                        for (write, heard_at) in batch.writes.into_values() {
                            if let Some(fact) = self.teams.push(write, heard_at) {
                                let input = Input::Person(write.person, fact);
                                engine.input(input, Cause::Other).await;
                            }
                        }
                        for EnteredChoice {
                            person,
                            choice,
                            done,
                            ..
                        } in entered
                        {
                            engine.fact(person, Fact::Choice(choice)).await;
                            let _ = done.send(Ok(()));
                        }
                    }
                    Err(error) => {
                        let remedy = "check free space and permissions of the data folder; \
                                      nothing is written to Teams until this works";
                        let trouble = Trouble {
                            what: error.to_string(),
                            remedy: remedy.into(),
                        };
                        // A refused choice is not tried again: the person got an error.
                        health.report(&Part::Database, (!batch.is_empty()).then_some(trouble));
                        store_health.refused(error.to_string());
                        for EnteredChoice { done, .. } in entered {
                            let _ = done.send(Err(error.to_string()));
                        }
                        self.lock().pending.put_back(batch);
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        }
    }
}

impl EnteredChoice {
    fn record(&self) -> Record {
        Record::Choice {
            person: self.person,
            choice: self.choice.clone(),
        }
    }
}

/// Keeps the database's log short, apart from the commits that people and Teams wait for, until the server ends.
pub async fn checkpoint(database: Database) {
    loop {
        tokio::time::sleep(CHECKPOINT).await;
        if let Err(error) = database.checkpoint().await {
            tracing::warn!(%error, "the database's log could not be moved into it; trying again in 1 s");
        }
    }
}

fn key(record: &Record) -> Key {
    match record {
        Record::Slot { person, slot, .. } => Key::Own(*person, *slot),
        Record::TeamsCall { person, .. } => Key::TeamsCall(*person),
        Record::Choice { person, .. } => Key::Choice(*person),
    }
}
