//! Sessions of browsers: a random secret in a cookie, and its hash in the store.

use std::{net::IpAddr, time::Duration};

use axum::http::HeaderMap;
use runtime::{
    context::Context,
    secrets::{hash, new_secret},
    sign_in_record::{Outcome, Way},
};

use crate::{
    caller::Caller, cookies::cookie, problem::Problem, public_url::PublicUrl,
    revocations::Revocations,
};

/// Name of the cookie.
pub const SESSION_COOKIE: &str = "offhook_session";
/// Lifetime of a session.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// Begins and ends sessions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    context: Context,
    public_url: PublicUrl,
    revocations: Revocations,
}

impl Sessions {
    /// Keeps sessions in the context's store.
    pub fn new(context: Context, public_url: PublicUrl, revocations: Revocations) -> Self {
        Self {
            context,
            public_url,
            revocations,
        }
    }

    /// Begins a session of an account, or without one of the installation's administrator. Returns the value of `Set-Cookie`.
    pub async fn begin(&self, account: Option<u64>) -> Result<String, Problem> {
        let session = new_secret()?;
        let expires_at = self.context.clock.now() + LIFETIME;
        let store = &self.context.store;
        store
            .add_session(&hash(&session), account, expires_at)
            .await?;
        Ok(self.set_cookie(&session))
    }

    fn set_cookie(&self, session: &str) -> String {
        format!(
            "{SESSION_COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{}",
            LIFETIME.as_secs(),
            self.public_url.cookie_end()
        )
    }

    /// Exchanges the secret of a one-time link for a session. Returns the value of `Set-Cookie`, or `None` if the link is
    /// unknown, used or expired.
    pub async fn exchange_link(&self, link: &str, from: IpAddr) -> Result<Option<String>, Problem> {
        let session = new_secret()?;
        let record = async |outcome, name: &str| {
            let context = &self.context;
            context.record_sign_in(Way::Link, outcome, from, name).await;
        };
        let store = &self.context.store;
        let now = self.context.clock.now();
        let expires_at = now + LIFETIME;
        let exchanged = store
            .exchange_link(&hash(link), &hash(&session), expires_at, now)
            .await?;
        if !exchanged {
            record(Outcome::Wrong, "").await;
            return Ok(None);
        }
        let stored = store.session(&hash(&session), now).await;
        let name = stored
            .ok()
            .flatten()
            .map(|session| Caller::session(session).name);
        record(Outcome::SignedIn, &name.unwrap_or_default()).await;
        Ok(Some(self.set_cookie(&session)))
    }

    /// Ends the session of a request, if it has one.
    pub async fn end(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if let Some(session) = cookie(headers, SESSION_COOKIE) {
            self.context.store.delete_session(&hash(session)).await?;
            self.revocations.report();
        }
        Ok(())
    }

    /// Ends all sessions of an account.
    pub async fn end_all_of(&self, account: u64) -> Result<(), Problem> {
        self.context.store.delete_sessions_of(account).await?;
        self.revocations.report();
        Ok(())
    }
}
