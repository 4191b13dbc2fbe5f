//! Status messages and work locations.

use axum::{body::Bytes, http::StatusCode};
use serde::Deserialize;

use super::{
    Reply,
    error::GraphError,
    read,
    route::{Operation, Target},
    write,
};
use crate::{
    change::Cause,
    journal::{Detail, Write},
    permissions::{Caller, Permission},
    shell::Shell,
    status::{Expiry, Layer, StatusMessage, WorkLocation},
};

/// The most characters of a status message. Undocumented; Teams itself allows 280.
const TEXT_MAX: usize = 4_096;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusBody {
    status_message: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    message: Option<Message>,
    expiry_date_time: Option<DateTime>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    content: Option<String>,
    content_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DateTime {
    date_time: String,
    time_zone: Option<String>,
}

/// `POST /users/{id}/presence/setStatusMessage`. Sends no notification.
pub(super) fn set_status(
    shell: &Shell,
    caller: &Caller,
    id: Target<'_>,
    body: &Bytes,
) -> Result<Reply, GraphError> {
    let body: StatusBody = write::parse(body)?;
    if id == Target::Me && caller.user.is_none() {
        return Err(GraphError::delegated_only());
    }
    if !caller.writes_some() {
        let needed = "Presence.ReadWrite.All, or Presence.ReadWrite for the signed-in user";
        return Err(GraphError::forbidden(needed));
    }
    let missing = || GraphError::argument("[StatusMessage]: The StatusMessage field is required.");
    let status = body.status_message.ok_or_else(missing)?;
    let message = status.message.ok_or_else(missing)?;
    if message
        .content_type
        .as_deref()
        .is_some_and(|kind| !kind.eq_ignore_ascii_case("text"))
    {
        return Err(GraphError::argument(
            "The content type of a status message must be text.",
        ));
    }
    let text = message.content.unwrap_or_default();
    if text.chars().count() > TEXT_MAX {
        return Err(GraphError::argument(format!(
            "A status message has at most {TEXT_MAX} characters."
        )));
    }
    let expiry = match status.expiry_date_time {
        None => None,
        Some(given) => {
            let zone = given.time_zone.as_deref().unwrap_or("UTC");
            let expiry = Expiry::parse(&given.date_time, zone).ok_or_else(|| {
                GraphError::argument(
                    "[ExpiryDateTime]: give a date and time without offset and a Windows or IANA time zone.",
                )
            })?;
            Some(expiry)
        }
    };
    shell.with(|world, now| {
        let (index, guid) = read::target(world, caller, id)?;
        if let Some(own) = caller.user.filter(|own| *own != guid) {
            let message =
                format!("Cannot set the presence of another user. Authenticated user: {own}");
            return Err(
                GraphError::new(StatusCode::UNAUTHORIZED, "Unauthorized", message).of_user(guid),
            );
        }
        let status = StatusMessage {
            text: text.as_str().into(),
            published: now,
            expiry,
        };
        if let Some(user) = world.tenant.users.get_mut(index) {
            user.status = (!text.is_empty()).then_some(status);
        }
        log(world, guid, Operation::SetStatusMessage, caller, now);
        Ok(Reply::ok(Vec::new()).of_user(guid))
    })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LocationBody {
    work_location_type: Option<String>,
    place_id: Option<String>,
}

/// `POST /users/{id}/presence/setManualLocation` and its three siblings.
pub(super) fn set_location(
    shell: &Shell,
    caller: &Caller,
    operation: Operation,
    id: Target<'_>,
    body: &Bytes,
) -> Result<Reply, GraphError> {
    let body: LocationBody = if body.iter().all(u8::is_ascii_whitespace) {
        LocationBody::default()
    } else {
        write::parse(body)?
    };
    // Applications cannot write work locations, not even with all permissions.
    if caller.user.is_none() || !caller.has(Permission::PresenceReadWrite) {
        return Err(GraphError::forbidden(
            "Presence.ReadWrite of the signed-in user",
        ));
    }
    let layer = match operation {
        Operation::SetManualLocation => Some(Layer::Manual),
        Operation::SetAutomaticLocation => Some(Layer::Automatic),
        _ => None,
    };
    let kind = match layer {
        None => None,
        Some(_) => {
            let given = body.work_location_type.as_deref().unwrap_or_default();
            let kind = WorkLocation::KINDS
                .into_iter()
                .find(|kind| kind.eq_ignore_ascii_case(given));
            Some(kind.ok_or_else(|| {
                GraphError::argument(
                    "[WorkLocationType]: give unspecified, office, remote or timeOff.",
                )
            })?)
        }
    };
    shell.with(|world, now| {
        let (index, guid) = read::target(world, caller, id)?;
        if !caller.writes(guid) {
            return Err(GraphError::forbidden("Presence.ReadWrite of that user").of_user(guid));
        }
        if let Some(user) = world.tenant.users.get_mut(index) {
            match (layer, kind) {
                (Some(layer), Some(kind)) => {
                    user.location
                        .set(layer, kind, body.place_id.as_deref(), now)
                }
                _ => {
                    user.location.clear(Layer::Automatic);
                    if operation == Operation::ClearLocation {
                        user.location.clear(Layer::Manual);
                    }
                }
            }
        }
        log(world, guid, operation, caller, now);
        let status =
            StatusCode::from_u16(world.knobs.location_status).unwrap_or(StatusCode::NO_CONTENT);
        Ok(Reply::new(status, Vec::new()).of_user(guid))
    })
}

fn log(
    world: &mut crate::world::World,
    user: crate::guid::Guid,
    operation: Operation,
    caller: &Caller,
    now: crate::duration::Milliseconds,
) {
    let cause = Cause::Graph {
        operation: operation.name(),
        app: caller.app.clone(),
    };
    let write = Write {
        operation: operation.name(),
        ..Write::default()
    };
    world
        .journal
        .push(now, "write", Some(user), Detail::Write(write), Some(cause));
}
