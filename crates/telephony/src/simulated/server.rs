//! The decisions of the simulated PBX: its calls as resources of a presence agent.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use secrecy::ExposeSecret;
use sip::{
    agent::{
        Admission, Agent, Class, Document, Host, ListId, Member, Outbox, Package, Peer,
        Publication, Resource, Watcher,
    },
    digest::{Credentials, Refusal, Verifier},
    message::{Message, StartLine},
    uri::user,
};

use super::Shared;
use crate::sip_server::{Core, Flow, dialog_flow, response_peer};

/// Extensions notified before answers are read again: thousands of datagrams at once would overflow socket buffers, and each
/// lost datagram costs half a second.
const PUBLISH_MAX: usize = 64;
/// User part of the address of the list with all extensions, and the list.
const ALL: &str = "all";
const LIST: ListId = ListId(0);

pub(super) struct PbxServer {
    agent: Agent<Flow>,
    extensions: Extensions,
}

struct Extensions {
    verifier: Verifier,
    account: Credentials,
    shared: Arc<Shared>,
}

impl PbxServer {
    pub(super) fn new(
        agent: Agent<Flow>,
        verifier: Verifier,
        account: Credentials,
        shared: Arc<Shared>,
    ) -> Self {
        let extensions = Extensions {
            verifier,
            account,
            shared,
        };
        Self { agent, extensions }
    }

    fn is_silent(&self) -> bool {
        self.extensions.shared.silent.load(Ordering::Acquire)
    }
}

impl Host<Flow> for Extensions {
    fn admit(
        &mut self,
        now: Duration,
        peer: Peer<Flow>,
        request: &Message<'_>,
        _: Package,
    ) -> Admission {
        let account = &self.account;
        let password =
            |name: &str| (name == account.username).then_some(account.password.expose_secret());
        let source = peer.source.ip();
        match self.verifier.check(now, source, request, password) {
            Ok(_) => {}
            Err(Refusal::OtherUri) => return Admission::Refuse(400),
            Err(refusal @ (Refusal::Missing | Refusal::Stale | Refusal::Wrong { .. })) => {
                let is_failed_login = matches!(refusal, Refusal::Wrong { .. });
                let failed_logins = &self.shared.failed_logins;
                failed_logins.fetch_add(is_failed_login.into(), Ordering::AcqRel);
                return Admission::Challenge(self.verifier.challenge(now, source, &refusal));
            }
        }
        // Within a dialog the Request-URI is the PBX's own address; To still names the watched extension.
        let StartLine::Request { uri, .. } = request.start() else {
            return Admission::Refuse(400);
        };
        let to = request.header("To").unwrap_or_default();
        let to = sip::message::NameAddr::parse(&to).map(|address| address.uri);
        let watched = user(uri).or_else(|| user(to?));
        if watched.as_deref() == Some(ALL) {
            return Admission::WatchList(LIST, None);
        }
        match watched.and_then(|extension| self.shared.calls().resource(&extension)) {
            Some(resource) => Admission::Watch(resource, Class(0), None),
            None => Admission::Refuse(404),
        }
    }

    fn dialog_flow(&self, peer: Peer<Flow>, request: &Message<'_>) -> Flow {
        dialog_flow(peer, request)
    }

    fn class(&mut self, _: Resource, _: Option<Watcher>) -> Option<Class> {
        Some(Class(0))
    }

    fn members(&mut self, _: ListId, _: Option<Watcher>) -> Option<Vec<Member>> {
        Some(self.shared.calls().members())
    }

    fn document(&mut self, resource: Resource, _: Package, _: Class) -> Option<Arc<Document>> {
        self.shared.calls().document(resource).map(Arc::new)
    }

    fn admit_publication(
        &mut self,
        _: Duration,
        _: Peer<Flow>,
        _: &Message<'_>,
        _: Package,
    ) -> Admission {
        Admission::Refuse(405)
    }

    fn on_publication(&mut self, _: Duration, _: Publication<'_>) -> Result<(), u16> {
        Err(405)
    }
}

impl Core for PbxServer {
    fn receive(&mut self, now: Duration, peer: Peer<Flow>, bytes: &[u8], out: &mut Outbox<Flow>) {
        if self.is_silent() {
            return;
        }
        if let Ok(message) = Message::parse(bytes) {
            let peer = response_peer(peer, &message);
            self.agent
                .receive(now, peer, &message, &mut self.extensions, out);
        }
    }

    fn on_wake(&mut self, now: Duration, out: &mut Outbox<Flow>) -> bool {
        let shared = &self.extensions.shared;
        if shared.forget.swap(false, Ordering::AcqRel) {
            self.agent.forget_all();
        }
        let changed = shared.calls().take_changed(PUBLISH_MAX);
        let more = changed.len() == PUBLISH_MAX;
        for resource in changed {
            self.agent
                .notify_watchers(now, resource, &mut self.extensions, out);
        }
        if self.is_silent() {
            out.clear();
        }
        more
    }

    fn elapse(&mut self, now: Duration, out: &mut Outbox<Flow>) {
        self.agent.elapse(now, &mut self.extensions, out);
        if self.is_silent() {
            out.clear();
        }
    }

    fn next_deadline(&self) -> Option<Duration> {
        self.agent.next_deadline()
    }

    fn flow_lost(&mut self, flow: Flow) {
        self.agent.flow_lost(flow);
    }
}
