//! Parses answers of the token endpoint from status and body. Pure; the time is an argument.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::Refusal;
use crate::{Interference, wire::without_mark};

/// Lifetime in seconds if Entra names none or an impossible one: the shortest of Entra's defaults.
const LIFETIME_DEFAULT: f64 = 3_600.0;
/// Minimum lifetime in seconds: a tenant can configure ten minutes
/// (<https://learn.microsoft.com/entra/identity-platform/configurable-token-lifetimes>).
const LIFETIME_MIN: f64 = 600.0;
/// Maximum lifetime in seconds: tokens live up to 28 hours with continuous access evaluation
/// (<https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation>).
const LIFETIME_MAX: f64 = 28.0 * 3_600.0;

/// Answer of the token endpoint.
pub(crate) enum Answer {
    /// A token.
    Token(Token),
    /// A refusal with an error code of OAuth.
    Refused(Refusal),
    /// The service failed without an error code.
    Failed,
    /// A program between Offhook and Entra answered.
    Intercepted(Interference),
    /// Neither a token nor a refusal, with the kind of the body.
    Unconfirmed(&'static str),
}

/// Tokens.
pub(crate) struct Token {
    pub(crate) access_token: SecretString,
    pub(crate) lifetime: Duration,
    pub(crate) refresh_token: Option<SecretString>,
    pub(crate) id_token: Option<SecretString>,
    pub(crate) scope: Option<String>,
}

/// JSON of the answer; only `access_token` must have the right type.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    access_token: Value,
    expires_in: Value,
    expires_on: Value,
    refresh_token: Value,
    id_token: Value,
    scope: Value,
    error: Value,
    error_description: Value,
    error_codes: Value,
}

/// Parses an answer that arrived at `now` (milliseconds since 1970).
pub(crate) fn read(status: u16, retry_after: Option<Duration>, body: &[u8], now: i64) -> Answer {
    let body = without_mark(body);
    let wire: Option<Wire> = serde_json::from_slice(body).ok();
    let is_success = (200..300).contains(&status);
    // Failures of Entra or of a gateway in front of it are temporary.
    let is_failure = matches!(status, 408 | 429 | 500..=510 | 512..);
    // Entra and OAuth do not use these statuses.
    let is_of_intermediary = matches!(status, 300..=399 | 407 | 511);
    if let Some(wire) = wire {
        if is_success && let Some(access_token) = text(&wire.access_token) {
            // RFC 6749, A.12, allows a space in a token, which RFC 6750, 2.1, does not.
            if !access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Answer::Unconfirmed("a token with invalid characters");
            }
            return Answer::Token(Token {
                access_token: access_token.into(),
                lifetime: lifetime(&wire, now),
                refresh_token: text(&wire.refresh_token).map(SecretString::from),
                id_token: text(&wire.id_token).map(SecretString::from),
                scope: text(&wire.scope),
            });
        }
        if let Some(refusal) = refusal(&wire, retry_after)
            && (refusal.known_code().is_some() || !(is_failure || is_of_intermediary))
        {
            return Answer::Refused(refusal);
        }
    }
    if is_failure {
        return Answer::Failed;
    }
    if is_of_intermediary {
        return Answer::Intercepted(Interference::of(status));
    }
    if body.trim_ascii().is_empty() {
        return Answer::Unconfirmed("an empty body");
    }
    match serde_json::from_slice(body) {
        Ok(Value::String(_)) | Err(_) => Answer::Intercepted(Interference::Page),
        Ok(_) => Answer::Unconfirmed("JSON that is no answer of a sign-in service"),
    }
}

fn refusal(wire: &Wire, retry_after: Option<Duration>) -> Option<Refusal> {
    let listed = match &wire.error_codes {
        Value::Array(codes) => codes.as_slice(),
        Value::Null => &[],
        one => std::slice::from_ref(one),
    };
    let listed = listed.iter().filter_map(code);
    let error = text(&wire.error);
    let refusal = Refusal::new(
        error.as_deref().unwrap_or_default(),
        text(&wire.error_description).as_deref().unwrap_or_default(),
        listed,
        retry_after,
    );
    (error.is_some() || !refusal.codes.is_empty()).then_some(refusal)
}

/// Error number of Entra, as a number or a string.
fn code(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.trim().trim_start_matches("AADSTS").parse().ok(),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// Duration in seconds from a number or a string, whole or fractional; `None` for other values.
pub(crate) fn seconds(value: &Value) -> Option<f64> {
    let seconds: f64 = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (seconds.is_finite() && seconds > 0.0).then_some(seconds)
}

/// Lifetime of the token: `expires_in`, else `expires_on` (a time, in version 1 of the endpoint), else the default.
/// `ext_expires_in` is ignored: it counts during outages of Entra only.
fn lifetime(wire: &Wire, now: i64) -> Duration {
    let until = || {
        let left = seconds(&wire.expires_on)? - now as f64 / 1_000.0;
        // A value out of this range means that Entra's clock or ours is wrong.
        (0.0..=LIFETIME_MAX).contains(&left).then_some(left)
    };
    let seconds = seconds(&wire.expires_in)
        .or_else(until)
        .unwrap_or(LIFETIME_DEFAULT);
    Duration::from_secs_f64(seconds.clamp(LIFETIME_MIN, LIFETIME_MAX).floor())
}
