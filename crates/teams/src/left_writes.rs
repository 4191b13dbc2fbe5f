//! Clears writes to accounts that their people have no longer, also after a restart: the store has them by account
//! ([`store::LeftWrite`]), and the queue retries the clear until Microsoft confirms it.

use std::{collections::BTreeSet, time::Duration};

use graph::Operation;
use presence::{Action, Slot, TeamsUserId, TeamsWrite, Timestamp};
use runtime::people_index::PeopleIndex;
use store::{LeftWrite, Owner, Store};

use super::{
    Tenant, network_time,
    writes::{Origin, Tag, TeamsWrites, TenantWrites, graph_slot},
};

/// Interval at which the records are compared with the queue.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// The next step for a left write.
enum Step {
    /// The queue or the engine is about to clear it.
    Wait,
    /// It is cleared, or belongs to a person again: its record is deleted.
    Forget,
    /// A clear must be sent.
    Clear,
}

impl TeamsWrites {
    /// Adds the clears of left writes at a start, before the engine writes.
    pub async fn adopt_left_writes(&self, store: &Store, now: Timestamp) {
        let writes = match store.left_writes(now).await {
            Ok(writes) => writes,
            Err(error) => {
                tracing::warn!(%error, "writes to accounts of removed people could not be read from the database; trying again in 2 s");
                return;
            }
        };
        for write in writes {
            match write.owner {
                Owner::Nobody | Owner::Person => self.of_tenant(&write.tenant).clear(&write),
                Owner::Writer => forget(store, &write).await,
            }
        }
    }
}

impl TenantWrites {
    /// Clears left writes and deletes their records, until the task is dropped.
    pub(super) async fn settle_left_writes(self, tenant: Tenant, store: Store) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(CHECK_INTERVAL) => {}
                () = self.left_write_cleared() => {}
            }
            let writes = match store.left_writes(tenant.context.clock.now()).await {
                Ok(writes) => writes,
                Err(error) => {
                    tracing::warn!(%error, "writes to accounts of removed people could not be read from the database; trying again in 2 s");
                    continue;
                }
            };
            let cleared_left_writes = std::mem::take(&mut *self.cleared_left_writes());
            for write in writes.iter().filter(|write| write.tenant == tenant.name) {
                match self.step(write, &cleared_left_writes, &tenant.context.people) {
                    Step::Wait => {}
                    Step::Forget => forget(&store, write).await,
                    Step::Clear => self.clear(write),
                }
            }
        }
    }

    fn step(
        &self,
        write: &LeftWrite,
        cleared_left_writes: &BTreeSet<(TeamsUserId, Slot)>,
        directory: &PeopleIndex,
    ) -> Step {
        let (account, slot) = (write.account.as_shared(), graph_slot(write.slot));
        let queue = self.queue();
        if queue.has_write(account, slot) {
            return Step::Wait;
        }
        let key = (write.account.clone(), write.slot);
        if cleared_left_writes.contains(&key) || queue.is_cleared(account, slot) {
            return Step::Forget;
        }
        match write.owner {
            Owner::Person | Owner::Writer => Step::Forget,
            // Another process removed the person a moment ago: the engine is about to clear the write.
            Owner::Nobody if directory.by_teams_id(&write.account).is_some() => Step::Wait,
            Owner::Nobody => Step::Clear,
        }
    }

    fn clear(&self, left: &LeftWrite) {
        let operation = match left.slot {
            Slot::Session => Operation::ClearSession,
            Slot::Preferred => Operation::ClearDoNotDisturb,
        };
        let tag = Tag {
            account: left.account.clone(),
            write: TeamsWrite {
                person: left.person,
                slot: left.slot,
                action: Action::Clear,
                trace: None,
            },
            heard_at: None,
            origin: Origin::LeftWrite,
        };
        let account = left.account.as_shared();
        self.queue().push(network_time(), account, operation, tag);
        self.wake();
    }
}

async fn forget(store: &Store, write: &LeftWrite) {
    if let Err(error) = store.forget_left_write(write).await {
        tracing::warn!(%error, "the record of a cleared write to Teams could not be deleted; trying again in 2 s");
    }
}
