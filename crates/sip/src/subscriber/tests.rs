//! The subscriber against a driven clock and hand-written answers.

mod bench;
mod credentials;
mod doubts;
mod notifiers;

use bench::{Bench, SECOND, code, field, sent, troubles};

use super::*;
use crate::digest::ChallengeProblem;

const CHALLENGE: (&str, &str) = (
    "Proxy-Authenticate",
    "Digest realm=\"pbx.test\", nonce=\"n1\", qop=\"auth\"",
);

#[test]
fn a_challenge_is_answered_within_the_same_call_id() {
    let mut bench = Bench::new(Transport::Udp);
    let first = bench.start();
    assert_eq!(field(&first, "Expires"), "600");
    let second = sent(&bench.respond(&first, 407, &[CHALLENGE]));
    assert!(field(&second, "Proxy-Authorization").contains("nc=00000001"));
    assert_eq!(field(&second, "Call-ID"), field(&first, "Call-ID"));
    assert_eq!(
        (field(&first, "CSeq"), field(&second, "CSeq")),
        ("1 SUBSCRIBE".into(), "2 SUBSCRIBE".into())
    );
    bench.accept(&second);
    bench.notify(&second, 1, "active;expires=600", "pbx", "a");
    let (_, refresh) = bench.wait_for_subscribe();
    assert!(field(&refresh, "Proxy-Authorization").contains("nc=00000002"));
    // The nonce has expired: one more round, no trouble.
    let stale = [(
        "Proxy-Authenticate",
        "Digest realm=\"pbx.test\", nonce=\"n2\", qop=\"auth\", stale=true",
    )];
    let again = bench.respond(&refresh, 407, &stale);
    assert!(
        troubles(&again).is_empty()
            && field(&sent(&again), "Proxy-Authorization").contains("\"n2\"")
    );
    assert!(bench.accept(&sent(&again)).is_empty());
    let told = bench.notify(&second, 2, "active", "pbx", "b");
    assert!(matches!(told[1], Action::Notified { remaining, .. } if remaining == SECOND * 600));
}

#[test]
fn a_wrong_password_is_trouble_and_tried_rarely() {
    let mut bench = Bench::new(Transport::Udp);
    let mut request = bench.start();
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let second = sent(&bench.respond(&request, 407, &[CHALLENGE]));
        let refused = bench.respond(&second, 407, &[CHALLENGE]);
        assert_eq!(
            troubles(&refused),
            [Trouble::WrongCredentials { code: 407 }]
        );
        let (pause, next) = bench.wait_for_subscribe();
        pauses.push(pause);
        request = next;
    }
    assert!(
        pauses[0] >= SECOND * 24 && pauses.iter().all(|p| *p <= RETRY_INTERVAL_MAX),
        "{pauses:?}"
    );
    assert!(pauses[5] >= SECOND * 240, "{pauses:?}");
    // The right password ends the trouble.
    let second = sent(&bench.respond(&request, 407, &[CHALLENGE]));
    bench.accept(&second);
    bench.notify(&second, 1, "active", "pbx", "a");
    assert!(bench.subscriber.is_active());
}

#[test]
fn a_challenge_that_cannot_be_answered_is_named() {
    let mut bench = Bench::new(Transport::Udp);
    let request = bench.start();
    let refused = bench.respond(&request, 401, &[("WWW-Authenticate", "Basic realm=\"x\"")]);
    assert_eq!(
        troubles(&refused),
        [Trouble::UnusableChallenge {
            code: 401,
            why: ChallengeProblem::Scheme("Basic".into())
        }]
    );
}

#[test]
fn requests_are_repeated_over_udp_and_given_up_with_growing_pauses() {
    let mut bench = Bench::new(Transport::Udp);
    bench.start();
    let mut repeated = 0;
    let lost = loop {
        let actions = bench.wait();
        if actions.iter().any(|a| matches!(a, Action::Send(_))) {
            repeated += 1;
        } else {
            break actions;
        }
    };
    assert_eq!((repeated, troubles(&lost)), (10, vec![Trouble::Timeout]));
    let (first, _) = bench.wait_for_subscribe();
    while bench.subscriber.is_pending() {
        bench.wait();
    }
    let (second, _) = bench.wait_for_subscribe();
    assert!(
        first >= SECOND * 8 && second > first && second <= SECOND * 25,
        "{first:?} {second:?}"
    );
}

#[test]
fn a_minimum_is_respected_and_an_absurd_one_refused() {
    let mut bench = Bench::new(Transport::Udp);
    let request = bench.start();
    let longer = sent(&bench.respond(&request, 423, &[("Min-Expires", "1800")]));
    assert_eq!(field(&longer, "Expires"), "1800");
    let refused = bench.respond(&longer, 423, &[("Min-Expires", "9999999")]);
    assert_eq!(
        troubles(&refused),
        [Trouble::Interval {
            minimum: Some(9_999_999)
        }]
    );
}

#[test]
fn a_renewal_comes_between_half_and_four_fifths_of_the_time_in_the_same_dialog() {
    let mut bench = Bench::new(Transport::Tcp);
    let subscribe = bench.active();
    let (after, refresh) = bench.wait_for_subscribe();
    assert!(after >= SECOND * 300 && after <= SECOND * 480, "{after:?}");
    assert_eq!(field(&refresh, "To"), "<sip:1001@pbx.test>;tag=pbx");
    assert_eq!(field(&refresh, "From"), field(&subscribe, "From"));
    assert!(refresh.starts_with(b"SUBSCRIBE sip:10.0.0.1:5060 SIP/2.0"));
    // The notifier has restarted: the state is stale, a new subscription begins at once.
    let lost = bench.respond(&refresh, 481, &[]);
    assert_eq!(
        (&lost[0], troubles(&lost)),
        (&Action::Stale, vec![Trouble::Forgotten])
    );
    assert_ne!(field(&sent(&lost), "Call-ID"), field(&subscribe, "Call-ID"));
}

#[test]
fn the_route_set_of_the_dialog_is_followed() {
    let mut bench = Bench::new(Transport::Udp);
    let subscribe = bench.start();
    // The NOTIFY comes first and has no route; the answer has one.
    bench.notify(&subscribe, 1, "active;expires=600", "pbx", "a");
    bench.respond(
        &subscribe,
        200,
        &[
            ("Expires", "600"),
            ("Contact", "<sip:t>"),
            ("Record-Route", "<sip:p2;lr>, <sip:p1;lr>"),
        ],
    );
    let refresh = sent(&bench.handle(Event::Refresh));
    let message = Message::parse(&refresh).unwrap();
    assert_eq!(
        message.all("Route").collect::<Vec<_>>(),
        ["<sip:p1;lr>", "<sip:p2;lr>"]
    );
    assert!(refresh.starts_with(b"SUBSCRIBE sip:t SIP/2.0"));

    let mut bench = Bench::new(Transport::Udp);
    let subscribe = bench.start();
    bench.respond(
        &subscribe,
        200,
        &[("Contact", "<sip:t>"), ("Record-Route", "<sip:strict>")],
    );
    let refresh = sent(&bench.handle(Event::Refresh));
    assert!(refresh.starts_with(b"SUBSCRIBE sip:strict SIP/2.0"));
    assert_eq!(field(&refresh, "Route"), "<sip:t>");
}

#[test]
fn a_refused_renewal_keeps_the_subscription_until_it_expires() {
    let mut bench = Bench::new(Transport::Tcp);
    bench.active();
    let (_, refresh) = bench.wait_for_subscribe();
    let refused = bench.respond(&refresh, 503, &[("Retry-After", "20")]);
    assert_eq!(refused, [Action::Trouble(Trouble::Refused { code: 503 })]);
    assert!(bench.subscriber.is_active());
    let lost = loop {
        let actions = bench.wait();
        if actions.contains(&Action::Stale) {
            break actions;
        }
        if actions.iter().any(|a| matches!(a, Action::Send(_))) {
            bench.respond(&sent(&actions), 503, &[]);
        }
    };
    assert_eq!(
        (troubles(&lost), bench.now),
        (vec![Trouble::Expired], SECOND * 601)
    );
}

#[test]
fn an_unknown_extension_gets_few_requests() {
    for code in [403, 404, 489] {
        let mut bench = Bench::new(Transport::Udp);
        let request = bench.start();
        assert_eq!(
            troubles(&bench.respond(&request, code, &[])),
            [Trouble::Refused { code }]
        );
        assert_eq!(bench.wait_for_subscribe().0, RETRY_INTERVAL_MAX);
    }
    let mut bench = Bench::new(Transport::Udp);
    let request = bench.start();
    bench.respond(&request, 480, &[("Retry-After", "60")]);
    assert_eq!(bench.wait_for_subscribe().0, SECOND * 60);
}

#[test]
fn notifies_are_matched_ordered_and_answered_alike_when_repeated() {
    let mut bench = Bench::new(Transport::Udp);
    let subscribe = bench.active();
    let news = bench.notify(&subscribe, 3, "active;expires=500", "pbx", "b3");
    assert!(
        matches!(news[1], Action::Notified { first: false, remaining, .. } if remaining == SECOND * 500)
    );
    let repeated = bench.notify(&subscribe, 3, "active;expires=500", "pbx", "b3");
    assert_eq!(repeated, news[..1]);
    assert_eq!(
        code(&bench.notify(&subscribe, 2, "active", "pbx", "late")),
        500
    );
    assert_eq!(
        bench
            .notify(&subscribe, 3, "active", "pbx", "same-number")
            .len(),
        1
    );
    assert_eq!(
        code(&bench.notify(&subscribe, 9, "active", "another-fork", "f")),
        481
    );
    let mut stranger = subscribe.clone();
    let at = stranger.windows(5).position(|w| w == b";tag=").unwrap() + 5;
    stranger[at] = b'!';
    assert_eq!(
        code(&bench.notify(&stranger, 10, "active", "pbx", "s")),
        481
    );
    assert!(bench.subscriber.is_active());
}

#[test]
fn a_notify_before_the_answer_counts() {
    let mut bench = Bench::new(Transport::Udp);
    let subscribe = bench.start();
    let early = bench.notify(&subscribe, 1, "active;expires=600", "pbx", "a");
    assert!(matches!(early[1], Action::Notified { first: true, .. }));
    assert!(bench.accept(&subscribe).is_empty());
    assert!(bench.subscriber.is_active());
}

#[test]
fn accepted_without_a_notify_is_not_a_subscription() {
    let mut bench = Bench::new(Transport::Tcp);
    let subscribe = bench.start();
    bench.accept(&subscribe);
    let lost = bench.wait();
    assert_eq!(
        (troubles(&lost), bench.now),
        (vec![Trouble::NoNotify], SECOND * 33)
    );
}

#[test]
fn the_reason_of_the_end_decides_the_pause() {
    let pause = |state: &str, lived: u32| {
        let mut bench = Bench::new(Transport::Tcp);
        let subscribe = bench.active();
        bench.now += SECOND * lived;
        let ended = bench.notify(&subscribe, 5, state, "pbx", "end");
        assert!(ended.contains(&Action::Stale), "{state}");
        if bench.subscriber.is_pending() {
            Duration::ZERO
        } else {
            bench.wait_for_subscribe().0
        }
    };
    assert_eq!(pause("terminated;reason=deactivated", 60), Duration::ZERO);
    assert_eq!(pause("terminated;reason=timeout", 60), Duration::ZERO);
    assert_eq!(pause("terminated", 60), Duration::ZERO);
    assert_eq!(
        pause("terminated;reason=probation;retry-after=42", 60),
        SECOND * 42
    );
    assert!(pause("terminated;reason=giveup", 60) >= SECOND * 8);
    assert_eq!(pause("terminated;reason=rejected", 60), RETRY_INTERVAL_MAX);
    assert_eq!(
        pause("terminated;reason=noresource", 60),
        RETRY_INTERVAL_MAX
    );
}

#[test]
fn a_notifier_that_ends_every_subscription_at_once_is_not_hammered() {
    let mut bench = Bench::new(Transport::Tcp);
    let mut subscribe = bench.active();
    let mut pauses = Vec::new();
    for _ in 0..5 {
        let before = bench.now;
        let ended = bench.notify(&subscribe, 5, "terminated;reason=deactivated", "pbx", "end");
        subscribe = if bench.subscriber.is_pending() {
            ended
                .iter()
                .rev()
                .find_map(|a| {
                    if let Action::Send(b) = a {
                        Some(b.clone())
                    } else {
                        None
                    }
                })
                .unwrap()
        } else {
            bench.wait_for_subscribe().1
        };
        pauses.push((bench.now - before).as_secs());
        bench.accept(&subscribe);
        bench.notify(&subscribe, 2, "active;expires=600", "pbx", "n");
    }
    assert!(
        pauses[0] == 0 && pauses[1] >= 8 && pauses[4] >= 60,
        "{pauses:?}"
    );
}

#[test]
fn pending_is_trouble_until_it_is_active() {
    let mut bench = Bench::new(Transport::Udp);
    let subscribe = bench.start();
    bench.accept(&subscribe);
    assert_eq!(
        troubles(&bench.notify(&subscribe, 1, "pending", "pbx", "a")),
        [Trouble::Pending]
    );
    assert!(!bench.subscriber.is_active());
    bench.notify(&subscribe, 2, "active", "pbx", "b");
    assert!(bench.subscriber.is_active());
}

#[test]
fn stopping_unsubscribes_and_a_lost_transport_is_silent() {
    let mut bench = Bench::new(Transport::Tcp);
    let subscribe = bench.active();
    let bye = sent(&bench.handle(Event::Stop));
    assert_eq!(field(&bye, "Expires"), "0");
    let ended = bench.notify(&subscribe, 3, "terminated;reason=timeout", "pbx", "end");
    assert!(ended.contains(&Action::Ended) && bench.subscriber.is_idle());

    let mut bench = Bench::new(Transport::Tcp);
    bench.active();
    assert_eq!(bench.handle(Event::TransportLost), [Action::Stale]);
    assert_eq!(
        (bench.subscriber.next_deadline(), bench.subscriber.is_idle()),
        (None, true)
    );
    assert_eq!(
        Bench::new(Transport::Udp).handle(Event::Stop),
        [Action::Ended]
    );
}

#[test]
fn a_configuration_that_cannot_be_sent_is_reported() {
    let mut bench = Bench::new(Transport::Udp);
    bench.subscriber = Subscriber::new("sip:1\r\n@x".into(), Ids::new([0; 32]));
    let account = Account {
        from: "sip:a@b".into(),
        contact: "sip:a@c".into(),
        sent_by: "c".into(),
        transport: Transport::Udp,
        credentials: None,
        event: "dialog".into(),
        accept: "x".into(),
        supported: None,
        user_agent: "y".into(),
    };
    let actions = bench.handle(Event::Start(Arc::new(account)));
    assert!(matches!(troubles(&actions)[..], [Trouble::Unwritable(_)]));
}

proptest::proptest! {
    /// Any events in any order: no panic, and a deadline unless it is idle.
    #[test]
    fn it_never_gets_stuck(events in proptest::collection::vec((0u8..10, 0u16..700, 0u32..8), 1..60)) {
        let mut bench = Bench::new(Transport::Udp);
        let mut last = bench.start();
        let states = ["active", "active;expires=30", "pending", "terminated", "terminated;reason=rejected",
            "terminated;reason=deactivated", "nonsense;expires=x", "active;expires=0"];
        for (kind, number, choice) in events {
            let state = states[choice as usize];
            let actions = match kind {
                0 | 1 => bench.respond(&last.clone(), 100 + number % 600, &[("Min-Expires", "700"), CHALLENGE]),
                2 => { let last = last.clone(); bench.accept(&last) }
                3..=5 => { let last = last.clone(); bench.notify(&last, u32::from(number), state, "pbx", &number.to_string()) }
                6 => bench.handle(Event::Refresh),
                7 if choice == 0 => bench.handle(Event::Stop),
                8 if choice == 0 => bench.handle(Event::TransportLost),
                _ => match bench.subscriber.next_deadline() {
                    Some(at) => { bench.now = bench.now.max(at); bench.handle(Event::Elapsed) }
                    None => bench.begin(),
                },
            };
            for action in actions {
                if let Action::Send(bytes) = action && bytes.starts_with(b"SUBSCRIBE") {
                    last = bytes;
                }
            }
            proptest::prop_assert!(bench.subscriber.is_idle() || bench.subscriber.next_deadline().is_some());
        }
    }

    /// Handling a due deadline always moves it: a due deadline is not still due after it was handled.
    #[test]
    fn a_handled_deadline_is_over(seed: u8) {
        let mut bench = Bench::new(Transport::Udp);
        bench.subscriber = Subscriber::new("sip:1@x".into(), Ids::new([seed; 32]));
        bench.start();
        for _ in 0..200 {
            bench.wait();
            proptest::prop_assert!(bench.subscriber.next_deadline().unwrap() > bench.now);
        }
    }
}
