//! Sequences of refusals, and the verdict on each.

use super::*;
use crate::message::Writer;

const WWW: &str = "WWW-Authenticate";
const PROXY: &str = "Proxy-Authenticate";

/// A client that sends requests, and the headers of the last one.
struct Bench {
    client: ClientAuthentication,
    ids: Ids,
    credentials: Credentials,
    carried: Vec<(&'static str, String)>,
}

fn digest(realm: &str, nonce: &str) -> String {
    format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\"")
}

impl Bench {
    fn new() -> Self {
        Self {
            client: ClientAuthentication::default(),
            ids: Ids::new([4; 32]),
            credentials: Credentials {
                username: "u".into(),
                password: "p".into(),
            },
            carried: Vec::new(),
        }
    }

    fn send(&mut self) {
        let credentials = &self.credentials;
        let headers = self
            .client
            .authorize(credentials, "SUBSCRIBE", "sip:1@x", &mut self.ids);
        self.carried = headers;
    }

    /// Begins an attempt.
    fn begin(&mut self) -> &mut Self {
        self.client.begin();
        self.send();
        self
    }

    /// Refuses the request with these challenges; sends it again if the verdict demands it.
    fn refuse(&mut self, challenges: &[(&str, &str)]) -> Verdict {
        let mut response = Writer::response(401);
        for (name, value) in challenges {
            response = response.header(name, value);
        }
        let bytes = response.finish().unwrap();
        let response = Message::parse(&bytes).unwrap();
        let verdict = self.client.on_refused(&response, Some(&self.credentials));
        if matches!(verdict, Verdict::Answer | Verdict::RetryWithoutCredentials) {
            self.send();
        }
        verdict
    }

    fn challenge(&mut self, name: &str, value: &str) -> Verdict {
        self.refuse(&[(name, value)])
    }

    /// Header and nonce of each answer in the last request.
    fn carried(&self) -> Vec<String> {
        let nonce = |value: &str| {
            value
                .split("nonce=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .to_owned()
        };
        self.carried
            .iter()
            .map(|(name, value)| format!("{name} {}", nonce(value)))
            .collect()
    }
}

#[test]
fn a_rejected_answer_to_a_fresh_challenge_means_wrong_credentials() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.begin().challenge(PROXY, &digest("r", "1")),
        Verdict::Answer
    );
    assert_eq!(bench.carried(), ["Proxy-Authorization 1"]);
    assert_eq!(
        bench.challenge(PROXY, &digest("r", "2")),
        Verdict::WrongCredentials
    );
    // The next attempt uses none of it.
    bench.begin();
    assert!(bench.carried.is_empty());
}

// A1
#[test]
fn a_challenge_to_cached_credentials_says_nothing_about_the_password() {
    for (refusal, carried) in [
        (vec![], vec![]),
        (
            vec![(PROXY, digest("r", "2"))],
            vec!["Proxy-Authorization 2"],
        ),
        // FreeSWITCH alternates between the two.
        (vec![(WWW, digest("r", "2"))], vec!["Authorization 2"]),
    ] {
        let mut bench = Bench::new();
        bench.begin().challenge(PROXY, &digest("r", "1"));
        bench.begin();
        assert_eq!(bench.carried(), ["Proxy-Authorization 1"]);
        let refusal: Vec<(&str, &str)> = refusal.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let expected = match refusal.is_empty() {
            true => Verdict::RetryWithoutCredentials,
            false => Verdict::Answer,
        };
        assert_eq!(bench.refuse(&refusal), expected);
        assert_eq!(bench.carried(), carried);
    }
}

// A1
#[test]
fn after_a_refused_old_nonce_requests_begin_without_credentials() {
    let mut bench = Bench::new();
    bench.begin().challenge(PROXY, &digest("r", "1"));
    assert_eq!(bench.begin().refuse(&[]), Verdict::RetryWithoutCredentials);
    assert_eq!(bench.challenge(PROXY, &digest("r", "2")), Verdict::Answer);
    bench.begin();
    assert!(bench.carried.is_empty());
}

// A1
#[test]
fn without_a_challenge_a_fresh_answer_is_wrong_and_a_request_without_credentials_unusable() {
    let mut bench = Bench::new();
    bench.begin().challenge(PROXY, &digest("r", "1"));
    assert_eq!(bench.refuse(&[]), Verdict::RefusedWithoutChallenge);
    assert_eq!(
        bench.begin().refuse(&[]),
        Verdict::Unusable(ChallengeProblem::NoChallenge)
    );
}

// A9
#[test]
fn each_realm_is_answered_one_after_the_other_or_both_at_once() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.begin().challenge(PROXY, &digest("proxy", "1")),
        Verdict::Answer
    );
    assert_eq!(bench.challenge(WWW, &digest("pbx", "2")), Verdict::Answer);
    let both = ["Proxy-Authorization 1", "Authorization 2"];
    assert_eq!(bench.carried(), both);
    // Only the answer for the PBX can be wrong: the proxy forwarded the request.
    assert_eq!(
        bench.challenge(WWW, &digest("pbx", "3")),
        Verdict::WrongCredentials
    );

    let mut bench = Bench::new();
    let (one, other) = (digest("pbx", "2"), digest("proxy", "1"));
    assert_eq!(
        bench.begin().refuse(&[(WWW, &one), (PROXY, &other)]),
        Verdict::Answer
    );
    assert_eq!(
        bench.carried(),
        ["Authorization 2", "Proxy-Authorization 1"]
    );
    // Two realms in one header, of the same kind.
    let mut bench = Bench::new();
    let two = format!("{}, {}", digest("a", "1"), digest("b", "2"));
    assert_eq!(bench.begin().challenge(WWW, &two), Verdict::Answer);
    assert_eq!(bench.carried(), ["Authorization 1", "Authorization 2"]);
}

// A9
#[test]
fn a_proxy_that_takes_each_nonce_once_is_answered_again_behind_it() {
    let mut bench = Bench::new();
    bench.begin().challenge(PROXY, &digest("proxy", "1"));
    bench.challenge(WWW, &digest("pbx", "2"));
    assert_eq!(
        bench.challenge(PROXY, &digest("proxy", "3")),
        Verdict::Answer
    );
    assert_eq!(
        bench.carried(),
        ["Proxy-Authorization 3", "Authorization 2"]
    );
    assert_eq!(
        bench.challenge(WWW, &digest("pbx", "4")),
        Verdict::WrongCredentials
    );
}

// A9: proxy and PBX of the same realm, both with old nonces.
#[test]
fn two_servers_of_one_realm_are_both_answered() {
    let mut bench = Bench::new();
    bench.begin().challenge(PROXY, &digest("r", "1"));
    bench.challenge(WWW, &digest("r", "2"));
    assert_eq!(
        bench.carried(),
        ["Proxy-Authorization 1", "Authorization 2"]
    );
    assert_eq!(
        bench.begin().challenge(PROXY, &digest("r", "3")),
        Verdict::Answer
    );
    assert_eq!(bench.challenge(WWW, &digest("r", "4")), Verdict::Answer);
    assert_eq!(
        bench.carried(),
        ["Proxy-Authorization 3", "Authorization 4"]
    );
}

#[test]
fn an_attempt_ends_whatever_the_server_sends() {
    let stale = |n: u32| (WWW, format!("{}, stale=true", digest("r", &n.to_string())));
    let another = |n: u32| (PROXY, digest(&format!("realm {n}"), "1"));
    let alternating = |n: u32| match n % 2 {
        0 => (WWW, digest("pbx", &n.to_string())),
        _ => (PROXY, digest("proxy", &n.to_string())),
    };
    let kinds: [&dyn Fn(u32) -> (&'static str, String); 3] = [&stale, &another, &alternating];
    for kind in kinds {
        let mut bench = Bench::new();
        bench.begin();
        let verdicts = (0..100).map(|n| {
            let (name, value) = kind(n);
            bench.challenge(name, &value)
        });
        let answered = verdicts
            .take_while(|verdict| *verdict == Verdict::Answer)
            .count();
        assert!(answered <= usize::from(ROUNDS_MAX), "{answered}");
        assert!(bench.client.spaces.len() <= SPACES_MAX);
    }
    let mut bench = Bench::new();
    bench.begin();
    let last = (0..=ROUNDS_MAX)
        .map(|n| bench.challenge(WWW, &stale(n.into()).1))
        .last();
    assert_eq!(last, Some(Verdict::Unusable(ChallengeProblem::Endless)));
    let many: Vec<String> = (0..1_000)
        .map(|n| digest(&format!("realm {n}"), "1"))
        .collect();
    bench.begin().challenge(WWW, &many.join(", "));
    assert_eq!(bench.carried.len(), SPACES_MAX);
}

// A17
#[test]
fn the_problem_of_a_challenge_is_named() {
    let long = "x".repeat(1_000);
    for (value, why) in [
        (
            "Basic realm=\"r\"",
            ChallengeProblem::Scheme("Basic".into()),
        ),
        (
            "Bearer authz_server=\"https://x\"",
            ChallengeProblem::Scheme("Bearer".into()),
        ),
        (
            "Digest realm=\"r\", nonce=\"1\", algorithm=MD5-sess",
            ChallengeProblem::Algorithm("MD5-sess".into()),
        ),
        (
            "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-512-256",
            ChallengeProblem::Algorithm("SHA-512-256".into()),
        ),
        (
            "Digest realm=\"r\", nonce=\"1\", qop=\"auth-int\"",
            ChallengeProblem::Qop("auth-int".into()),
        ),
        (
            "Digest realm=\"r\", qop=\"auth\"",
            ChallengeProblem::Incomplete("nonce"),
        ),
        (
            "Digest nonce=\"r\", qop=\"auth\"",
            ChallengeProblem::Incomplete("realm"),
        ),
        (
            &format!("Digest realm=\"r\", nonce=\"1\", algorithm={long}"),
            ChallengeProblem::Algorithm("x".repeat(60)),
        ),
        // A digest challenge is named rather than another scheme beside it.
        (
            "Basic realm=\"r\", Digest realm=\"r\", nonce=\"1\", algorithm=MD5-sess",
            ChallengeProblem::Algorithm("MD5-sess".into()),
        ),
    ] {
        let mut bench = Bench::new();
        assert_eq!(
            bench.begin().challenge(WWW, value),
            Verdict::Unusable(why),
            "{value}"
        );
    }
}

// A17
#[test]
fn an_alternative_that_cannot_be_answered_is_no_obstacle_but_a_realm_is() {
    let good = digest("r", "1");
    for beside in [
        "Basic realm=\"other\"",
        "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-512-256",
    ] {
        let mut bench = Bench::new();
        let challenges = [(WWW, beside), (WWW, good.as_str())];
        assert_eq!(bench.begin().refuse(&challenges), Verdict::Answer);
        assert_eq!(bench.refuse(&challenges), Verdict::WrongCredentials);
    }
    let mut bench = Bench::new();
    let challenges = [
        (
            PROXY,
            "Digest realm=\"proxy\", nonce=\"1\", algorithm=MD5-sess",
        ),
        (WWW, good.as_str()),
    ];
    assert_eq!(bench.begin().refuse(&challenges), Verdict::Answer);
    let why = ChallengeProblem::Algorithm("MD5-sess".into());
    assert_eq!(bench.refuse(&challenges), Verdict::Unusable(why));
}

#[test]
fn an_account_without_a_password_is_named() {
    let bytes = Writer::response(401)
        .header(WWW, digest("r", "1"))
        .finish()
        .unwrap();
    let verdict =
        ClientAuthentication::default().on_refused(&Message::parse(&bytes).unwrap(), None);
    assert_eq!(verdict, Verdict::Unusable(ChallengeProblem::NoCredentials));
}

// A20
#[test]
fn only_an_answer_to_credentials_says_something_about_them() {
    let mut bench = Bench::new();
    let client = &bench.begin().client;
    let evidence = [200, 202, 403, 404, 407, 500, 603].map(|code| client.evidence(code));
    let accepted = Some(Evidence::Accepted);
    assert_eq!(evidence, [accepted, accepted, None, None, None, None, None]);
    bench.challenge(WWW, &digest("r", "1"));
    let evidence = [200, 403, 404, 423, 401, 408, 503, 603].map(|code| bench.client.evidence(code));
    let forbidden = Some(Evidence::Forbidden);
    assert_eq!(
        evidence,
        [
            accepted, forbidden, accepted, accepted, None, None, None, accepted
        ]
    );
}

proptest::proptest! {
    /// Any challenges in any order: no panic, and the attempt ends.
    #[test]
    fn no_challenges_keep_it_busy(headers in proptest::collection::vec(("[ -~]{0,80}", 0..4u8), 0..40)) {
        let mut bench = Bench::new();
        bench.begin();
        let mut answered = 0;
        for (text, kind) in headers {
            let value = match kind {
                0 => text,
                1 => format!("Digest realm={text}, nonce=\"1\""),
                2 => digest(&text.replace(['"', '\\'], ""), "1"),
                _ => format!("Digest realm=\"r\", nonce=\"1\", {text}"),
            };
            match bench.challenge([WWW, PROXY][usize::from(kind % 2)], &value) {
                Verdict::Answer | Verdict::RetryWithoutCredentials => answered += 1,
                Verdict::RefusedWithoutChallenge
                | Verdict::WrongCredentials
                | Verdict::Unusable(_) => break,
            }
        }
        proptest::prop_assert!(answered <= usize::from(ROUNDS_MAX));
    }
}
