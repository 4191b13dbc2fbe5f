//! Any Authorization and any challenge: neither panics, and nobody gets in without the password.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use sip::digest::{Algorithm, Challenge, Verifier};
use sip::message::Message;

fuzz_target!(|bytes: &[u8]| {
    let with = |first: &str, name: &str| {
        let mut message = format!("{first}\r\n{name}: ").into_bytes();
        message.extend(bytes.iter().filter(|byte| !byte.is_ascii_control()));
        message.extend_from_slice(b"\r\n\r\n");
        message
    };
    let request = with("SUBSCRIBE sip:1001@pbx.test SIP/2.0", "Authorization");
    if let Ok(request) = Message::parse(&request) {
        let algorithms = vec![Algorithm::Sha256, Algorithm::Md5];
        let mut verifier = Verifier::new("pbx.test".into(), algorithms, [7; 32]);
        let checked = verifier.check(Duration::from_secs(9), [192, 0, 2, 7].into(), &request, |_| Some("secret"));
        assert!(checked.is_err());
    }
    let response = with("SIP/2.0 401 Unauthorized", "WWW-Authenticate");
    if let Ok(response) = Message::parse(&response) {
        let _ = Challenge::best(&response);
    }
});
