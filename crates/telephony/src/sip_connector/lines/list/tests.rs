//! Several lists of one PBX.

use presence::LineState;
use sip::{
    ids::Ids,
    message::{Message, Writer},
};

use super::{
    super::tests::{SECOND, account, notify_as, respond, sent},
    *,
};
use crate::sip_connector::trouble::TroubleTexts;

const LISTS: [&str; 2] = ["sip:a@pbx.test", "sip:b@pbx.test"];

/// Two lists and the lines 1001 to 1003, and the SUBSCRIBE for each list, answered.
fn subscribed() -> (Lines, [Vec<u8>; 2]) {
    let words = TroubleTexts {
        server: "pbx:5060".into(),
        domain: "pbx.test".into(),
        username: "u".into(),
    };
    let mut lines = Lines::new(words, LISTS.map(Arc::from), Ids::new([1; 32]));
    let extensions = ["1001", "1002", "1003"].map(Arc::from).to_vec();
    lines.change(SECOND, extensions, Vec::new());
    // The first one proves the account's credentials before the other is sent.
    let mut waiting = sent(&lines.transport_up(SECOND, account()));
    let mut subscribes = Vec::new();
    while let Some(subscribe) = waiting.pop() {
        let out = respond(&mut lines, SECOND, &subscribe, 200, &[("Expires", "600")]);
        waiting.extend(sent(&out));
        subscribes.push(subscribe);
    }
    let subscribes = subscribes.try_into().unwrap();
    (lines, subscribes)
}

/// A full list with these lines, each with or without a call.
fn notify(lines: &mut Lines, subscribe: &[u8], cseq: u32, members: &[(&str, &str)]) -> Vec<Output> {
    let (mut resources, mut parts) = (String::new(), String::new());
    for (user, state) in members {
        resources += &format!(
            "<resource uri=\"sip:{user}@pbx.test\"><instance id=\"1\" state=\"active\" cid=\"{user}@pbx\"/></resource>"
        );
        parts += &format!(
            "--b\r\nContent-ID: <{user}@pbx>\r\nContent-Type: application/dialog-info+xml\r\n\r\n\
             <dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{cseq}\" state=\"full\" \
             entity=\"sip:{user}@pbx.test\"><dialog id=\"1\"><state>{state}</state></dialog></dialog-info>\r\n"
        );
    }
    send(lines, subscribe, cseq, &resources, &parts)
}

/// A full list with one line, without a document. Returns the reports of lines.
fn notify_silent(lines: &mut Lines, subscribe: &[u8], cseq: u32, user: &str) -> Vec<Output> {
    let resource = format!("<resource uri=\"sip:{user}@pbx.test\"/>");
    let mut out = send(lines, subscribe, cseq, &resource, "");
    out.retain(|output| !matches!(output, Output::Send(_)));
    out
}

fn send(
    lines: &mut Lines,
    subscribe: &[u8],
    cseq: u32,
    resources: &str,
    parts: &str,
) -> Vec<Output> {
    let body = format!(
        "--b\r\nContent-ID: <root@pbx>\r\nContent-Type: application/rlmi+xml\r\n\r\n\
         <list xmlns=\"urn:ietf:params:xml:ns:rlmi\" uri=\"sip:x@pbx.test\" version=\"{cseq}\" \
         fullState=\"true\">{resources}</list>\r\n{parts}--b--\r\n"
    );
    let kind =
        "multipart/related;type=\"application/rlmi+xml\";start=\"<root@pbx>\";boundary=\"b\"";
    notify_as(lines, SECOND, subscribe, cseq, (kind, &body))
}

/// The SUBSCRIBEs in the output for the list of this one.
fn subscribes(out: &[Output], subscribe: &[u8]) -> Vec<Vec<u8>> {
    let call_id = |bytes: &[u8]| {
        let message = Message::parse(bytes).unwrap();
        let is_subscribe = message.method() == Some("SUBSCRIBE");
        is_subscribe.then(|| message.call_id().unwrap().into_owned())
    };
    let mut sent = sent(out);
    sent.retain(|bytes| call_id(bytes) == call_id(subscribe));
    sent
}

fn states(lines: &Lines) -> [Option<LineState>; 3] {
    ["1001", "1002", "1003"].map(|extension| lines.lines[extension].state)
}

// A22
#[test]
fn a_line_is_on_any_of_several_lists_and_is_missed_when_all_have_spoken() {
    use LineState::{Connected, Idle};
    let (mut lines, [a, b]) = subscribed();
    notify(&mut lines, &a, 1, &[("1001", "confirmed")]);
    assert_eq!(states(&lines), [Some(Connected), None, None]);
    assert!(
        lines.line_trouble().is_empty(),
        "the other list may have it"
    );
    notify(&mut lines, &b, 1, &[("1002", "terminated")]);
    assert_eq!(states(&lines), [Some(Connected), Some(Idle), None]);
    assert_eq!((lines.len(), lines.active()), (3, 2));
    let trouble = &lines.line_trouble()["1003"];
    assert!(
        trouble.what.contains("sip:a@pbx.test, sip:b@pbx.test"),
        "{trouble:?}"
    );
    notify(
        &mut lines,
        &b,
        2,
        &[("1002", "confirmed"), ("1003", "confirmed")],
    );
    assert_eq!(states(&lines), [Some(Connected); 3]);
    assert!(lines.line_trouble().is_empty());
}

// A22
#[test]
fn of_two_lists_with_the_same_line_one_counts_until_it_is_lost() {
    use LineState::{Connected, Idle};
    let (mut lines, [a, b]) = subscribed();
    notify(&mut lines, &a, 1, &[("1001", "confirmed")]);
    notify(&mut lines, &b, 7, &[("1001", "terminated")]);
    assert_eq!(states(&lines)[0], Some(Connected));
    // The first list no longer has the line: the other one may have it.
    let out = notify(&mut lines, &a, 2, &[("1002", "terminated")]);
    assert!(out.contains(&Output::Line {
        extension: "1001".into(),
        change: LineChange::Stale
    }));
    notify(&mut lines, &b, 8, &[("1001", "terminated")]);
    assert_eq!(states(&lines), [Some(Idle), Some(Idle), None]);
}

// A22
#[test]
fn a_list_that_is_too_large_is_named_with_a_remedy() {
    let (mut lines, [_, b]) = subscribed();
    notify(&mut lines, &b, 1, &[("1001", "terminated")]);
    lines.elapse(SECOND * 60);
    let trouble = &lines.line_trouble()[LISTS[0]];
    assert!(trouble.what.contains("sip:a@pbx.test"), "{trouble:?}");
    assert!(trouble.what.contains("too large"), "{trouble:?}");
    assert!(trouble.remedy.contains("at most 100"), "{trouble:?}");
    // Lines of the other list keep their state.
    assert_eq!(states(&lines)[0], Some(LineState::Idle));
}

// A22
#[test]
fn a_line_that_moves_to_another_list_refreshes_it_at_once() {
    use LineState::{Connected, Idle};
    let (mut lines, [a, b]) = subscribed();
    notify(
        &mut lines,
        &a,
        1,
        &[("1001", "terminated"), ("1002", "terminated")],
    );
    notify(&mut lines, &b, 1, &[("1003", "terminated")]);
    // The new list names the line first.
    let moved = [("1002", "confirmed"), ("1003", "terminated")];
    notify(&mut lines, &b, 2, &moved);
    assert_eq!(states(&lines)[1], Some(Idle), "it is still on the first");
    let out = notify(&mut lines, &a, 2, &[("1001", "terminated")]);
    let refresh = subscribes(&out, &b);
    assert_eq!(refresh.len(), 1);
    assert!(subscribes(&out, &a).is_empty());
    assert_eq!(lines.pending(), 1);
    assert!(
        lines.line_trouble().is_empty(),
        "the other list may have it"
    );
    // A NOTIFY about other lines is no answer.
    notify(&mut lines, &a, 3, &[("1001", "confirmed")]);
    assert!(lines.line_trouble().is_empty());
    respond(&mut lines, SECOND, &refresh[0], 200, &[("Expires", "600")]);
    let out = notify(&mut lines, &b, 3, &moved);
    assert_eq!(
        states(&lines),
        [Some(Connected), Some(Connected), Some(Idle)]
    );
    assert!(lines.line_trouble().is_empty());
    assert!(subscribes(&out, &a).is_empty() && subscribes(&out, &b).is_empty());
}

// A22
#[test]
fn a_line_that_leaves_the_lists_is_missed_when_the_others_have_answered() {
    let (mut lines, [a, b]) = subscribed();
    let one = [("1001", "terminated"), ("1002", "terminated")];
    notify(&mut lines, &a, 1, &one);
    notify(&mut lines, &b, 1, &[("1003", "terminated")]);
    let out = notify(&mut lines, &a, 2, &one[..1]);
    assert!(
        lines.line_trouble().is_empty(),
        "the other list may have it"
    );
    respond(
        &mut lines,
        SECOND,
        &subscribes(&out, &b)[0],
        200,
        &[("Expires", "600")],
    );
    notify(&mut lines, &b, 2, &[("1003", "terminated")]);
    let trouble = &lines.line_trouble()["1002"];
    assert!(trouble.what.contains("on none of the lists"), "{trouble:?}");
    // The list is refreshed once.
    let out = notify(&mut lines, &a, 3, &one[..1]);
    assert!(subscribes(&out, &b).is_empty());
}

// A22
#[test]
fn the_lines_of_a_lost_list_refresh_the_other() {
    let (mut lines, [a, b]) = subscribed();
    notify(&mut lines, &a, 1, &[("1001", "terminated")]);
    let both = [("1001", "confirmed"), ("1002", "terminated")];
    notify(&mut lines, &b, 1, &both);
    assert_eq!(states(&lines)[0], Some(LineState::Idle));
    let end = |subscribe: &[u8]| {
        let subscribe = Message::parse(subscribe).unwrap();
        Writer::request("NOTIFY", "sip:u@h")
            .header("Via", "SIP/2.0/TCP pbx;branch=end")
            .header("From", "<sip:x@pbx.test>;tag=pbx")
            .header("To", subscribe.header("From").unwrap())
            .header("Call-ID", subscribe.call_id().unwrap())
            .header("CSeq", "9 NOTIFY")
            .header("Event", "dialog")
            .header("Subscription-State", "terminated;reason=noresource")
            .finish()
            .unwrap()
    };
    let out = lines.receive(SECOND, &Message::parse(&end(&a)).unwrap());
    let refresh = subscribes(&out, &b);
    assert_eq!(refresh.len(), 1);
    respond(&mut lines, SECOND, &refresh[0], 200, &[("Expires", "600")]);
    notify(&mut lines, &b, 2, &both);
    assert_eq!(states(&lines)[0], Some(LineState::Connected));
}

// A13, A22
#[test]
fn a_list_without_a_state_of_a_line_leaves_it_to_another() {
    let (mut lines, [a, b]) = subscribed();
    let silent = notify_silent(&mut lines, &a, 1, "1001");
    assert!(silent.is_empty(), "{silent:?}");
    notify(&mut lines, &b, 1, &[("1001", "confirmed")]);
    assert_eq!(states(&lines)[0], Some(LineState::Connected));
    notify_silent(&mut lines, &a, 2, "1001");
    notify(&mut lines, &a, 3, &[("1001", "terminated")]);
    lines.elapse(SECOND * 40);
    assert_eq!(states(&lines)[0], Some(LineState::Connected));
}
