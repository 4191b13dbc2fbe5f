//! Login of a person: uses the access token while it is valid, then refreshes it, until Entra requires a new sign-in.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{ClientKind, UserToken};
use crate::{Blame, GraphError, SignInFault, backoff, token::Replacements};

/// Minimum wait before a refresh is retried that needs an administrator.
const ADMINISTRATOR_RETRY: Duration = Duration::from_secs(300);

/// State of a login, from which the next step follows.
#[derive(Clone, Debug)]
pub enum SessionState {
    /// The access token is valid.
    Ready(SecretString),
    /// Refresh first: call [`crate::Client::refresh`] with these, then [`UserSession::on_refresh`].
    Refresh(ClientKind, SecretString),
    /// The last refresh failed; the next one is possible at this time, in milliseconds since 1970.
    Resting(i64, GraphError),
    /// The person must sign in again in a browser.
    SignIn(GraphError),
}

/// Access token with its times.
#[derive(Clone, Debug)]
struct Access {
    token: SecretString,
    renew_at: i64,
    ends_at: i64,
}

/// Login of one person. Does no IO; times are milliseconds since 1970. `Debug` shows no token.
#[derive(Clone, Debug)]
pub struct UserSession {
    kind: ClientKind,
    access: Option<Access>,
    refresh: Option<SecretString>,
    failures: u32,
    trouble: Option<(GraphError, i64)>,
    ended: Option<GraphError>,
    replacements: Replacements,
    replaced_at: Option<i64>,
}

impl UserSession {
    /// Creates a login after a sign-in.
    pub fn new(kind: ClientKind, token: &UserToken) -> Self {
        let mut session = Self::from_refresh_token(kind, None);
        session.store(token);
        session
    }

    /// Creates a login from a stored refresh token; without one, the person must sign in.
    pub fn from_refresh_token(kind: ClientKind, refresh: Option<SecretString>) -> Self {
        Self {
            kind,
            access: None,
            refresh,
            failures: 0,
            trouble: None,
            ended: None,
            replacements: Replacements::default(),
            replaced_at: None,
        }
    }

    /// State of the login at this time.
    pub fn state(&self, now: i64) -> SessionState {
        if let Some(access) = &self.access
            && now < access.renew_at
        {
            return SessionState::Ready(access.token.clone());
        }
        if let Some(error) = &self.ended {
            return SessionState::SignIn(error.clone());
        }
        let resting = self.trouble.as_ref().filter(|(_, until)| now < *until);
        let good = self.access.as_ref().filter(|access| now < access.ends_at);
        match (resting, &self.refresh) {
            (Some((error, until)), _) => match good {
                // The refresh failed and waits for its retry; the old access token is still valid.
                Some(access) => SessionState::Ready(access.token.clone()),
                None => SessionState::Resting(*until, error.clone()),
            },
            (None, Some(refresh)) => SessionState::Refresh(self.kind, refresh.clone()),
            (None, None) => SessionState::SignIn(GraphError::UserSignIn {
                error: "login_required".into(),
                description: "the login was not remembered".into(),
                remedy: "sign in again",
                fault: SignInFault::Person,
                retry_after: None,
            }),
        }
    }

    /// Records the result of a refresh. Returns the refresh token to store before the old one is deleted; `None` if it has
    /// not changed.
    pub fn on_refresh(
        &mut self,
        now: i64,
        answer: Result<UserToken, GraphError>,
    ) -> Option<SecretString> {
        match answer {
            Ok(token) => {
                let old = self.refresh.clone();
                self.store(&token);
                self.refresh
                    .clone()
                    .filter(|new| old.is_none_or(|old| new.expose_secret() != old.expose_secret()))
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                if error.needs_person() {
                    self.ended = Some(error);
                    return None;
                }
                let own = backoff(self.failures, now.unsigned_abs());
                let wait = match error.blame() {
                    Blame::Service => error.retry_after().unwrap_or(own),
                    Blame::Administrator | Blame::Request => own.max(ADMINISTRATOR_RETRY),
                };
                let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                self.trouble = Some((error, now.saturating_add(wait)));
                None
            }
        }
    }

    /// Records that Graph refused an access token with 401. Returns true if the caller can get another token; the refused
    /// one is forgotten then.
    pub fn replace(&mut self, refused: &SecretString, now: i64) -> bool {
        let is_current = self
            .access
            .as_ref()
            .is_some_and(|access| access.token.expose_secret() == refused.expose_secret());
        if !is_current {
            return true;
        }
        // The clock may have been set back.
        let since_last = self
            .replaced_at
            .map(|at| Duration::from_millis(now.abs_diff(at)));
        let is_allowed = self.replacements.allow(since_last);
        if is_allowed {
            self.replaced_at = Some(now);
            self.access = None;
        }
        is_allowed
    }

    /// Forgets the access token, because Graph requires a new one for a subscription: the next request refreshes first.
    pub fn forget(&mut self, access: &SecretString) {
        if self
            .access
            .as_ref()
            .is_some_and(|known| known.token.expose_secret() == access.expose_secret())
        {
            self.access = None;
        }
    }

    fn store(&mut self, token: &UserToken) {
        self.access = Some(Access {
            token: token.access.clone(),
            renew_at: token.renew_at(),
            ends_at: token.expires,
        });
        self.refresh = token.refresh.clone().or(self.refresh.take());
        self.failures = 0;
        self.trouble = None;
        self.ended = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Peer, sign_in::Refusal};

    fn token(access: &str, refresh: Option<&str>, expires: i64) -> UserToken {
        UserToken {
            access: SecretString::from(access),
            refresh: refresh.map(SecretString::from),
            expires,
            scope: String::new(),
            user: None,
        }
    }

    fn refusal(error: &str) -> GraphError {
        Refusal::new(error, "x", [], None).of_person()
    }

    #[test]
    fn refusals_that_are_not_the_persons_do_not_end_the_login() {
        for word in ["access_denied", "consent_required", "server_error"] {
            let refresh = Some(SecretString::from("r"));
            let mut session = UserSession::from_refresh_token(ClientKind::Public, refresh);
            session.on_refresh(0, Err(refusal(word)));
            assert!(
                matches!(session.state(600_000), SessionState::Refresh(..)),
                "{word}"
            );
        }
        for (code, ends) in [
            (90_033, false),
            (50_196, false),
            (700_024, false),
            (7_000_112, false),
            (7_000_222, false),
            // The tenant's restriction at a proxy, Conditional Access, consent and assignment need an administrator.
            (500_021, false),
            (53_000, false),
            (53_003, false),
            (53_011, false),
            (65_001, false),
            (90_094, false),
            (50_105, false),
            // A lock is temporary.
            (50_053, false),
            (50_057, true),
            (50_076, true),
            (50_173, true),
            (700_082, true),
        ] {
            let refresh = Some(SecretString::from("r"));
            let mut session = UserSession::from_refresh_token(ClientKind::Public, refresh);
            let refusal = Refusal::new("invalid_grant", "x", [code], None);
            session.on_refresh(0, Err(refusal.of_person()));
            let has_ended = matches!(session.state(600_000), SessionState::SignIn(_));
            assert_eq!(has_ended, ends, "{code}");
            if !ends {
                assert!(
                    matches!(session.state(0), SessionState::Resting(..)),
                    "{code}"
                );
                let is_refreshed = matches!(session.state(600_000), SessionState::Refresh(..));
                assert!(is_refreshed, "{code}");
            }
        }
    }

    #[test]
    fn tokens_that_are_refused_at_every_read_are_replaced_at_a_pace() {
        let kind = ClientKind::Public;
        let mut session = UserSession::new(kind, &token("a", Some("r"), 36_000_000));
        let mut replaced = Vec::new();
        for second in 0..=120 {
            let now = second * 1_000;
            if session.replace(&SecretString::from("a"), now) {
                replaced.push(second);
                session.on_refresh(now, Ok(token("a", Some("r"), 36_000_000)));
            }
        }
        assert_eq!(replaced, [0, 1, 3, 7, 15, 31, 63]);
    }

    #[test]
    fn row_99_a_login_lives_on_by_rotating_refresh_tokens() {
        let mut session = UserSession::new(
            ClientKind::Public,
            &token("canary-a1", Some("canary-r1"), 3_600_000),
        );
        assert!(
            matches!(session.state(3_299_999), SessionState::Ready(access) if access.expose_secret() == "canary-a1")
        );
        assert!(
            matches!(session.state(3_300_000), SessionState::Refresh(ClientKind::Public, refresh) if refresh.expose_secret() == "canary-r1")
        );
        let stored = session.on_refresh(0, Ok(token("canary-a2", Some("canary-r2"), 7_200_000)));
        assert_eq!(stored.unwrap().expose_secret(), "canary-r2");
        assert!(!format!("{session:?} {:?}", session.state(0)).contains("canary"));
        session.forget(&SecretString::from("canary-a1"));
        assert!(matches!(session.state(0), SessionState::Ready(_)));
        session.forget(&SecretString::from("canary-a2"));
        assert!(matches!(session.state(0), SessionState::Refresh(..)));
        let same = session.on_refresh(0, Ok(token("canary-a3", Some("canary-r2"), 7_200_000)));
        assert!(same.is_none());
    }

    #[test]
    fn failures_wait_and_an_invalid_grant_wants_the_person() {
        let refresh = Some(SecretString::from("r"));
        let mut session = UserSession::from_refresh_token(ClientKind::Confidential, refresh);
        let service = GraphError::Service {
            peer: Peer::SignIn("https://login.example".into()),
            call: "token",
            status: 503,
            retry_after: Some(Duration::from_secs(9)),
        };
        session.on_refresh(0, Err(service));
        assert!(matches!(
            session.state(8_999),
            SessionState::Resting(9_000, _)
        ));
        assert!(matches!(session.state(9_000), SessionState::Refresh(..)));
        session.on_refresh(9_000, Err(refusal("invalid_client")));
        assert!(matches!(
            session.state(10_000),
            SessionState::Resting(309_000, _)
        ));
        session.on_refresh(309_000, Err(refusal("invalid_grant")));
        assert!(matches!(session.state(i64::MAX), SessionState::SignIn(_)));
        session.on_refresh(0, Ok(token("a", None, 3_600_000)));
        assert!(matches!(session.state(0), SessionState::Ready(_)));
        // The refresh token that worked stays.
        assert!(matches!(
            session.state(3_600_000),
            SessionState::Refresh(..)
        ));
    }

    #[test]
    fn an_access_token_that_is_still_good_is_used_while_refreshing_rests() {
        let mut session = UserSession::new(ClientKind::Public, &token("a", Some("r"), 3_600_000));
        assert!(matches!(
            session.state(3_300_000),
            SessionState::Refresh(..)
        ));
        session.on_refresh(3_300_000, Err(refusal("temporarily_unavailable")));
        assert!(matches!(session.state(3_300_000), SessionState::Ready(_)));
        session.on_refresh(3_400_000, Err(refusal("consent_required")));
        assert!(matches!(session.state(3_599_999), SessionState::Ready(_)));
        assert!(matches!(
            session.state(3_600_000),
            SessionState::Resting(..)
        ));
        session.on_refresh(3_500_000, Err(refusal("invalid_grant")));
        assert!(matches!(session.state(3_500_000), SessionState::SignIn(_)));
    }

    #[test]
    fn a_login_that_is_not_remembered_ends_with_its_access_token() {
        let session = UserSession::new(ClientKind::Confidential, &token("a", None, 3_600_000));
        assert!(matches!(session.state(0), SessionState::Ready(_)));
        assert!(matches!(session.state(3_400_000), SessionState::SignIn(_)));
    }
}
