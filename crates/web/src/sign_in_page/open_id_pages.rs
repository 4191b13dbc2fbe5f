//! Redirects of the browser to the OpenID Connect provider and back.

use std::{net::SocketAddr, sync::Arc};

use api::{
    cookies,
    open_id::{self, Authorization, OpenIdConnect, OpenIdError, SignInResult},
    problem::Problem,
    public_url::PublicUrl,
    sessions::Sessions,
};
use axum::{
    extract::{ConnectInfo, Query, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use runtime::context::Context;
use secrecy::ExposeSecret;

use super::{NextPage, refused};
use crate::layout::{Layout, local};

/// Name of the cookie that binds a sign-in to the browser in which it began.
const COOKIE: &str = "offhook_open_id";
/// Lifetime of that cookie.
const COOKIE_SECONDS: u32 = 600;

/// `GET /sign-in/open-id`: redirects the browser to the provider.
pub async fn begin(
    State(context): State<Context>,
    State(public_url): State<PublicUrl>,
    State(open_id): State<Option<Arc<OpenIdConnect>>>,
    layout: Layout,
    Query(way): Query<NextPage>,
) -> Result<Response, Problem> {
    let to = local(way.to.as_deref()).to_owned();
    let Some(open_id) = &open_id else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    match open_id::begin(&context.clock, open_id, &public_url, to.clone()).await {
        Ok(Authorization { url, state }) => {
            let cookie = cookie(&public_url, state.expose_secret(), COOKIE_SECONDS);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&url)).into_response())
        }
        Err(error) => refuse(Some(open_id), layout, to, &error),
    }
}

fn cookie(public_url: &PublicUrl, value: &str, seconds: u32) -> String {
    let end = public_url.cookie_end();
    // Lax, not Strict: the provider redirects from another site.
    format!("{COOKIE}={value}; Path=/sign-in; HttpOnly; SameSite=Lax; Max-Age={seconds}{end}")
}

/// `GET /sign-in/open-id/return`: the provider has redirected the browser back.
pub async fn returned(
    (State(context), State(sessions)): (State<Context>, State<Sessions>),
    State(public_url): State<PublicUrl>,
    State(open_id): State<Option<Arc<OpenIdConnect>>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    layout: Layout,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let began_here = cookies::cookie(&headers, COOKIE).unwrap_or_default();
    let query = query.unwrap_or_default();
    let accounts = (&context, &sessions);
    let open_id = open_id.as_deref();
    let query = (&*query, began_here);
    match open_id::finish(accounts, open_id, &public_url, from.ip(), query).await? {
        SignInResult::SignedIn { session, to } => {
            let cookies = AppendHeaders([
                (header::SET_COOKIE, session),
                (header::SET_COOKIE, cookie(&public_url, "", 0)),
            ]);
            Ok((cookies, Redirect::to(&to)).into_response())
        }
        SignInResult::Refused { error, to } => refuse(open_id, layout, to, &error),
    }
}

/// The sign-in page with the reason of the refusal.
fn refuse(
    open_id: Option<&OpenIdConnect>,
    layout: Layout,
    to: String,
    error: &OpenIdError,
) -> Result<Response, Problem> {
    tracing::warn!(%error, "a sign-in with OpenID Connect was refused");
    let problem = layout
        .words
        .problem(Some(&error.code()), &error.to_string());
    refused(open_id, layout, to, StatusCode::UNAUTHORIZED, problem)
}
