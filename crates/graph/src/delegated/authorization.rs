//! Sign-in by authorization code with PKCE: the browser goes to Entra and returns with a code (RFC 6749, 4.1; RFC 7636).

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::{ClientConfig, GraphError, random_secret, sign_in::Refusal};

/// `code_challenge` of a verifier: base64url of its SHA-256 (RFC 7636, 4.2).
pub fn pkce_challenge(verifier: &SecretString) -> String {
    let digest = digest::digest(&digest::SHA256, verifier.expose_secret().as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(digest)
}

/// Reason why a callback is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallbackError {
    /// The `state` is not that of the sign-in started in this browser.
    #[error("this is not the answer to the sign-in that was started here; start the sign-in again")]
    State,
    /// Entra or the person refused the sign-in.
    #[error(transparent)]
    Refused(GraphError),
    /// The callback has neither a code nor an error.
    #[error("Entra sent neither a code nor an error; start the sign-in again")]
    Incomplete,
}

/// A sign-in in progress in a browser. Keep it in memory with the person's session; Entra's code is valid for ten minutes.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// URL to which the browser is sent.
    pub url: String,
    /// Random value that returns with the code.
    pub state: SecretString,
    /// PKCE verifier for [`crate::Client::redeem_code`].
    pub verifier: SecretString,
    /// Callback URL for [`crate::Client::redeem_code`].
    pub redirect_uri: String,
}

impl Authorization {
    /// Starts a sign-in. `redirect_uri` must be registered with the application, `scope` comes from [`super::scope`],
    /// `login_hint` is a sign-in name if known.
    ///
    /// # Errors
    /// [`GraphError::NoRandomness`]; [`GraphError::Unreachable`] if the sign-in address is not a URL.
    pub fn begin(
        config: &ClientConfig,
        redirect_uri: &str,
        scope: &str,
        login_hint: Option<&str>,
    ) -> Result<Self, GraphError> {
        let (state, verifier) = (random_secret()?, random_secret()?);
        Self::with(config, redirect_uri, scope, login_hint, state, verifier)
    }

    fn with(
        config: &ClientConfig,
        redirect_uri: &str,
        scope: &str,
        login_hint: Option<&str>,
        state: SecretString,
        verifier: SecretString,
    ) -> Result<Self, GraphError> {
        let base = format!(
            "{}/{}/oauth2/v2.0/authorize",
            config.login.trim_end_matches('/'),
            config.tenant
        );
        let mut url = Url::parse(&base).map_err(|error| GraphError::Unreachable {
            url: base,
            cause: error.to_string(),
        })?;
        url.query_pairs_mut()
            .append_pair("client_id", &config.client_id)
            .append_pair("response_type", "code")
            .append_pair("response_mode", "query")
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", scope)
            .append_pair("state", state.expose_secret())
            .append_pair("code_challenge", &pkce_challenge(&verifier))
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(login_hint.map(|hint| ("login_hint", hint)));
        Ok(Self {
            url: url.into(),
            state,
            verifier,
            redirect_uri: redirect_uri.into(),
        })
    }

    /// Returns the code in the query of the callback.
    ///
    /// # Errors
    /// See [`CallbackError`]. The state is compared first.
    pub fn code_from_callback(&self, query: &str) -> Result<SecretString, CallbackError> {
        let mut url = Url::parse("https://offhook.invalid/").map_err(|_| CallbackError::State)?;
        url.set_query(Some(query));
        let value = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let state = value("state").unwrap_or_default();
        if !bool::from(
            state
                .as_bytes()
                .ct_eq(self.state.expose_secret().as_bytes()),
        ) {
            return Err(CallbackError::State);
        }
        if let Some(error) = value("error") {
            let description = value("error_description").unwrap_or_default();
            let refusal = Refusal::new(&error, &description, [], None);
            return Err(CallbackError::Refused(refusal.of_person()));
        }
        value("code")
            .filter(|code| !code.is_empty())
            .map(SecretString::from)
            .ok_or(CallbackError::Incomplete)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Credential;

    #[test]
    fn row_98_the_challenge_is_that_of_the_rfc() {
        let verifier = SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(
            pkce_challenge(&verifier),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    fn begun() -> Authorization {
        let config = ClientConfig {
            login: "https://login.microsoftonline.com".into(),
            graph: "https://graph.microsoft.com".into(),
            tenant: "contoso.example".into(),
            client_id: "app".into(),
            credential: Credential::Secret(SecretString::from("canary-secret")),
        };
        Authorization::begin(
            &config,
            "https://o.example/back?a=1",
            "openid x",
            Some("anna@x"),
        )
        .unwrap()
    }

    #[test]
    fn the_browser_is_sent_with_all_that_entra_needs_and_no_secret() {
        let begun = begun();
        let url = &begun.url;
        for part in [
            "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/authorize?client_id=app&",
            "&redirect_uri=https%3A%2F%2Fo.example%2Fback%3Fa%3D1&",
            "&scope=openid+x&",
            "&code_challenge_method=S256&login_hint=anna%40x",
            &format!("&state={}&", begun.state.expose_secret()),
            &format!("&code_challenge={}&", pkce_challenge(&begun.verifier)),
        ] {
            assert!(url.contains(part), "{part} is not in {url}");
        }
        assert!(!url.contains(begun.verifier.expose_secret()) && !url.contains("canary"));
        assert_ne!(
            begun.verifier.expose_secret(),
            self::begun().verifier.expose_secret()
        );
    }

    proptest! {
        #[test]
        fn no_query_passes_without_the_state(query in ".{0,80}") {
            let refused = begun().code_from_callback(&query);
            prop_assert!(matches!(refused, Err(CallbackError::State)));
        }
    }

    #[test]
    fn only_the_answer_to_this_sign_in_is_accepted() {
        let begun = begun();
        let state = begun.state.expose_secret();
        let returned = |query: String| begun.code_from_callback(&query);
        let code = returned(format!("code=canary%2Fcode&state={state}&session_state=1"));
        assert_eq!(code.unwrap().expose_secret(), "canary/code");
        for query in [
            "",
            "code=x",
            "code=x&state=",
            "error=x&state=y",
            "state=%FF",
        ] {
            let error = returned(query.into()).unwrap_err();
            assert!(matches!(error, CallbackError::State), "{query}: {error}");
        }
        let error = returned(format!("state={state}&code=")).unwrap_err();
        assert!(matches!(error, CallbackError::Incomplete));
        let declined = "error=access_denied&error_description=AADSTS65004%3A+User+declined";
        let error = returned(format!("{declined}&state={state}")).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("AADSTS65004") && text.contains("accept"),
            "{text}"
        );
    }
}
