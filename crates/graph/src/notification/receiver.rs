//! Verifies notifications, and counts the ones that are dropped.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::{
    decrypt::{self, Failure},
    key_set::{KeySet, SigningKeys},
    replay::RecentSignatures,
    token::{self, Refusal, TrustedApplication, VerifiedToken},
    wire::{Body, EncryptedContent, Item, Presence, text},
};
use crate::{KeyedCertificate, time::parse_milliseconds};

/// Maximum length of a POST in bytes, enough for hundreds of changes.
const BODY_MAX: usize = 2 * 1024 * 1024;
/// Maximum number of items in a POST.
const ITEMS_MAX: usize = 2_000;
/// Maximum number of tokens in a POST. Graph sends one for each application and tenant.
const TOKENS_MAX: usize = 32;
/// Maximum number of cached tokens. Graph sends the same one for an hour.
const VERIFIED_MAX: usize = 64;

/// Notification of a changed presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Id of the subscription.
    pub subscription: String,
    /// Entra object id.
    pub user: String,
    /// Availability in Graph's words; `None` if the notification has no content, and the presence must be read.
    pub availability: Option<String>,
    /// Activity in Graph's words.
    pub activity: Option<String>,
    /// `sequenceNumber`, if Graph sends it.
    pub sequence: Option<String>,
    /// `etag`, if Graph sends it.
    pub etag: Option<String>,
}

/// Kind of a lifecycle event (Graph, "Reduce missing subscriptions and change notifications").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifecycleKind {
    /// Graph requires a new token, or it stops the delivery.
    ReauthorizationRequired,
    /// The subscription no longer exists.
    SubscriptionRemoved,
    /// Notifications were lost: read all people.
    Missed,
    /// An event that is not documented.
    Other(String),
}

/// A lifecycle event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// Id of the subscription.
    pub subscription: String,
    /// Kind of the event.
    pub kind: LifecycleKind,
    /// Time of expiry in milliseconds since 1970, if Graph sends it.
    pub expires: Option<i64>,
}

/// A verified item of a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The presence of a person changed.
    Notice(Notice),
    /// The state of a subscription changed.
    Lifecycle(Lifecycle),
}

/// Result of [`Receiver::receive`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiveResult {
    /// The verified items; all others were dropped and counted.
    Events(Vec<Event>),
    /// A token is signed with an unknown key: fetch the keys ([`crate::Client::signing_keys`]), pass them to
    /// [`Receiver::set_keys`] or call [`Receiver::keys_failed`], and pass the same body again. Returned at most every five
    /// minutes; nothing was counted.
    KeysNeeded,
}

/// Numbers of received and of dropped items by reason; some count POSTs, as their comments state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Notices of changed presence.
    pub notices: u64,
    /// Lifecycle events.
    pub lifecycle: u64,
    /// Items that were received before.
    pub duplicates: u64,
    /// POSTs that were too long or had too many items or tokens.
    pub too_large: u64,
    /// POSTs or items that differ from Graph's documentation.
    pub malformed: u64,
    /// Items of POSTs with tokens that are missing, invalid or of another tenant.
    pub forged: u64,
    /// Items of unknown or former subscriptions.
    pub unknown_subscription: u64,
    /// Items with a wrong `clientState`.
    pub wrong_client_state: u64,
    /// Items encrypted with an unknown certificate.
    pub unknown_certificate: u64,
    /// Items with a wrong HMAC.
    pub bad_signature: u64,
    /// Items that could not be decrypted.
    pub undecryptable: u64,
}

/// The reason why an item or a body was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// It had arrived before.
    Duplicate,
    /// The body is too large.
    TooLarge,
    /// It could not be read.
    Malformed,
    /// Its tokens are missing, invalid or of another tenant.
    Forged,
    /// Its subscription is unknown or ended.
    UnknownSubscription,
    /// Its `clientState` is wrong.
    WrongClientState,
    /// It is encrypted with an unknown certificate.
    UnknownCertificate,
    /// Its HMAC is wrong.
    BadSignature,
    /// It could not be decrypted.
    Undecryptable,
}

impl DropReason {
    /// Name in the log and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Forged => "forged",
            Self::UnknownSubscription => "unknown_subscription",
            Self::WrongClientState => "wrong_client_state",
            Self::UnknownCertificate => "unknown_certificate",
            Self::BadSignature => "bad_signature",
            Self::Undecryptable => "undecryptable",
        }
    }
}

impl Counters {
    /// The number of dropped items for each reason.
    pub fn dropped(&self) -> [(DropReason, u64); 9] {
        [
            (DropReason::Duplicate, self.duplicates),
            (DropReason::TooLarge, self.too_large),
            (DropReason::Malformed, self.malformed),
            (DropReason::Forged, self.forged),
            (DropReason::UnknownSubscription, self.unknown_subscription),
            (DropReason::WrongClientState, self.wrong_client_state),
            (DropReason::UnknownCertificate, self.unknown_certificate),
            (DropReason::BadSignature, self.bad_signature),
            (DropReason::Undecryptable, self.undecryptable),
        ]
    }
}

/// Receiver of notifications: bytes and times in, verified events out. Does no IO. Times are milliseconds since 1970.
#[derive(Debug)]
pub struct Receiver {
    trusted: Vec<TrustedApplication>,
    login: String,
    keys: KeySet,
    /// VerifiedToken tokens by SHA-256, so that no token is kept in memory.
    verified: HashMap<[u8; SHA256_OUTPUT_LEN], VerifiedToken>,
    certificates: HashMap<String, KeyedCertificate>,
    expected: HashMap<String, SecretString>,
    seen: RecentSignatures,
    counters: Counters,
}

impl Receiver {
    /// Creates a receiver that accepts notifications for the applications `trusted`; `login` is the sign-in address of
    /// their cloud.
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
            seen: RecentSignatures::default(),
            counters: Counters::default(),
        }
    }

    /// Adds a certificate under the id that subscriptions contain. During a change, old and new certificates are both in
    /// use.
    pub fn add_certificate(&mut self, id: impl Into<String>, certificate: KeyedCertificate) {
        self.certificates.insert(id.into(), certificate);
    }

    /// Removes a certificate. Wait for an hour after the last subscription with it.
    pub fn remove_certificate(&mut self, id: &str) {
        self.certificates.remove(id);
    }

    /// Accepts notifications of a subscription if they contain this `clientState`.
    pub fn expect(&mut self, subscription: impl Into<String>, client_state: SecretString) {
        self.expected.insert(subscription.into(), client_state);
    }

    /// Accepts notifications of exactly these subscriptions, all with one `clientState`.
    pub fn expect_only<'a>(
        &mut self,
        subscriptions: impl IntoIterator<Item = &'a str>,
        client_state: &SecretString,
    ) {
        let expect = |id: &str| (id.to_owned(), client_state.clone());
        self.expected = subscriptions.into_iter().map(expect).collect();
    }

    /// Drops notifications of this subscription from now on.
    pub fn forget(&mut self, subscription: &str) {
        self.expected.remove(subscription);
    }

    /// True if Entra's keys should be fetched without waiting for an unknown key: there are none yet, or they are a day
    /// old.
    pub fn keys_due(&self, now: i64) -> bool {
        self.keys.is_due(now)
    }

    /// Sets Entra's keys after a fetch.
    pub fn set_keys(&mut self, now: i64, keys: SigningKeys) {
        self.verified.clear();
        self.keys.replace(now, keys);
    }

    /// Records a failed fetch of Entra's keys; [`Receiver::keys_due`] is true again after 30 seconds.
    pub fn keys_failed(&mut self, now: i64) {
        self.keys.fetch_failed(now);
    }

    /// Numbers of items since the start.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Parses and verifies the body of a POST. Unverified items are dropped and counted.
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
        // Stored at the end, because the same body is passed again after the keys were fetched.
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
            // A sender who does not know the secret of a subscription cannot cause a verification of tokens.
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

    /// True if the item contains the `clientState` of its subscription.
    fn is_expected(&self, item: &Item, counters: &mut Counters) -> bool {
        let Some(expected) = self.expected.get(&item.subscription_id) else {
            counters.unknown_subscription += 1;
            return false;
        };
        let given = item.client_state.as_deref().unwrap_or_default().as_bytes();
        let same = bool::from(expected.expose_secret().as_bytes().ct_eq(given));
        if !same {
            counters.wrong_client_state += 1;
        }
        same
    }

    /// Tenants of the tokens; one forged token rejects the whole POST.
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

    /// Converts an item of a POST with valid tokens to an event.
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
        // The signature does not cover the outer id, which must not attribute one person's presence to another.
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

    /// Decrypts an item's content.
    fn open(&mut self, content: &EncryptedContent) -> Option<Presence> {
        // Only verified signatures are remembered, so that a forged item cannot suppress a genuine one.
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
