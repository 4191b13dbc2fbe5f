//! Keys that sign and verify tokens (RS256), with rotation on demand.
//!
//! As in Entra, two keys are published: the signing key and the next one, which signs after a rotation. The previous key
//! stays valid until the following rotation, so that issued tokens survive one rotation.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{AlgorithmParameters, Jwk},
};
use rcgen::{CertificateParams, DnType};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    certificate::Certificate,
    config::StartError,
    duration::Milliseconds,
    permissions::{Caller, Claims},
};

/// The most verified tokens in the cache, by hash. A full cache is emptied: verification is cheap.
const CHECKED_MAX: usize = 4_096;

/// The most bytes of a bearer token.
const TOKEN_BYTES_MAX: usize = 16 * 1_024;

/// All keys of the emulator, and a cache of verified tokens.
pub(crate) struct Keys {
    ring: Mutex<Ring>,
    checked: Mutex<HashMap<[u8; 32], Arc<Caller>>>,
}

/// The keys in use. The next one is generated when it is first needed, because this takes a while.
struct Ring {
    previous: Option<Arc<Key>>,
    signing: Arc<Key>,
    next: Option<Arc<Key>>,
}

/// One key pair.
pub(crate) struct Key {
    signing: EncodingKey,
    checking: DecodingKey,
    id: String,
    /// Modulus and exponent, base64url.
    public: (String, String),
    /// The self-signed certificate of the key, base64.
    certificate: String,
}

/// The reason why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// The token was not issued by this emulator.
    Invalid,
    /// The token has expired or is not valid yet.
    Expired,
}

impl Key {
    /// Generates a key pair. Blocks for a while: call it on a blocking thread.
    fn generate() -> Result<Self, StartError> {
        fn failed(error: impl std::fmt::Display) -> StartError {
            StartError::Key(error.to_string())
        }
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let private = pair.as_der().map_err(failed)?;
        // The token library unwraps PKCS #8 from PEM; from DER it accepts the bare RSA form only.
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(private.as_ref())
        );
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(failed)?;
        let jwk = Jwk::from_encoding_key(&signing, Algorithm::RS256).map_err(failed)?;
        let AlgorithmParameters::RSA(public) = jwk.algorithm else {
            return Err(failed("the new key is not RSA"));
        };
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Teamsbox token signing");
        let own = rcgen::KeyPair::from_pem(&pem).map_err(failed)?;
        let certificate = STANDARD.encode(params.self_signed(&own).map_err(failed)?.der());
        let id = Certificate::parse(&certificate).map_err(failed)?.x5t();
        Ok(Self {
            signing,
            checking: DecodingKey::from_rsa_der(pair.public_key().as_ref()),
            id,
            public: (public.n, public.e),
            certificate,
        })
    }

    fn describe(&self, issuer: &str) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "x5t": self.id,
            "n": self.public.0,
            "e": self.public.1,
            "x5c": [self.certificate],
            "issuer": issuer,
        })
    }
}

impl Keys {
    /// Generates the first key pair. Blocks for a while: call it on a blocking thread.
    pub(crate) fn generate() -> Result<Self, StartError> {
        let ring = Ring {
            previous: None,
            signing: Arc::new(Key::generate()?),
            next: None,
        };
        Ok(Self {
            ring: Mutex::new(ring),
            checked: Mutex::new(HashMap::new()),
        })
    }

    /// The published keys as a JWK set. May generate the next key: call it on a blocking thread.
    pub(crate) fn published(&self, issuer: &str) -> Result<Value, StartError> {
        let mut ring = self.ring();
        if ring.next.is_none() {
            ring.next = Some(Arc::new(Key::generate()?));
        }
        // At most two: after a rotation the previous key is published instead of the next one, which has signed nothing yet.
        let second = ring.previous.as_ref().or(ring.next.as_ref());
        let keys = [Some(&ring.signing), second];
        let keys: Vec<_> = keys
            .into_iter()
            .flatten()
            .map(|key| key.describe(issuer))
            .collect();
        Ok(json!({ "keys": keys }))
    }

    /// Makes the next key the signing key. The present one becomes the previous key, and the previous one is dropped. May
    /// generate a key: call it on a blocking thread.
    pub(crate) fn rotate(&self) -> Result<(), StartError> {
        let mut ring = self.ring();
        let next = match ring.next.take() {
            Some(next) => next,
            None => Arc::new(Key::generate()?),
        };
        ring.previous = Some(std::mem::replace(&mut ring.signing, next));
        self.checked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        Ok(())
    }

    /// The ids of the signing key and of the previous key.
    pub(crate) fn ids(&self) -> (String, Option<String>) {
        let ring = self.ring();
        (
            ring.signing.id.clone(),
            ring.previous.as_ref().map(|key| key.id.clone()),
        )
    }

    /// Signs claims.
    pub(crate) fn sign(
        &self,
        claims: &impl Serialize,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let key = Arc::clone(&self.ring().signing);
        let header = Header {
            kid: Some(key.id.clone()),
            x5t: Some(key.id.clone()),
            ..Header::new(Algorithm::RS256)
        };
        jsonwebtoken::encode(&header, claims, &key.signing)
    }

    /// Verifies a token; returns its caller.
    pub(crate) fn check(&self, token: &str, now: Milliseconds) -> Result<Arc<Caller>, Rejection> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Rejection::Invalid);
        }
        let mut hash = [0_u8; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let known = self
            .checked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&hash)
            .cloned();
        let caller = match known {
            Some(caller) => caller,
            None => self.remember(hash, self.verify(token)?),
        };
        if caller.valid_at(now) {
            Ok(caller)
        } else {
            Err(Rejection::Expired)
        }
    }

    fn verify(&self, token: &str) -> Result<Caller, Rejection> {
        let mut validation = Validation::new(Algorithm::RS256);
        // The time is checked below with the tenant's clock; the audience was restricted when the token was issued.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let header = jsonwebtoken::decode_header(token).map_err(|_| Rejection::Invalid)?;
        let key = {
            let ring = self.ring();
            let keys = [Some(&ring.signing), ring.previous.as_ref()];
            let found = keys
                .into_iter()
                .flatten()
                .find(|key| Some(&key.id) == header.kid.as_ref());
            Arc::clone(found.ok_or(Rejection::Invalid)?)
        };
        let decoded = jsonwebtoken::decode::<Claims>(token, &key.checking, &validation);
        Caller::of(decoded.map_err(|_| Rejection::Invalid)?.claims).ok_or(Rejection::Invalid)
    }

    fn remember(&self, hash: [u8; 32], caller: Caller) -> Arc<Caller> {
        let caller = Arc::new(caller);
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.len() >= CHECKED_MAX {
            checked.clear();
        }
        checked.insert(hash, Arc::clone(&caller));
        caller
    }

    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signs with an unpublished key, for the fault of forged tokens.
pub(crate) fn forge(claims: &impl Serialize) -> Option<String> {
    let key = Key::generate().ok()?;
    let header = Header {
        kid: Some(key.id.clone()),
        ..Header::new(Algorithm::RS256)
    };
    jsonwebtoken::encode(&header, claims, &key.signing).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::Permission;

    fn claims() -> Claims {
        Claims {
            aud: "https://graph.microsoft.com".to_owned(),
            nbf: 1_000,
            exp: 2_000,
            appid: "app".to_owned(),
            tid: crate::DEFAULT_TENANT_ID.to_owned(),
            roles: vec!["Presence.Read.All".to_owned()],
            ..Claims::default()
        }
    }

    #[test]
    fn a_token_opens_the_door_in_its_time_only() {
        let keys = Keys::generate().unwrap();
        let token = keys.sign(&claims()).unwrap();
        let caller = keys.check(&token, 1_500_000).unwrap();
        assert!(
            caller.has(Permission::PresenceReadAll)
                && !caller.has(Permission::PresenceReadWriteAll)
        );
        // The second check uses the cache and still checks the time.
        assert!(keys.check(&token, 1_999_999).is_ok());
        assert_eq!(
            keys.check(&token, 2_000_000).unwrap_err(),
            Rejection::Expired
        );
        assert_eq!(keys.check(&token, 999_999).unwrap_err(), Rejection::Expired);
    }

    #[test]
    fn tokens_survive_one_rotation() {
        let keys = Keys::generate().unwrap();
        let token = keys.sign(&claims()).unwrap();
        keys.rotate().unwrap();
        assert!(keys.check(&token, 1_500_000).is_ok());
        assert_ne!(keys.ids().0, keys.ids().1.unwrap());
        keys.rotate().unwrap();
        assert_eq!(
            keys.check(&token, 1_500_000).unwrap_err(),
            Rejection::Invalid
        );
    }

    #[test]
    fn tokens_of_others_are_rejected() {
        let keys = Keys::generate().unwrap();
        let stranger = forge(&claims()).unwrap();
        let own = keys.sign(&claims()).unwrap();
        let (head, _) = own.rsplit_once('.').unwrap();
        let unsigned = format!("{head}.");
        let oversized = "x".repeat(TOKEN_BYTES_MAX + 1);
        for token in ["", "a.b.c", &stranger, &unsigned, &oversized] {
            assert_eq!(
                keys.check(token, 1_500_000).unwrap_err(),
                Rejection::Invalid
            );
        }
    }
}
