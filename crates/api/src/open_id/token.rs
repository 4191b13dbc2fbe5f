//! Tokens meant for us: the ID token (OpenID Connect Core 1.0, 3.1.3.7) and the answer of UserInfo (5.3.2, 5.3.4).

use presence::Timestamp;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::{claims::check_dates, issuer::Issuer, shown, signed::Signed};

/// What a token must name.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) client_id: &'a str,
}

/// The text claim of a name.
fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// Checks that claims are meant for this client: `aud` names it, and where it names others too, `azp` does.
fn check_audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), String> {
    let audience = claims.get("aud").unwrap_or(&Value::Null);
    let is_us = |value: &Value| value.as_str() == Some(client_id);
    let wrong = |name: &str, value: &Value| {
        format!(
            "it is for another application: {name} is {}; compare open_id_connect.client_id ({})",
            shown::value(value),
            shown::text(client_id)
        )
    };
    let only_us = match audience {
        Value::Array(several) => {
            if !several.iter().any(is_us) {
                let first = several.first().unwrap_or(&Value::Null);
                return Err(wrong("aud", first));
            }
            several.iter().all(is_us)
        }
        one => {
            if !is_us(one) {
                return Err(wrong("aud", one));
            }
            true
        }
    };
    match claims.get("azp").filter(|party| !party.is_null()) {
        Some(party) if !is_us(party) => Err(wrong("azp", party)),
        None if !only_us => Err(
            "it is for several applications (aud), and azp does not say for which; have the provider name Offhook's client alone"
                .into(),
        ),
        None | Some(_) => Ok(()),
    }
}

/// Checks a verified ID token; returns its subject.
pub(super) fn check_id_token(
    signed: &Signed,
    expected: Expected<'_>,
    nonce: &str,
    now: Timestamp,
) -> Result<String, String> {
    let claims = &signed.claims;
    expected
        .issuer
        .check(claims, signed.key_issuer.as_deref())?;
    check_audience(claims, expected.client_id)?;
    let given = text(claims, "nonce").unwrap_or_default();
    if !bool::from(given.as_bytes().ct_eq(nonce.as_bytes())) {
        return Err("it belongs to another sign-in (nonce); begin the sign-in anew".into());
    }
    if claims.get("exp").is_none_or(Value::is_null) {
        return Err("its exp is missing; the provider must say how long it holds".into());
    }
    check_dates(claims, now)?;
    let subject = text(claims, "sub").filter(|subject| !subject.is_empty());
    let subject = subject.ok_or_else(|| {
        let value = shown::value(claims.get("sub").unwrap_or(&Value::Null));
        format!("its sub is {value}; expected a text that identifies the account there")
    })?;
    Ok(subject.to_owned())
}

/// Checks a signed answer of UserInfo: issuer and audience where it names them (5.3.2), and its dates.
pub(super) fn check_signed_user_info(
    signed: &Signed,
    expected: Expected<'_>,
    now: Timestamp,
) -> Result<(), String> {
    let claims = &signed.claims;
    if claims.contains_key("iss") {
        expected
            .issuer
            .check(claims, signed.key_issuer.as_deref())?;
    }
    if claims.contains_key("aud") {
        check_audience(claims, expected.client_id)?;
    }
    check_dates(claims, now)
}

/// Checks that UserInfo speaks of the account that signed in: its answer is not bound to the ID token otherwise (5.3.2).
pub(super) fn check_subject(claims: &Map<String, Value>, subject: &str) -> Result<(), String> {
    match text(claims, "sub") == Some(subject) {
        true => Ok(()),
        false => Err(format!(
            "it speaks of another account: sub is {}, in the id_token {}; have the provider's administrator give both the same sub",
            shown::value(claims.get("sub").unwrap_or(&Value::Null)),
            shown::text(subject)
        )),
    }
}
