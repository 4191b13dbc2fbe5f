//! Sign-in with OpenID Connect Core 1.0 (authorization code flow with PKCE, RFC 7636), and the mapping of the identity to
//! an account.

mod answer;
mod attempts;
mod claims;
mod config;
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

pub(crate) use answer::AnswerError;
use attempts::Attempts;
pub use config::{OpenIdSection, options};
use mapping::{MappedAccount, is_of, mapped};
pub use provider::{OpenIdOptions, Provider};
use runtime::{
    audit::Administration,
    clock::Clock,
    context::Context,
    sign_in_record::{Outcome, Way},
};
use secrecy::SecretString;
use serde_json::json;
use store::{Account, Change, Concern, Role};

use crate::{
    problem::{Problem, ProblemCode},
    public_url::PublicUrl,
    sessions::Sessions,
};

/// Path of the redirect URI, to be registered at the provider.
pub const RETURN: &str = "/sign-in/open-id/return";

/// Reason for refusing a sign-in.
#[derive(Debug, thiserror::Error)]
pub enum OpenIdError {
    /// The sign-in began in another browser, has expired, or is already finished.
    #[error(
        "this is not the answer to a sign-in that was begun in this browser within ten minutes; begin it anew"
    )]
    NotBegun,
    /// The provider, or the person at the provider, refused.
    #[error("the sign-in was refused there: {0}")]
    Refused(String),
    /// The provider is unreachable, or violates the standard.
    #[error("{0}")]
    Provider(String),
    /// No person and no account matches the identity.
    #[error("no person or account here matches {0}; an administrator can add one")]
    Unknown(String),
    /// Several people or accounts match the identity.
    #[error(
        "{0} fits {1}; a system administrator changes the mail address, the sign-in name or the account of all but one"
    )]
    Ambiguous(String, String),
    /// A required claim is missing or unverified.
    #[error("{0}")]
    Claim(String),
    /// The provider's answer is unusable.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl OpenIdError {
    /// Code of the problem. A fault of the provider is its value: words of the standard, for whoever corrects it there.
    pub fn code(&self) -> ProblemCode {
        match self {
            Self::NotBegun => ProblemCode::new("open-id-not-begun"),
            Self::Refused(text) => ProblemCode::new("open-id-refused").with("value", text),
            Self::Unknown(names) => ProblemCode::new("open-id-unknown").with("value", names),
            Self::Ambiguous(text, names) => ProblemCode::new("open-id-ambiguous")
                .with("value", text)
                .with("name", names),
            Self::Provider(_) | Self::Claim(_) | Self::Answer(_) => {
                ProblemCode::new("open-id-answer").with("value", self)
            }
            Self::Store(_) => ProblemCode::new("open-id-store"),
        }
    }
}

/// The provider, and the sign-ins in progress there.
#[derive(Debug)]
pub struct OpenIdConnect {
    provider: Provider,
    attempts: Attempts,
}

impl OpenIdConnect {
    /// Signs people in at this provider.
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            attempts: Attempts::default(),
        }
    }

    /// The display name of the provider.
    pub fn name(&self) -> &str {
        self.provider.name()
    }
}

/// A sign-in that has begun.
pub struct Authorization {
    /// Address at the provider, for the browser.
    pub url: String,
    /// Value of the parameter `state`, which the browser keeps in a cookie.
    pub state: SecretString,
}

/// Begins a sign-in. `to`: path of the page that opens afterwards.
pub async fn begin(
    clock: &Clock,
    open_id: &OpenIdConnect,
    public_url: &PublicUrl,
    to: String,
) -> Result<Authorization, OpenIdError> {
    let now = clock.now();
    let attempt = open_id.attempts.begin(to, now);
    let attempt = attempt.map_err(|error| OpenIdError::Provider(error.to_string()))?;
    let provider = &open_id.provider;
    let url = provider
        .authorization(&attempt, &redirect_uri(public_url), now)
        .await?;
    let state = attempt.state;
    Ok(Authorization { url, state })
}

fn redirect_uri(public_url: &PublicUrl) -> String {
    format!("{public_url}{RETURN}")
}

/// Result of a finished sign-in.
pub enum SignInResult {
    /// The person is signed in.
    SignedIn {
        /// Value of `Set-Cookie`.
        session: String,
        /// Path of the page to open.
        to: String,
    },
    /// The person is not signed in.
    Refused {
        /// The reason.
        error: OpenIdError,
        /// Path of the page to open after another attempt.
        to: String,
    },
}

/// Finishes a sign-in.
///
/// `query`: the query of the redirect; `began_here`: the state in the browser's cookie.
pub async fn finish(
    (context, sessions): (&Context, &Sessions),
    open_id: Option<&OpenIdConnect>,
    public_url: &PublicUrl,
    from: IpAddr,
    (query, began_here): (&str, &str),
) -> Result<SignInResult, Problem> {
    let now = context.clock.now();
    let found = open_id.and_then(|open_id| {
        let finished = open_id.attempts.finish(query, began_here, now);
        finished.map(|finished| (open_id, finished))
    });
    let record = async |outcome, name: &str| {
        context
            .record_sign_in(Way::OpenId, outcome, from, name)
            .await;
    };
    let Some((OpenIdConnect { provider, .. }, (attempt, code))) = found else {
        record(Outcome::Wrong, "").await;
        let (error, to) = (OpenIdError::NotBegun, "/".into());
        return Ok(SignInResult::Refused { error, to });
    };
    let to = attempt.to.clone();
    let identified = async {
        let code = code.map_err(OpenIdError::Refused)?;
        let redirect_uri = redirect_uri(public_url);
        let identity = provider.redeem(&code, &attempt, &redirect_uri, now);
        account(context, provider, identity.await?).await
    };
    match identified.await {
        Ok(account) => {
            let session = sessions.begin(Some(account)).await?;
            let account = context.store.account(account).await?;
            let name = account.map(|account| account.name);
            record(Outcome::SignedIn, &name.unwrap_or_default()).await;
            Ok(SignInResult::SignedIn { session, to })
        }
        Err(error) => {
            match &error {
                OpenIdError::Unknown(called) | OpenIdError::Ambiguous(called, _) => {
                    record(Outcome::Wrong, called).await;
                }
                OpenIdError::NotBegun | OpenIdError::Refused(_) | OpenIdError::Claim(_) => {
                    record(Outcome::Wrong, "").await;
                }
                // Faults of the provider or of this server are no attempts.
                OpenIdError::Provider(_) | OpenIdError::Answer(_) | OpenIdError::Store(_) => {}
            }
            Ok(SignInResult::Refused { error, to })
        }
    }
}

/// Finds the account of an identity. Adds one with the role person if the person has none.
async fn account(
    context: &Context,
    provider: &Provider,
    identity: String,
) -> Result<u64, OpenIdError> {
    let compared = provider.compared();
    let people = context
        .people
        .people(|person| is_of(&identity, compared, person));
    let accounts = context.store.accounts().await?;
    let person = match mapped(&identity, &people, &accounts)? {
        MappedAccount::Account(account) => return Ok(account),
        MappedAccount::New(person) => person,
    };
    let account = Account {
        id: 0,
        name: identity,
        password_hash: None,
        person: Some(person),
        role: Role::Person,
        location: None,
        created_at: context.clock.now(),
    };
    let change = Change {
        at: context.clock.now(),
        who: "OpenID Connect",
        what: Administration::AccountAdd.name(),
        target: &account.name,
        before: None,
        after: Some(json!({"role": Role::Person.name(), "person": person.to_string()}).to_string()),
        concern: Concern::Administration,
        attempt: None,
    };
    Ok(context.store.add_account(&account, &change).await?)
}
