//! Requests to the sign-in service.

use reqwest::{Response, Url};
use serde::Deserialize;

use super::{Client, ClientConfig, read_bytes, read_json, retry_after, unreachable};
use crate::{
    GraphError, RequestKind, clock,
    notification::SigningKeys,
    random::random_guid,
    sign_in::{Answer, Refusal, Token, read},
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

impl Client {
    /// Entra's public keys, with which validation tokens are signed (reference 4.6, 7.1).
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn signing_keys(&self) -> Result<SigningKeys, GraphError> {
        const CALL: &str = "signing keys";
        let ClientConfig { login, tenant, .. } = &self.config;
        let url = format!("{login}/{tenant}/discovery/v2.0/keys");
        let response = self.get_public(CALL, &url).await?;
        let body = read_bytes(CALL, response).await?;
        SigningKeys::parse(&body).map_err(|cause| GraphError::Malformed { call: CALL, cause })
    }

    /// The tenant's id, for [`crate::notification::Trust`], where the configuration has its domain: from the issuer that its
    /// sign-in service names (reference 7.1). Needs no sign-in.
    ///
    /// # Errors
    /// See [`GraphError`]; [`GraphError::Refused`] if there is no such tenant.
    pub async fn tenant_id(&self) -> Result<String, GraphError> {
        const CALL: &str = "openid-configuration";
        let ClientConfig { login, tenant, .. } = &self.config;
        let url = format!("{login}/{tenant}/v2.0/.well-known/openid-configuration");
        let response = self.get_public(CALL, &url).await?;
        let found: OpenIdConfiguration = read_json(CALL, response).await?;
        let id = found
            .issuer
            .trim_end_matches('/')
            .trim_end_matches("/v2.0")
            .rsplit('/')
            .next()
            .filter(|id| id.len() == 36 && id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()));
        id.map(str::to_owned).ok_or_else(|| GraphError::Malformed {
            call: CALL,
            cause: format!("the issuer {} names no tenant", found.issuer),
        })
    }

    /// Whether an account signs in at another identity provider (federated), by its sign-in name. Needs no sign-in.
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
        let response = self.get_public(CALL, url.as_str()).await?;
        let realm: Realm = read_json(CALL, response).await?;
        Ok(realm.account_type.eq_ignore_ascii_case("federated"))
    }

    /// Asks the sign-in service for what it tells everybody.
    async fn get_public(&self, call: &'static str, url: &str) -> Result<Response, GraphError> {
        let sent = self.http.get(url).send().await;
        let response = sent.map_err(|error| unreachable(url, &error))?;
        // No permission can be missing here, so a 403 is a proxy's.
        let permission = "right to pass the proxy";
        self.accept(RequestKind::Read, call, permission, url, response)
            .await
    }

    pub(super) fn token_url(&self) -> String {
        let ClientConfig { login, tenant, .. } = &self.config;
        format!("{login}/{tenant}/oauth2/v2.0/token")
    }

    /// A token for the application itself (reference 7.2).
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
        form.extend(proof.iter().map(|(name, value)| (*name, value.reveal())));
        match self.grant(&form).await? {
            Granted::Token(token) => Ok(token),
            Granted::Refused(refusal) => Err(refusal.of_application(client_id)),
        }
    }

    /// Asks the token endpoint; the form may carry secrets, which go nowhere else.
    pub(super) async fn grant(&self, form: &[(&str, &str)]) -> Result<Granted, GraphError> {
        const CALL: &str = "token";
        let url = self.token_url();
        let response = self
            .http
            .post(&url)
            .form(form)
            .send()
            .await
            .map_err(|error| unreachable(&url, &error))?;
        let (status, retry_after) = (response.status().as_u16(), retry_after(&response));
        let body = read_bytes(CALL, response).await?;
        match read(status, retry_after, &body, clock::now()) {
            Answer::Token(token) => Ok(Granted::Token(token)),
            Answer::Refused(refusal) => Ok(Granted::Refused(refusal)),
            Answer::Failed => Err(GraphError::Service {
                call: CALL,
                status,
                retry_after,
            }),
            Answer::Foreign(cause) => Err(GraphError::Malformed { call: CALL, cause }),
        }
    }
}

/// What the token endpoint says.
pub(super) enum Granted {
    /// Here it is.
    Token(Token),
    /// No, in the words of OAuth.
    Refused(Refusal),
}
