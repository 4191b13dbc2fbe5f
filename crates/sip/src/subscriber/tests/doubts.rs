//! A3, A8, A17 and A18: NOTIFYs that do not count, dialogs created by a NOTIFY, redirections, and odd addresses.

use super::{
    bench::{Bench, SECOND, code, field, sent, troubles},
    *,
};

/// A NOTIFY with the given headers besides those that match.
fn notify_with(
    bench: &mut Bench,
    subscribe: &[u8],
    cseq: u32,
    tag: &str,
    headers: &[(&str, &str)],
) -> Vec<Action> {
    let mut request = crate::message::Writer::request("NOTIFY", "sip:1003@127.0.0.1:5080")
        .header("Via", format_args!("SIP/2.0/UDP pbx;branch=with{cseq}"))
        .header("From", format_args!("<sip:1001@pbx.test>;tag={tag}"))
        .header("To", field(subscribe, "From"))
        .header("Call-ID", field(subscribe, "Call-ID"))
        .header("CSeq", format_args!("{cseq} NOTIFY"))
        .header("Subscription-State", "active;expires=600");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let bytes = request
        .body("application/dialog-info+xml", b"<x/>")
        .unwrap();
    bench.handle(Event::Received(&Message::parse(&bytes).unwrap()))
}

// A3
#[test]
fn numbers_that_begin_again_begin_a_new_subscription() {
    let mut bench = Bench::new(Transport::Tcp);
    let subscribe = bench.active();
    bench.now += SECOND * 20;
    bench.notify(&subscribe, 3_153_599_901, "active", "pbx", "a");
    // A NOTIFY may be late: it is refused, and the subscription asks for the whole state.
    let late = bench.notify(&subscribe, 1, "active", "pbx", "b");
    assert_eq!((code(&late), late.len()), (500, 1));
    assert!(bench.subscriber.is_active());
    let refresh = sent(&bench.wait());
    assert_eq!(bench.now, SECOND * 21);
    assert!(
        bench.accept(&refresh).is_empty(),
        "a lease was extended by a renewal alone"
    );
    let lost = bench.notify(&subscribe, 2, "active", "pbx", "c");
    assert_eq!(
        (&lost[1], troubles(&lost)),
        (&Action::Stale, vec![Trouble::Numbering])
    );
    let again = sent(&lost[1..]);
    assert_ne!(field(&again, "Call-ID"), field(&subscribe, "Call-ID"));
    bench.accept(&again);
    bench.notify(&again, 3, "active", "pbx", "d");
    assert!(bench.subscriber.is_active());
}

// A3
#[test]
fn a_late_notify_costs_one_renewal_and_nothing_else() {
    let mut bench = Bench::new(Transport::Udp);
    let subscribe = bench.active();
    bench.now += SECOND * 20;
    bench.notify(&subscribe, 5, "active", "pbx", "a");
    bench.notify(&subscribe, 4, "active", "pbx", "b");
    let refresh = sent(&bench.wait());
    bench.accept(&refresh);
    let told = bench.notify(&subscribe, 6, "active", "pbx", "c");
    assert!(matches!(told[1], Action::Notified { first: false, .. }));
    assert!(bench.wait_for_subscribe().0 >= SECOND * 250);
}

// A3
#[test]
fn a_renewal_without_a_notify_does_not_extend_the_lease() {
    let mut bench = Bench::new(Transport::Tcp);
    bench.active();
    let (_, refresh) = bench.wait_for_subscribe();
    assert!(bench.accept(&refresh).is_empty());
    let begun = bench.now;
    let lost = bench.wait();
    assert_eq!(
        (&lost[0], troubles(&lost)),
        (&Action::Stale, vec![Trouble::RenewedWithoutNotify])
    );
    assert!(bench.now <= begun + SECOND * 32 && bench.subscriber.is_pending());
    // A NOTIFY that overtakes the answer also confirms.
    let mut bench = Bench::new(Transport::Tcp);
    let subscribe = bench.active();
    let (_, refresh) = bench.wait_for_subscribe();
    bench.notify(&subscribe, 3, "active", "pbx", "a");
    let renewed = bench.accept(&refresh);
    assert_eq!(
        renewed,
        [Action::Renewed {
            remaining: SECOND * 600
        }]
    );
}

// A3, A16
#[test]
fn documents_of_no_use_lead_to_a_renewal_and_then_to_a_new_subscription() {
    let mut bench = Bench::new(Transport::Tcp);
    let subscribe = bench.active();
    bench.now += SECOND * 20;
    bench.notify(&subscribe, 3, "active", "pbx", "a");
    assert!(!bench.subscriber.is_whole_due());
    assert_eq!(bench.handle(Event::Unusable), []);
    let refresh = sent(&bench.wait());
    bench.accept(&refresh);
    bench.notify(&subscribe, 4, "active", "pbx", "b");
    assert!(bench.subscriber.is_whole_due());
    assert_eq!(bench.handle(Event::Unusable), []);
    assert!(!bench.subscriber.is_active());
    let due = bench.now;
    let lost = bench.wait();
    assert_eq!(
        (&lost[0], troubles(&lost)),
        (&Action::Stale, vec![Trouble::Unconfirmed])
    );
    assert_eq!(bench.now, due + SECOND * 5);
    // A usable document ends the doubt.
    let again = sent(&lost);
    bench.accept(&again);
    bench.notify(&again, 1, "active", "pbx", "c");
    bench.handle(Event::Unusable);
    bench.notify(&again, 2, "active", "pbx", "d");
    assert!(bench.subscriber.is_active());
}

// A8
#[test]
fn the_first_notify_makes_the_dialog() {
    for tag in [Some("a"), None] {
        let mut bench = Bench::new(Transport::Udp);
        let subscribe = bench.start();
        let request = Message::parse(&subscribe).unwrap();
        let answer = crate::message::answer(&request, 200, tag)
            .header("Expires", 600)
            .header("Contact", "<sip:fork-a>")
            .header("Record-Route", "<sip:way-a;lr>")
            .finish()
            .unwrap();
        bench.handle(Event::Received(&Message::parse(&answer).unwrap()));
        let headers = [
            ("Event", "dialog"),
            ("Contact", "<sip:fork-b>"),
            ("Record-Route", "<sip:way-b;lr>"),
        ];
        let told = notify_with(&mut bench, &subscribe, 1, "b", &headers);
        assert!(matches!(told[1], Action::Notified { first: true, .. }));
        assert_eq!(
            code(&bench.notify(&subscribe, 1, "active", "c", "other")),
            481
        );
        let refresh = sent(&bench.handle(Event::Refresh));
        assert!(refresh.starts_with(b"SUBSCRIBE sip:fork-b SIP/2.0"));
        assert_eq!(field(&refresh, "Route"), "<sip:way-b;lr>");
        assert_eq!(field(&refresh, "To"), "<sip:1001@pbx.test>;tag=b");
    }
    // The NOTIFY first, then an answer from another fork with another route.
    let mut bench = Bench::new(Transport::Udp);
    let subscribe = bench.start();
    let headers = [("Event", "Dialog"), ("Contact", "<sip:fork-b>")];
    notify_with(&mut bench, &subscribe, 1, "b", &headers);
    bench.accept(&subscribe);
    let refresh = sent(&bench.handle(Event::Refresh));
    assert!(refresh.starts_with(b"SUBSCRIBE sip:fork-b SIP/2.0"));
}

// A8, A18
#[test]
fn a_notify_of_another_subscription_changes_nothing() {
    let mut bench = Bench::new(Transport::Tcp);
    let subscribe = bench.active();
    let refused = notify_with(
        &mut bench,
        &subscribe,
        7,
        "pbx",
        &[("Event", "presence"), ("Contact", "<sip:evil>")],
    );
    assert_eq!(
        (code(&refused), field(&sent(&refused), "Allow-Events")),
        (489, "dialog".into())
    );
    let refused = notify_with(
        &mut bench,
        &subscribe,
        8,
        "pbx",
        &[("Event", "dialog;id=4"), ("Contact", "<sip:evil>")],
    );
    assert_eq!(code(&refused), 481);
    // Its number did not count either.
    let told = bench.notify(&subscribe, 3, "active", "pbx", "a");
    assert!(matches!(told[1], Action::Notified { .. }));
    let refresh = sent(&bench.handle(Event::Refresh));
    assert!(refresh.starts_with(b"SUBSCRIBE sip:10.0.0.1:5060 SIP/2.0"));
}

// A18
#[test]
fn a_contact_that_is_no_sip_address_gets_no_request() {
    for contact in [
        "*",
        "<sip:x y@z>",
        "<>",
        "<tel:+49301>",
        "<sip:>",
        "<sip:@>",
        "<http://x>",
        "sip:a@b c",
    ] {
        let mut bench = Bench::new(Transport::Tcp);
        let subscribe = bench.active();
        let told = notify_with(
            &mut bench,
            &subscribe,
            3,
            "pbx",
            &[("Event", "dialog"), ("Contact", contact)],
        );
        assert!(matches!(told[1], Action::Notified { .. }));
        let refresh = sent(&bench.handle(Event::Refresh));
        assert!(
            refresh.starts_with(b"SUBSCRIBE sip:10.0.0.1:5060 SIP/2.0"),
            "{contact}"
        );
        bench.respond(&refresh, 200, &[("Contact", contact)]);
        bench.now += SECOND * 3;
        let refresh = sent(&bench.handle(Event::Refresh));
        assert!(
            refresh.starts_with(b"SUBSCRIBE sip:10.0.0.1:5060 SIP/2.0"),
            "{contact}"
        );
    }
    let mut bench = Bench::new(Transport::Tcp);
    let subscribe = bench.active();
    notify_with(
        &mut bench,
        &subscribe,
        3,
        "pbx",
        &[
            ("Event", "dialog"),
            ("Contact", "<sip:a?b@h;x=1?Subject=c>"),
        ],
    );
    let refresh = sent(&bench.handle(Event::Refresh));
    assert!(refresh.starts_with(b"SUBSCRIBE sip:a?b@h;x=1 SIP/2.0"));
}

// A18 (RFC 3261 12.2.1.1)
#[test]
fn strict_and_loose_routers_are_distinguished() {
    for (record_route, uri, routes) in [
        (
            "<sip:p2;lr>, <sip:strict>",
            "sip:strict",
            &["<sip:p2;lr>", "<sip:t>"][..],
        ),
        (
            "<sip:strict>, <sip:p1;lr>",
            "sip:t",
            &["<sip:p1;lr>", "<sip:strict>"][..],
        ),
        (
            "<sip:s2>, <sip:s1?X=y>",
            "sip:s1",
            &["<sip:s2>", "<sip:t>"][..],
        ),
        ("<sip:p1;LR=on>", "sip:t", &["<sip:p1;LR=on>"][..]),
        ("sip:p1;lr", "sip:t", &["<sip:p1;lr>"][..]),
        (
            "\"<\" <sip:p1;lr>;x=y",
            "sip:t",
            &["\"<\" <sip:p1;lr>;x=y"][..],
        ),
        (
            "<sip:a b;lr>, <tel:1>, *, <sip:p1;lr>",
            "sip:t",
            &["<sip:p1;lr>"][..],
        ),
        ("<sip:;lr>", "sip:t", &[][..]),
    ] {
        let mut bench = Bench::new(Transport::Udp);
        let subscribe = bench.start();
        bench.respond(
            &subscribe,
            200,
            &[("Contact", "<sip:t>"), ("Record-Route", record_route)],
        );
        let refresh = sent(&bench.handle(Event::Refresh));
        let message = Message::parse(&refresh).unwrap();
        let sent: Vec<_> = message.all("Route").collect();
        assert_eq!(
            (message.request_uri(), &sent[..]),
            (
                Some(uri),
                &routes.iter().map(|r| (*r).into()).collect::<Vec<_>>()[..]
            ),
            "{record_route}"
        );
    }
}

// A17
#[test]
fn a_redirection_is_followed_and_named_when_it_leads_nowhere() {
    let mut bench = Bench::new(Transport::Tcp);
    let first = bench.start();
    let second = sent(&bench.respond(
        &first,
        302,
        &[("Contact", "<sip:1001@other.test;transport=tcp>;q=1")],
    ));
    assert!(second.starts_with(b"SUBSCRIBE sip:1001@other.test;transport=tcp SIP/2.0"));
    assert_eq!(field(&second, "To"), "<sip:1001@pbx.test>");
    assert_eq!(field(&second, "Call-ID"), field(&first, "Call-ID"));
    bench.accept(&second);
    bench.notify(&second, 1, "active", "pbx", "a");
    assert!(bench.subscriber.is_active());
    for (code, contact, target) in [
        (305, "<sip:proxy.test>", Some("sip:proxy.test")),
        (302, "<tel:+4930>", None),
        (301, "*", None),
        (302, "<sip:1001@pbx.test>", Some("sip:1001@pbx.test")),
    ] {
        let mut bench = Bench::new(Transport::Tcp);
        let first = bench.start();
        let refused = bench.respond(&first, code, &[("Contact", contact)]);
        let target = target.map(str::to_owned);
        assert_eq!(
            refused,
            [Action::Trouble(Trouble::Redirected { code, target })]
        );
    }
    let mut bench = Bench::new(Transport::Tcp);
    let mut request = bench.start();
    for hop in ["one", "two"] {
        request = sent(&bench.respond(&request, 301, &[("Contact", &format!("<sip:{hop}>"))]));
    }
    let refused = bench.respond(&request, 302, &[("Contact", "<sip:three>")]);
    assert!(matches!(
        troubles(&refused)[..],
        [Trouble::Redirected { .. }]
    ));
    // The next attempt begins at the extension again.
    assert!(
        bench
            .wait_for_subscribe()
            .1
            .starts_with(b"SUBSCRIBE sip:1001@pbx.test SIP/2.0")
    );
}

// A17
#[test]
fn an_interval_that_is_not_named_is_found() {
    let mut bench = Bench::new(Transport::Tcp);
    let mut request = bench.start();
    let mut asked = Vec::new();
    while asked.last() != Some(&4800) {
        let actions = bench.respond(&request, 423, &[]);
        request = match bench.subscriber.is_pending() {
            true => sent(&actions),
            false => bench.wait_for_subscribe().1,
        };
        asked.push(field(&request, "Expires").parse::<u32>().unwrap());
    }
    assert_eq!(asked, [1200, 2400, 4800]);
    bench.respond(&request, 200, &[]);
    bench.notify(&request, 1, "active", "pbx", "a");
    // The minimum is remembered.
    assert_eq!(field(&bench.wait_for_subscribe().1, "Expires"), "4800");
}
