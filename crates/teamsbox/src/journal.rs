//! The journal: a bounded ring of requests, writes, deliveries, and visible changes with their cause.
//!
//! It contains no secrets, tokens or query strings. A bulk read is one entry with a count.

use std::{collections::VecDeque, sync::Arc};

use serde::{Serialize, Serializer};
use tokio::sync::watch;

use crate::{
    change::{Cause, Visible},
    duration::Milliseconds,
    guid::Guid,
    state::Moment,
    user::sequence_text,
    value::Shown,
};

/// The most entries.
pub(crate) const ENTRIES_MAX: usize = 10_000;

/// The most characters of a path.
const PATH_MAX: usize = 256;
/// The most characters of a method.
const METHOD_MAX: usize = 16;

/// An entry of the journal.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// Number, from 1 without gaps.
    pub(crate) sequence: u64,
    /// Time of the entry.
    pub(crate) at: Moment,
    /// `request`, `write`, `change`, `delivery` or `subscription`.
    pub(crate) kind: &'static str,
    /// The affected person.
    #[serde(serialize_with = "guid")]
    pub(crate) user: Option<Guid>,
    /// Details of the kind.
    pub(crate) detail: Detail,
    /// Cause of a change; `null` for requests, which have no cause within the tenant.
    #[serde(serialize_with = "cause")]
    pub(crate) cause: Option<Cause>,
}

/// Details of an entry.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Detail {
    /// A request to Entra, Graph or the control plane.
    Request {
        /// HTTP method.
        method: Box<str>,
        /// Path without the query.
        path: Box<str>,
        /// Status of the answer.
        status: u16,
        /// Client id of the application.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "app_text")]
        app: Option<Arc<str>>,
        /// The request's `client-request-id`.
        #[serde(rename = "clientRequestId", skip_serializing_if = "Option::is_none")]
        client_request_id: Option<Box<str>>,
        /// Number of people of a bulk read.
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<usize>,
        /// Names of the faults that changed the answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        fault: Option<Box<str>>,
    },
    /// An applied write.
    Write(Write),
    /// An attempt to deliver a notification.
    Delivery(Delivery),
    /// A subscription that ended, or a notification that was dropped without an attempt.
    Lost {
        /// Id of the subscription.
        subscription: String,
        /// The reason.
        reason: Box<str>,
    },
    /// A visible change.
    #[serde(rename_all = "camelCase")]
    Change {
        /// The pair before.
        from: Shown,
        /// The pair after.
        to: Shown,
        /// The new sequence number.
        sequence_number: String,
    },
}

impl Detail {
    /// Details of a subscription that ended, or of a notification that was dropped.
    pub(crate) fn lost(subscription: Guid, reason: &str) -> Self {
        Self::Lost {
            subscription: subscription.to_string(),
            reason: reason.into(),
        }
    }

    /// Details of a request. Path and method are cut, because clients choose their length.
    pub(crate) fn request(
        method: &str,
        path: &str,
        status: u16,
        app: Option<Arc<str>>,
        count: Option<usize>,
    ) -> Self {
        let shorten = |text: &str, limit| {
            text.chars()
                .take(limit)
                .collect::<String>()
                .into_boxed_str()
        };
        Self::Request {
            method: shorten(method, METHOD_MAX),
            path: shorten(path, PATH_MAX),
            status,
            app,
            client_request_id: None,
            count,
            fault: None,
        }
    }

    /// Adds the id that the client gave the request.
    pub(crate) fn with_client_request_id(mut self, id: Option<&str>) -> Self {
        if let Self::Request {
            client_request_id, ..
        } = &mut self
        {
            *client_request_id = id.map(Into::into);
        }
        self
    }

    /// Adds the names of the faults that changed the answer.
    pub(crate) fn with_faults(mut self, name: Option<&str>) -> Self {
        if let Self::Request { fault, .. } = &mut self {
            *fault = name.map(Into::into);
        }
        self
    }
}

/// An attempt to deliver a notification.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    /// Ids of the subscriptions.
    pub(crate) subscriptions: Vec<String>,
    /// Notification URL without its query.
    pub(crate) url: String,
    /// `updated`, or the lifecycle event.
    pub(crate) event: &'static str,
    /// Number of items.
    pub(crate) items: usize,
    /// Number of the attempt, from 1.
    pub(crate) attempt: u32,
    /// Time of the change.
    pub(crate) posted: Moment,
    /// The status of the answer, `timeout` or `unreachable`.
    pub(crate) outcome: Box<str>,
    /// `delivered`, `retry` or `given up`.
    pub(crate) verdict: &'static str,
    /// Time of the next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Moment>,
}

/// An applied write.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Write {
    /// Name of the operation.
    pub(crate) operation: &'static str,
    /// Session id, device, kind of call, or other party.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Box<str>>,
    /// The written pair.
    #[serde(flatten)]
    pub(crate) shown: Option<Shown>,
    /// Time of expiry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Moment>,
}

/// The ring of entries.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    last: u64,
    /// Publishes the number of the latest entry to readers that follow the journal.
    grown: watch::Sender<u64>,
}

impl Journal {
    /// Adds an entry; drops the oldest if the ring is full.
    pub(crate) fn push(
        &mut self,
        at: Milliseconds,
        kind: &'static str,
        user: Option<Guid>,
        detail: Detail,
        cause: Option<Cause>,
    ) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.last += 1;
        self.entries.push_back(Entry {
            sequence: self.last,
            at: Moment(at),
            kind,
            user,
            detail,
            cause,
        });
        self.grown.send_replace(self.last);
    }

    /// A receiver of the number of the latest entry.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// Adds a visible change.
    pub(crate) fn push_change(
        &mut self,
        at: Milliseconds,
        user: Guid,
        visible: Visible,
        cause: Cause,
    ) {
        let detail = Detail::Change {
            from: visible.from,
            to: visible.to,
            sequence_number: sequence_text(visible.sequence),
        };
        self.push(at, "change", Some(user), detail, Some(cause));
    }

    /// The entries after a number, and the number from which to continue.
    pub(crate) fn page(&self, after: u64, user: Option<Guid>, limit: usize) -> (Vec<&Entry>, u64) {
        let oldest = self
            .entries
            .front()
            .map_or(self.last, |entry| entry.sequence);
        let skip =
            usize::try_from(after.saturating_add(1).saturating_sub(oldest)).unwrap_or(usize::MAX);
        let wanted = |entry: &&Entry| user.is_none() || entry.user == user;
        let page: Vec<_> = self
            .entries
            .iter()
            .skip(skip)
            .filter(wanted)
            .take(limit)
            .collect();
        // A full page continues at its last entry; a page that is not full continues at the latest entry.
        let next = page
            .last()
            .filter(|_| page.len() == limit)
            .map_or(self.last.max(after), |entry| entry.sequence);
        (page, next)
    }
}

fn guid<S: Serializer>(guid: &Option<Guid>, serializer: S) -> Result<S::Ok, S::Error> {
    match guid {
        Some(guid) => serializer.collect_str(guid),
        None => serializer.serialize_none(),
    }
}

fn app_text<S: Serializer>(app: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    app.as_deref().serialize(serializer)
}

fn cause<S: Serializer>(cause: &Option<Cause>, serializer: S) -> Result<S::Ok, S::Error> {
    match cause {
        Some(cause) => serializer.collect_str(cause),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(entries: usize) -> Journal {
        let mut journal = Journal::default();
        for _ in 0..entries {
            journal.push(0, "write", None, Detail::Write(Write::default()), None);
        }
        journal
    }

    #[test]
    fn the_ring_drops_the_oldest_and_keeps_counting() {
        let journal = journal(ENTRIES_MAX + 5);
        let (page, next) = journal.page(0, None, 2);
        assert_eq!(
            page.iter().map(|entry| entry.sequence).collect::<Vec<_>>(),
            [6, 7]
        );
        assert_eq!(next, 7);
    }

    #[test]
    fn pages_follow_each_other_without_gaps() {
        let journal = journal(5);
        let mut after = 0;
        let mut seen = Vec::new();
        loop {
            let (page, next) = journal.page(after, None, 2);
            if page.is_empty() {
                assert_eq!(next, 5);
                break;
            }
            seen.extend(page.iter().map(|entry| entry.sequence));
            after = next;
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);
        assert_eq!(journal.page(99, None, 10).1, 99);
    }
}
