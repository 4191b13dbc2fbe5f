//! One connection to a SIP server.

use std::time::Duration;

use sip::stream::{Decoder, Frame};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

/// What a connection tells the task: a message, or its end.
pub(super) type Arrived = (u64, Option<Vec<u8>>);
/// Where messages for a connection go in.
pub(super) type Unsent = mpsc::Sender<Vec<u8>>;

/// A peer that takes nothing for so long is gone.
const STALLED_MAX: Duration = Duration::from_secs(30);

/// Reads and writes one connection until it ends or is no longer wanted.
pub(super) async fn serve(
    number: u64,
    stream: impl AsyncRead + AsyncWrite,
    arrived: &mpsc::Sender<Arrived>,
    mut unsent: mpsc::Receiver<Vec<u8>>,
) {
    let (read, write) = tokio::io::split(stream);
    let (mut read, mut write) = (std::pin::pin!(read), std::pin::pin!(write));
    let mut decoder = Decoder::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut out = Vec::new();
    loop {
        tokio::select! {
            // Whoever does not read what we answer is not read either.
            length = read.read(&mut buffer), if out.is_empty() => {
                let Ok(length @ 1..) = length else { return };
                decoder.push(&buffer[..length]);
                loop {
                    match decoder.next_frame() {
                        Ok(Some(Frame::Message(bytes))) => {
                            if arrived.send((number, Some(bytes.to_vec()))).await.is_err() {
                                return;
                            }
                        }
                        Ok(Some(Frame::Ping)) => out.extend_from_slice(b"\r\n"),
                        Ok(Some(Frame::Pong)) => {}
                        Ok(None) => break,
                        Err(_) => return,
                    }
                }
            }
            bytes = unsent.recv(), if out.is_empty() => match bytes {
                Some(bytes) => out = bytes,
                None => return,
            },
            written = write.write(&out), if !out.is_empty() => match written {
                Ok(length) => drop(out.drain(..length)),
                Err(_) => return,
            },
            () = tokio::time::sleep(STALLED_MAX), if !out.is_empty() => return,
        }
    }
}
