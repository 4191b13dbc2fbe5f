//! The server's side of digest (RFC 7616 §3.3, RFC 8760): challenges, checks, and protection against replay.
//!
//! Nonces carry their own time and proof, so that an unanswered challenge needs no memory. For answered nonces the greatest
//! count is kept during their life: a recorded request that is sent again gets a new challenge.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Algorithm, Fields, Qop, Scheme, quote, schemes};
use crate::{
    ids::{Ids, hex},
    message::Message,
    uri::equivalent,
};

/// Longest life of a nonce; older ones are answered as stale.
const NONCE_LIFE: Duration = Duration::from_secs(300);
/// Most answered nonces that are remembered; the oldest are forgotten, and then refused as stale.
const NONCES_MAX: usize = 65_536;

/// The reason for the refusal of a request: with a challenge, or 400 for [`Refusal::OtherUri`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No credentials for the verifier's realm.
    Missing,
    /// The nonce is unknown, too old, or was used with this count before; the password may be right.
    Stale,
    /// Wrong user name or password.
    Wrong {
        /// The user name in the checked credentials, and no other name of the request.
        username: String,
    },
    /// The credentials are for another Request-URI: a sign of an attack, or of a proxy that rewrites the Request-URI and
    /// must then be trusted by its address. No challenge can help (RFC 7616 §3.4.6: 400).
    OtherUri,
}

/// The checked credentials of a request, right or wrong. [`Verifier::claim`] alone selects them, so that the checked
/// password and the counted, logged and locked name belong to one account.
pub struct Claim {
    algorithm: Algorithm,
    username: String,
    nonce: String,
    uri: String,
    response: String,
    /// `cnonce` and `nc`, if there is a `qop`.
    count: Option<(String, u32)>,
}

impl Claim {
    /// The user name in the checked credentials; empty if they have none.
    pub fn username(&self) -> &str {
        &self.username
    }

    fn of(scheme: &Scheme<'_>, algorithm: Algorithm) -> Self {
        let field = |name| scheme.value(name).unwrap_or_default();
        let count = || u32::from_str_radix(&field("nc"), 16).unwrap_or(0);
        Self {
            algorithm,
            username: field("username"),
            nonce: field("nonce"),
            uri: field("uri"),
            response: field("response").to_ascii_lowercase(),
            count: (!field("qop").is_empty()).then(|| (field("cnonce"), count())),
        }
    }
}

/// Checks the Authorization of requests.
#[derive(Clone)]
pub struct Verifier {
    realm: String,
    /// Offered and accepted algorithms, in this order, for accounts without their own.
    algorithms: Vec<Algorithm>,
    /// Algorithms of accounts with their own, by user name.
    of_accounts: HashMap<String, Vec<Algorithm>>,
    key: [u8; 32],
    ids: Ids,
    /// The greatest count of each answered nonce.
    counts: HashMap<String, u32>,
    /// Answered nonces by the second of their making, to forget them in order.
    answered: BTreeMap<u64, Vec<String>>,
    /// Nonces of this second and before are forgotten.
    forgotten: u64,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key makes nonces; it is as secret as a password.
        f.debug_struct("Verifier")
            .field("realm", &self.realm)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier that offers these algorithms in this order: clients that know one only take the first or give up, those
    /// that know both choose themselves. `key` is a secret of the caller that never leaves the process.
    pub fn new(realm: String, algorithms: Vec<Algorithm>, key: [u8; 32]) -> Self {
        let mut hash = Sha256::new();
        hash.update(key);
        hash.update(b"names");
        Self {
            realm,
            algorithms,
            of_accounts: HashMap::new(),
            key,
            ids: Ids::new(hash.finalize().into()),
            counts: HashMap::new(),
            answered: BTreeMap::new(),
            forgotten: 0,
        }
    }

    /// The same verifier, with algorithms of their own for some accounts, by username.
    #[must_use]
    pub fn with_accounts(mut self, of_accounts: HashMap<String, Vec<Algorithm>>) -> Self {
        self.of_accounts = of_accounts;
        self
    }

    /// The algorithms that an account may use.
    fn algorithms(&self, username: &str) -> &[Algorithm] {
        let own = self.of_accounts.get(username);
        own.unwrap_or(&self.algorithms)
    }

    /// The algorithms offered to a client that may be any of these accounts: those that each account accepts, otherwise
    /// those that one of them accepts. `otherwise`: the algorithms of an account without its own.
    pub fn algorithms_for(&self, usernames: &[&str], otherwise: &[Algorithm]) -> Vec<Algorithm> {
        let mut lists = Vec::with_capacity(usernames.len());
        for username in usernames {
            let own = self.of_accounts.get(*username);
            lists.push(own.map_or(otherwise, Vec::as_slice));
        }
        let Some(first) = lists.first() else {
            return otherwise.to_vec();
        };
        let is_in_all = |algorithm: &&Algorithm| lists.iter().all(|list| list.contains(algorithm));
        let common: Vec<Algorithm> = first.iter().filter(is_in_all).copied().collect();
        match common.is_empty() {
            true => Algorithm::ALL.to_vec(),
            false => common,
        }
    }

    /// A challenge that offers the algorithms of accounts without their own, see [`Self::challenge_with`].
    pub fn challenge(&mut self, now: Duration, source: IpAddr, refusal: &Refusal) -> Vec<String> {
        let algorithms = self.algorithms.clone();
        self.challenge_with(now, source, refusal, &algorithms)
    }

    /// The values of the WWW-Authenticate headers (RFC 7616 §3.3, RFC 8760 §2.4), one for each algorithm. A nonce is bound
    /// to the source address.
    pub fn challenge_with(
        &mut self,
        now: Duration,
        source: IpAddr,
        refusal: &Refusal,
        offered: &[Algorithm],
    ) -> Vec<String> {
        let stale = if *refusal == Refusal::Stale {
            ", stale=true"
        } else {
            ""
        };
        let number = self.ids.number();
        let nonce = self.nonce(source, now.as_secs(), number);
        let challenge = |algorithm: &Algorithm| {
            format!(
                "Digest realm={}, nonce=\"{nonce}\", algorithm={}, qop=\"auth\"{stale}",
                quote(&self.realm),
                algorithm.name()
            )
        };
        offered.iter().map(challenge).collect()
    }

    /// The user name in the credentials for the verifier's realm, with any algorithm: the account that the client wants to
    /// use.
    pub fn username_of(&self, request: &Message<'_>) -> Option<String> {
        let mut values = request.all("Authorization");
        values.find_map(|value| {
            let schemes = schemes(&value);
            let ours = schemes.iter().find(|scheme| self.is_ours(scheme));
            ours.and_then(|scheme| scheme.value("username"))
        })
    }

    /// The credentials of a request to check: the first digest for the verifier's realm with an algorithm that its account
    /// may use. Other names in the request are ignored.
    ///
    /// # Errors
    /// [`Refusal::Missing`]: there are none.
    pub fn claim(&self, request: &Message<'_>) -> Result<Claim, Refusal> {
        let mut values = request.all("Authorization");
        let claim = values.find_map(|value| {
            let schemes = schemes(&value);
            schemes.iter().find_map(|scheme| {
                let algorithm = self.algorithm(scheme)?;
                Some(Claim::of(scheme, algorithm))
            })
        });
        claim.ok_or(Refusal::Missing)
    }

    /// The algorithm of the credentials, if the verifier accepts it.
    fn algorithm(&self, scheme: &Scheme<'_>) -> Option<Algorithm> {
        let algorithm = match scheme.value("algorithm").filter(|name| !name.is_empty()) {
            // The default is MD5 (RFC 7616 §3.4).
            None => Algorithm::Md5,
            Some(name) => Algorithm::of_name(&name)?,
        };
        let username = scheme.value("username").unwrap_or_default();
        let is_allowed = self.algorithms(&username).contains(&algorithm);
        (self.is_ours(scheme) && is_allowed).then_some(algorithm)
    }

    fn is_ours(&self, scheme: &Scheme<'_>) -> bool {
        scheme.name.eq_ignore_ascii_case("Digest")
            && scheme.value("realm").as_ref() == Some(&self.realm)
    }

    /// Checks a request and returns its user name. `password` returns the password of an account.
    ///
    /// # Errors
    /// The reason for a challenge.
    pub fn check<'a>(
        &mut self,
        now: Duration,
        source: IpAddr,
        request: &Message<'_>,
        password: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<String, Refusal> {
        let claim = self.claim(request)?;
        self.verify(now, source, request, claim, password)
    }

    /// Checks the credentials of a request and returns the user name. `password` returns the password of an account.
    ///
    /// # Errors
    /// The reason for a challenge.
    pub fn verify<'a>(
        &mut self,
        now: Duration,
        source: IpAddr,
        request: &Message<'_>,
        claim: Claim,
        password: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<String, Refusal> {
        // Only an answer to a genuine nonce can be wrong: a client with an invented nonce gets a new one, and no failure is
        // counted.
        if !self.is_genuine(source, &claim.nonce) {
            return Err(Refusal::Stale);
        }
        if !equivalent(&claim.uri, request.request_uri().unwrap_or_default()) {
            return Err(Refusal::OtherUri);
        }
        let username = claim.username;
        let known = password(&username);
        let fields = Fields {
            username: &username,
            realm: &self.realm,
            nonce: &claim.nonce,
            uri: &claim.uri,
            qop: claim
                .count
                .as_ref()
                .map(|(cnonce, nc)| Qop { cnonce, nc: *nc }),
        };
        let method = request.method().unwrap_or_default();
        // Unknown users cost a hash as well, so that the time does not reveal known users.
        let expected = fields.response(claim.algorithm, known.unwrap_or_default(), method);
        // The time of a comparison must not reveal how much of a guess was right.
        let right = bool::from(expected.as_bytes().ct_eq(claim.response.as_bytes()));
        if !right || known.is_none() {
            return Err(Refusal::Wrong { username });
        }
        let count = claim.count.map_or(0, |(_, nc)| nc);
        match self.use_nonce(now, &claim.nonce, count) {
            true => Ok(username),
            false => Err(Refusal::Stale),
        }
    }

    fn nonce(&self, source: IpAddr, second: u64, number: u64) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(source.to_canonical().to_string());
        hash.update(second.to_be_bytes());
        hash.update(number.to_be_bytes());
        let proof = hash.finalize();
        format!(
            "{second:x}.{number:016x}.{}",
            hex(proof.get(..16).unwrap_or_default())
        )
    }

    /// Whether the verifier made the nonce for this address, at any time.
    fn is_genuine(&self, source: IpAddr, nonce: &str) -> bool {
        let genuine = numbers(nonce).map(|(second, drawn)| self.nonce(source, second, drawn));
        genuine.is_some_and(|genuine| bool::from(genuine.as_bytes().ct_eq(nonce.as_bytes())))
    }

    /// Whether a genuine nonce is alive and was not used with this count or a greater one; records the count.
    fn use_nonce(&mut self, now: Duration, nonce: &str, count: u32) -> bool {
        let now = now.as_secs();
        let Some((second, _)) = numbers(nonce) else {
            return false;
        };
        if second > now
            || now - second >= NONCE_LIFE.as_secs()
            || (second <= self.forgotten && self.forgotten > 0)
        {
            return false;
        }
        self.forget(now);
        match self.counts.get_mut(nonce) {
            Some(last) if count <= *last => false,
            Some(last) => {
                *last = count;
                true
            }
            None => {
                self.counts.insert(nonce.to_owned(), count);
                let answered = self.answered.entry(second).or_default();
                answered.push(nonce.to_owned());
                true
            }
        }
    }

    fn forget(&mut self, now: u64) {
        while let Some(entry) = self.answered.first_entry() {
            let second = *entry.key();
            let over = now.saturating_sub(second) >= NONCE_LIFE.as_secs();
            if !over && self.counts.len() < NONCES_MAX {
                return;
            }
            for nonce in entry.remove() {
                self.counts.remove(&nonce);
            }
            self.forgotten = self.forgotten.max(second);
        }
    }
}

/// The second in which a nonce was made, and its random part.
fn numbers(nonce: &str) -> Option<(u64, u64)> {
    let mut parts = nonce.split('.');
    let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
    Some((number()?, number()?))
}

#[cfg(test)]
mod tests;
