//! One connection to a SIP server: plain, encrypted, or a WebSocket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use sip::{
    Transport,
    message::MESSAGE_BYTES_MAX,
    stream::{Decoder, Frame},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::tungstenite::{
    Message as Piece,
    handshake::server::{ErrorResponse, Request, Response},
    http::{HeaderValue, StatusCode},
    protocol::WebSocketConfig,
};

use super::{listening::Kind, unsent::UnsentReceiver};
use crate::tls::Identity;

/// A message of a connection, or its end.
pub(super) type ConnectionEvent = (u64, Option<Vec<u8>>);

/// Longest time for which a peer may read nothing.
const STALLED_MAX: Duration = Duration::from_secs(30);
/// Longest time until a new connection's first message.
const GREETING_MAX: Duration = Duration::from_secs(30);
/// Longest time without a message: longer than any subscription lasts without a renewal.
const IDLE_MAX: Duration = Duration::from_secs(2 * 3_600);
/// The name of SIP among the protocols of a WebSocket (RFC 7118 §4.1).
const SUBPROTOCOL: &str = "sip";

/// The receiving end for messages of one connection.
pub(super) struct MessageSender {
    pub(super) number: u64,
    pub(super) sender: mpsc::Sender<ConnectionEvent>,
}

impl MessageSender {
    /// Delivers a message; returns false once the server has ended.
    async fn send(&self, bytes: Vec<u8>) -> bool {
        let message = (self.number, Some(bytes));
        self.sender.send(message).await.is_ok()
    }
}

/// Serves a new connection until it ends or is closed.
pub(super) async fn serve(
    kind: Kind,
    stream: TcpStream,
    inlet: &MessageSender,
    waiting: UnsentReceiver,
) {
    let _ = stream.set_nodelay(true);
    match kind {
        Kind::Tcp => messages(stream, inlet, waiting).await,
        Kind::Tls(identity) => {
            if let Some(stream) = encrypted(identity, stream).await {
                messages(stream, inlet, waiting).await;
            }
        }
        Kind::WebSocket(None) => pieces(stream, inlet, waiting).await,
        Kind::WebSocket(Some(identity)) => {
            if let Some(stream) = encrypted(identity, stream).await {
                pieces(stream, inlet, waiting).await;
            }
        }
    }
}

async fn encrypted(identity: Identity, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    let accepted = timeout(GREETING_MAX, TlsAcceptor::from(identity.0).accept(stream));
    accepted.await.ok()?.ok()
}

impl Kind {
    /// The transport's name in SIP.
    pub(super) fn transport(&self) -> Transport {
        match self {
            Self::Tcp => Transport::Tcp,
            Self::Tls(_) => Transport::Tls,
            Self::WebSocket(None) => Transport::WebSocket,
            Self::WebSocket(Some(_)) => Transport::SecureWebSocket,
        }
    }
}

/// Reads a stream of messages, framed by Content-Length.
async fn messages(
    stream: impl AsyncRead + AsyncWrite,
    inlet: &MessageSender,
    mut waiting: UnsentReceiver,
) {
    let (read, write) = tokio::io::split(stream);
    let (mut read, mut write) = (std::pin::pin!(read), std::pin::pin!(write));
    let mut decoder = Decoder::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut out = Vec::new();
    let mut deadline = Instant::now() + GREETING_MAX;
    loop {
        tokio::select! {
            // A peer that does not read answers is not read either.
            length = read.read(&mut buffer), if out.is_empty() => {
                let Ok(length @ 1..) = length else { return };
                decoder.push(&buffer[..length]);
                loop {
                    match decoder.next_frame() {
                        Ok(Some(Frame::Message(bytes))) => {
                            deadline = Instant::now() + IDLE_MAX;
                            if !inlet.send(bytes.to_vec()).await {
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
            bytes = waiting.next(), if out.is_empty() => match bytes {
                Some(bytes) => out = bytes,
                None => return,
            },
            written = write.write(&out), if !out.is_empty() => match written {
                // Encrypted bytes wait until their record is sent.
                Ok(length) if length == out.len() => {
                    out.clear();
                    if !matches!(timeout(STALLED_MAX, write.flush()).await, Ok(Ok(()))) {
                        return;
                    }
                }
                Ok(length) => drop(out.drain(..length)),
                Err(_) => return,
            },
            () = tokio::time::sleep(STALLED_MAX), if !out.is_empty() => return,
            () = tokio::time::sleep_until(deadline), if out.is_empty() => return,
        }
    }
}

/// Serves a WebSocket: each message is one SIP message (RFC 7118 §5).
async fn pieces(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    inlet: &MessageSender,
    mut waiting: UnsentReceiver,
) {
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let accepting = tokio_tungstenite::accept_hdr_async_with_config(stream, agree, Some(limits));
    let Ok(Ok(socket)) = timeout(GREETING_MAX, accepting).await else {
        return;
    };
    let (mut write, mut read) = socket.split();
    let mut deadline = Instant::now() + GREETING_MAX;
    loop {
        let answer = tokio::select! {
            piece = read.next() => match piece {
                Some(Ok(Piece::Text(_) | Piece::Binary(_))) if inlet.sender.is_closed() => return,
                Some(Ok(piece @ (Piece::Text(_) | Piece::Binary(_)))) => {
                    deadline = Instant::now() + IDLE_MAX;
                    let bytes = piece.into_data();
                    // Browsers send these to keep the connection open.
                    if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                        b"\r\n".to_vec()
                    } else if inlet.send(bytes.to_vec()).await {
                        continue;
                    } else {
                        return;
                    }
                }
                // The library answers pings itself.
                Some(Ok(Piece::Ping(_) | Piece::Pong(_))) => continue,
                _ => return,
            },
            bytes = waiting.next() => match bytes {
                Some(bytes) => bytes,
                None => return,
            },
            () = tokio::time::sleep_until(deadline) => return,
        };
        // Text messages where possible, as browsers expect (RFC 7118 §5.1 allows both).
        let piece = match String::from_utf8(answer) {
            Ok(text) => Piece::text(text),
            Err(error) => Piece::binary(error.into_bytes()),
        };
        if !matches!(timeout(STALLED_MAX, write.send(piece)).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// Accepts the handshake of peers that speak SIP.
#[allow(
    clippy::result_large_err,
    reason = "the library's callback has this type"
)]
fn agree(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get_all("Sec-WebSocket-Protocol");
    let speaks_sip = offered.iter().any(|value| {
        let names = value.to_str().unwrap_or_default().split(',');
        names.into_iter().any(|name| name.trim() == SUBPROTOCOL)
    });
    if speaks_sip {
        let name = HeaderValue::from_static(SUBPROTOCOL);
        response
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", name);
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(Some(
        "This is SIP over WebSocket: offer the subprotocol \"sip\".\n".into(),
    ));
    *refusal.status_mut() = StatusCode::BAD_REQUEST;
    Err(refusal)
}
