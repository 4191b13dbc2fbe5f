//! The provider: where it is, what its keys are, and what it says of whoever signed in.

use std::{fmt, time::Duration};

use graph::{Secret, delegated::pkce_challenge};
use jsonwebtoken::jwk::JwkSet;
use presence::Timestamp;
use reqwest::{Client, RequestBuilder, Url};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{
    OpenIdError,
    attempts::Attempt,
    mapping::Compared,
    token::{Claims, Expected, Refusal, verify},
};
use crate::outside::words;

/// How long what the provider says of itself is believed.
const KNOWN: Duration = Duration::from_secs(3_600);
/// How soon its keys are asked for again when one is not known.
const AGAIN: Duration = Duration::from_secs(60);
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer of a provider is larger.
const ANSWER_MAX: usize = 256 * 1024;
/// The claim that is asked for if the configuration names none.
pub(crate) const CLAIM: &str = "email";
/// The claim of Entra that is the account's id, and never changes.
const OBJECT_ID: &str = "oid";

/// How people sign in with OpenID Connect.
#[derive(Clone, Debug)]
pub struct OpenIdOptions {
    /// What stands on the button.
    pub name: String,
    /// The issuer's address, without a slash at the end.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: Secret,
    /// The claim that says who it is: compared with people's sign-in names and mail addresses, or, as `oid`, with their
    /// Teams accounts.
    pub claim: String,
}

/// Where things are, as the provider says (OpenID Connect Discovery 1.0).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Endpoints {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Clone, Debug)]
struct Known {
    endpoints: Endpoints,
    keys: JwkSet,
    at: Timestamp,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
}

/// The provider.
pub(crate) struct Provider {
    options: OpenIdOptions,
    http: Client,
    known: Mutex<Option<Known>>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.options.issuer)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// Asks nothing yet: the server starts without its provider too.
    ///
    /// # Errors
    /// The machine's certificates cannot be read.
    pub(crate) fn new(options: OpenIdOptions) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            options,
            http,
            known: Mutex::default(),
        })
    }

    /// What stands on the button.
    pub(crate) fn name(&self) -> &str {
        &self.options.name
    }

    /// What the claim is compared with.
    pub(super) fn compared(&self) -> Compared {
        match self.options.claim == OBJECT_ID {
            true => Compared::TeamsAccounts,
            false => Compared::Names,
        }
    }

    async fn known(&self, at_least: Timestamp, now: Timestamp) -> Result<Known, OpenIdError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.at >= at_least) {
            return Ok(known.clone());
        }
        let url = format!("{}/.well-known/openid-configuration", self.options.issuer);
        let endpoints: Endpoints = self.answer(self.http.get(&url), &url).await?;
        if endpoints.issuer.trim_end_matches('/') != self.options.issuer {
            return Err(OpenIdError::Provider(format!(
                "{url} speaks for the issuer {:?}; write that into open_id_connect.issuer",
                endpoints.issuer
            )));
        }
        let keys = self.http.get(&endpoints.jwks_uri);
        let keys: JwkSet = self.answer(keys, &endpoints.jwks_uri).await?;
        let read = Known {
            endpoints,
            keys,
            at: now,
        };
        Ok(known.insert(read).clone())
    }

    /// Where things are there.
    pub(super) async fn endpoints(&self, now: Timestamp) -> Result<Endpoints, OpenIdError> {
        Ok(self.known(now - KNOWN, now).await?.endpoints)
    }

    /// Where to send the browser.
    pub(super) fn authorization(
        &self,
        endpoints: &Endpoints,
        attempt: &Attempt,
        redirect_uri: &str,
    ) -> Result<String, OpenIdError> {
        let mut url = Url::parse(&endpoints.authorization_endpoint).map_err(|error| {
            let url = &endpoints.authorization_endpoint;
            OpenIdError::Provider(format!(
                "the provider's sign-in address {url:?} is none: {error}"
            ))
        })?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.options.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", attempt.state.reveal())
            .append_pair("nonce", attempt.nonce.reveal())
            .append_pair("code_challenge", &pkce_challenge(&attempt.verifier))
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// What the provider says of whoever brought this code.
    pub(super) async fn redeem(
        &self,
        code: &Secret,
        attempt: &Attempt,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<Claims, OpenIdError> {
        let known = self.known(now - KNOWN, now).await?;
        let url = &known.endpoints.token_endpoint;
        let request = self.http.post(url).form(&[
            ("grant_type", "authorization_code"),
            ("code", code.reveal()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", attempt.verifier.reveal()),
            ("client_id", &self.options.client_id),
            ("client_secret", self.options.client_secret.reveal()),
        ]);
        let tokens: Tokens = self.answer(request, url).await?;
        let token = tokens.id_token.ok_or_else(|| {
            OpenIdError::Provider(format!(
                "{url} gives no id_token; allow the scope openid there"
            ))
        })?;
        let expected = Expected {
            issuer: &known.endpoints.issuer,
            client_id: &self.options.client_id,
            nonce: attempt.nonce.reveal(),
        };
        let verified = match verify(&token, &known.keys, &expected, now) {
            // The provider may have a new one.
            Err(Refusal::UnknownKey) => {
                let known = self.known(now - AGAIN, now).await?;
                verify(&token, &known.keys, &expected, now)
            }
            verified => verified,
        };
        verified.map_err(|refusal| {
            let what = match refusal {
                Refusal::UnknownKey => "its key is not among the provider's",
                Refusal::Wrong(what) => what,
            };
            OpenIdError::Provider(format!("the provider's token is not believed: {what}"))
        })
    }

    /// Whom the claims name.
    pub(super) fn called(&self, claims: &Claims) -> Result<String, OpenIdError> {
        let claim = &self.options.claim;
        let value = claims.others.get(claim).and_then(Value::as_str);
        let value = value.filter(|value| !value.is_empty()).ok_or_else(|| {
            OpenIdError::Claim(format!(
                "the provider does not say {claim:?} of you; an administrator adds that claim there, or names another in open_id_connect.claim"
            ))
        })?;
        // Whoever may write any address into their own account there must not become somebody else here.
        let checked = claims.others.get("email_verified").and_then(Value::as_bool);
        if claim == CLAIM && checked != Some(true) {
            return Err(OpenIdError::Claim(format!(
                "the provider has not checked that {value} is your address (email_verified); an administrator has it checked there, or names another claim in open_id_connect.claim"
            )));
        }
        Ok(value.to_owned())
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        url: &str,
    ) -> Result<T, OpenIdError> {
        let failed = |what: String| {
            OpenIdError::Provider(format!(
                "the provider does not answer as it should at {url}: {what}"
            ))
        };
        let mut response = request
            .send()
            .await
            .map_err(|error| failed(error.without_url().to_string()))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| failed(error.without_url().to_string()))?
        {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(failed("the answer is too large".into()));
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            // What went wrong, as OAuth says it; nothing else of the answer is repeated.
            let error: Value = serde_json::from_slice(&body).unwrap_or_default();
            let say = |key: &str| words(error.get(key).and_then(Value::as_str).unwrap_or_default());
            return Err(failed(format!(
                "{status} {} {}",
                say("error"),
                say("error_description")
            )));
        }
        // What serde_json says repeats values.
        serde_json::from_slice(&body)
            .map_err(|error| failed(format!("line {} is not what is expected", error.line())))
    }
}
