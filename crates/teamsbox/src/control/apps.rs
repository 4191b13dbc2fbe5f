//! Registrations of applications.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::object;
use crate::{config::App, error::ControlError, registrations::Registration, shell::Shell};

/// `GET /box/v1/apps`: all registrations, without their secrets.
pub(super) async fn list(State(shell): State<Arc<Shell>>) -> Json<Vec<Value>> {
    Json(shell.with(|world, _| world.registrations.all().map(describe).collect()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AppBody {
    client_id: String,
    #[serde(default)]
    client_secret: String,
    roles: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    certificates: Vec<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
}

/// `POST /box/v1/apps`: registers an application, or replaces its registration.
pub(super) async fn put(
    State(shell): State<Arc<Shell>>,
    body: Bytes,
) -> Result<Response, ControlError> {
    let body: AppBody = object(&body)?;
    let app = App {
        client_id: body.client_id,
        client_secret: body.client_secret,
        roles: body.roles.unwrap_or_else(App::default_roles),
        scopes: body.scopes.unwrap_or_else(App::default_scopes),
        certificates: body.certificates,
        redirect_uris: body.redirect_uris,
    };
    let (replaced, described) = shell.with(|world, _| {
        let replaced = world.registrations.put(&app)?;
        let found = world.registrations.find(&app.client_id).ok();
        Ok((replaced, found.as_ref().map(describe)))
    })?;
    let status = if replaced {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(described)).into_response())
}

fn describe(app: &Registration) -> Value {
    json!({
        "clientId": &*app.client_id,
        "objectId": &*app.object_id,
        "roles": &*app.roles,
        "scopes": &*app.scopes,
        "redirectUris": &*app.redirect_uris,
        "certificates": app.certificates.iter().map(|one| one.thumbprint()).collect::<Vec<_>>(),
        "confidential": app.is_confidential(),
    })
}
