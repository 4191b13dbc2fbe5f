//! Keeps one subscription per service account alive: decides on the requests and their times, and records the answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use secrecy::SecretString;

use super::{
    EncryptionCertificate, NewSubscription, Subscription,
    account::Account,
    shard::spread,
    watchdog::{Watchdog, suspicious},
};
use crate::{
    GraphError,
    notification::{Lifecycle, LifecycleKind},
};

/// Values that all subscriptions of a tenant share.
#[derive(Clone, Debug)]
pub struct KeeperSettings {
    /// URL for notifications.
    pub notification_url: String,
    /// URL for lifecycle events; may be the same.
    pub lifecycle_url: Option<String>,
    /// Certificate with which Graph encrypts notifications.
    pub certificate: EncryptionCertificate,
    /// Random text of at most 128 characters, which the receiver expects in every notification.
    pub client_state: SecretString,
}

/// A request to send with the delegated token of `account`. Report its answer with [`Keeper::on_answer`].
#[derive(Clone, Debug)]
pub enum Action {
    /// Send [`crate::Client::create_subscription`].
    Create {
        /// Service account.
        account: String,
        /// Subscription to create.
        subscription: NewSubscription,
    },
    /// Send [`crate::Client::renew_subscription`].
    Renew {
        /// Service account.
        account: String,
        /// Id of the subscription.
        id: String,
        /// New time of expiry in milliseconds since 1970.
        expires: i64,
        /// New certificate, if it changed.
        certificate: Option<EncryptionCertificate>,
    },
    /// Send [`crate::Client::reauthorize_subscription`] with a new token.
    Reauthorize {
        /// Service account.
        account: String,
        /// Id of the subscription.
        id: String,
    },
    /// Send [`crate::Client::delete_subscription`].
    Delete {
        /// Service account.
        account: String,
        /// Id of the subscription.
        id: String,
    },
    /// Send [`crate::Client::subscriptions`], after Graph answered that a subscription exists already.
    List {
        /// Service account.
        account: String,
    },
}

impl Action {
    /// Service account that provides the token of the request.
    pub fn account(&self) -> &str {
        match self {
            Self::Create { account, .. }
            | Self::Renew { account, .. }
            | Self::Reauthorize { account, .. }
            | Self::Delete { account, .. }
            | Self::List { account } => account,
        }
    }
}

/// Successful answer to an [`Action`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionAnswer {
    /// Answer to [`Action::Create`] and [`Action::Renew`].
    Subscription(Subscription),
    /// Answer to [`Action::List`].
    List(Vec<Subscription>),
    /// Answer to [`Action::Reauthorize`] and [`Action::Delete`].
    Empty,
}

/// State of one service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountStatus {
    /// Service account.
    pub account: String,
    /// Number of people who are assigned to the account.
    pub people: usize,
    /// Id of the current subscription.
    pub subscription: Option<String>,
    /// Time at which the subscription expires unless it is renewed, in milliseconds since 1970.
    pub expires: Option<i64>,
    /// Problem and remedy, for administrators.
    pub trouble: Option<String>,
}

/// Keeper of one tenant's subscriptions. Does no IO; times are milliseconds since 1970.
///
/// Call [`Keeper::poll`] after every change and at [`Keeper::deadline`], send the requests, and report each answer with
/// [`Keeper::on_answer`].
#[derive(Debug)]
pub struct Keeper {
    settings: KeeperSettings,
    accounts: BTreeMap<String, Account>,
    people: BTreeSet<Arc<str>>,
    unserved: usize,
    watchdog: Watchdog,
    silent_recreations: u64,
}

impl Keeper {
    /// Creates a keeper without accounts and people.
    pub fn new(settings: KeeperSettings) -> Self {
        Self {
            settings,
            accounts: BTreeMap::new(),
            people: BTreeSet::new(),
            unserved: 0,
            watchdog: Watchdog::default(),
            silent_recreations: 0,
        }
    }

    /// Sets the service accounts, by names of the caller's choice. Subscriptions of accounts that are missing are deleted.
    pub fn set_accounts<'a>(&mut self, accounts: impl IntoIterator<Item = &'a str>) {
        let names: BTreeSet<&str> = accounts.into_iter().collect();
        for (name, account) in &mut self.accounts {
            account.leaving = !names.contains(name.as_str());
        }
        for name in names {
            self.accounts.entry(name.to_owned()).or_default();
        }
        self.spread();
    }

    /// Sets the people to watch, by Entra object id.
    pub fn set_people<'a>(&mut self, people: impl IntoIterator<Item = &'a str>) {
        self.people = people.into_iter().map(Arc::from).collect();
        self.spread();
    }

    /// Sets another certificate; all subscriptions are renewed with it at once.
    pub fn set_certificate(&mut self, certificate: EncryptionCertificate) {
        self.settings.certificate = certificate;
    }

    /// Number of people without a subscription, because each account takes 650.
    pub fn unserved(&self) -> usize {
        self.unserved
    }

    /// Ids of the current subscriptions, for [`crate::notification::Receiver::expect_only`].
    pub fn subscriptions(&self) -> impl Iterator<Item = &str> {
        self.accounts
            .values()
            .filter_map(|account| account.live.as_ref())
            .map(|live| live.id.as_str())
    }

    /// `clientState` that every notification must contain.
    pub fn client_state(&self) -> &SecretString {
        &self.settings.client_state
    }

    /// States of the accounts.
    pub fn status(&self) -> impl Iterator<Item = AccountStatus> {
        self.accounts.iter().map(|(name, account)| AccountStatus {
            account: name.clone(),
            people: account.people.len(),
            subscription: account.live.as_ref().map(|live| live.id.clone()),
            expires: account.live.as_ref().map(|live| live.expires),
            // A problem of an account without people is not reported.
            trouble: account
                .trouble
                .clone()
                .filter(|_| !account.people.is_empty()),
        })
    }

    /// Returns the requests to send now; at most one per account is in flight.
    pub fn poll(&mut self, now: i64) -> Vec<Action> {
        self.drop_silent(now);
        self.drop_unused();
        let settings = &self.settings;
        self.accounts
            .iter_mut()
            .filter_map(|(name, account)| account.next(name, settings, now))
            .collect()
    }

    /// Time of the next poll if nothing changes before; `None`: no poll is necessary.
    pub fn deadline(&self) -> Option<i64> {
        self.accounts
            .values()
            .filter_map(|account| account.due(&self.settings))
            .min()
    }

    /// Records the answer to the request in flight for `account`.
    pub fn on_answer(
        &mut self,
        now: i64,
        account: &str,
        answer: Result<SubscriptionAnswer, GraphError>,
    ) {
        let Some(account) = self.accounts.get_mut(account) else {
            return;
        };
        let Some(in_flight) = account.in_flight.take() else {
            return;
        };
        match answer {
            Ok(done) => account.on_success(now, in_flight, done, &self.settings),
            Err(error) => account.on_failure(now, in_flight.kind, &error),
        }
        self.drop_unused();
    }

    /// Records a lifecycle event. After [`LifecycleKind::Missed`] the caller reads all people; the subscription stays.
    pub fn on_lifecycle(&mut self, event: &Lifecycle) {
        for account in self.accounts.values_mut() {
            if let Some(live) = &mut account.live
                && live.id == event.subscription
            {
                match event.kind {
                    LifecycleKind::ReauthorizationRequired => live.reauthorize = true,
                    LifecycleKind::SubscriptionRemoved => account.live = None,
                    LifecycleKind::Missed | LifecycleKind::Other(_) => {}
                }
            }
        }
    }

    /// Records that the sweep found a changed presence. A subscription that does not report such changes is created again.
    pub fn on_presence_change(&mut self, now: i64, user: &str) {
        self.watchdog.on_change(now, user);
    }

    /// Records a notification about a person.
    pub fn on_notification(&mut self, now: i64, user: &str) {
        self.watchdog.on_notification(now, user);
        for account in self.accounts.values_mut() {
            if account
                .live
                .as_ref()
                .is_some_and(|live| live.people.contains(user))
            {
                account.unreported.clear();
            }
        }
    }

    /// Number of subscriptions that were created again because they reported no changes.
    pub fn silent_recreations(&self) -> u64 {
        self.silent_recreations
    }

    fn drop_silent(&mut self, now: i64) {
        for (user, changed_at) in self.watchdog.overdue(now) {
            for account in self.accounts.values_mut() {
                let Some(live) = &account.live else { continue };
                // A change before the creation of this subscription was reported, or lost, by the previous one.
                if changed_at < live.made_at || !live.people.contains(&user) {
                    continue;
                }
                let people = live.people.len();
                account.unreported.insert(user.clone());
                if suspicious(account.unreported.len(), people) {
                    account.discard();
                    self.silent_recreations += 1;
                }
            }
        }
    }

    /// Forgets accounts that are no longer configured and have no subscription left.
    fn drop_unused(&mut self) {
        self.accounts
            .retain(|_, account| !account.leaving || account.is_busy());
    }

    fn spread(&mut self) {
        let shares = self
            .accounts
            .iter()
            .filter(|(_, account)| !account.leaving)
            .map(|(name, account)| (name.clone(), account.people.clone()))
            .collect();
        let (mut shares, unserved) = spread(&shares, &self.people);
        self.unserved = unserved;
        for (name, account) in &mut self.accounts {
            account.people = shares.remove(name).unwrap_or_default();
        }
    }
}
