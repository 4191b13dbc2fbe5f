//! The states of lines that are watched by a list (RFC 4662).

use super::{
    documents::{full, notifier, reported_state, trouble},
    *,
};

/// Lines that are watched by a list, and the SUBSCRIBE for it.
pub(super) fn listed(extensions: &[&str]) -> (Lines, Vec<u8>) {
    let words = TroubleTexts {
        server: "pbx:5060".into(),
        domain: "pbx.test".into(),
        username: "u".into(),
    };
    let mut lines = Lines::new(words, Some("sip:blf@pbx.test".into()), Ids::new([1; 32]));
    let watch = extensions.iter().map(|e| Arc::from(*e)).collect();
    lines.change(SECOND, watch, Vec::new());
    let subscribe = sent(&lines.transport_up(SECOND, account())).remove(0);
    respond(&mut lines, SECOND, &subscribe, 200, &[]);
    (lines, subscribe)
}

/// A body with a list and its parts: id, headers and content of each.
pub(super) fn body(full: bool, resources: &str, parts: &[(&str, &str, &str)]) -> String {
    let mut text = format!(
        "--b\r\nContent-Type: application/rlmi+xml\r\n\r\n<list xmlns='urn:ietf:params:xml:ns:rlmi' fullState='{full}'>{resources}</list>\r\n"
    );
    for (id, headers, content) in parts {
        text.push_str(&format!(
            "--b\r\nContent-ID: <{id}>\r\n{headers}\r\n\r\n{content}\r\n"
        ));
    }
    text + "--b--\r\n"
}

pub(super) const DOCUMENT: &str = "Content-Type: application/dialog-info+xml";

fn send_list(lines: &mut Lines, subscribe: &[u8], cseq: u32, body: &str) -> Vec<Output> {
    let mut pbx = notifier(subscribe);
    (pbx.cseq, pbx.content_type) = (
        cseq,
        "multipart/related;type=\"application/rlmi+xml\";boundary=b",
    );
    pbx.send(lines, SECOND, body)
}

/// A6, A13: addresses, references and encodings as lists have them.
#[test]
fn lines_of_a_list_are_found_however_they_are_written() {
    let confirmed = full(1, &[("1", "confirmed")]);
    let base64 = "PGRpYWxvZy1pbmZvPjxkaWFsb2cgaWQ9JzEnPjxzdGF0ZT5jb25maXJtZWQ8L3N0YXRlPjwv\r\nZGlhbG9nPjwvZGlhbG9nLWluZm8+";
    let encoded = format!("{DOCUMENT}\r\nContent-Transfer-Encoding: base64");
    for (extension, resource, part) in [
        (
            "1001",
            "<resource uri='sip:1001@x'><name>Meyer & Co</name><instance cid='1@x'/></resource>",
            ("1@x", DOCUMENT, &*confirmed),
        ),
        (
            "+4930123",
            "<resource uri='SIP:%2B4930123@PBX.test'><instance state='active' cid='&lt;1@x&gt;'/></resource>",
            ("1@x", DOCUMENT, &confirmed),
        ),
        (
            "+4930123",
            "<resource uri='tel:+4930123;x=y'><instance state='active' cid='cid:1@x'/></resource>",
            ("1@x", DOCUMENT, &confirmed),
        ),
        (
            "55#",
            "<resource uri='sip:55%23@x'><instance state='active' cid='1@x'/></resource>",
            ("1@x", "", &confirmed),
        ),
        (
            "1001",
            "<resource uri='sip:%31001@x'><instance state='active' cid='1@x'/></resource>",
            ("1@x", &encoded, base64),
        ),
    ] {
        let (mut lines, subscribe) = listed(&[extension]);
        let out = send_list(&mut lines, &subscribe, 1, &body(true, resource, &[part]));
        assert_eq!(
            reported_state(&out, extension),
            Some(Some(LineState::Connected)),
            "{resource}"
        );
        assert_eq!(
            lines.line_trouble().len(),
            0,
            "{resource}: {:?}",
            lines.line_trouble()
        );
    }
}

/// A13: the instances of several servers are one line.
#[test]
fn a_line_is_the_union_of_its_instances() {
    let idle = full(1, &[("1", "terminated")]);
    let (mut lines, subscribe) = listed(&["1001"]);
    let two = "<resource uri='sip:1001@x'><instance id='a' state='active' cid='1'/><instance id='b' state='active' cid='2'/></resource>";
    let send = |lines: &mut Lines, cseq, full, resources: &str, parts: &[(&str, &str)]| {
        let parts: Vec<_> = parts
            .iter()
            .map(|(id, text)| (*id, DOCUMENT, *text))
            .collect();
        let out = send_list(lines, &subscribe, cseq, &body(full, resources, &parts));
        reported_state(&out, "1001")
    };
    let in_call = full(1, &[("1", "confirmed")]);
    // The same version and id in both instances: each counts its own documents.
    let state = send(&mut lines, 1, true, two, &[("1", &in_call), ("2", &idle)]);
    assert_eq!(state, Some(Some(LineState::Connected)));
    // A NOTIFY with only one instance.
    let one = "<resource uri='sip:1001@x'><instance id='b' state='active' cid='2'/></resource>";
    let state = send(
        &mut lines,
        2,
        false,
        one,
        &[("2", &full(2, &[("1", "early")]))],
    );
    assert_eq!(state, Some(Some(LineState::Connected)));
    let over = full(2, &[("1", "terminated")]);
    let state = send(
        &mut lines,
        3,
        true,
        two,
        &[("1", &over), ("2", &full(3, &[("1", "early")]))],
    );
    assert_eq!(state, Some(Some(LineState::Ringing)));
    // One ends: the other remains.
    let ended = two.replacen(
        "state='active' cid='2'",
        "state='terminated' reason='giveup'",
        1,
    );
    let state = send(&mut lines, 4, true, &ended, &[("1", &full(3, &[]))]);
    assert_eq!(
        (state, trouble(&lines, "1001").contains("giveup")),
        (Some(None), true)
    );
    // Asterisk gives its single instance a new name each time.
    let (mut lines, subscribe) = listed(&["1001"]);
    for (cseq, name, state, expected) in [
        (1, "gyogd", "confirmed", LineState::Connected),
        (2, "nijee", "early", LineState::Connected),
        (3, "woinj", "terminated", LineState::Idle),
    ] {
        let resource = format!(
            "<resource uri='sip:1001@x'><instance id='{name}' state='active' cid='1'/></resource>"
        );
        let document = full(cseq, &[("1001", state)]);
        let body = body(cseq == 1, &resource, &[("1", DOCUMENT, &document)]);
        let out = send_list(&mut lines, &subscribe, cseq, &body);
        assert_eq!(reported_state(&out, "1001"), Some(Some(expected)));
    }
}

/// A13: instances of the same name are instances all the same.
#[test]
fn instances_of_the_same_name_do_not_take_each_others_place() {
    let one = |cid: u8| format!("<instance id='1' state='active' cid='{cid}'/>");
    let resource =
        |uri: &str, instances: &str| format!("<resource uri='{uri}'>{instances}</resource>");
    for resources in [
        resource("sip:1001@x", &(one(1) + &one(2))),
        resource("sip:1001@x", &one(1)) + &resource("sip:1001@x:5060", &one(2)),
    ] {
        let (mut lines, subscribe) = listed(&["1001"]);
        let send = |lines: &mut Lines, version| {
            let (call, idle) = (full(version, &[("a", "confirmed")]), full(version, &[]));
            let parts = [("1", DOCUMENT, &*call), ("2", DOCUMENT, &*idle)];
            send_list(lines, &subscribe, version, &body(true, &resources, &parts))
        };
        for version in 1..4 {
            let out = send(&mut lines, version);
            let state = reported_state(&out, "1001");
            assert_eq!(state, Some(Some(LineState::Connected)), "{resources}");
        }
        let out = lines.elapse(SECOND * 20);
        assert!(
            !matches!(reported_state(&out, "1001"), Some(Some(LineState::Idle))),
            "{resources}"
        );
    }
}

/// A13: an instance that a full list no longer names is gone, even if only one is left.
#[test]
fn the_call_of_an_instance_ends_with_the_instance() {
    let (mut lines, subscribe) = listed(&["1001"]);
    let (call, idle) = (full(1, &[("a", "confirmed")]), full(1, &[]));
    let one = |id: &str| format!("<instance id='{id}' state='active' cid='{id}'/>");
    let resource = |instances: &str| format!("<resource uri='sip:1001@x'>{instances}</resource>");
    let both = body(
        true,
        &resource(&(one("a") + &one("b"))),
        &[("a", DOCUMENT, &idle), ("b", DOCUMENT, &call)],
    );
    let out = send_list(&mut lines, &subscribe, 1, &both);
    assert_eq!(
        reported_state(&out, "1001"),
        Some(Some(LineState::Connected))
    );
    let idle = full(2, &[]);
    let parts = [("a", DOCUMENT, &*idle)];
    let one = body(true, &resource(&one("a")), &parts);
    let out = send_list(&mut lines, &subscribe, 2, &one);
    assert_eq!(reported_state(&out, "1001"), Some(Some(LineState::Idle)));
}

/// A13: instances without a document have troubles of their own.
#[test]
fn lines_of_a_list_without_a_document_are_named() {
    for (instance, what) in [
        (
            "<instance id='a' state='pending'/>",
            "waits for authorization",
        ),
        (
            "<instance id='a' state='terminated' reason='noresource'/>",
            "has ended (noresource)",
        ),
        (
            "<instance id='a' state='active' cid='9'/>",
            "lacks the document",
        ),
    ] {
        let (mut lines, subscribe) = listed(&["1001"]);
        let resource = format!("<resource uri='sip:1001@x'>{instance}</resource>");
        let out = send_list(&mut lines, &subscribe, 1, &body(true, &resource, &[]));
        assert_eq!(reported_state(&out, "1001"), Some(None), "{instance}");
        assert!(
            trouble(&lines, "1001").contains(what),
            "{}",
            trouble(&lines, "1001")
        );
    }
    // No state yet: no trouble either.
    let (mut lines, subscribe) = listed(&["1001"]);
    let out = send_list(
        &mut lines,
        &subscribe,
        1,
        &body(true, "<resource uri='sip:1001@x'/>", &[]),
    );
    assert_eq!(
        (reported_state(&out, "1001"), lines.line_trouble().len()),
        (None, 0)
    );
    let out = send_list(&mut lines, &subscribe, 2, &body(true, "", &[]));
    assert_eq!(reported_state(&out, "1001"), Some(None));
    assert!(trouble(&lines, "1001").contains("not on the list"));
}

/// A13: a list within the list is followed; an unreadable one is named, and the lines that may be on it are unknown.
#[test]
fn a_list_within_the_list_is_followed() {
    let call = full(1, &[("1", "confirmed")]);
    let line = "<resource uri='sip:1001@x'><instance id='a' state='active' cid='1'/></resource>";
    let nested = |within: &str| {
        let kind = "Content-Type: multipart/related;\r\n boundary=\"c\"";
        let resource = "<resource uri='sip:sales@x'><instance id='l' state='active' cid='list'/></resource><resource uri='sip:1002@x'><instance id='z' state='active' cid='2'/></resource>";
        let idle = full(1, &[]);
        body(
            true,
            resource,
            &[("list", kind, within), ("2", DOCUMENT, &idle)],
        )
    };
    let (mut lines, subscribe) = listed(&["1001", "1002"]);
    let within = body(true, line, &[("1", DOCUMENT, &call)]).replace("--b", "--c");
    let out = send_list(&mut lines, &subscribe, 1, &nested(&within));
    assert_eq!(
        reported_state(&out, "1001"),
        Some(Some(LineState::Connected))
    );
    assert_eq!(reported_state(&out, "1002"), Some(Some(LineState::Idle)));
    assert_eq!(lines.line_trouble().len(), 0, "{:?}", lines.line_trouble());
    // An unchanged line of that list is still on it.
    let unchanged = body(false, "", &[]).replace("--b", "--c");
    let out = send_list(&mut lines, &subscribe, 2, &nested(&unchanged));
    assert_ne!(reported_state(&out, "1001"), Some(None));
    let out = send_list(
        &mut lines,
        &subscribe,
        3,
        &nested("--c\r\n\r\nnonsense\r\n--c--"),
    );
    assert_eq!(reported_state(&out, "1001"), Some(None));
    assert!(trouble(&lines, "sip:blf@pbx.test").contains("a list within it"));
    // A list that contains itself.
    let mut deep = body(true, line, &[("1", DOCUMENT, &call)]).replace("--b", "--c9");
    for depth in (0..9).rev() {
        let part = format!("Content-Type: multipart/related;boundary=c{}", depth + 1);
        let list = "<resource uri='sip:sales@x'><instance state='active' cid='l'/></resource>";
        deep = body(true, list, &[("l", &part, &deep)]);
        deep = deep
            .replace("--b\r", &format!("--c{depth}\r"))
            .replace("--b--", &format!("--c{depth}--"));
    }
    let out = send_list(
        &mut lines,
        &subscribe,
        4,
        &nested(&deep).replace("boundary=\"c\"", "boundary=c0"),
    );
    assert_eq!(reported_state(&out, "1001"), Some(None));
    assert!(
        trouble(&lines, "sip:blf@pbx.test").contains("too deep"),
        "{}",
        trouble(&lines, "sip:blf@pbx.test")
    );
}

/// A6: a list that is cut off does not remove its other lines, but their state is unknown.
#[test]
fn a_list_that_ends_in_the_middle_is_named() {
    let (mut lines, subscribe) = listed(&["1001", "1002"]);
    let call = full(1, &[("1", "confirmed")]);
    let line = "<resource uri='sip:1001@x'><instance id='a' state='active' cid='1'/></resource>";
    let whole = body(true, line, &[("1", DOCUMENT, &call)]);
    let out = send_list(&mut lines, &subscribe, 1, &whole.replace("</list>", ""));
    assert_eq!(
        reported_state(&out, "1001"),
        Some(Some(LineState::Connected))
    );
    assert_eq!(reported_state(&out, "1002"), None, "as unknown as before");
    assert!(trouble(&lines, "sip:blf@pbx.test").contains("ends in the middle"));
    assert_eq!(trouble(&lines, "1002"), "");
    // Text after the end and a missing last boundary harm no line.
    let other = line.replace("1001", "1002");
    let body = body(
        true,
        &format!("{line}{other}"),
        &[("1", DOCUMENT, &full(2, &[("1", "confirmed")]))],
    );
    let out = send_list(
        &mut lines,
        &subscribe,
        2,
        &body
            .replace("</list>", "</list>bye")
            .replace("--b--\r\n", ""),
    );
    assert_eq!(
        reported_state(&out, "1002"),
        Some(Some(LineState::Connected))
    );
    assert!(trouble(&lines, "sip:blf@pbx.test").contains("content after its end"));
}

/// A26: calls that vanish from a list are checked by one refresh of the list.
#[test]
fn vanished_calls_of_a_list_share_one_refresh() {
    let (mut lines, subscribe) = listed(&["1001", "1002"]);
    let resource = |n: u8| {
        format!(
            "<resource uri='sip:100{n}@x'><instance id='a' state='active' cid='{n}'/></resource>"
        )
    };
    let both = resource(1) + &resource(2);
    let send = |lines: &mut Lines, version, dialogs: &[(&str, &str)]| {
        let document = full(version, dialogs);
        let parts = [("1", DOCUMENT, &*document), ("2", DOCUMENT, &*document)];
        send_list(lines, &subscribe, version, &body(true, &both, &parts))
    };
    let refreshes = |out: &[Output]| {
        let sent = sent(out).into_iter();
        sent.filter(|bytes| bytes.starts_with(b"SUBSCRIBE"))
            .collect::<Vec<_>>()
    };
    send(&mut lines, 1, &[("1", "confirmed")]);
    let out = send(&mut lines, 2, &[]);
    assert_eq!(
        reported_state(&out, "1002"),
        Some(Some(LineState::Connected))
    );
    let refresh = refreshes(&out);
    assert_eq!(refresh.len(), 1);
    respond(&mut lines, SECOND, &refresh[0], 200, &[]);
    let out = send(&mut lines, 3, &[]);
    assert_eq!(
        (reported_state(&out, "1001"), reported_state(&out, "1002")),
        (Some(Some(LineState::Idle)), Some(Some(LineState::Idle)))
    );
    assert!(refreshes(&out).is_empty());
}
