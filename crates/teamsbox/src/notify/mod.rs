//! Change notifications: subscriptions, the queue of deliveries, penalties of endpoints, and the bodies of notifications.
//!
//! `subscription`, `outbox` and `endpoint` are pure; `payload` and `encryption` build the bodies. The module `courier` of
//! the crate sends them.

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
