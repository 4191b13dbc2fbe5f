//! Sign-in to a local account, and sign-out.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use runtime::context::Context;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Json;
use crate::{
    caller::Caller,
    password::BUSY_SECONDS,
    problem::Problem,
    sessions::Sessions,
    sign_in::{self, Refusal, SECONDS_EACH, WrongPasswords},
};

/// Name and password of an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    name: String,
    password: String,
}

/// The signed-in caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Who {
    name: String,
    person: Option<String>,
    admin: bool,
}

/// Signs in by name and password. The answer has the session cookie. The only call without a credential.
#[utoipa::path(
    post,
    path = "/sign-in",
    tag = "Access",
    security(()),
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn begin(
    State(context): State<Context>,
    State(sessions): State<Sessions>,
    State(wrong_passwords): State<Arc<WrongPasswords>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Json(body): Json<SignIn>,
) -> Result<Response, Problem> {
    let account =
        match sign_in::check(&context, &wrong_passwords, from, &body.name, body.password).await {
            Ok(account) => account,
            Err(Refusal::Problem(problem)) => return Err(problem),
            Err(Refusal::Wrong) => return Err(Problem::wrong_password()),
            Err(Refusal::TooMany) => return Err(Problem::too_many_attempts(SECONDS_EACH)),
            Err(Refusal::Busy) => return Err(Problem::busy(BUSY_SECONDS)),
        };
    let cookie = sessions.begin(Some(account.id)).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// The signed-in caller.
#[utoipa::path(
    get,
    path = "/session",
    tag = "Access",
    responses((status = OK, description = "The requested data.", body = Who)),
)]
pub async fn read(caller: Caller) -> axum::Json<Who> {
    axum::Json(Who {
        admin: caller.is_admin(),
        person: caller.person.map(|person| person.to_string()),
        name: caller.name,
    })
}

/// Signs out: ends the session.
#[utoipa::path(
    delete,
    path = "/session",
    tag = "Access",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn end(
    State(sessions): State<Sessions>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    sessions.end(&headers).await?;
    Ok(StatusCode::NO_CONTENT)
}
