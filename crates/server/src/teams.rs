//! Teams as a sink and as a source: the loops that spend the tenant's budget. What may be sent when is decided by the
//! plain types of `graph`; here is only waiting and sending.

mod accounts;
mod attempts;
mod backlog;
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
mod unconfirmed;
mod writes;

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use graph::{Blame, Budget, Client, GraphError, Purpose};
use presence::{PersonId, TeamsState};
use tokio::{sync::mpsc, time::Instant};

use personal::PersonalFailures;
use reach::Reach;
use reads::TenantReads;
use refused::Refused;
use unconfirmed::Unconfirmed;

use crate::{
    clock::Clock,
    directory::Directory,
    directory::Person,
    health::{Health, Trouble},
    metrics::Metrics,
    organisation::{MAIN_TENANT, Organisation},
    shard::Shard,
};

pub use accounts::{
    AccountError, Answer, begin_browser, begin_code, confirm, disconnect, finish_browser,
    link_named,
};
pub use attempts::Attempts;
pub use handle::{TeamsHandle, TeamsStart};
pub use logins::LoginsOf;
pub use logins::{Keep, Logins};
pub use notifications::NotificationOptions;
pub use notifications::NotificationSender;
pub use pauses::Pauses;
pub use reads::Reads;
pub use search::{AccountSearch, TooSoon};
pub use service_accounts::{
    forget_service_account, keep_service_account, service_account_scope, service_accounts,
};
pub use staleness::StalenessLimit;
pub use sweep::SweepNow;
pub use tenant_clients::{TenantClient, TenantClients};
pub use writes::TeamsWrites;

/// The network's time in milliseconds: what Microsoft allows and asks to wait is counted by it, also where the server's
/// clock is driven by hand and stands still.
fn network_time() -> i64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    i64::try_from(START.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// Changes that may wait to be compared.
const CHANGES_MAX: usize = 1_024;

/// How a tenant is signed in to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Once, by the application, for everybody: it reads and writes with permissions of its own.
    Application,
    /// By each person: everybody's presence is read and written with their own login.
    People,
}

/// A tenant, how it is signed in to, and its budget of requests.
#[derive(Debug)]
pub struct TeamsOptions {
    /// Its name here; that of the main one is [`crate::MAIN_TENANT`].
    pub name: Arc<str>,
    /// How it is signed in to.
    pub sign_in: SignIn,
    /// Where it is and how to sign in.
    pub client: graph::ClientConfig,
    /// Requests per 30 seconds; `None`: no limit.
    pub requests_per_30_seconds: Option<u32>,
    /// How Graph tells of changes, if it shall.
    pub notifications: Option<NotificationOptions>,
}

/// The connection to one tenant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tenant {
    name: Arc<str>,
    /// Everybody's logins, where people sign in by themselves.
    logins: Option<Logins>,
    /// Searches for accounts of people without one.
    search: AccountSearch,
    client: Arc<Client>,
    budget: Arc<Mutex<Budget>>,
    reads: TenantReads,
    /// What each person's last answer showed, where notifications are compared with it.
    shown: Arc<Mutex<HashMap<PersonId, TeamsState>>>,
    reach: Arc<Mutex<Reach>>,
    unconfirmed: Arc<Mutex<Unconfirmed>>,
    /// Accounts for which Graph refuses requests.
    refused: Arc<Mutex<Refused>>,
    /// People whose own read failed, where people sign in by themselves.
    personal: Arc<Mutex<PersonalFailures>>,
    /// Where changes are told that the sweep sees, if somebody compares them with Graph's notifications.
    changes: Option<mpsc::Sender<Arc<str>>>,
    /// Milliseconds between the starts of the last two sweeps.
    sweep_interval: Arc<AtomicU64>,
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
    /// People of the tenant who are read more often.
    pub reads: TenantReads,
}

impl Tenant {
    /// The tenant called `name`, reached by `client` with `limit` requests per 30 seconds. Nothing is sent yet.
    pub fn new(
        TenantClient {
            name,
            client,
            logins,
            search,
        }: TenantClient,
        limit: Option<u32>,
        surroundings: Surroundings,
    ) -> Self {
        let Surroundings {
            clock,
            directory,
            organisation,
            shard,
            health,
            metrics,
            reads,
        } = surroundings;
        let budget = Arc::new(Mutex::new(Budget::new(limit, network_time())));
        Self {
            name,
            logins,
            search,
            client,
            budget,
            reads,
            shown: Arc::default(),
            reach: Arc::default(),
            unconfirmed: Arc::default(),
            refused: Arc::default(),
            personal: Arc::default(),
            changes: None,
            sweep_interval: Arc::default(),
            limit,
            clock,
            directory,
            organisation,
            shard,
            health,
            metrics,
        }
    }

    /// Whether a person's presence is read and written here.
    fn serves(&self, person: &Person) -> bool {
        person.tenant == self.name && self.organisation.syncs(person.id)
    }

    /// The Teams accounts of these people, as far as they are read here.
    fn accounts(&self, people: impl IntoIterator<Item = PersonId>) -> Vec<Arc<str>> {
        let people = people.into_iter();
        let people = people.filter_map(|person| self.directory.person(person));
        let served = people.filter(|person| self.serves(person));
        served
            .filter_map(|person| person.teams_id.clone())
            .collect()
    }

    /// The name of a part of the tenant's connection in the health of the server.
    fn part_name<'a>(&self, part: &'a str) -> Cow<'a, str> {
        match *self.name == *MAIN_TENANT {
            true => part.into(),
            false => format!("{part} ({})", self.name).into(),
        }
    }

    /// Tells how a part of the tenant's connection is.
    fn report(&self, part: &str, trouble: Option<Trouble>) {
        self.health.report(&self.part_name(part), trouble);
    }

    /// Reports what may be wrong with a part of the tenant's connection.
    fn report_warning(&self, part: &str, warning: Option<Trouble>) {
        self.health.report_warning(&self.part_name(part), warning);
    }

    /// Lets changes be told that the sweep sees.
    pub fn tell_changes(&mut self) -> mpsc::Receiver<Arc<str>> {
        let (sender, changes) = mpsc::channel(CHANGES_MAX);
        self.changes = Some(sender);
        changes
    }

    fn changed(&self, person: PersonId) {
        if let Some(changes) = &self.changes
            && let Some(person) = self.directory.person(person)
            && let Some(user) = &person.teams_id
        {
            // Whoever compares is late: one change more or less tells nothing.
            let _ = changes.try_send(user.clone());
        }
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows what of the budget is spent.
    fn tell_budget(&self) {
        let (sent, limit) = {
            let budget = self.budget();
            (budget.sent(network_time()), budget.limit())
        };
        self.metrics.tell_budget(&self.name, sent, limit);
    }

    /// Waits for room in the budget.
    async fn afford(&self, purpose: Purpose) {
        let began = Instant::now();
        loop {
            let taken = self.budget().try_acquire(network_time(), purpose);
            match taken {
                Ok(()) => break,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
        self.metrics.budget_wait.observe(began);
    }

    /// Counts a request, and waits where Graph asks for it.
    fn count(&self, call: &str, result: Result<(), &GraphError>) {
        let outcome = result.map_or_else(outcome, |()| "ok");
        self.metrics.count_request(call, outcome);
        if let Err(error) = result
            // What other statuses ask for holds for that request alone, and what the sign-in asks for, for the sign-in.
            && (matches!(error, GraphError::Throttled { .. })
                || matches!(error, GraphError::Service { retry_after: Some(_), .. }))
        {
            let wait = error.retry_after().unwrap_or(Duration::from_secs(2));
            self.budget().pause(network_time(), wait);
        }
    }

    /// Reports a failure that is everybody's.
    fn report_failure(&self, part: &str, error: &GraphError) {
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
            "{remedy}; Offhook tries again by itself, and needs a restart only after a change of its own configuration or secret"
        );
    }
    if matches!(error, GraphError::Unauthorized { .. }) {
        return "Offhook goes on by itself, and asks for a new token after longer and longer pauses, at most a minute; if it \
                lasts, run `offhook doctor`, and check that the application is enabled in Entra and that teams.login_url and \
                teams.graph_url belong to one cloud"
            .into();
    }
    match error.blame() {
        Blame::Service => "it is tried again by itself; if it lasts, see the text".into(),
        Blame::Administrator | Blame::Request => "see the text; it is tried again by itself".into(),
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
