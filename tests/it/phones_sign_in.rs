//! A7, A15, A18: real phones and independent test programs authenticate at Offhook.

use std::net::{SocketAddr, UdpSocket};

use end_to_end::{Lab, Watching, eventually, sipp, sipsak};

use crate::{SOON, phones::stage};

#[tokio::test]
async fn phones_that_take_the_first_algorithm_sign_in_by_default() {
    let accounts = "[[sip.account]]\nusername = \"1001\"\npassword = \"of-anna\"\n\
                    [[sip.account]]\nusername = \"desk-of-carl\"\nextension = \"1003\"\npassword = \"of-carl\"\n";
    let (teamsbox, _installation, server, port) = stage("", accounts).await;
    let (anna, carl) = (
        ("1001", "1001", "of-anna"),
        ("1003", "desk-of-carl", "of-carl"),
    );
    for account in [anna, carl] {
        assert_eq!(sipsak(port, account).await, None);
    }
    for account in [
        ("1003", "desk-of-carl", "of-anna"),
        // The account's name differs from the extension, and an account is not good for another extension.
        ("1003", "1003", "of-carl"),
        ("1001", "desk-of-carl", "of-carl"),
    ] {
        let refused = sipsak(port, account).await;
        assert!(refused.is_some(), "{account:?}");
    }
    let mut linphone = Watching::linphone(port, ("1001", "of-anna"), "1002");
    linphone
        .shows_in_a_line("\"1002\" <sip:1002@pbx.test> is")
        .await;

    teamsbox.call("bert", "audio", "carl").await;
    eventually("bert", SOON, "Busy OnThePhone teams".into(), || {
        server.shown("bert")
    })
    .await;
    linphone
        .shows_in_a_line("\"1002\" <sip:1002@pbx.test> is On the phone")
        .await;
    for account in [anna, carl] {
        assert_eq!(sipp(port, account, "1002").await, None);
    }
}

#[tokio::test]
async fn a_phone_that_gives_up_where_there_are_two_algorithms_signs_in_with_one() {
    let account = "[[sip.account]]\nusername = \"1001\"\npassword = \"of-anna\"\n\
                   [[sip.account]]\nusername = \"1003\"\npassword = \"of-carl\"\nalgorithms = [\"SHA-256\"]\n";
    let (teamsbox, _installation, _server, port) = stage("algorithms = [\"MD5\"]\n", account).await;
    let phone = Lab::watcher_with_password(11, ("1001", "1001", "of-anna"), port, &["1002"]);
    let lamp = async || phone.lamp("1002");
    eventually("it is registered", SOON, true, async || {
        phone.is_registered()
    })
    .await;
    eventually("bert is there", SOON, "Online".to_owned(), lamp).await;
    teamsbox.call("bert", "audio", "carl").await;
    eventually("bert's BLF key", SOON, "Busy".to_owned(), lamp).await;
    // An account with SHA-256 alone refuses phones without SHA-256.
    assert!(sipsak(port, ("1003", "1003", "of-carl")).await.is_some());
    let mut linphone = Watching::linphone(port, ("1003", "of-carl"), "1002");
    linphone
        .shows_in_a_line("\"1002\" <sip:1002@pbx.test> is On the phone")
        .await;
}

#[tokio::test]
async fn a_phone_that_sends_from_another_port_is_answered_where_it_listens() {
    let (_teamsbox, _installation, _server, port) =
        stage("trusted = [\"127.0.0.0/8\"]\n", "").await;
    let socket = || {
        let socket = UdpSocket::bind("127.0.0.2:0").unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        socket
    };
    let (sends, listens, notified) = (socket(), socket(), socket());
    let address = |socket: &UdpSocket| -> SocketAddr { socket.local_addr().unwrap() };
    let receive = |socket: &UdpSocket| {
        let mut buffer = [0; 4_096];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let request = |via: &str, contact: SocketAddr, call: &str, length: usize| {
        format!(
            "SUBSCRIBE sip:%31002@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK{call}\r\n\
             From: <sip:1001@pbx.test>;tag=1\r\nTo: <sip:1002@pbx.test>\r\nCall-ID: {call}\r\n\
             CSeq: 1 SUBSCRIBE\r\nContact: <sip:1001@{contact}>\r\nEvent: dialog\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let via = address(&listens).to_string();
    let first = request(&via, address(&notified), "one", 0);
    sends
        .send_to(first.as_bytes(), ("127.0.0.1", port))
        .unwrap();
    let answer = receive(&listens);
    assert!(
        answer.starts_with("SIP/2.0 200 ") && answer.contains("received=127.0.0.2"),
        "{answer}"
    );
    assert!(receive(&notified).starts_with("NOTIFY sip:1001@127.0.0.2:"));
    // Refusals of malformed requests are sent to the same address (A17).
    let short = request(&via, address(&notified), "short", 9);
    sends
        .send_to(short.as_bytes(), ("127.0.0.1", port))
        .unwrap();
    assert!(receive(&listens).starts_with("SIP/2.0 400 "));
    // A phone behind NAT asks for a response to its own port (`rport`); a Contact with another address does not change
    // the destination.
    let asks = request(&format!("{via};rport"), address(&notified), "asks", 0);
    sends.send_to(asks.as_bytes(), ("127.0.0.1", port)).unwrap();
    assert!(receive(&sends).starts_with("SIP/2.0 200 "));
    assert!(receive(&sends).starts_with("NOTIFY "));
    let elsewhere = ([127, 0, 0, 3], address(&notified).port()).into();
    let other = request(&via, elsewhere, "other", 0);
    sends
        .send_to(other.as_bytes(), ("127.0.0.1", port))
        .unwrap();
    assert!(receive(&listens).starts_with("SIP/2.0 200 "));
    assert!(receive(&listens).starts_with("NOTIFY "));
}
