//! The algorithms that are offered and accepted.

use super::*;
use crate::{
    digest::{Challenge, Credentials, Session},
    message::Writer,
};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const BOTH: [Algorithm; 2] = [Algorithm::Md5, Algorithm::Sha256];

/// The desk phone accepts only MD5, the board only SHA-256; other accounts accept both.
fn verifier() -> Verifier {
    let of_accounts = [
        ("desk".to_owned(), vec![Algorithm::Md5]),
        ("board".to_owned(), vec![Algorithm::Sha256]),
    ];
    let verifier = Verifier::new("pbx.test".into(), BOTH.to_vec(), [7; 32]);
    verifier.with_accounts(of_accounts.into())
}

fn offered(usernames: &[&str]) -> Vec<Algorithm> {
    let mut verifier = verifier();
    let offered = verifier.algorithms_for(usernames, &BOTH);
    let challenges = verifier.challenge_with(Duration::ZERO, HERE, &Refusal::Stale, &offered);
    assert!(challenges.iter().all(|value| value.contains("stale=true")));
    let algorithm = |value: &String| {
        let (_, rest) = value.split_once("algorithm=").unwrap();
        Algorithm::of_name(rest.split(',').next().unwrap()).unwrap()
    };
    challenges.iter().map(algorithm).collect()
}

// A7
#[test]
fn clients_that_know_one_algorithm_find_it_first() {
    assert_eq!(offered(&[]), BOTH);
    assert_eq!(offered(&["1001"]), BOTH);
    assert_eq!(offered(&["desk"]), [Algorithm::Md5]);
    assert_eq!(offered(&["board"]), [Algorithm::Sha256]);
    // The account of a person with several is unknown before the sign-in.
    assert_eq!(offered(&["1001", "desk"]), [Algorithm::Md5]);
    assert_eq!(offered(&["board", "1001"]), [Algorithm::Sha256]);
    assert_eq!(offered(&["desk", "board"]), BOTH);
    // Browsers accept one algorithm.
    let md5 = [Algorithm::Md5];
    let to_browser = |usernames: &[&str]| verifier().algorithms_for(usernames, &md5);
    assert_eq!(
        (to_browser(&[]), to_browser(&["1001"])),
        (md5.to_vec(), md5.to_vec())
    );
    assert_eq!(to_browser(&["board"]), [Algorithm::Sha256]);
}

// A7
#[test]
fn an_account_signs_in_with_its_own_algorithms_only() {
    for (username, algorithm, is_in) in [
        ("desk", Algorithm::Md5, true),
        ("desk", Algorithm::Sha256, false),
        ("board", Algorithm::Md5, false),
        ("board", Algorithm::Sha256, true),
        ("1001", Algorithm::Md5, true),
        ("1001", Algorithm::Sha256, true),
    ] {
        let mut verifier = verifier();
        let challenges = verifier.challenge(Duration::ZERO, HERE, &Refusal::Missing);
        let wanted = |value: &&String| value.contains(&format!("algorithm={}", algorithm.name()));
        let challenge = challenges.iter().find(wanted).unwrap();
        let challenge = Writer::response(401).header("WWW-Authenticate", challenge);
        let challenge = challenge.finish().unwrap();
        let challenge = Challenge::best(&Message::parse(&challenge).unwrap()).unwrap();
        let credentials = Credentials {
            username: username.into(),
            password: "p".into(),
        };
        let (name, value) =
            Session::new(challenge).authorize(&credentials, "SUBSCRIBE", "sip:1@pbx.test", "cn");
        let request = Writer::request("SUBSCRIBE", "sip:1@pbx.test").header(name, value);
        let request = request.finish().unwrap();
        let request = Message::parse(&request).unwrap();
        assert_eq!(verifier.username_of(&request).as_deref(), Some(username));
        let checked = verifier.check(Duration::ZERO, HERE, &request, |_| Some("p"));
        let expected = match is_in {
            true => Ok(username.to_owned()),
            false => Err(Refusal::Missing),
        };
        assert_eq!(checked, expected, "{username} {algorithm:?}");
    }
}
