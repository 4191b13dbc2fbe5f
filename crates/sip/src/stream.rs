//! Framing on a connection: cuts a byte stream into messages and keep-alives (RFC 3261 §18.3, RFC 5626 §3.5.1).

use crate::message::{self, MESSAGE_BYTES_MAX, ParseError};

/// The reason for which a connection has lost its framing and must be closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The headers or the body do not end within [`MESSAGE_BYTES_MAX`].
    #[error("message on a connection is longer than {MESSAGE_BYTES_MAX} bytes")]
    TooLong,
    /// On a connection only the Content-Length gives the end of a message.
    #[error("message on a connection has no Content-Length")]
    NoContentLength,
    /// A Content-Length that is not a length, or two that differ.
    #[error(transparent)]
    ContentLength(#[from] ParseError),
}

/// One frame of the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole message, for [`crate::message::Message::parse`].
    Message(&'a [u8]),
    /// The peer's keep-alive: answer with one CRLF.
    Ping,
    /// The answer to Offhook's keep-alive, or an empty line between messages.
    Pong,
}

/// Collects the bytes of one connection.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Start of the bytes that have not been handed out.
    start: usize,
    /// Start of the search for the end of headers, so that a slow peer does not cause repeated searches.
    searched: usize,
    /// The last frame was a single empty line: a second one makes it a ping.
    after_empty_line: bool,
}

impl Decoder {
    /// A decoder for a new connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched = self.searched.saturating_sub(self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame, `None` if more bytes are needed.
    ///
    /// # Errors
    /// The stream has lost its framing; the connection must be closed.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let rest = &self.buffer[self.start..];
        let empty_line = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [] | [b'\r'] => return Ok(None),
            _ => 0,
        };
        if empty_line > 0 {
            self.start += empty_line;
            self.searched = self.start;
            self.after_empty_line = !self.after_empty_line;
            // Two in a row are a ping (RFC 5626 §3.5.1), recognised without waiting for the next bytes.
            return Ok(Some(if self.after_empty_line {
                Frame::Pong
            } else {
                Frame::Ping
            }));
        }
        let Some(head) = self.head_length() else {
            if self.buffer.len() - self.start > MESSAGE_BYTES_MAX {
                return Err(FrameError::TooLong);
            }
            self.searched = self.buffer.len();
            return Ok(None);
        };
        let body = content_length(&self.buffer[self.start..self.start + head])?;
        let length = head + body;
        if length > MESSAGE_BYTES_MAX {
            return Err(FrameError::TooLong);
        }
        if self.buffer.len() - self.start < length {
            // The end of the headers is found again at once.
            self.searched = self.start + head;
            return Ok(None);
        }
        let message = self.start..self.start + length;
        self.start = message.end;
        self.searched = self.start;
        self.after_empty_line = false;
        Ok(Some(Frame::Message(&self.buffer[message])))
    }

    /// Length of start line, headers and the empty line, if complete.
    fn head_length(&self) -> Option<usize> {
        let from = self
            .searched
            .max(self.start)
            .saturating_sub(3)
            .max(self.start);
        let rest = &self.buffer[self.start..];
        let mut at = from - self.start;
        while let Some(offset) = rest[at..].iter().position(|b| *b == b'\n') {
            at += offset + 1;
            match rest[at..] {
                [b'\n', ..] => return Some(at + 1),
                [b'\r', b'\n', ..] => return Some(at + 2),
                _ => {}
            }
        }
        None
    }
}

fn content_length(head: &[u8]) -> Result<usize, FrameError> {
    let mut length = None;
    // Lines that are not headers are left to the message reader.
    for line in message::header_lines(head) {
        let Ok(header) = message::header_line(line) else {
            continue;
        };
        if header.is("Content-Length") {
            let value = message::content_length_value(&header)?;
            match length {
                Some(first) if first != value => {
                    return Err(ParseError::TwoContentLengths(first, value).into());
                }
                _ => length = Some(value),
            }
        }
    }
    length.ok_or(FrameError::NoContentLength)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(chunks: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::new();
        let mut seen = Vec::new();
        for chunk in chunks {
            decoder.push(chunk);
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) => seen.push(match frame {
                        Frame::Message(m) => String::from_utf8_lossy(m).into_owned(),
                        Frame::Ping => "ping".into(),
                        Frame::Pong => "pong".into(),
                    }),
                    Ok(None) => break,
                    Err(error) => {
                        seen.push(error.to_string());
                        return seen;
                    }
                }
            }
        }
        seen
    }

    const ONE: &[u8] = b"OPTIONS sip:x SIP/2.0\r\nl:  3 \r\n\r\nabc";

    #[test]
    fn messages_are_cut_wherever_the_segments_end() {
        let two = [ONE, ONE].concat();
        for cut in 0..two.len() {
            let seen = frames(&[&two[..cut], &two[cut..]]);
            assert_eq!(seen, vec![String::from_utf8_lossy(ONE); 2], "cut at {cut}");
        }
    }

    // A18
    #[test]
    fn a_folded_length_is_read() {
        for fold in ["\r\n ", "\r\n\t", "\n  ", " \r\n \r\n "] {
            for name in ["Content-Length", "l", "content-length "] {
                let text = format!("OPTIONS sip:x SIP/2.0\r\n{name}:{fold}3\r\nx: y\r\n\r\nabc");
                let two = [text.as_bytes(), ONE].concat();
                let expected = [text.clone(), String::from_utf8_lossy(ONE).into_owned()];
                for cut in 0..two.len() {
                    let seen = frames(&[&two[..cut], &two[cut..]]);
                    assert_eq!(seen, expected, "cut at {cut}");
                }
                let message = message::Message::parse(text.as_bytes()).unwrap();
                assert_eq!(message.body(), b"abc");
            }
        }
        // Digits divided by a fold are not a number, and a length in the fold of another header does not count.
        let divided = b"OPTIONS sip:x SIP/2.0\r\nl: 1\r\n 2\r\n\r\n";
        assert!(frames(&[divided])[0].contains("\"1 2\""));
        let hidden = b"OPTIONS sip:x SIP/2.0\r\nx: y\r\n l: 2\r\nl: 0\r\n\r\n";
        assert_eq!(frames(&[hidden]).len(), 1);
    }

    #[test]
    fn keep_alives_are_distinguished() {
        assert_eq!(frames(&[b"\r\n", b"\r\n"]), ["pong", "ping"]);
        assert_eq!(frames(&[b"\r", b"\n", ONE])[0], "pong");
    }

    #[test]
    fn a_stream_without_framing_is_refused() {
        assert_eq!(
            frames(&[b"OPTIONS sip:x SIP/2.0\r\n\r\n"]),
            [FrameError::NoContentLength.to_string()]
        );
        assert!(frames(&[b"OPTIONS sip:x SIP/2.0\r\nl: -4\r\n\r\n"])[0].contains("\"-4\""));
        assert!(
            frames(&[b"OPTIONS sip:x SIP/2.0\r\nl: 4\r\nContent-Length: 5\r\n\r\n"])[0]
                .contains("4 and 5")
        );
        assert_eq!(
            frames(&[&vec![b'a'; MESSAGE_BYTES_MAX + 1]]),
            [FrameError::TooLong.to_string()]
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_always_end(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 0usize..400) {
            let cut = cut.min(bytes.len());
            frames(&[&bytes[..cut], &bytes[cut..]]);
        }
    }
}
