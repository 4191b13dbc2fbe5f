//! The application's access token: kept until shortly before it ends, asked for again with patience.

use tokio::time::{Duration, Instant};

use crate::{Blame, GraphError, Secret, backoff};

/// A token is replaced this long before it ends, so that no request carries one that ends on the way.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// A sign-in service that is down is asked again after this at the latest.
const SERVICE_WAIT_MAX: Duration = Duration::from_secs(3);

/// A token with its times.
#[derive(Debug)]
struct Kept {
    token: Secret,
    renew_at: Instant,
    ends_at: Instant,
    /// Whether Graph has answered a request with this token.
    is_accepted: bool,
}

/// What is known of the token. Plain: the time is an argument.
#[derive(Debug, Default)]
pub(crate) struct TokenState {
    token: Option<Kept>,
    failures: u32,
    refused: Option<(GraphError, Instant)>,
    replacements: Replacements,
    replaced_at: Option<Instant>,
}

impl TokenState {
    /// A token that may be used, or `Ok(None)` if one may be asked for.
    pub(crate) fn current(&self, now: Instant) -> Result<Option<Secret>, GraphError> {
        let resting = self.refused.as_ref().filter(|(_, until)| now < *until);
        match (&self.token, resting) {
            (Some(kept), _) if now < kept.renew_at => Ok(Some(kept.token.clone())),
            // Renewal failed and rests; the old token is still good.
            (Some(kept), Some(_)) if now < kept.ends_at => Ok(Some(kept.token.clone())),
            // Asking again at once with the same secret only gets the application locked.
            (_, Some((error, _))) => Err(error.clone()),
            (_, None) => Ok(None),
        }
    }

    pub(crate) fn store(&mut self, token: Secret, lifetime: Duration, now: Instant) {
        let usable = lifetime.saturating_sub(RENEW_BEFORE).max(lifetime / 2);
        self.token = Some(Kept {
            token,
            renew_at: now + usable,
            ends_at: now + lifetime,
            is_accepted: false,
        });
        self.failures = 0;
        self.refused = None;
    }

    /// Notes that no token came. Returns the old one if it is still good.
    pub(crate) fn fail(&mut self, error: GraphError, now: Instant) -> Result<Secret, GraphError> {
        self.failures = self.failures.saturating_add(1);
        let own = backoff(self.failures, 0);
        let wait = match error.blame() {
            // Nobody is locked for asking a service that is down, and nothing works until it is back.
            Blame::Service => error.retry_after().unwrap_or(own.min(SERVICE_WAIT_MAX)),
            Blame::Administrator | Blame::Request => own,
        };
        let old = self.token.as_ref().filter(|kept| now < kept.ends_at);
        let good = old
            .map(|kept| kept.token.clone())
            .ok_or_else(|| error.clone());
        self.refused = Some((error, now + wait));
        good
    }

    /// Records that Graph answered a request with this token.
    pub(crate) fn accept(&mut self, accepted: &Secret) {
        if let Some(kept) = &mut self.token {
            kept.is_accepted |= kept.token == *accepted;
        }
    }

    /// Notes that Graph refused a token with 401. Returns true if there is another one, or one may be asked for: the refused
    /// token is forgotten then. Else it stays in use, because Graph may accept it again.
    pub(crate) fn replace(&mut self, refused: &Secret, now: Instant) -> bool {
        let current = self.token.as_ref();
        let Some(kept) = current.filter(|kept| kept.token == *refused) else {
            return true;
        };
        let since_last = self.replaced_at.map(|at| now.saturating_duration_since(at));
        let is_allowed = match kept.is_accepted {
            true => self.replacements.allow_accepted(since_last),
            false => self.replacements.allow(since_last),
        };
        if is_allowed {
            self.replaced_at = Some(now);
            self.token = None;
        }
        is_allowed
    }
}

/// The pace at which tokens that Graph refuses with 401 are replaced: the first at once, then after 1, 2, 4 … 60 seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replacements {
    /// Replacements in a row.
    count: u32,
    /// Replacements of tokens that had been accepted, without a rest between them.
    of_accepted: u32,
}

/// After this long without a replacement the next one is at once again. Longer than the longest pause.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(120);

/// Tokens that were accepted before they were refused are replaced at once this often in a row: they ended early, because Graph's
/// clock and this computer's differ, or were revoked.
const ACCEPTED_MAX: u32 = 30;

impl Replacements {
    /// As [`Self::allow`], for a token that had been accepted.
    pub(crate) fn allow_accepted(&mut self, since_last: Option<Duration>) -> bool {
        if since_last.is_none_or(|since_last| since_last >= FORGOTTEN_AFTER) {
            self.of_accepted = 0;
        }
        if self.of_accepted >= ACCEPTED_MAX {
            return self.allow(since_last);
        }
        self.of_accepted = self.of_accepted.saturating_add(1);
        self.count = 1;
        true
    }

    /// Returns true if a token may be replaced now, with this time since the last replacement, and counts it.
    pub(crate) fn allow(&mut self, since_last: Option<Duration>) -> bool {
        match since_last {
            Some(since_last) if since_last < backoff(self.count, 0) => return false,
            Some(since_last) if since_last < FORGOTTEN_AFTER => {
                self.count = self.count.saturating_add(1);
            }
            Some(_) | None => self.count = 1,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Peer, SignInFault};

    fn error() -> GraphError {
        GraphError::SignIn {
            client_id: "app".into(),
            code: None,
            description: "no".into(),
            remedy: "none",
            fault: SignInFault::Credential,
            retry_after: None,
        }
    }

    fn down(retry_after: Option<Duration>) -> GraphError {
        GraphError::Service {
            peer: Peer::SignIn("https://login.example".into()),
            call: "token",
            status: 503,
            retry_after,
        }
    }

    #[test]
    fn a_service_that_is_down_is_soon_asked_again() {
        let start = Instant::now();
        let mut state = TokenState::default();
        for _ in 0..20 {
            state.fail(down(None), start).unwrap_err();
        }
        assert!(state.current(start + Duration::from_secs(2)).is_err());
        assert!(state.current(start + Duration::from_secs(3)).is_ok());
        let asked = down(Some(Duration::from_secs(10)));
        state.fail(asked, start).unwrap_err();
        assert!(state.current(start + Duration::from_secs(9)).is_err());
    }

    // D9
    #[test]
    fn a_token_that_is_still_good_is_used_while_its_renewal_rests() {
        for error in [down(None), error()] {
            let start = Instant::now();
            let mut state = TokenState::default();
            state.store(Secret::new("one"), Duration::from_secs(3_600), start);
            let mut renewals = 0;
            for second in 3_300..3_600 {
                let now = start + Duration::from_secs(second);
                let token = match state.current(now).unwrap() {
                    Some(token) => token,
                    None => {
                        renewals += 1;
                        state.fail(error.clone(), now).unwrap()
                    }
                };
                assert_eq!(token, Secret::new("one"), "{second}");
            }
            assert!((5..=150).contains(&renewals), "{renewals}");
            let end = start + Duration::from_secs(3_600);
            assert!(matches!(state.current(end), Ok(None) | Err(_)));
            assert!(state.fail(error, end).is_err());
        }
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
        assert!(state.replace(&Secret::new("another"), start));
        assert!(state.current(start).unwrap().is_some());
        assert!(state.replace(&Secret::new("one"), start));
        assert!(state.current(start).unwrap().is_none());
    }

    // D9
    #[test]
    fn tokens_that_are_refused_at_every_sweep_are_replaced_at_a_pace() {
        let start = Instant::now();
        let mut state = TokenState::default();
        let mut replaced = Vec::new();
        state.store(Secret::new("0"), Duration::from_secs(3_600), start);
        for second in 0..=300 {
            let now = start + Duration::from_secs(second);
            let token = state.current(now).unwrap().unwrap();
            if state.replace(&token, now) {
                replaced.push(second);
                let next = Secret::new(second.to_string());
                state.store(next, Duration::from_secs(3_600), now);
            }
        }
        assert_eq!(replaced, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
        // After a rest the first refusal is answered with a new token at once again.
        let later = start + Duration::from_secs(500);
        let token = state.current(later).unwrap().unwrap();
        assert!(state.replace(&token, later));
        state.store(Secret::new("next"), Duration::from_secs(3_600), later);
        assert!(!state.replace(&Secret::new("next"), later));
    }

    // D9: also where a token works for a moment only, as it does where a driven clock ends it.
    #[test]
    fn a_token_that_was_accepted_is_replaced_at_once_but_not_for_ever() {
        let start = Instant::now();
        let mut state = TokenState::default();
        let mut replaced = 0;
        state.store(Secret::new("0"), Duration::from_secs(3_600), start);
        for second in 0..600 {
            let now = start + Duration::from_secs(second);
            let token = state.current(now).unwrap().unwrap();
            state.accept(&Secret::new("another"));
            state.accept(&token);
            if state.replace(&token, now) {
                replaced += 1;
                let next = Secret::new((second + 1).to_string());
                state.store(next, Duration::from_secs(3_600), now);
            }
            let at_once = second < u64::from(ACCEPTED_MAX);
            assert!(!at_once || replaced == second + 1, "{second}");
        }
        assert!((30..50).contains(&replaced), "{replaced}");
    }

    #[test]
    fn a_refused_sign_in_is_not_repeated_at_once() {
        let start = Instant::now();
        let mut state = TokenState::default();
        state.fail(error(), start).unwrap_err();
        assert!(state.current(start + Duration::from_millis(900)).is_err());
        assert!(
            state
                .current(start + Duration::from_millis(1_100))
                .unwrap()
                .is_none()
        );
        for _ in 0..20 {
            state.fail(error(), start).unwrap_err();
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
