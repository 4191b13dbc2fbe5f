//! Sign-ins of people: requests for their tokens.

use secrecy::{ExposeSecret, SecretString};

use super::{
    Client,
    login::{TokenAnswer, json},
};
use crate::{
    GraphError, clock,
    delegated::{
        Authorization, ClientKind, DeviceCode, DeviceCodeWire, PollAnswer, UserToken, poll_refusal,
    },
    random::random_guid,
    sign_in::Refusal,
};

impl Client {
    /// Begins a sign-in by device code (RFC 8628), for a scope from [`crate::delegated::scope`].
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn begin_device_code(&self, scope: &str) -> Result<DeviceCode, GraphError> {
        const CALL: &str = "devicecode";
        let url = format!(
            "{}/{}/oauth2/v2.0/devicecode",
            self.config.login, self.config.tenant
        );
        let form = [
            ("client_id", self.config.client_id.as_str()),
            ("scope", scope),
        ];
        let request = self.http.post(&url).form(&form);
        let code = self.document(CALL, &url, request, json::<DeviceCodeWire>);
        code.await?.map(Into::into).map_err(Refusal::of_person)
    }

    /// Polls whether the person has signed in, at the times that [`crate::delegated::DeviceFlow`] names.
    pub async fn poll_device_code(&self, code: &DeviceCode) -> PollAnswer {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", code.device_code.expose_secret()),
        ];
        match self.user_token(ClientKind::Public, &form, None).await {
            Ok(Ok(token)) => PollAnswer::Token(Box::new(token)),
            Ok(Err(error)) => poll_refusal(error),
            Err(error) => PollAnswer::Failed(error),
        }
    }

    /// Redeems the code from the browser's callback ([`Authorization::code_from_callback`]) for tokens.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn redeem_code(
        &self,
        authorization: &Authorization,
        code: &SecretString,
    ) -> Result<UserToken, GraphError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", &authorization.redirect_uri),
            ("code_verifier", authorization.verifier.expose_secret()),
        ];
        self.user_token(ClientKind::Confidential, &form, None)
            .await?
            .map_err(Refusal::of_person)
    }

    /// Redeems a refresh token for a new access token and, usually, a new refresh token. Store the new refresh token before
    /// deleting the old one.
    ///
    /// # Errors
    /// See [`GraphError`]; [`GraphError::UserSignIn`] if the person must sign in again.
    pub async fn refresh(
        &self,
        kind: ClientKind,
        refresh: &SecretString,
        scope: &str,
    ) -> Result<UserToken, GraphError> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose_secret()),
            ("scope", scope),
        ];
        self.user_token(kind, &form, Some(refresh))
            .await?
            .map_err(Refusal::of_person)
    }

    async fn user_token(
        &self,
        kind: ClientKind,
        fields: &[(&str, &str)],
        old: Option<&SecretString>,
    ) -> Result<Result<UserToken, Refusal>, GraphError> {
        let client_id = self.config.client_id.as_str();
        let now = clock::now();
        let proof = match kind {
            ClientKind::Public => Vec::new(),
            ClientKind::Confidential => {
                self.config
                    .credential
                    .fields(client_id, &self.token_url(), now, &random_guid()?)?
            }
        };
        let mut form = vec![("client_id", client_id)];
        form.extend_from_slice(fields);
        form.extend(
            proof
                .iter()
                .map(|(name, value)| (*name, value.expose_secret())),
        );
        Ok(match self.grant(&form).await? {
            TokenAnswer::Token(token) => Ok(UserToken::new(token, client_id, old, now)),
            TokenAnswer::Refused(refusal) => Err(refusal),
        })
    }
}
