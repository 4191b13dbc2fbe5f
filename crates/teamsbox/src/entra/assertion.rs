//! Client assertions: an application authenticates with a signature, PS256 or RS256.

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::TokenError;
use crate::{
    certificate::Certificate,
    duration::{MINUTE, Milliseconds, SECOND},
    registrations::Registration,
};

/// Tolerated difference between clocks.
const SKEW: Milliseconds = 5 * MINUTE;

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    exp: i64,
    nbf: Option<i64>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

/// The client id that an unverified assertion claims.
pub(super) fn client_id(assertion: &str) -> Option<String> {
    let claims: Claims = part(assertion, 1)?;
    Some(claims.sub)
}

/// Checks an assertion against the certificates of an application. `tenants` are the accepted names of the tenant.
pub(super) fn check(
    assertion: &str,
    app: &Registration,
    tenants: &[&str],
    now: Milliseconds,
) -> Result<(), TokenError> {
    let refused =
        |code, text: &str| TokenError::new(StatusCode::UNAUTHORIZED, "invalid_client", code, text);
    let unreadable = || {
        refused(
            50_027,
            "Invalid JWT token: the client assertion cannot be read.",
        )
    };
    let header: Header = part(assertion, 0).ok_or_else(unreadable)?;
    let algorithm = match header.alg.as_str() {
        "PS256" => Algorithm::PS256,
        "RS256" => Algorithm::RS256,
        _ => {
            return Err(refused(
                5_002_738,
                "The client assertion must be signed with PS256 or RS256.",
            ));
        }
    };
    let named = |certificate: &&Certificate| {
        header
            .x5t_s256
            .as_ref()
            .is_some_and(|text| *text == certificate.x5t_s256())
            || header
                .x5t
                .as_ref()
                .is_some_and(|text| *text == certificate.x5t())
    };
    let certificate = app.certificates.iter().find(named).ok_or_else(|| {
        let text = "The certificate with the identifier used to sign the client assertion is not registered on the application.";
        refused(700_027, text)
    })?;
    let key = DecodingKey::from_rsa_pem(certificate.public_key_pem().as_bytes())
        .map_err(|_| unreadable())?;
    let mut validation = Validation::new(algorithm);
    // Time and audience are checked below, with the tenant's clock and all names of the tenant.
    validation.validate_exp = false;
    validation.validate_aud = false;
    let decoded = jsonwebtoken::decode::<Claims>(assertion, &key, &validation);
    let claims = decoded
        .map_err(|_| refused(700_027, "The client assertion failed signature validation."))?
        .claims;
    if claims.iss != claims.sub || !claims.sub.eq_ignore_ascii_case(&app.client_id) {
        let text = "The client assertion's issuer and subject must be the client id.";
        return Err(refused(700_021, text));
    }
    if claims.exp.saturating_mul(SECOND) <= now - SKEW
        || claims
            .nbf
            .is_some_and(|nbf| nbf.saturating_mul(SECOND) > now + SKEW)
    {
        let text = "The client assertion is not within its valid time range.";
        return Err(refused(700_024, text));
    }
    if !is_audience(&claims.aud, tenants) {
        let text = "The audience of the client assertion must be the token endpoint of the tenant.";
        return Err(refused(700_023, text));
    }
    Ok(())
}

/// Returns true if `aud` is the token endpoint or the issuer of the tenant, on any host: clients use different ones.
fn is_audience(aud: &str, tenants: &[&str]) -> bool {
    let Some((_, rest)) = aud.split_once("://") else {
        return false;
    };
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let Some((segment, rest)) = path.trim_end_matches('/').split_once('/') else {
        return false;
    };
    ["oauth2/v2.0/token", "oauth2/token", "v2.0"].contains(&rest)
        && tenants
            .iter()
            .any(|tenant| tenant.eq_ignore_ascii_case(segment))
}

/// Parses a part of a compact token without verification.
fn part<T: for<'de> Deserialize<'de>>(token: &str, index: usize) -> Option<T> {
    if token.len() > 16 * 1_024 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(index)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_audience_is_the_token_endpoint_on_any_host() {
        let tenants = ["contoso.example"];
        for aud in [
            "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token",
            "http://127.0.0.1:8300/CONTOSO.example/oauth2/v2.0/token",
            "https://login.microsoftonline.us/contoso.example/v2.0",
        ] {
            assert!(is_audience(aud, &tenants), "{aud}");
        }
        for aud in [
            "",
            "contoso.example",
            "https://login.microsoftonline.com/other.example/oauth2/v2.0/token",
            "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/authorize",
        ] {
            assert!(!is_audience(aud, &tenants), "{aud}");
        }
    }

    proptest! {
        #[test]
        fn nonsense_never_panics(text in ".{0,80}", parts in "[A-Za-z0-9_.-]{0,120}") {
            prop_assert_eq!(client_id(&text), None);
            prop_assert_eq!(client_id(&parts), None);
            let _ = is_audience(&text, &["x"]);
        }
    }
}
