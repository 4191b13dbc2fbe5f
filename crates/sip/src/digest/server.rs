//! The server's side of digest: a challenge and a check, as far as the notifier needs them.
//!
//! Nonces carry their own time and proof, so nothing is stored per challenge. A nonce may be used
//! again while it lives: replay within that time is not detected, which RFC 7616 §5.4 allows.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Algorithm, Credentials, Fields, Qop, quote, schemes};
use crate::ids::hex;
use crate::message::Message;

/// How long a nonce may be used before the client is told that it is stale.
const NONCE_LIFE: Duration = Duration::from_secs(300);

/// Why a request is answered with a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No credentials for our realm.
    Missing,
    /// The nonce is not ours or too old; the password may well be right.
    Stale,
    /// Wrong user or password.
    Wrong,
}

/// Checks the Authorization of requests against one account.
#[derive(Clone)]
pub struct Verifier {
    realm: String,
    account: Credentials,
    algorithm: Algorithm,
    key: [u8; 32],
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key makes nonces; it is as secret as the password.
        f.debug_struct("Verifier")
            .field("realm", &self.realm)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier for one account; `key` is drawn by the caller and never leaves.
    pub fn new(realm: String, account: Credentials, algorithm: Algorithm, key: [u8; 32]) -> Self {
        Self {
            realm,
            account,
            algorithm,
            key,
        }
    }

    /// The value of a WWW-Authenticate header (RFC 7616 §3.3).
    pub fn challenge(&self, now: Duration, refusal: Refusal) -> String {
        let stale = if refusal == Refusal::Stale {
            ", stale=true"
        } else {
            ""
        };
        format!(
            "Digest realm={}, nonce=\"{}\", algorithm={}, qop=\"auth\"{stale}",
            quote(&self.realm),
            self.nonce(now.as_secs()),
            self.algorithm.name()
        )
    }

    /// Checks a request.
    ///
    /// # Errors
    /// Why it must be challenged.
    pub fn check(&self, now: Duration, request: &Message<'_>) -> Result<(), Refusal> {
        for value in request.all("Authorization") {
            for scheme in schemes(&value) {
                let field = |name| scheme.value(name).unwrap_or_default();
                if !scheme.name.eq_ignore_ascii_case("Digest") || field("realm") != self.realm {
                    continue;
                }
                let (nonce, uri, username, cnonce) = (
                    field("nonce"),
                    field("uri"),
                    field("username"),
                    field("cnonce"),
                );
                let qop = (!field("qop").is_empty()).then(|| Qop {
                    cnonce: &cnonce,
                    nc: u32::from_str_radix(&field("nc"), 16).unwrap_or(0),
                });
                let fields = Fields {
                    username: &username,
                    realm: &self.realm,
                    nonce: &nonce,
                    uri: &uri,
                    qop,
                };
                let method = request.method().unwrap_or_default();
                let expected = fields.response(self.algorithm, &self.account.password, method);
                // How long a comparison takes must not tell how much of the guess was right.
                let right = bool::from(
                    expected
                        .as_bytes()
                        .ct_eq(field("response").to_ascii_lowercase().as_bytes()),
                );
                if !right || username != self.account.username {
                    return Err(Refusal::Wrong);
                }
                return if self.is_fresh(now, &nonce) {
                    Ok(())
                } else {
                    Err(Refusal::Stale)
                };
            }
        }
        Err(Refusal::Missing)
    }

    fn nonce(&self, second: u64) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(second.to_be_bytes());
        format!("{second:x}.{}", hex(&hash.finalize()[..16]))
    }

    fn is_fresh(&self, now: Duration, nonce: &str) -> bool {
        let Some(second) = nonce
            .split('.')
            .next()
            .and_then(|s| u64::from_str_radix(s, 16).ok())
        else {
            return false;
        };
        let genuine = bool::from(self.nonce(second).as_bytes().ct_eq(nonce.as_bytes()));
        genuine && second <= now.as_secs() && now.as_secs() - second < NONCE_LIFE.as_secs()
    }
}
