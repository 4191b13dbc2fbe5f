//! Signing in with OpenID Connect: the browser is sent to the organisation's own sign-in and comes back with a code (OpenID
//! Connect Core 1.0, authorization code flow with PKCE). The identity is mapped to an account here.

mod answer;
mod attempts;
mod claims;
mod discovery;
mod issuer;
mod keys;
mod mapping;
mod memory;
mod provider;
mod shown;
mod signed;
#[cfg(test)]
mod tests;
mod token;

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Query, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use serde_json::json;
use store::{Account, Change, Concern, Role};

use answer::AnswerError;
pub(crate) use attempts::Attempts;
use mapping::{Mapped, is_of, mapped};
pub use provider::OpenIdOptions;
pub(crate) use provider::{CLAIM, Provider};

use crate::{
    access,
    app::{Shared, SharedState},
    cookies,
    frame::{Frame, local},
    problem::Problem,
    sign_in::{self, ToGoOn},
    sign_in_record::{Outcome, Way},
};

/// Where the provider sends browsers back to; to be registered there.
pub(crate) const RETURN: &str = "/sign-in/open-id/return";
/// Binds a sign-in to the browser in which it began.
const COOKIE: &str = "offhook_open_id";
/// How long somebody may take at the provider.
const COOKIE_SECONDS: u32 = 600;

/// Why somebody was not let in, in words of the API.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenIdError {
    /// Another browser, too late, or twice.
    #[error(
        "this is not the answer to a sign-in that was begun in this browser within ten minutes; begin it anew"
    )]
    NotBegun,
    /// The provider, or the person there, said no.
    #[error("the sign-in was refused there: {0}")]
    Refused(String),
    /// The provider does not answer, or not as the standard says.
    #[error("{0}")]
    Provider(String),
    /// Nobody here is called so: the identity as it is shown.
    #[error("nobody here is {0}; an administrator can add you, or an account of that name")]
    Unknown(String),
    /// It fits several people or accounts.
    #[error(
        "{0} fits {1}; a system administrator changes the mail address, the sign-in name or the account of all but one"
    )]
    Ambiguous(String, String),
    /// The claim is missing, or nobody has checked it.
    #[error("{0}")]
    Claim(String),
    /// The provider's answer cannot be used.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

/// `GET /sign-in/open-id`: sends the browser to the provider.
pub(crate) async fn begin(
    State(shared): State<Shared>,
    frame: Frame,
    Query(way): Query<ToGoOn>,
) -> Result<Response, Problem> {
    let to = local(way.to.as_deref()).to_owned();
    let Some(provider) = &shared.open_id else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    let begun = async {
        let now = shared.clock.now();
        let attempt = shared.open_id_attempts.begin(to.clone(), now);
        let attempt = attempt.map_err(|error| OpenIdError::Provider(error.to_string()))?;
        let redirect_uri = format!("{}{RETURN}", shared.public_url);
        let url = provider.authorization(&attempt, &redirect_uri, now);
        let url = url.await?;
        Ok((url, attempt.state))
    };
    match begun.await {
        Ok((url, state)) => {
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

/// `GET /sign-in/open-id/return`: the browser comes back.
pub(crate) async fn returned(
    State(shared): State<Shared>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    frame: Frame,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let began_here = cookies::cookie(&headers, COOKIE).unwrap_or_default();
    let now = shared.clock.now();
    let query = query.unwrap_or_default();
    let found = shared.open_id_attempts.finish(&query, began_here, now);
    let note = async |outcome, name: &str| {
        let (way, from) = (Way::OpenId, from.ip());
        shared.note_sign_in(way, outcome, from, name).await;
    };
    let (Some((attempt, code)), Some(provider)) = (found, &shared.open_id) else {
        note(Outcome::Wrong, "").await;
        return refuse(&shared, frame, "/".into(), &OpenIdError::NotBegun);
    };
    let to = attempt.to.clone();
    let let_in = async {
        let code = code.map_err(OpenIdError::Refused)?;
        let redirect_uri = format!("{}{RETURN}", shared.public_url);
        let identity = provider.redeem(&code, &attempt, &redirect_uri, now);
        account(&shared, provider, identity.await?).await
    };
    match let_in.await {
        Ok(account) => {
            let session = access::new_session(&shared, Some(account)).await?;
            let account = shared.store.account(account).await?;
            let name = account.map(|account| account.name);
            note(Outcome::SignedIn, &name.unwrap_or_default()).await;
            let cookies = AppendHeaders([
                (header::SET_COOKIE, session),
                (header::SET_COOKIE, cookie(&shared, "", 0)),
            ]);
            Ok((cookies, Redirect::to(&to)).into_response())
        }
        Err(error) => {
            match &error {
                OpenIdError::Unknown(called) | OpenIdError::Ambiguous(called, _) => {
                    note(Outcome::Wrong, called).await;
                }
                OpenIdError::NotBegun | OpenIdError::Refused(_) | OpenIdError::Claim(_) => {
                    note(Outcome::Wrong, "").await;
                }
                // The provider's fault or ours.
                OpenIdError::Provider(_) | OpenIdError::Answer(_) | OpenIdError::Store(_) => {}
            }
            refuse(&shared, frame, to, &error)
        }
    }
}

/// The sign-in page, with why not.
fn refuse(
    shared: &SharedState,
    frame: Frame,
    to: String,
    error: &OpenIdError,
) -> Result<Response, Problem> {
    tracing::warn!(%error, "a sign-in with OpenID Connect was refused");
    sign_in::refused(
        shared,
        frame,
        to,
        StatusCode::UNAUTHORIZED,
        error.to_string(),
    )
}

/// The account of the identity that signed in; a person who has none yet gets one, as a person.
async fn account(
    shared: &SharedState,
    provider: &Provider,
    identity: String,
) -> Result<u64, OpenIdError> {
    let compared = provider.compared();
    let people = shared
        .directory
        .people(|person| is_of(&identity, compared, person));
    let accounts = shared.store.accounts().await?;
    let person = match mapped(&identity, &people, &accounts)? {
        Mapped::Account(account) => return Ok(account),
        Mapped::New(person) => person,
    };
    let account = Account {
        id: 0,
        name: identity,
        password_hash: None,
        person: Some(person),
        role: Role::Person,
        location: None,
        created_at: shared.clock.now(),
    };
    let change = Change {
        at: shared.clock.now(),
        who: "OpenID Connect",
        what: "account.add",
        target: &account.name,
        before: None,
        after: Some(json!({"role": Role::Person.name(), "person": person.to_string()}).to_string()),
        concern: Concern::Administration,
        attempt: None,
    };
    Ok(shared.store.add_account(&account, &change).await?)
}
