//! Sign-in of people in a browser. Offhook never asks for a password.

mod authorization;
mod device;
mod session;

pub use authorization::{Authorization, CallbackError, pkce_challenge};
pub use device::{DeviceCode, DeviceFlow, DeviceState, PollAnswer};
pub(crate) use device::{DeviceCodeWire, poll_refusal};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
pub use session::{SessionState, UserSession};

use crate::sign_in::Token;

/// Time in milliseconds before the expiry at which an access token is replaced.
const RENEW_BEFORE: i64 = 300_000;

/// Authentication of the application in requests for a person's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// By its id only: device code, where the registration allows public client flows. Tokens of such a sign-in are
    /// refreshed the same way.
    Public,
    /// By its secret or certificate: sign-in in the web application.
    Confidential,
}

/// Person who signed in, from the ID token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInUser {
    /// Entra object id (`oid`), the id of the Graph user.
    pub object_id: String,
    /// Tenant id (`tid`). Callers must compare it with the expected tenant.
    pub tenant_id: String,
    /// Sign-in name (`preferred_username` or `upn`), for display only.
    pub name: Option<String>,
    /// Display name (`name`), for display only.
    pub display_name: Option<String>,
}

/// Tokens of a person. `Debug` shows none of them.
#[derive(Clone, Debug)]
pub struct UserToken {
    /// Access token for Graph.
    pub access: SecretString,
    /// Refresh token, if the scope contained `offline_access`. Store it before deleting the old one, which stays valid
    /// after its use (Microsoft identity platform, "Refresh tokens").
    pub refresh: Option<SecretString>,
    /// Time of expiry of the access token, in milliseconds since 1970.
    pub expires: i64,
    /// Granted permissions, separated by spaces.
    pub scope: String,
    /// Person who signed in; `None` if Entra sent no ID token, as at some refreshes.
    pub user: Option<SignedInUser>,
}

/// Scope of a sign-in for permissions such as `["Presence.Read.All"]` of Graph at the address `graph`; with `remember`,
/// Entra grants a refresh token too.
pub fn scope(graph: &str, permissions: &[&str], remember: bool) -> String {
    let graph = graph.trim_end_matches('/');
    let mut scope = String::from("openid profile");
    if remember {
        scope.push_str(" offline_access");
    }
    for permission in permissions {
        scope.push_str(&format!(" {graph}/{permission}"));
    }
    scope
}

#[derive(Deserialize)]
struct IdClaims {
    aud: String,
    oid: String,
    tid: String,
    #[serde(default)]
    preferred_username: Option<String>,
    #[serde(default)]
    upn: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl UserToken {
    /// Converts an answer of Entra that arrived at `now`; `old` is the refresh token of the request, which stays if the
    /// answer has none.
    pub(crate) fn new(token: Token, client_id: &str, old: Option<&SecretString>, now: i64) -> Self {
        let lifetime = i64::try_from(token.lifetime.as_millis()).unwrap_or(i64::MAX);
        Self {
            access: token.access_token,
            refresh: token.refresh_token.or(old.cloned()),
            expires: now.saturating_add(lifetime),
            scope: token.scope.unwrap_or_default(),
            user: token
                .id_token
                .and_then(|id_token| signed_in(id_token.expose_secret(), client_id)),
        }
    }

    /// Time at which the access token should be replaced, in milliseconds since 1970.
    pub(crate) fn renew_at(&self) -> i64 {
        self.expires.saturating_sub(RENEW_BEFORE)
    }
}

/// Reads the ID token without verifying its signature, because it came from Entra over TLS (OpenID Connect Core 3.1.3.7,
/// point 6).
fn signed_in(id_token: &str, client_id: &str) -> Option<SignedInUser> {
    let claims: IdClaims = jsonwebtoken::dangerous::insecure_decode(id_token)
        .ok()?
        .claims;
    claims
        .aud
        .eq_ignore_ascii_case(client_id)
        .then_some(SignedInUser {
            object_id: claims.oid,
            tenant_id: claims.tid,
            name: claims.preferred_username.or(claims.upn),
            display_name: claims.name,
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::*;

    fn token(id_token: Option<&str>, refresh: Option<&str>, seconds: u64) -> Token {
        Token {
            access_token: "canary-access".into(),
            lifetime: Duration::from_secs(seconds),
            refresh_token: refresh.map(SecretString::from),
            id_token: id_token.map(SecretString::from),
            scope: Some("User.Read".into()),
        }
    }

    fn id_token(aud: &str) -> String {
        let part = |json: &str| BASE64_URL_SAFE_NO_PAD.encode(json);
        let claims =
            format!(r#"{{"aud":"{aud}","oid":"o","tid":"t","preferred_username":"anna@x"}}"#);
        format!(
            "{}.{}.{}",
            part(r#"{"alg":"RS256","typ":"JWT"}"#),
            part(&claims),
            part("x")
        )
    }

    #[test]
    fn the_scope_asks_for_a_refresh_token_only_if_logins_are_remembered() {
        assert_eq!(
            scope("https://graph.microsoft.com/", &["Presence.Read.All"], true),
            "openid profile offline_access https://graph.microsoft.com/Presence.Read.All"
        );
        assert!(!scope("https://g", &["X"], false).contains("offline"));
    }

    #[test]
    fn tokens_are_parsed_and_not_printed() {
        let token = UserToken::new(
            token(Some(&id_token("app")), Some("canary-refresh"), 3_599),
            "APP",
            None,
            1_000,
        );
        assert_eq!(token.expires, 3_600_000);
        assert_eq!(token.renew_at(), 3_300_000);
        let user = token.user.clone().unwrap();
        assert_eq!(
            (user.object_id.as_str(), user.name.as_deref()),
            ("o", Some("anna@x"))
        );
        assert!(!format!("{token:?}").contains("canary"));
    }

    #[test]
    fn row_99_the_old_refresh_token_stays_if_there_is_no_new_one() {
        let old = SecretString::from("old");
        let refreshed = |new| UserToken::new(token(None, new, 3_600), "app", Some(&old), 0);
        let kept = |new| refreshed(new).refresh.unwrap().expose_secret().to_owned();
        assert_eq!(kept(None), "old");
        assert_eq!(kept(Some("new")), "new");
        assert_eq!(refreshed(None).expires, 3_600_000);
        for id_token in [id_token("another"), "nonsense".into()] {
            let token = UserToken::new(token(Some(&id_token), None, u64::MAX), "app", None, 0);
            assert_eq!(token.user, None);
        }
    }
}
