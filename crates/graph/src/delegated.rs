//! Sign-in of a person, in a browser and never here: no password is ever seen (reference 7.4 to 7.8).

mod authorization;
mod device;
mod session;

pub use authorization::{Authorization, CallbackError, pkce_challenge};
pub use device::{DeviceCode, DeviceFlow, DeviceState, PollAnswer};
pub(crate) use device::{DeviceCodeWire, poll_refusal};
pub use session::{SessionState, UserSession};

use serde::Deserialize;

use crate::{Secret, sign_in::Token};

/// A token is replaced this long before it ends.
const RENEW_BEFORE: i64 = 300_000;

/// How the application shows itself when it asks for a person's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// By its id only: device code, where the registration allows public client flows. What was begun so is refreshed so.
    Public,
    /// With its secret or certificate: the web application.
    Confidential,
}

/// Who signed in, from the ID token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInUser {
    /// Entra object id (`oid`), the same as the Graph user's.
    pub object_id: String,
    /// Tenant id (`tid`): compare it with the tenant that is meant.
    pub tenant_id: String,
    /// Sign-in name (`preferred_username` or `upn`); to show, not to decide by.
    pub name: Option<String>,
    /// Display name (`name`); to show, not to decide by.
    pub display_name: Option<String>,
}

/// A person's tokens. `Debug` shows none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserToken {
    /// For requests to Graph.
    pub access: Secret,
    /// For the next access token; only where `offline_access` was asked for. Store it before the old one is forgotten:
    /// using a refresh token does not end the one before (reference 7.6, row 99).
    pub refresh: Option<Secret>,
    /// When the access token ends, in milliseconds since 1970.
    pub expires: i64,
    /// The permissions that were granted, separated by blanks.
    pub scope: String,
    /// Who signed in; `None` if Entra sent no ID token, as at some refreshes.
    pub user: Option<SignedInUser>,
}

/// What to ask for, such as `["Presence.Read.All"]` of the Graph at `graph`. With `remember`, a refresh token too.
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
    /// Reads Entra's answer of the time `now`; `old` is the refresh token that was used and stays if there is no new one.
    pub(crate) fn new(token: Token, client_id: &str, old: Option<&Secret>, now: i64) -> Self {
        let lifetime = i64::try_from(token.lifetime.as_millis()).unwrap_or(i64::MAX);
        Self {
            access: Secret::new(token.access_token),
            refresh: token.refresh_token.map(Secret::new).or(old.cloned()),
            expires: now.saturating_add(lifetime),
            scope: token.scope.unwrap_or_default(),
            user: token
                .id_token
                .and_then(|id_token| signed_in(&id_token, client_id)),
        }
    }

    /// When it should be replaced, in milliseconds since 1970.
    pub(crate) fn renew_at(&self) -> i64 {
        self.expires.saturating_sub(RENEW_BEFORE)
    }
}

/// The ID token came from Entra itself over TLS, so its signature adds nothing (OpenID Connect Core 3.1.3.7, point 6).
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
            refresh_token: refresh.map(str::to_owned),
            id_token: id_token.map(str::to_owned),
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
    fn tokens_are_read_and_shown_to_nobody() {
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
        let old = Secret::new("old");
        let refreshed = |new| UserToken::new(token(None, new, 3_600), "app", Some(&old), 0);
        assert_eq!(refreshed(None).refresh, Some(old.clone()));
        assert_eq!(refreshed(Some("new")).refresh, Some(Secret::new("new")));
        assert_eq!(refreshed(None).expires, 3_600_000);
        for id_token in [id_token("another"), "nonsense".into()] {
            let token = UserToken::new(token(Some(&id_token), None, u64::MAX), "app", None, 0);
            assert_eq!(token.user, None);
        }
    }
}
