//! The presence server: handles each SIP message of a phone or PBX, and notifies watchers of changes.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use presence::PersonId;
use runtime::health::{Part, Trouble};
use sip::{
    agent::{Agent, ListId, Outbox, Package, Peer, SUPPORTED, Settings},
    ids::Ids,
    message::{Message, answer_to},
    redirect::{self, Repeats},
    request::{fault, refuse_malformed},
};
use telephony::sip_server::{self, Flow, response_peer};

use super::{
    changes::{Changes, Concern},
    options::ContactAddresses,
    resources::resource,
    routing,
    untrusted::Untrusted,
    watcher_policy::{SUBSCRIPTION_SECONDS_MAX, WatcherPolicy, is_browser},
};

/// People with notified watchers in one round, before more requests are read.
const PEOPLE_MAX: usize = 64;
/// Lists with notified watchers in one round.
const LISTS_MAX: usize = 8;
/// Most subscriptions. One takes about 300 bytes.
const SUBSCRIPTIONS_MAX: usize = 2_000_000;
/// Most subscriptions from one untrusted address: an office behind one address has hundreds of phones with dozens of keys each.
const SUBSCRIPTIONS_PER_SOURCE_MAX: usize = 50_000;

/// Shortest time for which a refused connection stays reported.
const TROUBLE_MIN: Duration = Duration::from_secs(10);

/// The presence server of all phones.
pub(super) struct PresenceServer {
    agent: Agent<Flow>,
    policy: WatcherPolicy,
    ids: Ids,
    /// Calls that were redirected in the last seconds.
    repeats: Repeats,
    /// Untrusted addresses that sent an INVITE.
    untrusted: Untrusted,
    changes: Arc<Changes>,
    /// While the watchers of all people are being notified: the last person so far. The outer `None`: all are notified.
    all_after: Option<Option<PersonId>>,
    /// Lists with changed members, of which the watchers are not notified yet.
    lists_left: Vec<ListId>,
    /// Time of the last connection that the operating system refused.
    exhausted: Option<Duration>,
}

impl PresenceServer {
    pub(super) fn new(
        policy: WatcherPolicy,
        addresses: ContactAddresses,
        seed: [u8; 32],
        changes: Arc<Changes>,
    ) -> Self {
        let mut ids = Ids::new(seed);
        let settings = Settings {
            address: addresses.plain,
            packages: Package::ALL.to_vec(),
            tls_address: addresses.tls,
            websocket_address: addresses.websocket,
            min_expires: 60,
            max_expires: SUBSCRIPTION_SECONDS_MAX,
            max_publication: 600,
            subscriptions_max: SUBSCRIPTIONS_MAX,
            subscriptions_per_source_max: SUBSCRIPTIONS_PER_SOURCE_MAX,
            publications_max: SUBSCRIPTIONS_MAX,
        };
        Self {
            agent: Agent::new(settings, ids.fork()),
            policy,
            ids,
            repeats: Repeats::default(),
            untrusted: Untrusted::default(),
            changes,
            all_after: None,
            lists_left: Vec::new(),
            exhausted: None,
        }
    }

    /// Answers an INVITE with the routing of the call. Only the PBX may ask: the answer shows the forwarding of people.
    fn invite(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        invite: &Message<'_>,
        out: &mut Outbox<Flow>,
    ) {
        if invite.header("Via").is_none() {
            // Without a Via there is no address for an answer.
            return;
        }
        let tag = self.ids.tag();
        let answer = |code| answer_to(invite, code, Some(&tag), Some(peer.source));
        // All other faults are left to the phones: emergency numbers and unknown extensions must ring.
        let fault = fault(invite, SUPPORTED).filter(|fault| fault.code == 400);
        let response = if let Some(fault) = fault {
            fault.answer(invite, peer.source, &tag)
        } else if !self.policy.trusts(peer) {
            self.refuse_call(now, peer);
            answer(403)
        } else if invite.to_tag().is_some() {
            // Proxies forward requests within a dialog without checking the sender.
            answer(481)
        } else if let Some(call) = redirect::Call::of(invite) {
            let WatcherPolicy {
                context, options, ..
            } = &self.policy;
            let decision = routing::decide(context, &options.domain, &call);
            let source = peer.source.ip();
            let decision = self.repeats.check(now, source, invite, &call, decision);
            if decision == redirect::Decision::Repeat {
                tracing::info!(%source, "the PBX asks about the same call again and again: it should follow the answer without asking (docs/connect-pbx.md)");
            }
            redirect::respond(invite, peer.source, &call, &decision, &tag)
        } else {
            answer(400)
        };
        match response.finish() {
            Ok(bytes) => out.push(peer.flow, &bytes),
            Err(error) => tracing::warn!(%error, "an answer to an INVITE could not be written"),
        }
    }

    /// Records an untrusted sender of an INVITE for administrators. A browser is never trusted.
    fn refuse_call(&mut self, now: Duration, peer: Peer<Flow>) {
        if !is_browser(peer.transport) {
            self.untrusted.refused(now, peer.source.ip());
            self.untrusted.report(now, &self.policy.context.health);
        }
    }

    /// Notifies some of the watchers that a change of visibility concerns; the others follow in later calls.
    fn notify_some(&mut self, now: Duration, out: &mut Outbox<Flow>) {
        for list in self
            .lists_left
            .split_off(self.lists_left.len().saturating_sub(LISTS_MAX))
        {
            self.agent.list_changed(now, list, &mut self.policy, out);
            if !self.agent.is_list_watched(list) {
                self.policy.lists.remove(&list);
            }
        }
        let Some(after) = self.all_after else {
            return;
        };
        let some = self.policy.context.people.page(after, PEOPLE_MAX);
        for person in &some {
            self.notify(now, person.id, Concern::Class, out);
        }
        self.all_after = match some.last() {
            Some(last) if some.len() == PEOPLE_MAX => Some(Some(last.id)),
            _ => None,
        };
    }

    fn notify(
        &mut self,
        now: Duration,
        person: PersonId,
        concern: Concern,
        out: &mut Outbox<Flow>,
    ) {
        let Some(resource) = resource(person) else {
            return;
        };
        self.policy.forget(resource);
        if concern == Concern::Class {
            self.agent.reclassify(now, resource, &mut self.policy, out);
        }
        self.agent
            .notify_watchers(now, resource, &mut self.policy, out);
    }
}

impl sip_server::Core for PresenceServer {
    fn receive(&mut self, now: Duration, peer: Peer<Flow>, bytes: &[u8], out: &mut Outbox<Flow>) {
        let read = Message::parse(bytes);
        let is_answer = read
            .as_ref()
            .is_ok_and(|message| message.method().is_none());
        if !is_answer && !self.policy.admits(now, peer) {
            return;
        }
        let Ok(message) = read else {
            let answer = refuse_malformed(bytes, peer.source, &self.ids.tag());
            return answer.map_or((), |answer| {
                // The answer has the Via of the request.
                let to = Message::parse(&answer).map_or(peer, |read| response_peer(peer, &read));
                out.push(to.flow, &answer);
            });
        };
        let peer = response_peer(peer, &message);
        if message.method() == Some("INVITE") {
            return self.invite(now, peer, &message, out);
        }
        self.agent
            .receive(now, peer, &message, &mut self.policy, out);
    }

    fn on_wake(&mut self, now: Duration, out: &mut Outbox<Flow>) -> bool {
        // A round of notifications ends before the next one begins: a stream of changes must not delay the last watchers without end.
        if self.all_after.is_none() && self.changes.all.swap(false, Ordering::AcqRel) {
            self.changes.lists.store(true, Ordering::Release);
            self.all_after = Some(None);
        }
        if self.lists_left.is_empty() && self.changes.lists.swap(false, Ordering::AcqRel) {
            self.lists_left = self.policy.lists.iter().copied().collect();
        }
        self.notify_some(now, out);
        let changed = self.changes.take(PEOPLE_MAX);
        // A watcher who may see less than before must not receive a document of the old class.
        let all = self.all_after.is_some() || self.changes.all.load(Ordering::Acquire);
        let lists = !self.lists_left.is_empty() || self.changes.lists.load(Ordering::Acquire);
        let more = changed.len() == PEOPLE_MAX || all || lists;
        for (person, concern) in changed {
            let concern = if all { Concern::Class } else { concern };
            self.notify(now, person, concern, out);
        }
        more
    }

    fn elapse(&mut self, now: Duration, out: &mut Outbox<Flow>) {
        self.agent.elapse(now, &mut self.policy, out);
        self.untrusted.report(now, &self.policy.context.health);
    }

    fn next_deadline(&self) -> Option<Duration> {
        let deadlines = [self.agent.next_deadline(), self.untrusted.next_deadline()];
        deadlines.into_iter().flatten().min()
    }

    fn flow_lost(&mut self, flow: Flow) {
        self.agent.flow_lost(flow);
        self.policy.known.remove(&flow);
    }

    fn is_authenticated(&self, flow: Flow) -> bool {
        self.policy.known.contains(&flow)
    }

    fn on_accept(&mut self, now: Duration, outcome: Result<(), &std::io::Error>) {
        let health = &self.policy.context.health;
        match outcome {
            Ok(()) if self.exhausted.is_some_and(|at| now >= at + TROUBLE_MIN) => {
                self.exhausted = None;
                health.report(&Part::PhoneConnections, None);
            }
            Ok(()) => {}
            Err(error) => {
                self.exhausted = Some(now);
                let trouble = Trouble {
                    what: format!("a phone's connection could not be accepted: {error}"),
                    remedy: "raise the limit of open files (LimitNOFILE= of the systemd unit, ulimit -n), and look who opens so many connections".into(),
                };
                health.report(&Part::PhoneConnections, Some(trouble));
            }
        }
    }
}
