//! Writes to Teams: the latest write of each person and slot, in the order of urgency, as fast as the request budget allows.

mod failure;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use graph::{
    BATCH_MAX, Backlog, FinishResult, GraphError, Next, Operation, Outcome, Pending, PushResult,
    RequestId, WriteQueue, WriteSuccess,
};
use presence::{Action, Fact, Input, Slot, TeamsUserId, TeamsWrite, TenantName};
use runtime::{commit_queue::WriteSink, engine_handle::Cause, people_index::PeopleIndex};
use store::Store;
use tokio::{
    sync::{Notify, Semaphore},
    time::Instant,
};
use tracing::Instrument;

use self::failure::{is_batch_unanswered, is_refusal, retry};
use super::{Tenant, network_time, traced_write::TracedWrite};

/// Requests on the wire at once. At 50 ms an answer that is 1,280 a second, far beyond any tenant's budget.
const IN_FLIGHT_MAX: usize = 64;
/// Time in milliseconds until the engine repeats a set that Graph refuses.
const INSISTS_AFTER: i64 = 4 * 60_000;
/// Interval at which removed accounts are forgotten.
const FORGET_INTERVAL: Duration = Duration::from_secs(600);

#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) account: TeamsUserId,
    pub(super) write: TeamsWrite,
    pub(super) heard_at: Option<Instant>,
    pub(super) origin: Origin,
}

/// Origin of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The engine, which receives the result.
    Engine,
    /// The record of a write to an account that its person has no longer.
    LeftWrite,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<WriteQueue<Tag>>,
    /// Writes that are not retried any more: their failures must be forgotten. Locked only while the queue is locked.
    abandoned: Mutex<Vec<(TeamsUserId, Slot)>>,
    /// Confirmed clears of accounts that the person has no longer: their records are to be forgotten.
    cleared_left_writes: Mutex<BTreeSet<(TeamsUserId, Slot)>>,
    /// Notified of each of these.
    settle: Notify,
    wake: Notify,
    /// Notified when nothing waits and nothing is on the wire.
    idle: Notify,
}

/// Next step of a queue's sender.
enum NextStep {
    /// Send these writes.
    Send(Vec<Pending<Tag>>),
    /// Wait for the budget.
    Budget(Duration),
    /// Wait until this moment or for a new write.
    Nothing(Option<i64>),
}

/// The queues of writes, one for each tenant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TeamsWrites {
    queues: Arc<HashMap<TenantName, TenantWrites>>,
    directory: PeopleIndex,
}

/// The queue of one tenant. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TenantWrites(Arc<Shared>);

impl TeamsWrites {
    /// Empty queues for these tenants. Writes for people of other tenants are dropped.
    pub fn new(directory: PeopleIndex, tenants: &[TenantName]) -> Self {
        let queues = tenants
            .iter()
            .map(|name| (name.clone(), TenantWrites::default()));
        Self {
            queues: Arc::new(queues.collect()),
            directory,
        }
    }

    /// The queue of one tenant.
    pub fn of_tenant(&self, name: &TenantName) -> TenantWrites {
        self.queues.get(name).cloned().unwrap_or_default()
    }
}

impl WriteSink for TeamsWrites {
    fn push(&self, write: TeamsWrite, heard_at: Option<Instant>) -> Option<Fact> {
        let person = self.directory.person(write.person)?;
        let (Some(account), Some(queue)) = (&person.teams_id, self.queues.get(&person.tenant))
        else {
            return None;
        };
        let operation = match (write.slot, write.action) {
            (Slot::Session, Action::Set) => Operation::SetSession,
            (Slot::Session, Action::Renew) => Operation::RenewSession,
            (Slot::Session, Action::Clear) => Operation::ClearSession,
            (Slot::Preferred, Action::Set | Action::Renew) => Operation::SetDoNotDisturb,
            (Slot::Preferred, Action::Clear) => Operation::ClearDoNotDisturb,
            (slot, Action::Abandon) => {
                let mut writes = queue.queue();
                writes.release(account.as_shared(), graph_slot(slot));
                queue.abandoned().push((account.clone(), slot));
                queue.0.wake.notify_one();
                return None;
            }
        };
        let tag = Tag {
            account: account.clone(),
            write,
            heard_at,
            origin: Origin::Engine,
        };
        let mut writes = queue.queue();
        let pushed = writes.push(network_time(), account.as_shared(), operation, tag);
        queue.0.wake.notify_one();
        match pushed {
            PushResult::Queued => None,
            // The write that it clears was never sent.
            PushResult::Cancelled => {
                queue.abandoned().push((account.clone(), write.slot));
                Some(Fact::TeamsAcknowledged(write.slot, write.action))
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.queues.values().all(|queue| queue.queue().is_empty())
    }

    fn idle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            while !self.is_idle() {
                for queue in self.queues.values() {
                    queue.idle().await;
                }
            }
        })
    }
}

impl TenantWrites {
    pub(super) fn queue(&self) -> MutexGuard<'_, WriteQueue<Tag>> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes when nothing waits and nothing is on the wire.
    async fn idle(&self) {
        loop {
            let idle = self.0.idle.notified();
            if self.queue().is_empty() {
                return;
            }
            idle.await;
        }
    }

    /// Wakes the sender.
    pub(super) fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Waits for a confirmed clear of an account that the person has no longer.
    pub(super) async fn left_write_cleared(&self) {
        self.0.settle.notified().await;
    }

    /// Confirmed clears of accounts that the person has no longer.
    pub(super) fn cleared_left_writes(&self) -> MutexGuard<'_, BTreeSet<(TeamsUserId, Slot)>> {
        let cleared_left_writes = self.0.cleared_left_writes.lock();
        cleared_left_writes.unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes that wait only for the budget.
    pub(super) fn backlog(&self) -> Backlog {
        self.queue().backlog(network_time())
    }

    fn abandoned(&self) -> MutexGuard<'_, Vec<(TeamsUserId, Slot)>> {
        self.0
            .abandoned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the failures of writes that are not retried any more. The lock of the queue keeps new ones from being recorded.
    fn forget_abandoned(&self, _queue: &MutexGuard<'_, WriteQueue<Tag>>, tenant: &Tenant) {
        let left = std::mem::take(&mut *self.abandoned());
        if !left.is_empty() {
            tenant.forget_writes(&left, network_time());
        }
    }

    /// Forgets the failures of writes that are not retried any more, and the writes to accounts that no person has.
    pub(super) fn forget_unconfirmed(&self, tenant: &Tenant) {
        let mut queue = self.queue();
        for (account, slot) in tenant.forget_unconfirmed(network_time()) {
            queue.release(account.as_shared(), graph_slot(slot));
        }
        self.forget_abandoned(&queue, tenant);
        self.wake();
    }

    /// Sends writes and reports the backlog, until the task is dropped.
    pub async fn run(self, tenant: Tenant, store: Store) {
        let report = tenant.clone().report_backlog(self.clone());
        let forget = self.clone().forget_removed(tenant.context.people.clone());
        let left = self.clone().settle_left_writes(tenant.clone(), store);
        tokio::join!(self.send_all(tenant), report, forget, left);
    }

    /// Forgets the acknowledged clears of accounts that no person has any more, until the task is dropped.
    async fn forget_removed(self, directory: PeopleIndex) {
        loop {
            tokio::time::sleep(FORGET_INTERVAL).await;
            let is_known = |user: &str| directory.by_teams_id(&TeamsUserId::new(user)).is_some();
            self.queue().retain_known(is_known);
        }
    }

    async fn send_all(self, tenant: Tenant) {
        let wire = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        loop {
            let Ok(permit) = wire.clone().acquire_owned().await else {
                return;
            };
            let writes = self.affordable(&tenant).await;
            let (queue, tenant) = (self.clone(), tenant.clone());
            tokio::spawn(async move {
                queue.send(&tenant, writes).await;
                drop(permit);
            });
        }
    }

    /// Waits for writes and for their budget.
    async fn affordable(&self, tenant: &Tenant) -> Vec<Pending<Tag>> {
        loop {
            match self.next_step(tenant) {
                NextStep::Send(writes) => return writes,
                NextStep::Budget(wait) => tokio::time::sleep(wait).await,
                NextStep::Nothing(wake_at) => tokio::select! {
                    () = self.0.wake.notified() => {}
                    () = rest_until(wake_at) => {}
                },
            }
        }
    }

    fn next_step(&self, tenant: &Tenant) -> NextStep {
        let mut queue = self.queue();
        self.forget_abandoned(&queue, tenant);
        let mut budget = tenant.budget();
        let next = queue.next(network_time(), &mut budget);
        let waiting = i64::try_from(queue.len()).unwrap_or(i64::MAX);
        tenant.context.metrics.pending_writes.set(waiting);
        if queue.is_empty() {
            self.0.idle.notify_waiters();
        }
        let mut writes = match next {
            Next::Write(write) => vec![write],
            Next::Budget(wait) => return NextStep::Budget(wait),
            Next::Nothing(wake_at) => return NextStep::Nothing(wake_at),
        };
        // After an outage many writes wait: as many go into one batch as the budget has. A single write, or one of few, never
        // waits for the answers to others.
        if tenant.logins.is_none() && queue.may_batch(network_time()) {
            while writes.len() < BATCH_MAX
                && let Next::Write(write) = queue.next(network_time(), &mut budget)
            {
                writes.push(write);
            }
        }
        NextStep::Send(writes)
    }

    async fn send(&self, tenant: &Tenant, writes: Vec<Pending<Tag>>) {
        let traced = |write: &Pending<Tag>| {
            TracedWrite::new(&write.tag.write, write.operation.call(), write.waited)
        };
        let traced: Vec<TracedWrite> = writes.iter().map(traced).collect();
        for write in &writes {
            tenant
                .context
                .metrics
                .write_wait
                .observe_duration(write.waited);
            if let Some(heard_at) = write.tag.heard_at {
                tenant.context.metrics.pbx_to_graph.observe(heard_at);
            }
        }
        match writes.as_slice() {
            [write] => {
                let [traced] = traced.as_slice() else { return };
                let result = write_one(tenant, write, traced.id())
                    .instrument(traced.span.clone())
                    .await;
                self.done(tenant, write, traced, result).await;
            }
            several => {
                let requests: Vec<_> = several
                    .iter()
                    .zip(&traced)
                    .map(|(write, traced)| (&*write.user, write.operation, Some(traced.id())))
                    .collect();
                let results = tenant.client.write_batch(&requests).await;
                if is_batch_unanswered(&results) {
                    self.queue().batch_failed(network_time());
                }
                match results {
                    Ok(results) => {
                        for ((write, traced), result) in several.iter().zip(&traced).zip(results) {
                            self.done(tenant, write, traced, result).await;
                        }
                    }
                    Err(error) => {
                        for (write, traced) in several.iter().zip(&traced) {
                            self.done(tenant, write, traced, Err(error.clone())).await;
                        }
                    }
                }
            }
        }
    }

    async fn done(
        &self,
        tenant: &Tenant,
        write: &Pending<Tag>,
        traced: &TracedWrite,
        result: Result<WriteSuccess, GraphError>,
    ) {
        tenant.count(write.operation.call(), result.as_ref().map(|_| ()));
        traced.log(&result);
        let account = &write.tag.account;
        let TeamsWrite {
            person,
            slot,
            action,
            trace: _,
        } = write.tag.write;
        let (fact, outcome) = match &result {
            Ok(WriteSuccess::Done) => (Some(Fact::TeamsAcknowledged(slot, action)), Outcome::Done),
            Ok(WriteSuccess::NothingToClear) => (
                Some(Fact::TeamsNothingToClear(slot)),
                Outcome::NothingToClear,
            ),
            Err(error) => {
                let fact = is_refusal(error).then_some(Fact::TeamsRefused(slot, action));
                (fact, retry(error, write.operation))
            }
        };
        if result.is_ok() && action == Action::Clear {
            let owner = tenant.context.people.by_teams_id(account);
            if write.tag.origin == Origin::LeftWrite || owner != Some(person) {
                self.cleared_left_writes().insert((account.clone(), slot));
                self.0.settle.notify_one();
            }
        }
        if let Some(fact) = fact
            && write.tag.origin == Origin::Engine
        {
            let input = Input::Person(person, fact);
            let cause = Cause::Traced(traced.trace);
            tenant.context.engine.input(input, cause).await;
        }
        let now = network_time();
        {
            let mut queue = self.queue();
            let finished = queue.finish(now, &write.user, outcome);
            let next_at = match outcome {
                Outcome::GiveUp => now.saturating_add(INSISTS_AFTER),
                Outcome::Done | Outcome::NothingToClear | Outcome::Retry(_) => queue
                    .retry_at(&write.user, write.operation.slot())
                    .unwrap_or(now),
            };
            // While the queue is locked, so that the write is not released between its failure and the record of it.
            if result.is_ok() || finished != FinishResult::Released {
                tenant.report_write(
                    (account, write.tag.write),
                    result.as_ref().map(|_| ()),
                    (now, next_at),
                );
            }
        }
        self.0.wake.notify_one();
    }
}

pub(super) const fn graph_slot(slot: Slot) -> graph::Slot {
    match slot {
        Slot::Session => graph::Slot::Session,
        Slot::Preferred => graph::Slot::Preferred,
    }
}

/// Sends one write, with the application's permission or with the person's own login.
async fn write_one(
    tenant: &Tenant,
    write: &Pending<Tag>,
    id: RequestId,
) -> Result<WriteSuccess, GraphError> {
    let (user, operation) = (&*write.user, write.operation);
    match &tenant.logins {
        None => tenant.client.write(user, operation, Some(id)).await,
        Some(logins) => {
            let write_as = |token| async move {
                tenant
                    .client
                    .write_as(&token, user, operation, Some(id))
                    .await
            };
            logins.with(write.tag.write.person, write_as).await
        }
    }
}

/// Waits until `wake_at` of the network's time; without one, until the future is dropped.
async fn rest_until(wake_at: Option<i64>) {
    match wake_at {
        None => std::future::pending().await,
        Some(wake_at) => {
            let rest = (wake_at - network_time()).max(1).unsigned_abs();
            tokio::time::sleep(Duration::from_millis(rest)).await;
        }
    }
}
