//! Signing in to a local account, and out again.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Json;
use crate::{access, app::Shared, caller::Caller, password, problem::Problem};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    name: String,
    password: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Who {
    name: String,
    person: Option<String>,
    admin: bool,
}

/// Signs in: a cookie for name and password. The only call that needs no sign-in.
#[utoipa::path(
    post,
    path = "/sign-in",
    tag = "Access",
    security(()),
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn begin(
    State(shared): State<Shared>,
    Json(body): Json<SignIn>,
) -> Result<Response, Problem> {
    let account = shared.store.account_by_name(&body.name).await?;
    let hash = account
        .as_ref()
        .and_then(|account| account.password_hash.clone());
    let too_long = body.password.len() > password::LENGTH_MAX;
    let right = !too_long
        && password::verify(body.password, hash)
            .await
            .map_err(|error| Problem::unavailable(&error.to_string()))?;
    let Some(account) = account.filter(|_| right) else {
        return Err(Problem::wrong_password());
    };
    let cookie = access::new_session(&shared, Some(account.id)).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Who one is.
#[utoipa::path(
    get,
    path = "/session",
    tag = "Access",
    responses((status = OK, description = "What was asked for.", body = Who)),
)]
pub(crate) async fn read(caller: Caller) -> axum::Json<Who> {
    axum::Json(Who {
        admin: caller.is_admin(),
        person: caller.person.map(|person| person.to_string()),
        name: caller.name,
    })
}

/// Signs out: the cookie opens nothing from now on.
#[utoipa::path(
    delete,
    path = "/session",
    tag = "Access",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn end(
    State(shared): State<Shared>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    if let Some(session) = access::cookie(&headers) {
        shared.store.delete_session(&access::hash(session)).await?;
        shared.revoke();
    }
    Ok(StatusCode::NO_CONTENT)
}
