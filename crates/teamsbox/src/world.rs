//! The state of a tenant behind its lock, with the effects of deadlines and changes.

use tokio::sync::broadcast;

use crate::{
    change::Change,
    config::{DEFAULT_PASSWORD, NewUser},
    duration::Milliseconds,
    error::ControlError,
    faults::Faults,
    guid::Guid,
    journal::{Detail, Journal},
    knobs::Knobs,
    notices::{Notice, announce_user},
    notify::{
        outbox::{Content, Item, Outbox},
        subscription::Subscriptions,
    },
    random::Random,
    registrations::Registrations,
    session::Attention,
    signins::SignIns,
    tenant::Tenant,
    throttle::Throttle,
    value::Shown,
};

/// The most bytes of a display name.
const NAME_MAX: usize = 256;

/// The state of a tenant.
#[derive(Debug)]
pub(crate) struct World {
    /// The people.
    pub(crate) tenant: Tenant,
    /// The journal.
    pub(crate) journal: Journal,
    /// The configured faults.
    pub(crate) faults: Faults,
    /// The registered applications.
    pub(crate) registrations: Registrations,
    /// Sign-ins in progress.
    pub(crate) signins: SignIns,
    /// The subscriptions.
    pub(crate) subscriptions: Subscriptions,
    /// The queue of notifications.
    pub(crate) outbox: Outbox,
    /// The rate limits.
    pub(crate) throttle: Throttle,
    /// Repeatable random numbers.
    pub(crate) random: Random,
    /// Choices of undocumented behaviour.
    pub(crate) knobs: Knobs,
}

impl World {
    /// Creates a person.
    pub(crate) fn add_user(
        &mut self,
        new: &NewUser,
        now: Milliseconds,
    ) -> Result<usize, ControlError> {
        let guid = match &new.id {
            Some(id) => id.parse().map_err(|_| {
                let remedy = "give a GUID, or leave the id out to get a random one";
                ControlError::invalid("id", id, "is not a GUID", remedy)
            })?,
            None => Guid::random().map_err(|error| {
                ControlError::invalid("id", "", &format!("cannot be made ({error})"), "give an id")
            })?,
        };
        if new.display_name.trim().is_empty() || new.display_name.len() > NAME_MAX {
            let remedy = "give a name of 1 to 256 bytes";
            return Err(ControlError::invalid(
                "displayName",
                &new.display_name,
                "is empty or too long",
                remedy,
            ));
        }
        let index = self
            .tenant
            .add(guid, &new.display_name, &new.user_principal_name, now)?;
        // All people have the same password until another one is set.
        self.tenant.users[index].account.password = Some(DEFAULT_PASSWORD.into());
        for device in &new.clients {
            self.tenant.sign_in(index, *device, now);
        }
        Ok(index)
    }

    /// The next deadline of people and subscriptions.
    pub(crate) fn next_deadline(&self) -> Option<Milliseconds> {
        let both = [
            self.tenant.next_deadline(),
            self.subscriptions.next_deadline(),
        ];
        both.into_iter().flatten().min()
    }

    /// The next delivery, or the next deadline that may cause one.
    pub(crate) fn next_delivery(&self) -> Option<Milliseconds> {
        let happens = self
            .next_deadline()
            .filter(|_| self.subscriptions.len() > 0);
        happens.into_iter().chain(self.outbox.next_deadline()).min()
    }

    /// Applies all deadlines up to now: those of people and those of subscriptions, in order of time.
    pub(crate) fn settle(&mut self, now: Milliseconds) {
        while let Some(at) = self.next_deadline()
            && at <= now
        {
            self.tenant.settle(at);
            self.notify_all();
            self.settle_subscriptions(at);
        }
        self.tenant.settle(now);
    }

    /// Posts notifications for the collected changes, which stay for [`Self::report`].
    fn notify_all(&mut self) {
        let mut changes = self.tenant.take_changes();
        for change in &mut changes {
            if std::mem::take(&mut change.notifies) {
                self.notify(change);
            }
        }
        self.tenant.put_back(changes);
    }

    /// Reports the collected changes to subscribers, page and journal.
    pub(crate) fn report(&mut self, notices: &broadcast::Sender<Notice>) {
        self.notify_all();
        for change in self.tenant.take_changes() {
            let Some(user) = self.tenant.user(change.user) else {
                continue;
            };
            announce_user(notices, user);
            if let Some(visible) = change.visible {
                self.journal
                    .push_change(change.at, user.guid, visible, change.cause);
            }
        }
    }

    /// Records a request in the journal.
    pub(crate) fn log_request(&mut self, now: Milliseconds, user: Option<Guid>, request: Detail) {
        self.journal.push(now, "request", user, request, None);
    }

    /// The use of a client with a name; `None` if the name is unknown.
    pub(crate) fn attention(word: &str, now: Milliseconds) -> Option<Attention> {
        match word {
            "active" => Some(Attention::Active),
            "idle" => Some(Attention::Idle(now)),
            // A client in the background of a phone counts as a locked one.
            "locked" | "background" => Some(Attention::Locked),
            _ => None,
        }
    }
}

impl World {
    /// Posts notifications of a change to its subscriptions.
    fn notify(&mut self, change: &Change) {
        let Some(user) = self.tenant.user(change.user) else {
            return;
        };
        let (guid, shown) = (user.guid, user.current().shown);
        let shown = change.visible.map_or(shown, |visible| visible.to);
        for id in self.subscriptions.interested(guid) {
            self.post_change(id, guid, shown, change.at);
        }
    }

    fn post_change(&mut self, id: Guid, user: Guid, shown: Shown, at: Milliseconds) {
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

    /// Applies due deadlines of subscriptions: expiry, pause, and request for reauthorization.
    fn settle_subscriptions(&mut self, now: Milliseconds) {
        for id in self.subscriptions.expire(now) {
            self.outbox.forget(id);
            self.journal
                .push(now, "subscription", None, Detail::lost(id, "expired"), None);
        }
        for id in self.subscriptions.ask(now) {
            self.post_lifecycle(id, "reauthorizationRequired", now);
        }
    }

    /// Posts a lifecycle notification; returns false if the subscription has no URL for it.
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
