//! One service account: its subscription, what is wanted of it, and what was asked last.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use super::{Action, KeeperSettings, NewSubscription, Subscription, SubscriptionAnswer};
use crate::{Blame, GraphError, backoff};

/// Asked-for lifetime: Graph allows 60 minutes, and clocks differ.
const LIFETIME: i64 = 59 * 60_000;
/// A change of the people makes a new subscription: not for every person of an import.
const RECREATE_AT_MOST_EVERY: i64 = 60_000;
/// Even if Graph should give a subscription no time to live.
const RENEW_AT_MOST_EVERY: i64 = 10_000;
/// What an administrator must heal, or another installation holds, is asked for again after this.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Renew,
    Reauthorize,
    Delete,
    List,
}

/// A request under way, with what it was made of: both may change before the answer comes.
#[derive(Debug)]
pub(super) struct Asked {
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

/// What is known and wanted of one service account.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) people: BTreeSet<Arc<str>>,
    pub(super) live: Option<Live>,
    /// Ours and not wanted any more.
    rubbish: VecDeque<String>,
    list: bool,
    pub(super) in_flight: Option<Asked>,
    failures: u32,
    not_before: i64,
    pub(super) trouble: Option<String>,
    /// People who have changed since the subscription last told anything.
    pub(super) silent_about: BTreeSet<Arc<str>>,
    /// The account is no longer configured: only clean up.
    pub(super) leaving: bool,
}

impl Account {
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.is_some() || self.live.is_some() || !self.rubbish.is_empty()
    }

    /// Makes the living subscription one that is to be deleted.
    pub(super) fn discard(&mut self) {
        self.silent_about.clear();
        if let Some(live) = self.live.take() {
            self.rubbish.push_back(live.id);
        }
    }

    /// The time from which there is something to do.
    pub(super) fn due(&self, settings: &KeeperSettings) -> Option<i64> {
        if self.in_flight.is_some() {
            return None;
        }
        let at = if !self.rubbish.is_empty() || self.list {
            i64::MIN
        } else if let Some(live) = &self.live {
            if self.people.is_empty()
                || live.reauthorize
                || live.certificate != settings.certificate.id
            {
                i64::MIN
            } else if live.people != self.people {
                live.renew_at
                    .min(live.made_at.saturating_add(RECREATE_AT_MOST_EVERY))
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
                    && now >= live.made_at.saturating_add(RECREATE_AT_MOST_EVERY))
        {
            // The list of people cannot be changed (reference 4.4).
            self.discard();
        }
        let expires = now.saturating_add(LIFETIME);
        let (kind, action) = if let Some(id) = self.rubbish.front().cloned() {
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
        self.in_flight = Some(Asked {
            kind,
            people: self.people.clone(),
            certificate: settings.certificate.id.clone(),
        });
        Some(action)
    }

    pub(super) fn succeeded(
        &mut self,
        now: i64,
        asked: Asked,
        done: SubscriptionAnswer,
        settings: &KeeperSettings,
    ) {
        self.not_before = now;
        self.trouble = None;
        let Asked {
            kind,
            people,
            certificate,
        } = asked;
        // Listing and deleting belong to the conflict of a creation: only its success ends the waiting.
        if matches!(kind, Kind::Create | Kind::Renew | Kind::Reauthorize) {
            self.failures = 0;
        }
        match (kind, done) {
            (Kind::Create, SubscriptionAnswer::Subscription(made)) => {
                let expires = believable(now, made.expires);
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
                    live.expires = believable(now, renewed.expires);
                    live.renew_at = renew_at(now, live.expires);
                    live.certificate = certificate;
                    // Renewing shows a fresh token, too.
                    live.reauthorize = false;
                }
            }
            (Kind::Reauthorize, _) => {
                if let Some(live) = &mut self.live {
                    live.reauthorize = false;
                }
            }
            (Kind::Delete, _) => {
                self.rubbish.pop_front();
                if self.failures > 0 {
                    let wait = backoff(self.failures, 0);
                    self.not_before = now.saturating_add(milliseconds(wait));
                }
            }
            (Kind::List, SubscriptionAnswer::List(found)) => self.listed(now, found, settings),
            (Kind::Create | Kind::Renew | Kind::List, _) => {
                // The caller mixed up answers; asking Graph again tells the truth.
                self.list = true;
                self.wait(now, None);
            }
        }
    }

    /// Graph says that there is a subscription already: ours of an earlier life are deleted, others are left alone.
    fn listed(&mut self, now: i64, found: Vec<Subscription>, settings: &KeeperSettings) {
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
            self.not_before = now.saturating_add(milliseconds(PATIENCE));
        }
        self.rubbish.extend(ours.into_iter().map(|ours| ours.id));
    }

    pub(super) fn failed(&mut self, now: i64, kind: Kind, error: &GraphError) {
        let lost = matches!(error, GraphError::NotFound { .. });
        match kind {
            Kind::Delete if lost || error.blame() != Blame::Service => {
                // What cannot be deleted ends by itself within the hour.
                self.rubbish.pop_front();
                return;
            }
            Kind::Renew | Kind::Reauthorize if lost => self.live = None,
            // The certificate or the like is refused: a new subscription says it better.
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
                PATIENCE.max(own)
            }
            Some(error) => error.retry_after().unwrap_or(own),
            None => own,
        };
        self.not_before = now.saturating_add(milliseconds(wait));
    }
}

/// When the subscription ends: what Graph says, unless it is nonsense.
fn believable(now: i64, expires: Option<i64>) -> i64 {
    let longest = now.saturating_add(LIFETIME);
    expires
        .filter(|at| *at > now)
        .unwrap_or(longest)
        .min(longest)
}

/// Renewed after a third of its life, so that an hour's outage of anything loses nothing twice.
fn renew_at(now: i64, expires: i64) -> i64 {
    let wait = (expires.saturating_sub(now) / 3).max(RENEW_AT_MOST_EVERY);
    now.saturating_add(wait)
}

fn is_conflict(error: &GraphError) -> bool {
    matches!(error, GraphError::Refused { status: 409, .. })
}

fn milliseconds(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}
