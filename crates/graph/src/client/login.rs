//! Requests to the sign-in service of Entra.

use std::time::Duration;

use reqwest::{RequestBuilder, Url};
use secrecy::ExposeSecret;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Client,
    body::{ANSWER_MAX, read_bytes, retry_after, unreachable},
};
use crate::{
    ClientConfig, GraphError, Interference, Peer, clock,
    notification::SigningKeys,
    random::random_guid,
    sign_in::{Answer, DESCRIPTION_MAX, Refusal, Token, WORD_MAX, read},
    wire::{bounded, without_mark},
};

#[derive(Deserialize)]
struct Realm {
    #[serde(default)]
    account_type: String,
}

#[derive(Deserialize)]
struct OpenIdConfiguration {
    issuer: String,
}

/// Parses a JSON document.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    // The parser's errors repeat values of the body.
    serde_json::from_slice(body).map_err(|error| bounded(&error.to_string(), DESCRIPTION_MAX))
}

impl Client {
    /// Fetches Entra's public keys, which sign validation tokens (OpenID Connect Discovery 1.0, `jwks_uri`).
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn signing_keys(&self) -> Result<SigningKeys, GraphError> {
        const CALL: &str = "signing keys";
        let ClientConfig { login, tenant, .. } = &self.config;
        let url = format!("{login}/{tenant}/discovery/v2.0/keys");
        self.get_public(CALL, &url, SigningKeys::parse).await
    }

    /// Fetches the tenant's id for [`crate::notification::TrustedApplication`] where the configuration has its domain. The
    /// id is part of the issuer in the tenant's OpenID configuration. Needs no sign-in.
    ///
    /// # Errors
    /// See [`GraphError`]; [`GraphError::SignIn`] if the tenant does not exist.
    pub async fn tenant_id(&self) -> Result<String, GraphError> {
        const CALL: &str = "openid-configuration";
        let ClientConfig { login, tenant, .. } = &self.config;
        let url = format!("{login}/{tenant}/v2.0/.well-known/openid-configuration");
        let found: OpenIdConfiguration = self.get_public(CALL, &url, json).await?;
        let id = found
            .issuer
            .trim_end_matches('/')
            .trim_end_matches("/v2.0")
            .rsplit('/')
            .next()
            .filter(|id| id.len() == 36 && id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()));
        id.map(str::to_owned).ok_or_else(|| GraphError::Malformed {
            call: CALL,
            cause: format!(
                "the issuer {} names no tenant",
                bounded(&found.issuer, WORD_MAX)
            ),
        })
    }

    /// True if the account with this sign-in name signs in at another identity provider (federated). Needs no sign-in.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn is_federated(&self, name: &str) -> Result<bool, GraphError> {
        const CALL: &str = "userrealm";
        let ClientConfig { login, tenant, .. } = &self.config;
        let mut url = Url::parse(login).map_err(|error| unreachable(login, &error))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend([tenant, "userrealm", name]);
        }
        url.set_query(Some("api-version=1.0"));
        let realm: Realm = self.get_public(CALL, url.as_str(), json).await?;
        Ok(realm.account_type.eq_ignore_ascii_case("federated"))
    }

    /// Fetches a public document of the sign-in service.
    async fn get_public<T>(
        &self,
        call: &'static str,
        url: &str,
        parse: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<T, GraphError> {
        let document = self.document(call, url, self.http.get(url), parse).await?;
        document.map_err(|refusal| refusal.of_application(&self.config.client_id))
    }

    /// Sends a request for a document of the sign-in service. The inner error is a refusal in OAuth's form.
    pub(super) async fn document<T>(
        &self,
        call: &'static str,
        url: &str,
        request: RequestBuilder,
        parse: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<Result<T, Refusal>, GraphError> {
        let response = send_login(call, url, request).await?;
        let is_success = (200..300).contains(&response.status);
        let cause = match is_success.then(|| parse(without_mark(&response.body))) {
            Some(Ok(document)) => return Ok(Ok(document)),
            Some(Err(cause)) => Some(cause),
            None => None,
        };
        let malformed = |cause| {
            let cause = format!("{url}: {cause}");
            Err(GraphError::Malformed { call, cause })
        };
        match (response.into_token_answer(), cause) {
            (Ok(TokenAnswer::Refused(refusal)), _) => Ok(Err(refusal)),
            (Ok(TokenAnswer::Token(_)), _) => {
                malformed("a token where a document was asked for".into())
            }
            (Err(GraphError::Unconfirmed { .. }), Some(cause)) => malformed(cause),
            (Err(error), _) => Err(error),
        }
    }

    pub(super) fn token_url(&self) -> String {
        let ClientConfig { login, tenant, .. } = &self.config;
        format!("{login}/{tenant}/oauth2/v2.0/token")
    }

    /// Requests a token for the application (OAuth 2.0 client credentials, RFC 6749, 4.4).
    pub(super) async fn sign_in(&self) -> Result<Token, GraphError> {
        let ClientConfig {
            graph,
            client_id,
            credential,
            ..
        } = &self.config;
        let url = self.token_url();
        let scope = format!("{graph}/.default");
        let proof = credential.fields(client_id, &url, clock::now(), &random_guid()?)?;
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("scope", &scope),
        ];
        form.extend(
            proof
                .iter()
                .map(|(name, value)| (*name, value.expose_secret())),
        );
        match self.grant(&form).await? {
            TokenAnswer::Token(token) => Ok(token),
            TokenAnswer::Refused(refusal) => Err(refusal.of_application(client_id)),
        }
    }

    /// Posts a form to the token endpoint. The form may contain secrets.
    pub(super) async fn grant(&self, form: &[(&str, &str)]) -> Result<TokenAnswer, GraphError> {
        let url = self.token_url();
        let response = send_login("token", &url, self.http.post(&url).form(form)).await?;
        response.into_token_answer()
    }
}

/// Answer of the sign-in service with its whole body.
struct LoginResponse<'a> {
    call: &'static str,
    url: &'a str,
    status: u16,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

/// Sends a request to the sign-in service.
async fn send_login<'a>(
    call: &'static str,
    url: &'a str,
    request: RequestBuilder,
) -> Result<LoginResponse<'a>, GraphError> {
    let sent = request.send().await;
    let response = sent.map_err(|error| unreachable(url, &error))?;
    let (status, retry_after) = (response.status().as_u16(), retry_after(&response));
    match read_bytes(call, response, ANSWER_MAX).await {
        Ok(body) => Ok(LoginResponse {
            call,
            url,
            status,
            retry_after,
            body,
        }),
        // The connection broke off.
        Err(error @ GraphError::Unreachable { .. }) => Err(error),
        // Bodies of the sign-in service are shorter.
        Err(_) => Err(GraphError::Intercepted {
            peer: peer(url),
            call,
            status,
            interference: Interference::Page,
            retry_after,
        }),
    }
}

/// Names the sign-in service by its URL without the query.
fn peer(url: &str) -> Peer {
    Peer::SignIn(url.split('?').next().unwrap_or(url).to_owned())
}

impl LoginResponse<'_> {
    /// Converts the answer to a token, a refusal or an error.
    fn into_token_answer(self) -> Result<TokenAnswer, GraphError> {
        let Self {
            call,
            url,
            status,
            retry_after,
            body,
        } = self;
        let peer = peer(url);
        match read(status, retry_after, &body, clock::now()) {
            Answer::Token(token) => Ok(TokenAnswer::Token(token)),
            Answer::Refused(refusal) => Ok(TokenAnswer::Refused(refusal)),
            Answer::Failed => Err(GraphError::Service {
                peer,
                call,
                status,
                retry_after,
            }),
            Answer::Intercepted(interference) => Err(GraphError::Intercepted {
                peer,
                call,
                status,
                interference,
                retry_after,
            }),
            Answer::Unconfirmed(kind) => Err(GraphError::Unconfirmed {
                peer,
                call,
                status,
                detail: format!(": {kind}"),
                retry_after,
            }),
        }
    }
}

/// Answer of the token endpoint.
pub(super) enum TokenAnswer {
    /// A token.
    Token(Token),
    /// A refusal with an error code of OAuth.
    Refused(Refusal),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_is_repeated_in_part() {
        let body = format!("\"{}\"", "x".repeat(100_000));
        let error = json::<u32>(body.as_bytes()).unwrap_err();
        assert!(error.contains("xxx") && error.len() <= DESCRIPTION_MAX);
    }
}
