//! The journal: requests, writes and visible changes with their cause, in a bounded ring.
//!
//! It never holds secrets, tokens or query strings, and a bulk read is one entry with a count.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use tokio::sync::watch;

use crate::change::{Cause, Visible};
use crate::duration::Milliseconds;
use crate::guid::Guid;
use crate::state::Moment;
use crate::user::sequence_text;
use crate::value::Shown;

/// Entries kept.
pub(crate) const ENTRIES_MAX: usize = 10_000;

/// Characters of a path kept.
const PATH_MAX: usize = 256;
/// Characters of a method kept.
const METHOD_MAX: usize = 16;

/// One entry.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// Counts from 1 without gaps.
    pub(crate) sequence: u64,
    /// When.
    pub(crate) at: Moment,
    /// `request`, `write`, `change`, `delivery` or `subscription`.
    pub(crate) kind: &'static str,
    /// Whom it concerns.
    #[serde(serialize_with = "guid")]
    pub(crate) user: Option<Guid>,
    /// What.
    pub(crate) detail: Detail,
    /// Why; `null` for requests, which have no cause within the tenant.
    #[serde(serialize_with = "cause")]
    pub(crate) cause: Option<Cause>,
}

/// What an entry is about.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Detail {
    /// A request to Entra, Graph or the control plane.
    Request {
        /// HTTP method.
        method: Box<str>,
        /// Path without the query.
        path: Box<str>,
        /// Status of the reply.
        status: u16,
        /// Client id of the application.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "app_text")]
        app: Option<Arc<str>>,
        /// How many people a bulk read asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<usize>,
        /// The faults that spoilt the answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        fault: Option<Box<str>>,
    },
    /// A write that was carried out.
    Write(Write),
    /// An attempt to deliver a notification.
    Delivery(Delivery),
    /// What became of a subscription or a notification without any attempt.
    Lost {
        /// The subscription.
        subscription: String,
        /// Why.
        reason: Box<str>,
    },
    /// A change everybody can see.
    #[serde(rename_all = "camelCase")]
    Change {
        /// The pair before.
        from: Shown,
        /// The pair after.
        to: Shown,
        /// The new stamp.
        sequence_number: String,
    },
}

impl Detail {
    /// A subscription that ended, or a notification that nobody will get.
    pub(crate) fn lost(subscription: Guid, reason: &str) -> Self {
        Self::Lost {
            subscription: subscription.to_string(),
            reason: reason.into(),
        }
    }

    /// A request as far as it fits: paths come from outside and the ring holds many.
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
            count,
            fault: None,
        }
    }

    /// Names the faults that a request met.
    pub(crate) fn spoilt_by(mut self, name: Option<&str>) -> Self {
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
    /// Whose.
    pub(crate) subscriptions: Vec<String>,
    /// Where to, without the query.
    pub(crate) url: String,
    /// `updated`, or the lifecycle event.
    pub(crate) event: &'static str,
    /// How many items.
    pub(crate) items: usize,
    /// Counts from 1.
    pub(crate) attempt: u32,
    /// When the change happened.
    pub(crate) posted: Moment,
    /// The status of the answer, `timeout` or `unreachable`.
    pub(crate) outcome: Box<str>,
    /// `delivered`, `retry` or `given up`.
    pub(crate) verdict: &'static str,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Moment>,
}

/// A write that was carried out.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Write {
    /// What was done.
    pub(crate) operation: &'static str,
    /// Session id, device, kind of call or partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Box<str>>,
    /// The pair written.
    #[serde(flatten)]
    pub(crate) shown: Option<Shown>,
    /// When it lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Moment>,
}

/// The ring.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    last: u64,
    /// Tells readers that follow the journal how far it has come.
    grown: watch::Sender<u64>,
}

impl Journal {
    /// Adds an entry and drops the oldest when full.
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

    /// Follows the journal: changes whenever it grows.
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

    /// Entries after a sequence number, and the number to continue from.
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
        // A full page ends at its last entry; a page that is not full has seen everything.
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
