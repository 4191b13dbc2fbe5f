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

use std::net::IpAddr;

use graph::Secret;
use serde_json::json;
use store::{Account, Change, Concern, Role};

use answer::AnswerError;
pub(crate) use attempts::Attempts;
use mapping::{Mapped, is_of, mapped};
pub use provider::OpenIdOptions;
pub(crate) use provider::{CLAIM, Provider};

use crate::{
    app::{Shared, SharedState},
    problem::Problem,
    sessions::new_session,
    sign_in_record::{Outcome, Way},
};

/// Path to which the provider redirects browsers, registered there.
pub(crate) const RETURN: &str = "/sign-in/open-id/return";

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

/// A sign-in that has begun.
pub(crate) struct Begun {
    /// Address at the provider, for the browser.
    pub(crate) url: String,
    /// Value of the parameter `state`, which the browser keeps in a cookie.
    pub(crate) state: Secret,
}

/// Begins a sign-in. `to`: path of the page that opens afterwards.
pub(crate) async fn begin(
    shared: &SharedState,
    provider: &Provider,
    to: String,
) -> Result<Begun, OpenIdError> {
    let now = shared.clock.now();
    let attempt = shared.open_id_attempts.begin(to, now);
    let attempt = attempt.map_err(|error| OpenIdError::Provider(error.to_string()))?;
    let url = provider
        .authorization(&attempt, &redirect_uri(shared), now)
        .await?;
    let state = attempt.state;
    Ok(Begun { url, state })
}

fn redirect_uri(shared: &SharedState) -> String {
    format!("{}{RETURN}", shared.public_url)
}

/// Result of a sign-in whose browser has returned.
pub(crate) enum Returned {
    /// The person is signed in: value of `Set-Cookie`, and path of the page to open.
    SignedIn { session: String, to: String },
    /// The person is not signed in; `to` as above.
    Refused { error: OpenIdError, to: String },
}

/// Finishes a sign-in. `query`: that of the redirection; `began_here`: the state in the browser's cookie.
pub(crate) async fn finish(
    shared: &Shared,
    from: IpAddr,
    (query, began_here): (&str, &str),
) -> Result<Returned, Problem> {
    let now = shared.clock.now();
    let found = shared.open_id_attempts.finish(query, began_here, now);
    let record = async |outcome, name: &str| {
        shared.note_sign_in(Way::OpenId, outcome, from, name).await;
    };
    let (Some((attempt, code)), Some(provider)) = (found, &shared.open_id) else {
        record(Outcome::Wrong, "").await;
        let (error, to) = (OpenIdError::NotBegun, "/".into());
        return Ok(Returned::Refused { error, to });
    };
    let to = attempt.to.clone();
    let identified = async {
        let code = code.map_err(OpenIdError::Refused)?;
        let redirect_uri = redirect_uri(shared);
        let identity = provider.redeem(&code, &attempt, &redirect_uri, now);
        account(shared, provider, identity.await?).await
    };
    match identified.await {
        Ok(account) => {
            let session = new_session(shared, Some(account)).await?;
            let account = shared.store.account(account).await?;
            let name = account.map(|account| account.name);
            record(Outcome::SignedIn, &name.unwrap_or_default()).await;
            Ok(Returned::SignedIn { session, to })
        }
        Err(error) => {
            match &error {
                OpenIdError::Unknown(called) | OpenIdError::Ambiguous(called, _) => {
                    record(Outcome::Wrong, called).await;
                }
                OpenIdError::NotBegun | OpenIdError::Refused(_) | OpenIdError::Claim(_) => {
                    record(Outcome::Wrong, "").await;
                }
                // A fault of the provider or of this server.
                OpenIdError::Provider(_) | OpenIdError::Answer(_) | OpenIdError::Store(_) => {}
            }
            Ok(Returned::Refused { error, to })
        }
    }
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
