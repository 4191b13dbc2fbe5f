//! Synchronisation with Teams: the tasks of each tenant read and write presences within the tenant's request budget. The plain
//! types of `graph` decide the time of each request; the tasks wait and send.

mod accounts;
mod attempts;
mod backlog;
pub mod config;
mod confirmation;
mod handle;
mod left_writes;
mod link;
mod logins;
mod lookups;
mod notifications;
mod pauses;
mod personal;
mod reach;
mod reads;
mod refused;
mod search;
mod service_accounts;
mod staleness;
mod sweep;
mod tenant_clients;
mod traced_write;
mod unconfirmed;
mod writes;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::Duration,
};

pub use accounts::{
    AccountError, Answer, begin_browser, begin_code, confirm, disconnect, finish_browser,
    link_named,
};
use graph::{Blame, Budget, Client, GraphError, Purpose};
pub use handle::{TeamsHandle, TeamsStart};
use logins::Logins;
pub use logins::{Keep, LoginsOf};
pub use notifications::NotificationOptions;
use personal::PersonalFailures;
use presence::{PersonId, TeamsState, TeamsUserId, TenantName};
use reach::Reach;
use reads::TenantReads;
use refused::Refused;
use runtime::{
    context::Context,
    health::{Part, TeamsPart, Trouble},
    people_index::Person,
};
use search::AccountSearch;
pub use search::TooSoon;
pub use service_accounts::{
    forget_service_account, keep_service_account, service_account_scope, service_accounts,
};
pub use sweep::SweepNow;
use tenant_clients::TenantClient;
use tokio::{sync::mpsc, time::Instant};
use unconfirmed::Unconfirmed;

/// The network's time in milliseconds since the start. Budgets and pauses of Microsoft are counted by it, because tests drive the
/// server's clock by hand.
fn network_time() -> i64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    i64::try_from(START.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// Changes that may wait for the comparison with notifications.
const CHANGES_MAX: usize = 1_024;

/// The way of signing in to a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// The application signs in, and reads and writes all presences with its own permissions.
    Application,
    /// Each person signs in, and the person's presence is read and written with that login.
    People,
}

/// Settings of a tenant.
#[derive(Debug)]
pub struct TeamsOptions {
    /// The tenant's name in the configuration.
    pub name: TenantName,
    /// The way of signing in.
    pub sign_in: SignIn,
    /// Addresses and credentials.
    pub client: graph::ClientConfig,
    /// Requests per 30 seconds; `None`: no limit.
    pub requests_per_30_seconds: Option<u32>,
    /// Change notifications; `None`: presences are read at the polling interval alone.
    pub notifications: Option<NotificationOptions>,
}

/// The connection to one tenant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tenant {
    name: TenantName,
    /// The logins of people, where each person signs in.
    logins: Option<Logins>,
    /// Searches for accounts of people without one.
    search: AccountSearch,
    client: Arc<Client>,
    context: Context,
    budget: Arc<Mutex<Budget>>,
    reads: TenantReads,
    /// The last state of each person, for the comparison with notifications.
    shown: Arc<Mutex<HashMap<PersonId, TeamsState>>>,
    reach: Arc<Mutex<Reach>>,
    unconfirmed: Arc<Mutex<Unconfirmed>>,
    /// Accounts for which Graph refuses requests.
    refused: Arc<Mutex<Refused>>,
    /// People who could not be read, where each person signs in.
    personal: Arc<Mutex<PersonalFailures>>,
    /// Changes that the sweep saw, for the comparison with notifications.
    changes: Option<mpsc::Sender<TeamsUserId>>,
    /// Milliseconds between the starts of the last two sweeps.
    sweep_interval: Arc<AtomicU64>,
    limit: Option<u32>,
}

impl Tenant {
    /// The connection to the tenant of this client, with `limit` requests per 30 seconds and the people to read beside the
    /// sweep. Nothing is sent yet.
    fn new(client: TenantClient, limit: Option<u32>, context: Context, reads: TenantReads) -> Self {
        let TenantClient {
            name,
            client,
            logins,
            search,
        } = client;
        Self {
            name,
            logins,
            search,
            client,
            context,
            budget: Arc::new(Mutex::new(Budget::new(limit, network_time()))),
            reads,
            shown: Arc::default(),
            reach: Arc::default(),
            unconfirmed: Arc::default(),
            refused: Arc::default(),
            personal: Arc::default(),
            changes: None,
            sweep_interval: Arc::default(),
            limit,
        }
    }

    /// Whether this tenant reads and writes a person's presence.
    fn serves(&self, person: &Person) -> bool {
        person.tenant == self.name && self.context.organisation.syncs(person.id)
    }

    /// The Teams accounts of these people, as far as this tenant serves them.
    fn accounts(&self, people: impl IntoIterator<Item = PersonId>) -> Vec<TeamsUserId> {
        let people = people.into_iter();
        let people = people.filter_map(|person| self.context.people.person(person));
        let served = people.filter(|person| self.serves(person));
        served
            .filter_map(|person| person.teams_id.clone())
            .collect()
    }

    /// Reports a health part of this tenant as OK or in trouble.
    fn report(&self, part: TeamsPart, trouble: Option<Trouble>) {
        let part = Part::Teams(part, self.name.clone());
        self.context.health.report(&part, trouble);
    }

    /// Reports a warning about a health part of this tenant, or its end.
    fn report_warning(&self, part: TeamsPart, warning: Option<Trouble>) {
        let part = Part::Teams(part, self.name.clone());
        self.context.health.report_warning(&part, warning);
    }

    /// A channel of the changes that the sweep sees.
    fn changes(&mut self) -> mpsc::Receiver<TeamsUserId> {
        let (sender, changes) = mpsc::channel(CHANGES_MAX);
        self.changes = Some(sender);
        changes
    }

    fn changed(&self, person: PersonId) {
        if let Some(changes) = &self.changes
            && let Some(person) = self.context.people.person(person)
            && let Some(user) = &person.teams_id
        {
            // With a full queue the comparison is late, and one change more or less does not matter.
            let _ = changes.try_send(user.clone());
        }
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Updates the metrics of the budget.
    fn record_budget(&self) {
        let (sent, limit) = {
            let budget = self.budget();
            (budget.sent(network_time()), budget.limit())
        };
        self.context.metrics.set_budget(&self.name, sent, limit);
    }

    /// Waits until the budget has a request left, and consumes it.
    async fn afford(&self, purpose: Purpose) {
        let began = Instant::now();
        loop {
            let taken = self.budget().try_acquire(network_time(), purpose);
            match taken {
                Ok(()) => break,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
        self.context.metrics.budget_wait.observe(began);
    }

    /// Counts a request, and pauses the budget where Graph asks for that.
    fn count(&self, call: &str, result: Result<(), &GraphError>) {
        let outcome = result.map_or_else(outcome, |()| "ok");
        self.context.metrics.count_request(call, outcome);
        if let Err(error) = result
            // A pause for another status concerns that request alone, and a pause for the sign-in the sign-in alone.
            && (matches!(error, GraphError::Throttled { .. })
                || matches!(error, GraphError::Service { retry_after: Some(_), .. }))
        {
            let wait = error.retry_after().unwrap_or(Duration::from_secs(2));
            self.budget().pause(network_time(), wait);
        }
    }

    /// Reports a failure that concerns the whole tenant.
    fn report_failure(&self, part: TeamsPart, error: &GraphError) {
        let trouble = Trouble {
            what: error.to_string(),
            remedy: remedy(error),
        };
        self.report(part, Some(trouble));
    }
}

fn remedy(error: &GraphError) -> String {
    if let Some(remedy) = error.sign_in_remedy() {
        return format!(
            "{remedy}; Offhook retries, and needs a restart only after a change of its own configuration or secret"
        );
    }
    if matches!(error, GraphError::Unauthorized { .. }) {
        return "Offhook retries, and asks for a new token after longer and longer pauses, at most a minute; if the problem \
                lasts, run `offhook doctor`, and check that the application is enabled in Entra and that teams.login_url and \
                teams.graph_url belong to one cloud"
            .into();
    }
    match error.blame() {
        Blame::Service => "Offhook retries; if the problem lasts, see the text".into(),
        Blame::Administrator | Blame::Request => "see the text; Offhook retries".into(),
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
        GraphError::Unconfirmed { .. } => "unconfirmed",
        GraphError::Intercepted { .. } => "intercepted",
        GraphError::LinkEnded { .. } => "link_ended",
        GraphError::Refused { .. } => "refused",
        GraphError::TooLarge { .. } => "too_large",
        GraphError::Malformed { .. } => "malformed",
    }
}
