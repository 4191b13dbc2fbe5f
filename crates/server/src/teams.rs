//! Teams as a sink and as a source: the loops that spend the tenant's budget. What may be sent when is decided by the
//! plain types of `graph`; here is only waiting and sending.

mod fresh;
mod link;
mod notifications;
mod service_accounts;
mod sweep;
mod writes;

use std::{
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize},
    time::Duration,
};

use graph::{Blame, Budget, Client, GraphError};
use tokio::time::Instant;

use fresh::Fresh;

use crate::{
    clock::Clock,
    directory::Directory,
    health::{Health, Trouble},
    metrics::Metrics,
    organisation::Organisation,
    shard::Shard,
};

pub use notifications::NotificationOptions;
pub(crate) use notifications::{Inlet, Outlet};
pub use service_accounts::{
    forget_service_account, keep_service_account, service_account_scope, service_accounts,
};
pub use sweep::{Reads, SweepNow};
pub use writes::TeamsWrites;

/// The network's time in milliseconds: what Microsoft allows and asks to wait is counted by it, also where the server's
/// clock is driven by hand and stands still.
fn network_time() -> i64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    i64::try_from(START.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// The connection to one tenant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tenant {
    client: Arc<Client>,
    budget: Arc<Mutex<Budget>>,
    fresh: Arc<Mutex<Fresh>>,
    /// How many people the last sweep had.
    swept: Arc<AtomicUsize>,
    limit: Option<u32>,
    clock: Clock,
    directory: Directory,
    organisation: Organisation,
    shard: Shard,
    health: Health,
    metrics: Arc<Metrics>,
}

/// What a tenant needs of the rest of the server.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The time.
    pub clock: Clock,
    /// Who is who.
    pub directory: Directory,
    /// What holds for whom.
    pub organisation: Organisation,
    /// The engine.
    pub shard: Shard,
    /// Where trouble is told.
    pub health: Health,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

impl Tenant {
    /// A tenant reached by `client` with `limit` requests per 30 seconds. Nothing is sent yet.
    pub fn new(client: Arc<Client>, limit: Option<u32>, surroundings: Surroundings) -> Self {
        let Surroundings {
            clock,
            directory,
            organisation,
            shard,
            health,
            metrics,
        } = surroundings;
        let budget = Arc::new(Mutex::new(Budget::new(limit, network_time())));
        Self {
            client,
            budget,
            fresh: Arc::default(),
            swept: Arc::default(),
            limit,
            clock,
            directory,
            organisation,
            shard,
            health,
            metrics,
        }
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room in the budget.
    async fn afford(&self) {
        let began = Instant::now();
        loop {
            let taken = self.budget().take(network_time());
            match taken {
                Ok(()) => break,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
        self.metrics.budget_wait.observe(began);
    }

    /// Notes how a call went: for the figures, for the health, for the budget.
    fn note(&self, part: &str, call: &str, result: Result<(), &GraphError>) {
        let error = match result {
            Ok(()) => {
                self.metrics.count_request(call, "ok");
                self.health.report(part, None);
                return;
            }
            Err(error) => error,
        };
        self.metrics.count_request(call, outcome(error));
        if matches!(error, GraphError::Throttled { .. }) || error.retry_after().is_some() {
            let wait = error.retry_after().unwrap_or(Duration::from_secs(2));
            self.budget().silence(network_time(), wait);
        }
        // One person's trouble is not the tenant's; a refused sweep is everybody's.
        if error.blame() == Blame::Request && part != sweep::PART {
            tracing::warn!(part, call, %error, "a request to Teams was refused");
            return;
        }
        let remedy = match error.blame() {
            Blame::Service => "it is tried again by itself; if it lasts, see the text",
            Blame::Administrator | Blame::Request => "see the text; it is tried again by itself",
        };
        let trouble = Trouble {
            what: error.to_string(),
            remedy: remedy.into(),
        };
        self.health.report(part, Some(trouble));
    }
}

fn outcome(error: &GraphError) -> &'static str {
    match error {
        GraphError::Unreachable { .. } => "unreachable",
        GraphError::SignIn { .. }
        | GraphError::UserSignIn { .. }
        | GraphError::Signing { .. }
        | GraphError::NoRandomness => "sign_in",
        GraphError::Unauthorized { .. } => "unauthorized",
        GraphError::Forbidden { .. } => "forbidden",
        GraphError::NotFound { .. } => "not_found",
        GraphError::Throttled { .. } => "throttled",
        GraphError::Service { .. } => "service",
        GraphError::Refused { .. } => "refused",
        GraphError::Malformed { .. } => "malformed",
    }
}
