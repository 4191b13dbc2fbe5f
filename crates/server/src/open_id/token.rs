//! ID tokens: signed by the provider, meant for us, for this sign-in, and not too old (OpenID Connect Core 1.0, 3.1.3.7).

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use presence::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

/// How far the provider's clock and ours may differ.
const SKEW_SECONDS: i64 = 300;
/// A longer token is none.
const TOKEN_MAX: usize = 32 * 1024;
/// Signatures with the provider's private key; those with a shared secret prove less.
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What a token says.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(flatten)]
    pub(super) others: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// For whom a token must be.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
}

/// Why a token is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Signed with a key that is not known (yet).
    UnknownKey,
    /// What is wrong.
    Wrong(&'static str),
}

/// The claims of a token that holds.
pub(super) fn verify(
    token: &str,
    keys: &JwkSet,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Claims, Refusal> {
    let wrong = |what| Refusal::Wrong(what);
    if token.len() > TOKEN_MAX {
        return Err(wrong("it is too long"));
    }
    let header = decode_header(token).map_err(|_| wrong("it is no token"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(wrong("its algorithm is not accepted"));
    }
    let key = match &header.kid {
        Some(kid) => keys.find(kid),
        // Allowed where there is but one.
        None => keys.keys.first().filter(|_| keys.keys.len() == 1),
    };
    let key = key.ok_or(Refusal::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| wrong("its key cannot be used"))?;
    // The library would read the machine's clock; the rest is checked here as well, all in one place.
    let mut signature_only = Validation::new(header.alg);
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_nbf = false;
    signature_only.validate_aud = false;
    let claims: Claims = decode(token, &key, &signature_only)
        .map_err(|_| wrong("its signature is not the provider's"))?
        .claims;
    if claims.iss != expected.issuer {
        return Err(wrong("it is another issuer's"));
    }
    let for_us = match &claims.aud {
        Audience::One(one) => one == expected.client_id,
        Audience::Several(several) => {
            let authorized = claims.azp.as_deref() == Some(expected.client_id);
            several.iter().any(|one| one == expected.client_id)
                && (several.len() == 1 || authorized)
        }
    };
    if !for_us
        || claims
            .azp
            .as_ref()
            .is_some_and(|party| party != expected.client_id)
    {
        return Err(wrong("it is for another application"));
    }
    let nonce = claims.nonce.as_deref().unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(wrong("it belongs to another sign-in"));
    }
    let seconds = now.milliseconds().div_euclid(1_000);
    if seconds >= claims.exp.saturating_add(SKEW_SECONDS) {
        return Err(wrong("it is too old; check the clocks of both machines"));
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    /// Made for these tests, and good for nothing else.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMZ12g9WDITyp7r3B\n\
        SYb7MTvtsDGyeNhM5rNjujwugvahRANCAARoRsgbAjvmHUU7Tt9JdM1fUj43c/aS\n\
        Okt9/I0KoV8jRfsCOJiVRXDKWdY/bXfNBttCiztWot67G2IvcVKkBGAK\n\
        -----END PRIVATE KEY-----\n";
    const NOW: Timestamp = Timestamp::from_milliseconds(1_000_000_000_000);

    fn keys() -> JwkSet {
        serde_json::from_value(json!({"keys": [{
            "kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256",
            "x": "aEbIGwI75h1FO07fSXTNX1I-N3P2kjpLffyNCqFfI0U",
            "y": "-wI4mJVFcMpZ1j9td80G20KLO1ai3rsbYi9xUqQEYAo",
        }]}))
        .unwrap()
    }

    fn signed(algorithm: Algorithm, kid: &str, claims: &Value) -> String {
        let mut header = Header::new(algorithm);
        header.kid = Some(kid.into());
        let key = match algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_pem(KEY.as_bytes()).unwrap(),
            _ => EncodingKey::from_secret(b"shared"),
        };
        encode(&header, claims, &key).unwrap()
    }

    fn claims() -> Value {
        json!({
            "iss": "https://login.example", "aud": "offhook", "sub": "7", "nonce": "n",
            "exp": 1_000_000_100, "email": "anna@contoso.example",
        })
    }

    fn verified(token: &str) -> Result<Claims, Refusal> {
        let expected = Expected {
            issuer: "https://login.example",
            client_id: "offhook",
            nonce: "n",
        };
        verify(token, &keys(), &expected, NOW)
    }

    fn with(key: &str, value: Value) -> Result<Claims, Refusal> {
        let mut claims = claims();
        claims[key] = value;
        verified(&signed(Algorithm::ES256, "k1", &claims))
    }

    #[test]
    fn a_token_for_this_sign_in_is_believed() {
        let held = verified(&signed(Algorithm::ES256, "k1", &claims())).unwrap();
        assert_eq!(held.others["email"], "anna@contoso.example");
        assert!(with("aud", json!(["offhook"])).is_ok());
        let several = with("aud", json!(["offhook", "other"]));
        assert!(several.is_err(), "several, and not said for whom");
    }

    #[test]
    fn a_token_of_or_for_somebody_else_is_not() {
        for (key, value) in [
            ("iss", json!("https://login.example.evil")),
            ("aud", json!("other")),
            ("aud", json!(["other"])),
            ("azp", json!("other")),
            ("nonce", json!("another")),
            ("nonce", Value::Null),
            ("exp", json!(999_999_000)),
        ] {
            assert!(with(key, value.clone()).is_err(), "{key} {value}");
        }
        assert!(
            with("exp", json!(999_999_900)).is_ok(),
            "clocks may differ a little"
        );
    }

    #[test]
    fn only_the_providers_own_signature_counts() {
        let unknown = verified(&signed(Algorithm::ES256, "k2", &claims()));
        assert_eq!(unknown.unwrap_err(), Refusal::UnknownKey);
        assert!(verified(&signed(Algorithm::HS256, "k1", &claims())).is_err());
        let mut token = signed(Algorithm::ES256, "k1", &claims());
        token.replace_range(token.len() - 4.., "AAAA");
        assert!(verified(&token).is_err());
        let unsigned = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUifQ.";
        assert!(verified(unsigned).is_err());
        assert!(verified(&"x".repeat(TOKEN_MAX + 1)).is_err());
    }
}
