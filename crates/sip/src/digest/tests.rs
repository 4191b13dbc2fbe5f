//! The examples of the RFCs, and both ends against each other.

use std::time::Duration;

use super::*;
use crate::message::Writer;

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
    // The same without a qop: the form of RFC 2069.
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
fn sha_256_is_preferred_and_what_we_cannot_answer_is_skipped() {
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

#[test]
fn both_ends_agree_and_a_wrong_password_or_an_old_nonce_is_refused() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let verifier = Verifier::new("pbx.test".into(), account(), algorithm, [7; 32]);
        let then = Duration::from_secs(100);
        let mut session = Session::new(
            parsed(
                "WWW-Authenticate",
                &verifier.challenge(then, Refusal::Missing),
            )
            .unwrap(),
        );
        let check = |now: Duration, session: &mut Session, credentials: &Credentials| {
            let (name, value) = session.authorize(credentials, "SUBSCRIBE", "sip:1@pbx.test", "cn");
            let bytes = Writer::request("SUBSCRIBE", "sip:1@pbx.test")
                .header(name, value)
                .finish()
                .unwrap();
            verifier.check(now, &Message::parse(&bytes).unwrap())
        };
        assert_eq!(check(then, &mut session, &account()), Ok(()));
        assert_eq!(check(then, &mut session, &account()), Ok(()));
        assert_eq!(
            check(then + Duration::from_secs(300), &mut session, &account()),
            Err(Refusal::Stale)
        );
        let wrong = Credentials {
            password: "x".into(),
            ..account()
        };
        assert_eq!(check(then, &mut session, &wrong), Err(Refusal::Wrong));
    }
}

#[test]
fn passwords_are_not_printed() {
    let printed = format!(
        "{:?} {:?}",
        account(),
        Verifier::new("r".into(), account(), Algorithm::Md5, [1; 32])
    );
    assert!(!printed.contains("Circle") && printed.contains("[redacted]"));
}
