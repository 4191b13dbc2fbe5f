//! Any byte stream: however it is cut into pieces, the same messages come out of it, and it ends in the same error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::stream::{Decoder, Frame, FrameError};

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

fuzz_target!(|bytes: &[u8]| {
    let Some((size, stream)) = bytes.split_first() else {
        return;
    };
    let size = usize::from(*size).max(1);
    assert_eq!(
        decode(std::iter::once(stream)),
        decode(stream.chunks(size))
    );
});
