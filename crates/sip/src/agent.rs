//! The presence agent: answers SUBSCRIBE and notifies watchers (RFC 6665 §4.2), as a pure state machine built for fan-out.
//!
//! It answers SUBSCRIBE, PUBLISH, REGISTER and OPTIONS, keeps the subscriptions, and sends NOTIFY at the beginning, at every change
//! and at the end. Permissions and documents come from a [`Host`]. At most one NOTIFY of a subscription is under way; later
//! changes follow together after its answer, so that a slow watcher delays only itself and always ends with the latest state.
//!
//! A document is written once for all watchers of a class and copied into each NOTIFY; a subscription takes about 300 bytes and is
//! found by a number in its tag and branches, not by a map. All bytes of one step go into one [`Outbox`], so that a shell can hand
//! many datagrams to the operating system at once.
//!
//! # Being watched
//! A phone subscribes to a person's presence, gets the document at once, and another one at each change.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use sip::{
//!     Transport,
//!     agent::{
//!         Admission, Agent, Class, Document, Host, Outbox, Package, Peer, Publication, Resource, Settings, Watcher,
//!     },
//!     ids::Ids,
//!     message::{Message, Writer, answer},
//!     presence_info::{Activity, PresenceInfo},
//! };
//!
//! /// One person; every phone may watch.
//! struct Anna {
//!     activities: Vec<Activity>,
//! }
//!
//! impl Host<u8> for Anna {
//!     fn admit(&mut self, _: Duration, _: Peer<u8>, _: &Message<'_>, _: Package) -> Admission {
//!         Admission::Watch(Resource(1), Class(0), None)
//!     }
//!     fn class(&mut self, _: Resource, _: Option<Watcher>) -> Option<Class> {
//!         Some(Class(0))
//!     }
//!     fn document(&mut self, _: Resource, _: Package, _: Class) -> Option<Arc<Document>> {
//!         let info = PresenceInfo {
//!             entity: "sip:anna@example.com".into(),
//!             open: true,
//!             activities: self.activities.clone(),
//!             note: None,
//!         };
//!         Some(Arc::new(Document::new(info.to_xml().into_bytes())))
//!     }
//!     fn admit_publication(&mut self, _: Duration, _: Peer<u8>, _: &Message<'_>, _: Package) -> Admission {
//!         Admission::Refuse(403)
//!     }
//!     fn on_publication(&mut self, _: Duration, _: Publication<'_>) -> Result<(), u16> {
//!         Ok(())
//!     }
//! }
//!
//! let settings = Settings {
//!     address: "192.0.2.1:5080".into(),
//!     tls_address: None,
//!     websocket_address: None,
//!     packages: vec![Package::Presence],
//!     min_expires: 60,
//!     max_expires: 3_600,
//!     max_publication: 600,
//!     subscriptions_max: 1_000,
//!     subscriptions_per_source_max: 100,
//!     publications_max: 0,
//! };
//! let mut agent = Agent::new(settings, Ids::new([7; 32]));
//! let mut anna = Anna { activities: Vec::new() };
//! let phone = Peer { flow: 1, transport: Transport::Udp, source: ([192, 0, 2, 7], 5060).into() };
//! let subscribe = Writer::request("SUBSCRIBE", "sip:anna@example.com")
//!     .header("Via", "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1")
//!     .header("Max-Forwards", 70)
//!     .header("From", "<sip:ben@example.com>;tag=phone")
//!     .header("To", "<sip:anna@example.com>")
//!     .header("Call-ID", "1")
//!     .header("CSeq", "1 SUBSCRIBE")
//!     .header("Contact", "<sip:192.0.2.7:5060>")
//!     .header("Event", "presence")
//!     .header("Expires", 600)
//!     .finish()?;
//!
//! let mut out = Outbox::default();
//! let now = Duration::from_secs(1);
//! agent.receive(now, phone, &Message::parse(&subscribe)?, &mut anna, &mut out);
//! let sent: Vec<Vec<u8>> = out.messages().map(|(_, bytes)| bytes.to_vec()).collect();
//! let [ok, notify] = &sent[..] else {
//!     return Err("not an answer and a NOTIFY".into());
//! };
//! assert_eq!(Message::parse(ok)?.code(), Some(200));
//! let notify = Message::parse(notify)?;
//! assert_eq!(PresenceInfo::parse(notify.body())?.activities, []);
//!
//! // The phone answers; then Anna's presence changes.
//! let answer = answer(&notify, 200, None).finish()?;
//! agent.receive(now, phone, &Message::parse(&answer)?, &mut anna, &mut out);
//! anna.activities.push(Activity::OnThePhone);
//! out.clear();
//! agent.notify_watchers(now, Resource(1), &mut anna, &mut out);
//! let (_, notify) = out.messages().next().ok_or("no NOTIFY")?;
//! let document = PresenceInfo::parse(Message::parse(notify)?.body())?;
//! assert_eq!(document.activities, [Activity::OnThePhone]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod document;
mod host;
mod list;
mod notify;
mod publish;
mod register;
mod settings;
mod store;
mod subscribe;
mod timers;

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, SocketAddr},
    ops::Range,
    time::Duration,
};

pub use document::Document;
pub use host::{Admission, AdmissionError, Class, Host, ListId, Package, Resource, Watcher};
pub use list::{MEMBERS_MAX, Member};
use publish::Publications;
pub use publish::{Publication, PublicationId};
pub use settings::Settings;
use store::{Store, Subject, Watched};
use timers::Timers;

use crate::{
    Transport,
    ids::Ids,
    message::{Message, Writer, answer_to},
    network,
    request::fault,
    transaction::RecentResponses,
};

/// Answers kept for requests that are repeated over UDP: more than arrive within a round trip.
const RECENT_MAX: usize = 4_096;

/// Supported extensions, as option tags (RFC 3261 §19.2).
pub const SUPPORTED: &[&str] = &[crate::resource_list::EVENT_LIST];

/// Methods of the Allow header.
const ALLOW: &str = "OPTIONS, SUBSCRIBE, PUBLISH, REGISTER";

/// The source of a message, with the flow for its answers: an address or a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer<F> {
    /// The shell's name for the address or connection.
    pub flow: F,
    /// The transport of the flow.
    pub transport: Transport,
    /// The source address of the message.
    pub source: SocketAddr,
}

/// Messages to send, all of one step, in one buffer.
#[derive(Debug)]
pub struct Outbox<F> {
    bytes: Vec<u8>,
    messages: Vec<(F, Range<usize>)>,
}

impl<F> Default for Outbox<F> {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            messages: Vec::new(),
        }
    }
}

impl<F: Copy> Outbox<F> {
    /// The messages in order, each with its flow.
    pub fn messages(&self) -> impl Iterator<Item = (F, &[u8])> {
        self.messages
            .iter()
            .filter_map(|(to, range)| Some((*to, self.bytes.get(range.clone())?)))
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Removes all messages; the memory is kept for the next step.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.messages.clear();
    }

    /// Adds a message.
    pub fn push(&mut self, to: F, message: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(message);
        self.messages.push((to, start..self.bytes.len()));
    }
}

/// All subscriptions to the resources of one host, and the publications for them.
#[derive(Debug)]
pub struct Agent<F> {
    settings: Settings,
    ids: Ids,
    store: Store<F>,
    timers: Timers,
    publications: Publications,
    recent: RecentResponses,
    per_flow: HashMap<F, usize>,
    per_source: HashMap<IpAddr, usize>,
    /// Buffer for headers, kept to save allocations.
    scratch: Vec<u8>,
}

impl<F: Copy + Eq + std::hash::Hash> Agent<F> {
    /// An agent without subscriptions.
    pub fn new(settings: Settings, mut ids: Ids) -> Self {
        Self {
            publications: Publications::new(settings.publications_max),
            store: Store::new(),
            timers: Timers::default(),
            recent: RecentResponses::new(RECENT_MAX),
            per_flow: HashMap::new(),
            per_source: HashMap::new(),
            scratch: Vec::new(),
            ids: ids.fork(),
            settings,
        }
    }

    /// Number of subscriptions.
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether there is no subscription.
    pub fn is_empty(&self) -> bool {
        self.store.len() == 0
    }

    /// Whether the list has a watcher.
    pub fn is_list_watched(&self, list: ListId) -> bool {
        self.store.watcher(Watched::List(list), 0).is_some()
    }

    /// Number of publications.
    pub fn publications(&self) -> usize {
        self.publications.len()
    }

    /// When [`Self::elapse`] is due.
    pub fn next_deadline(&self) -> Option<Duration> {
        [self.timers.next(), self.publications.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Handles a message and appends the answers and NOTIFYs to `out`.
    pub fn receive(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        message: &Message<'_>,
        host: &mut impl Host<F>,
        out: &mut Outbox<F>,
    ) {
        let Some(method) = message.method() else {
            return self.on_response(now, message, host, out);
        };
        // ACK is never answered (RFC 3261 §17).
        if method == "ACK" {
            return;
        }
        if message.header("Via").is_none() {
            // Without Via there is no address for an answer.
            return;
        }
        if let Some(fault) = fault(message, SUPPORTED) {
            let answer = fault.answer(message, peer.source, &self.ids.tag());
            if let Ok(bytes) = answer.finish() {
                out.push(peer.flow, &bytes);
            }
            return;
        }
        let Some(key) = recent_key(peer.source, method, message) else {
            return;
        };
        if let Some(given) = self.recent.find(&key) {
            return out.push(peer.flow, given);
        }
        let accepts = matches!(method, "SUBSCRIBE" | "PUBLISH" | "REGISTER");
        let (response, subscription) = match method {
            "SUBSCRIBE" => self.on_subscribe(now, peer, message, host),
            "PUBLISH" => (self.on_publish(now, peer, message, host), None),
            "OPTIONS" => {
                let allowed = self.reply(peer, message, 200).header("Allow", ALLOW);
                (allowed.header("Allow-Events", self.allow_events()), None)
            }
            "REGISTER" => (self.on_register(now, peer, message, host), None),
            // Every request is answered at once with a final response: nothing is left to cancel (RFC 3261 §9.2).
            "CANCEL" => (self.reply(peer, message, 481), None),
            "INVITE" | "NOTIFY" | "BYE" | "MESSAGE" | "INFO" | "UPDATE" | "REFER" | "PRACK" => {
                (self.reply(peer, message, 405).header("Allow", ALLOW), None)
            }
            _ => (self.reply(peer, message, 501), None),
        };
        if let Ok(bytes) = response.finish() {
            out.push(peer.flow, &bytes);
            // A repeated refused request is refused again, which costs nothing.
            let is_accepted = accepts && bytes.starts_with(b"SIP/2.0 2");
            if is_accepted && !peer.transport.is_reliable() {
                self.recent.remember(now, key, bytes);
            }
        }
        if let Some(id) = subscription {
            self.notify(now, id, host, out);
        }
    }

    /// Notifies all watchers of a resource, which has changed.
    pub fn notify_watchers(
        &mut self,
        now: Duration,
        resource: Resource,
        host: &mut impl Host<F>,
        out: &mut Outbox<F>,
    ) {
        let watched = Watched::Resource(resource);
        let mut at = 0;
        // A watcher that is removed here is replaced by the last one, which moves to the same position.
        while let Some(id) = self.store.watcher(watched, at) {
            let subject = self.store.get_mut(id).map(|s| &mut s.subject);
            if let Some(Subject::List(list)) = subject {
                list.touch(resource);
            }
            self.notify(now, id, host, out);
            if self.store.watcher(watched, at) == Some(id) {
                at += 1;
            }
        }
    }

    /// Looks up the class of each watcher again after a change of permissions: watchers of a new class get its document,
    /// watchers without permission get their last NOTIFY.
    pub fn reclassify(
        &mut self,
        now: Duration,
        resource: Resource,
        host: &mut impl Host<F>,
        out: &mut Outbox<F>,
    ) {
        let watched = Watched::Resource(resource);
        let mut changed = Vec::new();
        let mut at = 0;
        while let Some(id) = self.store.watcher(watched, at) {
            at += 1;
            if let Some(subscription) = self.store.get_mut(id) {
                let is_changed = match &mut subscription.subject {
                    Subject::List(list) => list.reclassify(resource, host),
                    Subject::Resource(_, class) => match host.class(resource, subscription.watcher)
                    {
                        Some(current) => std::mem::replace(class, current) != current,
                        None => {
                            subscription.ending = Some(notify::Ending::Rejected);
                            true
                        }
                    },
                };
                if is_changed {
                    changed.push(id);
                }
            }
        }
        for id in changed {
            self.notify(now, id, host, out);
        }
    }

    /// Handles deadlines that have passed: repetitions, expiries, NOTIFYs that waited for their interval.
    pub fn elapse(&mut self, now: Duration, host: &mut impl Host<F>, out: &mut Outbox<F>) {
        self.elapse_subscriptions(now, host, out);
        for publication in self.publications.expired(now) {
            // The publication has expired; the host's answer changes nothing.
            let _ = host.on_publication(now, publication.gone());
        }
    }

    /// Removes the subscriptions of a lost connection.
    pub fn flow_lost(&mut self, flow: F) {
        if !self.per_flow.contains_key(&flow) {
            return;
        }
        for id in self.store.of_flow(flow) {
            self.remove(id);
        }
    }

    /// Forgets all subscriptions and publications without a message, as a restart does.
    pub fn forget_all(&mut self) {
        self.store = Store::new();
        self.timers = Timers::default();
        self.publications = Publications::new(self.settings.publications_max);
        self.recent = RecentResponses::new(RECENT_MAX);
        self.per_flow.clear();
        self.per_source.clear();
    }

    fn remove(&mut self, id: u32) {
        if let Some(subscription) = self.store.remove(id) {
            let weight = subscription.weight();
            self.leave(subscription.flow, subscription.source, weight);
        }
    }

    /// Counts a subscription for its flow and source address.
    fn enter(&mut self, peer: Peer<F>, weight: usize) {
        *self.per_flow.entry(peer.flow).or_insert(0) += 1;
        *self
            .per_source
            .entry(network(peer.source.ip()))
            .or_insert(0) += weight;
    }

    /// Ends the count of a subscription.
    fn leave(&mut self, flow: F, source: IpAddr, weight: usize) {
        count_down(&mut self.per_flow, flow, 1);
        count_down(&mut self.per_source, network(source), weight);
    }

    fn reply(&mut self, peer: Peer<F>, request: &Message<'_>, code: u16) -> Writer {
        answer_to(request, code, Some(&self.ids.tag()), Some(peer.source))
    }

    fn challenge(
        &mut self,
        peer: Peer<F>,
        request: &Message<'_>,
        challenges: Vec<String>,
    ) -> Writer {
        let refusal = self.reply(peer, request, 401);
        challenges.into_iter().fold(refusal, |refusal, challenge| {
            refusal.header("WWW-Authenticate", challenge)
        })
    }

    fn allow_events(&self) -> String {
        let names: Vec<&str> = self.settings.packages.iter().map(|p| p.name()).collect();
        names.join(", ")
    }
}

fn count_down<K: Eq + std::hash::Hash>(counts: &mut HashMap<K, usize>, key: K, by: usize) {
    if let Entry::Occupied(mut entry) = counts.entry(key) {
        *entry.get_mut() = entry.get().saturating_sub(by);
        if *entry.get() == 0 {
            entry.remove();
        }
    }
}

/// Key of a transaction: a repeated request has the same (RFC 3261 §17.2.3), and a request of another source never does,
/// even with the same branch. `None`: the message is no request.
fn recent_key(source: SocketAddr, method: &str, message: &Message<'_>) -> Option<String> {
    let (call_id, cseq) = (message.call_id().ok()?, message.cseq().ok()?);
    // Requests older than RFC 3261 have no branch.
    let branch = message.branch().unwrap_or_default();
    let number = cseq.number;
    Some(format!("{source} {method} {number} {branch} {call_id}"))
}

fn contact(address: &str, transport: Transport) -> String {
    match transport {
        Transport::Udp => format!("<sip:{address}>"),
        other => format!("<sip:{address};transport={}>", other.uri_name()),
    }
}

#[cfg(test)]
mod tests;
