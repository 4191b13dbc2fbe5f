//! A18, A15: requests that phones should not send, and where NOTIFYs go.

use super::*;

/// A complete SUBSCRIBE.
fn request(uri: &str, contact: &str, call_id: &str) -> Vec<u8> {
    let request = Writer::request("SUBSCRIBE", uri)
        .header("Via", format_args!("SIP/2.0/UDP h;branch={call_id}"))
        .header("From", "<sip:a@b>;tag=1")
        .header("To", "<sip:1001@x>")
        .header("Call-ID", call_id)
        .header("CSeq", "1 SUBSCRIBE")
        .header("Contact", contact)
        .header("Event", "dialog");
    request.finish().unwrap()
}

fn answered(agent: &mut Agent<u8>, bytes: &[u8]) -> u16 {
    let sent = receive(SECOND, agent, &mut desk("x"), bytes);
    Message::parse(&sent[0]).unwrap().code().unwrap()
}

// A18
#[test]
fn a_contact_that_no_notify_can_be_sent_to_is_refused() {
    let mut agent = agent();
    for contact in [
        "*",
        "<sip:x y@z>",
        "<sip:x@>",
        "<sip:1001@2001:db8::10>",
        "<tel:1001>",
        "<mailto:a@b>",
        "<>",
        "",
        "\"never closed <sip:a@h>",
    ] {
        let request = request("sip:1001@x", contact, "refused");
        assert_eq!(answered(&mut agent, &request), 400, "{contact}");
    }
    assert!(agent.is_empty());
    let contact = "\"A\" <sip:a@[2001:db8::10]:5070;transport=udp>;expires=60";
    let request = request("sip:1001@x", contact, "accepted");
    assert_eq!(answered(&mut agent, &request), 200);
}

// A18
#[test]
fn a_request_uri_that_cannot_be_read_is_refused() {
    let mut agent = agent();
    for (uri, code) in [
        ("sip:2001:db8::10", 400),
        ("sip:1001@", 400),
        ("sip:1001@x:y", 400),
        ("sip:@x", 400),
        ("1001", 400),
        ("http://x", 416),
        ("sip:1001@[2001:db8::10]:5060", 200),
    ] {
        let request = request(uri, "<sip:a@h>", uri);
        assert_eq!(answered(&mut agent, &request), code, "{uri}");
        let register = bare("REGISTER", uri).finish().unwrap();
        let register = String::from_utf8(register).unwrap();
        let register = register.replace("sip:1001@x SIP", &format!("{uri} SIP"));
        let mut host = desk("x");
        host.registers = true;
        let sent = receive(SECOND, &mut agent, &mut host, register.as_bytes());
        let registered = Message::parse(&sent[0]).unwrap().code();
        assert_eq!(registered, Some(code), "{uri}");
    }
}

// A18
#[test]
fn another_package_within_a_dialog_does_not_renew_the_subscription() {
    let (mut agent, mut host) = (agent(), desk("idle"));
    let first = subscribe("a", "dialog;id=1", 60, "<sip:c>").finish();
    let sent = receive(SECOND, &mut agent, &mut host, &first.unwrap());
    answer_all(SECOND, &mut agent, &mut host, &sent);
    let to = Message::parse(&sent[0])
        .unwrap()
        .header("To")
        .unwrap()
        .into_owned();
    for (number, event, code) in [
        (2, "presence;id=1", 481),
        (3, "dialog", 481),
        (4, "dialog;id=2", 481),
        (5, "Dialog;id=1", 200),
    ] {
        let again = subscribe("a", event, 60, &to).finish().unwrap();
        let again = String::from_utf8(again).unwrap();
        let again = again
            .replace("CSeq: 1", &format!("CSeq: {number}"))
            .replace("branch=a", &format!("branch=a{number}"));
        let sent = receive(SECOND * 30, &mut agent, &mut host, again.as_bytes());
        let answer = Message::parse(&sent[0]).unwrap();
        assert_eq!(answer.code(), Some(code), "{event}");
        // A refusal causes no NOTIFY.
        assert_eq!(sent.len() == 2, code == 200, "{event}");
    }
    assert_eq!(agent.len(), 1);
}

// A18
#[test]
fn there_is_nothing_to_cancel() {
    let (mut agent, mut host) = (agent(), desk("idle"));
    let first = subscribe("a", "dialog", 60, "<sip:c>").finish().unwrap();
    receive(SECOND, &mut agent, &mut host, &first);
    for branch in ["a", "b"] {
        assert_eq!(code(&mut agent, bare("CANCEL", branch)), 481);
    }
    assert_eq!(agent.len(), 1);
}

// A15
#[test]
fn notifies_use_the_hosts_flow_and_answers_the_peers() {
    let (mut agent, mut host) = (agent(), desk("idle"));
    host.dialog_flow = Some(9);
    let first = subscribe("a", "dialog", 60, "<sip:c>").finish().unwrap();
    let flows = |out: &Outbox<u8>| -> Vec<u8> { out.messages().map(|(flow, _)| flow).collect() };
    let mut out = Outbox::default();
    let message = Message::parse(&first).unwrap();
    agent.receive(SECOND, PEER, &message, &mut host, &mut out);
    assert_eq!(flows(&out), [1, 9]);
    // A subscription lives as long as the flow of its NOTIFYs.
    agent.flow_lost(1);
    assert_eq!(agent.len(), 1);
    agent.flow_lost(9);
    assert!(agent.is_empty());
}

#[test]
fn answers_name_the_source_of_the_request() {
    let mut agent = agent();
    let request = Writer::request("OPTIONS", "sip:x")
        .header(
            "Via",
            "SIP/2.0/UDP 10.0.0.1:5060;rport;received=1.1.1.1;branch=f, SIP/2.0/UDP b;rport",
        )
        .header("From", "<sip:a@b>;tag=1")
        .header("To", "<sip:x>")
        .header("Call-ID", "f")
        .header("CSeq", "1 OPTIONS")
        .finish()
        .unwrap();
    let sent = receive(SECOND, &mut agent, &mut desk("x"), &request);
    let answer = Message::parse(&sent[0]).unwrap();
    assert_eq!(
        answer.header("Via").unwrap(),
        "SIP/2.0/UDP 10.0.0.1:5060;rport=5062;branch=f;received=192.0.2.7, SIP/2.0/UDP b;rport"
    );
}
