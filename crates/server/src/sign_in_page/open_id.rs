//! The browser's way to the provider of OpenID Connect and back.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Query, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};

use super::{ToGoOn, refused};
use crate::{
    app::{Shared, SharedState},
    cookies,
    layout::{Frame, local},
    open_id::{self, Begun, OpenIdError, Returned},
    problem::Problem,
};

/// Name of the cookie that binds a sign-in to the browser in which it began.
const COOKIE: &str = "offhook_open_id";
/// Lifetime of that cookie.
const COOKIE_SECONDS: u32 = 600;

/// `GET /sign-in/open-id`: redirects the browser to the provider.
pub(crate) async fn begin(
    State(shared): State<Shared>,
    frame: Frame,
    Query(way): Query<ToGoOn>,
) -> Result<Response, Problem> {
    let to = local(way.to.as_deref()).to_owned();
    let Some(provider) = &shared.open_id else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    match open_id::begin(&shared, provider, to.clone()).await {
        Ok(Begun { url, state }) => {
            let cookie = cookie(&shared, state.reveal(), COOKIE_SECONDS);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&url)).into_response())
        }
        Err(error) => refuse(&shared, frame, to, &error),
    }
}

fn cookie(shared: &SharedState, value: &str, seconds: u32) -> String {
    let end = shared.cookie_end();
    // Lax, not strict: the browser comes back from another site.
    format!("{COOKIE}={value}; Path=/sign-in; HttpOnly; SameSite=Lax; Max-Age={seconds}{end}")
}

/// `GET /sign-in/open-id/return`: the provider has redirected the browser back.
pub(crate) async fn returned(
    State(shared): State<Shared>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    frame: Frame,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let began_here = cookies::cookie(&headers, COOKIE).unwrap_or_default();
    let query = query.unwrap_or_default();
    match open_id::finish(&shared, from.ip(), (&query, began_here)).await? {
        Returned::SignedIn { session, to } => {
            let cookies = AppendHeaders([
                (header::SET_COOKIE, session),
                (header::SET_COOKIE, cookie(&shared, "", 0)),
            ]);
            Ok((cookies, Redirect::to(&to)).into_response())
        }
        Returned::Refused { error, to } => refuse(&shared, frame, to, &error),
    }
}

/// The sign-in page with the reason of the refusal.
fn refuse(
    shared: &SharedState,
    frame: Frame,
    to: String,
    error: &OpenIdError,
) -> Result<Response, Problem> {
    tracing::warn!(%error, "a sign-in with OpenID Connect was refused");
    refused(
        shared,
        frame,
        to,
        StatusCode::UNAUTHORIZED,
        error.to_string(),
    )
}
