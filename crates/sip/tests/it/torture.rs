//! The 49 messages of RFC 4475, one test each, with the reaction that the RFC asks of a server that answers OPTIONS,
//! SUBSCRIBE and PUBLISH and redirects calls. Where the RFC leaves a choice, the comment names it.
//!
//! The 13 messages of section 3.1.1 are byte for byte those of the RFC's archive (their SHA-256 were compared). The others
//! were put together from two independent transcriptions that agree; their lengths fit their Content-Length. Only the end of
//! baddn is unsure: one transcription lacks the empty line after its headers.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use sip::{
    Transport,
    agent::{
        Admission, AdmissionError, Agent, Class, Document, Host, Outbox, Package, Peer,
        Publication, Resource, SUPPORTED, Settings, Watcher,
    },
    ids::Ids,
    message::{Message, NameAddr, StartLine, answer_to},
    redirect::{Call, Decision, respond},
    request::{fault, refuse_malformed},
    stream::{Decoder, Frame},
};

const PEER: Peer<u8> = Peer {
    flow: 1,
    transport: Transport::Udp,
    source: SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), 5_060),
};

/// Admits no watcher, since these messages name no resource, and admits every phone that registers.
struct Nobody;

impl Host<u8> for Nobody {
    fn admit(&mut self, _: Duration, _: Peer<u8>, _: &Message<'_>, _: Package) -> Admission {
        Admission::Refuse(403)
    }

    fn class(&mut self, _: Resource, _: Option<Watcher>) -> Option<Class> {
        None
    }

    fn document(&mut self, _: Resource, _: Package, _: Class) -> Option<Arc<Document>> {
        None
    }

    fn admit_publication(
        &mut self,
        _: Duration,
        _: Peer<u8>,
        _: &Message<'_>,
        _: Package,
    ) -> Admission {
        Admission::Refuse(403)
    }

    fn admit_registration(
        &mut self,
        _: Duration,
        _: Peer<u8>,
        _: &Message<'_>,
    ) -> Result<(), AdmissionError> {
        Ok(())
    }

    fn on_publication(&mut self, _: Duration, _: Publication<'_>) -> Result<(), u16> {
        Err(403)
    }
}

/// The server's answer to one datagram; `None` if there is none.
fn answer(bytes: &[u8]) -> Option<Vec<u8>> {
    let settings = Settings {
        address: "192.0.2.1:5080".into(),
        packages: Package::ALL.to_vec(),
        tls_address: None,
        websocket_address: None,
        min_expires: 60,
        max_expires: 3_600,
        max_publication: 600,
        subscriptions_max: 10,
        subscriptions_per_source_max: 10,
        publications_max: 10,
    };
    let Ok(message) = Message::parse(bytes) else {
        return refuse_malformed(bytes, PEER.source, "t");
    };
    if message.method() == Some("INVITE") {
        if let Some(fault) = fault(&message, SUPPORTED) {
            return fault.answer(&message, PEER.source, "t").finish().ok();
        }
        let Some(call) = Call::of(&message) else {
            return answer_to(&message, 400, Some("t"), None).finish().ok();
        };
        let answer = respond(&message, PEER.source, &call, &Decision::Unchanged, "t");
        return Some(answer.finish().unwrap());
    }
    let mut agent = Agent::new(settings, Ids::new([1; 32]));
    let mut out = Outbox::default();
    agent.receive(Duration::ZERO, PEER, &message, &mut Nobody, &mut out);
    out.messages().next().map(|(_, bytes)| bytes.to_vec())
}

/// The status code of the answer, which must itself be well-formed, echo the required headers, and be hardly longer than the
/// request.
fn code(bytes: &[u8]) -> Option<u16> {
    let answer = answer(bytes)?;
    assert!(answer.len() < bytes.len() + 160, "{}", answer.len());
    let answer = Message::parse(&answer).unwrap();
    assert!(answer.header("Via").is_some());
    answer.code()
}

fn parse(bytes: &[u8]) -> Message<'_> {
    Message::parse(bytes).unwrap()
}

/// Tests of one message each: its bytes are the first argument.
macro_rules! torture {
    ($($(#[$comment:meta])* $name:ident => |$bytes:ident| $check:block)*) => {$(
        $(#[$comment])*
        #[test]
        fn $name() {
            let $bytes: &[u8] =
                include_bytes!(concat!("../torture/", stringify!($name), ".sip"));
            $check
        }
    )*};
}

// 3.1.1: valid messages.
torture! {
    wsinv => |bytes| {
        let message = parse(bytes);
        assert_eq!(message.to_tag().as_deref(), Some("1918181833n"));
        assert_eq!(message.from_tag().as_deref(), Some("98asjd8"));
        let cseq = message.cseq().unwrap();
        assert_eq!((cseq.number, &*cseq.method), (9, "INVITE"));
        assert_eq!(message.branch().as_deref(), Some("390skdjuw"));
        assert_eq!(message.header("Subject").as_deref(), Some(""));
        assert_eq!(message.header("UnknownHeaderWithUnusualValue").as_deref(), Some(";;,,;;,;"));
        assert_eq!(message.contact().as_deref(), Some("sip:jdrosen@example.com"));
        assert_eq!(message.body().len(), 150);
        assert_eq!(code(bytes), Some(302));
    }
    intmeth => |bytes| {
        let message = parse(bytes);
        assert_eq!(message.method(), Some("!interesting-Method0123456789_*+`.%indeed'~"));
        assert_eq!(message.from_tag().as_deref(), Some("_token~1'+`*%!-."));
        assert_eq!(code(bytes), Some(501));
    }
    esc01 => |bytes| {
        let StartLine::Request { uri, .. } = parse(bytes).start().clone() else { panic!() };
        // The escaped at sign belongs to the user part.
        assert_eq!(sip::uri::user(&uri).as_deref(), Some("sips:user@example.com"));
        assert_eq!(code(bytes), Some(302));
    }
    escnull => |bytes| {
        assert_eq!(parse(bytes).all("Contact").count(), 2);
        assert_eq!(code(bytes), Some(200));
    }
    /// An escaped method is another method, an escaped header another header.
    esc02 => |bytes| {
        let message = parse(bytes);
        assert_eq!(message.method(), Some("RE%47IST%45R"));
        assert_eq!(message.all("Contact").count(), 2);
        assert_eq!(code(bytes), Some(501));
    }
    lwsdisp => |bytes| {
        let from = parse(bytes).header("From").unwrap().into_owned();
        assert_eq!(NameAddr::parse(&from).unwrap().uri, "sip:caller@example.com");
        assert_eq!(code(bytes), Some(200));
    }
    longreq => |bytes| {
        let message = parse(bytes);
        assert_eq!(message.all("Via").count(), 34);
        assert_eq!(message.body().len(), 150);
        assert_eq!(code(bytes), Some(302));
    }
    /// Over UDP what follows is ignored; on a connection it is the next message.
    dblreq => |bytes| {
        assert_eq!(parse(bytes).body(), b"");
        assert_eq!(code(bytes), Some(200));
        let mut decoder = Decoder::new();
        decoder.push(bytes);
        let mut methods = Vec::new();
        // The second message is shorter than in the archive: the rest is not a message.
        while let Ok(Some(frame)) = decoder.next_frame() {
            if let Frame::Message(message) = frame {
                methods.push(parse(message).method().unwrap().to_owned());
            }
        }
        assert_eq!(methods, ["REGISTER", "INVITE"]);
    }
    semiuri => |bytes| {
        let accepted = parse(bytes).header("Accept").unwrap().into_owned();
        assert_eq!(sip::message::split_list(&accepted).len(), 6);
        assert_eq!(code(bytes), Some(200));
    }
    transports => |bytes| {
        assert_eq!(parse(bytes).all("Via").count(), 5);
        assert_eq!(code(bytes), Some(200));
    }
    mpart01 => |bytes| {
        let message = parse(bytes);
        assert_eq!(message.body().len(), 553);
        assert!(message.body().ends_with(b"--7a9cbec02ceef655--\r\n"));
        assert_eq!(code(bytes), Some(405));
    }
    unreason => |bytes| {
        let StartLine::Response { code: 200, reason } = parse(bytes).start().clone() else { panic!() };
        assert_eq!(reason, "= 2**3 * 5**2 но сто девяносто девять - простое");
        assert_eq!(code(bytes), None);
    }
    noreason => |bytes| {
        let StartLine::Response { code: 100, reason } = parse(bytes).start().clone() else { panic!() };
        assert_eq!(reason, "");
        assert_eq!(code(bytes), None);
    }
}

// 3.1.2: invalid messages.
torture! {
    badinv01 => |bytes| { assert_eq!(code(bytes), Some(400)); }
    clerr => |bytes| { assert_eq!(code(bytes), Some(400)); }
    ncl => |bytes| {
        assert_eq!(code(bytes), Some(400));
        // On a connection the start of the next message is unknown: it is closed.
        let mut decoder = Decoder::new();
        decoder.push(bytes);
        assert!(decoder.next_frame().is_err());
    }
    scalar02 => |bytes| { assert_eq!(code(bytes), Some(400)); }
    /// A response is ignored.
    scalarlg => |bytes| { assert_eq!(code(bytes), None); }
    quotbal => |bytes| { assert_eq!(code(bytes), Some(400)); }
    ltgtruri => |bytes| { assert_eq!(code(bytes), Some(400)); }
    lwsruri => |bytes| { assert_eq!(code(bytes), Some(400)); }
    /// The liberal choice: the meaning is clear.
    lwsstart => |bytes| { assert_eq!(code(bytes), Some(302)); }
    /// The liberal choice.
    trws => |bytes| { assert_eq!(code(bytes), Some(200)); }
    /// Headers in a Request-URI are ignored and not repeated with the address.
    escruri => |bytes| {
        let answer = answer(bytes).unwrap();
        assert_eq!(
            parse(&answer).header("Contact").as_deref(),
            Some("<sip:user@example.com;offhook=asked>")
        );
    }
    /// Date has no effect.
    baddate => |bytes| { assert_eq!(code(bytes), Some(302)); }
    /// A Contact without brackets is read as if in brackets.
    regbadct => |bytes| { assert_eq!(code(bytes), Some(200)); }
    /// The liberal choice: blanks around an address have no effect.
    badaspec => |bytes| {
        let to = parse(bytes).header("To").unwrap().into_owned();
        assert_eq!(NameAddr::parse(&to).unwrap().uri, "sip:t.watson@example.org");
        assert_eq!(code(bytes), Some(200));
    }
    /// The liberal choice: the text before the brackets is a name.
    baddn => |bytes| { assert_eq!(code(bytes), Some(200)); }
    badvers => |bytes| { assert_eq!(code(bytes), Some(505)); }
    mismatch01 => |bytes| { assert_eq!(code(bytes), Some(400)); }
    mismatch02 => |bytes| { assert_eq!(code(bytes), Some(400)); }
    /// A response with an invalid code is ignored.
    bigcode => |bytes| {
        assert!(Message::parse(bytes).is_err());
        assert_eq!(code(bytes), None);
    }
}

// 3.2 to 3.4: transactions, the application, and messages older than RFC 3261.
torture! {
    /// Another client may use the same branch: other headers find the answer as well.
    badbranch => |bytes| { assert_eq!(code(bytes), Some(200)); }
    insuf => |bytes| { assert_eq!(code(bytes), Some(400)); }
    unkscm => |bytes| { assert_eq!(code(bytes), Some(416)); }
    novelsc => |bytes| { assert_eq!(code(bytes), Some(416)); }
    /// A contact with an unsupported scheme cannot be registered.
    unksm2 => |bytes| { assert_eq!(code(bytes), Some(400)); }
    bext01 => |bytes| {
        let answer = answer(bytes).unwrap();
        let answer = parse(&answer);
        assert_eq!(answer.code(), Some(420));
        assert_eq!(
            answer.header("Unsupported").as_deref(),
            Some("nothingSupportsThis, nothingSupportsThisEither")
        );
    }
    /// A redirect server does not read the body.
    invut => |bytes| { assert_eq!(code(bytes), Some(302)); }
    /// Credentials are left to the host.
    regaut01 => |bytes| { assert_eq!(code(bytes), Some(200)); }
    multi01 => |bytes| { assert_eq!(code(bytes), Some(400)); }
    mcl01 => |bytes| { assert_eq!(code(bytes), Some(400)); }
    /// A response of another transaction is ignored.
    bcast => |bytes| {
        assert_eq!(parse(bytes).all("Via").count(), 2);
        assert_eq!(code(bytes), None);
    }
    /// The server forwards nothing, so Max-Forwards has no effect.
    zeromf => |bytes| { assert_eq!(code(bytes), Some(200)); }
    cparam01 => |bytes| {
        // Without brackets the parameter belongs to the header.
        assert_eq!(parse(bytes).contact().as_deref(), Some("sip:+19725552222@gw1.example.net"));
        assert_eq!(code(bytes), Some(200));
    }
    cparam02 => |bytes| {
        assert_eq!(
            parse(bytes).contact().as_deref(),
            Some("sip:+19725552222@gw1.example.net;unknownparam")
        );
        assert_eq!(code(bytes), Some(200));
    }
    regescrt => |bytes| {
        assert_eq!(
            parse(bytes).contact().as_deref(),
            Some("sip:user@example.com?Route=%3Csip:sip.example.com%3E")
        );
        assert_eq!(code(bytes), Some(200));
    }
    /// A redirection has no body that the caller would have to accept.
    sdp01 => |bytes| { assert_eq!(code(bytes), Some(302)); }
    /// No branch, tag, Max-Forwards or Content-Length: all of this was allowed.
    inv2543 => |bytes| {
        assert_eq!(parse(bytes).body().len(), 105);
        assert_eq!(code(bytes), Some(302));
    }
}
