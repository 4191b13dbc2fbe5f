//! Any datagram: it is read or refused, never a panic, and whatever is answered can be read again and is hardly longer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::message::{Message, answer_to};
use sip::redirect::{Call, Decision, respond};
use sip::request::{fault, refuse_malformed};

fuzz_target!(|bytes: &[u8]| {
    let source = ([192, 0, 2, 7], 5060).into();
    let Ok(message) = Message::parse(bytes) else {
        if let Some(answer) = refuse_malformed(bytes, source, "tag") {
            assert!(Message::parse(&answer).is_ok());
            // The answer repeats headers that came and adds a tag, an address and a length.
            assert!(answer.len() < bytes.len() + 256);
        }
        return;
    };
    if message.method().is_none() {
        let _ = (message.branch(), message.cseq(), message.contact());
        return;
    }
    let answer = match fault(&message, &["eventlist"]) {
        Some(fault) => fault.answer(&message, source, "tag"),
        None => match Call::of(&message) {
            Some(call) => respond(&message, source, &call, &Decision::Back, "tag"),
            None => answer_to(&message, 400, Some("tag"), Some(source)),
        },
    };
    if let Ok(answer) = answer.finish() {
        let answer = Message::parse(&answer).expect("what we write can be read");
        assert_eq!(answer.all("Via").count(), message.all("Via").count());
    }
});
