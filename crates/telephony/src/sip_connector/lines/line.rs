//! One line: its subscription, its dialogs and its state.

use std::{sync::Arc, time::Duration};

use presence::LineState;
use sip::{order::Order, subscriber::Subscriber};

use super::{Trouble, dialogs::Dialogs};

#[derive(Debug)]
pub(super) struct Line {
    pub(super) subscriber: Subscriber,
    pub(super) dialogs: Dialogs,
    /// For a list: the order of its documents.
    pub(super) order: Order,
    /// For a list: it was refreshed to find lines that another list no longer has, and no answer has come.
    pub(super) is_refreshed_for_moves: bool,
    pub(super) state: Option<LineState>,
    pub(super) lease_until: Duration,
    /// The Call-ID by which messages find the line.
    pub(super) call_id: String,
    pub(super) scheduled: Option<Duration>,
    /// The line waits for its turn. Until then its lease may lapse, but no other deadline counts.
    pub(super) queued: bool,
    /// The latest answer about the line's credentials was a refusal.
    pub(super) is_refused: bool,
    /// The line is removed as soon as it is unsubscribed.
    pub(super) leaving: bool,
    /// A call of the line has vanished: it ends at this time, unless a document lists it again.
    pub(super) doubt_until: Option<Duration>,
    /// The list does not have the line's state: without a document by this time the state is unknown.
    pub(super) state_due: Option<Duration>,
    pub(super) trouble: Option<Trouble>,
    /// The list that sends the line's documents (RFC 4662).
    pub(super) list: Option<Arc<str>>,
}

impl Line {
    pub(super) fn new(subscriber: Subscriber) -> Self {
        Self {
            subscriber,
            dialogs: Dialogs::default(),
            order: Order::default(),
            is_refreshed_for_moves: false,
            state: None,
            lease_until: Duration::ZERO,
            call_id: String::new(),
            scheduled: None,
            queued: false,
            is_refused: false,
            leaving: false,
            doubt_until: None,
            state_due: None,
            trouble: None,
            list: None,
        }
    }
}
