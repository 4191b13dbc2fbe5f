//! Properties of any input, one function for each fuzz target in `fuzz/fuzz_targets`; `cargo test` replays the corpus found
//! by fuzzing.

use std::time::Duration;

use sip::{
    dialog_info::DialogInfo,
    digest::{Algorithm, ClientAuthentication, Credentials, Verdict, Verifier},
    ids::Ids,
    message::{Message, answer_to},
    multipart,
    presence_info::PresenceInfo,
    redirect::{Call, Decision, respond},
    request::{fault, refuse_malformed},
    resource_list::ResourceList,
    stream::{Decoder, Frame, FrameError},
};

/// Any datagram is read or refused without a panic; an answer can be read again and is hardly longer.
pub fn message(bytes: &[u8]) {
    let source = ([192, 0, 2, 7], 5060).into();
    let Ok(message) = Message::parse(bytes) else {
        if let Some(answer) = refuse_malformed(bytes, source, "tag") {
            assert!(Message::parse(&answer).is_ok());
            // The answer repeats headers of the request and adds a tag, an address and a length.
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
            Some(call) => respond(&message, source, &call, &Decision::Unchanged, "tag"),
            None => answer_to(&message, 400, Some("tag"), Some(source)),
        },
    };
    if let Ok(answer) = answer.finish() {
        let answer = Message::parse(&answer).expect("what we write can be read");
        assert_eq!(answer.all("Via").count(), message.all("Via").count());
    }
}

/// Any dialog-info document: the result is written and read again unchanged.
pub fn dialog_info(bytes: &[u8]) {
    if let Ok(document) = DialogInfo::parse(bytes) {
        let again = DialogInfo::parse(document.to_xml().as_bytes());
        let again = again.expect("what we write can be read");
        assert_eq!(again.dialogs.len(), document.dialogs.len());
        for (one, other) in document.dialogs.iter().zip(&again.dialogs) {
            assert_eq!(one.state, other.state);
        }
    }
}

/// Any presence document: the result is written and read again unchanged.
pub fn presence_info(bytes: &[u8]) {
    if let Ok(document) = PresenceInfo::parse(bytes) {
        let again = PresenceInfo::parse(document.to_xml().as_bytes());
        let again = again.expect("what we write can be read");
        assert_eq!(again.open, document.open);
        assert_eq!(again.activities, document.activities);
    }
}

/// Any multipart body and any resource list is read or refused; the result of a list is written unchanged.
pub fn resource_list(bytes: &[u8]) {
    let kind = "multipart/related;type=\"application/rlmi+xml\";boundary=b";
    for part in multipart::parse(kind, bytes).unwrap_or_default() {
        let _ = ResourceList::parse(&part.body);
    }
    if let Ok(list) = ResourceList::parse(bytes) {
        let again = ResourceList::parse(list.to_xml().as_bytes());
        let again = again.expect("what we write can be read");
        assert_eq!(again.resources.len(), list.resources.len());
        assert_eq!((again.full, again.version), (list.full, list.version));
    }
}

/// Any Authorization and any challenge: neither panics, and no request is accepted without the password.
pub fn digest(bytes: &[u8]) {
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
        let checked = verifier.check(
            Duration::from_secs(9),
            [192, 0, 2, 7].into(),
            &request,
            |_| Some("secret"),
        );
        assert!(checked.is_err());
    }
    let response = with("SIP/2.0 401 Unauthorized", "WWW-Authenticate");
    if let Ok(response) = Message::parse(&response) {
        let credentials = Credentials {
            username: "u".into(),
            password: "secret".into(),
        };
        let mut authentication = ClientAuthentication::default();
        let ids = &mut Ids::new([7; 32]);
        authentication.begin();
        // After any number of such refusals the attempt ends.
        let mut rounds = 0;
        while authentication.on_refused(&response, Some(&credentials)) == Verdict::Answer {
            let headers =
                authentication.authorize(&credentials, "SUBSCRIBE", "sip:1001@pbx.test", ids);
            assert!(headers.iter().all(|(_, value)| !value.contains("secret")));
            rounds += 1;
            assert!(rounds < 10, "an attempt without an end");
        }
    }
}

/// Any byte stream in any pieces gives the same messages and ends in the same error.
pub fn stream(bytes: &[u8]) {
    let Some((size, stream)) = bytes.split_first() else {
        return;
    };
    let size = usize::from(*size).max(1);
    assert_eq!(decode(std::iter::once(stream)), decode(stream.chunks(size)));
}

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(Frame::Message(bytes))) => messages.push(bytes.to_vec()),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Passes every file of a target's corpus to its function.
    fn replay(target: &str, check: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/corpus")
            .join(target);
        let files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            println!("{}", file.display());
            check(&bytes);
        }
    }

    #[test]
    fn message() {
        replay("message", super::message);
    }

    #[test]
    fn dialog_info() {
        replay("dialog_info", super::dialog_info);
    }

    #[test]
    fn presence_info() {
        replay("presence_info", super::presence_info);
    }

    #[test]
    fn resource_list() {
        replay("resource_list", super::resource_list);
    }

    #[test]
    fn digest() {
        replay("digest", super::digest);
    }

    #[test]
    fn stream() {
        replay("stream", super::stream);
    }
}
