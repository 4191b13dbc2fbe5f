//! Directory, calendar and sign-ins of a person.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::object;
use crate::{
    actions::UserChange,
    calendar::CalendarKind,
    duration::{self, DAY, HOUR},
    error::ControlError,
    shell::Shell,
    state::UserState,
    status::WorkLocation,
};

type Shared = State<Arc<Shell>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
struct ChangeBody {
    display_name: Option<String>,
    user_principal_name: Option<String>,
    profile: Map<String, Value>,
    /// `null` removes the password.
    #[serde(deserialize_with = "given")]
    password: Option<Option<String>>,
    federated: Option<bool>,
    second_factor: Option<bool>,
    scheduled_location: Option<Location>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Location {
    work_location_type: String,
    place_id: Option<String>,
}

/// Distinguishes `null` from a missing member.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// `PATCH /box/v1/users/{id}`
pub(super) async fn change(
    State(shell): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<UserState>, ControlError> {
    let body: ChangeBody = object(&body)?;
    let scheduled_location = match body.scheduled_location {
        None => None,
        Some(location) => {
            let given = location.work_location_type;
            let kind = WorkLocation::KINDS
                .into_iter()
                .find(|kind| kind.eq_ignore_ascii_case(&given));
            let kind = kind.ok_or_else(|| {
                let remedy = format!("give one of {}", WorkLocation::KINDS.join(", "));
                ControlError::invalid("workLocationType", &given, "is not known", &remedy)
            })?;
            Some((kind, location.place_id))
        }
    };
    let change = UserChange {
        display_name: body.display_name,
        user_principal_name: body.user_principal_name,
        profile: body.profile,
        password: body.password,
        federated: body.federated,
        second_factor: body.second_factor,
        scheduled_location,
    };
    shell.change_user(&id, &change).map(Json)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DeleteQuery {
    for_good: bool,
}

/// `DELETE /box/v1/users/{id}`
pub(super) async fn delete(
    State(shell): Shared,
    Path(id): Path<String>,
    Query(query): Query<DeleteQuery>,
) -> Result<Json<Value>, ControlError> {
    shell.delete_user(&id, query.for_good)?;
    Ok(Json(json!({ "deleted": id })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlanBody {
    kind: CalendarKind,
    #[serde(default)]
    subject: String,
    /// Start, RFC 3339; the present if left out.
    starts: Option<String>,
    /// Duration, ISO 8601; an hour if left out.
    lasts: Option<String>,
}

/// `POST /box/v1/users/{id}/calendar`
pub(super) async fn plan(
    State(shell): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, ControlError> {
    let body: PlanBody = object(&body)?;
    let starts = body.starts.as_deref().map(|text| {
        text.parse::<jiff::Timestamp>()
            .map(jiff::Timestamp::as_millisecond)
            .map_err(|_| {
                let remedy =
                    "give a time such as 2026-08-28T10:59:00Z, or leave it out to start now";
                ControlError::invalid("starts", text, "is not a time", remedy)
            })
    });
    let lasts = match body.lasts.as_deref() {
        None => HOUR,
        Some(text) => duration::parse(text)
            .filter(|lasts| (1..=366 * DAY).contains(lasts))
            .ok_or_else(|| {
                let remedy = "give an ISO 8601 duration of at most P366D, such as PT30M";
                ControlError::invalid("lasts", text, "is not a usable duration", remedy)
            })?,
    };
    let subject: String = body.subject.chars().take(1_024).collect();
    let (entry, state) = shell.plan(&id, body.kind, starts.transpose()?, lasts, &subject)?;
    let reply = json!({ "entry": entry, "user": state });
    Ok((StatusCode::CREATED, Json(reply)).into_response())
}

/// `DELETE /box/v1/users/{id}/calendar/{entry}`
pub(super) async fn unplan(
    State(shell): Shared,
    Path((id, entry)): Path<(String, u64)>,
) -> Result<Json<UserState>, ControlError> {
    shell.unplan(&id, entry).map(Json)
}

/// `POST /box/v1/users/{id}/revoke`: all refresh tokens of the person.
pub(super) async fn revoke(
    State(shell): Shared,
    Path(id): Path<String>,
) -> Result<Json<Value>, ControlError> {
    Ok(Json(json!({ "revoked": shell.revoke(&id)? })))
}
