//! The application's access token: kept until shortly before it ends, asked for again with patience.

use tokio::time::{Duration, Instant};

use crate::{Blame, GraphError, Secret, backoff};

/// A token is replaced this long before it ends, so that no request carries one that ends on the way.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// A sign-in service that is down is asked again after this at the latest.
const SERVICE_WAIT_MAX: Duration = Duration::from_secs(3);

/// What is known of the token. Plain: the time is an argument.
#[derive(Debug, Default)]
pub(crate) struct TokenState {
    token: Option<(Secret, Instant)>,
    failures: u32,
    refused: Option<(GraphError, Instant)>,
}

impl TokenState {
    /// A token that may be used, or `Ok(None)` if one may be asked for.
    pub(crate) fn current(&self, now: Instant) -> Result<Option<Secret>, GraphError> {
        match (&self.token, &self.refused) {
            (Some((token, renew_at)), _) if now < *renew_at => Ok(Some(token.clone())),
            // Asking again at once with the same secret only gets the application locked.
            (_, Some((error, until))) if now < *until => Err(error.clone()),
            _ => Ok(None),
        }
    }

    pub(crate) fn store(&mut self, token: Secret, lifetime: Duration, now: Instant) {
        // A service that names no lifetime gets the shortest that Entra gives.
        let lifetime = if lifetime.is_zero() {
            Duration::from_secs(3_600)
        } else {
            lifetime
        };
        let usable = lifetime.saturating_sub(RENEW_BEFORE).max(lifetime / 2);
        *self = Self {
            token: Some((token, now + usable)),
            ..Self::default()
        };
    }

    pub(crate) fn fail(&mut self, error: GraphError, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let own = backoff(self.failures, 0);
        let wait = match error.blame() {
            // Nobody is locked for asking a service that is down, and nothing works until it is back.
            Blame::Service => error.retry_after().unwrap_or(own.min(SERVICE_WAIT_MAX)),
            Blame::Administrator | Blame::Request => own,
        };
        self.refused = Some((error, now + wait));
    }

    /// Graph refused this token: forget it, unless it was replaced meanwhile.
    pub(crate) fn forget(&mut self, refused: &Secret) {
        if self
            .token
            .as_ref()
            .is_some_and(|(token, _)| token == refused)
        {
            self.token = None;
        }
    }
}

/// What an administrator should do about an error code of Entra.
pub(crate) fn remedy(codes: &[u32]) -> &'static str {
    match codes.first() {
        Some(7_000_215) => {
            "the client secret is wrong: copy the secret's value, not its id, from Certificates & secrets"
        }
        Some(7_000_222) => {
            "the client secret has expired: create a new one and put it into the configuration"
        }
        Some(700_027) => {
            "the certificate is not the one that Entra has for this application: upload its public part under Certificates & secrets"
        }
        Some(700_016) => {
            "the application is not known in this tenant: check client_id and tenant, and consent as an administrator"
        }
        Some(90_002) => "the tenant is not known: check the tenant id or domain",
        Some(70_011) => {
            "the scope is not valid here: check that the sign-in and Graph addresses belong to the same cloud"
        }
        Some(53_003) => "Conditional Access blocks the application: exclude it from the policy",
        _ => "check tenant, client_id and secret or certificate in the configuration",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error() -> GraphError {
        GraphError::SignIn {
            client_id: "app".into(),
            description: "no".into(),
            remedy: "none",
        }
    }

    #[test]
    fn a_service_that_is_down_is_soon_asked_again() {
        let start = Instant::now();
        let mut state = TokenState::default();
        let down = |retry_after| GraphError::Service {
            call: "token",
            status: 503,
            retry_after,
        };
        for _ in 0..20 {
            state.fail(down(None), start);
        }
        assert!(state.current(start + Duration::from_secs(2)).is_err());
        assert!(state.current(start + Duration::from_secs(3)).is_ok());
        state.fail(down(Some(Duration::from_secs(10))), start);
        assert!(state.current(start + Duration::from_secs(9)).is_err());
    }

    #[test]
    fn a_token_is_used_until_shortly_before_it_ends() {
        let start = Instant::now();
        let mut state = TokenState::default();
        assert!(state.current(start).unwrap().is_none());
        state.store(Secret::new("one"), Duration::from_secs(3_599), start);
        assert!(
            state
                .current(start + Duration::from_secs(3_200))
                .unwrap()
                .is_some()
        );
        assert!(
            state
                .current(start + Duration::from_secs(3_300))
                .unwrap()
                .is_none()
        );
        state.forget(&Secret::new("another"));
        assert!(state.current(start).unwrap().is_some());
        state.forget(&Secret::new("one"));
        assert!(state.current(start).unwrap().is_none());
    }

    #[test]
    fn a_refused_sign_in_is_not_repeated_at_once() {
        let start = Instant::now();
        let mut state = TokenState::default();
        state.fail(error(), start);
        assert!(state.current(start + Duration::from_millis(900)).is_err());
        assert!(
            state
                .current(start + Duration::from_millis(1_100))
                .unwrap()
                .is_none()
        );
        for _ in 0..20 {
            state.fail(error(), start);
        }
        assert!(state.current(start + Duration::from_secs(59)).is_err());
        assert!(
            state
                .current(start + Duration::from_secs(61))
                .unwrap()
                .is_none()
        );
    }
}
