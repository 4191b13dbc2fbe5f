//! Subscriptions to presence: creation with the handshake, extension, reauthorization, deletion.

use std::sync::Arc;

use axum::{body::Bytes, http::StatusCode};
use jiff::{Timestamp, civil};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Reply, error::GraphError, route::Target, write};
use crate::{
    certificate::Certificate,
    courier::{HandshakeError, handshake},
    duration::{MINUTE, Milliseconds, timestamp},
    guid::Guid,
    knobs::{Cloud, Knobs, LongExpiry},
    notify::{
        SUBSCRIPTIONS_MAX, resource,
        subscription::{Recipient, Subscription},
    },
    permissions::{Caller, Permission},
    shell::Shell,
    world::World,
};

/// The longest lifetime.
const LONGEST: Milliseconds = 60 * MINUTE;
/// The shortest lifetime. Shorter ones are raised to it.
const SHORTEST: Milliseconds = 45 * MINUTE;
/// The most characters of a client state and of a certificate id.
const TEXT_MAX: usize = 128;
/// The most characters of a notification URL.
const URL_MAX: usize = 2_048;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    change_type: Option<String>,
    notification_url: Option<String>,
    lifecycle_notification_url: Option<String>,
    resource: Option<String>,
    expiration_date_time: Option<String>,
    include_resource_data: Option<bool>,
    encryption_certificate: Option<String>,
    encryption_certificate_id: Option<String>,
    client_state: Option<String>,
    latest_supported_tls_version: Option<String>,
}

/// `POST /subscriptions`
pub(super) async fn create(
    shell: &Arc<Shell>,
    caller: &Caller,
    body: &Bytes,
) -> Result<Reply, GraphError> {
    let body: Body = write::parse(body)?;
    let creator = permitted(caller)?;
    let knobs = shell.with(|world, _| world.knobs.clone());
    if knobs.cloud != Cloud::Global {
        let message = "Subscriptions to presence are not available in this national cloud.";
        return Err(GraphError::validation(message));
    }
    if body.change_type.as_deref().map(str::trim) != Some("updated") {
        return Err(GraphError::validation(
            "The changeType of presence must be 'updated'.",
        ));
    }
    let named = body.resource.clone().filter(|text| !text.is_empty());
    let named = named.ok_or_else(|| missing("resource"))?;
    let users = resource::parse(&named).map_err(GraphError::validation)?;
    let url = body
        .notification_url
        .as_deref()
        .ok_or_else(|| missing("notificationUrl"))?;
    check_url("notificationUrl", url, &knobs)?;
    if let Some(url) = &body.lifecycle_notification_url {
        check_url("lifecycleNotificationUrl", url, &knobs)?;
    }
    if body
        .client_state
        .as_ref()
        .is_some_and(|state| state.chars().count() > TEXT_MAX)
    {
        return Err(GraphError::validation(format!(
            "clientState has at most {TEXT_MAX} characters."
        )));
    }
    let rich = if body.include_resource_data == Some(true) {
        Some(recipient(&body)?)
    } else {
        None
    };
    let expiry = body
        .expiration_date_time
        .as_deref()
        .ok_or_else(|| missing("expirationDateTime"))?;
    let now = shell.clock().now_milliseconds();
    let expires = expiry_of(expiry, now, &knobs)?;
    shell.with(|world, _| check_room(world, caller, creator))?;
    // Each URL is validated separately, even if both are equal.
    for url in [Some(url), body.lifecycle_notification_url.as_deref()]
        .into_iter()
        .flatten()
    {
        handshake(shell, url).await.map_err(unreachable)?;
    }
    let id = Guid::random().map_err(|error| GraphError::unreadable(error.to_string()))?;
    let subscription = Subscription {
        id,
        app: Arc::clone(&caller.app),
        creator,
        resource: named,
        users,
        notification_url: url.to_owned(),
        lifecycle_url: body.lifecycle_notification_url,
        client_state: body.client_state,
        rich,
        latest_tls: body.latest_supported_tls_version,
        expires,
        token_expires: caller.valid_until,
        asked: None,
        paused: false,
        last_due: 0,
    };
    let reply = describe(&subscription);
    shell.with(|world, _| {
        // Another subscription may have been created during the handshake.
        check_room(world, caller, creator)?;
        world.subscriptions.add(subscription);
        Ok(())
    })?;
    Ok(Reply::json(StatusCode::CREATED, &reply))
}

/// `GET /subscriptions`
pub(super) fn list(shell: &Shell, caller: &Caller) -> Result<Reply, GraphError> {
    let value: Vec<Value> = shell.with(|world, _| {
        let own = world.subscriptions.iter().filter(|one| owns(caller, one));
        own.map(describe_in_list).collect()
    });
    let body = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#subscriptions",
        "value": value,
    });
    Ok(Reply::json(StatusCode::OK, &body))
}

/// `GET /subscriptions/{id}`
pub(super) fn get(shell: &Shell, caller: &Caller, target: Target<'_>) -> Result<Reply, GraphError> {
    let (_, subscription) = find(shell, caller, target)?;
    Ok(Reply::json(StatusCode::OK, &describe(&subscription)))
}

/// `PATCH /subscriptions/{id}`
pub(super) async fn update(
    shell: &Arc<Shell>,
    caller: &Caller,
    target: Target<'_>,
    body: &Bytes,
) -> Result<Reply, GraphError> {
    let members: Map<String, Value> = write::parse(body)?;
    let body: Body = write::parse(body)?;
    permitted(caller)?;
    let (id, mut subscription) = find(shell, caller, target)?;
    let fixed = [
        "lifecycleNotificationUrl",
        "resource",
        "changeType",
        "includeResourceData",
        "clientState",
    ];
    if let Some(name) = fixed.iter().find(|name| members.contains_key(**name)) {
        let message =
            format!("{name} cannot be changed: delete the subscription and create another.");
        return Err(GraphError::validation(message));
    }
    let (knobs, now) = shell.with(|world, now| (world.knobs.clone(), now));
    if let Some(expiry) = body.expiration_date_time.as_deref() {
        subscription.expires = expiry_of(expiry, now, &knobs)?;
    }
    if body.encryption_certificate.is_some() || body.encryption_certificate_id.is_some() {
        subscription.rich = Some(recipient(&body)?);
    }
    if let Some(url) = body.notification_url {
        check_url("notificationUrl", &url, &knobs)?;
        handshake(shell, &url).await.map_err(unreachable)?;
        subscription.notification_url = url;
    }
    subscription.reauthorize(caller.valid_until, now);
    let reply = describe(&subscription);
    shell.with(|world, _| match world.subscriptions.get_mut(id) {
        Some(stored) => {
            let last_due = stored.last_due;
            *stored = subscription;
            stored.last_due = last_due;
            Ok(Reply::json(StatusCode::OK, &reply))
        }
        None => Err(unknown(&id.to_string())),
    })
}

/// `DELETE /subscriptions/{id}`
pub(super) fn delete(
    shell: &Shell,
    caller: &Caller,
    target: Target<'_>,
) -> Result<Reply, GraphError> {
    let (id, _) = find(shell, caller, target)?;
    shell.with(|world, _| {
        world.subscriptions.remove(id);
        world.outbox.forget(id);
    });
    Ok(Reply::new(StatusCode::NO_CONTENT, Vec::new()))
}

/// `POST /subscriptions/{id}/reauthorize`
pub(super) fn reauthorize(
    shell: &Shell,
    caller: &Caller,
    target: Target<'_>,
) -> Result<Reply, GraphError> {
    permitted(caller)?;
    let (id, _) = find(shell, caller, target)?;
    shell.with(|world, now| {
        if let Some(subscription) = world.subscriptions.get_mut(id) {
            subscription.reauthorize(caller.valid_until, now);
        }
    });
    Ok(Reply::new(StatusCode::NO_CONTENT, Vec::new()))
}

/// The signed-in user of a subscription. Applications cannot subscribe with their own permissions.
fn permitted(caller: &Caller) -> Result<Guid, GraphError> {
    let user = caller
        .user
        .filter(|_| caller.has(Permission::PresenceReadAll));
    user.ok_or_else(|| {
        let message = "Operation: Create; Exception: [Status Code: Forbidden; Reason: The request is not authorized for this user or application.]";
        GraphError::new(StatusCode::FORBIDDEN, "ExtensionError", message)
    })
}

fn check_room(world: &World, caller: &Caller, creator: Guid) -> Result<(), GraphError> {
    if world.subscriptions.of(&caller.app, creator).is_some() {
        // Graph's own text, including its typing error.
        let message = "Operation: Create; Exception: [Status Code: Conflict; Reason: A subscripton already exists. It must be deleted before a another can be made.]";
        return Err(GraphError::new(
            StatusCode::CONFLICT,
            "ExtensionError",
            message,
        ));
    }
    if world.subscriptions.len() >= SUBSCRIPTIONS_MAX {
        let message = format!(
            "The organization has reached its limit of {SUBSCRIPTIONS_MAX} Teams subscriptions."
        );
        return Err(GraphError::new(StatusCode::FORBIDDEN, "Forbidden", message));
    }
    Ok(())
}

fn owns(caller: &Caller, subscription: &Subscription) -> bool {
    subscription.app == caller.app && caller.user.is_none_or(|user| user == subscription.creator)
}

fn find(
    shell: &Shell,
    caller: &Caller,
    target: Target<'_>,
) -> Result<(Guid, Subscription), GraphError> {
    let Target::Id(text) = target else {
        return Err(unknown(""));
    };
    let id: Guid = text.parse().map_err(|_| unknown(text))?;
    let found = shell.with(|world, _| world.subscriptions.get(id).cloned());
    let found = found.filter(|subscription| owns(caller, subscription));
    Ok((id, found.ok_or_else(|| unknown(text))?))
}

fn unknown(id: &str) -> GraphError {
    let id: String = id.chars().take(64).collect();
    let message = format!("The subscription '{id}' does not exist: it may have expired.");
    GraphError::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)
}

fn missing(name: &str) -> GraphError {
    GraphError::validation(format!(
        "Subscription validation request failed: {name} is required."
    ))
}

fn check_url(name: &str, url: &str, knobs: &Knobs) -> Result<(), GraphError> {
    let refused = |problem: &str| Err(GraphError::validation(format!("{name} {problem}")));
    let rest = match url.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) if knobs.http_webhooks => rest,
        _ => return refused("must be an https address."),
    };
    let graphic = url.bytes().all(|byte| byte.is_ascii_graphic());
    if rest.is_empty() || rest.starts_with('/') || !graphic || url.len() > URL_MAX {
        return refused("is not a usable address.");
    }
    Ok(())
}

fn recipient(body: &Body) -> Result<Recipient, GraphError> {
    let certificate = body
        .encryption_certificate
        .as_deref()
        .filter(|text| !text.is_empty());
    let certificate = certificate.ok_or_else(|| missing("encryptionCertificate"))?;
    let id = body
        .encryption_certificate_id
        .as_deref()
        .filter(|text| !text.is_empty());
    let id = id.ok_or_else(|| missing("encryptionCertificateId"))?;
    if id.chars().count() > TEXT_MAX {
        let message = format!("encryptionCertificateId has at most {TEXT_MAX} characters.");
        return Err(GraphError::validation(message));
    }
    let certificate = Certificate::parse(certificate)
        .map_err(|unusable| GraphError::validation(format!("encryptionCertificate {unusable}.")))?;
    Ok(Recipient {
        certificate,
        id: id.to_owned(),
    })
}

/// The end of a subscription with a requested expiry.
fn expiry_of(text: &str, now: Milliseconds, knobs: &Knobs) -> Result<Milliseconds, GraphError> {
    let expires = moment(text)
        .ok_or_else(|| GraphError::validation("expirationDateTime is not a date and time."))?;
    if expires <= now {
        return Err(GraphError::validation(
            "expirationDateTime lies in the past.",
        ));
    }
    if expires > now + LONGEST {
        if knobs.long_expiry == LongExpiry::Clamp {
            return Ok(now + LONGEST);
        }
        let message = "Subscription expiration can only be 60 minutes in the future.";
        return Err(GraphError::validation(message));
    }
    Ok(expires.max(now + SHORTEST))
}

/// Parses a time with or without offset; without one it is UTC.
fn moment(text: &str) -> Option<Milliseconds> {
    let with_offset = text.parse::<Timestamp>().ok();
    let without = || {
        let moment: civil::DateTime = text.parse().ok()?;
        Some(moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    with_offset.or_else(without).map(Timestamp::as_millisecond)
}

fn unreachable(error: HandshakeError) -> GraphError {
    match error {
        HandshakeError::Timeout => {
            let message = "Subscription validation request timed out.";
            GraphError::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
        }
        HandshakeError::Refused(why) => GraphError::validation(format!(
            "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request. {why}"
        )),
    }
}

fn describe(subscription: &Subscription) -> Value {
    let mut body = describe_in_list(subscription);
    body["@odata.context"] =
        json!("https://graph.microsoft.com/v1.0/$metadata#subscriptions/$entity");
    body
}

/// A subscription without its certificate: the documentation does not list the certificate in answers.
fn describe_in_list(subscription: &Subscription) -> Value {
    let expires = timestamp(subscription.expires)
        .strftime("%Y-%m-%dT%H:%M:%S%.7fZ")
        .to_string();
    json!({
        "id": subscription.id.to_string(),
        "resource": subscription.resource,
        "applicationId": &*subscription.app,
        "changeType": "updated",
        "clientState": subscription.client_state,
        "notificationUrl": subscription.notification_url,
        "lifecycleNotificationUrl": subscription.lifecycle_url,
        "expirationDateTime": expires,
        "creatorId": subscription.creator.to_string(),
        "includeResourceData": subscription.rich.is_some(),
        "encryptionCertificateId": subscription.rich.as_ref().map(|rich| &rich.id),
        "latestSupportedTlsVersion": subscription.latest_tls.as_deref().unwrap_or("v1_2"),
    })
}

#[cfg(test)]
mod tests;
