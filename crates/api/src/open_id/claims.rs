//! The identity in claims of an ID token or of UserInfo, and their dates.

use std::time::Duration;

use presence::Timestamp;
use serde_json::{Map, Value};

use super::{OpenIdError, provider::CLAIM, shown};

/// How far the provider's clock and ours may differ.
const SKEW_SECONDS: f64 = 300.0;

/// The longest identity in bytes: no mail address is longer (RFC 5321, 4.5.3.1: 64, `@` and 255).
const IDENTITY_MAX: usize = 320;

/// The identity that claims name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// By the claim; a mail address is one that the provider has checked.
    Named(String),
    /// The mail address is there, and nothing of whether it was checked.
    Unchecked(String),
    /// The claim is missing or empty.
    Missing,
}

/// The identity that claims name. A mail address and its `email_verified` count together: one of an ID token does not cover
/// an address of UserInfo.
pub(super) fn identity(claim: &str, claims: &Map<String, Value>) -> Result<Identity, OpenIdError> {
    let value = claims.get(claim).unwrap_or(&Value::Null);
    let named = match value {
        Value::Null => return Ok(Identity::Missing),
        Value::String(name) => Some(name.as_str()),
        // Azure AD B2C writes addresses as an array (`emails`).
        Value::Array(names) => match names.as_slice() {
            [] => return Ok(Identity::Missing),
            [Value::String(name)] => Some(name.as_str()),
            [_] | [_, _, ..] => None,
        },
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    let Some(named) = named else {
        return Err(OpenIdError::Claim(format!(
            "the provider's claim {claim:?} is {}; expected one text: an administrator changes it there, or names another claim in open_id_connect.claim",
            shown::value(value)
        )));
    };
    if named.is_empty() {
        return Ok(Identity::Missing);
    }
    if named.len() > IDENTITY_MAX {
        return Err(OpenIdError::Claim(format!(
            "the provider's claim {claim:?} is {}, which is longer than {IDENTITY_MAX} bytes; an administrator corrects it there, or names another claim in open_id_connect.claim",
            shown::text(named)
        )));
    }
    if claim != CLAIM {
        return Ok(Identity::Named(named.to_owned()));
    }
    let checked = claims.get("email_verified").unwrap_or(&Value::Null);
    match checked {
        Value::Null => Ok(Identity::Unchecked(named.to_owned())),
        Value::Bool(true) => Ok(Identity::Named(named.to_owned())),
        // Cognito and Apple write a text.
        Value::String(text) if text.eq_ignore_ascii_case("true") => {
            Ok(Identity::Named(named.to_owned()))
        }
        Value::Bool(false) | Value::Number(_) | Value::String(_) => Err(unchecked(named, checked)),
        Value::Array(_) | Value::Object(_) => Err(unchecked(named, checked)),
    }
}

/// People who may write any address into their account at the provider would become other people here.
pub(super) fn unchecked(address: &str, verified: &Value) -> OpenIdError {
    let verified = match verified {
        Value::Null => "missing".into(),
        other => shown::value(other),
    };
    OpenIdError::Claim(format!(
        "the provider has not checked that {} is your address (email_verified is {verified}, expected true); an administrator has it checked there, or names another claim in open_id_connect.claim (with Entra \"oid\")",
        shown::text(address)
    ))
}

/// Neither the ID token nor UserInfo has the claim.
pub(super) fn missing(claim: &str, at_user_info: &str) -> OpenIdError {
    OpenIdError::Claim(format!(
        "the provider does not say {claim:?} of you, neither in its id_token nor {at_user_info}; an administrator adds that claim there (a scope of open_id_connect.scopes must grant it), or names another in open_id_connect.claim"
    ))
}

/// Seconds since 1970 (`NumericDate`, RFC 7519, 2): numbers, with a fraction too, and as some providers write them, texts.
fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, String> {
    let value = claims.get(name).unwrap_or(&Value::Null);
    let seconds = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let seconds = seconds.filter(|seconds: &f64| seconds.is_finite());
    let seconds = seconds.ok_or_else(|| {
        let value = shown::value(value);
        format!("its {name} is {value}; expected seconds since 1970")
    })?;
    Ok(Some(seconds))
}

/// Whether claims hold now: `exp`, `nbf` and `iat`, where they are there.
pub(super) fn check_dates(claims: &Map<String, Value>, now: Timestamp) -> Result<(), String> {
    let now = Duration::from_millis(u64::try_from(now.milliseconds()).unwrap_or(0)).as_secs_f64();
    let clocks = "set the clocks of both machines (NTP)";
    if let Some(end) = date(claims, "exp")?
        && now >= end + SKEW_SECONDS
    {
        let late = now - end;
        return Err(format!("it is too old: exp was {late:.0} s ago; {clocks}"));
    }
    for name in ["nbf", "iat"] {
        if let Some(begin) = date(claims, name)?
            && begin > now + SKEW_SECONDS
        {
            let early = begin - now;
            return Err(format!(
                "it does not hold yet: {name} is in {early:.0} s; {clocks}"
            ));
        }
    }
    Ok(())
}
