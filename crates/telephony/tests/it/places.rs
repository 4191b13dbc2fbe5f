//! A phone system with several servers, found by the DNS, or encrypted.

use presence::LineState::{Idle, Ringing};
use telephony::{
    simulated::{SimulatedPbx, SimulatedPbxConfig},
    sip_connector::{SipConnectorConfig, Transport},
    tls::{Identity, Trust},
};

use crate::{
    bench::{Bench, config, extensions, pbx, pbx_at},
    dns::{NameServer, naptr, srv},
};

#[tokio::test]
async fn while_one_server_is_away_the_other_is_used_and_then_the_first_again() {
    let (first, second) = (pbx(2).await, pbx(2).await);
    let address = first.address();
    let servers = [address, second.address()].map(|address| address.to_string());
    let config = SipConnectorConfig {
        servers: servers.into(),
        ..config(address, Transport::Tcp)
    };
    let mut bench = Bench::start(config, extensions(2)).await;
    bench.until("1001", Idle).await;
    first.ring("1001", "1002").unwrap();
    bench.until("1001", Ringing).await;

    first.stop().await;
    bench.until("1001", None).await;
    bench.until("1001", Idle).await;
    second.ring("1001", "1002").unwrap();
    bench.until("1001", Ringing).await;

    let first = pbx_at(address, 2).await;
    bench.until("1001", Idle).await;
    first.ring("1001", "1002").unwrap();
    bench.until("1001", Ringing).await;
    bench.health(|health| health.active == 2).await;
}

#[tokio::test]
async fn a_name_is_found_with_the_service_and_the_order_of_the_dns() {
    let (away, there) = (pbx(1).await, pbx(1).await);
    let ports = [away.address().port(), there.address().port()];
    away.stop().await;
    let names = NameServer::start(vec![
        naptr("pbx.example.", 20, "SIP+D2U", "_sip._udp.pbx.example."),
        naptr("pbx.example.", 10, "SIP+D2T", "_elsewhere.pbx.example."),
        srv("_sip._udp.pbx.example.", 1, 9),
        srv("_elsewhere.pbx.example.", 2, ports[1]),
        srv("_elsewhere.pbx.example.", 1, ports[0]),
    ])
    .await;
    let config = SipConnectorConfig {
        transport: None,
        name_server: Some(names.address),
        ..config("pbx.example", Transport::Udp)
    };
    let mut bench = Bench::start(config, extensions(1)).await;
    bench.until("1001", Idle).await;
    there.ring("1001", "0049").unwrap();
    bench.until("1001", Ringing).await;
}

#[tokio::test]
async fn only_the_configured_transport_is_looked_up() {
    let there = pbx(1).await;
    let names = NameServer::start(vec![
        naptr("pbx.example.", 1, "SIP+D2T", "_sip._tcp.pbx.example."),
        srv("_sip._tcp.pbx.example.", 1, 9),
        srv("_sip._udp.pbx.example.", 1, there.address().port()),
    ])
    .await;
    let config = SipConnectorConfig {
        name_server: Some(names.address),
        ..config("pbx.example", Transport::Udp)
    };
    let mut bench = Bench::start(config, extensions(1)).await;
    bench.until("1001", Idle).await;
}

fn certificate() -> (String, Identity) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let certificate = made.cert.pem();
    let key = made.signing_key.serialize_pem();
    let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    (certificate, identity)
}

#[tokio::test]
async fn an_encrypted_phone_system_is_watched_and_one_with_another_name_is_not() {
    let (authority, identity) = certificate();
    let pbx = SimulatedPbx::start(SimulatedPbxConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        domain: "pbx.test".into(),
        username: "watcher".into(),
        password: "right".into(),
        extensions: extensions(2),
        identity: Some(identity),
    })
    .await
    .unwrap();
    let port = pbx.tls_address().unwrap().port();
    let with = |host: &str, authority: &str| SipConnectorConfig {
        trust: Some(Trust::from_pem(authority.as_bytes()).unwrap()),
        ..config(format!("{host}:{port}"), Transport::Tls)
    };
    let mut bench = Bench::start(with("localhost", &authority), extensions(2)).await;
    bench.until("1002", Idle).await;
    pbx.ring("1001", "1002").unwrap();
    bench.until("1002", Ringing).await;

    for (host, authority) in [("127.0.0.1", authority), ("localhost", certificate().0)] {
        let mut bench = Bench::start(with(host, &authority), extensions(2)).await;
        let health = bench.health(|health| health.trouble.is_some()).await;
        let what = health.trouble.unwrap().what;
        assert!(what.contains("certificate") && !health.reachable, "{what}");
    }
}
