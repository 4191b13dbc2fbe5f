//! The notifier's side of subscriptions (RFC 6665 §4.2), as a pure state machine.
//!
//! It answers SUBSCRIBE and OPTIONS, keeps the subscriptions, and sends NOTIFY: at once, at every
//! change and at the end. What there is to tell comes from [`Resources`]; a [`Notifier`] knows
//! nothing of the event package. At most one NOTIFY per subscription is under way: what changes
//! meanwhile is told together after the answer, so a slow subscriber delays only itself and always
//! ends with the latest state.

mod subscribe;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::Transport;
use crate::digest::Verifier;
use crate::ids::Ids;
use crate::message::{Message, Writer, answer};
use crate::transaction::{ClientTransaction, Due, Progress, RecentResponses, TIMEOUT};

/// Answers kept for requests that are repeated over UDP: more than come in within a round trip.
const RECENT_MAX: usize = 4096;

/// What subscribers may watch.
pub trait Resources {
    /// The document about a resource (the user part of the Request-URI) with this version number,
    /// `None` if there is no such resource.
    fn document(&self, resource: &str, version: u64) -> Option<Vec<u8>>;
}

/// How a notifier behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The event package, such as `dialog`.
    pub event: String,
    /// The media type of its documents.
    pub content_type: String,
    /// Host and port at which the notifier is reached, for Via and Contact.
    pub address: String,
    /// Shorter subscriptions are refused with 423, except those that end at once.
    pub min_expires: u32,
    /// Longer ones are shortened.
    pub max_expires: u32,
    /// Most subscriptions that are kept; beyond, 503.
    pub subscriptions_max: usize,
    /// Digest for SUBSCRIBE; `None` lets everybody in.
    pub verifier: Option<Verifier>,
}

/// Where a message came from, and where answers go: an address or a connection, as the shell counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer<F> {
    /// The shell's name for it.
    pub flow: F,
    /// How it is reached.
    pub transport: Transport,
}

/// Bytes to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit<F> {
    /// Where to.
    pub to: F,
    /// A whole message.
    pub bytes: Vec<u8>,
}

/// One subscription (RFC 6665 §4.4.1).
#[derive(Debug)]
struct Subscription<F> {
    resource: String,
    peer: Peer<F>,
    call_id: String,
    /// Our From in NOTIFYs, without the tag: their To.
    local: String,
    local_tag: String,
    /// Their From, tag and all.
    remote: String,
    remote_tag: String,
    target: String,
    routes: Vec<String>,
    remote_cseq: u32,
    local_cseq: u32,
    version: u64,
    expires_at: Duration,
    pending: Option<ClientTransaction>,
    /// Something changed while a NOTIFY was under way.
    changed: bool,
    /// Why it ends with the next NOTIFY.
    ending: Option<&'static str>,
    /// Its entry in the list of deadlines.
    scheduled: Duration,
}

/// All subscriptions to one server's resources.
#[derive(Debug)]
pub struct Notifier<F> {
    settings: Settings,
    ids: Ids,
    subscriptions: BTreeMap<u64, Subscription<F>>,
    next_id: u64,
    by_tag: BTreeMap<String, u64>,
    by_resource: BTreeMap<String, BTreeSet<u64>>,
    deadlines: BTreeSet<(Duration, u64)>,
    recent: RecentResponses,
}

impl<F: Copy + Eq> Notifier<F> {
    /// A notifier without subscriptions.
    pub fn new(settings: Settings, ids: Ids) -> Self {
        Self {
            settings,
            ids,
            subscriptions: BTreeMap::new(),
            next_id: 0,
            by_tag: BTreeMap::new(),
            by_resource: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            recent: RecentResponses::new(RECENT_MAX),
        }
    }

    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.subscriptions.len()
    }

    /// Whether nobody watches.
    pub fn is_empty(&self) -> bool {
        self.subscriptions.is_empty()
    }

    /// When [`Self::elapse`] has something to do.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// A message arrived.
    pub fn receive(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        message: &Message<'_>,
        resources: &dyn Resources,
    ) -> Vec<Transmit<F>> {
        let mut out = Vec::new();
        let Some(method) = message.method() else {
            self.on_response(now, message, resources, &mut out);
            return out;
        };
        if method == "ACK" {
            // Never answered (RFC 3261 §17).
            return out;
        }
        let key = format!("{method} {}", message.branch().unwrap_or_default());
        if let Some(given) = self.recent.find(&key) {
            out.push(Transmit {
                to: peer.flow,
                bytes: given.to_vec(),
            });
            return out;
        }
        let (response, subscription) = match method {
            "SUBSCRIBE" => self.on_subscribe(now, peer, message, resources),
            "OPTIONS" => (
                self.reply(message, 200)
                    .header("Allow", "OPTIONS, SUBSCRIBE"),
                None,
            ),
            "INVITE" | "REGISTER" | "PUBLISH" | "NOTIFY" | "BYE" | "CANCEL" | "MESSAGE" => (
                self.reply(message, 405)
                    .header("Allow", "OPTIONS, SUBSCRIBE"),
                None,
            ),
            _ => (self.reply(message, 501), None),
        };
        if let Ok(bytes) = response.finish() {
            if !peer.transport.is_reliable() {
                self.recent.remember(now, key, bytes.clone());
            }
            out.push(Transmit {
                to: peer.flow,
                bytes,
            });
        }
        if let Some(id) = subscription {
            self.notify(now, id, resources, &mut out);
        }
        out
    }

    /// A resource changed: everybody who watches it is told.
    pub fn publish(
        &mut self,
        now: Duration,
        resource: &str,
        resources: &dyn Resources,
    ) -> Vec<Transmit<F>> {
        let mut out = Vec::new();
        let watchers: Vec<u64> = self
            .by_resource
            .get(resource)
            .into_iter()
            .flatten()
            .copied()
            .collect();
        for id in watchers {
            self.notify(now, id, resources, &mut out);
        }
        out
    }

    /// Time has passed: repetitions, expiries.
    pub fn elapse(&mut self, now: Duration, resources: &dyn Resources) -> Vec<Transmit<F>> {
        let mut out = Vec::new();
        while let Some((at, id)) = self.deadlines.first().copied() {
            if at > now {
                break;
            }
            let Some(subscription) = self.subscriptions.get_mut(&id) else {
                self.deadlines.pop_first();
                continue;
            };
            match subscription.pending.as_mut().map(|p| p.elapse(now)) {
                Some(Due::TimedOut) => {
                    // Nobody is there (RFC 6665 §4.2.2).
                    self.remove(id);
                    continue;
                }
                Some(Due::Retransmit) => {
                    out.extend(subscription.pending.iter().map(|p| Transmit {
                        to: subscription.peer.flow,
                        bytes: p.request().to_vec(),
                    }))
                }
                Some(Due::Nothing) | None => {}
            }
            if now >= subscription.expires_at && subscription.ending.is_none() {
                subscription.ending = Some("timeout");
                self.notify(now, id, resources, &mut out);
            }
            self.schedule(id);
        }
        out
    }

    /// A connection is gone, and with it the way to its subscribers.
    pub fn flow_lost(&mut self, flow: F) {
        let gone: Vec<u64> = self
            .subscriptions
            .iter()
            .filter(|(_, s)| s.peer.flow == flow)
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.remove(id);
        }
    }

    /// Forgets all subscriptions without a word, as a restart does.
    pub fn forget_all(&mut self) {
        self.subscriptions.clear();
        self.by_tag.clear();
        self.by_resource.clear();
        self.deadlines.clear();
        self.recent = RecentResponses::new(RECENT_MAX);
    }

    fn on_response(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        resources: &dyn Resources,
        out: &mut Vec<Transmit<F>>,
    ) {
        let (Some(branch), Some(code)) = (response.branch(), response.code()) else {
            return;
        };
        // The number of the subscription stands in the branch, after the unpredictable part.
        let Some(id) = branch.rsplit_once('.').and_then(|(_, id)| id.parse().ok()) else {
            return;
        };
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        let Some(pending) = &mut subscription.pending else {
            return;
        };
        match pending.respond(now, &branch, code) {
            Progress::NotOurs => return,
            Progress::Provisional => {}
            Progress::Final => {
                subscription.pending = None;
                if !(200..300).contains(&code)
                    || (subscription.ending.is_some() && !subscription.changed)
                {
                    return self.remove(id);
                }
                if std::mem::take(&mut subscription.changed) {
                    self.notify(now, id, resources, out);
                }
            }
        }
        self.schedule(id);
    }

    /// Tells one subscriber everything, or remembers to do so after the answer that is awaited.
    fn notify(
        &mut self,
        now: Duration,
        id: u64,
        resources: &dyn Resources,
        out: &mut Vec<Transmit<F>>,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        if subscription.pending.is_some() {
            subscription.changed = true;
            return;
        }
        let Some(body) = resources.document(&subscription.resource, subscription.version) else {
            return self.remove(id);
        };
        subscription.version += 1;
        subscription.local_cseq += 1;
        let branch = format!("{}.{id}", self.ids.branch());
        let transport = subscription.peer.transport;
        let state = match subscription.ending {
            Some(reason) => format!("terminated;reason={reason}"),
            None => format!(
                "active;expires={}",
                subscription.expires_at.saturating_sub(now).as_secs()
            ),
        };
        let mut request = Writer::request("NOTIFY", &subscription.target)
            .header(
                "Via",
                format_args!(
                    "SIP/2.0/{} {};rport;branch={branch}",
                    transport.via_name(),
                    self.settings.address
                ),
            )
            .header("Max-Forwards", 70);
        for route in &subscription.routes {
            request = request.header("Route", route);
        }
        let request = request
            .header(
                "From",
                format_args!("{};tag={}", subscription.local, subscription.local_tag),
            )
            .header("To", &subscription.remote)
            .header("Call-ID", &subscription.call_id)
            .header("CSeq", format_args!("{} NOTIFY", subscription.local_cseq))
            .header("Contact", contact(&self.settings.address, transport))
            .header("Event", &self.settings.event)
            .header("Subscription-State", state)
            .body(&self.settings.content_type, &body);
        match request {
            Ok(bytes) => {
                let transaction =
                    ClientTransaction::new(now, transport, branch, bytes.clone(), TIMEOUT);
                out.push(Transmit {
                    to: subscription.peer.flow,
                    bytes,
                });
                subscription.pending = Some(transaction);
                self.schedule(id);
            }
            // The subscriber's own headers cannot be repeated, or the document is too long to send.
            Err(_) => self.remove(id),
        }
    }

    fn schedule(&mut self, id: u64) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        self.deadlines.remove(&(subscription.scheduled, id));
        let pending = subscription
            .pending
            .as_ref()
            .map(ClientTransaction::next_deadline);
        let expiry = subscription
            .ending
            .is_none()
            .then_some(subscription.expires_at);
        if let Some(at) = [pending, expiry].into_iter().flatten().min() {
            subscription.scheduled = at;
            self.deadlines.insert((at, id));
        }
    }

    fn remove(&mut self, id: u64) {
        let Some(subscription) = self.subscriptions.remove(&id) else {
            return;
        };
        self.deadlines.remove(&(subscription.scheduled, id));
        self.by_tag.remove(&subscription.local_tag);
        if let Some(watchers) = self.by_resource.get_mut(&subscription.resource) {
            watchers.remove(&id);
            if watchers.is_empty() {
                self.by_resource.remove(&subscription.resource);
            }
        }
    }

    fn reply(&mut self, request: &Message<'_>, code: u16) -> Writer {
        answer(request, code, Some(&self.ids.tag()))
    }
}

fn contact(address: &str, transport: Transport) -> String {
    match transport {
        Transport::Udp => format!("<sip:{address}>"),
        Transport::Tcp => format!("<sip:{address};transport=tcp>"),
    }
}

#[cfg(test)]
mod tests;
