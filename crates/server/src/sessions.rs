//! Sessions of browsers: a random secret in a cookie, whose hash the store keeps.

use std::{net::IpAddr, time::Duration};

use axum::http::HeaderMap;

use crate::{
    app::Shared,
    caller::Caller,
    cookies::cookie,
    problem::Problem,
    secrets::{hash, new_secret},
    sign_in_record::{Outcome, Way},
};

/// Name of the cookie.
pub const SESSION_COOKIE: &str = "offhook_session";
/// Lifetime of a session.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// Begins a session of an account, or without one of the installation's administrator. Returns the value of `Set-Cookie`.
pub(crate) async fn new_session(shared: &Shared, account: Option<u64>) -> Result<String, Problem> {
    let session = new_secret()?;
    let expires_at = shared.clock.now() + LIFETIME;
    shared
        .store
        .add_session(&hash(&session), account, expires_at)
        .await?;
    Ok(set_cookie(shared, &session))
}

fn set_cookie(shared: &Shared, session: &str) -> String {
    format!(
        "{SESSION_COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{}",
        LIFETIME.as_secs(),
        shared.cookie_end()
    )
}

/// Exchanges the secret of a one-time link for a session. Returns the value of `Set-Cookie`, or `None` if the link is
/// unknown, used or expired.
pub(crate) async fn exchange_link(
    shared: &Shared,
    link: &str,
    from: IpAddr,
) -> Result<Option<String>, Problem> {
    let session = new_secret()?;
    let record = async |outcome, name: &str| {
        shared.note_sign_in(Way::Link, outcome, from, name).await;
    };
    let now = shared.clock.now();
    let expires_at = now + LIFETIME;
    let exchanged = shared
        .store
        .exchange_link(&hash(link), &hash(&session), expires_at, now)
        .await?;
    if !exchanged {
        record(Outcome::Wrong, "").await;
        return Ok(None);
    }
    let stored = shared.store.session(&hash(&session), now).await;
    let name = stored
        .ok()
        .flatten()
        .map(|session| Caller::session(session).name);
    record(Outcome::SignedIn, &name.unwrap_or_default()).await;
    Ok(Some(set_cookie(shared, &session)))
}

/// Ends the session of a request, if it has one.
pub(crate) async fn end_session(shared: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(session) = cookie(headers, SESSION_COOKIE) {
        shared.store.delete_session(&hash(session)).await?;
        shared.revoke();
    }
    Ok(())
}

/// Ends all sessions of an account.
pub(crate) async fn end_sessions_of(shared: &Shared, account: u64) -> Result<(), Problem> {
    shared.store.delete_sessions_of(account).await?;
    shared.revoke();
    Ok(())
}
