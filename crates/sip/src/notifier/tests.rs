//! The notifier against our own subscriber and against hand-written requests, on a driven clock.

use std::sync::Arc;

use super::*;
use crate::digest::{Algorithm, Credentials};
use crate::subscriber::{Account, Action, Event, Subscriber, Trouble};

struct Extensions(&'static str);

impl Resources for Extensions {
    fn document(&self, resource: &str, version: u64) -> Option<Vec<u8>> {
        (resource == "1001").then(|| format!("{} {version}", self.0).into_bytes())
    }
}

const PEER: Peer<u8> = Peer {
    flow: 1,
    transport: Transport::Udp,
};
const SECOND: Duration = Duration::from_secs(1);

fn account() -> Credentials {
    Credentials {
        username: "u".into(),
        password: "p".into(),
    }
}

fn notifier(verifier: Option<Verifier>) -> Notifier<u8> {
    let settings = Settings {
        event: "dialog".into(),
        content_type: "text/plain".into(),
        address: "pbx.test:5060".into(),
        min_expires: 60,
        max_expires: 3600,
        subscriptions_max: 2,
        verifier,
    };
    Notifier::new(settings, Ids::new([5; 32]))
}

fn start(target: &str, password: &str) -> (Subscriber, Vec<Action>) {
    let mut subscriber = Subscriber::new(
        format!("sip:{target}@pbx.test"),
        Ids::new([target.len() as u8 + password.len() as u8; 32]),
    );
    let account = Account {
        from: "sip:u@pbx.test".into(),
        contact: "sip:u@127.0.0.1:9".into(),
        sent_by: "127.0.0.1:9".into(),
        transport: Transport::Udp,
        credentials: Some(Credentials {
            password: password.into(),
            ..account()
        }),
        event: "dialog".into(),
        accept: "text/plain".into(),
        user_agent: "t".into(),
    };
    let actions = subscriber.handle(SECOND, Event::Start(Arc::new(account)));
    (subscriber, actions)
}

/// Carries messages to and fro until both are quiet; what the subscriber was told.
fn settle(
    now: Duration,
    notifier: &mut Notifier<u8>,
    subscriber: &mut Subscriber,
    actions: Vec<Action>,
    state: &'static str,
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
        for answer in notifier.receive(
            now,
            PEER,
            &Message::parse(&bytes).unwrap(),
            &Extensions(state),
        ) {
            actions.extend(subscriber.handle(
                now,
                Event::Received(&Message::parse(&answer.bytes).unwrap()),
            ));
        }
    }
    panic!("they talk for ever");
}

fn deliver(
    now: Duration,
    notifier: &mut Notifier<u8>,
    subscriber: &mut Subscriber,
    sent: Vec<Transmit<u8>>,
    state: &'static str,
) -> Vec<Action> {
    let mut actions = Vec::new();
    for transmit in sent {
        actions.extend(subscriber.handle(
            now,
            Event::Received(&Message::parse(&transmit.bytes).unwrap()),
        ));
    }
    settle(now, notifier, subscriber, actions, state)
}

fn bodies(told: &[Action]) -> Vec<String> {
    told.iter()
        .filter_map(|a| {
            if let Action::Notified { body, .. } = a {
                Some(String::from_utf8_lossy(body).into_owned())
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn a_subscription_lives_from_challenge_to_end() {
    let mut notifier = notifier(Some(Verifier::new(
        "pbx.test".into(),
        account(),
        Algorithm::Sha256,
        [9; 32],
    )));
    let (mut subscriber, actions) = start("1001", "p");
    let told = settle(SECOND, &mut notifier, &mut subscriber, actions, "idle");
    assert_eq!(bodies(&told), ["idle 0"]);
    let sent = notifier.publish(SECOND * 2, "1001", &Extensions("busy"));
    assert_eq!(
        bodies(&deliver(
            SECOND * 2,
            &mut notifier,
            &mut subscriber,
            sent,
            "busy"
        )),
        ["busy 1"]
    );
    assert!(
        notifier
            .publish(SECOND * 2, "1002", &Extensions("busy"))
            .is_empty()
    );
    // A renewal tells everything again.
    let actions = subscriber.handle(SECOND * 3, Event::Refresh);
    let told = settle(SECOND * 3, &mut notifier, &mut subscriber, actions, "busy");
    assert!(matches!(told[0], Action::Renewed { .. }) && bodies(&told) == ["busy 2"]);
    let actions = subscriber.handle(SECOND * 4, Event::Stop);
    assert_eq!(
        settle(SECOND * 4, &mut notifier, &mut subscriber, actions, "busy"),
        [Action::Stale, Action::Ended]
    );
    assert!(notifier.is_empty() && notifier.next_deadline().is_none());
}

#[test]
fn a_wrong_password_and_an_unknown_extension_are_refused() {
    let mut notifier = notifier(Some(Verifier::new(
        "pbx.test".into(),
        account(),
        Algorithm::Md5,
        [9; 32],
    )));
    let (mut subscriber, actions) = start("1001", "wrong");
    let told = settle(SECOND, &mut notifier, &mut subscriber, actions, "idle");
    assert_eq!(
        told,
        [Action::Trouble(Trouble::WrongCredentials { code: 401 })]
    );
    let (mut subscriber, actions) = start("471199", "p");
    let told = settle(SECOND, &mut notifier, &mut subscriber, actions, "idle");
    assert_eq!(told, [Action::Trouble(Trouble::Refused { code: 404 })]);
    assert!(notifier.is_empty());
}

fn code(notifier: &mut Notifier<u8>, request: Writer) -> u16 {
    let bytes = request.finish().unwrap();
    let sent = notifier.receive(
        SECOND,
        PEER,
        &Message::parse(&bytes).unwrap(),
        &Extensions("x"),
    );
    Message::parse(&sent[0].bytes).unwrap().code().unwrap()
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

#[test]
fn what_cannot_be_served_is_refused_with_the_right_code() {
    let mut notifier = notifier(None);
    assert_eq!(
        code(&mut notifier, subscribe("a", "presence", 600, "<sip:c>")),
        489
    );
    assert_eq!(
        code(&mut notifier, subscribe("b", "dialog", 59, "<sip:c>")),
        423
    );
    assert_eq!(
        code(
            &mut notifier,
            subscribe("c", "dialog", 600, "<sip:c>;tag=gone")
        ),
        481
    );
    assert_eq!(
        code(
            &mut notifier,
            Writer::request("FROB", "sip:x").header("Via", "SIP/2.0/UDP h;branch=d")
        ),
        501
    );
    assert_eq!(
        code(
            &mut notifier,
            Writer::request("BYE", "sip:x").header("Via", "SIP/2.0/UDP h;branch=e")
        ),
        405
    );
    assert_eq!(
        code(
            &mut notifier,
            Writer::request("OPTIONS", "sip:x").header("Via", "SIP/2.0/UDP h;branch=f")
        ),
        200
    );
    assert_eq!(
        code(
            &mut notifier,
            Writer::request("SUBSCRIBE", "sip:1001@x").header("Event", "dialog")
        ),
        400
    );
    assert!(notifier.is_empty());
    // Two fit, the third does not; a repeated one gets the same answer and no second subscription.
    assert_eq!(
        code(&mut notifier, subscribe("g", "dialog", 60, "<sip:c>")),
        200
    );
    assert_eq!(
        code(&mut notifier, subscribe("g", "dialog", 60, "<sip:c>")),
        200
    );
    assert_eq!(notifier.len(), 1);
    assert_eq!(
        code(&mut notifier, subscribe("h", "dialog", 60, "<sip:c>")),
        200
    );
    assert_eq!(
        code(&mut notifier, subscribe("i", "dialog", 60, "<sip:c>")),
        503
    );
}

#[test]
fn notifies_are_repeated_until_answered_and_the_silent_are_forgotten() {
    let mut notifier = notifier(None);
    assert_eq!(
        code(&mut notifier, subscribe("a", "dialog", 60, "<sip:c>")),
        200
    );
    let mut repeated = 0;
    while let Some(now) = notifier.next_deadline() {
        repeated += notifier.elapse(now, &Extensions("x")).len();
    }
    assert_eq!((repeated, notifier.len()), (10, 0));
}

#[test]
fn changes_during_an_unanswered_notify_are_told_together_afterwards() {
    let mut notifier = notifier(None);
    let (mut subscriber, actions) = start("1001", "p");
    settle(SECOND, &mut notifier, &mut subscriber, actions, "idle");
    let under_way = notifier.publish(SECOND, "1001", &Extensions("ringing"));
    assert!(
        notifier
            .publish(SECOND, "1001", &Extensions("talking"))
            .is_empty()
    );
    assert!(
        notifier
            .publish(SECOND, "1001", &Extensions("idle"))
            .is_empty()
    );
    assert_eq!(
        bodies(&deliver(
            SECOND,
            &mut notifier,
            &mut subscriber,
            under_way,
            "idle"
        )),
        ["ringing 1", "idle 2"]
    );
}

#[test]
fn a_subscription_expires_with_a_last_notify_and_481_ends_it() {
    let mut notifier = notifier(None);
    let (mut subscriber, actions) = start("1001", "p");
    settle(SECOND, &mut notifier, &mut subscriber, actions, "idle");
    assert_eq!(notifier.next_deadline(), Some(SECOND * 601));
    let last = notifier.elapse(SECOND * 601, &Extensions("idle"));
    assert!(String::from_utf8_lossy(&last[0].bytes).contains("terminated;reason=timeout"));
    let told = deliver(SECOND * 601, &mut notifier, &mut subscriber, last, "idle");
    assert!(told.contains(&Action::Stale), "{told:?}");

    subscriber.handle(SECOND * 602, Event::TransportLost);
    let sent = notifier.publish(SECOND * 602, "1001", &Extensions("x"));
    assert_eq!(sent.len(), 1);
    deliver(SECOND * 602, &mut notifier, &mut subscriber, sent, "x");
    assert!(notifier.is_empty());
}

#[test]
fn a_lost_connection_takes_its_subscriptions_along() {
    let mut notifier = notifier(None);
    code(&mut notifier, subscribe("a", "dialog", 60, "<sip:c>"));
    notifier.flow_lost(2);
    assert_eq!(notifier.len(), 1);
    notifier.flow_lost(1);
    assert!(notifier.is_empty());
}
