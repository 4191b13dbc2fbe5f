//! Subscriptions with their expiry and reauthorization.
//!
//! Pure: time is an argument.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::ASK_AHEAD;
use crate::{certificate::Certificate, duration::Milliseconds, guid::Guid};

/// A subscription to presence.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: Guid,
    /// Client id of the application.
    pub(crate) app: Arc<str>,
    /// The signed-in user who created it.
    pub(crate) creator: Guid,
    /// The resource, as the client sent it.
    pub(crate) resource: String,
    /// The subscribed people.
    pub(crate) users: BTreeSet<Guid>,
    pub(crate) notification_url: String,
    pub(crate) lifecycle_url: Option<String>,
    pub(crate) client_state: Option<String>,
    /// The recipient of encrypted items; `None` for items with ids only.
    pub(crate) rich: Option<Recipient>,
    /// The TLS version, as the client sent it.
    pub(crate) latest_tls: Option<String>,
    pub(crate) expires: Milliseconds,
    /// Expiry of the stored access token.
    pub(crate) token_expires: Milliseconds,
    /// Time of the last request for reauthorization; `None` after a reauthorization.
    pub(crate) asked: Option<Milliseconds>,
    /// True if nothing is delivered until a reauthorization.
    pub(crate) paused: bool,
    /// Due time of the latest notification, which the next one does not overtake.
    pub(crate) last_due: Milliseconds,
}

/// The recipient of encrypted items.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    pub(crate) certificate: Certificate,
    pub(crate) id: String,
}

impl Subscription {
    /// Time of the next request for reauthorization.
    fn asks_at(&self) -> Milliseconds {
        match self.asked {
            Some(asked) => asked.saturating_add(ASK_AHEAD),
            None => self
                .token_expires
                .min(self.expires)
                .saturating_sub(ASK_AHEAD),
        }
    }

    fn next_deadline(&self) -> Milliseconds {
        let pauses = if self.paused {
            Milliseconds::MAX
        } else {
            self.token_expires
        };
        self.expires.min(self.asks_at()).min(pauses)
    }

    /// Reauthorizes the subscription with a valid token.
    pub(crate) fn reauthorize(&mut self, token_expires: Milliseconds, now: Milliseconds) {
        self.token_expires = token_expires;
        self.paused = false;
        // If the end is near, the next request for reauthorization follows after the usual interval, not at once.
        self.asked =
            (self.expires.min(token_expires).saturating_sub(ASK_AHEAD) <= now).then_some(now);
    }
}

/// All subscriptions of a tenant.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    all: BTreeMap<Guid, Subscription>,
}

impl Subscriptions {
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn add(&mut self, subscription: Subscription) {
        self.all.insert(subscription.id, subscription);
    }

    pub(crate) fn get(&self, id: Guid) -> Option<&Subscription> {
        self.all.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: Guid) -> Option<&mut Subscription> {
        self.all.get_mut(&id)
    }

    pub(crate) fn remove(&mut self, id: Guid) -> Option<Subscription> {
        self.all.remove(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.all.values()
    }

    /// The subscription of an application and user; there is at most one.
    pub(crate) fn of(&self, app: &str, creator: Guid) -> Option<&Subscription> {
        self.all
            .values()
            .find(|one| *one.app == *app && one.creator == creator)
    }

    /// The subscriptions to a person.
    pub(crate) fn interested(&self, user: Guid) -> Vec<Guid> {
        let about = self.all.values().filter(|one| one.users.contains(&user));
        about.map(|one| one.id).collect()
    }

    /// Removes the expired subscriptions; returns their ids.
    pub(crate) fn expire(&mut self, now: Milliseconds) -> Vec<Guid> {
        let over: Vec<_> = self
            .all
            .values()
            .filter(|one| one.expires <= now)
            .map(|one| one.id)
            .collect();
        for id in &over {
            self.all.remove(id);
        }
        over
    }

    /// Pauses the subscriptions with an expired token; returns those that have to request reauthorization now, and records
    /// the requests.
    pub(crate) fn ask(&mut self, now: Milliseconds) -> Vec<Guid> {
        let mut asking = Vec::new();
        for one in self.all.values_mut() {
            one.paused |= one.token_expires <= now;
            if one.asks_at() <= now {
                one.asked = Some(now);
                asking.push(one.id);
            }
        }
        asking
    }

    /// The next deadline of any subscription.
    pub(crate) fn next_deadline(&self) -> Option<Milliseconds> {
        self.all.values().map(Subscription::next_deadline).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duration::MINUTE;

    fn subscription() -> Subscription {
        Subscription {
            id: crate::DEFAULT_TENANT_ID.parse().unwrap(),
            app: "app".into(),
            creator: crate::DEFAULT_CLIENT_ID.parse().unwrap(),
            resource: String::new(),
            users: BTreeSet::new(),
            notification_url: String::new(),
            lifecycle_url: None,
            client_state: None,
            rich: None,
            latest_tls: None,
            expires: 60 * MINUTE,
            token_expires: 50 * MINUTE,
            asked: None,
            paused: false,
            last_due: 0,
        }
    }

    #[test]
    fn rule_54_it_asks_pauses_and_goes_on_when_answered() {
        let mut all = Subscriptions::default();
        let one = subscription();
        let id = one.id;
        all.add(one);
        assert_eq!(all.next_deadline(), Some(35 * MINUTE));
        assert!(all.ask(35 * MINUTE - 1).is_empty());
        assert_eq!(all.ask(35 * MINUTE), [id]);
        assert!(all.ask(36 * MINUTE).is_empty());
        assert_eq!(all.ask(50 * MINUTE), [id], "asked again");
        assert!(all.get(id).unwrap().paused);
        all.get_mut(id)
            .unwrap()
            .reauthorize(110 * MINUTE, 51 * MINUTE);
        assert!(!all.get(id).unwrap().paused);
        assert!(all.ask(52 * MINUTE).is_empty());
        assert!(all.expire(60 * MINUTE - 1).is_empty());
        assert_eq!(all.expire(60 * MINUTE), [id]);
        assert_eq!(all.next_deadline(), None);
    }
}
