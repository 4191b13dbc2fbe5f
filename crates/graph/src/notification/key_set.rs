//! Entra's public keys, and the times at which to fetch them.

use std::collections::HashMap;

use jsonwebtoken::DecodingKey;
use serde::Deserialize;

/// Minimum interval in milliseconds between two fetches because of an unknown key, which a forger may name.
const FETCH_INTERVAL_MIN: i64 = 5 * 60_000;
/// Wait in milliseconds after a failed fetch.
const RETRY_INTERVAL: i64 = 30_000;
/// Age in milliseconds at which the keys are fetched again, so that withdrawn keys are dropped.
const REFRESH_AFTER: i64 = 24 * 3_600_000;
/// Maximum number of keys; Entra has about ten.
const KEYS_MAX: usize = 100;

/// Entra's keys at one time.
#[derive(Clone, Default)]
pub struct SigningKeys(HashMap<String, DecodingKey>);

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    kty: String,
    #[serde(default)]
    kid: String,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

impl SigningKeys {
    /// Parses a JWKS document (RFC 7517). Keys that cannot sign validation tokens are left out.
    ///
    /// # Errors
    /// Fault of the document: not JSON, or without an RSA key for signatures.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        let jwks: Jwks = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let keys: HashMap<_, _> = jwks
            .keys
            .into_iter()
            .filter(|key| key.kty == "RSA" && key.usage.as_deref().unwrap_or("sig") == "sig")
            .filter(|key| !key.kid.is_empty())
            .filter_map(|key| {
                let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
                Some((key.kid, decoding))
            })
            .take(KEYS_MAX)
            .collect();
        if keys.is_empty() {
            return Err("no RSA key for signatures in it".into());
        }
        Ok(Self(keys))
    }

    pub(super) fn find(&self, kid: &str) -> Option<&DecodingKey> {
        self.0.get(kid)
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Current keys. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: SigningKeys,
    fetched_at: Option<i64>,
    not_before: Option<i64>,
}

impl KeySet {
    /// True if the keys should be fetched soon: there are none, or they are a day old.
    pub fn is_due(&self, now: i64) -> bool {
        let old = self
            .fetched_at
            .is_none_or(|at| now.saturating_sub(at) >= REFRESH_AFTER);
        old && self.may_fetch(now)
    }

    /// Returns true if the keys may be fetched now because one is missing. The next time is five minutes later.
    pub fn begin_fetch(&mut self, now: i64) -> bool {
        let may = self.may_fetch(now);
        if may {
            self.not_before = Some(now.saturating_add(FETCH_INTERVAL_MIN));
        }
        may
    }

    /// Replaces the keys after a fetch.
    pub fn replace(&mut self, now: i64, keys: SigningKeys) {
        *self = Self {
            keys,
            fetched_at: Some(now),
            not_before: Some(now.saturating_add(FETCH_INTERVAL_MIN)),
        };
    }

    /// Records a failed fetch; the current keys stay.
    pub fn fetch_failed(&mut self, now: i64) {
        self.not_before = Some(now.saturating_add(RETRY_INTERVAL));
    }

    pub(super) fn find(&self, kid: &str) -> Option<&DecodingKey> {
        self.keys.find(kid)
    }

    fn may_fetch(&self, now: i64) -> bool {
        self.not_before.is_none_or(|at| now >= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    fn keys() -> SigningKeys {
        SigningKeys::parse(vectors::all()["jwks"].to_string().as_bytes()).unwrap()
    }

    #[test]
    fn keys_are_asked_for_at_most_every_five_minutes() {
        let mut set = KeySet::default();
        assert!(set.is_due(0) && set.begin_fetch(0));
        assert!(!set.begin_fetch(1) && !set.is_due(1));
        set.fetch_failed(1_000);
        assert!(!set.begin_fetch(30_999));
        assert!(set.begin_fetch(31_000));
        set.replace(40_000, keys());
        assert!(set.find("test-key-1").is_some());
        assert!(!set.begin_fetch(40_000 + FETCH_INTERVAL_MIN - 1));
        assert!(!set.is_due(40_000 + REFRESH_AFTER - 1));
        assert!(set.is_due(40_000 + REFRESH_AFTER));
        assert!(set.begin_fetch(40_000 + FETCH_INTERVAL_MIN));
        set.fetch_failed(500_000);
        assert!(set.find("test-key-1").is_some());
    }

    #[test]
    fn documents_without_a_usable_key_are_refused() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"keys":[]}"#,
            r#"{"keys":[{"kty":"EC","kid":"a"},{"kty":"RSA","kid":"b","use":"enc","n":"AQAB","e":"AQAB"}]}"#,
            r#"{"keys":[{"kty":"RSA","kid":"b","n":"!","e":"AQAB"}]}"#,
        ] {
            assert!(SigningKeys::parse(json.as_bytes()).is_err(), "{json}");
        }
        assert_eq!(format!("{:?}", keys()), r#"{"test-key-1"}"#);
    }
}
