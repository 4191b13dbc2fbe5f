//! Refusals with 401 and 407, as FreeSWITCH and chains of servers send them.

use super::*;

const FIRST: (&str, &str) = (
    "Proxy-Authenticate",
    "Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"",
);
const SECOND_NONCE: (&str, &str) = (
    "Proxy-Authenticate",
    "Digest realm=\"r\", nonce=\"n2\", qop=\"auth\"",
);

/// A subscription that was challenged, has lived a while, and renews with the old nonce.
fn renewing() -> (Bench, Vec<u8>) {
    let mut bench = Bench::new(Transport::Udp);
    let first = bench.start();
    let second = sent(&bench.respond(&first, 407, &[FIRST]));
    bench.accept(&second);
    bench.notify(&second, 1, "active;expires=600", "pbx", "a");
    bench.now += SECOND * 80;
    let refresh = sent(&bench.handle(Event::Refresh));
    assert!(field(&refresh, "Proxy-Authorization").contains("n1"));
    (bench, refresh)
}

fn new_subscribe(actions: &[Action]) -> Vec<u8> {
    let is_subscribe = |action: &Action| match action {
        Action::Send(bytes) if bytes.starts_with(b"SUBSCRIBE") => Some(bytes.clone()),
        _ => None,
    };
    actions
        .iter()
        .find_map(is_subscribe)
        .expect("nothing was sent")
}

/// A new subscription without credentials is challenged and becomes active.
fn heals(bench: &mut Bench, begun: &[u8]) {
    assert!(field(begun, "Proxy-Authorization").is_empty());
    assert!(!field(begun, "To").contains("tag="));
    let answer = sent(&bench.respond(begun, 407, &[SECOND_NONCE]));
    assert!(field(&answer, "Proxy-Authorization").contains("n2"));
    assert_eq!(bench.accept(&answer), []);
    let told = bench.notify(&answer, 1, "active;expires=600", "pbx", "b");
    assert!(matches!(told[1], Action::Notified { first: true, .. }));
}

// A1, A25
#[test]
fn a_renewal_refused_without_a_challenge_subscribes_again_at_once() {
    let (mut bench, refresh) = renewing();
    let lost = bench.respond(&refresh, 401, &[]);
    assert_eq!(lost[0], Action::Stale);
    assert_eq!(troubles(&lost), [Trouble::Forgotten]);
    let begun = new_subscribe(&lost);
    assert_ne!(field(&begun, "Call-ID"), field(&refresh, "Call-ID"));
    // FreeSWITCH's NOTIFY after it belongs to the old dialog.
    let ended = bench.notify(&refresh, 2, "terminated;reason=noresource", "pbx", "end");
    assert_eq!(code(&ended), 481);
    heals(&mut bench, &begun);
}

// A1: the NOTIFY comes before the refusal.
#[test]
fn an_end_that_overtakes_the_refusal_of_a_renewal_is_no_pause() {
    let (mut bench, refresh) = renewing();
    let ended = bench.notify(&refresh, 2, "terminated;reason=noresource", "pbx", "end");
    assert_eq!(troubles(&ended), [Trouble::Forgotten]);
    let begun = new_subscribe(&ended);
    assert_eq!(bench.respond(&refresh, 401, &[]), []);
    heals(&mut bench, &begun);
}

// A1: a new subscription with the nonce of the last one.
#[test]
fn a_first_request_with_an_old_nonce_is_repeated_with_another_call_id() {
    for is_end_first in [false, true] {
        let (mut bench, _) = renewing();
        bench.handle(Event::TransportLost);
        let begun = bench.start();
        assert!(field(&begun, "Proxy-Authorization").contains("n1"));
        let again = if is_end_first {
            let ended = bench.notify(&begun, 1, "terminated;reason=noresource", "pbx", "end");
            assert_eq!(bench.respond(&begun, 401, &[]), []);
            new_subscribe(&ended)
        } else {
            let again = sent(&bench.respond(&begun, 401, &[]));
            let late = bench.notify(&begun, 1, "terminated;reason=noresource", "pbx", "end");
            assert_eq!(code(&late), 481);
            again
        };
        assert_ne!(field(&again, "Call-ID"), field(&begun, "Call-ID"));
        heals(&mut bench, &again);
    }
}

// A1: 401 with WWW-Authenticate, and 407, for a nonce that has expired but is not marked stale.
#[test]
fn a_renewal_refused_with_a_new_challenge_goes_on_in_the_same_dialog() {
    let www = ("WWW-Authenticate", SECOND_NONCE.1);
    for (code, challenge, header) in [
        (401, www, "Authorization"),
        (407, SECOND_NONCE, "Proxy-Authorization"),
    ] {
        let (mut bench, refresh) = renewing();
        let again = sent(&bench.respond(&refresh, code, &[challenge]));
        assert!(field(&again, header).contains("n2"));
        assert_eq!(field(&again, "To"), field(&refresh, "To"));
        assert_eq!(bench.accept(&again), []);
        let confirmed = bench.notify(&again, 2, "active;expires=600", "pbx", "confirmed");
        assert!(matches!(
            confirmed[..],
            [Action::Send(_), Action::Notified { .. }]
        ));
    }
}

// A25: after a restart FreeSWITCH challenges the old nonce, and then rejects the dialog.
#[test]
fn a_renewal_refused_after_a_challenge_subscribes_again() {
    let (mut bench, refresh) = renewing();
    let again = sent(&bench.respond(&refresh, 407, &[SECOND_NONCE]));
    let lost = bench.respond(&again, 401, &[]);
    assert_eq!(troubles(&lost), [Trouble::Forgotten]);
    heals(&mut bench, &new_subscribe(&lost));
}

// A1: outside a dialog the same answers mean a wrong password.
#[test]
fn a_first_request_whose_answer_is_refused_without_a_challenge_has_wrong_credentials() {
    let mut bench = Bench::new(Transport::Udp);
    let first = bench.start();
    let second = sent(&bench.respond(&first, 407, &[FIRST]));
    let refused = bench.respond(&second, 401, &[]);
    assert_eq!(
        troubles(&refused),
        [Trouble::WrongCredentials { code: 401 }]
    );
}

// A5, A25: every renewal is refused in this way.
#[test]
fn subscriptions_that_are_refused_again_and_again_without_a_challenge_are_begun_ever_more_slowly() {
    let (mut bench, mut refresh) = renewing();
    let until = bench.now + SECOND * 600;
    let mut begun = 0;
    while bench.now < until {
        let mut actions = bench.respond(&refresh, 401, &[]);
        while !bench.subscriber.is_pending() {
            actions = bench.wait();
        }
        begun += 1;
        let subscribe = new_subscribe(&actions);
        bench.accept(&subscribe);
        bench.notify(
            &subscribe,
            1,
            "active;expires=600",
            "pbx",
            &begun.to_string(),
        );
        refresh = sent(&bench.handle(Event::Refresh));
    }
    assert!(begun <= 12, "{begun}");
}

// A1: only 401 without a challenge.
#[test]
fn a_refusal_without_any_challenge_is_named_and_not_the_password() {
    let mut bench = Bench::new(Transport::Udp);
    let request = bench.start();
    let refused = bench.respond(&request, 401, &[]);
    let why = ChallengeProblem::NoChallenge;
    assert_eq!(
        troubles(&refused),
        [Trouble::UnusableChallenge { code: 401, why }]
    );
    assert!(bench.wait_for_subscribe().0 >= SECOND * 24);
}

// A9
#[test]
fn a_proxy_and_the_pbx_behind_it_are_both_answered() {
    let pbx = (
        "WWW-Authenticate",
        "Digest realm=\"pbx\", nonce=\"p1\", qop=\"auth\"",
    );
    let mut bench = Bench::new(Transport::Udp);
    let request = bench.start();
    let request = sent(&bench.respond(&request, 407, &[FIRST]));
    let request = sent(&bench.respond(&request, 401, &[pbx]));
    assert!(field(&request, "Proxy-Authorization").contains("n1"));
    assert!(field(&request, "Authorization").contains("p1"));
    assert_eq!(bench.accept(&request), []);
    assert_eq!(bench.subscriber.take_evidence(), Some(Evidence::Accepted));
}

// A2: refused at a renewal, the subscription lives until it expires.
#[test]
fn a_renewal_with_wrong_credentials_is_trouble_and_the_subscription_lives_on() {
    let (mut bench, refresh) = renewing();
    let again = sent(&bench.respond(&refresh, 407, &[SECOND_NONCE]));
    let refused = bench.respond(&again, 407, &[FIRST]);
    assert_eq!(
        refused,
        [Action::Trouble(Trouble::WrongCredentials { code: 407 })]
    );
    assert!(bench.subscriber.is_active() && !bench.subscriber.is_pending());
    assert!(bench.wait_for_subscribe().0 >= SECOND * 24);
}
