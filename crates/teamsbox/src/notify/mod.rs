//! Change notifications: who subscribed to whom, what is to be delivered when, how it is written and sent.
//!
//! `subscription`, `outbox` and `endpoint` are pure; `payload` and `encryption` build what is sent.

pub(crate) mod encryption;
pub(crate) mod endpoint;
pub(crate) mod outbox;
pub(crate) mod payload;
pub(crate) mod resource;
pub(crate) mod subscription;

use crate::duration::{MINUTE, Milliseconds};

/// Subscriptions of a tenant, as Graph limits them for Teams.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 10_000;
/// How long before its end a subscription or its token is asked to be renewed, and how often again.
pub(crate) const ASK_AHEAD: Milliseconds = 15 * MINUTE;
