//! Subscriptions, and lifecycle notifications on demand.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::object;
use crate::{
    error::{ControlError, ControlErrorKind},
    guid::Guid,
    notify::subscription::Subscription,
    shell::Shell,
    state::Moment,
};

/// `GET /box/v1/subscriptions`
pub(super) async fn list(State(shell): State<Arc<Shell>>) -> Json<Vec<Value>> {
    Json(shell.with(|world, _| world.subscriptions.iter().map(describe).collect()))
}

fn describe(one: &Subscription) -> Value {
    json!({
        "id": one.id.to_string(),
        "app": &*one.app,
        "creator": one.creator.to_string(),
        "resource": one.resource,
        "people": one.users.len(),
        "rich": one.rich.is_some(),
        "expires": Moment(one.expires),
        "tokenExpires": Moment(one.token_expires),
        "paused": one.paused,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LifecycleBody {
    event: Event,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Event {
    ReauthorizationRequired,
    SubscriptionRemoved,
    Missed,
}

/// `POST /box/v1/subscriptions/{id}/lifecycle`: sends an event. `subscriptionRemoved` also removes the subscription after
/// it was sent.
pub(super) async fn lifecycle(
    State(shell): State<Arc<Shell>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    let event = object::<LifecycleBody>(&body)?.event;
    let name = match event {
        Event::ReauthorizationRequired => "reauthorizationRequired",
        Event::SubscriptionRemoved => "subscriptionRemoved",
        Event::Missed => "missed",
    };
    shell.with(|world, now| {
        let guid = id
            .parse::<Guid>()
            .ok()
            .filter(|guid| world.subscriptions.get(*guid).is_some());
        let guid = guid.ok_or_else(|| {
            let remedy = "take one from GET /box/v1/subscriptions";
            ControlError::new(
                ControlErrorKind::NotFound,
                "subscription",
                &id,
                "does not exist",
                remedy,
            )
        })?;
        let sent = world.post_lifecycle(guid, name, now);
        if event == Event::SubscriptionRemoved
            && let Some(subscription) = world.subscriptions.get_mut(guid)
        {
            // The subscription is removed later: the notification is still to be written.
            subscription.paused = true;
            subscription.expires = now + 60_000;
        }
        Ok(Json(json!({ "sent": sent })))
    })
}
