//! Decides what of a POST is believed, and counts the rest.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN};
use subtle::ConstantTimeEq;

use super::{
    decrypt::{self, Failure},
    key_set::{KeySet, SigningKeys},
    replay::Seen,
    token::{self, Refusal, TrustedApplication, Verified},
    wire::{Body, EncryptedContent, Item, Presence, text},
};
use crate::{KeyedCertificate, Secret, time::parse_milliseconds};

/// A POST with hundreds of changes has that; more is not Graph's.
const BODY_MAX: usize = 2 * 1024 * 1024;
/// Items of one POST that are looked at.
const ITEMS_MAX: usize = 2_000;
/// Graph sends one token for each application and tenant.
const TOKENS_MAX: usize = 32;
/// Verified tokens that are remembered: Graph sends the same one for an hour.
const VERIFIED_MAX: usize = 64;

/// A person's presence changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The subscription that says so.
    pub subscription: String,
    /// Entra object id.
    pub user: String,
    /// Graph's word; `None` if the notification names the person only, so that a read is needed.
    pub availability: Option<String>,
    /// Graph's word.
    pub activity: Option<String>,
    /// `sequenceNumber`, if Graph sends it.
    pub sequence: Option<String>,
    /// `etag`, if Graph sends it.
    pub etag: Option<String>,
}

/// What happens to a subscription (reference 4.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifecycleKind {
    /// Graph wants to be shown a fresh token, or delivery stops.
    ReauthorizationRequired,
    /// The subscription is gone.
    SubscriptionRemoved,
    /// Changes were lost: read everybody.
    Missed,
    /// A word that the documentation does not have.
    Other(String),
}

/// A lifecycle event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// Which subscription.
    pub subscription: String,
    /// What happens to it.
    pub kind: LifecycleKind,
    /// When it ends, in milliseconds since 1970, if Graph says so.
    pub expires: Option<i64>,
}

/// What a POST says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A presence changed.
    Notice(Notice),
    /// Something happens to a subscription.
    Lifecycle(Lifecycle),
}

/// What came of a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiveResult {
    /// This is believed; the rest is dropped and counted.
    Events(Vec<Event>),
    /// A token is signed with a key that is not known: fetch the keys ([`crate::Client::signing_keys`]), tell
    /// [`Receiver::set_keys`] or [`Receiver::keys_failed`], and give the same body again. Said at most every five
    /// minutes; nothing was counted.
    KeysNeeded,
}

/// What was received, and what was dropped why. All count items, except where POSTs are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Notices passed on.
    pub notices: u64,
    /// Lifecycle events passed on.
    pub lifecycle: u64,
    /// Items that were passed on before.
    pub duplicates: u64,
    /// POSTs that were too large or had too many items or tokens.
    pub too_large: u64,
    /// POSTs or items that are not what Graph documents.
    pub malformed: u64,
    /// Items of POSTs whose tokens are missing, wrong or not for their tenant.
    pub forged: u64,
    /// Items of subscriptions that are not ours, or not any more.
    pub unknown_subscription: u64,
    /// Items with another `clientState`.
    pub wrong_client_state: u64,
    /// Items encrypted for a certificate that we do not have.
    pub unknown_certificate: u64,
    /// Items whose HMAC differs.
    pub bad_signature: u64,
    /// Items that could not be decrypted.
    pub undecryptable: u64,
}

impl Counters {
    /// The reasons for which something was dropped, by name, for metrics.
    pub fn dropped(&self) -> [(&'static str, u64); 9] {
        [
            ("duplicate", self.duplicates),
            ("too_large", self.too_large),
            ("malformed", self.malformed),
            ("forged", self.forged),
            ("unknown_subscription", self.unknown_subscription),
            ("wrong_client_state", self.wrong_client_state),
            ("unknown_certificate", self.unknown_certificate),
            ("bad_signature", self.bad_signature),
            ("undecryptable", self.undecryptable),
        ]
    }
}

/// The receiver of notifications. Plain: bytes and times in, events out. Times are milliseconds since 1970.
#[derive(Debug)]
pub struct Receiver {
    trusted: Vec<TrustedApplication>,
    login: String,
    keys: KeySet,
    /// By the token's SHA-256, so that no token is kept.
    verified: HashMap<[u8; SHA256_OUTPUT_LEN], Verified>,
    certificates: HashMap<String, KeyedCertificate>,
    expected: HashMap<String, Secret>,
    seen: Seen,
    counters: Counters,
}

impl Receiver {
    /// A receiver that believes what is meant for one of `trusted`; `login` is the sign-in address of their cloud.
    pub fn new(
        login: impl Into<String>,
        trusted: impl IntoIterator<Item = TrustedApplication>,
    ) -> Self {
        Self {
            trusted: trusted.into_iter().collect(),
            login: login.into(),
            keys: KeySet::default(),
            verified: HashMap::new(),
            certificates: HashMap::new(),
            expected: HashMap::new(),
            seen: Seen::default(),
            counters: Counters::default(),
        }
    }

    /// Adds a certificate by the id under which subscriptions name it. The old one stays until it is removed, for both
    /// occur while they are changed.
    pub fn add_certificate(&mut self, id: impl Into<String>, certificate: KeyedCertificate) {
        self.certificates.insert(id.into(), certificate);
    }

    /// Forgets a certificate, an hour after the last subscription that names it.
    pub fn remove_certificate(&mut self, id: &str) {
        self.certificates.remove(id);
    }

    /// Notifications of this subscription are ours if they carry this `clientState`.
    pub fn expect(&mut self, subscription: impl Into<String>, client_state: Secret) {
        self.expected.insert(subscription.into(), client_state);
    }

    /// Of all subscriptions exactly these are ours, all with one `clientState`.
    pub fn expect_only<'a>(
        &mut self,
        subscriptions: impl IntoIterator<Item = &'a str>,
        client_state: &Secret,
    ) {
        let expect = |id: &str| (id.to_owned(), client_state.clone());
        self.expected = subscriptions.into_iter().map(expect).collect();
    }

    /// Notifications of this subscription are ignored from now on.
    pub fn forget(&mut self, subscription: &str) {
        self.expected.remove(subscription);
    }

    /// True if Entra's keys should be fetched although nobody asked: there are none yet, or they are a day old.
    pub fn keys_due(&self, now: i64) -> bool {
        self.keys.is_due(now)
    }

    /// Entra's keys were fetched.
    pub fn set_keys(&mut self, now: i64, keys: SigningKeys) {
        self.verified.clear();
        self.keys.replace(now, keys);
    }

    /// Entra's keys could not be fetched; [`Receiver::keys_due`] says when to try again.
    pub fn keys_failed(&mut self, now: i64) {
        self.keys.fetch_failed(now);
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Reads a POST's body. Never fails: what cannot be believed is counted.
    pub fn receive(&mut self, now: i64, body: &[u8]) -> ReceiveResult {
        if body.len() > BODY_MAX {
            self.counters.too_large += 1;
            return ReceiveResult::Events(Vec::new());
        }
        let Ok(body) = serde_json::from_slice::<Body>(body) else {
            self.counters.malformed += 1;
            return ReceiveResult::Events(Vec::new());
        };
        let tokens = body.validation_tokens.unwrap_or_default();
        if body.value.len() > ITEMS_MAX || tokens.len() > TOKENS_MAX {
            self.counters.too_large += 1;
            return ReceiveResult::Events(Vec::new());
        }
        // Counted at the end, for the same body may come again after the keys were fetched.
        let mut counters = self.counters;
        let mut items = Vec::with_capacity(body.value.len());
        for value in body.value {
            match serde_json::from_value::<Item>(value) {
                Err(_) => counters.malformed += 1,
                Ok(item) if self.is_expected(&item, &mut counters) => items.push(item),
                Ok(_) => {}
            }
        }
        if items.is_empty() {
            // Whoever does not know a subscription's secret does not even make us verify a token.
            self.counters = counters;
            return ReceiveResult::Events(Vec::new());
        }
        let tenants = match self.verify_all(&tokens, now) {
            Ok(tenants) => tenants,
            Err(Refusal::UnknownKey) if self.keys.begin_fetch(now) => {
                return ReceiveResult::KeysNeeded;
            }
            Err(_) => {
                counters.forged += items.len() as u64;
                self.counters = counters;
                return ReceiveResult::Events(Vec::new());
            }
        };
        self.counters = counters;
        let events = items
            .into_iter()
            .filter_map(|item| self.read(item, &tenants));
        ReceiveResult::Events(events.collect())
    }

    /// Whether the item carries the `clientState` of its subscription.
    fn is_expected(&self, item: &Item, counters: &mut Counters) -> bool {
        let Some(expected) = self.expected.get(&item.subscription_id) else {
            counters.unknown_subscription += 1;
            return false;
        };
        let given = item.client_state.as_deref().unwrap_or_default().as_bytes();
        let same = bool::from(expected.reveal().as_bytes().ct_eq(given));
        if !same {
            counters.wrong_client_state += 1;
        }
        same
    }

    /// The tenants for which there are tokens; one bad token makes the whole POST suspicious.
    fn verify_all(&mut self, tokens: &[String], now: i64) -> Result<Vec<String>, Refusal> {
        let mut tenants = Vec::with_capacity(tokens.len());
        let mut unknown_key = false;
        for token in tokens {
            let name = digest(token);
            if let Some(verified) = self.verified.get(&name)
                && verified.holds(now)
            {
                tenants.push(verified.tenant_id.clone());
                continue;
            }
            match token::verify(token, &self.keys, &self.trusted, &self.login, now) {
                Ok(verified) => {
                    if self.verified.len() >= VERIFIED_MAX {
                        self.verified.clear();
                    }
                    tenants.push(verified.tenant_id.clone());
                    self.verified.insert(name, verified);
                }
                Err(Refusal::UnknownKey) => unknown_key = true,
                Err(Refusal::Forged) => return Err(Refusal::Forged),
            }
        }
        if unknown_key {
            return Err(Refusal::UnknownKey);
        }
        Ok(tenants)
    }

    /// One item of a POST whose tokens hold.
    fn read(&mut self, item: Item, tenants: &[String]) -> Option<Event> {
        if let Some(event) = item.lifecycle_event {
            self.counters.lifecycle += 1;
            return Some(Event::Lifecycle(Lifecycle {
                subscription: item.subscription_id,
                kind: match event.as_str() {
                    "reauthorizationRequired" => LifecycleKind::ReauthorizationRequired,
                    "subscriptionRemoved" => LifecycleKind::SubscriptionRemoved,
                    "missed" => LifecycleKind::Missed,
                    _ => LifecycleKind::Other(event),
                },
                expires: item
                    .subscription_expiration_date_time
                    .as_deref()
                    .and_then(parse_milliseconds),
            }));
        }
        let presence = match &item.encrypted_content {
            None => None,
            Some(content) => {
                let covered = match &item.tenant_id {
                    Some(tenant) => tenants
                        .iter()
                        .any(|known| known.eq_ignore_ascii_case(tenant)),
                    None => !tenants.is_empty(),
                };
                if !covered {
                    self.counters.forged += 1;
                    return None;
                }
                Some(self.open(content)?)
            }
        };
        let named = item.user();
        let inside = presence.as_ref().and_then(|presence| presence.id.clone());
        // The outer id is not covered by the signature: it must not turn one person's presence into another's.
        let user = match (named, inside) {
            (Some(named), Some(inside)) if named != inside => None,
            (named, inside) => inside.or(named),
        };
        let Some(user) = user else {
            self.counters.malformed += 1;
            return None;
        };
        self.counters.notices += 1;
        if let Some(content) = &item.encrypted_content {
            self.seen.remember(&content.data_signature);
        }
        let presence = presence.unwrap_or_default();
        Some(Event::Notice(Notice {
            subscription: item.subscription_id,
            user,
            availability: presence.availability,
            activity: presence.activity,
            sequence: text(presence.sequence),
            etag: text(presence.etag).or_else(|| text(presence.odata_etag)),
        }))
    }

    /// Opens an item's content.
    fn open(&mut self, content: &EncryptedContent) -> Option<Presence> {
        // Only signatures that held are remembered, so nobody can make us miss an item that is still to come.
        if self.seen.contains(&content.data_signature) {
            self.counters.duplicates += 1;
            return None;
        }
        let certificate = self
            .certificates
            .get(&content.encryption_certificate_id)
            .filter(|certificate| {
                let named = content.encryption_certificate_thumbprint.as_deref();
                named.is_none_or(|named| named.eq_ignore_ascii_case(certificate.thumbprint()))
            });
        let Some(certificate) = certificate else {
            self.counters.unknown_certificate += 1;
            return None;
        };
        let count = match decrypt::open(certificate.decrypting(), content) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(presence) => return Some(presence),
                Err(_) => &mut self.counters.malformed,
            },
            Err(Failure::Malformed) => &mut self.counters.malformed,
            Err(Failure::Signature) => &mut self.counters.bad_signature,
            Err(Failure::Undecryptable) => &mut self.counters.undecryptable,
        };
        *count += 1;
        None
    }
}

fn digest(token: &str) -> [u8; SHA256_OUTPUT_LEN] {
    let mut name = [0; SHA256_OUTPUT_LEN];
    name.copy_from_slice(aws_lc_rs::digest::digest(&SHA256, token.as_bytes()).as_ref());
    name
}
