//! Sign-ins in progress at the provider, in memory, each valid once and for ten minutes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use gateway::external_fetch::words;
use graph::{GraphError, random_secret};
use presence::Timestamp;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::{answer::remedy, shown};

/// Time for the sign-in at the provider.
const ATTEMPT_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Largest number of sign-ins in progress; beyond it the oldest are dropped.
const ATTEMPTS_MAX: usize = 10_000;

/// A sign-in in progress.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// Comes back with the code.
    pub(super) state: SecretString,
    /// Comes back in the token.
    pub(super) nonce: SecretString,
    /// Proves that the same client requested and redeems the code (RFC 7636).
    pub(super) verifier: SecretString,
    /// Path of the page to open afterwards.
    pub(super) to: String,
    until: Timestamp,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<String, Attempt>>);

impl Attempts {
    pub(super) fn begin(&self, to: String, now: Timestamp) -> Result<Attempt, GraphError> {
        let attempt = Attempt {
            state: random_secret()?,
            nonce: random_secret()?,
            verifier: random_secret()?,
            to,
            until: now + ATTEMPT_LIFETIME,
        };
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= ATTEMPTS_MAX {
            attempts.retain(|_, attempt| attempt.until > now);
        }
        if attempts.len() >= ATTEMPTS_MAX {
            let oldest = attempts.iter().min_by_key(|(_, attempt)| attempt.until);
            if let Some(oldest) = oldest.map(|(state, _)| state.clone()) {
                attempts.remove(&oldest);
            }
        }
        attempts.insert(attempt.state.expose_secret().to_owned(), attempt.clone());
        Ok(attempt)
    }

    /// The sign-in to which the browser came back, and the code or what went wrong. `None`: it was not begun in this
    /// browser (`began_here` is its state), is too late, or was finished already.
    pub(super) fn finish(
        &self,
        query: &str,
        began_here: &str,
        now: Timestamp,
    ) -> Option<(Attempt, Result<SecretString, String>)> {
        let mut url = Url::parse("https://offhook.invalid/").ok()?;
        url.set_query(Some(query));
        let value = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let state = value("state")?;
        if !bool::from(state.as_bytes().ct_eq(began_here.as_bytes())) {
            return None;
        }
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = attempts
            .remove(&state)
            .filter(|attempt| attempt.until > now)?;
        let code = match (value("code"), value("error")) {
            (Some(code), None) => Ok(SecretString::from(code)),
            (_, error) => {
                let more = value("error_description").unwrap_or_default();
                let error = error.unwrap_or_else(|| "no code".into());
                Err(format!(
                    "{} {}; {}",
                    shown::plain(&error),
                    words(&more),
                    remedy(&error)
                ))
            }
        };
        Some((attempt, code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_the_address_is_repeated_in_part() {
        let now = Timestamp::from_milliseconds(0);
        let attempts = Attempts::default();
        let attempt = attempts.begin("/".into(), now).unwrap();
        let state = attempt.state.expose_secret();
        let long = "x".repeat(10_000);
        let query = format!("state={state}&error=%1B{long}&error_description={long}");
        let (_, refused) = attempts.finish(&query, state, now).unwrap();
        let refused = refused.unwrap_err();
        assert!(refused.len() < 350, "{}", refused.len());
        assert!(!refused.contains('\u{1b}'));
        assert!(!refused.contains(&"x".repeat(201)));
    }

    #[test]
    fn an_answer_is_taken_once_in_the_browser_where_it_was_begun_and_in_time() {
        let now = Timestamp::from_milliseconds(0);
        let attempts = Attempts::default();
        let begin = || {
            attempts
                .begin("/me".into(), now)
                .unwrap()
                .state
                .expose_secret()
                .to_owned()
        };
        let state = begin();
        let query = format!("code=abc&state={state}");
        assert!(attempts.finish(&query, "another", now).is_none());
        assert!(attempts.finish("code=abc", &state, now).is_none());
        let (attempt, code) = attempts.finish(&query, &state, now).unwrap();
        assert_eq!(
            (attempt.to.as_str(), code.unwrap().expose_secret()),
            ("/me", "abc")
        );
        assert!(attempts.finish(&query, &state, now).is_none(), "twice");
        let state = begin();
        let query = format!("code=abc&state={state}");
        assert!(
            attempts
                .finish(&query, &state, now + ATTEMPT_LIFETIME)
                .is_none(),
            "late"
        );
        let state = begin();
        let query = format!("error=access_denied&error_description=no&state={state}");
        let (_, code) = attempts.finish(&query, &state, now).unwrap();
        let refused = code.unwrap_err();
        assert!(refused.starts_with("access_denied no; allow"), "{refused}");
    }

    #[test]
    fn there_are_never_too_many() {
        let now = Timestamp::from_milliseconds(0);
        let attempts = Attempts::default();
        for _ in 0..ATTEMPTS_MAX + 10 {
            attempts.begin("/".into(), now).unwrap();
        }
        assert_eq!(attempts.0.lock().unwrap().len(), ATTEMPTS_MAX);
    }
}
