//! People: list, creation, state, and actions.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{object, object_or_nothing};
use crate::{
    actions::UserChange,
    config::NewUser,
    error::ControlError,
    shell::Shell,
    state::{UserState, UserSummary},
    user::{CallKind, sequence_text},
    value::{Activity, Availability, Device},
};

type Answer = Result<Json<UserState>, ControlError>;
type Shared = State<Arc<Shell>>;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    presence: bool,
}

/// A row of the page's list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(flatten)]
    summary: UserSummary,
    availability: Availability,
    activity: Activity,
    sequence_number: String,
}

/// `GET /box/v1/users`, with the visible pairs for `?presence=true`.
pub(super) async fn list(State(shell): Shared, Query(query): Query<ListQuery>) -> Response {
    if !query.presence {
        return Json(shell.users()).into_response();
    }
    let rows: Vec<_> = shell.with(|world, _| {
        let row = |user: &crate::user::User| {
            let current = user.current();
            Row {
                summary: UserSummary::of(user),
                availability: current.shown.availability,
                activity: current.shown.activity,
                sequence_number: sequence_text(current.sequence),
            }
        };
        world.tenant.people().map(row).collect()
    });
    Json(rows).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewUserBody {
    display_name: String,
    user_principal_name: Option<String>,
    id: Option<String>,
    #[serde(default)]
    clients: Vec<String>,
    /// Further members, as [`super::person::change`] takes them.
    #[serde(default)]
    profile: serde_json::Map<String, serde_json::Value>,
}

/// `POST /box/v1/users`
pub(super) async fn create(State(shell): Shared, body: Bytes) -> Result<Response, ControlError> {
    let body: NewUserBody = object(&body)?;
    let clients = body
        .clients
        .iter()
        .map(|name| device(name))
        .collect::<Result<_, _>>()?;
    let user_principal_name = body
        .user_principal_name
        .unwrap_or_else(|| principal_name(&body.display_name));
    let new = NewUser {
        id: body.id,
        display_name: body.display_name,
        user_principal_name,
        clients,
    };
    let created = shell.create_user(&new)?;
    let change = UserChange {
        profile: body.profile,
        ..UserChange::default()
    };
    let state = if change.profile.is_empty() {
        created
    } else {
        shell.change_user(&created.id, &change).inspect_err(|_| {
            // A failed creation leaves no person behind.
            let _ = shell.delete_user(&created.id, true);
        })?
    };
    Ok((StatusCode::CREATED, Json(state)).into_response())
}

/// The default sign-in name for a display name.
fn principal_name(display_name: &str) -> String {
    let words = display_name
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let name = words.map(str::to_lowercase).collect::<Vec<_>>().join(".");
    format!(
        "{}@contoso.example",
        if name.is_empty() { "user" } else { &name }
    )
}

/// `GET /box/v1/users/{id}`
pub(super) async fn show(State(shell): Shared, Path(id): Path<String>) -> Answer {
    shell.user_state(&id).map(Json)
}

/// `POST /box/v1/users/{id}/clients`
pub(super) async fn sign_in_desktop(State(shell): Shared, Path(id): Path<String>) -> Answer {
    shell.sign_in(&id, Device::Desktop).map(Json)
}

/// `POST /box/v1/users/{id}/clients/{device}`
pub(super) async fn sign_in(
    State(shell): Shared,
    Path((id, name)): Path<(String, String)>,
) -> Answer {
    shell.sign_in(&id, device(&name)?).map(Json)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SignOutQuery {
    now: bool,
}

/// `DELETE /box/v1/users/{id}/clients`
pub(super) async fn sign_out_all(
    State(shell): Shared,
    Path(id): Path<String>,
    Query(query): Query<SignOutQuery>,
) -> Answer {
    shell.sign_out(&id, None, query.now).map(Json)
}

/// `DELETE /box/v1/users/{id}/clients/{device}`
pub(super) async fn sign_out(
    State(shell): Shared,
    Path((id, name)): Path<(String, String)>,
    Query(query): Query<SignOutQuery>,
) -> Answer {
    shell
        .sign_out(&id, Some(device(&name)?), query.now)
        .map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttentionBody {
    attention: String,
}

/// `PUT /box/v1/users/{id}/clients/{device}`: sets the use of the client.
pub(super) async fn attend(
    State(shell): Shared,
    Path((id, name)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let body: AttentionBody = object(&body)?;
    shell.attend(&id, device(&name)?, &body.attention).map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallBody {
    kind: CallKind,
    with: Option<String>,
}

/// `PUT /box/v1/users/{id}/call`
pub(super) async fn start_call(
    State(shell): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let body: CallBody = object(&body)?;
    shell
        .start_call(&id, body.kind, body.with.as_deref())
        .map(Json)
}

/// `DELETE /box/v1/users/{id}/call`
pub(super) async fn end_call(State(shell): Shared, Path(id): Path<String>) -> Answer {
    shell.end_call(&id).map(Json)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SharingBody {
    with: Option<String>,
}

/// `PUT /box/v1/users/{id}/sharing`
pub(super) async fn start_sharing(
    State(shell): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let body: SharingBody = object_or_nothing(&body)?;
    shell.start_sharing(&id, body.with.as_deref()).map(Json)
}

/// `DELETE /box/v1/users/{id}/sharing`
pub(super) async fn stop_sharing(State(shell): Shared, Path(id): Path<String>) -> Answer {
    shell.stop_sharing(&id).map(Json)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ManualBody {
    availability: String,
    activity: Option<String>,
    expiration_duration: Option<String>,
}

/// `PUT /box/v1/users/{id}/manual`
pub(super) async fn set_manual(
    State(shell): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let body: ManualBody = object(&body)?;
    let (activity, lasts) = (
        body.activity.as_deref(),
        body.expiration_duration.as_deref(),
    );
    shell
        .set_manual(&id, &body.availability, activity, lasts)
        .map(Json)
}

/// `DELETE /box/v1/users/{id}/manual`
pub(super) async fn clear_manual(State(shell): Shared, Path(id): Path<String>) -> Answer {
    shell.clear_manual(&id).map(Json)
}

fn device(name: &str) -> Result<Device, ControlError> {
    name.parse().map_err(|_| {
        ControlError::invalid(
            "device",
            name,
            "is not a client",
            "give desktop, web or mobile",
        )
    })
}
