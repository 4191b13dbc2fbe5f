//! A PBX with several addresses: NOTIFY comes from another one than the configured.

use std::{net::SocketAddr, time::Duration};

use presence::LineState::Connected;
use sip::message::{Message, Writer, answer};
use telephony::sip_connector::Transport;
use tokio::net::UdpSocket;

use crate::bench::{Bench, config, extensions};

const PATIENCE: Duration = Duration::from_secs(20);

/// The next datagram and its source.
async fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let received = tokio::time::timeout(PATIENCE, socket.recv_from(&mut buffer)).await;
    let (length, from) = received.expect("nothing came").unwrap();
    buffer.truncate(length);
    (buffer, from)
}

/// A NOTIFY of the subscription, with another tag if one is given.
fn notify(subscribe: &Message<'_>, branch: &str, tag: Option<&str>) -> Vec<u8> {
    let ours = subscribe.header("From").unwrap();
    let to = match (tag, ours.rsplit_once(";tag=")) {
        (Some(tag), Some((address, _))) => format!("{address};tag={tag}"),
        _ => ours.into_owned(),
    };
    let document = "<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='0' state='full' entity='sip:1001@pbx.test'><dialog id='a'><state>confirmed</state></dialog></dialog-info>";
    Writer::request("NOTIFY", "sip:watcher@127.0.0.1")
        .header(
            "Via",
            format_args!("SIP/2.0/UDP 127.0.0.2;rport;branch={branch}"),
        )
        .header("From", "<sip:1001@pbx.test>;tag=pbx")
        .header("To", to)
        .header("Call-ID", subscribe.call_id().unwrap())
        .header("CSeq", "1 NOTIFY")
        .header("Event", "dialog")
        .header("Subscription-State", "active;expires=600")
        .body("application/dialog-info+xml", document.as_bytes())
        .unwrap()
}

// A17
#[tokio::test]
async fn a_notify_from_another_address_counts_if_it_knows_the_subscription() {
    let pbx = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let config = config(pbx.local_addr().unwrap(), Transport::Udp);
    let mut bench = Bench::start(config, extensions(1)).await;
    let (subscribe, offhook) = loop {
        let (bytes, from) = receive(&pbx).await;
        let request = Message::parse(&bytes).unwrap();
        let accepted = answer(&request, 200, Some("pbx")).header("Expires", 600);
        let accepted = accepted.header("Contact", "<sip:1001@127.0.0.1>");
        pbx.send_to(&accepted.finish().unwrap(), from)
            .await
            .unwrap();
        if request.method() == Some("SUBSCRIBE") {
            break (bytes, from);
        }
    };
    let subscribe = Message::parse(&subscribe).unwrap();
    // An unknown sender gets no answer: the first answer is to the second request.
    let stranger = notify(&subscribe, "stranger", Some("guessed"));
    elsewhere.send_to(&stranger, offhook).await.unwrap();
    let genuine = notify(&subscribe, "genuine", None);
    elsewhere.send_to(&genuine, offhook).await.unwrap();
    let (answered, _) = receive(&elsewhere).await;
    let answered = Message::parse(&answered).unwrap();
    let branch = answered.branch();
    assert_eq!(
        (answered.code(), branch.as_deref()),
        (Some(200), Some("genuine"))
    );
    bench.until("1001", Connected).await;
}
