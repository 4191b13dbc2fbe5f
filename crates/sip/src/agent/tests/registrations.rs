//! A18: phones register before they watch. No binding is kept.

use super::*;
use crate::digest::{Challenge, Session};

fn register(branch: &str, contacts: &[&str], expires: Option<u32>) -> Writer {
    let register = bare("REGISTER", branch);
    let register = contacts.iter().fold(register, |register, contact| {
        register.header("Contact", contact)
    });
    match expires {
        Some(expires) => register.header("Expires", expires),
        None => register,
    }
}

/// The status code and the registered contacts.
fn registered(host: &mut Desk, request: Writer) -> (u16, Vec<String>) {
    let bytes = request.finish().unwrap();
    let sent = receive(SECOND, &mut agent(), host, &bytes);
    assert!(sent.len() == 1 && sent[0].len() < bytes.len() + 160);
    let answer = Message::parse(&sent[0]).unwrap();
    let contacts = answer.all("Contact").map(std::borrow::Cow::into_owned);
    (answer.code().unwrap(), contacts.collect())
}

#[test]
fn a_registration_is_answered_with_its_bindings() {
    let mut host = desk("x");
    host.registers = true;
    for (contacts, expires, expected) in [
        (
            vec!["<sip:a@h:5062>"],
            Some(600),
            vec!["<sip:a@h:5062>;expires=600"],
        ),
        (
            vec!["sip:a@h;expires=60"],
            Some(600),
            vec!["<sip:a@h>;expires=60"],
        ),
        (
            vec!["\"A, B\" <sip:a@h;transport=udp>;q=0.5;+sip.instance=\"<urn:uuid:1>\""],
            None,
            vec!["<sip:a@h;transport=udp>;expires=3600"],
        ),
        // Longer than allowed, and not a number.
        (
            vec!["<sip:a@h>"],
            Some(86_400),
            vec!["<sip:a@h>;expires=3600"],
        ),
        (
            vec!["<sip:a@h>;expires=never"],
            Some(60),
            vec!["<sip:a@h>;expires=3600"],
        ),
        // Several contacts, one of them removed.
        (
            vec!["<sip:a@h>, <sips:b@h>;expires=30", "<sip:c@h>;expires=0"],
            Some(90),
            vec!["<sip:a@h>;expires=90", "<sips:b@h>;expires=30"],
        ),
        (vec!["<sip:a@h>"], Some(0), vec![]),
        (vec!["*"], Some(0), vec![]),
        // A query.
        (vec![], None, vec![]),
        (vec![], Some(600), vec![]),
    ] {
        let request = register("a", &contacts, expires);
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(
            registered(&mut host, request),
            (200, expected),
            "{contacts:?}"
        );
    }
    let many = ["<sip:a@h>"; 9];
    for (contacts, expires) in [
        (&["*"][..], None),
        (&["*"], Some(600)),
        (&["*", "<sip:a@h>"], Some(0)),
        (&["*, *"], Some(0)),
        (&["<sip:x y@z>"], None),
        (&["<sip:a@2001:db8::10>"], None),
        (&["<mailto:a@b>"], None),
        (&many, None),
    ] {
        let request = register("a", contacts, expires);
        assert_eq!(
            registered(&mut host, request),
            (400, vec![]),
            "{contacts:?}"
        );
    }
}

#[test]
fn a_registration_needs_the_password_and_its_repetition_the_same_answer() {
    let mut agent = agent();
    let mut host = desk("x");
    let verifier = Verifier::new("pbx.test".into(), vec![Algorithm::Md5], [9; 32]);
    host.verifier = Some(verifier);
    let first = register("a", &["<sip:a@h>"], Some(600)).finish().unwrap();
    let sent = receive(SECOND, &mut agent, &mut host, &first);
    let challenged = Message::parse(&sent[0]).unwrap();
    assert_eq!(challenged.code(), Some(401));
    let mut session = Session::new(Challenge::best(&challenged).unwrap());
    for (branch, password, code) in [("b", "wrong", 401), ("c", "p", 200), ("c", "p", 200)] {
        let (name, value) =
            session.authorize(&credentials(password), "REGISTER", "sip:1001@x", "cn");
        let request = register(branch, &["<sip:a@h>"], Some(600)).header(name, value);
        assert_eq!(code_at(SECOND, &mut agent, &mut host, request), code);
    }
    // Without a password not even a malformed contact is named.
    let request = register("d", &["*"], None);
    assert_eq!(code_at(SECOND, &mut agent, &mut host, request), 401);
    assert_eq!(code(&mut agent, register("e", &[], None)), 403);
}
