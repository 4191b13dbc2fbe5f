//! Answers SUBSCRIBE (RFC 6665 §4.2.1).

use std::{net::SocketAddr, time::Duration};

use super::{
    Admission, Agent, Host, Package, Peer, Watcher, contact,
    list::{List, understands_lists},
    notify::{Ending, Tag},
    store::{Subject, Subscription, Texts},
};
use crate::{
    message::{Message, NameAddr, Writer, answer_to, find_parameter, split_list},
    network,
    resource_list::EVENT_LIST,
    uri,
};

/// Longest event id that is accepted.
const EVENT_ID_MAX: usize = 64;
/// Longest interval of NOTIFYs that is accepted, in seconds: about 18 hours.
const MIN_INTERVAL_MAX: u16 = u16::MAX;

impl<F: Copy + Eq + std::hash::Hash> Agent<F> {
    /// The answer, and the number of the subscription that gets a NOTIFY after it.
    pub(super) fn on_subscribe(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        request: &Message<'_>,
        host: &mut impl Host<F>,
    ) -> (Writer, Option<u32>) {
        let event = request.header("Event").unwrap_or_default();
        let package = Package::of_event(&event);
        let Some(package) = package.filter(|p| self.settings.packages.contains(p)) else {
            let allowed = self.allow_events();
            return (
                self.reply(peer, request, 489)
                    .header("Allow-Events", allowed),
                None,
            );
        };
        if !accepts(request, package) {
            let offered = package.content_type();
            return (
                self.reply(peer, request, 406).header("Accept", offered),
                None,
            );
        }
        let Ok(target) = target(request) else {
            return (self.reply(peer, request, 400), None);
        };
        let requested = request
            .seconds("Expires")
            .unwrap_or(self.settings.max_expires);
        if requested > 0 && requested < self.settings.min_expires {
            let minimum = self.settings.min_expires;
            return (
                self.reply(peer, request, 423)
                    .header("Min-Expires", minimum),
                None,
            );
        }
        let expires = requested.min(self.settings.max_expires);
        let (subject, watcher) = match host.admit(now, peer, request, package) {
            Admission::Watch(resource, class, watcher) => {
                (Subject::Resource(resource, class), watcher)
            }
            Admission::WatchList(..) if !understands_lists(request) => {
                let refusal = self.reply(peer, request, 421);
                return (refusal.header("Require", EVENT_LIST), None);
            }
            Admission::WatchList(list, watcher) => {
                let Some(list) = List::new(list, watcher, host) else {
                    return (self.reply(peer, request, 404), None);
                };
                (Subject::List(list), watcher)
            }
            Admission::Challenge(challenges) => {
                return (self.challenge(peer, request, challenges), None);
            }
            Admission::Refuse(code) => return (self.reply(peer, request, code), None),
        };
        let interval = find_parameter(&event, "min-interval")
            .and_then(|text| text.parse::<u32>().ok())
            .map_or(0, |seconds| {
                u16::try_from(seconds).unwrap_or(MIN_INTERVAL_MAX)
            });
        let admitted = AdmittedRequest {
            // NOTIFYs may use another flow than answers.
            peer: Peer {
                flow: host.dialog_flow(peer, request),
                ..peer
            },
            request,
            target,
            subject,
            watcher,
            package,
        };
        let outcome = match request.to_tag() {
            Some(tag) => self.renew(admitted, &tag),
            None => self.create(admitted, host.is_trusted(peer)),
        };
        match outcome {
            Ok(id) => {
                let accepted = self.accept(now, id, peer.source, request, (expires, interval));
                (accepted, Some(id))
            }
            Err(code) => (self.reply(peer, request, code), None),
        }
    }

    fn accept(
        &mut self,
        now: Duration,
        id: u32,
        source: SocketAddr,
        request: &Message<'_>,
        (expires, interval): (u32, u16),
    ) -> Writer {
        let Some(subscription) = self.store.get_mut(id) else {
            return answer_to(request, 481, None, None);
        };
        let second = u32::try_from(now.as_secs())
            .unwrap_or(u32::MAX)
            .saturating_add(1)
            .saturating_add(expires);
        subscription.min_interval = interval;
        if expires == 0 {
            subscription.ending = Some(Ending::Timeout);
        } else {
            // One timer entry is enough: at the old end it finds the new one.
            if subscription.expires_at == 0 {
                self.timers.expire(second, id);
            }
            subscription.expires_at = second;
        }
        let tag = Tag(id, subscription.tag).to_string();
        let transport = subscription.transport;
        // A SUBSCRIBE demands a NOTIFY even without a change and within the interval.
        subscription.notified_at = Duration::ZERO;
        subscription.sent_fingerprint = 0;
        let is_list = matches!(subscription.subject, Subject::List(_));
        let accepted = answer_to(request, 200, Some(&tag), Some(source))
            .header(
                "Contact",
                contact(self.settings.address(transport), transport),
            )
            .header("Expires", expires);
        match is_list {
            true => accepted.header("Require", EVENT_LIST),
            false => accepted,
        }
    }

    fn create(&mut self, admitted: AdmittedRequest<'_, F>, is_trusted: bool) -> Result<u32, u16> {
        let AdmittedRequest { peer, request, .. } = admitted;
        let of_source = self.per_source.get(&network(peer.source.ip())).copied();
        if self.store.len() >= self.settings.subscriptions_max
            || !is_trusted && of_source.unwrap_or(0) >= self.settings.subscriptions_per_source_max
        {
            return Err(503);
        }
        let header = |name| request.header(name).ok_or(400u16);
        let (local, remote) = (header("To")?, header("From")?);
        request.from_tag().ok_or(400u16)?;
        let call_id = request.call_id().map_err(|_| 400u16)?;
        let target = admitted.target.as_deref().ok_or(400u16)?;
        let texts = Texts {
            local: &local,
            remote: &remote,
            call_id: &call_id,
            event_id: &event_id(request).unwrap_or_default(),
            target,
            routes: &routes(request),
        };
        let subscription = Subscription::new(
            &texts,
            peer,
            admitted.subject,
            admitted.watcher,
            admitted.package,
        );
        let mut subscription = subscription.ok_or(513u16)?;
        subscription.remote_cseq = request.cseq().map_err(|_| 400u16)?.number;
        subscription.tag = self.ids.number();
        let weight = subscription.weight();
        let id = self.store.add(subscription).ok_or(503u16)?;
        self.enter(peer, weight);
        Ok(id)
    }

    fn renew(&mut self, admitted: AdmittedRequest<'_, F>, tag: &str) -> Result<u32, u16> {
        let AdmittedRequest { peer, request, .. } = admitted;
        let Tag(id, secret) = Tag::parse(tag).ok_or(481u16)?;
        let subscription = self.store.get_mut(id).ok_or(481u16)?;
        let call_id = request.call_id().map_err(|_| 400u16)?;
        let remote_tag = |text: &str| NameAddr::parse(text).and_then(|a| a.parameter("tag"));
        if subscription.tag != secret
            || subscription.texts().call_id != call_id
            || request.from_tag() != remote_tag(subscription.remote())
            || subscription.ending.is_some()
            || subscription.subject.watched() != admitted.subject.watched()
            // Another package or id would be another subscription (RFC 6665 §8.2.1); this agent keeps one for each dialog
            // (§4.5.1).
            || subscription.package != admitted.package
            || subscription.texts().event_id != event_id(request).unwrap_or_default()
        {
            return Err(481);
        }
        let cseq = request.cseq().map_err(|_| 400u16)?.number;
        if cseq <= subscription.remote_cseq {
            return Err(500);
        }
        subscription.remote_cseq = cseq;
        subscription.watcher = admitted.watcher;
        if let Some(target) = &admitted.target {
            subscription.retarget(target);
        }
        // The watcher may have moved: the source of the request counts.
        subscription.transport = peer.transport;
        let before = (subscription.flow, subscription.source);
        (subscription.flow, subscription.source) = (peer.flow, peer.source.ip());
        let weight = subscription.weight();
        self.enter(peer, weight);
        self.leave(before.0, before.1, weight);
        match admitted.subject {
            Subject::List(list) => self.set_list(id, list),
            resource @ Subject::Resource(..) => {
                if let Some(subscription) = self.store.get_mut(id) {
                    subscription.subject = resource;
                }
            }
        }
        Ok(id)
    }
}

/// An admitted SUBSCRIBE.
struct AdmittedRequest<'a, F> {
    /// The peer, with the flow for its NOTIFYs.
    peer: Peer<F>,
    request: &'a Message<'a>,
    /// The URI of the Contact.
    target: Option<String>,
    subject: Subject,
    watcher: Option<Watcher>,
    package: Package,
}

/// The address for NOTIFYs; `None` without a Contact.
///
/// # Errors
/// 400: the Contact cannot be the target of a request (RFC 3261 §8.1.1.8).
fn target(request: &Message<'_>) -> Result<Option<String>, u16> {
    match request.contact() {
        Some(contact) if uri::host(&contact).is_none() || !uri::is_well_formed(&contact) => {
            Err(400)
        }
        contact => Ok(contact),
    }
}

/// The `id` of the Event header, which every NOTIFY repeats.
fn event_id(request: &Message<'_>) -> Option<String> {
    let id = find_parameter(&request.header("Event")?, "id")?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c);
    (id.len() <= EVENT_ID_MAX && id.chars().all(is_token)).then_some(id)
}

/// Whether the watcher accepts the package's documents; without Accept it does (RFC 6665 §4.1.2.1).
fn accepts(request: &Message<'_>, package: Package) -> bool {
    let mut has_accept = false;
    for value in request.all("Accept") {
        for kind in split_list(&value) {
            has_accept = true;
            let kind = kind.split(';').next().unwrap_or_default().trim();
            let fits = kind.eq_ignore_ascii_case(package.content_type())
                || matches!(kind, "*/*" | "application/*");
            if fits {
                return true;
            }
        }
    }
    !has_accept
}

/// The route to the watcher, in the order of the request (RFC 3261 §12.1.1), each with a line feed.
fn routes(request: &Message<'_>) -> String {
    let mut routes = String::new();
    for value in request.all("Record-Route") {
        for route in split_list(&value) {
            if NameAddr::parse(route).is_some() {
                routes.push_str(route);
                routes.push('\n');
            }
        }
    }
    routes
}
