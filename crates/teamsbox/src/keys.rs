//! Signing and checking access tokens: RS256 with a key made at the start.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::config::StartError;
use crate::duration::{Milliseconds, SECOND};

/// Checked tokens remembered, by hash. When full, all are forgotten: checking again costs little.
const CHECKED_MAX: usize = 4_096;

/// Longer bearer tokens are not looked at.
const TOKEN_BYTES_MAX: usize = 16 * 1_024;

/// The key pair and the tokens that it is known to have signed.
pub(crate) struct Keys {
    signing: EncodingKey,
    checking: DecodingKey,
    key_id: String,
    checked: Mutex<HashMap<[u8; 32], Arc<Caller>>>,
}

/// The claims of an access token, in the shape of version 1.0 as Graph's own tokens have it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// Audience.
    pub(crate) aud: String,
    /// Issuer.
    pub(crate) iss: String,
    /// Issued at, in seconds.
    pub(crate) iat: i64,
    /// Not valid before, in seconds.
    pub(crate) nbf: i64,
    /// Expires, in seconds.
    pub(crate) exp: i64,
    /// Client id.
    pub(crate) appid: String,
    /// Kind of identity.
    pub(crate) idtyp: String,
    /// Object id of the service principal.
    pub(crate) oid: String,
    /// The application permissions; left out when there are none, as Entra does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    /// Subject.
    pub(crate) sub: String,
    /// Tenant.
    pub(crate) tid: String,
    /// Unique id of the token.
    pub(crate) uti: String,
    /// Version.
    pub(crate) ver: String,
}

/// Who calls Graph.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Client id.
    pub(crate) app: Arc<str>,
    /// May read presence.
    pub(crate) reads: bool,
    /// May write presence.
    pub(crate) writes: bool,
    /// May find people in the directory.
    pub(crate) reads_directory: bool,
    valid_from: Milliseconds,
    valid_until: Milliseconds,
}

/// Why a token does not open the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// Not a token of this emulator.
    Invalid,
    /// Out of its time.
    Expired,
}

impl Keys {
    /// Makes a key pair. Takes a moment; keep it off the async threads.
    pub(crate) fn generate() -> Result<Self, StartError> {
        let failed = |what: &str| StartError::Key(what.to_owned());
        let pair =
            KeyPair::generate(KeySize::Rsa2048).map_err(|error| failed(&error.to_string()))?;
        let private = pair.as_der().map_err(|error| failed(&error.to_string()))?;
        let public = pair.public_key().as_ref();
        // The token library takes the key in PEM and unwraps PKCS #8 itself; its DER entry wants the bare RSA form.
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(private.as_ref())
        );
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes())
            .map_err(|error| failed(&error.to_string()))?;
        Ok(Self {
            signing,
            checking: DecodingKey::from_rsa_der(public),
            key_id: URL_SAFE_NO_PAD.encode(
                digest(&SHA256, public)
                    .as_ref()
                    .get(..20)
                    .unwrap_or_default(),
            ),
            checked: Mutex::new(HashMap::new()),
        })
    }

    /// Signs a token.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
        let header = Header {
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::RS256)
        };
        jsonwebtoken::encode(&header, claims, &self.signing)
    }

    /// Finds out who presents a token.
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
        if now >= caller.valid_from && now < caller.valid_until {
            Ok(caller)
        } else {
            Err(Rejection::Expired)
        }
    }

    fn verify(&self, token: &str) -> Result<Caller, Rejection> {
        let mut validation = Validation::new(Algorithm::RS256);
        // Time is checked against the tenant's clock, and the audience was restricted when the token was issued.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.checking, &validation);
        let claims = decoded.map_err(|_| Rejection::Invalid)?.claims;
        let has = |role: &str| claims.roles.iter().any(|own| own == role);
        let writes = has("Presence.ReadWrite.All");
        Ok(Caller {
            reads: writes || has("Presence.Read.All"),
            writes,
            reads_directory: ["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"]
                .into_iter()
                .any(has),
            app: claims.appid.into(),
            valid_from: claims.nbf.saturating_mul(SECOND),
            valid_until: claims.exp.saturating_mul(SECOND),
        })
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            aud: "https://graph.microsoft.com".to_owned(),
            iss: String::new(),
            iat: 1_000,
            nbf: 1_000,
            exp: 2_000,
            appid: "app".to_owned(),
            idtyp: "app".to_owned(),
            oid: String::new(),
            roles: vec!["Presence.Read.All".to_owned()],
            sub: String::new(),
            tid: String::new(),
            uti: String::new(),
            ver: "1.0".to_owned(),
        }
    }

    #[test]
    fn a_token_opens_the_door_in_its_time_only() {
        let keys = Keys::generate().unwrap();
        let token = keys.sign(&claims()).unwrap();
        let caller = keys.check(&token, 1_500_000).unwrap();
        assert!(caller.reads && !caller.writes);
        // The second look comes from memory and still minds the time.
        assert!(keys.check(&token, 1_999_999).is_ok());
        assert_eq!(
            keys.check(&token, 2_000_000).unwrap_err(),
            Rejection::Expired
        );
        assert_eq!(keys.check(&token, 999_999).unwrap_err(), Rejection::Expired);
    }

    #[test]
    fn tokens_of_others_are_rejected() {
        let keys = Keys::generate().unwrap();
        let stranger = Keys::generate().unwrap().sign(&claims()).unwrap();
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
