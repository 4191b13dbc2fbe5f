//! The examples of the RFCs, and client against server.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;
use crate::message::Writer;

const HERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn account() -> Credentials {
    Credentials {
        username: "Mufasa".into(),
        password: "Circle Of Life".into(),
    }
}

fn parsed(header: &str, value: &str) -> Option<Challenge> {
    let bytes = Writer::response(401)
        .header(header, value)
        .finish()
        .unwrap();
    Challenge::best(&Message::parse(&bytes).unwrap())
}

#[test]
fn the_example_of_rfc_2617() {
    let fields = Fields {
        username: "Mufasa",
        realm: "testrealm@host.com",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        uri: "/dir/index.html",
        qop: Some(Qop {
            cnonce: "0a4f113b",
            nc: 1,
        }),
    };
    assert_eq!(
        fields.response(Algorithm::Md5, "Circle Of Life", "GET"),
        "6629fae49393a05397450978507c4ef1"
    );
    // Without qop: the form of RFC 2069.
    let old = Fields {
        qop: None,
        ..fields
    };
    assert_eq!(
        old.response(Algorithm::Md5, "Circle Of Life", "GET"),
        "670fd8c2df070c60b045671b8b24ff02"
    );
}

#[test]
fn the_examples_of_rfc_7616() {
    let value = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
    let credentials = Credentials {
        username: "Mufasa".into(),
        password: "Circle of Life".into(),
    };
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let sha = Session::new(parsed("WWW-Authenticate", value).unwrap()).authorize(
        &credentials,
        "GET",
        "/dir/index.html",
        cnonce,
    );
    assert_eq!(sha.0, "Authorization");
    assert!(
        sha.1.contains(
            "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""
        ),
        "{}",
        sha.1
    );
    assert!(
        sha.1
            .contains("opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"")
            && sha.1.contains("nc=00000001")
    );
    let md5 = value.replace("SHA-256", "MD5");
    let md5 = Session::new(parsed("Proxy-Authenticate", &md5).unwrap()).authorize(
        &credentials,
        "GET",
        "/dir/index.html",
        cnonce,
    );
    assert_eq!(md5.0, "Proxy-Authorization");
    assert!(
        md5.1
            .contains("response=\"8ca523f5e9506fed4657c9700eebdbec\""),
        "{}",
        md5.1
    );
}

#[test]
fn sha_256_is_preferred_and_unanswerable_challenges_are_skipped() {
    let both = parsed("WWW-Authenticate", "Digest realm=\"a\", nonce=\"1\", algorithm=MD5, Digest realm=\"b, c\", nonce=2, algorithm=SHA-256").unwrap();
    assert_eq!(
        (both.algorithm, both.realm.as_str(), both.nonce.as_str()),
        (Algorithm::Sha256, "b, c", "2")
    );
    assert_eq!(
        parsed(
            "WWW-Authenticate",
            "Digest realm=\"a\", nonce=\"1\", qop=\"auth-int\""
        ),
        None
    );
    assert_eq!(
        parsed(
            "WWW-Authenticate",
            "Digest realm=\"a\", nonce=\"1\", algorithm=SHA-512-256"
        ),
        None
    );
    assert_eq!(parsed("WWW-Authenticate", "Basic realm=\"a\""), None);
    assert!(
        parsed(
            "WWW-Authenticate",
            "Digest realm=\"a\", nonce=\"1\", stale=TRUE"
        )
        .unwrap()
        .stale
    );
}

/// One request of a client that answers a challenge.
fn authorized(session: &mut Session, credentials: &Credentials) -> Vec<u8> {
    let (name, value) = session.authorize(credentials, "SUBSCRIBE", "sip:1@pbx.test", "cn");
    Writer::request("SUBSCRIBE", "sip:1@pbx.test")
        .header(name, value)
        .finish()
        .unwrap()
}

/// The last challenge, which is for the weakest algorithm, in use.
fn answering(verifier: &mut Verifier, now: Duration) -> Session {
    let challenges = verifier.challenge(now, HERE, &Refusal::Missing);
    Session::new(parsed("WWW-Authenticate", challenges.last().unwrap()).unwrap())
}

fn check(verifier: &mut Verifier, now: Duration, request: &[u8]) -> Result<String, Refusal> {
    let account = account();
    let password =
        |name: &str| (name == account.username).then_some(account.password.expose_secret());
    verifier.check(now, HERE, &Message::parse(request).unwrap(), password)
}

#[test]
fn both_ends_agree_and_a_wrong_password_or_an_old_nonce_is_refused() {
    let name = account().username;
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let mut verifier = Verifier::new("pbx.test".into(), vec![algorithm], [7; 32]);
        let then = Duration::from_secs(100);
        let mut session = answering(&mut verifier, then);
        for _ in 0..2 {
            let request = authorized(&mut session, &account());
            assert_eq!(check(&mut verifier, then, &request), Ok(name.clone()));
        }
        let late = then + Duration::from_secs(300);
        let request = authorized(&mut session, &account());
        assert_eq!(check(&mut verifier, late, &request), Err(Refusal::Stale));
        let wrong = Credentials {
            password: "x".into(),
            ..account()
        };
        let nobody = Credentials {
            username: "nobody".into(),
            password: "".into(),
        };
        for credentials in [wrong, nobody] {
            let request = authorized(&mut session, &credentials);
            let username = credentials.username;
            let refused = Err(Refusal::Wrong { username });
            assert_eq!(check(&mut verifier, then, &request), refused);
        }
    }
}

#[test]
fn a_recorded_request_is_not_taken_twice_and_clients_do_not_disturb_each_other() {
    let algorithms = vec![Algorithm::Sha256, Algorithm::Md5];
    let mut verifier = Verifier::new("pbx.test".into(), algorithms, [7; 32]);
    let now = Duration::from_secs(5);
    let mut one = answering(&mut verifier, now);
    let mut other = answering(&mut verifier, now);
    let first = authorized(&mut one, &account());
    let second = authorized(&mut one, &account());
    assert!(check(&mut verifier, now, &first).is_ok());
    assert_eq!(check(&mut verifier, now, &first), Err(Refusal::Stale));
    assert!(check(&mut verifier, now, &authorized(&mut other, &account())).is_ok());
    assert!(check(&mut verifier, now, &second).is_ok());
    assert_eq!(check(&mut verifier, now, &first), Err(Refusal::Stale));
    // An invented nonce proves nothing.
    let forged = String::from_utf8(second)
        .unwrap()
        .replace("nonce=\"5.", "nonce=\"6.");
    assert!(check(&mut verifier, now, forged.as_bytes()).is_err());
}

/// A request to `to` with credentials for `uri`.
fn for_another(session: &mut Session, uri: &str, to: &str) -> Vec<u8> {
    let (name, value) = session.authorize(&account(), "SUBSCRIBE", uri, "cn");
    let request = Writer::request("SUBSCRIBE", to).header(name, value);
    request.finish().unwrap()
}

#[test]
fn credentials_for_another_request_uri_are_refused() {
    let mut verifier = Verifier::new("pbx.test".into(), vec![Algorithm::Md5], [7; 32]);
    let now = Duration::from_secs(5);
    let mut session = answering(&mut verifier, now);
    for (uri, to) in [
        ("sip:1002@pbx.test", "sip:1001@pbx.test"),
        ("sip:1001@pbx.test:5060", "sip:1001@pbx.test"),
        ("sips:1001@pbx.test", "sip:1001@pbx.test"),
        ("sip:pbx.test", "sip:1001@pbx.test"),
        ("", "sip:1001@pbx.test"),
    ] {
        let request = for_another(&mut session, uri, to);
        let refused = check(&mut verifier, now, &request);
        assert_eq!(refused, Err(Refusal::OtherUri), "{uri} {to}");
    }
    // Neither a wrong password nor a used nonce: the same URI is accepted in every spelling.
    for (uri, to) in [
        ("sip:1001@pbx.test", "sip:1001@pbx.test"),
        ("sip:1001@PBX.test;lr", "sip:%31001@pbx.test"),
    ] {
        let request = for_another(&mut session, uri, to);
        assert!(check(&mut verifier, now, &request).is_ok(), "{uri} {to}");
    }
}

#[test]
fn passwords_are_not_printed() {
    let printed = format!(
        "{:?} {:?}",
        account(),
        Verifier::new("r".into(), vec![Algorithm::Md5], [1; 32])
    );
    assert!(!printed.contains("Circle") && printed.contains("REDACTED"));
}

#[test]
fn a_challenge_for_one_address_is_of_no_use_to_another() {
    let algorithms = vec![Algorithm::Md5];
    let mut verifier = Verifier::new("pbx.test".into(), algorithms, [3; 32]);
    let nonce_of = |challenge: &str| {
        let nonce = challenge.split("nonce=\"").nth(1).unwrap();
        nonce.split('"').next().unwrap().to_owned()
    };
    let nonce = nonce_of(&verifier.challenge(Duration::ZERO, HERE, &Refusal::Missing)[0]);
    let request = format!(
        "SUBSCRIBE sip:x SIP/2.0\r\nAuthorization: Digest username=\"u\", realm=\"pbx.test\", nonce=\"{nonce}\", uri=\"sip:x\", response=\"0\"\r\n\r\n"
    );
    let request = Message::parse(request.as_bytes()).unwrap();
    assert_eq!(verifier.claim(&request).unwrap().username(), "u");
    let other = Verifier::new("other".into(), vec![Algorithm::Md5], [3; 32]);
    assert_eq!(other.claim(&request).err(), Some(Refusal::Missing));
    let mut check =
        |address: [u8; 4]| verifier.check(Duration::ZERO, address.into(), &request, |_| Some("p"));
    let username = "u".to_owned();
    assert_eq!(check([127, 0, 0, 1]), Err(Refusal::Wrong { username }));
    assert_eq!(check([192, 0, 2, 1]), Err(Refusal::Stale));
}

#[test]
fn the_name_that_is_counted_is_the_name_whose_password_is_checked() {
    let algorithms = vec![Algorithm::Sha256, Algorithm::Md5];
    let mut verifier = Verifier::new("pbx.test".into(), algorithms, [7; 32]);
    let now = Duration::from_secs(5);
    let (_, wrong) = answering(&mut verifier, now).authorize(
        &Credentials {
            username: "1002".into(),
            password: "x".into(),
        },
        "SUBSCRIBE",
        "sip:1@pbx.test",
        "cn",
    );
    let (nameless, said) = (
        wrong.replace("username=\"1002\", ", ""),
        "username=\"1001\"",
    );
    let unknown = format!("Digest {said}, realm=\"pbx.test\", algorithm=SHA-512-256");
    let elsewhere = format!("Digest {said}, realm=\"other.test\"");
    for (headers, counted) in [
        (vec![("Authorization", wrong.clone())], "1002"),
        (
            vec![("Authorization", format!("Foo realm=\"pbx.test\", {wrong}"))],
            "1002",
        ),
        (
            vec![(
                "Authorization",
                format!("Foo realm=\"pbx.test\", {said}, {wrong}"),
            )],
            "1002",
        ),
        (
            vec![("Authorization", format!("{unknown}, {wrong}"))],
            "1002",
        ),
        (
            vec![("Authorization", format!("{elsewhere}, {wrong}"))],
            "1002",
        ),
        (
            vec![("Authorization", unknown), ("Authorization", wrong.clone())],
            "1002",
        ),
        (
            vec![
                ("Authorization", elsewhere),
                ("Authorization", wrong.clone()),
            ],
            "1002",
        ),
        (
            vec![
                (
                    "Proxy-Authorization",
                    format!("Digest {said}, realm=\"pbx.test\""),
                ),
                ("Authorization", wrong.clone()),
            ],
            "1002",
        ),
        (vec![("Authorization", format!("{wrong}, {said}"))], "1002"),
        (vec![("Authorization", nameless)], ""),
    ] {
        let mut request = Writer::request("SUBSCRIBE", "sip:1@pbx.test");
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let request = request.finish().unwrap();
        let message = Message::parse(&request).unwrap();
        let claim = verifier.claim(&message).unwrap();
        assert_eq!(claim.username(), counted, "{headers:?}");
        let username = counted.to_owned();
        let refused = check(&mut verifier, now, &request);
        assert_eq!(refused, Err(Refusal::Wrong { username }), "{headers:?}");
    }
}
