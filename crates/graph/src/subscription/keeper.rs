//! Keeps one subscription per service account alive: says what to ask of Graph and when, and learns from the answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    EncryptionCertificate, NewSubscription, Subscription,
    account::Account,
    shard::spread,
    watchdog::{Watchdog, suspicious},
};
use crate::{
    GraphError, Secret,
    notification::{Lifecycle, LifecycleKind},
};

/// What all subscriptions of a tenant have in common.
#[derive(Clone, Debug)]
pub struct KeeperSettings {
    /// Where notifications are sent.
    pub notification_url: String,
    /// Where lifecycle events are sent; may be the same address.
    pub lifecycle_url: Option<String>,
    /// For which certificate Graph encrypts.
    pub certificate: EncryptionCertificate,
    /// Random, at most 128 characters; the receiver expects it.
    pub client_state: Secret,
}

/// A request to be made with the delegated token of `account`. Each is answered with [`Keeper::on_answer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// [`crate::Client::create_subscription`].
    Create {
        /// Whose token.
        account: String,
        /// What to create.
        subscription: NewSubscription,
    },
    /// [`crate::Client::renew_subscription`].
    Renew {
        /// Whose token.
        account: String,
        /// Which.
        id: String,
        /// Until when, in milliseconds since 1970.
        expires: i64,
        /// The new certificate, where it changed.
        certificate: Option<EncryptionCertificate>,
    },
    /// [`crate::Client::reauthorize_subscription`], with a token that is fresh.
    Reauthorize {
        /// Whose token.
        account: String,
        /// Which.
        id: String,
    },
    /// [`crate::Client::delete_subscription`].
    Delete {
        /// Whose token.
        account: String,
        /// Which.
        id: String,
    },
    /// [`crate::Client::subscriptions`]: Graph says that there is one already.
    List {
        /// Whose token.
        account: String,
    },
}

impl Action {
    /// The service account whose token the request needs.
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

/// A successful answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionAnswer {
    /// To [`Action::Create`] and [`Action::Renew`].
    Subscription(Subscription),
    /// To [`Action::List`].
    List(Vec<Subscription>),
    /// To the others.
    Empty,
}

/// How it stands with one service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountStatus {
    /// The account.
    pub account: String,
    /// How many people it watches or is to watch.
    pub people: usize,
    /// The living subscription.
    pub subscription: Option<String>,
    /// When it ends if it is not renewed, in milliseconds since 1970.
    pub expires: Option<i64>,
    /// Why it is not as it should be, in words for an administrator.
    pub trouble: Option<String>,
}

/// The keeper of one tenant's subscriptions. Plain: times are milliseconds since 1970.
///
/// Call [`Keeper::poll`] after every change and at [`Keeper::deadline`]; make the requests; tell the answers.
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
    /// A keeper without accounts and people.
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

    /// The service accounts that may be used, by any name that the caller knows them by. What is not named any more is
    /// cleaned up.
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

    /// The people who are to be watched, by Entra object id.
    pub fn set_people<'a>(&mut self, people: impl IntoIterator<Item = &'a str>) {
        self.people = people.into_iter().map(Arc::from).collect();
        self.spread();
    }

    /// Another certificate, from the next renewal on, which is now.
    pub fn set_certificate(&mut self, certificate: EncryptionCertificate) {
        self.settings.certificate = certificate;
    }

    /// How many people find no place: each account takes 650.
    pub fn unserved(&self) -> usize {
        self.unserved
    }

    /// The living subscriptions, for [`crate::notification::Receiver::expect_only`].
    pub fn subscriptions(&self) -> impl Iterator<Item = &str> {
        self.accounts
            .values()
            .filter_map(|account| account.live.as_ref())
            .map(|live| live.id.as_str())
    }

    /// What is expected in every notification.
    pub fn client_state(&self) -> &Secret {
        &self.settings.client_state
    }

    /// How it stands with each account.
    pub fn status(&self) -> impl Iterator<Item = AccountStatus> {
        self.accounts.iter().map(|(name, account)| AccountStatus {
            account: name.clone(),
            people: account.people.len(),
            subscription: account.live.as_ref().map(|live| live.id.clone()),
            expires: account.live.as_ref().map(|live| live.expires),
            // Who watches nobody has no trouble.
            trouble: account
                .trouble
                .clone()
                .filter(|_| !account.people.is_empty()),
        })
    }

    /// What to ask of Graph now: at most one request per account is under way.
    pub fn poll(&mut self, now: i64) -> Vec<Action> {
        self.drop_silent(now);
        self.drop_left();
        let settings = &self.settings;
        self.accounts
            .iter_mut()
            .filter_map(|(name, account)| account.next(name, settings, now))
            .collect()
    }

    /// When to poll again if nothing happens before; `None`: not before something happens.
    pub fn deadline(&self) -> Option<i64> {
        self.accounts
            .values()
            .filter_map(|account| account.due(&self.settings))
            .min()
    }

    /// The answer to the request that is under way for `account`.
    pub fn on_answer(
        &mut self,
        now: i64,
        account: &str,
        answer: Result<SubscriptionAnswer, GraphError>,
    ) {
        let Some(account) = self.accounts.get_mut(account) else {
            return;
        };
        let Some(asked) = account.in_flight.take() else {
            return;
        };
        match answer {
            Ok(done) => account.succeeded(now, asked, done, &self.settings),
            Err(error) => account.failed(now, asked.kind, &error),
        }
        self.drop_left();
    }

    /// A lifecycle event came. After [`LifecycleKind::Missed`] the caller reads everybody; the subscription lives.
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

    /// The sweep sees that somebody's presence has changed. A subscription that never tells of such changes is made anew.
    pub fn on_presence_change(&mut self, now: i64, user: &str) {
        self.watchdog.changed(now, user);
    }

    /// A notification came about somebody.
    pub fn on_notification(&mut self, now: i64, user: &str) {
        self.watchdog.noticed(now, user);
        for account in self.accounts.values_mut() {
            if account
                .live
                .as_ref()
                .is_some_and(|live| live.people.contains(user))
            {
                account.silent_about.clear();
            }
        }
    }

    /// How many subscriptions were made anew because they had fallen silent.
    pub fn silent_recreations(&self) -> u64 {
        self.silent_recreations
    }

    fn drop_silent(&mut self, now: i64) {
        for (user, changed_at) in self.watchdog.overdue(now) {
            for account in self.accounts.values_mut() {
                let Some(live) = &account.live else { continue };
                // What changed before it was made was told, or not, by another.
                if changed_at < live.made_at || !live.people.contains(&user) {
                    continue;
                }
                let people = live.people.len();
                account.silent_about.insert(user.clone());
                if suspicious(account.silent_about.len(), people) {
                    account.discard();
                    self.silent_recreations += 1;
                }
            }
        }
    }

    /// Forgets accounts that are given up and cleaned up.
    fn drop_left(&mut self) {
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
