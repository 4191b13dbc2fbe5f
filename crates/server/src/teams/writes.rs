//! Writing to Teams: the latest wish of each person, in the order of urgency, as fast as the budget allows.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use graph::{Blame, GraphError, Operation, Outcome, Pending, WriteQueue};
use presence::{Action, Fact, Input, Slot, TeamsWrite};
use tokio::{
    sync::{Notify, Semaphore},
    time::Instant,
};

use super::{Tenant, network_time};
use crate::{directory::Directory, shard::Cause};

/// Requests on the wire at once. At 50 ms an answer that is 1,280 a second, far beyond any tenant's budget.
const IN_FLIGHT_MAX: usize = 64;
/// Pause before a write is tried again that only an administrator can make possible.
const ADMINISTRATOR_PAUSE: Duration = Duration::from_secs(15);
/// Pause before a write is tried again for an account that Graph does not know.
const UNKNOWN_PAUSE: Duration = Duration::from_secs(15);
/// The name under which the health of writing is told.
const PART: &str = "teams writes";

#[derive(Clone, Debug)]
struct Tag {
    write: TeamsWrite,
    heard_at: Option<Instant>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<WriteQueue<Tag>>,
    wake: Notify,
}

/// The queue of writes. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TeamsWrites {
    shared: Arc<Shared>,
    directory: Directory,
    has_tenant: bool,
}

impl TeamsWrites {
    /// An empty queue; without a tenant nothing is ever written.
    pub fn new(directory: Directory, has_tenant: bool) -> Self {
        Self {
            shared: Arc::default(),
            directory,
            has_tenant,
        }
    }

    /// Adds a write whose record is durable.
    pub fn push(&self, write: TeamsWrite, heard_at: Option<Instant>) {
        if !self.has_tenant {
            return;
        }
        let person = self.directory.person(write.person);
        let Some(user) = person.as_ref().and_then(|person| person.teams_id.as_ref()) else {
            return;
        };
        let operation = match (write.slot, write.action) {
            (Slot::Session, Action::Set) => Operation::SetSession,
            (Slot::Session, Action::Renew) => Operation::RenewSession,
            (Slot::Session, Action::Clear) => Operation::ClearSession,
            (Slot::Preferred, Action::Set | Action::Renew) => Operation::SetDoNotDisturb,
            (Slot::Preferred, Action::Clear) => Operation::ClearDoNotDisturb,
        };
        let tag = Tag { write, heard_at };
        self.queue().push(network_time(), user, operation, tag);
        self.shared.wake.notify_one();
    }

    /// Whether nothing waits and nothing is on the wire.
    pub fn is_idle(&self) -> bool {
        self.queue().is_empty()
    }

    fn queue(&self) -> MutexGuard<'_, WriteQueue<Tag>> {
        self.shared
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends, for ever.
    pub async fn run(self, tenant: Tenant) {
        let wire = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        loop {
            let Ok(permit) = wire.clone().acquire_owned().await else {
                return;
            };
            let write = self.next(&tenant).await;
            // The budget is asked with the write in hand: what becomes urgent meanwhile waits for one request at most.
            tenant.afford().await;
            let (queue, tenant) = (self.clone(), tenant.clone());
            tokio::spawn(async move {
                queue.send(&tenant, write).await;
                drop(permit);
            });
        }
    }

    async fn next(&self, tenant: &Tenant) -> Pending<Tag> {
        loop {
            let (write, wake_at) = {
                let mut queue = self.queue();
                let write = queue.pop(network_time());
                tenant
                    .metrics
                    .pending_writes
                    .set(i64::try_from(queue.len()).unwrap_or(i64::MAX));
                (write, queue.next_wake())
            };
            if let Some(write) = write {
                return write;
            }
            tokio::select! {
                () = self.shared.wake.notified() => {}
                () = rest_until(wake_at) => {}
            }
        }
    }

    async fn send(&self, tenant: &Tenant, pending: Pending<Tag>) {
        let Pending {
            user,
            operation,
            tag,
        } = pending;
        if let Some(heard_at) = tag.heard_at {
            tenant.metrics.pbx_to_graph.observe(heard_at);
        }
        let result = tenant.client.write(&user, operation).await;
        tenant.note(PART, operation.call(), result.as_ref().copied());
        let outcome = match &result {
            Ok(()) => {
                tenant
                    .shard
                    .input(
                        Input::Person(
                            tag.write.person,
                            Fact::TeamsAcknowledged(tag.write.slot, tag.write.action),
                        ),
                        Cause::Other,
                    )
                    .await;
                Outcome::Done
            }
            Err(error) => retry(error),
        };
        self.queue().finish(network_time(), &user, outcome);
        self.shared.wake.notify_one();
    }
}

/// Waits until `wake_at` of the network's time; for ever without one.
async fn rest_until(wake_at: Option<i64>) {
    match wake_at {
        None => std::future::pending().await,
        Some(wake_at) => {
            let rest = (wake_at - network_time()).max(1).unsigned_abs();
            tokio::time::sleep(Duration::from_millis(rest)).await;
        }
    }
}

fn retry(error: &GraphError) -> Outcome {
    match error.blame() {
        Blame::Service => Outcome::Retry(error.retry_after()),
        Blame::Administrator => Outcome::Retry(Some(ADMINISTRATOR_PAUSE)),
        // An account that was just made is not known everywhere at once.
        Blame::Request if matches!(error, GraphError::NotFound { .. }) => {
            Outcome::Retry(Some(UNKNOWN_PAUSE))
        }
        Blame::Request => Outcome::GiveUp,
    }
}
