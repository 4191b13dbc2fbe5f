//! The states of a line after documents with faults, vanished calls and FreeSWITCH's last changes.

use super::*;

/// A NOTIFY in the subscription of this SUBSCRIBE.
pub(super) struct Notify<'a> {
    subscribe: &'a [u8],
    pub(super) cseq: u32,
    pub(super) content_type: &'a str,
    user_agent: &'a str,
}

impl Notify<'_> {
    pub(super) fn send(&mut self, lines: &mut Lines, now: Duration, body: &str) -> Vec<Output> {
        self.cseq += 1;
        let subscribe = Message::parse(self.subscribe).unwrap();
        let mut request = Writer::request("NOTIFY", "sip:u@h")
            .header("Via", format_args!("SIP/2.0/TCP pbx;branch=n{}", self.cseq))
            .header("From", "<sip:x@pbx.test>;tag=pbx")
            .header("To", subscribe.header("From").unwrap())
            .header("Call-ID", subscribe.call_id().unwrap())
            .header("CSeq", format_args!("{} NOTIFY", self.cseq))
            .header("Event", "dialog")
            .header("Subscription-State", "active;expires=600");
        if !self.user_agent.is_empty() {
            request = request.header("User-Agent", self.user_agent);
        }
        let bytes = request.body(self.content_type, body.as_bytes()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let text = text.replace("Content-Type: \r\n", "");
        lines.receive(now, &Message::parse(text.as_bytes()).unwrap())
    }
}

pub(super) fn notifier(subscribe: &[u8]) -> Notify<'_> {
    Notify {
        subscribe,
        cseq: 10,
        content_type: "application/dialog-info+xml",
        user_agent: "",
    }
}

/// The last state of a line in the output, `None` within it if the state is unknown; nothing if the line is not in it.
pub(super) fn reported_state(out: &[Output], extension: &str) -> Option<Option<LineState>> {
    let mut told = out.iter().rev().filter_map(|output| match output {
        Output::Line {
            extension: of,
            change: LineChange::State { state, .. },
        } if &**of == extension => Some(Some(*state)),
        Output::Line {
            extension: of,
            change: LineChange::Stale,
        } if &**of == extension => Some(None),
        _ => None,
    });
    told.next()
}

fn requests(out: &[Output]) -> Vec<Vec<u8>> {
    let mut sent = sent(out);
    sent.retain(|bytes| bytes.starts_with(b"SUBSCRIBE"));
    sent
}

pub(super) fn trouble(lines: &Lines, name: &str) -> String {
    let trouble = lines.line_trouble().get(name);
    trouble
        .map(|trouble| trouble.what.clone())
        .unwrap_or_default()
}

pub(super) fn full(version: u32, dialogs: &[(&str, &str)]) -> String {
    let dialog =
        |(id, state): &(&str, &str)| format!("<dialog id='{id}'><state>{state}</state></dialog>");
    let dialogs: String = dialogs.iter().map(dialog).collect();
    format!("<dialog-info version='{version}' state='full'>{dialogs}</dialog-info>")
}

/// Content type, body, the resulting state (`None`: unknown), and words of the trouble (empty: no trouble).
type Case = (&'static str, String, Option<LineState>, &'static str);

fn ugly() -> Vec<Case> {
    const KIND: &str = "application/dialog-info+xml";
    const CALL: &str = "<dialog id='1'><state>confirmed</state></dialog>";
    const CONNECTED: Option<LineState> = Some(LineState::Connected);
    let within =
        |inner: &str| format!("<dialog-info version='1' state='full'>{inner}</dialog-info>");
    let beside = |other: &str| within(&format!("{other}{CALL}"));
    let call = within(CALL);
    let part = format!("--b\r\nContent-Type: {KIND}\r\n\r\n{call}\r\n--b--");
    let named = "<dialog id='1'><state>confirmed</state><remote><identity display=\"Meyer & Co\"/></remote></dialog>";
    vec![
        (KIND, within(named), CONNECTED, ""),
        ("application/xml", call.clone(), CONNECTED, ""),
        ("Text/XML; charset=utf-8", call.clone(), CONNECTED, ""),
        (
            "application/Dialog-Info+XML ; version=1",
            call.clone(),
            CONNECTED,
            "",
        ),
        ("", call.clone(), CONNECTED, ""),
        ("text/plain", call.clone(), CONNECTED, ""),
        ("multipart/mixed;boundary=b", part, CONNECTED, ""),
        (
            KIND,
            beside("<dialog id='2'><state/></dialog>"),
            CONNECTED,
            "<state> is \"\"",
        ),
        (
            KIND,
            beside("<dialog id='2'/>"),
            CONNECTED,
            "<state> of a dialog is missing",
        ),
        (
            KIND,
            format!("{call}bye"),
            CONNECTED,
            "content after its end",
        ),
        (
            KIND,
            call.replacen("'1'", "'1.0'", 1),
            CONNECTED,
            "version is \"1.0\"",
        ),
        (
            KIND,
            call.replace("</dialog-info>", ""),
            CONNECTED,
            "ends in the middle",
        ),
        (
            "text/plain",
            "calls: 1".into(),
            None,
            "content type \"text/plain\"",
        ),
        (
            KIND,
            within("<dialog id='1'><state>hold</state></dialog>"),
            None,
            "<state> is \"hold\"",
        ),
        (
            KIND,
            within("<dialog id='1'/>"),
            None,
            "<state> of a dialog is missing",
        ),
        (
            KIND,
            "<dialog-info version='1' state='full'>".into(),
            None,
            "ends in the middle",
        ),
        (
            KIND,
            "<dialog-info xmlns='urn:x' version='1'/>".into(),
            None,
            "urn:x",
        ),
        (KIND, within("<x:dialog xmlns:x='urn:x'/>"), None, "urn:x"),
    ]
}

/// A6, A12: the state counts, and the line's trouble names each dropped part; an unreadable line is not idle.
#[test]
fn the_trouble_of_a_line_names_the_dropped_part_and_the_state_counts() {
    for (content_type, body, expected, what) in ugly() {
        let (mut lines, subscribe) = one_active();
        let mut pbx = notifier(&subscribe);
        pbx.content_type = content_type;
        let out = pbx.send(&mut lines, SECOND, &body);
        assert_eq!(
            reported_state(&out, "1000"),
            Some(expected),
            "{content_type} {body}"
        );
        let found = trouble(&lines, "1000");
        assert!(
            found.contains(what) && found.is_empty() == what.is_empty(),
            "{body}: {found}"
        );
        pbx.content_type = "application/dialog-info+xml";
        let out = pbx.send(&mut lines, SECOND, &full(9, &[("1", "terminated")]));
        assert_eq!(
            reported_state(&out, "1000"),
            Some(Some(LineState::Idle)),
            "{body}"
        );
        assert_eq!(trouble(&lines, "1000"), "", "the line is well again");
    }
}

/// A26, F5: a call that vanishes without `terminated` is checked by one refresh, and stays until the answer.
#[test]
fn a_vanished_call_is_refreshed_before_it_is_over() {
    let (mut lines, subscribe) = one_active();
    let mut pbx = notifier(&subscribe);
    let call = Some(Some(LineState::Connected));
    pbx.send(&mut lines, SECOND, &full(1, &[("1", "confirmed")]));
    let out = pbx.send(&mut lines, SECOND, &full(2, &[]));
    assert_eq!(reported_state(&out, "1000"), call);
    let refresh = requests(&out);
    assert_eq!(refresh.len(), 1, "asked at once");
    let out = pbx.send(&mut lines, SECOND, &full(3, &[]));
    assert_eq!(
        (reported_state(&out, "1000"), requests(&out).len()),
        (call, 0),
        "and only once"
    );
    // The document overtook this answer: one more refresh is allowed.
    let again = requests(&respond(&mut lines, SECOND, &refresh[0], 200, &[]));
    let out = pbx.send(&mut lines, SECOND, &full(4, &[("1", "confirmed")]));
    assert_eq!(
        (reported_state(&out, "1000"), requests(&out).len()),
        (call, 0),
        "it was there all the time"
    );
    for request in again {
        respond(&mut lines, SECOND, &request, 200, &[]);
    }

    // Another vanished call is checked at once, too.
    let later = SECOND * 5;
    let out = pbx.send(&mut lines, later, &full(5, &[]));
    assert_eq!(reported_state(&out, "1000"), call);
    let refresh = requests(&out);
    assert_eq!(refresh.len(), 1);
    respond(&mut lines, later, &refresh[0], 200, &[]);
    let out = pbx.send(&mut lines, later, &full(6, &[]));
    assert_eq!(
        reported_state(&out, "1000"),
        Some(Some(LineState::Idle)),
        "the answer says so"
    );
    assert_eq!(requests(&out).len(), 0);
    assert_eq!(lines.lines["1000"].doubt_until, None);
}

/// A26: without an answer the call is over after a bounded time.
#[test]
fn a_vanished_call_is_over_when_no_answer_comes() {
    let (mut lines, subscribe) = one_active();
    let mut pbx = notifier(&subscribe);
    pbx.send(&mut lines, SECOND, &full(1, &[("1", "confirmed")]));
    pbx.send(&mut lines, SECOND, &full(2, &[("2", "early")]));
    let idle = std::iter::from_fn(|| {
        let now = lines.next_deadline()?;
        let out = lines.elapse(now);
        Some((now, reported_state(&out, "1000")))
    });
    let (at, state) = idle.into_iter().find(|(_, state)| state.is_some()).unwrap();
    assert_eq!((at, state), (SECOND * 6, Some(Some(LineState::Ringing))));
    // `terminated` needs no confirmation.
    let (mut lines, subscribe) = one_active();
    let mut pbx = notifier(&subscribe);
    pbx.send(&mut lines, SECOND, &full(1, &[("1", "confirmed")]));
    let out = pbx.send(&mut lines, SECOND, &full(2, &[("1", "terminated")]));
    assert_eq!(reported_state(&out, "1000"), Some(Some(LineState::Idle)));
    assert!(requests(&out).is_empty());
}

/// A4, A26, F3, F4: recorded from FreeSWITCH 1.11 with its defaults; each document has the last change only.
#[test]
fn freeswitch_calls_on_hold_and_waiting_calls_stay_on_the_phone() {
    use LineState::{Connected, Held, Idle, Ringing};
    let hold = [
        ("bd65", "confirmed", "yes", Connected),
        ("bd65", "early", "no", Held),
        ("bd65", "confirmed", "yes", Connected),
        ("bd65", "terminated", "", Idle),
    ];
    // The second call is answered, its caller hangs up (the document reports `early` for that call), the first is resumed.
    let second_is_answered = [
        ("2e72", "early", "yes", Ringing),
        ("2e72", "confirmed", "yes", Connected),
        ("93b3", "early", "yes", Connected),
        ("93b3", "confirmed", "yes", Connected),
        ("2e72", "early", "no", Connected),
        ("93b3", "early", "yes", Connected),
        ("2e72", "confirmed", "yes", Connected),
        ("2e72", "terminated", "", Idle),
    ];
    // The caller of the second gives up: `confirmed` under the id of the call that ended.
    let second_gives_up = [
        ("a05c", "confirmed", "yes", Connected),
        ("a000", "early", "yes", Connected),
        ("a000", "confirmed", "yes", Connected),
        ("a05c", "terminated", "", Idle),
        ("b111", "early", "yes", Ringing),
        ("b111", "terminated", "", Idle),
    ];
    // Watched from the middle of a held call.
    let held_from_the_start = [
        ("c222", "early", "no", Held),
        ("c222", "terminated", "", Idle),
    ];
    for steps in [
        &hold[..],
        &second_is_answered,
        &second_gives_up,
        &held_from_the_start,
    ] {
        let (mut lines, subscribe) = one_active();
        let mut pbx = notifier(&subscribe);
        pbx.user_agent = "FreeSWITCH-mod_sofia/1.11.3-dev~64bit";
        for (version, (id, state, rendering, expected)) in (1..).zip(steps) {
            let document = format!(
                "<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='{version}' state='full'><dialog id='{id}' direction='recipient'><state>{state}</state><local><target uri='x'><param pname='+sip.rendering' pvalue='{rendering}'/></target></local></dialog></dialog-info>"
            );
            let mut out = pbx.send(&mut lines, SECOND * version, &document);
            // The end of one call does not end another, which may be on another profile: the answer to a refresh decides.
            if let [refresh] = &requests(&out)[..] {
                assert_eq!(*state, "terminated");
                respond(&mut lines, SECOND * version, refresh, 200, &[]);
                out = pbx.send(&mut lines, SECOND * version, &document);
            }
            assert_eq!(
                reported_state(&out, "1000"),
                Some(Some(*expected)),
                "{version} {id} {state}"
            );
        }
    }
}

/// A26: a BLF key lit by Offhook itself on FreeSWITCH is also a last change, and does not concern calls.
#[test]
fn own_dialogs_at_freeswitch_do_not_end_a_call() {
    let (mut lines, subscribe) = one_active();
    let mut pbx = notifier(&subscribe);
    pbx.user_agent = "FreeSWITCH";
    let steps = [
        (("offhook-1", "confirmed"), LineState::Idle),
        (("a", "confirmed"), LineState::Connected),
        (("offhook-1", "confirmed"), LineState::Connected),
        (("a", "terminated"), LineState::Idle),
        (("a", "confirmed"), LineState::Connected),
    ];
    for (version, (dialog, expected)) in (1..).zip(steps) {
        let out = pbx.send(&mut lines, SECOND, &full(version, &[dialog]));
        assert_eq!(
            reported_state(&out, "1000"),
            Some(Some(expected)),
            "{version}"
        );
        assert!(requests(&out).is_empty());
    }
    // The key is dark, and no call is left on this profile; another profile may have one.
    let dark = full(9, &[("offhook-1", "terminated")]);
    let out = pbx.send(&mut lines, SECOND * 5, &dark);
    assert_eq!(
        reported_state(&out, "1000"),
        Some(Some(LineState::Connected))
    );
    respond(&mut lines, SECOND * 5, &requests(&out)[0], 200, &[]);
    let out = pbx.send(&mut lines, SECOND * 5, &dark);
    assert_eq!(reported_state(&out, "1000"), Some(Some(LineState::Idle)));
}
