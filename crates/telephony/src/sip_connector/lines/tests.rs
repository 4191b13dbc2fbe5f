//! All lines of a phone system on a driven clock, against hand-written answers.

mod credentials;
mod health;

use presence::LineState;
use sip::{Transport, digest::Credentials, message::Writer};

use super::*;

pub(super) const SECOND: Duration = Duration::from_secs(1);

fn lines(n: usize) -> Lines {
    let words = TroubleTexts {
        server: "pbx:5060".into(),
        domain: "pbx.test".into(),
        username: "u".into(),
    };
    let mut lines = Lines::new(words, None, Ids::new([1; 32]));
    lines.change(
        SECOND,
        (0..n).map(|i| Arc::from(format!("{}", 1000 + i))).collect(),
        Vec::new(),
    );
    lines
}

pub(super) fn account() -> Arc<Account> {
    Arc::new(Account {
        from: "sip:u@pbx.test".into(),
        contact: "sip:u@h".into(),
        sent_by: "h".into(),
        transport: Transport::Tcp,
        credentials: Some(Credentials {
            username: "u".into(),
            password: "secret".into(),
        }),
        event: "dialog".into(),
        accept: "application/dialog-info+xml".into(),
        supported: None,
        user_agent: "t".into(),
    })
}

pub(super) fn sent(out: &[Output]) -> Vec<Vec<u8>> {
    out.iter()
        .filter_map(|o| {
            if let Output::Send(bytes) = o {
                Some(bytes.clone())
            } else {
                None
            }
        })
        .collect()
}

pub(super) fn respond(
    lines: &mut Lines,
    now: Duration,
    request: &[u8],
    code: u16,
    headers: &[(&str, &str)],
) -> Vec<Output> {
    let request = Message::parse(request).unwrap();
    let mut response = answer(&request, code, Some("pbx")).header("Contact", "<sip:pbx>");
    for (name, value) in headers {
        response = response.header(name, value);
    }
    let bytes = response.finish().unwrap();
    lines.receive(now, &Message::parse(&bytes).unwrap())
}

fn notify(
    lines: &mut Lines,
    now: Duration,
    subscribe: &[u8],
    cseq: u32,
    document: &str,
) -> Vec<Output> {
    notify_as(
        lines,
        now,
        subscribe,
        cseq,
        ("application/dialog-info+xml", document),
    )
}

/// A NOTIFY with a body of this media type.
pub(super) fn notify_as(
    lines: &mut Lines,
    now: Duration,
    subscribe: &[u8],
    cseq: u32,
    (content_type, body): (&str, &str),
) -> Vec<Output> {
    let subscribe = Message::parse(subscribe).unwrap();
    let bytes = Writer::request("NOTIFY", "sip:u@h")
        .header("Via", format_args!("SIP/2.0/TCP pbx;branch=n{cseq}"))
        .header("From", "<sip:x@pbx.test>;tag=pbx")
        .header("To", subscribe.header("From").unwrap())
        .header("Call-ID", subscribe.call_id().unwrap())
        .header("CSeq", format_args!("{cseq} NOTIFY"))
        .header("Event", "dialog")
        .header("Subscription-State", "active;expires=600")
        .body(content_type, body.as_bytes())
        .unwrap();
    lines.receive(now, &Message::parse(&bytes).unwrap())
}

fn document(version: u32, completeness: &str, state: &str) -> String {
    format!(
        "<dialog-info version='{version}' state='{completeness}' entity='x'><dialog id='a'><state>{state}</state></dialog></dialog-info>"
    )
}

fn is_stale_line(output: &Output) -> bool {
    matches!(
        output,
        Output::Line {
            change: LineChange::Stale,
            ..
        }
    )
}

fn is_line_state(output: &Output) -> bool {
    matches!(
        output,
        Output::Line {
            change: LineChange::State { .. },
            ..
        }
    )
}

fn states(out: &[Output]) -> Vec<LineState> {
    out.iter()
        .filter_map(|o| {
            if let Output::Line {
                change: LineChange::State { state, .. },
                ..
            } = o
            {
                Some(*state)
            } else {
                None
            }
        })
        .collect()
}

/// One line that is subscribed and idle.
fn one_active() -> (Lines, Vec<u8>) {
    let mut lines = lines(1);
    let subscribe = sent(&lines.transport_up(SECOND, account())).remove(0);
    respond(&mut lines, SECOND, &subscribe, 200, &[]);
    assert_eq!(
        states(&notify(
            &mut lines,
            SECOND,
            &subscribe,
            1,
            &document(0, "full", "terminated")
        )),
        [LineState::Idle]
    );
    assert_eq!(lines.active(), 1);
    (lines, subscribe)
}

#[test]
fn no_more_than_a_hundred_subscriptions_are_begun_at_once() {
    let mut lines = lines(251);
    // One line proves the credentials, the others follow.
    let first = sent(&lines.transport_up(SECOND, account()));
    assert_eq!(first.len(), 1);
    let mut waiting = sent(&respond(&mut lines, SECOND, &first[0], 200, &[]));
    assert_eq!(waiting.len(), 100);
    let mut begun = waiting.len();
    while let Some(request) = waiting.pop() {
        let next = sent(&respond(&mut lines, SECOND, &request, 404, &[]));
        begun += next.len();
        waiting.extend(next);
        assert!(waiting.len() <= 100);
    }
    assert_eq!((begun, lines.line_trouble().len()), (250, LINE_TROUBLE_MAX));
}

#[test]
fn a_wrong_password_is_tried_by_one_line_and_recovers_for_all() {
    let challenge = [(
        "WWW-Authenticate",
        "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"",
    )];
    let mut lines = lines(300);
    let mut waiting = sent(&lines.transport_up(SECOND, account()));
    // Two lines try, the others do not.
    let mut attempts = 0;
    while let Some(request) = waiting.pop() {
        attempts += 1;
        assert!(waiting.is_empty() && attempts <= 4);
        waiting.extend(sent(&respond(
            &mut lines, SECOND, &request, 401, &challenge,
        )));
    }
    assert!(lines.account_trouble().unwrap().what.contains("401"));
    let mut now = SECOND;
    let mut attempts = 0;
    while now < SECOND * 3600 {
        now = lines.next_deadline().unwrap().max(now);
        let mut waiting = sent(&lines.elapse(now));
        assert!(waiting.len() <= 1);
        while let Some(request) = waiting.pop() {
            attempts += 1;
            waiting.extend(sent(&respond(&mut lines, now, &request, 401, &challenge)));
        }
    }
    // Two requests each, at pauses of 30, 60, 120, 240 and then 300 s: an hour has about 15.
    assert!((20..40).contains(&attempts), "{attempts}");
    let request = loop {
        now = lines.next_deadline().unwrap().max(now);
        if let Some(request) = sent(&lines.elapse(now)).pop() {
            break request;
        }
    };
    let out = respond(&mut lines, now, &request, 200, &[]);
    assert!(lines.account_trouble().is_none());
    assert_eq!(sent(&out).len(), 100, "the other lines go on");
}

#[test]
fn a_missing_document_causes_a_refresh_but_no_loop() {
    let (mut lines, subscribe) = one_active();
    let out = notify(
        &mut lines,
        SECOND,
        &subscribe,
        2,
        &document(1, "partial", "early"),
    );
    assert_eq!(states(&out), [LineState::Ringing]);
    // Version 2 is missing: no state is invented, a refresh brings a full document.
    let out = notify(
        &mut lines,
        SECOND,
        &subscribe,
        3,
        &document(3, "partial", "terminated"),
    );
    let refresh = sent(&out).remove(1);
    assert!(states(&out).is_empty() && refresh.starts_with(b"SUBSCRIBE"));
    // The missing document may have been the end of the call: the answer alone renews nothing.
    assert!(states(&respond(&mut lines, SECOND, &refresh, 200, &[])).is_empty());
    let out = notify(
        &mut lines,
        SECOND,
        &subscribe,
        4,
        &document(5, "partial", "terminated"),
    );
    assert_eq!(sent(&out).len(), 1);
    let out = notify(
        &mut lines,
        SECOND,
        &subscribe,
        5,
        &document(6, "full", "confirmed"),
    );
    assert_eq!(states(&out), [LineState::Connected]);
}

// A3 (b)
#[test]
fn a_full_document_counts_whatever_its_version_and_an_empty_body_means_no_dialog() {
    let (mut lines, subscribe) = one_active();
    for (cseq, version, state, expected) in [
        (2, 7, "confirmed", LineState::Connected),
        // An answered call does not ring again (A4).
        (3, 7, "early", LineState::Connected),
        (4, 0, "confirmed", LineState::Connected),
        (5, 0, "terminated", LineState::Idle),
        (6, 0, "confirmed", LineState::Connected),
    ] {
        let document = document(version, "full", state);
        let out = notify(&mut lines, SECOND, &subscribe, cseq, &document);
        assert_eq!(states(&out), [expected], "{cseq}");
    }
    // An empty body means that there is no dialog; a vanished call is checked by a refresh first (A26).
    let out = notify(&mut lines, SECOND, &subscribe, 7, "");
    assert_eq!(states(&out), [LineState::Connected]);
    respond(&mut lines, SECOND, &sent(&out)[1], 200, &[]);
    assert_eq!(
        states(&notify(&mut lines, SECOND, &subscribe, 8, "")),
        [LineState::Idle]
    );
}

#[test]
fn one_forgotten_subscription_renews_all_others() {
    let mut lines = lines(3);
    let mut subscribes = sent(&lines.transport_up(SECOND, account()));
    let others = respond(&mut lines, SECOND, &subscribes[0], 200, &[]);
    subscribes.extend(sent(&others));
    for subscribe in &subscribes {
        respond(&mut lines, SECOND, subscribe, 200, &[]);
        notify(
            &mut lines,
            SECOND,
            subscribe,
            1,
            &document(0, "full", "terminated"),
        );
    }
    let now = SECOND * 30;
    let canary = sent(&lines.canary(now)).remove(0);
    let out = respond(&mut lines, now, &canary, 481, &[]);
    assert!(out.iter().any(is_stale_line));
    let begun = sent(&out);
    assert_eq!(
        begun.len(),
        1,
        "a new subscription, which proves the credentials"
    );
    let out = respond(&mut lines, now, &begun[0], 200, &[]);
    assert_eq!(sent(&out).len(), 2, "two renewals");
    // The next canary is another line.
    assert_eq!(lines.last_canary.as_deref(), Some("1000"));
    lines.canary(now);
    assert_eq!(lines.last_canary.as_deref(), Some("1001"));
}

#[test]
fn a_refresh_ends_when_every_line_was_reported_or_lost() {
    let (mut lines, subscribe) = one_active();
    let out = lines.refresh_all(SECOND, 7);
    let refresh = sent(&out).remove(0);
    assert!(!respond(&mut lines, SECOND, &refresh, 200, &[]).contains(&Output::Refreshed(7)));
    let out = notify(
        &mut lines,
        SECOND,
        &subscribe,
        2,
        &document(1, "full", "terminated"),
    );
    assert!(out.contains(&Output::Refreshed(7)));
    lines.refresh_all(SECOND, 8);
    assert!(lines.transport_lost(SECOND).contains(&Output::Refreshed(8)));
    assert_eq!(lines.refresh_all(SECOND, 9), [Output::Refreshed(9)]);
}

#[test]
fn strangers_are_answered_and_nothing_is_kept_of_them() {
    let (mut lines, subscribe) = one_active();
    let text = String::from_utf8(subscribe).unwrap();
    let call_id = Message::parse(text.as_bytes())
        .unwrap()
        .call_id()
        .unwrap()
        .into_owned();
    let other = text.replace(&call_id, "another");
    let out = notify(&mut lines, SECOND, other.as_bytes(), 1, "");
    assert!(sent(&out)[0].starts_with(b"SIP/2.0 481"));
    let bytes = Writer::request("INVITE", "sip:u@h")
        .header("Call-ID", "x")
        .finish()
        .unwrap();
    assert!(
        sent(&lines.receive(SECOND, &Message::parse(&bytes).unwrap()))[0]
            .starts_with(b"SIP/2.0 405")
    );
}

#[test]
fn stopping_unsubscribes_and_then_nothing_is_left() {
    let (mut lines, _) = one_active();
    let bye = sent(&lines.stop(SECOND)).remove(0);
    assert!(!lines.is_idle());
    respond(&mut lines, SECOND, &bye, 200, &[("Expires", "0")]);
    assert!(
        lines.is_idle()
            && lines.lines.is_empty()
            && lines.by_call_id.is_empty()
            && lines.deadlines.is_empty()
    );
    assert_eq!((lines.active(), lines.len()), (0, 0));
}

// A21: the end of a subscription is held back by the limit for requests of one line.
#[test]
fn an_end_that_has_to_wait_is_sent_all_the_same() {
    let (mut lines, _) = one_active();
    for _ in 0..3 {
        let refresh = sent(&lines.canary(SECOND)).remove(0);
        respond(&mut lines, SECOND, &refresh, 200, &[]);
    }
    // Lines waiting for their turn are not served any more.
    lines.queue(&"1000".into(), pace::Job::Refresh);
    assert!(sent(&lines.stop(SECOND)).is_empty());
    assert!(!lines.is_idle());
    let now = lines.next_deadline().unwrap();
    let end = sent(&lines.elapse(now)).remove(0);
    respond(&mut lines, now, &end, 200, &[("Expires", "0")]);
    assert!(lines.is_idle() && lines.lines.is_empty());
}

#[test]
fn a_call_that_rings_for_ever_ends_by_itself_with_the_lease_that_is_left() {
    let (mut lines, subscribe) = one_active();
    let out = notify(
        &mut lines,
        SECOND,
        &subscribe,
        2,
        &document(1, "full", "trying"),
    );
    assert_eq!(states(&out), [LineState::Ringing]);
    let ended = loop {
        let now = lines.next_deadline().unwrap();
        let out = lines.elapse(now);
        // Renewals on the way are not answered here.
        if let Some(Output::Line {
            change: LineChange::State { state, lease, .. },
            ..
        }) = out.iter().find(|output| is_line_state(output))
        {
            break (now, *state, *lease);
        }
    };
    assert_eq!(ended, (SECOND * 301, LineState::Idle, SECOND * 300));
}

#[test]
fn a_document_that_cannot_be_understood_ends_the_belief_in_the_last_one() {
    let (mut lines, subscribe) = one_active();
    let confirmed = document(1, "full", "confirmed");
    let out = notify(&mut lines, SECOND, &subscribe, 2, &confirmed);
    assert_eq!(states(&out), [LineState::Connected]);
    let out = notify(&mut lines, SECOND, &subscribe, 3, "<dialog-info");
    assert!(states(&out).is_empty());
    let stale = |out: &[Output]| out.iter().any(is_stale_line);
    assert!(stale(&out), "the line is stale at once");
    let out = notify(
        &mut lines,
        SECOND,
        &subscribe,
        4,
        &document(9, "full", "confirmed"),
    );
    assert_eq!(states(&out), [LineState::Connected], "and heals by itself");
}

mod confirmation;
mod documents;
mod lists;
mod recordings;
mod silence;
