//! State of one service account: its subscription, the people it should contain, and the request in flight.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use super::{Action, KeeperSettings, NewSubscription, Subscription, SubscriptionAnswer};
use crate::{Blame, GraphError, backoff};

/// Requested lifetime in milliseconds: Graph allows 60 minutes, and clocks differ.
const LIFETIME: i64 = 59 * 60_000;
/// Minimum interval in milliseconds between two subscriptions of an account, so that an import of many people creates one.
const RECREATE_INTERVAL_MIN: i64 = 60_000;
/// Minimum interval in milliseconds between two renewals, even if Graph grants no lifetime.
const RENEW_INTERVAL_MIN: i64 = 10_000;
/// Wait before a retry that needs an administrator, or that conflicts with another installation.
const ADMINISTRATOR_RETRY: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Renew,
    Reauthorize,
    Delete,
    List,
}

/// Request in flight, with the people and the certificate that it was made for; both may change before the answer.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) kind: Kind,
    pub(super) people: BTreeSet<Arc<str>>,
    certificate: String,
}

#[derive(Debug)]
pub(super) struct Live {
    pub(super) id: String,
    pub(super) expires: i64,
    renew_at: i64,
    pub(super) made_at: i64,
    pub(super) people: BTreeSet<Arc<str>>,
    certificate: String,
    pub(super) reauthorize: bool,
}

/// State of one service account.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) people: BTreeSet<Arc<str>>,
    pub(super) live: Option<Live>,
    /// Ids of our subscriptions to delete.
    to_delete: VecDeque<String>,
    list: bool,
    pub(super) in_flight: Option<InFlight>,
    failures: u32,
    not_before: i64,
    pub(super) trouble: Option<String>,
    /// People with changes that the subscription has not reported since its last notification.
    pub(super) unreported: BTreeSet<Arc<str>>,
    /// The account is no longer configured: only delete its subscriptions.
    pub(super) leaving: bool,
}

impl Account {
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.is_some() || self.live.is_some() || !self.to_delete.is_empty()
    }

    /// Marks the current subscription for deletion.
    pub(super) fn discard(&mut self) {
        self.unreported.clear();
        if let Some(live) = self.live.take() {
            self.to_delete.push_back(live.id);
        }
    }

    /// Time of the next request; `None` if there is nothing to do.
    pub(super) fn due(&self, settings: &KeeperSettings) -> Option<i64> {
        if self.in_flight.is_some() {
            return None;
        }
        let at = if !self.to_delete.is_empty() || self.list {
            i64::MIN
        } else if let Some(live) = &self.live {
            if self.people.is_empty()
                || live.reauthorize
                || live.certificate != settings.certificate.id
            {
                i64::MIN
            } else if live.people != self.people {
                live.renew_at
                    .min(live.made_at.saturating_add(RECREATE_INTERVAL_MIN))
            } else {
                live.renew_at
            }
        } else if self.people.is_empty() {
            return None;
        } else {
            i64::MIN
        };
        Some(at.max(self.not_before))
    }

    pub(super) fn next(
        &mut self,
        name: &str,
        settings: &KeeperSettings,
        now: i64,
    ) -> Option<Action> {
        if self.due(settings).is_none_or(|due| now < due) {
            return None;
        }
        if self.live.as_ref().is_some_and(|live| now >= live.expires) {
            self.live = None;
        }
        let account = name.to_owned();
        if let Some(live) = &self.live
            && (self.people.is_empty()
                || live.people != self.people
                    && now >= live.made_at.saturating_add(RECREATE_INTERVAL_MIN))
        {
            // Graph does not allow changing the people of a subscription.
            self.discard();
        }
        let expires = now.saturating_add(LIFETIME);
        let (kind, action) = if let Some(id) = self.to_delete.front().cloned() {
            (Kind::Delete, Action::Delete { account, id })
        } else if self.list {
            (Kind::List, Action::List { account })
        } else if let Some(live) = &self.live {
            let id = live.id.clone();
            if live.reauthorize {
                (Kind::Reauthorize, Action::Reauthorize { account, id })
            } else {
                let certificate = Some(&settings.certificate)
                    .filter(|certificate| certificate.id != live.certificate)
                    .cloned();
                let renew = Action::Renew {
                    account,
                    id,
                    expires,
                    certificate,
                };
                (Kind::Renew, renew)
            }
        } else if self.people.is_empty() {
            return None;
        } else {
            let subscription = NewSubscription {
                notification_url: settings.notification_url.clone(),
                lifecycle_url: settings.lifecycle_url.clone(),
                people: self.people.iter().map(ToString::to_string).collect(),
                expires,
                certificate: settings.certificate.clone(),
                client_state: settings.client_state.clone(),
            };
            let create = Action::Create {
                account,
                subscription,
            };
            (Kind::Create, create)
        };
        self.in_flight = Some(InFlight {
            kind,
            people: self.people.clone(),
            certificate: settings.certificate.id.clone(),
        });
        Some(action)
    }

    pub(super) fn on_success(
        &mut self,
        now: i64,
        in_flight: InFlight,
        done: SubscriptionAnswer,
        settings: &KeeperSettings,
    ) {
        self.not_before = now;
        self.trouble = None;
        let InFlight {
            kind,
            people,
            certificate,
        } = in_flight;
        // Listing and deleting are steps of a creation that met a conflict: only the creation itself ends the backoff.
        if matches!(kind, Kind::Create | Kind::Renew | Kind::Reauthorize) {
            self.failures = 0;
        }
        match (kind, done) {
            (Kind::Create, SubscriptionAnswer::Subscription(made)) => {
                let expires = plausible_expiry(now, made.expires);
                self.live = Some(Live {
                    id: made.id,
                    expires,
                    renew_at: renew_at(now, expires),
                    made_at: now,
                    people,
                    certificate,
                    reauthorize: false,
                });
            }
            (Kind::Renew, SubscriptionAnswer::Subscription(renewed)) => {
                if let Some(live) = &mut self.live {
                    live.expires = plausible_expiry(now, renewed.expires);
                    live.renew_at = renew_at(now, live.expires);
                    live.certificate = certificate;
                    // A renewal reauthorizes the subscription as well.
                    live.reauthorize = false;
                }
            }
            (Kind::Reauthorize, _) => {
                if let Some(live) = &mut self.live {
                    live.reauthorize = false;
                }
            }
            (Kind::Delete, _) => {
                self.to_delete.pop_front();
                if self.failures > 0 {
                    let wait = backoff(self.failures, 0);
                    self.not_before = now.saturating_add(milliseconds(wait));
                }
            }
            (Kind::List, SubscriptionAnswer::List(found)) => self.on_list(now, found, settings),
            (Kind::Create | Kind::Renew | Kind::List, _) => {
                // The answer does not match the request: list the account's subscriptions to find out the state at Graph.
                self.list = true;
                self.wait(now, None);
            }
        }
    }

    /// Handles the list of existing subscriptions after a conflict: deletes ours from an earlier run, keeps those of other
    /// programs.
    fn on_list(&mut self, now: i64, found: Vec<Subscription>, settings: &KeeperSettings) {
        self.list = false;
        let (ours, others): (Vec<_>, Vec<_>) = found
            .into_iter()
            .filter(Subscription::watches_presence)
            .partition(|found| found.notification_url == settings.notification_url);
        if ours.is_empty() {
            let owner = others
                .first()
                .map_or("another program", |other| &other.notification_url);
            self.trouble = Some(format!(
                "this account's only presence subscription belongs to {owner}; use another account, or wait an hour after that program was stopped"
            ));
            self.not_before = now.saturating_add(milliseconds(ADMINISTRATOR_RETRY));
        }
        self.to_delete.extend(ours.into_iter().map(|ours| ours.id));
    }

    pub(super) fn on_failure(&mut self, now: i64, kind: Kind, error: &GraphError) {
        let lost = matches!(error, GraphError::NotFound { .. });
        match kind {
            Kind::Delete if lost || error.blame() != Blame::Service => {
                // A subscription that cannot be deleted expires within an hour.
                self.to_delete.pop_front();
                return;
            }
            Kind::Renew | Kind::Reauthorize if lost => self.live = None,
            // Graph refuses the renewal, for example its certificate: a new subscription gives a clearer error.
            Kind::Renew | Kind::Reauthorize if error.blame() == Blame::Request => self.discard(),
            Kind::Create if is_conflict(error) => {
                self.list = true;
                self.failures = self.failures.saturating_add(1);
                self.not_before = now.saturating_add(milliseconds(backoff(self.failures, 0)));
                return;
            }
            _ => {}
        }
        self.trouble = Some(error.to_string());
        self.wait(now, Some(error));
    }

    fn wait(&mut self, now: i64, error: Option<&GraphError>) {
        self.failures = self.failures.saturating_add(1);
        let own = backoff(self.failures, now.unsigned_abs());
        let wait = match error {
            Some(error) if error.blame() != Blame::Service && self.live.is_none() => {
                ADMINISTRATOR_RETRY.max(own)
            }
            Some(error) => error.retry_after().unwrap_or(own),
            None => own,
        };
        self.not_before = now.saturating_add(milliseconds(wait));
    }
}

/// Expiry that Graph names, if it is plausible; else the requested one.
fn plausible_expiry(now: i64, expires: Option<i64>) -> i64 {
    let longest = now.saturating_add(LIFETIME);
    expires
        .filter(|at| *at > now)
        .unwrap_or(longest)
        .min(longest)
}

/// Time of the renewal: after a third of the lifetime, which leaves time for several attempts.
fn renew_at(now: i64, expires: i64) -> i64 {
    let wait = (expires.saturating_sub(now) / 3).max(RENEW_INTERVAL_MIN);
    now.saturating_add(wait)
}

fn is_conflict(error: &GraphError) -> bool {
    matches!(error, GraphError::Refused { status: 409, .. })
}

fn milliseconds(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}
