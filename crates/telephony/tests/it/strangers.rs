//! Connections of unknown peers to a SIP server, silent or not.

use std::time::Duration;

use sip::agent::{Outbox, Peer};
use telephony::sip_server::{Core, Flow, Sockets, Wake, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const SOON: Duration = Duration::from_secs(5);

/// Answers every message with a dot, and authenticates the peer that sends ANNA.
#[derive(Default)]
struct KnowsAnna(Vec<Flow>);

impl Core for KnowsAnna {
    fn receive(&mut self, _: Duration, peer: Peer<Flow>, bytes: &[u8], out: &mut Outbox<Flow>) {
        if bytes.starts_with(b"ANNA") {
            self.0.push(peer.flow);
        }
        out.push(peer.flow, b".");
    }

    fn on_wake(&mut self, _: Duration, _: &mut Outbox<Flow>) -> bool {
        false
    }

    fn elapse(&mut self, _: Duration, _: &mut Outbox<Flow>) {}

    fn next_deadline(&self) -> Option<Duration> {
        None
    }

    fn flow_lost(&mut self, flow: Flow) {
        self.0.retain(|known| *known != flow);
    }

    fn is_authenticated(&self, flow: Flow) -> bool {
        self.0.contains(&flow)
    }
}

#[tokio::test]
async fn strangers_make_room_and_those_who_are_known_stay() {
    let mut sockets = Sockets::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    sockets.limit_connections(16);
    let address = sockets.address().unwrap();
    let server = tokio::spawn(serve(KnowsAnna::default(), sockets, Wake::default()));
    let say = async |method: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let message = format!("{method} sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(message.as_bytes()).await.unwrap();
        let answered = timeout(SOON, stream.read_u8()).await.unwrap();
        assert_eq!(answered.unwrap(), b'.', "{method}");
        stream
    };
    let mut anna = say("ANNA").await;
    let mut spoke = say("OPTIONS").await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    // Eight connections from one address are allowed. The silent ones made room for one another, and then for this one.
    let mut good = say("OPTIONS").await;
    let mut byte = [0];
    let end = timeout(SOON, silent[0].read(&mut byte)).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    for stream in [&mut anna, &mut spoke, &mut good] {
        let read = timeout(Duration::from_millis(50), stream.read(&mut byte)).await;
        assert!(read.is_err(), "it was closed");
    }
    server.abort();
}
