//! A5: no notifier makes a subscriber exceed the floor's rate, and a notifier that goes on gets ever fewer requests.

use super::{
    bench::{Bench, SECOND, field, sent},
    *,
};

/// A notifier's reaction to each request, and the owner's verdict on each document.
struct Notifier<'a> {
    answer: &'a mut dyn FnMut(&mut Bench, &[u8]) -> Vec<Action>,
    judge: Option<fn() -> Event<'static>>,
}

/// The requests, states and troubles of one run.
#[derive(Default)]
struct Course {
    /// When each SUBSCRIBE was sent.
    asked: Vec<Duration>,
    stale: usize,
    troubles: Vec<Trouble>,
    /// The lease of each state that was reported.
    leases: Vec<Duration>,
}

impl Course {
    /// Most requests within one second.
    fn peak(&self) -> usize {
        let within = |first: &Duration| {
            let later = self.asked.iter().skip_while(|at| *at < first);
            later.take_while(|at| **at < *first + SECOND).count()
        };
        self.asked.iter().map(within).max().unwrap_or_default()
    }

    fn requests_after(&self, begin: Duration) -> usize {
        self.asked.iter().filter(|at| **at > begin).count()
    }
}

/// Runs a subscriber against a notifier that answers at once.
fn play(transport: Transport, length: Duration, notifier: &mut Notifier<'_>) -> Course {
    let (mut bench, mut course) = (Bench::new(transport), Course::default());
    let mut todo = bench.begin();
    let end = bench.now + length;
    loop {
        while !todo.is_empty() {
            match todo.remove(0) {
                Action::Send(bytes) if bytes.starts_with(b"SUBSCRIBE") => {
                    course.asked.push(bench.now);
                    todo.extend((notifier.answer)(&mut bench, &bytes));
                }
                Action::Send(_) | Action::Ended => {}
                Action::Stale => course.stale += 1,
                Action::Trouble(trouble) => course.troubles.push(trouble),
                Action::Renewed { remaining } => course.leases.push(remaining),
                Action::Notified { remaining, .. } => {
                    course.leases.push(remaining);
                    let judged = notifier.judge.map(|judge| bench.handle(judge()));
                    todo.extend(judged.unwrap_or_default());
                }
            }
            assert!(course.asked.len() < 20_000, "a loop");
        }
        let next = bench
            .subscriber
            .next_deadline()
            .expect("nothing is planned");
        if next > end {
            return course;
        }
        bench.now = bench.now.max(next);
        todo.extend(bench.handle(Event::Elapsed));
    }
}

/// Accepts for `expires` seconds, and sends a NOTIFY with `state`.
fn accept_and_tell(
    bench: &mut Bench,
    request: &[u8],
    cseq: u32,
    expires: &str,
    state: &str,
) -> Vec<Action> {
    let mut actions = bench.respond(
        request,
        200,
        &[("Expires", expires), ("Contact", "<sip:t>")],
    );
    let branch = format!("n{cseq}-{}", field(request, "Call-ID"));
    actions.extend(bench.notify(request, cseq, state, "pbx", &branch));
    actions
}

fn hammered(
    name: &str,
    judge: Option<fn() -> Event<'static>>,
    answer: &mut dyn FnMut(&mut Bench, &[u8]) -> Vec<Action>,
) {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut notifier = Notifier {
            answer: &mut *answer,
            judge,
        };
        let course = play(transport, SECOND * 7200, &mut notifier);
        assert!(course.peak() <= 5, "{name}: {} in a second", course.peak());
        // Pauses of five minutes, a fifth shorter at most, and a few requests each.
        let late = course.requests_after(SECOND * 3600);
        assert!(late <= 15 * 4, "{name}: {late} in the second hour");
        assert!(late >= 3, "{name}: given up");
        assert!(!course.troubles.is_empty(), "{name}: nothing is named");
        assert!(
            course.leases.iter().all(|lease| !lease.is_zero()),
            "{name}: a lease of nothing"
        );
    }
}

// A5
#[test]
fn no_notifier_causes_a_loop_of_requests() {
    let mut cseq = 0;
    let mut next = move || {
        cseq += 1;
        cseq
    };
    for (expires, state) in [
        ("600", "active;expires=0"),
        ("600", "active;expires=1"),
        ("600", "active;expires=4"),
        ("0", "active"),
        ("1", "active"),
        ("1", "active;expires=1"),
        ("5", "active;expires=5"),
        ("600", "terminated"),
        ("600", "terminated;reason=deactivated"),
        ("600", "terminated;reason=timeout"),
        ("600", "terminated;reason=probation;retry-after=0"),
        ("600", "terminated;reason=giveup;retry-after=0"),
        ("600", "terminated;reason=odd;retry-after=0"),
        ("600", "terminated;reason=noresource;retry-after=0"),
    ] {
        hammered(
            &format!("{expires} {state}"),
            None,
            &mut |bench, request| accept_and_tell(bench, request, next(), expires, state),
        );
    }
    for code in [302, 400, 403, 404, 480, 481, 500, 503, 603] {
        hammered(&code.to_string(), None, &mut |bench, request| {
            bench.respond(request, code, &[("Retry-After", "0")])
        });
    }
    let mut count = 700;
    hammered("423 that grows", None, &mut |bench, request| {
        count += 1;
        bench.respond(request, 423, &[("Min-Expires", &count.to_string())])
    });
    hammered("423 one more", None, &mut |bench, request| {
        let asked: u32 = field(request, "Expires").parse().unwrap();
        bench.respond(request, 423, &[("Min-Expires", &(asked + 1).to_string())])
    });
    hammered("423 without", None, &mut |bench, request| {
        bench.respond(request, 423, &[])
    });
    hammered(
        "302 to somewhere else each time",
        None,
        &mut |bench, request| {
            let contact = format!(
                "<sip:1001@{}.test>",
                field(request, "CSeq").replace(' ', "-")
            );
            bench.respond(request, 302, &[("Contact", &contact)])
        },
    );
    for challenge in [
        "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", stale=true",
        "Digest realm=\"r\", nonce=\"n\"",
        "",
    ] {
        hammered(challenge, None, &mut |bench, request| {
            bench.respond(request, 401, &[("WWW-Authenticate", challenge)])
        });
    }
}

// A5
#[test]
fn a_notifier_that_accepts_and_then_forgets_or_is_silent_is_not_hammered() {
    hammered("no NOTIFY", None, &mut |bench, request| {
        bench.accept(request)
    });
    let mut forgets =
        |bench: &mut Bench, request: &[u8]| match field(request, "To").contains("tag=") {
            true => bench.respond(request, 481, &[]),
            false => accept_and_tell(bench, request, 1, "600", "active;expires=6"),
        };
    hammered("481 to each renewal", None, &mut forgets);
    // A3: each NOTIFY has the number of the first.
    hammered("one number", None, &mut |bench, request| {
        let mut actions = accept_and_tell(bench, request, 7, "600", "active");
        actions.extend(bench.notify(request, 7, "active", "pbx", "another"));
        actions.extend(bench.notify(request, 7, "active", "pbx", "a third"));
        actions
    });
    let mut cseq = 0;
    let mut tell = |bench: &mut Bench, request: &[u8]| {
        cseq += 1;
        accept_and_tell(bench, request, cseq, "600", "active")
    };
    hammered("unusable documents", Some(|| Event::Unusable), &mut tell);
}

// A5: documents of a list in which one line is missing.
#[test]
fn a_notifier_with_incomplete_documents_gets_ever_fewer_requests_and_stays_known() {
    let mut cseq = 0;
    let mut answer = |bench: &mut Bench, request: &[u8]| {
        cseq += 1;
        accept_and_tell(bench, request, cseq, "600", "active")
    };
    let mut notifier = Notifier {
        answer: &mut answer,
        judge: Some(|| Event::Incomplete),
    };
    let course = play(Transport::Tcp, SECOND * 7200, &mut notifier);
    assert_eq!((course.stale, course.troubles.len()), (0, 0));
    assert!(
        course.requests_after(SECOND * 3600) <= 30,
        "{:?}",
        course.asked
    );
}

// A3: a notifier that accepts renewals without the NOTIFY that must follow loses the subscription, once for each renewal.
#[test]
fn a_notifier_without_notify_after_renewals_is_not_hammered() {
    let mut answer = |bench: &mut Bench, request: &[u8]| match field(request, "To").contains("tag=")
    {
        true => bench.accept(request),
        false => accept_and_tell(bench, request, 1, "600", "active"),
    };
    let mut notifier = Notifier {
        answer: &mut answer,
        judge: None,
    };
    let course = play(Transport::Udp, SECOND * 7200, &mut notifier);
    // A renewal after 300 to 480 s, a wait of 32 s, a new subscription.
    assert!((14..=22).contains(&course.stale), "{}", course.stale);
    assert!(course.asked.len() <= 2 * course.stale + 2);
    let named = |t: &Trouble| *t == Trouble::RenewedWithoutNotify;
    assert!(course.troubles.iter().all(named));
}

// A5
#[test]
fn a_short_lease_is_renewed_in_time() {
    for expires in ["6", "7", "10", "60"] {
        let mut cseq = 0;
        let mut answer = |bench: &mut Bench, request: &[u8]| {
            cseq += 1;
            accept_and_tell(
                bench,
                request,
                cseq,
                expires,
                &format!("active;expires={expires}"),
            )
        };
        let mut notifier = Notifier {
            answer: &mut answer,
            judge: None,
        };
        let course = play(Transport::Udp, SECOND * 3600, &mut notifier);
        let seconds: u32 = expires.parse().unwrap();
        assert_eq!(
            (course.stale, &course.troubles[..]),
            (0, &[][..]),
            "{expires}"
        );
        assert!(
            course.asked.len() as u32 <= 3600 / seconds.min(10) * 2,
            "{expires}"
        );
        assert!(course.peak() <= 5);
    }
}

// A5
#[test]
fn the_first_restart_after_a_while_is_at_once_and_a_reconnection_too() {
    let mut bench = Bench::new(Transport::Tcp);
    let subscribe = bench.active();
    bench.now += SECOND * 60;
    bench.notify(&subscribe, 3, "active;expires=0", "pbx", "zero");
    assert!(bench.subscriber.is_pending());
    for _ in 0..3 {
        bench.handle(Event::TransportLost);
        assert!(!bench.begin().is_empty());
    }
    // A connection that breaks again and again waits as well.
    bench.handle(Event::TransportLost);
    assert_eq!(bench.begin(), []);
    assert!(!bench.subscriber.is_idle());
    assert!(bench.wait_for_subscribe().0 >= SECOND * 2);
}

proptest::proptest! {
    /// A random notifier, owner and network, well-formed or not: at most five requests in any second, no state outlives its
    /// lease, and no lease is zero.
    #[test]
    fn the_floor_holds(udp: bool, seed: u8, steps in proptest::collection::vec((0u8..16, 0u16..700, 0u8..12, 0u16..1500), 1..150)) {
        let mut bench = Bench::new(if udp { Transport::Udp } else { Transport::Tcp });
        bench.subscriber = Subscriber::new("sip:1@x".into(), Ids::new([seed; 32]));
        let mut course = Course::default();
        let mut todo = bench.begin();
        let mut last = sent(&todo);
        let mut known: Option<Duration> = None;
        // The lease before the document that the owner may reject now.
        let mut before = None;
        let states = ["active", "active;expires=0", "active;expires=1", "active;expires=600", "pending", "terminated",
            "terminated;reason=rejected", "terminated;reason=deactivated;retry-after=0", "terminated;reason=probation;retry-after=0",
            "odd", "active;expires=7", "terminated;reason=timeout"];
        let codes = [200, 200, 202, 302, 401, 407, 423, 423, 480, 481, 500, 503];
        for (kind, number, choice, elapsed) in steps {
            let request = last.clone();
            let choice = usize::from(choice);
            let judged = if kind != 12 && kind != 15 { std::mem::take(&mut before) } else { None };
            if let (11, Some(earlier)) = (kind, judged) {
                known = earlier;
            }
            let headers = [("Min-Expires", number.to_string()), ("Expires", (number % 30).to_string()),
                ("Contact", format!("<sip:{number}@t>")), ("Retry-After", "0".to_owned()),
                ("WWW-Authenticate", format!("Digest realm=\"r\", nonce=\"{number}\", stale=true"))];
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            todo.extend(match kind {
                0..=4 => bench.respond(&request, codes[choice], &headers[..]),
                5 => bench.respond(&request, codes[choice], &[]),
                6 => bench.accept(&request),
                7..=10 => bench.notify(&request, u32::from(number % 20), states[choice], ["pbx", "b"][choice % 2], &number.to_string()),
                11 => bench.handle(Event::Unusable),
                12 => bench.handle(Event::Incomplete),
                13 => bench.handle(Event::Refresh),
                14 => { bench.handle(Event::TransportLost); known = None; bench.begin() }
                _ => { bench.now += Duration::from_millis(u64::from(elapsed)); Vec::new() }
            });
            loop {
                for action in todo.drain(..) {
                    match action {
                        Action::Send(bytes) if bytes.starts_with(b"SUBSCRIBE") => {
                            course.asked.push(bench.now);
                            last = bytes;
                        }
                        Action::Notified { remaining, .. } | Action::Renewed { remaining } => {
                            if matches!(action, Action::Notified { .. }) {
                                before = Some(known);
                            }
                            proptest::prop_assert!(!remaining.is_zero());
                            known = Some(bench.now + remaining);
                        }
                        Action::Stale => known = None,
                        _ => {}
                    }
                }
                match bench.subscriber.next_deadline() {
                    Some(at) if at <= bench.now => {
                        before = None;
                        todo = bench.handle(Event::Elapsed);
                    }
                    _ => break,
                }
            }
            proptest::prop_assert!(course.peak() <= 5, "{:?}", course.asked);
            proptest::prop_assert!(known.is_none_or(|until| until > bench.now), "believed beyond its lease");
            proptest::prop_assert!(bench.subscriber.is_idle() || bench.subscriber.next_deadline().is_some());
        }
    }
}
