//! Publications on a driven clock, answered as a presence server would.

use std::collections::HashSet;

use sip::{message::answer, publisher::FINAL_EXPIRES};

use super::*;
use crate::sip_connector::{SipConnectorConfig, Transport};

const SECOND: Duration = Duration::from_secs(1);

fn publications() -> Publications {
    let config = SipConnectorConfig {
        name: "test".into(),
        servers: vec!["127.0.0.1:5060".into()],
        trust: None,
        name_server: None,
        transport: Some(Transport::Udp),
        domain: "pbx.test".into(),
        username: "offhook".into(),
        password: "right".into(),
        lists: Vec::new(),
        bind: None,
    };
    Publications::new(TroubleTexts::new(&config), Ids::new([5; 32]))
}

fn account() -> Account {
    Account {
        from: "sip:offhook@pbx.test".into(),
        contact: "sip:offhook@127.0.0.1:5080".into(),
        sent_by: "127.0.0.1:5080".into(),
        transport: sip::Transport::Udp,
        credentials: None,
        event: "dialog".into(),
        accept: sip::dialog_info::CONTENT_TYPE.into(),
        supported: None,
        user_agent: "test".into(),
    }
}

fn documents(dialog: &[u8], presence: &[u8]) -> Documents {
    Documents {
        dialog: dialog.into(),
        presence: presence.into(),
    }
}

fn lasting() -> Publication {
    Publication::Current {
        documents: documents(b"dialog", b"presence"),
        closing: last(),
    }
}

fn last() -> Documents {
    documents(b"terminated", b"available")
}

/// Answers one request with this code; returns the requests that follow.
fn respond(all: &mut Publications, now: Duration, request: &[u8], code: u16) -> Vec<Vec<u8>> {
    let request = Message::parse(request).unwrap();
    let response = answer(&request, code, Some("pbx"))
        .header("SIP-ETag", request.call_id().unwrap())
        .header("Expires", request.seconds("Expires").unwrap())
        .finish()
        .unwrap();
    let more = all.receive(now, &Message::parse(&response).unwrap());
    more.expect("an answer of ours")
}

/// Answers everything with this code until no request follows; returns the number of requests.
fn serve(all: &mut Publications, now: Duration, mut sent: Vec<Vec<u8>>, code: u16) -> usize {
    let mut count = 0;
    while let Some(request) = sent.pop() {
        count += 1;
        assert!(sent.len() < IN_FLIGHT_MAX);
        sent.extend(respond(all, now, &request, code));
    }
    count
}

#[test]
fn thousands_are_published_at_a_pace_and_taken_back() {
    let mut all = publications();
    let extensions: Vec<Arc<str>> = (0..1_000).map(|n| n.to_string().into()).collect();
    for extension in &extensions {
        assert!(
            all.publish(SECOND, extension, &lasting()).is_empty(),
            "nobody is there yet"
        );
    }
    // The subscriptions go first, then one publication, then the others.
    all.hold(Hold::Closed);
    assert!(all.transport_up(SECOND, &account()).is_empty());
    assert_eq!(all.next_deadline(), None);
    all.hold(Hold::Free);
    let proof = all.elapse(SECOND);
    assert_eq!(proof.len(), 1);
    let first = respond(&mut all, SECOND, &proof[0], 200);
    assert_eq!(first.len(), IN_FLIGHT_MAX);
    let events: HashSet<String> = first
        .iter()
        .filter_map(|bytes| {
            let message = Message::parse(bytes).unwrap();
            message.header("Event").map(|event| event.into_owned())
        })
        .collect();
    assert_eq!(events, HashSet::from(["dialog".into(), "presence".into()]));
    assert_eq!(serve(&mut all, SECOND, first, 200), 1_999);
    assert!(all.is_idle() && all.next_deadline().is_some());
    let mut ended = Vec::new();
    for extension in &extensions[..10] {
        ended.extend(all.publish(SECOND, extension, &Publication::Closing(last())));
    }
    assert_eq!(serve(&mut all, SECOND, ended, 200), 20);
    let renewals = all.elapse(SECOND + SECOND * FINAL_EXPIRES);
    serve(&mut all, SECOND, renewals, 200);
    assert_eq!(all.entries.len(), 1_980);
}

// A21
#[test]
fn at_a_stop_each_publication_ends_with_its_last_document_at_a_pace_and_blf_keys_first() {
    let mut all = publications();
    let mut sent = all.transport_up(SECOND, &account());
    for number in 0..200 {
        let extension: Arc<str> = number.to_string().into();
        sent.extend(all.publish(SECOND, &extension, &lasting()));
    }
    assert_eq!(serve(&mut all, SECOND, sent, 200), 400);
    let first = all.stop(SECOND);
    assert_eq!(first.len(), IN_FLIGHT_MAX);
    for bytes in &first {
        let message = Message::parse(bytes).unwrap();
        assert_eq!(message.body(), b"terminated");
        assert_eq!(message.seconds("Expires"), Some(FINAL_EXPIRES));
        assert!(message.header("SIP-If-Match").is_some());
    }
    assert!(!all.is_idle());
    assert_eq!(serve(&mut all, SECOND, first, 200), 400);
    assert!(all.is_idle());
}

// A21
#[test]
fn a_stop_waits_for_no_publication_that_the_pbx_does_not_have() {
    let mut all = publications();
    all.publish(SECOND, &"1001".into(), &lasting());
    assert!(all.stop(SECOND).is_empty() && all.is_idle());
    let mut all = publications();
    let mut sent = all.transport_up(SECOND, &account());
    sent.extend(all.publish(SECOND, &"1001".into(), &lasting()));
    serve(&mut all, SECOND, sent, 489);
    assert!(all.stop(SECOND).is_empty() && all.is_idle());
}

// A20
#[test]
fn a_refused_password_is_named_and_not_tried_with_all() {
    let mut all = publications();
    let mut sent = all.transport_up(SECOND, &account());
    for number in 0..1_000 {
        let extension: Arc<str> = number.to_string().into();
        sent.extend(all.publish(SECOND, &extension, &lasting()));
    }
    assert_eq!(serve(&mut all, SECOND, sent, 401), 2);
    let trouble = all.trouble().expect("trouble");
    assert!(trouble.what.contains("offhook"), "{trouble:?}");
    // One attempt after each pause; documents that change in between wait.
    let mut now = SECOND;
    let mut attempts = 0;
    while now < SECOND * 3600 {
        now = all.next_deadline().expect("another attempt");
        let changed = all.publish(now, &"7".into(), &lasting());
        let due = all.elapse(now);
        attempts += serve(&mut all, now, [changed, due].concat(), 401);
    }
    assert!((10..=15).contains(&attempts), "{attempts}");
    let now = all.next_deadline().expect("another attempt");
    let later = all.elapse(now);
    assert_eq!(later.len(), 1);
    assert_eq!(serve(&mut all, now, later, 200), 2_000);
    assert_eq!(all.trouble(), None);
}

// A20: the password changes while a thousand documents are published.
#[test]
fn renewals_stop_after_a_few_refusals() {
    let mut all = publications();
    let mut sent = all.transport_up(SECOND, &account());
    for number in 0..1_000 {
        let extension: Arc<str> = number.to_string().into();
        sent.extend(all.publish(SECOND, &extension, &lasting()));
    }
    assert_eq!(serve(&mut all, SECOND, sent, 200), 2_000);
    let (mut now, mut attempts) = (SECOND, 0);
    while now < SECOND * 600 {
        now = all.next_deadline().expect("another attempt");
        let due = all.elapse(now);
        attempts += serve(&mut all, now, due, 407);
    }
    assert!(attempts <= 10, "{attempts}");
}

// A20: a PBX that answers no SUBSCRIBE but accepts PUBLISH.
#[test]
fn publications_wait_for_a_proof_that_does_not_come_for_two_seconds() {
    let mut all = publications();
    let mut sent = Vec::new();
    for number in 0..100 {
        let extension: Arc<str> = number.to_string().into();
        sent.extend(all.publish(SECOND, &extension, &lasting()));
    }
    let until = SECOND * 3;
    all.hold(Hold::Until(until));
    sent.extend(all.transport_up(SECOND, &account()));
    assert!(sent.is_empty());
    assert_eq!(all.next_deadline(), Some(until));
    let first = all.elapse(until).remove(0);
    let more = respond(&mut all, until, &first, 200);
    // While these are under way nothing is due.
    all.hold(Hold::Until(until));
    assert!(all.elapse(until).is_empty() && all.next_deadline() > Some(until));
    assert_eq!(serve(&mut all, until, more, 200), 199);
}

// A21: a stop while the limit of requests holds the last change back.
#[test]
fn at_a_stop_the_last_document_goes_at_once() {
    let mut all = publications();
    let mut sent = all.transport_up(SECOND, &account());
    sent.extend(all.publish(SECOND, &"1001".into(), &lasting()));
    serve(&mut all, SECOND, sent, 200);
    let mut now = SECOND;
    let mut changes = Vec::new();
    for number in 0..5_u8 {
        now += SECOND / 5;
        let change = Publication::Current {
            documents: documents(&[number], &[number]),
            closing: last(),
        };
        let sent = all.publish(now, &"1001".into(), &change);
        changes.push(serve(&mut all, now, sent, 200));
    }
    assert_eq!(changes, [2, 2, 2, 0, 0]);
    let sent = all.stop(now);
    let bodies = sent.iter().map(|bytes| Message::parse(bytes).unwrap());
    let bodies: Vec<_> = bodies.map(|message| message.body().to_vec()).collect();
    assert_eq!(bodies, [b"terminated".to_vec(), b"available".to_vec()]);
    assert!(!all.is_idle());
    assert_eq!(serve(&mut all, now, sent, 200), 2);
    assert!(all.is_idle());
}

// A21: a change is under way when the stop comes.
#[test]
fn at_a_stop_the_closing_document_follows_the_request_under_way() {
    let mut all = publications();
    let mut sent = all.transport_up(SECOND, &account());
    sent.extend(all.publish(SECOND, &"1001".into(), &lasting()));
    serve(&mut all, SECOND, sent, 200);
    let mut under_way = Vec::new();
    for number in 0..3_u8 {
        let change = Publication::Current {
            documents: documents(&[number], &[number]),
            closing: last(),
        };
        serve(&mut all, SECOND, std::mem::take(&mut under_way), 200);
        under_way = all.publish(SECOND, &"1001".into(), &change);
    }
    assert_eq!(under_way.len(), 2);
    assert!(all.stop(SECOND).is_empty() && !all.is_idle());
    assert_eq!(serve(&mut all, SECOND, under_way, 200), 4);
    assert!(all.is_idle());
}

// One publication is refused each time, another is accepted.
#[test]
fn trouble_of_one_publication_is_not_cleared_by_another() {
    let mut all = publications();
    let mut sent = all.transport_up(SECOND, &account());
    sent.extend(all.publish(SECOND, &"1001".into(), &lasting()));
    assert_eq!(serve(&mut all, SECOND, sent, 404), 2);
    let what = all.trouble().expect("trouble").what;
    assert!(
        what.contains("1001") && what.contains("trouble: 2"),
        "{what}"
    );
    let later = SECOND * 5;
    let sent = all.publish(later, &"1002".into(), &lasting());
    assert_eq!(serve(&mut all, later, sent, 200), 2);
    assert_eq!(all.trouble().expect("trouble").what, what);
    // The trouble ends with the publication, or once it is accepted.
    all.take_changed();
    let sent = all.publish(later, &"1001".into(), &Publication::Closing(last()));
    assert!(sent.is_empty() && all.trouble().is_none() && all.take_changed());
    let sent = all.publish(later, &"1003".into(), &lasting());
    serve(&mut all, later, sent, 503);
    assert!(all.trouble().is_some());
    let mut now = later;
    while all.trouble().is_some() {
        now = all.next_deadline().expect("another attempt").max(now);
        let sent = all.elapse(now);
        serve(&mut all, now, sent, 200);
    }
    assert!(now < SECOND * 60, "{now:?}");
}
