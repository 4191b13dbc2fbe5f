//! Sign-in by device code (RFC 8628): the person types a short code in any browser, and Offhook polls for the token.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::UserToken;
use crate::{
    Blame, GraphError, SignInFault, backoff,
    sign_in::{Refusal, seconds},
};

/// Default interval between polls in seconds (RFC 8628, 3.2), and its increase in milliseconds after `slow_down` (3.5).
const INTERVAL_DEFAULT: f64 = 5.0;
const SLOW_DOWN_STEP: i64 = 5_000;
/// Maximum interval between polls in seconds.
const INTERVAL_MAX: f64 = 300.0;
const LIFETIME_DEFAULT: f64 = 900.0;
const LIFETIME_MAX: f64 = 86_400.0;

/// Entra's answer to the start of a sign-in. `Debug` does not show the device code.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// Code for the polls.
    pub device_code: SecretString,
    /// Code that the person types.
    pub user_code: String,
    /// Page on which the person types the code.
    pub verification_uri: String,
    /// Entra's own instruction for the person, in a language of Entra's choice.
    pub message: String,
    /// Validity of the code.
    pub lifetime: Duration,
    /// Interval between polls.
    pub interval: Duration,
}

#[derive(Deserialize)]
pub(crate) struct DeviceCodeWire {
    device_code: String,
    user_code: String,
    verification_uri: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    interval: Value,
}

impl From<DeviceCodeWire> for DeviceCode {
    fn from(wire: DeviceCodeWire) -> Self {
        let interval = seconds(&wire.interval).unwrap_or(INTERVAL_DEFAULT);
        let lifetime = seconds(&wire.expires_in).unwrap_or(LIFETIME_DEFAULT);
        Self {
            device_code: SecretString::from(wire.device_code),
            user_code: wire.user_code,
            verification_uri: wire.verification_uri,
            message: wire.message,
            lifetime: Duration::from_secs_f64(lifetime.min(LIFETIME_MAX)),
            interval: Duration::from_secs_f64(interval.clamp(1.0, INTERVAL_MAX)),
        }
    }
}

/// Answer to a poll.
#[derive(Clone, Debug)]
pub enum PollAnswer {
    /// The person signed in.
    Token(Box<UserToken>),
    /// The person has not signed in yet.
    Pending,
    /// The person has not signed in yet, and the polls are too frequent.
    SlowDown,
    /// The sign-in was refused for good.
    Refused(GraphError),
    /// No answer, or a temporary failure of the service.
    Failed(GraphError),
}

/// State of a sign-in.
#[derive(Clone, Debug)]
pub enum DeviceState {
    /// Poll at this time, in milliseconds since 1970.
    PollAt(i64),
    /// The person signed in.
    Done(Box<UserToken>),
    /// The sign-in failed for good; the error has the remedy.
    Failed(GraphError),
}

/// One sign-in by device code. Does no IO; times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct DeviceFlow {
    interval: i64,
    ends_at: i64,
    failures: u32,
}

impl DeviceFlow {
    /// Starts a sign-in; the first poll is after one interval.
    pub fn new(now: i64, code: &DeviceCode) -> (Self, DeviceState) {
        let flow = Self {
            interval: milliseconds(code.interval),
            ends_at: now.saturating_add(milliseconds(code.lifetime)),
            failures: 0,
        };
        let state = flow.poll_after(now, flow.interval);
        (flow, state)
    }

    /// Records the answer to a poll.
    pub fn on_answer(&mut self, now: i64, answer: PollAnswer) -> DeviceState {
        match answer {
            PollAnswer::Token(token) => DeviceState::Done(token),
            PollAnswer::Refused(error) => DeviceState::Failed(error),
            PollAnswer::Pending => {
                self.failures = 0;
                self.poll_after(now, self.interval)
            }
            PollAnswer::SlowDown => {
                self.interval = self.interval.saturating_add(SLOW_DOWN_STEP);
                self.poll_after(now, self.interval)
            }
            PollAnswer::Failed(error) => {
                self.failures = self.failures.saturating_add(1);
                let wait = error
                    .retry_after()
                    .unwrap_or_else(|| backoff(self.failures, 0));
                self.poll_after(now, milliseconds(wait).max(self.interval))
            }
        }
    }

    fn poll_after(&self, now: i64, wait: i64) -> DeviceState {
        let at = now.saturating_add(wait);
        if at <= self.ends_at {
            return DeviceState::PollAt(at);
        }
        DeviceState::Failed(expired())
    }
}

fn expired() -> GraphError {
    GraphError::UserSignIn {
        error: "expired_token".into(),
        description: "the code was not entered in time".into(),
        remedy: "start the sign-in again",
        fault: SignInFault::Person,
        retry_after: None,
    }
}

/// Numbers of AuthorizationPending and CodeExpired
/// (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>).
const PENDING: u32 = 70_016;
const CODE_EXPIRED: u32 = 70_019;

/// Converts a refusal of the token endpoint to the answer to a poll.
pub(crate) fn poll_refusal(refusal: Refusal) -> PollAnswer {
    match refusal.error.as_str() {
        "authorization_pending" => PollAnswer::Pending,
        "slow_down" => PollAnswer::SlowDown,
        "expired_token" | "code_expired" => PollAnswer::Refused(expired()),
        "authorization_declined" | "access_denied" => PollAnswer::Refused(GraphError::UserSignIn {
            error: refusal.error,
            description: "the person declined".into(),
            remedy: "start the sign-in again and accept the requested permissions",
            fault: SignInFault::Person,
            retry_after: None,
        }),
        _ if refusal.has(PENDING) => PollAnswer::Pending,
        _ if refusal.has(CODE_EXPIRED) => PollAnswer::Refused(expired()),
        _ => {
            let error = refusal.of_person();
            match error.blame() {
                Blame::Service => PollAnswer::Failed(error),
                Blame::Administrator | Blame::Request => PollAnswer::Refused(error),
            }
        }
    }
}

fn milliseconds(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> DeviceCode {
        DeviceCodeWire {
            device_code: "canary".into(),
            user_code: "ABC".into(),
            verification_uri: "https://microsoft.com/devicelogin".into(),
            message: String::new(),
            expires_in: Value::Null,
            interval: Value::Null,
        }
        .into()
    }

    fn at(state: DeviceState) -> i64 {
        match state {
            DeviceState::PollAt(at) => at,
            state => panic!("{state:?}"),
        }
    }

    #[test]
    fn row_97_the_waits_are_5_then_10_and_10_seconds() {
        let (mut flow, state) = DeviceFlow::new(0, &code());
        assert_eq!(at(state), 5_000);
        // Pending keeps the interval, slow_down lengthens it for good.
        assert_eq!(at(flow.on_answer(5_000, PollAnswer::SlowDown)), 15_000);
        assert_eq!(at(flow.on_answer(15_000, PollAnswer::Pending)), 25_000);
        let token = UserToken {
            access: SecretString::from("canary"),
            refresh: None,
            expires: 0,
            scope: String::new(),
            user: None,
        };
        let done = flow.on_answer(25_000, PollAnswer::Token(Box::new(token)));
        assert!(matches!(done, DeviceState::Done(_)));
        assert!(!format!("{done:?} {:?}", code()).contains("canary"));
    }

    #[test]
    fn pending_ends_with_the_code_and_failures_wait_longer() {
        let (mut flow, _) = DeviceFlow::new(0, &code());
        assert_eq!(at(flow.on_answer(890_000, PollAnswer::Pending)), 895_000);
        let throttled = GraphError::Service {
            peer: crate::Peer::SignIn("https://login.example".into()),
            call: "test",
            status: 503,
            retry_after: Some(Duration::from_secs(60)),
        };
        let failed = PollAnswer::Failed(throttled);
        assert_eq!(at(flow.on_answer(10_000, failed)), 70_000);
        let DeviceState::Failed(error) = flow.on_answer(896_000, PollAnswer::Pending) else {
            panic!();
        };
        assert!(
            error.to_string().contains("start the sign-in again"),
            "{error}"
        );
    }

    #[test]
    fn refusals_are_distinguished() {
        let refusal = |code: &str| poll_refusal(Refusal::new(code, "", [], None));
        assert!(matches!(
            refusal("authorization_pending"),
            PollAnswer::Pending
        ));
        assert!(matches!(refusal("slow_down"), PollAnswer::SlowDown));
        for (code, words) in [
            ("expired_token", "in time"),
            ("authorization_declined", "declined"),
            ("bad_verification_code", "bad_verification_code"),
        ] {
            let PollAnswer::Refused(error) = refusal(code) else {
                panic!("{code}");
            };
            assert!(error.to_string().contains(words), "{error}");
        }
        let by_number = |code| poll_refusal(Refusal::new("", "", [code], None));
        assert!(matches!(by_number(PENDING), PollAnswer::Pending));
        assert!(matches!(by_number(CODE_EXPIRED), PollAnswer::Refused(_)));
        assert!(matches!(by_number(90_033), PollAnswer::Failed(_)));
    }
}
