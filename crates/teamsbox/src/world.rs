//! The state of a tenant behind its one lock, and what time and changes do to it.

use tokio::sync::broadcast;

use crate::change::Change;
use crate::config::{DEFAULT_PASSWORD, NewUser};
use crate::duration::Milliseconds;
use crate::error::ControlError;
use crate::faults::Faults;
use crate::guid::Guid;
use crate::journal::{Detail, Journal};
use crate::knobs::Knobs;
use crate::notices::{Notice, announce_user};
use crate::notify::outbox::{Content, Item, Outbox};
use crate::notify::subscription::Subscriptions;
use crate::random::Random;
use crate::registrations::Registrations;
use crate::session::Attention;
use crate::signins::SignIns;
use crate::tenant::Tenant;
use crate::throttle::Throttle;
use crate::value::Shown;

/// People created with one request or configured at the start have names of at most this length, in bytes.
const NAME_MAX: usize = 256;

/// Everything behind the one lock.
#[derive(Debug)]
pub(crate) struct World {
    /// The people.
    pub(crate) tenant: Tenant,
    /// What happened.
    pub(crate) journal: Journal,
    /// What is made to go wrong.
    pub(crate) faults: Faults,
    /// Who may fetch tokens.
    pub(crate) registrations: Registrations,
    /// Sign-ins under way.
    pub(crate) signins: SignIns,
    /// Who is notified.
    pub(crate) subscriptions: Subscriptions,
    /// What is to be delivered.
    pub(crate) outbox: Outbox,
    /// Who has called how often.
    pub(crate) throttle: Throttle,
    /// Repeatable randomness.
    pub(crate) random: Random,
    /// Behaviour that is not documented.
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
        // Everybody can sign in with the same password until told otherwise.
        self.tenant.users[index].account.password = Some(DEFAULT_PASSWORD.into());
        for device in &new.clients {
            self.tenant.sign_in(index, *device, now);
        }
        Ok(index)
    }

    /// When time alone next changes something.
    pub(crate) fn next_deadline(&self) -> Option<Milliseconds> {
        let both = [
            self.tenant.next_deadline(),
            self.subscriptions.next_deadline(),
        ];
        both.into_iter().flatten().min()
    }

    /// When there is something to deliver next, or something happens that may have to be delivered.
    pub(crate) fn next_delivery(&self) -> Option<Milliseconds> {
        let happens = self
            .next_deadline()
            .filter(|_| self.subscriptions.len() > 0);
        happens.into_iter().chain(self.outbox.next_deadline()).min()
    }

    /// Lets time take effect. Subscriptions settle between the deadlines of people, each at its own moment.
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

    /// Turns what has just changed into notifications; the facts stay for the report.
    fn notify_all(&mut self) {
        let mut changes = self.tenant.take_changes();
        for change in &mut changes {
            if std::mem::take(&mut change.notifies) {
                self.notify(change);
            }
        }
        self.tenant.put_back(changes);
    }

    /// Carries the facts of the last action away.
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

    /// Writes a request into the journal.
    pub(crate) fn log_request(&mut self, now: Milliseconds, user: Option<Guid>, request: Detail) {
        self.journal.push(now, "request", user, request, None);
    }

    /// The state of attention a word stands for.
    pub(crate) fn attention(word: &str, now: Milliseconds) -> Option<Attention> {
        match word {
            "active" => Some(Attention::Active),
            "idle" => Some(Attention::Idle(now)),
            // A client in the background of a phone counts like a locked one.
            "locked" | "background" => Some(Attention::Locked),
            _ => None,
        }
    }
}

impl World {
    /// Turns a change into notifications for those who subscribed.
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

    /// Lets time take effect on subscriptions: they end, pause, and ask to be renewed.
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
