//! Digest authentication, both ends (RFC 7616, RFC 2617, RFC 8760 for SIP).
//!
//! MD5 and SHA-256, with `qop=auth` or without a `qop`. A challenge that offers only something else (`auth-int`, a session
//! variant, SHA-512-256, another scheme) is named by [`ChallengeProblem`]. [`ClientAuthentication`] is the client's side,
//! [`Verifier`] the server's.

mod client;
mod server;

pub use client::{ClientAuthentication, Evidence, Verdict};
use md5::{Digest as _, Md5};
use secrecy::{ExposeSecret, SecretString};
pub use server::{Claim, Refusal, Verifier};
use sha2::Sha256;

use crate::{
    ids::hex,
    message::{Message, split_list},
    remark::excerpt,
};

/// Hash algorithm of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5, which most PBXs still ask for.
    Md5,
    /// SHA-256: preferred when both are offered (RFC 8760 §2.4 leaves the choice to the client).
    Sha256,
}

impl Algorithm {
    /// Both algorithms.
    pub const ALL: [Self; 2] = [Self::Md5, Self::Sha256];

    /// The name in a header (RFC 7616 §3.3).
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The algorithm with this name; `None` for others.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(name))
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text.as_bytes())),
            Self::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }
}

/// Name and password of an account. The password is not printed.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The digest user name.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

/// One usable challenge of a 401 or 407.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The protection space.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// Returned to the server unchanged.
    pub opaque: Option<String>,
    /// The hash algorithm of the challenge.
    pub algorithm: Algorithm,
    /// Whether the challenge named the algorithm; if not, the answer does not name it either (RFC 2617 §3.2.2).
    pub algorithm_named: bool,
    /// Whether `qop=auth` is offered; otherwise the form of RFC 2069 is used.
    pub qop_auth: bool,
    /// The credentials were right, only the nonce was too old (RFC 7616 §3.3).
    pub stale: bool,
    /// From Proxy-Authenticate (407) and not WWW-Authenticate (401).
    pub proxy: bool,
}

/// The reason for which no password can answer a 401 or 407.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeProblem {
    /// Neither WWW-Authenticate nor Proxy-Authenticate, although the request carried no credentials.
    #[error("no challenge (neither WWW-Authenticate nor Proxy-Authenticate)")]
    NoChallenge,
    /// Another scheme than Digest.
    #[error("only the authentication scheme {0}, no digest")]
    Scheme(String),
    /// Digest with an algorithm other than MD5 and SHA-256.
    #[error("only the digest algorithm {0}")]
    Algorithm(String),
    /// Digest with a quality of protection other than `auth` (RFC 7616 §3.3).
    #[error("only the digest qop {0}")]
    Qop(String),
    /// Digest without this parameter.
    #[error("a digest challenge without {0}")]
    Incomplete(&'static str),
    /// A challenge, but the account has no user name and password.
    #[error("a challenge, and there is no user name and password to answer it with")]
    NoCredentials,
    /// A new challenge after each answer, none of which rejects the answer itself.
    #[error("one challenge after another, although each was answered")]
    Endless,
}

/// A challenge that cannot be answered, with its protection space if known.
#[derive(Clone, Debug, PartialEq, Eq)]
struct UnusableChallenge {
    proxy: bool,
    realm: Option<String>,
    why: ChallengeProblem,
}

/// The challenges of a 401 or 407.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Challenges {
    usable: Vec<Challenge>,
    unusable: Vec<UnusableChallenge>,
}

impl Challenges {
    fn of(response: &Message<'_>) -> Self {
        let mut challenges = Self::default();
        for (name, proxy) in [("WWW-Authenticate", false), ("Proxy-Authenticate", true)] {
            for value in response.all(name) {
                for scheme in schemes(&value) {
                    match Challenge::usable(&scheme, proxy) {
                        Ok(challenge) => challenges.usable.push(challenge),
                        Err(why) => challenges.unusable.push(UnusableChallenge {
                            proxy,
                            realm: scheme.value("realm"),
                            why,
                        }),
                    }
                }
            }
        }
        challenges
    }

    /// The reason for which a protection space cannot be satisfied: the first challenge without a usable alternative. A
    /// reason about digest goes before one about another scheme.
    fn obstacle(&self) -> Option<&ChallengeProblem> {
        let is_needed = |challenge: &&UnusableChallenge| {
            let is_digest = !matches!(challenge.why, ChallengeProblem::Scheme(_));
            !self.usable.iter().any(|usable| {
                let is_same_realm = challenge.realm.as_ref() == Some(&usable.realm);
                usable.proxy == challenge.proxy && (is_same_realm || !is_digest)
            })
        };
        let needed = || self.unusable.iter().filter(is_needed);
        let digest =
            needed().find(|challenge| !matches!(challenge.why, ChallengeProblem::Scheme(_)));
        digest.or_else(|| needed().next()).map(|one| &one.why)
    }
}

impl Challenge {
    /// The best challenge of a 401 or 407 that this crate can answer: SHA-256 before MD5. `None` if there is none.
    #[cfg(test)]
    pub(crate) fn best(response: &Message<'_>) -> Option<Self> {
        let challenges = Challenges::of(response).usable;
        // The first of the best: servers list them by their own preference.
        let best = challenges.iter().map(|c| c.algorithm).max()?;
        challenges.into_iter().find(|c| c.algorithm == best)
    }

    /// Whether both are about the same realm of the same kind of server (RFC 3261 §22.1).
    fn is_same_space(&self, other: &Self) -> bool {
        self.proxy == other.proxy && self.realm == other.realm
    }

    fn usable(scheme: &Scheme<'_>, proxy: bool) -> Result<Self, ChallengeProblem> {
        if !scheme.name.eq_ignore_ascii_case("Digest") {
            return Err(ChallengeProblem::Scheme(excerpt(scheme.name)));
        }
        let named_algorithm = scheme.value("algorithm").filter(|name| !name.is_empty());
        let algorithm = match named_algorithm.as_deref() {
            None => Algorithm::Md5,
            Some(name) => Algorithm::of_name(name)
                .ok_or_else(|| ChallengeProblem::Algorithm(excerpt(name)))?,
        };
        let qop = scheme.value("qop").unwrap_or_default();
        let qop_auth = qop
            .split(',')
            .any(|o| o.trim().eq_ignore_ascii_case("auth"));
        if !qop.trim().is_empty() && !qop_auth {
            return Err(ChallengeProblem::Qop(excerpt(&qop)));
        }
        let needed = |name| scheme.value(name).ok_or(ChallengeProblem::Incomplete(name));
        Ok(Self {
            realm: needed("realm")?,
            nonce: needed("nonce")?,
            opaque: scheme.value("opaque"),
            algorithm,
            algorithm_named: named_algorithm.is_some(),
            qop_auth,
            stale: scheme
                .value("stale")
                .is_some_and(|s| s.eq_ignore_ascii_case("true")),
            proxy,
        })
    }
}

/// A challenge in use: counts the requests made with its nonce (RFC 7616 §3.4).
#[derive(Clone, Debug)]
pub struct Session {
    challenge: Challenge,
    nonce_count: u32,
}

impl Session {
    /// Starts using a challenge.
    pub fn new(challenge: Challenge) -> Self {
        Self {
            challenge,
            nonce_count: 0,
        }
    }

    /// Name and value of the header that answers the challenge for one request.
    pub fn authorize(
        &mut self,
        credentials: &Credentials,
        method: &str,
        uri: &str,
        cnonce: &str,
    ) -> (&'static str, String) {
        self.nonce_count += 1;
        let c = &self.challenge;
        let fields = Fields {
            username: &credentials.username,
            realm: &c.realm,
            nonce: &c.nonce,
            uri,
            qop: c.qop_auth.then_some(Qop {
                cnonce,
                nc: self.nonce_count,
            }),
        };
        let response = fields.response(c.algorithm, credentials.password.expose_secret(), method);
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quote(fields.username),
            quote(fields.realm),
            quote(fields.nonce),
            quote(uri)
        );
        if c.algorithm_named || c.algorithm != Algorithm::Md5 {
            value.push_str(&format!(", algorithm={}", c.algorithm.name()));
        }
        if let Some(qop) = fields.qop {
            value.push_str(&format!(
                ", qop=auth, nc={:08x}, cnonce={}",
                qop.nc,
                quote(cnonce)
            ));
        }
        if let Some(opaque) = &c.opaque {
            value.push_str(&format!(", opaque={}", quote(opaque)));
        }
        (
            if c.proxy {
                "Proxy-Authorization"
            } else {
                "Authorization"
            },
            value,
        )
    }
}

/// The fields of the hash, apart from the password and the method.
struct Fields<'a> {
    username: &'a str,
    realm: &'a str,
    nonce: &'a str,
    uri: &'a str,
    qop: Option<Qop<'a>>,
}

#[derive(Clone, Copy)]
struct Qop<'a> {
    cnonce: &'a str,
    nc: u32,
}

impl Fields<'_> {
    /// The `response` (RFC 7616 §3.4.1, without qop RFC 2617 §3.2.2.1).
    fn response(&self, algorithm: Algorithm, password: &str, method: &str) -> String {
        let a1 = algorithm.hash(&format!("{}:{}:{password}", self.username, self.realm));
        let a2 = algorithm.hash(&format!("{method}:{}", self.uri));
        let text = match self.qop {
            Some(qop) => format!(
                "{a1}:{}:{:08x}:{}:auth:{a2}",
                self.nonce, qop.nc, qop.cnonce
            ),
            None => format!("{a1}:{}:{a2}", self.nonce),
        };
        algorithm.hash(&text)
    }
}

/// An authentication scheme with its parameters, out of a header that may hold several.
struct Scheme<'a> {
    name: &'a str,
    parameters: Vec<&'a str>,
}

impl Scheme<'_> {
    fn value(&self, name: &str) -> Option<String> {
        self.parameters.iter().find_map(|p| {
            let (n, value) = p.split_once('=')?;
            n.trim()
                .eq_ignore_ascii_case(name)
                .then(|| crate::message::unquote(value.trim()))
        })
    }
}

/// Splits a header into schemes. Commas separate both parameters and challenges: a new challenge starts with `scheme SP
/// name=`.
fn schemes(value: &str) -> Vec<Scheme<'_>> {
    let mut schemes: Vec<Scheme<'_>> = Vec::new();
    for part in split_list(value) {
        let (head, rest) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
        if !head.contains('=') && !rest.trim_start().starts_with('=') {
            schemes.push(Scheme {
                name: head,
                parameters: vec![rest.trim()],
            });
        } else if let Some(scheme) = schemes.last_mut() {
            scheme.parameters.push(part);
        }
    }
    schemes
}

/// A quoted string (RFC 3261 §25.1).
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests;
