//! A3 and A16: a line without a usable document is stale and subscribes again.

use super::*;

fn is_stale(out: &[Output]) -> bool {
    out.iter().any(is_stale_line)
}

/// The SUBSCRIBEs among the sent messages.
fn subscribes(out: &[Output]) -> Vec<Vec<u8>> {
    let mut sent = sent(out);
    sent.retain(|bytes| bytes.starts_with(b"SUBSCRIBE"));
    sent
}

/// Moves on until a SUBSCRIBE is sent.
fn wait_for_subscribe(lines: &mut Lines, now: &mut Duration) -> Vec<u8> {
    loop {
        *now = lines.next_deadline().unwrap().max(*now);
        let out = lines.elapse(*now);
        if let Some(request) = subscribes(&out).pop() {
            return request;
        }
    }
}

fn call_id(request: &[u8]) -> String {
    let request = Message::parse(request).unwrap();
    request.call_id().unwrap().into_owned()
}

// A3 (a)
#[test]
fn a_number_that_goes_back_ends_a_call_that_ended() {
    let (mut lines, subscribe) = one_active();
    let now = SECOND * 40;
    let talking = document(1, "full", "confirmed");
    let out = notify(&mut lines, now, &subscribe, 3_153_599_901, &talking);
    assert_eq!(states(&out), [LineState::Connected]);
    let over = document(2, "full", "terminated");
    let out = notify(&mut lines, now, &subscribe, 1, &over);
    assert!(sent(&out)[0].starts_with(b"SIP/2.0 500") && states(&out).is_empty());
    // The subscription asks for the whole state at once; the answer is refused as well.
    let refresh = subscribes(&out).remove(0);
    respond(&mut lines, now, &refresh, 200, &[]);
    let out = notify(&mut lines, now, &subscribe, 2, &over);
    assert!(is_stale(&out));
    let again = subscribes(&out).remove(0);
    assert_ne!(call_id(&again), call_id(&subscribe));
    assert!(lines.line_trouble()["1000"].what.contains("CSeq"));
    respond(&mut lines, now, &again, 200, &[]);
    let out = notify(&mut lines, now, &again, 3, &over);
    assert_eq!(states(&out), [LineState::Idle]);
    assert!(lines.line_trouble().is_empty());
}

// A3 (b)
#[test]
fn partial_documents_that_begin_again_lead_to_a_full_one_or_to_a_new_subscription() {
    let (mut lines, subscribe) = one_active();
    let mut now = SECOND * 40;
    let ringing = document(9, "full", "early");
    notify(&mut lines, now, &subscribe, 2, &ringing);
    let began = document(0, "partial", "terminated");
    let out = notify(&mut lines, now, &subscribe, 3, &began);
    let refresh = subscribes(&out).remove(0);
    assert!(states(&out).is_empty() && call_id(&refresh) == call_id(&subscribe));
    respond(&mut lines, now, &refresh, 200, &[]);
    let again = document(0, "partial", "terminated");
    let out = notify(&mut lines, now, &subscribe, 4, &again);
    assert!(is_stale(&out) && lines.active() == 0);
    let trouble = &lines.line_trouble()["1000"];
    assert!(trouble.what.contains("no full one"), "{trouble:?}");
    let out = notify(&mut lines, now, &subscribe, 5, &again);
    let anew = subscribes(&out).remove(0);
    assert_ne!(call_id(&anew), call_id(&subscribe));
    // Again and again with growing pauses, and without another cause in the trouble.
    let mut request = anew;
    let mut times = Vec::new();
    for cseq in 0..60 {
        times.push(now);
        respond(&mut lines, now, &request, 200, &[]);
        let gap = document(cseq * 3 + 5, "partial", "early");
        let document = match cseq {
            0 => document(9, "full", "early"),
            _ => gap,
        };
        notify(&mut lines, now, &request, cseq + 1, &document);
        request = wait_for_subscribe(&mut lines, &mut now);
    }
    assert!(now > SECOND * 3600, "{times:?}");
    assert!(!lines.line_trouble().is_empty());
}

// A16
#[test]
fn a_system_that_only_ever_sends_partial_documents_is_understood_and_named() {
    let mut lines = lines(1);
    let subscribe = sent(&lines.transport_up(SECOND, account())).remove(0);
    respond(&mut lines, SECOND, &subscribe, 200, &[]);
    let tell = |lines: &mut Lines, cseq: u32, state: &str| {
        let document = document(0, "partial", state);
        notify(lines, SECOND, &subscribe, cseq, &document)
    };
    let out = tell(&mut lines, 1, "early");
    let refresh = subscribes(&out).remove(0);
    assert!(states(&out).is_empty());
    respond(&mut lines, SECOND, &refresh, 200, &[]);
    assert_eq!(states(&tell(&mut lines, 2, "early")), [LineState::Ringing]);
    let out = tell(&mut lines, 3, "confirmed");
    assert_eq!(states(&out), [LineState::Connected]);
    assert_eq!(
        states(&tell(&mut lines, 4, "terminated")),
        [LineState::Idle]
    );
    let trouble = &lines.line_trouble()["1000"];
    assert!(trouble.what.contains("only partial"), "{trouble:?}");
    let full = document(0, "full", "confirmed");
    let out = notify(&mut lines, SECOND, &subscribe, 5, &full);
    assert_eq!(states(&out), [LineState::Connected]);
    assert!(lines.line_trouble().is_empty());
}

// A3
#[test]
fn documents_that_cannot_be_read_lead_to_a_new_subscription_and_keep_their_words() {
    let (mut lines, subscribe) = one_active();
    let now = SECOND * 40;
    let mut request = subscribe;
    for cseq in 2..5 {
        let out = notify(&mut lines, now, &request, cseq, "<dialog-info");
        assert!(is_stale(&out));
        let trouble = &lines.line_trouble()["1000"];
        assert!(trouble.what.contains("cannot be understood"), "{trouble:?}");
        if let Some(refresh) = subscribes(&out).pop() {
            respond(&mut lines, now, &refresh, 200, &[]);
            request = refresh;
        }
    }
    assert_eq!(lines.active(), 0);
    let out = notify(&mut lines, now, &request, 9, &document(0, "full", "early"));
    assert_eq!(states(&out), [LineState::Ringing]);
    assert_eq!(lines.active(), 1);
}

// A3: also if a renewal is accepted and no document comes.
#[test]
fn a_renewal_alone_extends_no_lease() {
    let (mut lines, _) = one_active();
    let mut now = SECOND;
    let refresh = wait_for_subscribe(&mut lines, &mut now);
    assert!(now < SECOND * 500);
    assert_eq!(respond(&mut lines, now, &refresh, 200, &[]), []);
    let (begun, mut out) = (now, Vec::new());
    while !is_stale(&out) {
        now = lines.next_deadline().unwrap().max(now);
        out = lines.elapse(now);
    }
    assert!(now <= begun + SECOND * 33 && subscribes(&out).len() == 1);
    let trouble = &lines.line_trouble()["1000"];
    assert!(trouble.remedy.contains("also after a renewal"));
}

// A5
#[test]
fn a_pbx_that_forgets_every_subscription_gets_ever_fewer_requests() {
    let mut lines = lines(20);
    let mut now = SECOND;
    let mut todo = subscribes(&lines.transport_up(now, account()));
    let (mut hour, mut probe_at) = (0, SECOND * 20);
    while now < SECOND * 7200 {
        while let Some(request) = todo.pop() {
            hour += usize::from(now > SECOND * 3600);
            let in_dialog = Message::parse(&request).unwrap().to_tag().is_some();
            let code = if in_dialog { 481 } else { 200 };
            todo.extend(subscribes(&respond(&mut lines, now, &request, code, &[])));
            if !in_dialog {
                let idle = document(0, "full", "terminated");
                todo.extend(subscribes(&notify(&mut lines, now, &request, 1, &idle)));
            }
        }
        now = lines.next_deadline().unwrap().min(probe_at).max(now);
        if now >= probe_at {
            probe_at += SECOND * 20;
            todo.extend(subscribes(&lines.canary(now)));
        }
        todo.extend(subscribes(&lines.elapse(now)));
    }
    // Renewals of 20 lines and the probe every 20 s would be about 600.
    assert!((200..1_500).contains(&hour), "{hour} in an hour");
}

/// A list of two lines.
fn two_in_a_list() -> (Lines, Vec<u8>) {
    let words = TroubleTexts {
        server: "pbx:5060".into(),
        domain: "pbx.test".into(),
        username: "u".into(),
    };
    let list = Some(Arc::from("sip:all@pbx.test"));
    let mut lines = Lines::new(words, list, Ids::new([1; 32]));
    let both = ["1000", "1001"].map(Arc::from).to_vec();
    lines.change(SECOND, both, Vec::new());
    let subscribe = sent(&lines.transport_up(SECOND, account())).remove(0);
    respond(&mut lines, SECOND, &subscribe, 200, &[]);
    (lines, subscribe)
}

/// A NOTIFY about the list: whether it is full, and the document about each line.
fn notify_list(
    lines: &mut Lines,
    subscribe: &[u8],
    cseq: u32,
    head: &str,
    told: &[(&str, &str)],
) -> Vec<Output> {
    let mut resources = String::new();
    let mut parts = String::new();
    for (extension, document) in told {
        resources += &format!(
            "<resource uri='sip:{extension}@pbx.test'><instance id='1' state='active' cid='{extension}@x'/></resource>"
        );
        parts += &format!(
            "--b\r\nContent-ID: <{extension}@x>\r\nContent-Type: application/dialog-info+xml\r\n\r\n{document}\r\n"
        );
    }
    let body = format!(
        "--b\r\nContent-ID: <root@x>\r\nContent-Type: application/rlmi+xml\r\n\r\n<list uri='sip:all@pbx.test' {head}>{resources}</list>\r\n{parts}--b--\r\n"
    );
    let kind = "multipart/related;type=\"application/rlmi+xml\";boundary=b;start=\"<root@x>\"";
    notify_as(lines, SECOND, subscribe, cseq, (kind, &body))
}

// A3 (RFC 4662 5.2)
#[test]
fn a_list_with_new_numbering_counts_and_one_with_a_gap_is_refreshed() {
    let (mut lines, subscribe) = two_in_a_list();
    let idle = document(0, "full", "terminated");
    let talking = document(0, "full", "confirmed");
    let both = [("1000", idle.as_str()), ("1001", talking.as_str())];
    let whole = "version='5' fullState='true'";
    let out = notify_list(&mut lines, &subscribe, 1, whole, &both);
    assert_eq!(states(&out)[..2], [LineState::Idle, LineState::Connected]);
    let whole = "version='0' fullState='true'";
    let both = [("1000", talking.as_str()), ("1001", idle.as_str())];
    let out = notify_list(&mut lines, &subscribe, 2, whole, &both);
    assert_eq!(states(&out)[..2], [LineState::Connected, LineState::Idle]);
    let next = "version='1' fullState='false'";
    let out = notify_list(&mut lines, &subscribe, 3, next, &both[1..]);
    assert!(subscribes(&out).is_empty());
    // A list document about the other line is missing.
    let gap = "version='3' fullState='false'";
    let out = notify_list(&mut lines, &subscribe, 4, gap, &both[1..]);
    assert_eq!(
        (states(&out), subscribes(&out).len()),
        (vec![LineState::Idle], 1)
    );
    assert!(lines.line_trouble().is_empty());
}

// A16: one line of a list does not disturb the others.
#[test]
fn a_line_of_a_list_without_a_full_document_refreshes_the_list_once() {
    let (mut lines, subscribe) = two_in_a_list();
    let idle = document(0, "full", "terminated");
    let part = document(4, "partial", "confirmed");
    let both = [("1000", idle.as_str()), ("1001", part.as_str())];
    let whole = "version='0' fullState='true'";
    let out = notify_list(&mut lines, &subscribe, 1, whole, &both);
    let refresh = subscribes(&out).remove(0);
    assert_eq!(states(&out)[..1], [LineState::Idle]);
    respond(&mut lines, SECOND, &refresh, 200, &[]);
    let out = notify_list(&mut lines, &subscribe, 2, whole, &both);
    assert_eq!(states(&out)[..2], [LineState::Idle, LineState::Connected]);
    assert!(!is_stale(&out) && subscribes(&out).is_empty());
    let named: Vec<&str> = lines.line_trouble().keys().map(AsRef::as_ref).collect();
    assert_eq!(named, ["1001"]);
    // Unreadable documents of the line do not disturb the others either.
    for cseq in 3..9 {
        let both = [("1000", idle.as_str()), ("1001", "<")];
        let out = notify_list(&mut lines, &subscribe, cseq, whole, &both);
        let stale = out.iter().filter_map(|output| match output {
            Output::Line {
                extension,
                change: LineChange::Stale,
            } => Some(&**extension),
            _ => None,
        });
        assert_eq!(stale.collect::<Vec<_>>(), ["1001"]);
        for refresh in subscribes(&out) {
            assert_eq!(call_id(&refresh), call_id(&subscribe));
            respond(&mut lines, SECOND, &refresh, 200, &[]);
        }
    }
}

// A5: the floor limits requests caused by the peer; the owner's refreshes follow as fast as they are answered.
#[test]
fn orders_of_the_owner_do_not_wait_for_the_floor() {
    let (mut lines, mut subscribe) = one_active();
    for order in 0..20u32 {
        let out = lines.refresh_all(SECOND, order.into());
        if let Some(refresh) = sent(&out).pop() {
            subscribe = refresh;
        }
        respond(&mut lines, SECOND, &subscribe, 200, &[]);
        let idle = document(order + 1, "full", "terminated");
        let out = notify(&mut lines, SECOND, &subscribe, order + 2, &idle);
        assert!(
            out.contains(&Output::Refreshed(order.into())),
            "{order}: {out:?}"
        );
    }
}
