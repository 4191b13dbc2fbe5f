//! The beginning and end of connections: after a stop, and if each of them ends soon.

use std::{sync::Arc, time::Duration};

use sip::message::Message;
use telephony::{
    connector::{Connector, Documents, Publication},
    sip_connector::{SipConnectorConfig, Transport},
    tls::{Identity, Trust},
};
use tokio::time::Instant;

use crate::{
    bench::{Bench, config, extensions},
    scripted::{ScriptedPbx, accept, notify_with, ordinary},
};

fn certificate() -> (String, Identity) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    (certificate, identity)
}

fn publication() -> Publication {
    let documents = |text: &str| Documents {
        dialog: Arc::from(text.as_bytes()),
        presence: Arc::from(text.as_bytes()),
    };
    Publication::Current {
        documents: documents("confirmed"),
        closing: documents("terminated"),
    }
}

// A21
#[tokio::test]
async fn a_stop_ends_subscriptions_and_publications_over_every_transport() {
    let (authority, identity) = certificate();
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let pbx = ScriptedPbx::start(Some(&identity), ordinary).await;
        let server = match transport {
            Transport::Udp | Transport::Tcp => pbx.address.to_string(),
            Transport::Tls => format!("localhost:{}", pbx.tls_address.unwrap().port()),
        };
        let config = SipConnectorConfig {
            trust: Some(Trust::from_pem(authority.as_bytes()).unwrap()),
            ..config(server, transport)
        };
        let mut bench = Bench::start(config, extensions(120)).await;
        for extension in extensions(60) {
            bench.connector.publish(extension, publication()).await;
        }
        bench.health(|health| health.active == 120).await;
        pbx.until("PUBLISH", 120, 120).await;
        // The server's other tasks end first, and with them the receiver of events.
        drop(bench.events);
        let began = Instant::now();
        bench.connector.stop().await;
        assert_eq!(pbx.count("SUBSCRIBE", 0), 120, "{transport:?}");
        assert_eq!(pbx.count("PUBLISH", 60), 120, "{transport:?}");
        assert!(began.elapsed() < Duration::from_secs(3), "{transport:?}");
    }
}

fn silent_about_its_end(request: &Message<'_>) -> Vec<Vec<u8>> {
    match request.seconds("Expires") {
        Some(0) => Vec::new(),
        _ => ordinary(request),
    }
}

// A21
#[tokio::test]
async fn a_stop_does_not_wait_for_a_pbx_that_answers_no_more() {
    let pbx = ScriptedPbx::start(None, silent_about_its_end).await;
    let mut bench = Bench::start(config(pbx.address, Transport::Tcp), extensions(2)).await;
    bench.health(|health| health.active == 2).await;
    let began = Instant::now();
    bench.connector.stop().await;
    assert!(began.elapsed() < Duration::from_secs(4));
    assert_eq!(pbx.count("SUBSCRIBE", 0), 2);
}

/// OPTIONS is answered correctly; the answer to SUBSCRIBE lacks Content-Length.
fn without_content_length(request: &Message<'_>) -> Vec<Vec<u8>> {
    let answered = accept(request);
    match request.method() {
        Some("SUBSCRIBE") => {
            let text = String::from_utf8(answered).unwrap();
            vec![text.replace("Content-Length: 0\r\n", "").into_bytes()]
        }
        _ => vec![answered],
    }
}

// A10
#[tokio::test]
async fn a_pbx_that_breaks_every_connection_is_named_and_gets_few_requests() {
    let pbx = ScriptedPbx::start(None, without_content_length).await;
    let mut bench = Bench::start(config(pbx.address, Transport::Tcp), extensions(100)).await;
    let health = bench.health(|health| health.trouble.is_some()).await;
    let trouble = health.trouble.unwrap();
    assert!(
        trouble.what.contains("without Content-Length"),
        "{trouble:?}"
    );
    assert!(
        trouble.remedy.contains("transport = \"udp\""),
        "{trouble:?}"
    );
    // Three connections: at once, after 1 s and after 2 s more.
    let began = Instant::now();
    pbx.until("OPTIONS", None, 3).await;
    assert!(began.elapsed() >= Duration::from_millis(2_500));
    assert!(pbx.count("SUBSCRIBE", 600) <= 300);
}

// Without a configured local address.
#[tokio::test]
async fn without_bind_the_socket_has_only_the_address_of_the_route() {
    let pbx = ScriptedPbx::start(None, ordinary).await;
    let before = udp_sockets();
    let mut bench = Bench::start(config(pbx.address, Transport::Udp), extensions(1)).await;
    bench.health(|health| health.active == 1).await;
    let new: Vec<String> = udp_sockets()
        .into_iter()
        .filter(|socket| !before.contains(socket))
        .collect();
    assert!(
        !new.iter().any(|socket| socket.starts_with("00000000:")),
        "{new:?}"
    );
}

/// Local addresses of this process's UDP sockets, in the kernel's hexadecimal form.
fn udp_sockets() -> Vec<String> {
    let own: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok())
        .filter_map(|link| {
            Some(
                link.to_str()?
                    .strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .to_owned(),
            )
        })
        .collect();
    let text = std::fs::read_to_string("/proc/self/net/udp").unwrap();
    let columns = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let is_own = |columns: &Vec<&str>| {
        columns
            .get(9)
            .is_some_and(|inode| own.contains(&(*inode).to_owned()))
    };
    columns
        .filter(is_own)
        .map(|columns| columns[1].to_owned())
        .collect()
}

/// FreeSWITCH: a phone is registered for 1001 and for no other extension.
fn freeswitch(request: &Message<'_>) -> Vec<Vec<u8>> {
    let is_presence = request
        .header("Event")
        .is_some_and(|event| event == "presence");
    if request.method() != Some("SUBSCRIBE") || !is_presence {
        return ordinary(request);
    }
    let (basic, note) = match request.request_uri() {
        Some(uri) if uri.contains("1001@") => ("open", "Available"),
        _ => ("closed", "Unregistered"),
    };
    let document = format!(
        "<?xml version=\"1.0\"?><presence xmlns='urn:ietf:params:xml:ns:pidf' \
         xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' entity='sip:x@pbx.test'><tuple id='t'><status>\
         <basic>{basic}</basic></status></tuple><dm:person id='p'><dm:note>{note}</dm:note></dm:person></presence>"
    );
    let document = notify_with(request, "application/pidf+xml", document.as_bytes());
    vec![accept(request), document]
}

// A27
#[tokio::test]
async fn extensions_without_a_phone_at_freeswitch_are_found() {
    let pbx = ScriptedPbx::start(None, freeswitch).await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let config = config(pbx.address, transport);
        let (connector, asked) = (Connector::Sip(config), extensions(60));
        let found = connector.unregistered_extensions(&asked).await.unwrap();
        assert_eq!(found, extensions(60)[1..], "{transport:?}");
    }
    // No subscription is left.
    pbx.until("SUBSCRIBE", 0, 120).await;
    assert_eq!(pbx.count("SUBSCRIBE", 600), 120);
}
