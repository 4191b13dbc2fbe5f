//! Signed JSON of the provider (RFC 7515, compact serialization): ID tokens, and answers of UserInfo where these are signed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{
    keys::{KeySet, Signing, accepted},
    shown,
};

/// A longer token is none.
const TOKEN_MAX: usize = 32 * 1024;

/// Claims with a valid signature of the provider. Issuer, audience and dates are still to be checked.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) claims: Map<String, Value>,
    /// The issuer that the key signs for, if the key set limits it.
    pub(super) key_issuer: Option<String>,
}

/// Why signed JSON is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SignedError {
    /// No key of the set fits: the provider may have a new one.
    #[error(
        "it is signed with the key {0}, which is not among the provider's (jwks_uri); check that the address of the keys is the right one there"
    )]
    UnknownKey(String),
    /// No fitting key has made the signature: the provider may have a new one without an id.
    #[error("its signature is not the provider's")]
    Signature,
    /// `none`, a shared secret, or an algorithm that is not known.
    #[error("it is signed with {0}; choose RS256 or ES256 for this client there (accepted: {accepted})", accepted = accepted())]
    Algorithm(String),
    /// It is encrypted (RFC 7516).
    #[error("it is encrypted; switch off encryption for this client there")]
    Encrypted,
    /// Extensions that must be understood (RFC 7515, 4.1.11).
    #[error(
        "it needs an extension that is not supported (crit); switch it off for this client there"
    )]
    Extension,
    /// Not three parts of base64url with JSON in them.
    #[error("it is no signed token")]
    NoToken,
    /// Too long.
    #[error("it is longer than {} KiB; leave out claims there, for example groups", TOKEN_MAX / 1024)]
    TooLong,
}

impl SignedError {
    /// Whether the keys may have changed since they were read.
    pub(super) fn is_of_keys(&self) -> bool {
        match self {
            Self::UnknownKey(_) | Self::Signature => true,
            Self::Algorithm(_)
            | Self::Encrypted
            | Self::Extension
            | Self::NoToken
            | Self::TooLong => false,
        }
    }
}

fn part(text: &str) -> Result<Map<String, Value>, SignedError> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    let bytes = bytes.map_err(|_| SignedError::NoToken)?;
    serde_json::from_slice(&bytes).map_err(|_| SignedError::NoToken)
}

/// The claims of signed JSON.
pub(super) fn verified(token: &str, keys: &KeySet) -> Result<Signed, SignedError> {
    let token = token.trim();
    if token.len() > TOKEN_MAX {
        return Err(SignedError::TooLong);
    }
    let parts: Vec<&str> = token.split('.').collect();
    let (header, payload, signature) = match parts[..] {
        [header, payload, signature] => (header, payload, signature),
        [_, _, _, _, _] => return Err(SignedError::Encrypted),
        _ => return Err(SignedError::NoToken),
    };
    let message = &token[..header.len() + 1 + payload.len()];
    let header = part(header)?;
    if header.contains_key("crit") {
        return Err(SignedError::Extension);
    }
    let algorithm = header.get("alg").unwrap_or(&Value::Null);
    let signing = algorithm.as_str().and_then(Signing::named);
    let signing = signing.ok_or_else(|| SignedError::Algorithm(shown::value(algorithm)))?;
    let id = header.get("kid").and_then(Value::as_str);
    let candidates = keys.candidates(signing, id);
    if candidates.is_empty() {
        let id = id.map_or_else(|| "without an id".into(), shown::text);
        return Err(SignedError::UnknownKey(id));
    }
    let signature = signature.trim_end_matches('=');
    let mut candidates = candidates.into_iter();
    let key = candidates
        .find(|key| key.has_signed(message, signature, signing))
        .ok_or(SignedError::Signature)?;
    Ok(Signed {
        claims: part(payload)?,
        key_issuer: key.issuer.clone(),
    })
}
