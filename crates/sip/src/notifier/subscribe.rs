//! Answering SUBSCRIBE (RFC 6665 §4.2.1).

use std::time::Duration;

use super::{Notifier, Peer, Resources, Subscription, contact};
use crate::message::{Message, NameAddr, Writer, answer, split_list, uri_user};

impl<F: Copy + Eq> Notifier<F> {
    /// The answer, and the subscription that must be told the state after it.
    pub(super) fn on_subscribe(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        request: &Message<'_>,
        resources: &dyn Resources,
    ) -> (Writer, Option<u64>) {
        if let Some(verifier) = &self.settings.verifier
            && let Err(refusal) = verifier.check(now, request)
        {
            let challenge = verifier.challenge(now, refusal);
            return (
                self.reply(request, 401)
                    .header("WWW-Authenticate", challenge),
                None,
            );
        }
        let event = request.header("Event").unwrap_or_default();
        let package = event.split(';').next().unwrap_or_default().trim();
        if !package.eq_ignore_ascii_case(&self.settings.event) {
            let allowed = self.settings.event.clone();
            return (
                self.reply(request, 489).header("Allow-Events", allowed),
                None,
            );
        }
        let asked = request
            .seconds("Expires")
            .unwrap_or(self.settings.max_expires);
        if asked > 0 && asked < self.settings.min_expires {
            let minimum = self.settings.min_expires;
            return (
                self.reply(request, 423).header("Min-Expires", minimum),
                None,
            );
        }
        let expires = asked.min(self.settings.max_expires);
        let outcome = match request.to_tag() {
            Some(tag) => self.renew(now, peer, request, &tag, expires),
            None => self.create(now, peer, request, expires, resources),
        };
        match outcome {
            Ok(id) => {
                let tag = self
                    .subscriptions
                    .get(&id)
                    .map(|s| s.local_tag.clone())
                    .unwrap_or_default();
                let response = answer(request, 200, Some(&tag))
                    .header("Contact", contact(&self.settings.address, peer.transport))
                    .header("Expires", expires);
                (response, Some(id))
            }
            Err(code) => (self.reply(request, code), None),
        }
    }

    fn create(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        request: &Message<'_>,
        expires: u32,
        resources: &dyn Resources,
    ) -> Result<u64, u16> {
        let uri = match request.start() {
            crate::message::StartLine::Request { uri, .. } => uri,
            crate::message::StartLine::Response { .. } => return Err(400),
        };
        let resource = uri_user(uri).ok_or(404u16)?.to_owned();
        // Asked with a version of its own: the count begins with the first NOTIFY.
        resources.document(&resource, 0).ok_or(404u16)?;
        if self.subscriptions.len() >= self.settings.subscriptions_max {
            return Err(503);
        }
        let id = self.next_id;
        let local_tag = self.ids.tag();
        let remote = request.header("From").ok_or(400u16)?.into_owned();
        let subscription = Subscription {
            resource: resource.clone(),
            peer,
            call_id: request.call_id().map_err(|_| 400u16)?.into_owned(),
            local: request.header("To").ok_or(400u16)?.into_owned(),
            local_tag: local_tag.clone(),
            remote_tag: request.from_tag().ok_or(400u16)?,
            remote,
            target: request.contact().ok_or(400u16)?,
            routes: routes(request),
            remote_cseq: request.cseq().map_err(|_| 400u16)?.number,
            local_cseq: 0,
            version: 0,
            expires_at: now + Duration::from_secs(expires.into()),
            pending: None,
            changed: false,
            ending: (expires == 0).then_some("timeout"),
            scheduled: Duration::ZERO,
        };
        self.next_id += 1;
        self.by_tag.insert(local_tag, id);
        self.by_resource.entry(resource).or_default().insert(id);
        self.subscriptions.insert(id, subscription);
        Ok(id)
    }

    fn renew(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        request: &Message<'_>,
        tag: &str,
        expires: u32,
    ) -> Result<u64, u16> {
        let id = *self.by_tag.get(tag).ok_or(481u16)?;
        let subscription = self.subscriptions.get_mut(&id).ok_or(481u16)?;
        let call_id = request.call_id().map_err(|_| 400u16)?;
        if subscription.call_id != call_id
            || request.from_tag().as_deref() != Some(&subscription.remote_tag)
            || subscription.ending.is_some()
        {
            return Err(481);
        }
        let cseq = request.cseq().map_err(|_| 400u16)?.number;
        if cseq <= subscription.remote_cseq {
            return Err(500);
        }
        subscription.remote_cseq = cseq;
        // The subscriber may have moved; where it asks from is where it is.
        subscription.peer = peer;
        if let Some(target) = request.contact() {
            subscription.target = target;
        }
        subscription.expires_at = now + Duration::from_secs(expires.into());
        subscription.ending = (expires == 0).then_some("timeout");
        self.schedule(id);
        Ok(id)
    }
}

/// The route back to the subscriber, in the order in which it came (RFC 3261 §12.1.1).
fn routes(request: &Message<'_>) -> Vec<String> {
    let mut routes = Vec::new();
    for value in request.all("Record-Route") {
        routes.extend(
            split_list(&value)
                .into_iter()
                .filter(|r| NameAddr::parse(r).is_some())
                .map(str::to_owned),
        );
    }
    routes
}
