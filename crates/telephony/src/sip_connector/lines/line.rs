//! One line: its subscription, and what is known of it.

use std::sync::Arc;
use std::time::Duration;

use presence::LineState;
use sip::order::Order;
use sip::subscriber::Subscriber;

use super::Trouble;
use super::dialogs::Dialogs;

#[derive(Debug)]
pub(super) struct Line {
    pub(super) subscriber: Subscriber,
    pub(super) dialogs: Dialogs,
    /// If it is a list: which of the lists that are sent count.
    pub(super) order: Order,
    /// If it is a list: it was asked for lines that another list has no more, and no answer has come.
    pub(super) asked: bool,
    pub(super) state: Option<LineState>,
    pub(super) lease_until: Duration,
    /// The Call-ID under which it is found.
    pub(super) call_id: String,
    pub(super) scheduled: Option<Duration>,
    /// It waits for its turn; until then its lease may lapse, but no other deadline matters.
    pub(super) queued: bool,
    /// The last answer about its credentials was a refusal.
    pub(super) is_refused: bool,
    /// It shall go as soon as it is unsubscribed.
    pub(super) leaving: bool,
    /// A call of it has vanished: at this time it counts as over, if no document says otherwise.
    pub(super) doubt_until: Option<Duration>,
    /// Its list does not have its state: without a document by then the line is unknown.
    pub(super) tell_by: Option<Duration>,
    pub(super) trouble: Option<Trouble>,
    /// The list that documents of the line come with (RFC 4662).
    pub(super) list: Option<Arc<str>>,
}

impl Line {
    pub(super) fn new(subscriber: Subscriber) -> Self {
        Self {
            subscriber,
            dialogs: Dialogs::default(),
            order: Order::default(),
            asked: false,
            state: None,
            lease_until: Duration::ZERO,
            call_id: String::new(),
            scheduled: None,
            queued: false,
            is_refused: false,
            leaving: false,
            doubt_until: None,
            tell_by: None,
            trouble: None,
            list: None,
        }
    }
}
