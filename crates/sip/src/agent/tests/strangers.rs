//! Unauthenticated senders must not learn or bypass permissions, and a watcher's odd answers must do no harm.

use super::*;

#[test]
fn a_repeated_request_is_answered_the_same_and_anothers_with_that_branch_is_not() {
    let (mut agent, mut host) = (agent(), desk("x"));
    let ask = |agent: &mut Agent<u8>, host: &mut Desk, call_id: &str| {
        let request = subscribe(call_id, "dialog", 60, "<sip:c>")
            .finish()
            .unwrap();
        let text = String::from_utf8(request).unwrap();
        let text = text.replace(&format!("branch={call_id}"), "branch=same");
        receive(SECOND, agent, host, text.as_bytes())
    };
    let first = ask(&mut agent, &mut host, "one");
    assert_eq!(ask(&mut agent, &mut host, "one"), first[..1]);
    let other = ask(&mut agent, &mut host, "two");
    assert!(other[0] != first[0] && other.len() == 2);
    assert_eq!(agent.len(), 2);
}

#[test]
fn an_answer_is_hardly_longer_than_an_incomplete_request() {
    let (mut agent, mut host) = (agent(), desk("x"));
    let nowhere = "OPTIONS sip:x SIP/2.0\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
    assert!(receive(SECOND, &mut agent, &mut host, nowhere.as_bytes()).is_empty());
    let little =
        "SUBSCRIBE sip:1001@x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=a\r\nEvent: dialog\r\n\r\n";
    let sent = receive(SECOND, &mut agent, &mut host, little.as_bytes());
    assert_eq!(Message::parse(&sent[0]).unwrap().code(), Some(400));
    assert!(sent[0].len() < little.len() + 32, "{}", sent[0].len());
}

#[test]
fn an_unchanged_document_is_not_sent_again() {
    let (mut agent, mut host) = (agent(), desk("idle"));
    let (mut subscriber, actions) = start("1001", "p");
    settle(SECOND, &mut agent, &mut host, &mut subscriber, actions);
    // A change that this watcher may not see.
    assert!(changed(SECOND * 2, &mut agent, &mut host).is_empty());
    host.state = "busy";
    assert_eq!(changed(SECOND * 3, &mut agent, &mut host).len(), 1);
}

#[test]
fn a_refusal_for_now_is_followed_by_another_attempt() {
    let (mut agent, mut host) = (agent(), desk("idle"));
    let request = subscribe("a", "dialog", 600, "<sip:c>").finish().unwrap();
    let sent = receive(SECOND, &mut agent, &mut host, &request);
    let notify = Message::parse(&sent[1]).unwrap();
    let busy = crate::message::answer(&notify, 503, Some("w"))
        .finish()
        .unwrap();
    receive(SECOND, &mut agent, &mut host, &busy);
    assert_eq!(agent.len(), 1);
    assert_eq!(elapse(SECOND * 11, &mut agent, &mut host).len(), 1);
}

#[test]
fn the_id_of_an_event_is_repeated_if_it_is_one() {
    for (call_id, event, expected) in [
        ("a", "dialog;id=7.x", "dialog;id=7.x"),
        ("b", "dialog;id=\"a b\"", "dialog"),
    ] {
        let (mut agent, mut host) = (agent(), desk("idle"));
        let request = subscribe(call_id, event, 600, "<sip:c>").finish().unwrap();
        let sent = receive(SECOND, &mut agent, &mut host, &request);
        let notify = Message::parse(&sent[1]).unwrap();
        assert_eq!(notify.header("Event").as_deref(), Some(expected));
    }
}

#[test]
fn one_address_has_so_many_subscriptions_from_whatever_port() {
    let (mut agent, mut host) = (agent(), desk("idle"));
    let mut codes = Vec::new();
    for (number, call_id) in ["a", "b", "c"].into_iter().enumerate() {
        let peer = Peer {
            flow: number as u8,
            source: SocketAddr::new(PEER.source.ip(), 7_000 + number as u16),
            ..PEER
        };
        let request = subscribe(call_id, "dialog", 600, "<sip:c>")
            .finish()
            .unwrap();
        let mut out = Outbox::default();
        let message = Message::parse(&request).unwrap();
        agent.receive(SECOND, peer, &message, &mut host, &mut out);
        codes.push(Message::parse(&sent(&out)[0]).unwrap().code());
    }
    assert_eq!(codes, [Some(200), Some(200), Some(503)]);
}
