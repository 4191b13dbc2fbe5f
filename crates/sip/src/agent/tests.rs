//! The agent against this crate's subscriber and hand-written requests, on a driven clock.

mod lists;
mod odd;
mod publications;
mod registrations;
mod strangers;

use std::sync::Arc;

use super::*;
use crate::{
    digest::{Algorithm, Credentials, Verifier},
    subscriber::{Account, Action, Event, Subscriber, Trouble},
};

const PEER: Peer<u8> = Peer {
    flow: 1,
    transport: Transport::Udp,
    source: SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)), 5_062),
};
const SECOND: Duration = Duration::from_secs(1);
const EXTENSION: Resource = Resource(7);

/// A host with the extension 1001 and a document chosen by the test.
#[derive(Default)]
struct Desk {
    state: &'static str,
    gone: bool,
    verifier: Option<Verifier>,
    /// Number of documents written.
    made: usize,
    /// Number of calls of `class`.
    asked: usize,
    published: Vec<(PublicationId, Option<String>)>,
    /// The flow for NOTIFYs; `None`: the flow of the answers.
    dialog_flow: Option<u8>,
    /// Whether phones may register without a password.
    registers: bool,
}

impl Host<u8> for Desk {
    fn admit(
        &mut self,
        now: Duration,
        _: Peer<u8>,
        request: &Message<'_>,
        _: Package,
    ) -> Admission {
        let password = |name: &str| (name == "u").then_some("p");
        if let Some(verifier) = &mut self.verifier
            && let Err(refusal) = verifier.check(now, PEER.source.ip(), request, password)
        {
            return Admission::Challenge(verifier.challenge(now, PEER.source.ip(), &refusal));
        }
        let crate::message::StartLine::Request { uri, .. } = request.start() else {
            return Admission::Refuse(400);
        };
        match crate::uri::user(uri).as_deref() {
            Some("1001") => Admission::Watch(EXTENSION, Class(0), Watcher::new(9)),
            // A request within a dialog names the agent's own address.
            None => Admission::Watch(EXTENSION, Class(0), Watcher::new(9)),
            _ => Admission::Refuse(404),
        }
    }

    fn class(&mut self, resource: Resource, watcher: Option<Watcher>) -> Option<Class> {
        assert_eq!((resource, watcher), (EXTENSION, Watcher::new(9)));
        self.asked += 1;
        (self.asked == 1).then_some(Class(4))
    }

    fn document(&mut self, _: Resource, package: Package, class: Class) -> Option<Arc<Document>> {
        self.made += 1;
        let text = match package {
            Package::Dialog => format!("<d version=\"0\" s=\"{}\"/>", self.state),
            Package::Presence => format!("{} {}", self.state, class.0),
        };
        let document = Document::versioned(text.into_bytes());
        (!self.gone).then(|| Arc::new(document))
    }

    fn admit_publication(
        &mut self,
        now: Duration,
        peer: Peer<u8>,
        request: &Message<'_>,
        package: Package,
    ) -> Admission {
        self.admit(now, peer, request, package)
    }

    fn dialog_flow(&self, peer: Peer<u8>, _: &Message<'_>) -> u8 {
        self.dialog_flow.unwrap_or(peer.flow)
    }

    fn admit_registration(
        &mut self,
        now: Duration,
        _: Peer<u8>,
        request: &Message<'_>,
    ) -> Result<(), AdmissionError> {
        let source = PEER.source.ip();
        let Some(verifier) = &mut self.verifier else {
            return match self.registers {
                true => Ok(()),
                false => Err(AdmissionError::Refuse(403)),
            };
        };
        let password = |name: &str| (name == "u").then_some("p");
        let checked = verifier.check(now, source, request, password);
        checked
            .map(|_| ())
            .map_err(|refusal| AdmissionError::Challenge(verifier.challenge(now, source, &refusal)))
    }

    fn on_publication(&mut self, _: Duration, publication: Publication<'_>) -> Result<(), u16> {
        let body = publication
            .body
            .map(|body| String::from_utf8_lossy(body).into_owned());
        if body.as_deref() == Some("nonsense") {
            return Err(400);
        }
        self.published.push((publication.entity, body));
        Ok(())
    }
}

fn desk(state: &'static str) -> Desk {
    Desk {
        state,
        ..Desk::default()
    }
}

fn agent() -> Agent<u8> {
    let settings = Settings {
        address: "pbx.test:5060".into(),
        packages: Package::ALL.to_vec(),
        tls_address: None,
        websocket_address: None,
        min_expires: 60,
        max_expires: 3_600,
        max_publication: 600,
        subscriptions_max: 3,
        subscriptions_per_source_max: 2,
        publications_max: 2,
    };
    Agent::new(settings, Ids::new([5; 32]))
}

fn credentials(password: &str) -> Credentials {
    Credentials {
        username: "u".into(),
        password: password.into(),
    }
}

fn start(target: &str, password: &str) -> (Subscriber, Vec<Action>) {
    let seed = [target.len() as u8 + password.len() as u8; 32];
    let mut subscriber = Subscriber::new(format!("sip:{target}@pbx.test"), Ids::new(seed));
    let account = Account {
        from: "sip:u@pbx.test".into(),
        contact: "sip:u@127.0.0.1:9".into(),
        sent_by: "127.0.0.1:9".into(),
        transport: Transport::Udp,
        credentials: Some(credentials(password)),
        event: "dialog".into(),
        accept: Package::Dialog.content_type().into(),
        supported: None,
        user_agent: "t".into(),
    };
    let actions = subscriber.handle(SECOND, Event::Start(Arc::new(account)));
    (subscriber, actions)
}

/// The agent's messages after one message.
fn receive(now: Duration, agent: &mut Agent<u8>, host: &mut Desk, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Outbox::default();
    agent.receive(now, PEER, &Message::parse(bytes).unwrap(), host, &mut out);
    sent(&out)
}

fn sent(out: &Outbox<u8>) -> Vec<Vec<u8>> {
    out.messages().map(|(_, bytes)| bytes.to_vec()).collect()
}

fn changed(now: Duration, agent: &mut Agent<u8>, host: &mut Desk) -> Vec<Vec<u8>> {
    let mut out = Outbox::default();
    agent.notify_watchers(now, EXTENSION, host, &mut out);
    sent(&out)
}

fn elapse(now: Duration, agent: &mut Agent<u8>, host: &mut Desk) -> Vec<Vec<u8>> {
    let mut out = Outbox::default();
    agent.elapse(now, host, &mut out);
    sent(&out)
}

/// Passes messages between subscriber and agent until there are none; returns the subscriber's actions.
fn settle(
    now: Duration,
    agent: &mut Agent<u8>,
    host: &mut Desk,
    subscriber: &mut Subscriber,
    actions: Vec<Action>,
) -> Vec<Action> {
    let mut told = Vec::new();
    let mut actions = std::collections::VecDeque::from(actions);
    for _ in 0..100 {
        let Some(action) = actions.pop_front() else {
            return told;
        };
        let Action::Send(bytes) = action else {
            told.push(action);
            continue;
        };
        for answer in receive(now, agent, host, &bytes) {
            let answer = Message::parse(&answer).unwrap();
            actions.extend(subscriber.handle(now, Event::Received(&answer)));
        }
    }
    panic!("they talk for ever");
}

fn deliver(
    now: Duration,
    agent: &mut Agent<u8>,
    host: &mut Desk,
    subscriber: &mut Subscriber,
    sent: Vec<Vec<u8>>,
) -> Vec<Action> {
    let mut actions = Vec::new();
    for bytes in sent {
        let message = Message::parse(&bytes).unwrap();
        actions.extend(subscriber.handle(now, Event::Received(&message)));
    }
    settle(now, agent, host, subscriber, actions)
}

/// State and version of each document.
fn bodies(told: &[Action]) -> Vec<String> {
    let body = |action: &Action| match action {
        Action::Notified { body, .. } => {
            let text = String::from_utf8_lossy(body).into_owned();
            let attribute = |name: &str| {
                let (_, rest) = text.split_once(&format!("{name}=\"")).unwrap();
                rest.split_once('"').unwrap().0.to_owned()
            };
            Some(format!("{} {}", attribute(" s"), attribute("version")))
        }
        _ => None,
    };
    told.iter().filter_map(body).collect()
}

#[test]
fn a_subscription_lives_from_challenge_to_end() {
    let mut agent = agent();
    let verifier = Verifier::new("pbx.test".into(), vec![Algorithm::Sha256], [9; 32]);
    let mut host = desk("idle");
    host.verifier = Some(verifier);
    let (mut subscriber, actions) = start("1001", "p");
    let told = settle(SECOND, &mut agent, &mut host, &mut subscriber, actions);
    assert_eq!(bodies(&told), ["idle 0"]);
    host.state = "busy";
    let sent = changed(SECOND * 2, &mut agent, &mut host);
    let told = deliver(SECOND * 2, &mut agent, &mut host, &mut subscriber, sent);
    assert_eq!(bodies(&told), ["busy 1"]);
    // A renewal brings the whole state again.
    let actions = subscriber.handle(SECOND * 3, Event::Refresh);
    let told = settle(SECOND * 3, &mut agent, &mut host, &mut subscriber, actions);
    assert_eq!(bodies(&told), ["busy 2"]);
    let actions = subscriber.handle(SECOND * 4, Event::Stop);
    let told = settle(SECOND * 4, &mut agent, &mut host, &mut subscriber, actions);
    assert_eq!(told, [Action::Stale, Action::Ended]);
    assert!(agent.is_empty());
    while let Some(now) = agent.next_deadline() {
        assert!(elapse(now, &mut agent, &mut host).is_empty());
    }
}

#[test]
fn a_wrong_password_and_an_unknown_extension_are_refused() {
    let mut agent = agent();
    let verifier = Verifier::new("pbx.test".into(), vec![Algorithm::Md5], [9; 32]);
    let mut host = desk("idle");
    host.verifier = Some(verifier);
    for (target, password, wanted) in [
        ("1001", "wrong", Trouble::WrongCredentials { code: 401 }),
        ("471199", "p", Trouble::Refused { code: 404 }),
    ] {
        let (mut subscriber, actions) = start(target, password);
        let told = settle(SECOND, &mut agent, &mut host, &mut subscriber, actions);
        assert_eq!(told, [Action::Trouble(wanted)]);
    }
    assert!(agent.is_empty());
}

fn code_at(now: Duration, agent: &mut Agent<u8>, host: &mut Desk, request: Writer) -> u16 {
    let bytes = request.finish().unwrap();
    let sent = receive(now, agent, host, &bytes);
    Message::parse(&sent[0]).unwrap().code().unwrap()
}

fn code(agent: &mut Agent<u8>, request: Writer) -> u16 {
    code_at(SECOND, agent, &mut desk("x"), request)
}

fn subscribe(branch: &str, event: &str, expires: u32, to: &str) -> Writer {
    Writer::request("SUBSCRIBE", "sip:1001@pbx.test")
        .header("Via", format_args!("SIP/2.0/UDP h;branch={branch}"))
        .header("From", "<sip:a@b>;tag=1")
        .header("To", to)
        .header("Call-ID", branch)
        .header("CSeq", "1 SUBSCRIBE")
        .header("Contact", "<sip:a@h>")
        .header("Event", event)
        .header("Expires", expires)
}

fn bare(method: &str, branch: &str) -> Writer {
    Writer::request(method, "sip:1001@x")
        .header("Via", format_args!("SIP/2.0/UDP h;branch={branch}"))
        .header("From", "<sip:a@b>;tag=1")
        .header("To", "<sip:1001@x>")
        .header("Call-ID", branch)
        .header("CSeq", format_args!("1 {method}"))
}

#[test]
fn unsupported_requests_are_refused_with_the_right_code() {
    let mut agent = agent();
    for (request, wanted) in [
        (subscribe("a", "conference", 600, "<sip:c>"), 489),
        (subscribe("b", "dialog", 59, "<sip:c>"), 423),
        (subscribe("c", "dialog", 600, "<sip:c>;tag=gone"), 481),
        (subscribe("c2", "dialog", 600, "<sip:c>;tag=0-0"), 481),
        (bare("FROB", "d"), 501),
        (bare("BYE", "e"), 405),
        (bare("OPTIONS", "f"), 200),
        (bare("SUBSCRIBE", "f2").header("Event", "dialog"), 400),
        (
            subscribe("f3", "dialog", 600, "<sip:c>").header("Accept", "text/plain"),
            406,
        ),
    ] {
        assert_eq!(code(&mut agent, request), wanted);
    }
    assert!(agent.is_empty());
    // Two subscriptions of a flow fit, the third does not; a repeated request gets the same answer and no second
    // subscription.
    for (branch, wanted) in [("g", 200), ("g", 200), ("h", 200), ("i", 503)] {
        let request = subscribe(branch, "dialog", 60, "<sip:c>");
        assert_eq!(code(&mut agent, request), wanted, "{branch}");
    }
    assert_eq!(agent.len(), 2);
}

#[test]
fn notifies_are_repeated_until_answered_and_the_silent_are_forgotten() {
    let (mut agent, mut host) = (agent(), desk("x"));
    code(&mut agent, subscribe("a", "dialog", 60, "<sip:c>"));
    let mut repeated = 0;
    while let Some(now) = agent.next_deadline() {
        repeated += elapse(now, &mut agent, &mut host).len();
    }
    assert_eq!((repeated, agent.len()), (10, 0));
}

#[test]
fn changes_during_an_unanswered_notify_follow_together() {
    let (mut agent, mut host) = (agent(), desk("idle"));
    let (mut subscriber, actions) = start("1001", "p");
    settle(SECOND, &mut agent, &mut host, &mut subscriber, actions);
    host.state = "ringing";
    let under_way = changed(SECOND, &mut agent, &mut host);
    for state in ["talking", "idle"] {
        host.state = state;
        assert!(changed(SECOND, &mut agent, &mut host).is_empty());
    }
    let told = deliver(SECOND, &mut agent, &mut host, &mut subscriber, under_way);
    assert_eq!(bodies(&told), ["ringing 1", "idle 2"]);
}

#[test]
fn a_subscription_expires_with_a_last_notify_and_481_ends_it() {
    let (mut agent, mut host) = (agent(), desk("idle"));
    let (mut subscriber, actions) = start("1001", "p");
    settle(SECOND, &mut agent, &mut host, &mut subscriber, actions);
    // The BLF key must not go out a second before the renewal that is due then.
    assert!(elapse(SECOND * 601, &mut agent, &mut host).is_empty());
    let last = elapse(SECOND * 602, &mut agent, &mut host);
    assert!(String::from_utf8_lossy(&last[0]).contains("terminated;reason=timeout"));
    let told = deliver(SECOND * 602, &mut agent, &mut host, &mut subscriber, last);
    assert!(told.contains(&Action::Stale), "{told:?}");
    let begun = subscriber.handle(SECOND * 602, Event::Elapsed);
    settle(SECOND * 602, &mut agent, &mut host, &mut subscriber, begun);
    subscriber.handle(SECOND * 603, Event::TransportLost);
    host.state = "busy";
    let sent = changed(SECOND * 603, &mut agent, &mut host);
    assert_eq!(sent.len(), 1);
    deliver(SECOND * 603, &mut agent, &mut host, &mut subscriber, sent);
    assert!(agent.is_empty());
}

#[test]
fn a_lost_connection_takes_its_subscriptions_along() {
    let mut agent = agent();
    code(&mut agent, subscribe("a", "dialog", 60, "<sip:c>"));
    agent.flow_lost(2);
    assert_eq!(agent.len(), 1);
    agent.flow_lost(1);
    assert!(agent.is_empty());
}

/// Answers every NOTIFY of `sent` as a watcher.
fn answer_all(now: Duration, agent: &mut Agent<u8>, host: &mut Desk, sent: &[Vec<u8>]) {
    for bytes in sent {
        let notify = Message::parse(bytes).unwrap();
        if notify.method() == Some("NOTIFY") {
            let ok = crate::message::answer(&notify, 200, Some("w"))
                .finish()
                .unwrap();
            receive(now, agent, host, &ok);
        }
    }
}

#[test]
fn a_watcher_that_wants_an_interval_gets_the_latest_after_it() {
    let (mut agent, mut host) = (agent(), desk("idle"));
    let event = "presence;min-interval=5";
    let request = subscribe("a", event, 600, "<sip:c>").finish().unwrap();
    let sent = receive(SECOND, &mut agent, &mut host, &request);
    answer_all(SECOND, &mut agent, &mut host, &sent);
    for state in ["ringing", "talking"] {
        host.state = state;
        assert!(changed(SECOND * 2, &mut agent, &mut host).is_empty());
    }
    assert!(elapse(SECOND * 5, &mut agent, &mut host).is_empty());
    let sent = elapse(SECOND * 6, &mut agent, &mut host);
    assert_eq!(sent.len(), 1);
    assert!(String::from_utf8_lossy(&sent[0]).ends_with("talking 0"));
    // A change before the answer also waits for the interval, and is not lost.
    host.state = "idle";
    assert!(changed(SECOND * 6, &mut agent, &mut host).is_empty());
    answer_all(SECOND * 6, &mut agent, &mut host, &sent);
    let sent = elapse(SECOND * 11, &mut agent, &mut host);
    assert!(String::from_utf8_lossy(&sent[0]).ends_with("idle 0"));
    answer_all(SECOND * 11, &mut agent, &mut host, &sent);
    assert!(elapse(SECOND * 60, &mut agent, &mut host).is_empty());
}

#[test]
fn watchers_of_another_class_get_its_document_and_some_are_rejected() {
    let (mut agent, mut host) = (agent(), desk("busy"));
    for branch in ["a", "b"] {
        let request = subscribe(branch, "presence", 600, "<sip:c>")
            .finish()
            .unwrap();
        let sent = receive(SECOND, &mut agent, &mut host, &request);
        answer_all(SECOND, &mut agent, &mut host, &sent);
    }
    let mut out = Outbox::default();
    agent.reclassify(SECOND, EXTENSION, &mut host, &mut out);
    let sent = sent(&out);
    assert!(String::from_utf8_lossy(&sent[0]).ends_with("busy 4"));
    assert!(String::from_utf8_lossy(&sent[1]).contains("terminated;reason=rejected"));
    answer_all(SECOND, &mut agent, &mut host, &sent);
    assert_eq!(agent.len(), 1);
    host.gone = true;
    let sent = changed(SECOND, &mut agent, &mut host);
    let text = String::from_utf8_lossy(&sent[0]).into_owned();
    assert!(text.contains("reason=noresource") && text.contains("Content-Length: 0"));
}

#[test]
fn the_version_is_each_subscriptions_own_and_keeps_the_length() {
    let document = Document::versioned(b"<a version=\"0\" b=\"c\"/>".to_vec());
    let mut lengths = Vec::new();
    for (version, words) in [(0, "version=\"0\" "), (4_294_967_295, "=\"4294967295\" b")] {
        let mut out = b"before".to_vec();
        document.write(version, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("before<a ") && text.contains(words),
            "{text}"
        );
        assert!(text.ends_with(" b=\"c\"/>"), "{text}");
        lengths.push(text.len() - "before".len());
    }
    assert_eq!(lengths, [document.len(), document.len()]);
}

/// The goal is 512 bytes in all: this is the agent's own memory for a quiet subscription.
#[test]
fn a_subscription_is_small() {
    assert!(size_of::<Option<store::Subscription<SocketAddr>>>() <= 160);
}
