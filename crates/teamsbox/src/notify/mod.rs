//! Change notifications: who subscribed to whom, what is to be delivered when, how it is written and sent.
//!
//! `subscription`, `outbox` and `endpoint` are pure; `payload` and `encryption` build what is sent.

pub(crate) mod encryption;
pub(crate) mod endpoint;
pub(crate) mod outbox;
pub(crate) mod payload;
pub(crate) mod resource;
pub(crate) mod subscription;

use crate::change::Change;
use crate::duration::{MINUTE, Milliseconds};
use crate::guid::Guid;
use crate::journal::Detail;
use crate::shell::World;
use outbox::{Content, Item};

/// Subscriptions of a tenant, as Graph limits them for Teams.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 10_000;
/// How long before its end a subscription or its token is asked to be renewed, and how often again.
pub(crate) const ASK_AHEAD: Milliseconds = 15 * MINUTE;

impl World {
    /// Turns a change into notifications for those who subscribed.
    pub(crate) fn notify(&mut self, change: &Change) {
        let Some(user) = self.tenant.user(change.user) else {
            return;
        };
        let (guid, shown) = (user.guid, user.current().shown);
        let shown = change.visible.map_or(shown, |visible| visible.to);
        for id in self.subscriptions.interested(guid) {
            self.post_change(id, guid, shown, change.at);
        }
    }

    fn post_change(&mut self, id: Guid, user: Guid, shown: crate::value::Shown, at: Milliseconds) {
        let lost = match self.subscriptions.get(id) {
            Some(subscription) if subscription.paused => {
                Some("paused: reauthorizationRequired was not answered")
            }
            Some(_) if self.faults.silent_outage() => Some("silent outage"),
            Some(_) => None,
            None => return,
        };
        if let Some(reason) = lost {
            self.journal
                .push(at, "delivery", Some(user), Detail::lost(id, reason), None);
            return;
        }
        let duplicates = u64::from(self.knobs.notification_duplicates);
        let copies = if self.random.below(100) < duplicates {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let mut due = at.saturating_add(self.random.latency(&self.knobs));
            let Some(subscription) = self.subscriptions.get_mut(id) else {
                return;
            };
            if !self.knobs.notification_reorder {
                due = due.max(subscription.last_due);
                subscription.last_due = due;
            }
            let item = Item {
                subscription: id,
                content: Content::Change { user, shown },
            };
            let url = subscription.notification_url.clone();
            if !self.outbox.post(due, at, &url, item) {
                let detail = Detail::lost(
                    id,
                    "the endpoint was slow: notifications are dropped for 10 minutes",
                );
                self.journal.push(at, "delivery", Some(user), detail, None);
            }
        }
    }

    /// Lets time take effect on subscriptions: they end, pause, and ask to be renewed.
    pub(crate) fn settle_subscriptions(&mut self, now: Milliseconds) {
        for id in self.subscriptions.expire(now) {
            self.outbox.forget(id);
            self.journal
                .push(now, "subscription", None, Detail::lost(id, "expired"), None);
        }
        for id in self.subscriptions.ask(now) {
            self.post_lifecycle(id, "reauthorizationRequired", now);
        }
    }

    /// Sends a lifecycle notification, if the subscription has an address for them.
    pub(crate) fn post_lifecycle(
        &mut self,
        id: Guid,
        event: &'static str,
        now: Milliseconds,
    ) -> bool {
        let Some(url) = self
            .subscriptions
            .get(id)
            .and_then(|one| one.lifecycle_url.clone())
        else {
            return false;
        };
        let item = Item {
            subscription: id,
            content: Content::Lifecycle(event),
        };
        self.outbox.post(now, now, &url, item)
    }
}
