//! The provider's public keys (RFC 7517). A key that verifies no signature of ours is left out and spoils nothing: sets hold
//! keys for encryption, secrets, curves that are not accepted, and types to come.

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

/// Signatures with the provider's private key; those with a shared secret prove less.
const ALGORITHMS: [(&str, Algorithm, Kind); 10] = [
    ("RS256", Algorithm::RS256, Kind::Rsa),
    ("RS384", Algorithm::RS384, Kind::Rsa),
    ("RS512", Algorithm::RS512, Kind::Rsa),
    ("PS256", Algorithm::PS256, Kind::Rsa),
    ("PS384", Algorithm::PS384, Kind::Rsa),
    ("PS512", Algorithm::PS512, Kind::Rsa),
    ("ES256", Algorithm::ES256, Kind::P256),
    ("ES384", Algorithm::ES384, Kind::P384),
    ("EdDSA", Algorithm::EdDSA, Kind::Ed25519),
    // Its name since RFC 9864.
    ("Ed25519", Algorithm::EdDSA, Kind::Ed25519),
];

/// Names of the accepted algorithms, for error texts.
pub(super) fn accepted() -> String {
    ALGORITHMS.map(|(name, _, _)| name).join(", ")
}

/// Type and curve of a key (`kty`, `crv`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// An accepted algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signing {
    algorithm: Algorithm,
    kind: Kind,
}

impl Signing {
    /// The algorithm of a name of RFC 7518; `None` for `none`, for shared secrets and for names that are not known.
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = ALGORITHMS.iter().find(|(known, _, _)| *known == name);
        found.map(|(_, algorithm, kind)| Self {
            algorithm: *algorithm,
            kind: *kind,
        })
    }
}

/// A key that verifies signatures.
#[derive(Clone)]
pub(super) struct Key {
    id: Option<String>,
    /// The one algorithm that it is for, if it names one.
    algorithm: Option<Algorithm>,
    kind: Kind,
    /// The issuer that it signs for, as Entra names it: `{tenantid}` stands for the tenant's id.
    pub(super) issuer: Option<String>,
    key: DecodingKey,
}

impl Key {
    fn read(fields: &Map<String, Value>) -> Option<Self> {
        let field = |name: &str| fields.get(name).and_then(Value::as_str);
        if field("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let operations = fields.get("key_ops").and_then(Value::as_array);
        if operations.is_some_and(|all| !all.is_empty() && !all.iter().any(|one| one == "verify")) {
            return None;
        }
        // An algorithm of encryption, or one that is not accepted.
        let algorithm = match field("alg") {
            None => None,
            Some(name) => Some(Signing::named(name)?),
        };
        // Some write the padding, or the other alphabet.
        let number = |name: &str| {
            field(name).map(|text| {
                text.trim_end_matches('=')
                    .replace('+', "-")
                    .replace('/', "_")
            })
        };
        let (kind, key) = match (field("kty")?, field("crv")) {
            ("RSA", _) => {
                let key = DecodingKey::from_rsa_components(&number("n")?, &number("e")?);
                (Kind::Rsa, key)
            }
            ("EC", Some(curve @ ("P-256" | "P-384"))) => {
                let key = DecodingKey::from_ec_components(&number("x")?, &number("y")?);
                match curve == "P-256" {
                    true => (Kind::P256, key),
                    false => (Kind::P384, key),
                }
            }
            ("OKP", Some("Ed25519")) => (
                Kind::Ed25519,
                DecodingKey::from_ed_components(&number("x")?),
            ),
            (_, _) => return None,
        };
        if algorithm.is_some_and(|algorithm| algorithm.kind != kind) {
            return None;
        }
        Some(Self {
            id: field("kid").map(str::to_owned),
            algorithm: algorithm.map(|signing| signing.algorithm),
            kind,
            issuer: field("issuer").map(str::to_owned),
            key: key.ok()?,
        })
    }

    fn fits(&self, signing: Signing) -> bool {
        self.kind == signing.kind
            && self
                .algorithm
                .is_none_or(|algorithm| algorithm == signing.algorithm)
    }

    /// Whether the signature of a message is this key's.
    pub(super) fn has_signed(&self, message: &str, signature: &str, signing: Signing) -> bool {
        let (message, algorithm) = (message.as_bytes(), signing.algorithm);
        jsonwebtoken::crypto::verify(signature, message, &self.key, algorithm).unwrap_or(false)
    }
}

/// The provider's keys.
#[derive(Clone)]
pub(super) struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a key set; `None` if the document is none.
    pub(super) fn read(document: &Value) -> Option<Self> {
        let keys = document.get("keys")?.as_array()?;
        let keys = keys.iter().filter_map(Value::as_object);
        Some(Self(keys.filter_map(Key::read).collect()))
    }

    /// Keys that may have made a signature: those of the id that the token names, and where the set has none of that id, those
    /// without an id. Several keys may have one id (RFC 7517, 4.5).
    pub(super) fn candidates(&self, signing: Signing, id: Option<&str>) -> Vec<&Key> {
        let fitting = || self.0.iter().filter(|key| key.fits(signing));
        let Some(id) = id else {
            return fitting().collect();
        };
        let of_id: Vec<&Key> = fitting()
            .filter(|key| key.id.as_deref() == Some(id))
            .collect();
        match of_id.is_empty() {
            true => fitting().filter(|key| key.id.is_none()).collect(),
            false => of_id,
        }
    }
}
