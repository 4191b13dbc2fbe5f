//! Subscriptions: what was asked for, how long it stands, and when its owner has to be asked again.
//!
//! Pure: time is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ASK_AHEAD;
use crate::certificate::Certificate;
use crate::duration::Milliseconds;
use crate::guid::Guid;

/// A subscription to presence.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: Guid,
    /// Client id of the application.
    pub(crate) app: Arc<str>,
    /// The user on whose behalf it was made.
    pub(crate) creator: Guid,
    /// As it was given.
    pub(crate) resource: String,
    /// The people it is about.
    pub(crate) users: BTreeSet<Guid>,
    pub(crate) notification_url: String,
    pub(crate) lifecycle_url: Option<String>,
    pub(crate) client_state: Option<String>,
    /// For whom items are encrypted; without it they carry ids only.
    pub(crate) rich: Option<Recipient>,
    /// As it was given.
    pub(crate) latest_tls: Option<String>,
    pub(crate) expires: Milliseconds,
    /// When the stored access token ends.
    pub(crate) token_expires: Milliseconds,
    /// When reauthorization was last asked for; none since the last answer.
    pub(crate) asked: Option<Milliseconds>,
    /// Nothing is delivered until somebody reauthorizes.
    pub(crate) paused: bool,
    /// Due time of the latest notification: the next one does not overtake it.
    pub(crate) last_due: Milliseconds,
}

/// For whom items are encrypted.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    pub(crate) certificate: Certificate,
    pub(crate) id: String,
}

impl Subscription {
    /// When it has to ask for renewal the next time.
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

    /// Somebody with a valid token vouches for it again.
    pub(crate) fn reauthorize(&mut self, token_expires: Milliseconds, now: Milliseconds) {
        self.token_expires = token_expires;
        self.paused = false;
        // With the end near anyway, the next question comes after the usual pause, not at once.
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

    /// The one an application made on behalf of a user: there is at most one.
    pub(crate) fn of(&self, app: &str, creator: Guid) -> Option<&Subscription> {
        self.all
            .values()
            .find(|one| *one.app == *app && one.creator == creator)
    }

    /// Those that are about a person.
    pub(crate) fn interested(&self, user: Guid) -> Vec<Guid> {
        let about = self.all.values().filter(|one| one.users.contains(&user));
        about.map(|one| one.id).collect()
    }

    /// Removes those whose time is over.
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

    /// Pauses those whose token is over, and returns those that have to ask now; notes that they did.
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

    /// When time alone next changes something.
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
