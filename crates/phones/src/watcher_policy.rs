//! Watching of people: the watcher behind a request, the level at which a watcher sees a person, and the documents about people.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use presence::{Fact, Input, LineChange, LineId, LineState, PersonId, Relationship, View, view};
use runtime::{
    context::Context,
    engine_handle::Cause,
    rate_limit::RateLimit,
    secrets,
    sign_in_record::{Outcome, SignIn, Way},
};
use secrecy::ExposeSecret;
use sip::{
    Transport,
    agent::{
        Admission, AdmissionError, Class, Document, Host, ListId, Member, Package, Peer,
        Publication, PublicationId, Resource, Watcher,
    },
    digest::{Algorithm, Refusal, Verifier},
    message::{Message, NameAddr, StartLine},
    uri::user,
};
use store::SecretHash;
use telephony::sip_server::{Flow, dialog_flow};

use super::{
    document_cache::DocumentCache,
    documents, lists,
    options::{PhoneAccount, PhonesOptions},
    publications,
    resources::{Subject, list, person, resource, viewer, watcher},
    sender::{account, foreign_extension, identities, usernames},
};

/// Requests per second that one address may send in the long run. An office behind one address has hundreds of phones, which all
/// subscribe again after a power cut.
const PER_SECOND: f64 = 1_000.0;
/// Requests that one address may send at once after a quiet time.
const BURST: f64 = 10_000.0;
/// Wrong passwords for one account from one address: a phone tries its password once for each key.
const WRONG_PASSWORDS: f64 = 100.0;
/// Seconds between two log lines about an account that names another extension.
const FOREIGN_INTERVAL_SECONDS: f64 = 600.0;
/// Longest duration of a subscription, in seconds.
pub(super) const SUBSCRIPTION_SECONDS_MAX: u32 = 3_600;

/// Receives a watched person, and the longest time until the subscription ends or is refreshed: sources read watched people more
/// often.
pub type OnWatched = Arc<dyn Fn(PersonId, Duration) + Send + Sync>;

/// Decides which people a watcher may see, and how much of them. A watcher without an extension of a person is unknown.
pub(super) struct WatcherPolicy {
    pub(super) context: Context,
    pub(super) options: PhonesOptions,
    on_watched: OnWatched,
    verifier: Verifier,
    /// Requests left for untrusted addresses.
    limit: RateLimit<IpAddr>,
    /// Wrong passwords left for an account at an address; one per second is added.
    wrong_passwords: RateLimit<(SecretHash, IpAddr)>,
    /// Limits the log lines about accounts that name another extension.
    foreign: RateLimit<String>,
    documents: DocumentCache,
    /// Connections with an authenticated peer.
    pub(super) known: HashSet<Flow>,
    /// Watched lists.
    pub(super) lists: BTreeSet<ListId>,
    /// Published states, for publications that are refreshed without a body.
    published: HashMap<PublicationId, (LineState, Option<Arc<str>>)>,
}

/// The reason why a request has no account.
enum NotSignedIn {
    /// Too many passwords were wrong: this one was not checked.
    TooMany,
    /// The credentials are missing or wrong.
    Refused(Refusal),
}

impl From<Refusal> for NotSignedIn {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl WatcherPolicy {
    pub(super) fn new(
        context: Context,
        options: PhonesOptions,
        on_watched: OnWatched,
        key: [u8; 32],
    ) -> Self {
        let own = options.accounts.iter().filter_map(|account| {
            let algorithms = account.algorithms.clone()?;
            Some((account.credentials.username.clone(), algorithms))
        });
        let own = own.collect();
        let algorithms = options.algorithms.clone();
        let algorithms = algorithms.unwrap_or_else(|| Algorithm::ALL.to_vec());
        let verifier = Verifier::new(options.domain.clone(), algorithms, key).with_accounts(own);
        Self {
            context,
            options,
            on_watched,
            verifier,
            limit: RateLimit::new(BURST, PER_SECOND),
            wrong_passwords: RateLimit::new(WRONG_PASSWORDS, 1.0),
            foreign: RateLimit::new(1.0, 1.0 / FOREIGN_INTERVAL_SECONDS),
            documents: DocumentCache::default(),
            known: HashSet::new(),
            lists: BTreeSet::new(),
            published: HashMap::new(),
        }
    }

    /// Drops the documents about a changed person.
    pub(super) fn forget(&mut self, resource: Resource) {
        self.documents.forget(resource);
    }

    /// Whether a request of a peer is handled; consumes one of the requests of an untrusted address.
    pub(super) fn admits(&mut self, now: Duration, peer: Peer<Flow>) -> bool {
        if self.trusts(peer) {
            self.know(peer);
            return true;
        }
        self.limit.take(now, sip::network(peer.source.ip()), 1.0)
    }

    /// Marks a connection as authenticated.
    fn know(&mut self, peer: Peer<Flow>) {
        if let Flow::Connection(..) = peer.flow {
            self.known.insert(peer.flow);
        }
    }

    /// Whether the identity that a peer asserts is trusted. Never that of a browser: it may run on a trusted machine, and any page
    /// that is open in it can send requests.
    pub(super) fn trusts(&self, peer: Peer<Flow>) -> bool {
        if is_browser(peer.transport) {
            return false;
        }
        let address = peer.source.ip().to_canonical();
        let mut trusted = self.options.trusted.iter();
        trusted.any(|network| network.contains(&address))
    }

    /// Reports a person as watched until the subscription must be refreshed.
    fn watch(&self, resource: Resource) {
        let lasts = Duration::from_secs(SUBSCRIPTION_SECONDS_MAX.into());
        (self.on_watched)(person(resource), lasts);
    }

    /// The watcher that a trusted peer asserts: the first asserted identity that is an extension (RFC 3325 §9.1: there may be a
    /// `sip:` and a `tel:` one), or without any the sender.
    fn asserted(&self, request: &Message<'_>) -> Option<Watcher> {
        let identities = identities(request);
        let mut people = identities
            .iter()
            .filter_map(|identity| self.context.people.by_address(identity));
        watcher_of(people.next())
    }

    /// The level at which a watcher sees a person.
    fn level(&self, resource: Resource, watcher: Option<Watcher>) -> Relationship {
        let Some(watcher) = watcher else {
            return self.options.others;
        };
        let (owner, viewer) = (person(resource), viewer(watcher));
        if owner == viewer {
            return Relationship::AssistantPlus;
        }
        let organisation = &self.context.organisation;
        organisation.read(|snapshot| snapshot.relationship(owner, viewer))
    }

    /// The account of the phone that sends a request.
    ///
    /// # Errors
    /// The refusal or challenge to answer with.
    fn authenticated(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        request: &Message<'_>,
    ) -> Result<&PhoneAccount, AdmissionError> {
        if self.options.accounts.is_empty() {
            return Err(AdmissionError::Refuse(403));
        }
        let source = peer.source.ip();
        let name = match self.signed_in(now, source, request) {
            Ok(name) => name,
            Err(NotSignedIn::TooMany) => return Err(AdmissionError::Refuse(503)),
            // No new challenge would make the credentials fit this request.
            Err(NotSignedIn::Refused(Refusal::OtherUri)) => {
                return Err(AdmissionError::Refuse(400));
            }
            Err(NotSignedIn::Refused(
                refusal @ (Refusal::Missing | Refusal::Stale | Refusal::Wrong { .. }),
            )) => {
                let named = self.verifier.username_of(request);
                let usernames = usernames(&self.options.accounts, named.as_deref(), request);
                let otherwise = offered_by_default(&self.options, peer.transport);
                let offered = self.verifier.algorithms_for(&usernames, otherwise);
                let verifier = &mut self.verifier;
                let challenges = verifier.challenge_with(now, source, &refusal, &offered);
                return Err(AdmissionError::Challenge(challenges));
            }
        };
        let own = account(&self.options.accounts, &name).ok_or(AdmissionError::Refuse(403))?;
        if let Some(other) = foreign_extension(request, own) {
            if self.foreign.take(now, name, 1.0) {
                let (account, extension) = (&own.credentials.username, &own.extension);
                let method = request.method().unwrap_or_default();
                tracing::warn!(%source, %method, "account {account} signs in as {other}, its extension is {extension}: refused with 403; correct the phone's user, or extension in [[sip.account]]");
            }
            return Err(AdmissionError::Refuse(403));
        }
        if let Flow::Connection(..) = peer.flow {
            self.known.insert(peer.flow);
        }
        Ok(own)
    }

    /// The watcher behind a request: the extension that a trusted peer asserts, or that of the account of the password.
    fn watcher(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        request: &Message<'_>,
    ) -> Result<Option<Watcher>, AdmissionError> {
        if self.trusts(peer) {
            return Ok(self.asserted(request));
        }
        let extension = self.authenticated(now, peer, request)?.extension.clone();
        Ok(watcher_of(self.context.people.by_extension(&extension)))
    }

    /// The account of the password of a request. Each wrong password is logged, and counted for the name it was checked for; after
    /// too many of them no password is checked for the name.
    fn signed_in(
        &mut self,
        now: Duration,
        source: IpAddr,
        request: &Message<'_>,
    ) -> Result<String, NotSignedIn> {
        let accounts = &self.options.accounts;
        let password = |name: &str| {
            Some(
                account(accounts, name)?
                    .credentials
                    .password
                    .expose_secret(),
            )
        };
        // Hashed, so that all names take the same memory.
        let key = |name: &str| (secrets::hash(name), sip::network(source));
        let note = |outcome, name: &str| {
            let sign_in = SignIn {
                way: Way::Sip,
                outcome,
                address: source,
                name,
            };
            self.context.sign_ins.log(&self.context.metrics, sign_in);
        };
        let claim = self.verifier.claim(request)?;
        let name = claim.username();
        if !self.wrong_passwords.has_left(now, &key(name)) {
            note(Outcome::TooMany, name);
            return Err(NotSignedIn::TooMany);
        }
        let verified = self.verifier.verify(now, source, request, claim, password);
        if let Err(Refusal::Wrong { username }) = &verified {
            note(Outcome::Wrong, username);
            self.wrong_passwords.take(now, key(username), 1.0);
        }
        Ok(verified?)
    }

    /// The person or workgroup of a request: named in the Request-URI, or, within a dialog, where that is the contact address, in To.
    fn named(&self, request: &Message<'_>) -> Option<Subject> {
        let StartLine::Request { uri, .. } = request.start() else {
            return None;
        };
        let to = request.header("To")?;
        let to = NameAddr::parse(&to).map(|address| address.uri);
        let named = match request.to_tag() {
            None if user(uri).is_some() => uri,
            // Proxies may have put any address of this server into the Request-URI.
            _ => to?,
        };
        match self.context.people.by_address(named) {
            Some((person, _)) => resource(person).map(Subject::Person),
            None => list(&user(named)?).map(Subject::Workgroup),
        }
    }

    /// The subject and the watcher of a request.
    fn requested(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        request: &Message<'_>,
    ) -> Result<(Subject, Option<Watcher>), AdmissionError> {
        let watcher = self.watcher(now, peer, request)?;
        let subject = self.named(request).ok_or(AdmissionError::Refuse(404))?;
        Ok((subject, watcher))
    }

    fn make(&self, resource: Resource, package: Package, class: Class) -> Option<Document> {
        let person = self.context.people.person(person(resource))?;
        let (_, extension) = person.lines.first()?;
        let entity = format!("sip:{extension}@{}", self.options.domain);
        let level = Relationship::ALL
            .into_iter()
            .find(|level| *level as u8 == class.0)
            .unwrap_or(Relationship::Unknown);
        let seen = match self.context.events.presence(person.id) {
            Some(presence) => view(&presence, level),
            None => View::offline(),
        };
        Some(match package {
            Package::Dialog => {
                let document = documents::dialog_info(&entity, &resource.0.to_string(), &seen);
                Document::versioned(document.to_xml().into_bytes())
            }
            Package::Presence => {
                let document = documents::presence_info(&entity, &seen);
                Document::new(document.to_xml().into_bytes())
            }
        })
    }
}

/// Whether requests over a transport come from a browser.
pub(super) fn is_browser(transport: Transport) -> bool {
    match transport {
        Transport::WebSocket | Transport::SecureWebSocket => true,
        Transport::Udp | Transport::Tcp | Transport::Tls => false,
    }
}

/// The algorithms for accounts without algorithms of their own (see [`PhonesOptions::algorithms`]).
fn offered_by_default(options: &PhonesOptions, transport: Transport) -> &[Algorithm] {
    match &options.algorithms {
        Some(algorithms) => algorithms,
        None if is_browser(transport) => &[Algorithm::Md5],
        None => &Algorithm::ALL,
    }
}

/// The watcher of an extension's person.
fn watcher_of(person: Option<(PersonId, LineId)>) -> Option<Watcher> {
    person.and_then(|(person, _)| watcher(person))
}

impl Host<Flow> for WatcherPolicy {
    fn is_trusted(&self, peer: Peer<Flow>) -> bool {
        self.trusts(peer)
    }

    fn admit(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        request: &Message<'_>,
        _: Package,
    ) -> Admission {
        match self.requested(now, peer, request) {
            Ok((Subject::Workgroup(list), watcher)) => {
                // Unknown lists are refused: they would fill the memory.
                let Some(members) = self.members(list, watcher) else {
                    return Admission::Refuse(404);
                };
                for member in members {
                    self.watch(member.resource);
                }
                self.lists.insert(list);
                Admission::WatchList(list, watcher)
            }
            Ok((Subject::Person(resource), watcher)) => {
                let class = Class(self.level(resource, watcher) as u8);
                self.watch(resource);
                Admission::Watch(resource, class, watcher)
            }
            Err(reason) => reason.into(),
        }
    }

    fn dialog_flow(&self, peer: Peer<Flow>, request: &Message<'_>) -> Flow {
        dialog_flow(peer, request)
    }

    fn class(&mut self, resource: Resource, watcher: Option<Watcher>) -> Option<Class> {
        Some(Class(self.level(resource, watcher) as u8))
    }

    fn members(&mut self, list: ListId, watcher: Option<Watcher>) -> Option<Vec<Member>> {
        lists::members(&self.context, &self.options, list, watcher)
    }

    fn document(
        &mut self,
        resource: Resource,
        package: Package,
        class: Class,
    ) -> Option<Arc<Document>> {
        if let Some(document) = self.documents.get(resource, package, class) {
            return Some(document);
        }
        let document = Arc::new(self.make(resource, package, class)?);
        self.documents.insert(resource, package, class, &document);
        Some(document)
    }

    fn admit_publication(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        request: &Message<'_>,
        _: Package,
    ) -> Admission {
        let (resource, publisher) = match self.requested(now, peer, request) {
            Ok((Subject::Person(resource), publisher)) => (resource, publisher),
            Ok((Subject::Workgroup(_), _)) => return Admission::Refuse(403),
            Err(reason) => return reason.into(),
        };
        // A phone publishes for its own person; the PBX for any person.
        let own = publisher.map(viewer) == Some(person(resource));
        if !own && !self.trusts(peer) {
            return Admission::Refuse(403);
        }
        Admission::Watch(resource, Class(0), publisher)
    }

    fn admit_registration(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        request: &Message<'_>,
    ) -> Result<(), AdmissionError> {
        if self.trusts(peer) {
            return Ok(());
        }
        self.authenticated(now, peer, request).map(drop)
    }

    fn on_publication(&mut self, now: Duration, publication: Publication<'_>) -> Result<(), u16> {
        let line = LineId::Published(publication.entity.0);
        let (state, party) = match publication.body {
            None => (LineState::Idle, None),
            Some([]) => match self.published.get(&publication.entity) {
                Some(same) => same.clone(),
                None => return Err(412),
            },
            Some(body) => publications::read(publication.package, body).ok_or(400u16)?,
        };
        let lease = match publication.body {
            None => Duration::ZERO,
            Some(_) => publication.until.saturating_sub(now),
        };
        let change = LineChange::State {
            state,
            party: party.clone(),
            lease,
        };
        let fact = Fact::Line(line, change);
        let heard = Cause::Pbx(tokio::time::Instant::now());
        let input = Input::Person(person(publication.resource), fact);
        if !self.context.engine.try_input(input, heard) {
            return Err(503);
        }
        if publication.body.is_some() {
            self.published.insert(publication.entity, (state, party));
        } else {
            self.published.remove(&publication.entity);
        }
        Ok(())
    }
}
