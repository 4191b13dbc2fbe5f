//! SIP over WebSocket as spoken by browsers (RFC 7118).

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use sip::{
    Transport,
    agent::{Outbox, Peer},
    message::{Message, answer},
};
use telephony::sip_server::{Core, Flow, Sockets, Wake, serve};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    client_async,
    tungstenite::{Error, Message as Piece, client::IntoClientRequest as _},
};

/// Accepts every request that came over a WebSocket.
struct Agreeable;

impl Core for Agreeable {
    fn receive(&mut self, _: Duration, peer: Peer<Flow>, bytes: &[u8], out: &mut Outbox<Flow>) {
        assert_eq!(peer.transport, Transport::WebSocket);
        let Ok(request) = Message::parse(bytes) else {
            return;
        };
        let response = answer(&request, 200, Some("tag")).finish().unwrap();
        out.push(peer.flow, &response);
    }

    fn on_wake(&mut self, _: Duration, _: &mut Outbox<Flow>) -> bool {
        false
    }

    fn elapse(&mut self, _: Duration, _: &mut Outbox<Flow>) {}

    fn next_deadline(&self) -> Option<Duration> {
        None
    }

    fn flow_lost(&mut self, _: Flow) {}
}

#[tokio::test]
async fn browsers_agree_on_sip_and_are_answered_message_by_message() {
    let mut sockets = Sockets::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let address = sockets.add_websocket(any, None).await.unwrap();
    let server = tokio::spawn(serve(Agreeable, sockets, Wake::default()));
    let open = async |protocol: Option<&'static str>| {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut request = format!("ws://{address}/").into_client_request().unwrap();
        if let Some(protocol) = protocol {
            let headers = request.headers_mut();
            headers.insert("Sec-WebSocket-Protocol", protocol.parse().unwrap());
        }
        client_async(request, stream).await
    };
    for other in [None, Some("chat, soup")] {
        let Err(Error::Http(refusal)) = open(other).await else {
            panic!("{other:?} was accepted");
        };
        assert_eq!(refusal.status(), 400);
    }

    let (mut socket, agreed) = open(Some("chat, sip")).await.unwrap();
    assert_eq!(agreed.headers()["Sec-WebSocket-Protocol"], "sip");
    socket.send(Piece::text("\r\n\r\n")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Piece::text("\r\n"));
    let options = "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK1\r\n\
                   From: <sip:a@b>;tag=1\r\nTo: <sip:x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
    socket.send(Piece::text(options)).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap().into_data();
    assert_eq!(Message::parse(&answer).unwrap().code(), Some(200));

    // A message that is too long ends the connection.
    let long = Piece::text("x".repeat(sip::message::MESSAGE_BYTES_MAX + 1));
    let _ = socket.send(long).await;
    let ends = async {
        while let Some(Ok(piece)) = socket.next().await {
            assert!(piece.is_close(), "{piece:?}");
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ends)
        .await
        .expect("the connection goes on");
    // Other connections are not affected.
    let (mut socket, _) = open(Some("sip")).await.unwrap();
    socket.send(Piece::text(options)).await.unwrap();
    assert!(socket.next().await.unwrap().is_ok());
    server.abort();
}
