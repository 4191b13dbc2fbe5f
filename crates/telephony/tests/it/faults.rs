//! Faults, their trouble in health, and the recovery from them.

use presence::LineState::{Connected, Idle, Ringing};
use telephony::{
    connector::{Connector, LoginFault, StartError},
    sip_connector::{SipConnectorConfig, Transport},
};

use crate::bench::{Bench, config, extensions, pbx, pbx_at};

async fn everything_recovers_after_a_restart(transport: Transport) {
    let pbx = pbx(20).await;
    let address = pbx.address();
    let mut bench = Bench::start(config(address, transport), extensions(20)).await;
    bench.health(|h| h.active == 20).await;
    let call = pbx.ring("1001", "1002").unwrap();
    pbx.answer(call);
    bench.until("1001", Connected).await;
    pbx.stop().await;
    let pbx = pbx_at(address, 20).await;
    bench.connector.refresh_all().await;
    bench.until("1001", None).await;
    bench.until("1001", Idle).await;
    bench
        .health(|h| h.reachable && h.active == 20 && h.line_trouble.is_empty())
        .await;
    pbx.ring("1001", "1002").unwrap();
    bench.until("1001", Ringing).await;
}

#[tokio::test]
async fn everything_recovers_after_a_restart_over_udp() {
    everything_recovers_after_a_restart(Transport::Udp).await;
}

#[tokio::test]
async fn everything_recovers_after_a_restart_over_tcp() {
    everything_recovers_after_a_restart(Transport::Tcp).await;
}

#[tokio::test]
async fn a_lost_connection_makes_all_lines_stale_at_once() {
    let pbx = pbx(3).await;
    let address = pbx.address();
    let mut bench = Bench::start(config(address, Transport::Tcp), extensions(3)).await;
    bench.health(|h| h.active == 3).await;
    pbx.stop().await;
    for extension in extensions(3) {
        bench.until(&extension, None).await;
    }
    let health = bench.health(|h| !h.reachable).await;
    assert_eq!(health.active, 0);
    assert!(health.trouble.unwrap().what.contains(&address.to_string()));
    let _pbx = pbx_at(address, 3).await;
    let health = bench.health(|h| h.active == 3).await;
    assert!(health.trouble.is_none());
}

#[tokio::test]
async fn a_system_that_is_not_there_yet_is_no_error() {
    let pbx = pbx(1).await;
    let address = pbx.address();
    pbx.stop().await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut bench = Bench::start(config(address, transport), extensions(1)).await;
        let health = bench.health(|h| h.trouble.is_some()).await;
        let trouble = health.trouble.unwrap();
        assert!(
            !health.reachable
                && trouble.what.contains("cannot be reached")
                && !trouble.remedy.is_empty()
        );
        let pbx = pbx_at(address, 1).await;
        bench.until("1001", Idle).await;
        pbx.stop().await;
    }
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let mut bench = Bench::start(
        config("no-such-host.invalid:5060", Transport::Udp),
        extensions(1),
    )
    .await;
    let health = bench.health(|h| h.trouble.is_some()).await;
    let what = health.trouble.unwrap().what;
    assert!(what.contains("no-such-host.invalid"), "{what}");
}

#[tokio::test]
async fn a_wrong_password_is_one_trouble_for_the_whole_system() {
    let pbx = pbx(5).await;
    let wrong = SipConnectorConfig {
        password: "wrong".into(),
        ..config(pbx.address(), Transport::Udp)
    };
    let mut bench = Bench::start(wrong, extensions(5)).await;
    let health = bench.health(|h| h.trouble.is_some()).await;
    let trouble = health.trouble.unwrap();
    assert!(
        trouble.what.contains("401 Unauthorized") && trouble.what.contains("watcher"),
        "{}",
        trouble.what
    );
    assert!(health.reachable && health.active == 0);
    assert!(!format!("{trouble:?} {:?}", health.line_trouble).contains("wrong\""));
}

// A20
#[tokio::test]
async fn a_wrong_password_with_many_lines_makes_two_failed_logins() {
    let pbx = pbx(300).await;
    let wrong = SipConnectorConfig {
        password: "wrong".into(),
        ..config(pbx.address(), Transport::Udp)
    };
    let mut bench = Bench::start(wrong, extensions(300)).await;
    let health = bench.health(|h| h.trouble.is_some()).await;
    let fault = Some(LoginFault::WrongCredentials);
    assert_eq!((health.login_fault, pbx.failed_logins()), (fault, 2));
    bench.connector.stop().await;
    assert_eq!(pbx.failed_logins(), 2);
}

#[tokio::test]
async fn an_unknown_extension_does_not_disturb_the_others() {
    let pbx = pbx(2).await;
    let mut all = extensions(2);
    all.push("4711".into());
    let mut bench = Bench::start(config(pbx.address(), Transport::Udp), all).await;
    bench.until("1001", Idle).await;
    bench.until("1002", Idle).await;
    let health = bench.health(|h| !h.line_trouble.is_empty()).await;
    assert!(health.line_trouble["4711"].what.contains("404") && health.line_trouble.len() == 1);
    assert!(health.trouble.is_none());
}

#[tokio::test]
async fn a_malformed_document_is_that_lines_trouble_until_a_good_one_comes() {
    let pbx = pbx(2).await;
    let mut bench = Bench::start(config(pbx.address(), Transport::Tcp), extensions(2)).await;
    bench.health(|h| h.active == 2).await;
    pbx.replace_document(
        "1001",
        Some(
            b"<dialog-info version='1' state='full'><dialog id='1'><state>floating</state>"
                .to_vec(),
        ),
    );
    let health = bench.health(|h| !h.line_trouble.is_empty()).await;
    assert!(
        health.line_trouble["1001"].what.contains("floating"),
        "{health:?}"
    );
    pbx.ring("outside", "1002").unwrap();
    bench.until("1002", Ringing).await;
    pbx.replace_document("1001", None);
    pbx.ring("outside", "1001").unwrap();
    bench.until("1001", Ringing).await;
    bench.health(|h| h.line_trouble.is_empty()).await;
}

// A17
#[tokio::test]
async fn a_datagram_shorter_than_its_content_length_is_refused() {
    let pbx = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = pbx.local_addr().unwrap();
    let _bench = Bench::start(config(address, Transport::Udp), extensions(1)).await;
    let mut buffer = [0; 4_096];
    let (_, from) = pbx.recv_from(&mut buffer).await.unwrap();
    for (length, code) in [
        ("9", "400 "),
        ("99999", "400 "),
        ("-1", "400 "),
        ("2", "481 "),
    ] {
        let notify = format!(
            "NOTIFY sip:watcher@{from} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{length}\r\n\
             From: <sip:1001@pbx.test>;tag=a\r\nTo: <sip:watcher@pbx.test>;tag=b\r\nCall-ID: {length}\r\n\
             CSeq: 1 NOTIFY\r\nEvent: dialog\r\nSubscription-State: active\r\nContact: <sip:{address}>\r\n\
             Content-Length: {length}\r\n\r\nabcd"
        );
        pbx.send_to(notify.as_bytes(), from).await.unwrap();
        let answer = loop {
            let (length, _) = pbx.recv_from(&mut buffer).await.unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if let Some(rest) = text.strip_prefix("SIP/2.0 ") {
                break rest.to_owned();
            }
        };
        assert!(answer.starts_with(code), "{length}: {answer}");
        assert!(
            answer.contains(&format!("Call-ID: {length}\r\n")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn forgotten_subscriptions_are_found_by_one_and_renewed_for_all() {
    let pbx = pbx(10).await;
    let mut bench = Bench::start(config(pbx.address(), Transport::Udp), extensions(10)).await;
    bench.health(|h| h.active == 10).await;
    pbx.drop_all_subscriptions();
    bench.connector.refresh_all().await;
    for extension in extensions(10) {
        bench.until(&extension, None).await;
        bench.until(&extension, Idle).await;
    }
}

#[tokio::test]
async fn a_configuration_that_can_never_work_is_refused_at_the_start() {
    let (sender, _events) = tokio::sync::mpsc::channel(1);
    let start = |config| Connector::Sip(config).start(vec![], sender.clone());
    let good = config("127.0.0.1:5060", Transport::Udp);
    for server in ["", "pbx:", ":5060", "pbx:0", "pbx:99999", "a b:1"] {
        let error = start(config(server, Transport::Udp)).unwrap_err();
        assert!(matches!(error, StartError::Server(_)), "{server}");
    }
    let error = start(SipConnectorConfig {
        domain: "a\r\nb".into(),
        ..good.clone()
    })
    .unwrap_err();
    assert!(matches!(
        error,
        StartError::Name {
            field: "domain",
            ..
        }
    ));
    let error = start(SipConnectorConfig {
        username: String::new(),
        ..good.clone()
    })
    .unwrap_err();
    assert!(error.to_string().contains("username"));
    for transport in [Transport::Udp, Transport::Tcp] {
        let elsewhere = SipConnectorConfig {
            bind: Some("203.0.113.1:5080".parse().unwrap()),
            transport: Some(transport),
            ..good.clone()
        };
        assert!(
            start(elsewhere)
                .unwrap_err()
                .to_string()
                .contains("203.0.113.1:5080")
        );
    }
    assert!(!format!("{good:?}").contains("right"));
}
