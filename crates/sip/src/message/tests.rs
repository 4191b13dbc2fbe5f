//! The reader against messages seen on the wire and against arbitrary bytes.

use proptest::prelude::*;

use super::*;

#[test]
fn a_message_with_every_tolerated_oddity_is_read() {
    let bytes = b"\r\n\r\nFROBNICATE sip:a@b SIP/2.0\nv: SIP/2.0/UDP h;branch=z9hG4bKx\r\n\
f: \"A, \\\"B\\\"\" <sip:a@b;x=y>;tag=1\r\nt: <sip:c@d>\r\ni: id\r\nCSeq:   7   FROBNICATE\r\n\
Subject: one\r\n  two\r\n\tthree\r\nX-Bytes: \xff\xfe\r\nContent-Length:   3\r\n\r\nabcdef";
    let message = Message::parse(bytes).unwrap();
    assert_eq!(message.method(), Some("FROBNICATE"));
    assert_eq!(message.from_tag().as_deref(), Some("1"));
    assert_eq!(message.to_tag(), None);
    assert_eq!(message.branch().as_deref(), Some("z9hG4bKx"));
    assert_eq!(message.cseq().unwrap().number, 7);
    assert_eq!(message.header("subject").unwrap(), "one two three");
    assert_eq!(message.body(), b"abc");
    let answer = answer(&message, 501, Some("t")).finish().unwrap();
    let answer = Message::parse(&answer).unwrap();
    assert_eq!(
        (answer.code(), answer.to_tag().as_deref()),
        (Some(501), Some("t"))
    );
    assert_eq!(answer.call_id().unwrap(), "id");
}

#[test]
fn without_a_content_length_the_body_is_the_rest() {
    assert_eq!(
        Message::parse(b"A b SIP/2.0\r\n\r\nrest").unwrap().body(),
        b"rest"
    );
    let response = Message::parse(b"SIP/2.0 404\r\n\r\n").unwrap();
    assert_eq!(response.code(), Some(404));
}

#[test]
fn an_ambiguous_message_is_refused() {
    let refused = |text: &str| Message::parse(text.as_bytes()).unwrap_err();
    let head = "A b SIP/2.0\r\n";
    assert_eq!(
        refused(&format!("{head}l: 1\r\nContent-Length: 2\r\n\r\nab")),
        ParseError::TwoContentLengths(1, 2)
    );
    assert_eq!(
        refused(&format!("{head}l: 3\r\n\r\nab")),
        ParseError::BodyTooShort {
            announced: 3,
            there: 2
        }
    );
    for value in ["-1", "+1", "", "99999999999999999999", "65537", "1 1"] {
        assert!(
            matches!(
                refused(&format!("{head}l: {value}\r\n\r\nab")),
                ParseError::ContentLength(_)
            ),
            "{value}"
        );
    }
    assert_eq!(refused("A b SIP/2.0\r\nTo: x\r\n"), ParseError::Truncated);
    assert!(matches!(
        refused("A b SIP/2.0\r\nnonsense\r\n\r\n"),
        ParseError::Header(_)
    ));
    for line in [
        "SIP/2.0 99 x",
        "SIP/2.0 2000 x",
        "A b HTTP/1.1",
        "A  SIP/2.0",
        "b SIP/2.0",
    ] {
        assert!(
            matches!(
                refused(&format!("{line}\r\n\r\n")),
                ParseError::StartLine(_)
            ),
            "{line}"
        );
    }
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let headers = |n: usize| format!("A b SIP/2.0\r\n{}\r\n", "X: y\r\n".repeat(n));
    assert!(Message::parse(headers(REQUEST_HEADERS_MAX).as_bytes()).is_ok());
    assert_eq!(
        Message::parse(headers(REQUEST_HEADERS_MAX + 1).as_bytes()),
        Err(ParseError::TooManyHeaders)
    );
    let mut long = b"A b SIP/2.0\r\n\r\n".to_vec();
    long.resize(MESSAGE_BYTES_MAX, b'x');
    assert!(Message::parse(&long).is_ok());
    long.push(b'x');
    assert_eq!(
        Message::parse(&long),
        Err(ParseError::TooLong(MESSAGE_BYTES_MAX + 1))
    );
}

#[test]
fn the_writer_does_not_let_a_value_forge_a_header() {
    let forged = Writer::request("OPTIONS", "sip:x")
        .header("Subject", "a\r\nRoute: evil")
        .finish();
    assert_eq!(forged, Err(WriteError::ControlCharacter("Subject".into())));
    assert!(Writer::request("OPTIONS", "sip:x\n").finish().is_err());
}

#[test]
fn values_inside_headers() {
    assert_eq!(
        split_list("<sip:a,b>, \"x,y\" <sip:c>,,d"),
        ["<sip:a,b>", "\"x,y\" <sip:c>", "d"]
    );
    assert!(
        uri_has_parameter("sip:h;transport=tcp;lr", "lr") && !uri_has_parameter("sip:h;x=lr", "lr")
    );
    let state = SubscriptionState::parse("Terminated ; reason=Probation;retry-after=7").unwrap();
    assert_eq!(
        (
            state.state.as_str(),
            state.reason.as_deref(),
            state.retry_after
        ),
        ("terminated", Some("probation"), Some(7))
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(message) = Message::parse(&bytes) {
            touch(&message);
        }
    }

    #[test]
    fn damaged_messages_never_panic(at in 0usize..200, byte: u8, cut in 0usize..200) {
        let mut bytes = b"NOTIFY sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: \"a\" <sip:a@b>;tag=1\r\n\
To: <sip:c@d>;tag=2\r\nCall-ID: i\r\nCSeq: 1 NOTIFY\r\nContact: <sip:x>\r\nContent-Length: 2\r\n\r\nhi".to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut % bytes.len());
        if let Ok(message) = Message::parse(&bytes) {
            touch(&message);
        }
    }

    #[test]
    fn a_written_message_is_read_back(
        method in "[A-Z]{1,12}", user in "[a-z0-9.]{1,10}", names in proptest::collection::vec("X-[A-Za-z]{1,8}", 0..8),
        value in "[ -~]{0,40}", body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let uri = format!("sip:{user}@pbx.test");
        let mut writer = Writer::request(&method, &uri);
        for name in &names {
            writer = writer.header(name, &value);
        }
        let bytes = writer.body("text/plain", &body).unwrap();
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!(message.start(), &StartLine::Request { method: method.into(), uri: uri.into() });
        prop_assert_eq!(message.body(), &body[..]);
        prop_assert_eq!(message.headers().len(), names.len() + 2);
        for (header, name) in message.headers().iter().zip(&names) {
            prop_assert_eq!(header.name(), name.as_str());
            prop_assert_eq!(header.value(), value.trim());
        }
    }
}

/// Calls every accessor of a message.
fn touch(message: &Message<'_>) {
    let _ = (
        message.branch(),
        message.from_tag(),
        message.to_tag(),
        message.contact(),
        message.cseq(),
    );
    let _ = (message.seconds("Expires"), message.call_id());
    for header in message.headers() {
        let value = header.value();
        let _ = (
            split_list(&value),
            parameters(&value).count(),
            NameAddr::parse(&value),
            crate::uri::user(&value),
        );
        let _ = SubscriptionState::parse(&value);
    }
    let _ = answer(message, 200, Some("t")).finish();
}

// A15
#[test]
fn the_port_of_an_answer_is_never_the_senders_to_give() {
    for (via, expected) in [
        (
            "SIP/2.0/UDP h;rport=9;branch=z",
            "SIP/2.0/UDP h;rport=5062;branch=z;received=192.0.2.7",
        ),
        (
            "SIP/2.0/UDP h;branch=z; RPort = 9",
            "SIP/2.0/UDP h;branch=z;RPort=5062;received=192.0.2.7",
        ),
        (
            "SIP/2.0/UDP h:9;branch=z",
            "SIP/2.0/UDP h:9;branch=z;received=192.0.2.7",
        ),
    ] {
        let request = format!("OPTIONS sip:x SIP/2.0\r\nVia: {via}\r\n\r\n");
        let request = Message::parse(request.as_bytes()).unwrap();
        let source = "192.0.2.7:5062".parse().unwrap();
        let answer = answer_to(&request, 200, None, Some(source))
            .finish()
            .unwrap();
        let answer = Message::parse(&answer).unwrap();
        assert_eq!(answer.header("Via").as_deref(), Some(expected), "{via}");
    }
}

#[test]
fn a_via_that_is_not_utf_8_comes_back_byte_for_byte() {
    let via = b"SIP/2.0/UDP h\x99\x99;rport;branch=z1 , SIP/2.0/UDP \xff";
    let mut request = b"OPTIONS sip:x SIP/2.0\r\nVia: ".to_vec();
    request.extend_from_slice(via);
    request.extend_from_slice(b"\r\n\r\n");
    let request = Message::parse(&request).unwrap();
    let source = "192.0.2.7:5062".parse().unwrap();
    let answer = answer_to(&request, 200, None, Some(source))
        .finish()
        .unwrap();
    let expected = b"\r\nVia: SIP/2.0/UDP h\x99\x99;rport=5062;branch=z1 ;received=192.0.2.7, SIP/2.0/UDP \xff\r\n";
    assert!(
        answer
            .windows(expected.len())
            .any(|window| window == expected)
    );
}
