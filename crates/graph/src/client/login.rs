//! Requests to the sign-in service.

use reqwest::StatusCode;

use super::{Client, ClientConfig, read_bytes, read_json, retry_after, unreachable};
use crate::{
    GraphError,
    notification::SigningKeys,
    token::remedy,
    wire::{Token, TokenError},
};

impl Client {
    /// Entra's public keys, with which validation tokens are signed (reference 4.6, 7.1).
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn signing_keys(&self) -> Result<SigningKeys, GraphError> {
        const CALL: &str = "signing keys";
        let ClientConfig { login, tenant, .. } = &self.config;
        let url = format!("{login}/{tenant}/discovery/v2.0/keys");
        let response = self
            .http
            .get(&url)
            .send()
            .await
            .map_err(|error| unreachable(&url, &error))?;
        let response = self.accept(CALL, "", &url, response).await?;
        let body = read_bytes(CALL, response).await?;
        SigningKeys::parse(&body).map_err(|cause| GraphError::Malformed { call: CALL, cause })
    }

    /// A token for the application itself (reference 7.2).
    pub(super) async fn sign_in(&self) -> Result<Token, GraphError> {
        const CALL: &str = "token";
        let ClientConfig {
            login,
            graph,
            tenant,
            client_id,
            client_secret,
        } = &self.config;
        let url = format!("{login}/{tenant}/oauth2/v2.0/token");
        let scope = format!("{graph}/.default");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", client_secret.reveal()),
            ("scope", &scope),
        ];
        let response = self
            .http
            .post(&url)
            .form(&form)
            .send()
            .await
            .map_err(|error| unreachable(&url, &error))?;
        let status = response.status();
        if status.is_success() {
            return read_json(CALL, response).await;
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = retry_after(&response);
            return Err(GraphError::Service {
                call: CALL,
                status: status.as_u16(),
                retry_after,
            });
        }
        let error: TokenError = read_json(CALL, response).await.unwrap_or_default();
        // Entra's text goes on with trace ids over several lines; the first says it.
        let description = error.error_description.lines().next().unwrap_or_default();
        let description = description.split(" Trace ID").next().unwrap_or_default();
        Err(GraphError::SignIn {
            client_id: client_id.clone(),
            description: format!("{} {description}", error.error),
            remedy: remedy(&error.error_codes),
        })
    }
}
