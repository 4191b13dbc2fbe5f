//! Who watches whom: the person behind a request, the level at which a watcher sees a person, and the documents about a person.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use presence::{Fact, Input, LineId, LineState, PersonId, Relationship, View, view};
use sip::{
    Transport,
    agent::{
        Admission, AdmissionError, Class, Document, Host, Member, Package, Peer, Publication,
        PublicationId, Resource, Watcher,
    },
    digest::{Algorithm, Refusal, Verifier},
    message::{Message, NameAddr, StartLine},
    uri::user,
};
use telephony::sip_server::{Flow, dialog_flow};

use super::{
    documents, lists,
    options::{PhoneAccount, PhonesOptions},
    publications,
    resources::{is_list, list, resource},
    sender::{account, foreign_extension, identities, usernames},
};
use crate::{
    context::Context,
    engine_handle::Cause,
    rate_limit::RateLimit,
    secrets,
    sign_in_record::{Outcome, SignIn, Way},
};
use store::SecretHash;

/// Requests that one address may send in a second, in the long run. An office behind one address has hundreds of telephones,
/// which all begin anew after a power cut.
const PER_SECOND: f64 = 1_000.0;
/// Requests that it may send at once after having been quiet.
const BURST: f64 = 10_000.0;
/// Wrong passwords for one account from one address: a telephone tries one for each of its keys.
const WRONG_PASSWORDS: f64 = 100.0;
/// Seconds between two lines of the log about an account that speaks for another extension.
const FOREIGN_INTERVAL_SECONDS: f64 = 600.0;
/// Longest duration of a subscription, in seconds.
pub(super) const SUBSCRIPTION_SECONDS_MAX: u32 = 3_600;
/// Somebody who is nobody's extension.
const STRANGER: Watcher = Watcher(u32::MAX);

/// Receives a person whom a phone watches, and the longest time until the subscription ends or is refreshed: sources read
/// watched people more often.
pub type OnWatched = Arc<dyn Fn(PersonId, Duration) + Send + Sync>;

/// Who may watch whom. Resources and watchers are numbered by the ids of people.
pub(super) struct WatcherPolicy {
    pub(super) context: Context,
    pub(super) options: PhonesOptions,
    on_watched: OnWatched,
    verifier: Verifier,
    /// What addresses that are not trusted have left, in requests.
    limit: RateLimit<IpAddr>,
    /// What accounts have left at each address, in wrong passwords; one a second comes back.
    wrong_passwords: RateLimit<(SecretHash, IpAddr)>,
    /// Accounts of which it may be logged that they speak for another extension.
    foreign: RateLimit<String>,
    documents: DocumentCache,
    /// Connections whose peers have shown who they are.
    pub(super) known: HashSet<Flow>,
    /// Those that somebody has watched.
    pub(super) lists: BTreeSet<Resource>,
    /// What telephones publish, for those that only say that it goes on.
    published: HashMap<PublicationId, (LineState, Option<Arc<str>>)>,
}

/// Why a request has no account.
enum NotSignedIn {
    /// Too many passwords were wrong: this one was not looked at.
    TooMany,
    /// The credentials do not do.
    Refused(Refusal),
}

impl From<Refusal> for NotSignedIn {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The documents about one person: those who watch are told one after the other.
#[derive(Default)]
struct DocumentCache {
    about: Option<Resource>,
    made: HashMap<(Package, Class), Arc<Document>>,
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

    /// What is told of a person has changed.
    pub(super) fn forget(&mut self, resource: Resource) {
        if self.documents.about == Some(resource) {
            self.documents = DocumentCache::default();
        }
    }

    /// Whether a request from there is looked at now.
    pub(super) fn admits(&mut self, now: Duration, peer: Peer<Flow>) -> bool {
        if self.trusts(peer) {
            self.know(peer);
            return true;
        }
        self.limit.take(now, sip::network(peer.source.ip()), 1.0)
    }

    /// The peer of a connection has shown who it is.
    fn know(&mut self, peer: Peer<Flow>) {
        if let Flow::Connection(..) = peer.flow {
            self.known.insert(peer.flow);
        }
    }

    /// Whether whoever asks from there is believed about who it is. Never what comes from a browser: it stands on the same
    /// machines as those that are trusted, and any page that is open in it may ask.
    pub(super) fn trusts(&self, peer: Peer<Flow>) -> bool {
        if is_browser(peer.transport) {
            return false;
        }
        let address = peer.source.ip().to_canonical();
        let mut trusted = self.options.trusted.iter();
        trusted.any(|network| network.contains(&address))
    }

    /// Marks a person as watched until the subscription must be renewed: the sweep reads watched people more often.
    fn watch(&self, resource: Resource) {
        let person = PersonId(resource.0.into());
        let lasts = Duration::from_secs(SUBSCRIPTION_SECONDS_MAX.into());
        (self.on_watched)(person, lasts);
    }

    /// The watcher that a trusted peer vouches for: the first asserted identity that is an extension (RFC 3325 §9.1: there may be
    /// one of `sip:` and one of `tel:`), or without any the sender.
    fn vouched_for(&self, request: &Message<'_>) -> Watcher {
        let identities = identities(request);
        let mut people = identities
            .iter()
            .filter_map(|identity| self.context.people.by_address(identity));
        watcher_of(people.next())
    }

    /// How much of a person a watcher may see.
    fn level(&self, resource: Resource, watcher: Watcher) -> Relationship {
        if watcher == STRANGER {
            return self.options.others;
        }
        let (owner, viewer) = (PersonId(resource.0.into()), PersonId(watcher.0.into()));
        if owner == viewer {
            return Relationship::AssistantPlus;
        }
        let organisation = &self.context.organisation;
        organisation.read(|tables| tables.relationship(owner, viewer))
    }

    /// The account whose phone sends a request, or why none.
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
            // S19: no new challenge would make the credentials fit this request.
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

    /// Who asks: the extension that a trusted peer vouches for, or that of the account that the password belongs to.
    fn watcher(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        request: &Message<'_>,
    ) -> Result<Watcher, AdmissionError> {
        if self.trusts(peer) {
            return Ok(self.vouched_for(request));
        }
        let extension = self.authenticated(now, peer, request)?.extension.clone();
        Ok(watcher_of(self.context.people.by_extension(&extension)))
    }

    /// The account that the password of a request belongs to. S12: each wrong password is logged, and counted for the name that
    /// it was checked for; for a name that has none left no password is looked at.
    fn signed_in(
        &mut self,
        now: Duration,
        source: IpAddr,
        request: &Message<'_>,
    ) -> Result<String, NotSignedIn> {
        let accounts = &self.options.accounts;
        let password = |name: &str| Some(account(accounts, name)?.credentials.password.as_str());
        // By the hash: all names take the same memory.
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

    /// What a request names: in the Request-URI, or within a dialog, where that is our own address, in To.
    fn named(&self, request: &Message<'_>) -> Option<Resource> {
        let StartLine::Request { uri, .. } = request.start() else {
            return None;
        };
        let to = request.header("To")?;
        let to = NameAddr::parse(&to).map(|address| address.uri);
        let named = match request.to_tag() {
            None if user(uri).is_some() => uri,
            // Proxies may have put anything into the Request-URI that leads to us.
            _ => to?,
        };
        match self.context.people.by_address(named) {
            Some((person, _)) => resource(person),
            None => list(&user(named)?),
        }
    }

    /// About whom something is asked or told, and by whom.
    fn asked(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        request: &Message<'_>,
    ) -> Result<(Resource, Watcher), AdmissionError> {
        let watcher = self.watcher(now, peer, request)?;
        let resource = self.named(request).ok_or(AdmissionError::Refuse(404))?;
        Ok((resource, watcher))
    }

    fn make(&self, resource: Resource, package: Package, class: Class) -> Option<Document> {
        let person = self.context.people.person(PersonId(resource.0.into()))?;
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

/// Whether requests that come this way come from a browser.
pub(super) fn is_browser(transport: Transport) -> bool {
    match transport {
        Transport::WebSocket | Transport::SecureWebSocket => true,
        Transport::Udp | Transport::Tcp | Transport::Tls => false,
    }
}

/// The algorithms that are offered to accounts without their own (see [`PhonesOptions::algorithms`]).
fn offered_by_default(options: &PhonesOptions, transport: Transport) -> &[Algorithm] {
    match &options.algorithms {
        Some(algorithms) => algorithms,
        None if is_browser(transport) => &[Algorithm::Md5],
        None => &Algorithm::ALL,
    }
}

/// The number of a watcher for the agent.
fn watcher_of(person: Option<(PersonId, LineId)>) -> Watcher {
    let resource = person.and_then(|(person, _)| resource(person));
    resource.map_or(STRANGER, |resource| Watcher(resource.0))
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
        match self.asked(now, peer, request) {
            Ok((list, watcher)) if is_list(list) => {
                // Nobody fills our memory with lists that are none.
                let Some(members) = self.members(list, watcher) else {
                    return Admission::Refuse(404);
                };
                for member in members {
                    self.watch(member.resource);
                }
                self.lists.insert(list);
                Admission::WatchList(list, watcher)
            }
            Ok((resource, watcher)) => {
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

    fn class(&mut self, resource: Resource, watcher: Watcher) -> Option<Class> {
        Some(Class(self.level(resource, watcher) as u8))
    }

    fn members(&mut self, list: Resource, watcher: Watcher) -> Option<Vec<Member>> {
        lists::members(&self.context, &self.options, list, watcher)
    }

    fn document(
        &mut self,
        resource: Resource,
        package: Package,
        class: Class,
    ) -> Option<Arc<Document>> {
        if self.documents.about != Some(resource) {
            self.documents = DocumentCache {
                about: Some(resource),
                ..DocumentCache::default()
            };
        }
        if let Some(document) = self.documents.made.get(&(package, class)) {
            return Some(document.clone());
        }
        let document = Arc::new(self.make(resource, package, class)?);
        self.documents
            .made
            .insert((package, class), document.clone());
        Some(document)
    }

    fn admit_publication(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        request: &Message<'_>,
        _: Package,
    ) -> Admission {
        let (resource, publisher) = match self.asked(now, peer, request) {
            Ok(asked) => asked,
            Err(reason) => return reason.into(),
        };
        if is_list(resource) {
            return Admission::Refuse(403);
        }
        // A telephone speaks for its own person; the telephone system for everybody.
        let own = publisher.0 == resource.0;
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
        let lease = publication.until.saturating_sub(now);
        let until = match publication.body {
            None => self.context.clock.now(),
            Some(_) => self.context.clock.now() + lease,
        };
        let person = PersonId(publication.resource.0.into());
        let fact = Fact::Line {
            line,
            state,
            until,
            party: party.clone(),
        };
        let heard = Cause::Pbx(tokio::time::Instant::now());
        let input = Input::Person(person, fact);
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
