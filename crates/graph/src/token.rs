//! Access token of the application: cached until shortly before it expires, and requested again with backoff.

use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Duration, Instant};

use crate::{Blame, GraphError, backoff};

/// Time before the expiry at which a token is replaced, so that no request carries a token that expires on the way.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// Maximum wait before the next request to a sign-in service that failed.
const SERVICE_WAIT_MAX: Duration = Duration::from_secs(3);

/// Access token with its times.
#[derive(Debug)]
struct CachedToken {
    token: SecretString,
    renew_at: Instant,
    ends_at: Instant,
    /// True if Graph has answered a request with this token.
    is_accepted: bool,
}

/// State of the application's token. Pure; the time is an argument.
#[derive(Debug, Default)]
pub(crate) struct TokenState {
    token: Option<CachedToken>,
    failures: u32,
    refused: Option<(GraphError, Instant)>,
    replacements: Replacements,
    replaced_at: Option<Instant>,
}

impl TokenState {
    /// Returns the token if it may be used, `Ok(None)` if a new one may be requested, and the last error while the backoff
    /// lasts.
    pub(crate) fn current(&self, now: Instant) -> Result<Option<SecretString>, GraphError> {
        let resting = self.refused.as_ref().filter(|(_, until)| now < *until);
        match (&self.token, resting) {
            (Some(cached), _) if now < cached.renew_at => Ok(Some(cached.token.clone())),
            // Renewal failed and waits for its retry; the old token is still valid.
            (Some(cached), Some(_)) if now < cached.ends_at => Ok(Some(cached.token.clone())),
            // Entra locks applications that repeat a refused sign-in at once.
            (_, Some((error, _))) => Err(error.clone()),
            (_, None) => Ok(None),
        }
    }

    pub(crate) fn store(&mut self, token: SecretString, lifetime: Duration, now: Instant) {
        let usable = lifetime.saturating_sub(RENEW_BEFORE).max(lifetime / 2);
        self.token = Some(CachedToken {
            token,
            renew_at: now + usable,
            ends_at: now + lifetime,
            is_accepted: false,
        });
        self.failures = 0;
        self.refused = None;
    }

    /// Records a failed sign-in. Returns the old token if it is still valid.
    pub(crate) fn fail(
        &mut self,
        error: GraphError,
        now: Instant,
    ) -> Result<SecretString, GraphError> {
        self.failures = self.failures.saturating_add(1);
        let own = backoff(self.failures, 0);
        let wait = match error.blame() {
            // A service that failed locks no application, and no request works until it is back: retry soon.
            Blame::Service => error.retry_after().unwrap_or(own.min(SERVICE_WAIT_MAX)),
            Blame::Administrator | Blame::Request => own,
        };
        let old = self.token.as_ref().filter(|cached| now < cached.ends_at);
        let good = old
            .map(|cached| cached.token.clone())
            .ok_or_else(|| error.clone());
        self.refused = Some((error, now + wait));
        good
    }

    /// Records that Graph answered a request with this token.
    pub(crate) fn accept(&mut self, accepted: &SecretString) {
        if let Some(cached) = &mut self.token {
            cached.is_accepted |= cached.token.expose_secret() == accepted.expose_secret();
        }
    }

    /// Records that Graph refused a token with 401. Returns true if the caller can get another token; the refused one is
    /// forgotten then. Otherwise the token stays in use, because Graph may accept it again.
    pub(crate) fn replace(&mut self, refused: &SecretString, now: Instant) -> bool {
        let current = self.token.as_ref();
        let Some(cached) =
            current.filter(|cached| cached.token.expose_secret() == refused.expose_secret())
        else {
            return true;
        };
        let since_last = self.replaced_at.map(|at| now.saturating_duration_since(at));
        let is_allowed = match cached.is_accepted {
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

/// Pace at which tokens that Graph refuses with 401 are replaced: the first at once, then after 1, 2, 4 … 60 seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replacements {
    /// Number of replacements in a row.
    count: u32,
    /// Number of replacements in a row of tokens that Graph had accepted.
    of_accepted: u32,
}

/// Time without a replacement after which the next one is at once again. Longer than the longest pause.
const RESET_AFTER: Duration = Duration::from_secs(120);

/// Number of accepted tokens in a row that may be replaced at once. Such a token ended early, because it was revoked or
/// because Graph's clock differs from this computer's.
const ACCEPTED_MAX: u32 = 30;

impl Replacements {
    /// Like [`Self::allow`], for a token that Graph had accepted.
    pub(crate) fn allow_accepted(&mut self, since_last: Option<Duration>) -> bool {
        if since_last.is_none_or(|since_last| since_last >= RESET_AFTER) {
            self.of_accepted = 0;
        }
        if self.of_accepted >= ACCEPTED_MAX {
            return self.allow(since_last);
        }
        self.of_accepted = self.of_accepted.saturating_add(1);
        self.count = 1;
        true
    }

    /// True if a token may be replaced now, this time after the last replacement. Counts the replacement.
    pub(crate) fn allow(&mut self, since_last: Option<Duration>) -> bool {
        match since_last {
            Some(since_last) if since_last < backoff(self.count, 0) => return false,
            Some(since_last) if since_last < RESET_AFTER => {
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

    #[test]
    fn a_token_that_is_still_good_is_used_while_its_renewal_rests() {
        for error in [down(None), error()] {
            let start = Instant::now();
            let mut state = TokenState::default();
            state.store(SecretString::from("one"), Duration::from_secs(3_600), start);
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
                assert_eq!(token.expose_secret(), "one", "{second}");
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
        state.store(SecretString::from("one"), Duration::from_secs(3_599), start);
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
        assert!(state.replace(&SecretString::from("another"), start));
        assert!(state.current(start).unwrap().is_some());
        assert!(state.replace(&SecretString::from("one"), start));
        assert!(state.current(start).unwrap().is_none());
    }

    #[test]
    fn tokens_that_are_refused_at_every_sweep_are_replaced_at_a_pace() {
        let start = Instant::now();
        let mut state = TokenState::default();
        let mut replaced = Vec::new();
        state.store(SecretString::from("0"), Duration::from_secs(3_600), start);
        for second in 0..=300 {
            let now = start + Duration::from_secs(second);
            let token = state.current(now).unwrap().unwrap();
            if state.replace(&token, now) {
                replaced.push(second);
                let next = SecretString::from(second.to_string());
                state.store(next, Duration::from_secs(3_600), now);
            }
        }
        assert_eq!(replaced, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
        // After a pause without refusals, the first refused token is replaced at once again.
        let later = start + Duration::from_secs(500);
        let token = state.current(later).unwrap().unwrap();
        assert!(state.replace(&token, later));
        state.store(
            SecretString::from("next"),
            Duration::from_secs(3_600),
            later,
        );
        assert!(!state.replace(&SecretString::from("next"), later));
    }

    // Also if every token works for a moment only, as with a clock of the tests that ends it.
    #[test]
    fn an_accepted_token_is_replaced_at_once_a_limited_number_of_times() {
        let start = Instant::now();
        let mut state = TokenState::default();
        let mut replaced = 0;
        state.store(SecretString::from("0"), Duration::from_secs(3_600), start);
        for second in 0..600 {
            let now = start + Duration::from_secs(second);
            let token = state.current(now).unwrap().unwrap();
            state.accept(&SecretString::from("another"));
            state.accept(&token);
            if state.replace(&token, now) {
                replaced += 1;
                let next = SecretString::from((second + 1).to_string());
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
