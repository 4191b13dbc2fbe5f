//! A person's login: the access token as long as it is good, then the next one by the refresh token, until Entra wants
//! the person again.

use std::time::Duration;

use super::{ClientKind, UserToken};
use crate::{Blame, GraphError, Secret, backoff};

/// What only an administrator can heal is asked for again after this.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a request with the person's token needs first.
#[derive(Clone, Debug)]
pub enum Need {
    /// Nothing: here is the access token.
    Nothing(Secret),
    /// [`crate::Client::refresh`] with this, then [`UserSession::refreshed`].
    Refresh(ClientKind, Secret),
    /// Patience until this time, in milliseconds since 1970: refreshing failed.
    Patience(i64, GraphError),
    /// The person, in a browser.
    SignIn(GraphError),
}

/// One login. Plain: times are milliseconds since 1970. `Debug` shows no token.
#[derive(Clone, Debug)]
pub struct UserSession {
    kind: ClientKind,
    access: Option<(Secret, i64)>,
    refresh: Option<Secret>,
    failures: u32,
    trouble: Option<(GraphError, i64)>,
    ended: Option<GraphError>,
}

impl UserSession {
    /// A login that was just made.
    pub fn new(kind: ClientKind, token: &UserToken) -> Self {
        let mut session = Self::remembered(kind, None);
        session.take(token);
        session
    }

    /// A login from a stored refresh token; without one, the person must sign in.
    pub fn remembered(kind: ClientKind, refresh: Option<Secret>) -> Self {
        Self {
            kind,
            access: None,
            refresh,
            failures: 0,
            trouble: None,
            ended: None,
        }
    }

    /// What a request needs now.
    pub fn need(&self, now: i64) -> Need {
        if let Some((access, until)) = &self.access
            && now < *until
        {
            return Need::Nothing(access.clone());
        }
        if let Some(error) = &self.ended {
            return Need::SignIn(error.clone());
        }
        match (&self.trouble, &self.refresh) {
            (Some((error, until)), _) if now < *until => Need::Patience(*until, error.clone()),
            (_, Some(refresh)) => Need::Refresh(self.kind, refresh.clone()),
            (_, None) => Need::SignIn(GraphError::UserSignIn {
                error: "login_required".into(),
                description: "the login was not remembered".into(),
                remedy: "sign in again",
            }),
        }
    }

    /// What came of refreshing. Returns the refresh token that is to be stored now, before the old one is deleted; `None`
    /// if it is the same as before.
    pub fn refreshed(&mut self, now: i64, answer: Result<UserToken, GraphError>) -> Option<Secret> {
        match answer {
            Ok(token) => {
                let old = self.refresh.clone();
                self.take(&token);
                self.refresh.clone().filter(|new| Some(new) != old.as_ref())
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                if needs_person(&error) {
                    self.ended = Some(error);
                    return None;
                }
                let own = backoff(self.failures, now.unsigned_abs());
                let wait = match error.blame() {
                    Blame::Service => error.retry_after().unwrap_or(own),
                    Blame::Administrator | Blame::Request => own.max(PATIENCE),
                };
                let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                self.trouble = Some((error, now.saturating_add(wait)));
                None
            }
        }
    }

    /// Graph refused this access token, or wants a fresh one for a subscription: the next request refreshes first.
    pub fn forget(&mut self, access: &Secret) {
        if self
            .access
            .as_ref()
            .is_some_and(|(known, _)| known == access)
        {
            self.access = None;
        }
    }

    fn take(&mut self, token: &UserToken) {
        self.access = Some((token.access.clone(), token.renew_at()));
        self.refresh = token.refresh.clone().or(self.refresh.take());
        self.failures = 0;
        self.trouble = None;
        self.ended = None;
    }
}

/// The refresh token is worth nothing any more, or Entra wants to see the person.
fn needs_person(error: &GraphError) -> bool {
    matches!(error, GraphError::UserSignIn { error, .. }
        if ["invalid_grant", "interaction_required", "login_required", "consent_required"].contains(&error.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(access: &str, refresh: Option<&str>, expires: i64) -> UserToken {
        UserToken {
            access: Secret::new(access),
            refresh: refresh.map(Secret::new),
            expires,
            scope: String::new(),
            user: None,
        }
    }

    fn refusal(error: &str) -> GraphError {
        GraphError::UserSignIn {
            error: error.into(),
            description: "x".into(),
            remedy: "x",
        }
    }

    #[test]
    fn row_99_a_login_lives_on_by_rotating_refresh_tokens() {
        let mut session = UserSession::new(
            ClientKind::Public,
            &token("canary-a1", Some("canary-r1"), 3_600_000),
        );
        assert!(
            matches!(session.need(3_299_999), Need::Nothing(access) if access.reveal() == "canary-a1")
        );
        assert!(
            matches!(session.need(3_300_000), Need::Refresh(ClientKind::Public, refresh) if refresh.reveal() == "canary-r1")
        );
        let stored = session.refreshed(0, Ok(token("canary-a2", Some("canary-r2"), 7_200_000)));
        assert_eq!(stored, Some(Secret::new("canary-r2")));
        assert!(!format!("{session:?} {:?}", session.need(0)).contains("canary"));
        session.forget(&Secret::new("canary-a1"));
        assert!(matches!(session.need(0), Need::Nothing(_)));
        session.forget(&Secret::new("canary-a2"));
        assert!(matches!(session.need(0), Need::Refresh(..)));
        let same = session.refreshed(0, Ok(token("canary-a3", Some("canary-r2"), 7_200_000)));
        assert_eq!(same, None);
    }

    #[test]
    fn failures_wait_and_an_invalid_grant_wants_the_person() {
        let refresh = Some(Secret::new("r"));
        let mut session = UserSession::remembered(ClientKind::Confidential, refresh);
        let service = GraphError::Service {
            call: "token",
            status: 503,
            retry_after: Some(Duration::from_secs(9)),
        };
        session.refreshed(0, Err(service));
        assert!(matches!(session.need(8_999), Need::Patience(9_000, _)));
        assert!(matches!(session.need(9_000), Need::Refresh(..)));
        session.refreshed(9_000, Err(refusal("invalid_client")));
        assert!(matches!(session.need(10_000), Need::Patience(309_000, _)));
        session.refreshed(309_000, Err(refusal("invalid_grant")));
        assert!(matches!(session.need(i64::MAX), Need::SignIn(_)));
        session.refreshed(0, Ok(token("a", None, 3_600_000)));
        assert!(matches!(session.need(0), Need::Nothing(_)));
        // The refresh token that worked stays.
        assert!(matches!(session.need(3_600_000), Need::Refresh(..)));
    }

    #[test]
    fn a_login_that_is_not_remembered_ends_with_its_access_token() {
        let session = UserSession::new(ClientKind::Confidential, &token("a", None, 3_600_000));
        assert!(matches!(session.need(0), Need::Nothing(_)));
        assert!(matches!(session.need(3_400_000), Need::SignIn(_)));
    }
}
