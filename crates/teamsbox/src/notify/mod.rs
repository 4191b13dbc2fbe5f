//! Change notifications: subscriptions, the queue of deliveries, penalties of endpoints, and the bodies of notifications.
//!
//! Pure. `courier` sends the notifications.

pub(crate) mod encryption;
pub(crate) mod endpoint;
pub(crate) mod outbox;
pub(crate) mod payload;
pub(crate) mod resource;
pub(crate) mod subscription;

use crate::duration::{MINUTE, Milliseconds};

/// The most subscriptions of a tenant, which is Graph's limit for Teams.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 10_000;
/// Time from the first request for reauthorization to the end of the subscription or its token, and interval of further
/// requests.
pub(crate) const ASK_AHEAD: Milliseconds = 15 * MINUTE;
