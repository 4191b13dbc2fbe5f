//! Events for the page: changes of people and of the clock.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::broadcast;

use crate::{
    user::{User, sequence_text},
    value::{Activity, Availability},
};

/// An event for the page.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// An event with JSON data.
    Event(&'static str, Arc<str>),
    /// The emulator stops.
    Stop,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserNotice<'a> {
    id: &'a str,
    user_principal_name: &'a str,
    display_name: &'a str,
    availability: Availability,
    activity: Activity,
    sequence_number: String,
    removed: bool,
}

impl<'a> UserNotice<'a> {
    fn of(user: &'a User) -> Self {
        let current = user.current();
        Self {
            id: &user.id,
            user_principal_name: &user.user_principal_name,
            display_name: &user.display_name,
            availability: current.shown.availability,
            activity: current.shown.activity,
            sequence_number: sequence_text(current.sequence),
            removed: user.removed.is_some(),
        }
    }
}

/// Sends the present state of a person, if a page is connected.
pub(crate) fn announce_user(notices: &broadcast::Sender<Notice>, user: &User) {
    if notices.receiver_count() > 0 {
        announce(notices, "user", &UserNotice::of(user));
    }
}

/// Sends an event with JSON data.
pub(crate) fn announce(
    notices: &broadcast::Sender<Notice>,
    event: &'static str,
    data: &impl Serialize,
) {
    // Plain data always serialises, and an event without a receiver is no loss.
    if let Ok(data) = serde_json::to_string(data) {
        let _ = notices.send(Notice::Event(event, data.into()));
    }
}
