//! Change notifications of Graph: the person of a notification is read at once. The sweep goes on beside them, so that a lost
//! notification costs one polling interval.

use std::{sync::Arc, time::Duration};

use graph::{
    Client, GraphError, KeyedCertificate,
    notification::{
        Counters, DropReason, Event, LifecycleKind, ReceiveResult, Receiver, TrustedApplication,
    },
    random_secret,
    subscription::{Action, EncryptionCertificate, Keeper, KeeperSettings, SubscriptionAnswer},
};
use presence::{TeamsUserId, Timestamp};
use runtime::{
    health::{TeamsPart, Trouble},
    metrics::NotificationOutcome,
    vault::Vault,
};
use secrecy::SecretString;
use store::Store;
use tokio::sync::mpsc;

use super::{
    Tenant,
    logins::{InMemory, Logins, LoginsOf, TokenAge},
    sweep::SweepNow,
};

/// Bodies of notifications that may wait. Graph sends a refused body again.
const QUEUE_MAX: usize = 1_024;
/// Interval at which the people to subscribe to and the service accounts are refreshed.
const REFRESH_INTERVAL: Duration = Duration::from_secs(30);

/// Settings of a tenant's notifications.
#[derive(Debug)]
pub struct NotificationOptions {
    /// The public address that leads to `/teams/notifications` of this server.
    pub url: String,
    /// The certificate for which Graph encrypts.
    pub certificate: KeyedCertificate,
    /// The previous certificate, during a change of certificates.
    pub old_certificate: Option<KeyedCertificate>,
}

/// Sender of notifications' bodies to the task of a tenant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct NotificationSender(mpsc::Sender<Vec<u8>>);

/// Receiver of notifications' bodies.
#[derive(Debug)]
pub struct NotificationReceiver(mpsc::Receiver<Vec<u8>>);

impl NotificationSender {
    /// A queue of at most [`QUEUE_MAX`] bodies.
    pub fn new() -> (Self, NotificationReceiver) {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        (Self(sender), NotificationReceiver(receiver))
    }

    /// Queues a body; returns false if the queue is full: Graph sends the body again.
    pub fn send(&self, body: Vec<u8>) -> bool {
        self.0.try_send(body).is_ok()
    }
}

/// The task of a tenant's notifications.
struct NotificationTask {
    tenant: Tenant,
    receiver: Receiver,
    keeper: Keeper,
    accounts: Logins,
    sweep: SweepNow,
    counted: Counters,
}

impl Tenant {
    /// Subscribes to the presence of people and handles notifications, until the task is dropped.
    pub async fn listen(
        self,
        options: NotificationOptions,
        vault: Arc<Vault>,
        store: Store,
        sweep: SweepNow,
        (receiver, changes): (NotificationReceiver, mpsc::Receiver<TeamsUserId>),
    ) {
        let client = self.client.clone();
        let (of, name) = (LoginsOf::ServiceAccounts, self.name.clone());
        let (clock, vault) = (self.context.clock.clone(), Some(vault));
        let accounts = Logins::new(of, &name, client.clone(), store, vault, clock);
        let Some(task) = NotificationTask::new(self, &options, accounts, sweep).await else {
            return std::future::pending().await;
        };
        task.run(client, receiver, changes).await;
    }
}

impl NotificationTask {
    async fn new(
        tenant: Tenant,
        options: &NotificationOptions,
        accounts: Logins,
        sweep: SweepNow,
    ) -> Option<Self> {
        let client_state = match random_secret() {
            Ok(secret) => secret,
            Err(error) => {
                tracing::error!(%error, "notifications are off: the operating system gives no random numbers");
                return None;
            }
        };
        let config = tenant.client.config().clone();
        let trust = TrustedApplication {
            tenant_id: tenant_id(&tenant).await,
            client_id: config.client_id.clone(),
        };
        let mut receiver = Receiver::new(config.login, [trust]);
        let certificates = options.old_certificate.iter().chain([&options.certificate]);
        for certificate in certificates {
            let id = certificate.certificate().thumbprint();
            receiver.add_certificate(id, certificate.clone());
        }
        let public = options.certificate.certificate().clone();
        let keeper = Keeper::new(KeeperSettings {
            notification_url: options.url.clone(),
            lifecycle_url: Some(options.url.clone()),
            certificate: EncryptionCertificate {
                id: public.thumbprint(),
                certificate: public,
            },
            client_state,
        });
        Some(Self {
            tenant,
            receiver,
            keeper,
            accounts,
            sweep,
            counted: Counters::default(),
        })
    }

    async fn run(
        mut self,
        client: Arc<Client>,
        receiver: NotificationReceiver,
        mut changes: mpsc::Receiver<TeamsUserId>,
    ) {
        let NotificationReceiver(mut bodies) = receiver;
        let mut silenced = 0;
        let (answers, mut answered) =
            mpsc::channel::<(String, Result<SubscriptionAnswer, GraphError>)>(64);
        let mut refresh_at = self.tenant.context.clock.now();
        loop {
            let now = self.tenant.context.clock.now();
            if now >= refresh_at {
                refresh_at = now + REFRESH_INTERVAL;
                self.refresh().await;
            }
            for action in self.keeper.poll(now.milliseconds()) {
                let (accounts, client, answers) =
                    (self.accounts.clone(), client.clone(), answers.clone());
                tokio::spawn(async move {
                    let account = action.account().to_owned();
                    let answer = carry_out(&client, &accounts, action).await;
                    // The receiver is gone when the server stops.
                    let _ = answers.send((account, answer)).await;
                });
            }
            if self.keeper.silent_recreations() > silenced {
                silenced = self.keeper.silent_recreations();
                tracing::warn!(
                    "a subscription sent no notifications of changes that the sweep saw: it is created again"
                );
            }
            self.receiver
                .expect_only(self.keeper.subscriptions(), self.keeper.client_state());
            let wake = self.keeper.deadline().map(Timestamp::from_milliseconds);
            let wake = wake.map_or(refresh_at, |wake| wake.min(refresh_at));
            let clock = self.tenant.context.clock.clone();
            tokio::select! {
                Some(body) = bodies.recv() => self.receive(&body).await,
                Some(user) = changes.recv() => {
                    let now = self.tenant.context.clock.now().milliseconds();
                    self.keeper.on_presence_change(now, user.as_str());
                }
                Some((account, answer)) = answered.recv() => {
                    let note = answer.as_ref().map(|_| ());
                    self.tenant.context.metrics.count_request("subscription", match note {
                        Ok(()) => "ok",
                        Err(error) => super::outcome(error),
                    });
                    let now = self.tenant.context.clock.now().milliseconds();
                    self.keeper.on_answer(now, &account, answer);
                    self.report_health(None);
                }
                () = clock.sleep_until(Some(wake.max(now + Duration::from_millis(100)))) => {}
            }
        }
    }

    /// Refreshes the people to subscribe to, and the service accounts.
    async fn refresh(&mut self) {
        let people = self
            .tenant
            .context
            .people
            .teams_ids(|person| self.tenant.serves(person));
        self.keeper
            .set_people(people.iter().map(TeamsUserId::as_str));
        let (accounts, trouble) = self.accounts.refresh(InMemory::Drop).await;
        self.keeper
            .set_accounts(accounts.iter().map(String::as_str));
        let trouble = trouble.or_else(|| {
            accounts
                .is_empty()
                .then(|| "no service account is signed in".to_owned())
        });
        self.report_health(trouble);
    }

    fn report_health(&self, trouble: Option<String>) {
        let of_account = self.keeper.status().find_map(|account| {
            let trouble = account.trouble?;
            Some(format!("service account {}: {trouble}", account.account))
        });
        let unserved = Some(self.keeper.unserved()).filter(|unserved| *unserved > 0);
        let unserved = unserved.map(|unserved| {
            format!(
                "{unserved} people are watched by no subscription: each service account takes 650"
            )
        });
        let trouble = trouble.or(of_account).or(unserved).map(|what| Trouble {
            what,
            remedy: "presences are read all the same, every second or so; `offhook service-account add` lets an account sign in".into(),
        });
        self.tenant.report(TeamsPart::Notifications, trouble);
    }

    async fn receive(&mut self, body: &[u8]) {
        let now = self.tenant.context.clock.now().milliseconds();
        if self.receiver.keys_due(now) {
            self.fetch_keys().await;
        }
        let mut received = self.receiver.receive(now, body);
        if received == ReceiveResult::KeysNeeded {
            self.fetch_keys().await;
            received = self.receiver.receive(now, body);
        }
        if let ReceiveResult::Events(events) = received {
            for event in events {
                self.on_event(event);
            }
        }
        self.count();
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Notice(notice) => {
                let account = TeamsUserId::new(&notice.user);
                // A notification may be a minute old: it is a reason to read, not the state.
                if let Some(person) = self.tenant.context.people.by_teams_id(&account) {
                    self.tenant.reads.request(person);
                    let now = self.tenant.context.clock.now().milliseconds();
                    self.keeper.on_notification(now, account.as_str());
                }
            }
            Event::Lifecycle(lifecycle) => {
                tracing::info!(?lifecycle.kind, "lifecycle notification from Graph");
                if lifecycle.kind == LifecycleKind::Missed {
                    let sweep = self.sweep.clone();
                    tokio::spawn(async move { sweep.sweep().await });
                }
                self.keeper.on_lifecycle(&lifecycle);
            }
        }
    }

    async fn fetch_keys(&mut self) {
        let keys = self.tenant.client.signing_keys().await;
        let now = self.tenant.context.clock.now().milliseconds();
        match keys {
            Ok(keys) => self.receiver.set_keys(now, keys),
            Err(error) => {
                tracing::warn!(%error, "Entra's signing keys could not be fetched");
                self.receiver.keys_failed(now);
            }
        }
    }

    /// Adds the notifications since the last call to the metrics.
    fn count(&mut self) {
        let counters = self.receiver.counters();
        let metrics = &self.tenant.context.metrics;
        let before = std::mem::replace(&mut self.counted, counters);
        metrics.count_notifications(
            NotificationOutcome::Taken,
            counters.notices - before.notices,
        );
        metrics.count_notifications(
            NotificationOutcome::Lifecycle,
            counters.lifecycle - before.lifecycle,
        );
        for ((reason, now), (_, before)) in counters.dropped().into_iter().zip(before.dropped()) {
            metrics.count_notifications(NotificationOutcome::Dropped(reason), now - before);
            if now > before && reason != DropReason::Duplicate {
                tracing::warn!(
                    why = reason.name(),
                    count = now - before,
                    "notifications were dropped"
                );
            }
        }
    }
}

/// The tenant's id. Where the configuration has a domain, Entra is asked until it answers.
async fn tenant_id(tenant: &Tenant) -> String {
    let configured = &tenant.client.config().tenant;
    if configured.len() == 36 && configured.matches('-').count() == 4 {
        return configured.to_lowercase();
    }
    loop {
        match tenant.client.tenant_id().await {
            Ok(id) => return id,
            Err(error) => {
                let trouble = Trouble {
                    what: format!("the tenant's id is not known: {error}"),
                    remedy: "write the directory id into teams.tenant; Offhook retries every 30 s"
                        .into(),
                };
                tenant.report(TeamsPart::Notifications, Some(trouble));
            }
        }
        tokio::time::sleep(REFRESH_INTERVAL).await;
    }
}

/// Makes one request with the account's token; with a fresh one if Graph refuses the first.
async fn carry_out(
    client: &Client,
    accounts: &Logins,
    action: Action,
) -> Result<SubscriptionAnswer, GraphError> {
    // A subscription is reauthorized by a fresh token.
    let age = match action {
        Action::Reauthorize { .. } => TokenAge::New,
        Action::Create { .. }
        | Action::Renew { .. }
        | Action::Delete { .. }
        | Action::List { .. } => TokenAge::Any,
    };
    let token = accounts.token(action.account(), age).await?;
    match request(client, &token, &action).await {
        Err(GraphError::Unauthorized { .. })
            if age == TokenAge::Any && accounts.replace(action.account(), &token).await =>
        {
            let token = accounts.token(action.account(), TokenAge::Any).await?;
            request(client, &token, &action).await
        }
        done => done,
    }
}

async fn request(
    client: &Client,
    token: &SecretString,
    action: &Action,
) -> Result<SubscriptionAnswer, GraphError> {
    match action {
        Action::Create { subscription, .. } => client
            .create_subscription(token, subscription)
            .await
            .map(SubscriptionAnswer::Subscription),
        Action::Renew {
            id,
            expires,
            certificate,
            ..
        } => client
            .renew_subscription(token, id, *expires, certificate.as_ref())
            .await
            .map(SubscriptionAnswer::Subscription),
        Action::Reauthorize { id, .. } => client
            .reauthorize_subscription(token, id)
            .await
            .map(|()| SubscriptionAnswer::Empty),
        Action::Delete { id, .. } => client
            .delete_subscription(token, id)
            .await
            .map(|()| SubscriptionAnswer::Empty),
        Action::List { .. } => client
            .subscriptions(token)
            .await
            .map(SubscriptionAnswer::List),
    }
}
