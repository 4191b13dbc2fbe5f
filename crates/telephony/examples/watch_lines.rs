//! Watches extensions of a phone system and prints their states: a quick check whether an account and a phone system will
//! work with Offhook.
//!
//! `cargo run -p telephony --example watch_lines -- udp 127.0.0.1:5060 pbx.test 1003 1001 1002`
//!
//! The password is read from the environment variable `PASSWORD`. Ends after `SECONDS` (default: never).

use std::{sync::Arc, time::Duration};

use presence::LineChange;
use secrecy::SecretString;
use telephony::{
    connector::Connector,
    sip_connector::{SipConnectorConfig, Transport},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [transport, server, domain, username, extensions @ ..] = &words[..] else {
        return Err("usage: watch_lines udp|tcp|tls HOST:PORT DOMAIN USERNAME EXTENSION…".into());
    };
    tracing_subscriber::fmt()
        .with_env_filter("info")
        .with_writer(std::io::stderr)
        .init();
    let config = SipConnectorConfig {
        name: server.clone(),
        servers: vec![server.clone()],
        transport: Some(match transport.as_str() {
            "tcp" => Transport::Tcp,
            "tls" => Transport::Tls,
            _ => Transport::Udp,
        }),
        trust: None,
        name_server: None,
        domain: domain.clone(),
        username: username.clone(),
        password: SecretString::from(std::env::var("PASSWORD")?),
        lists: std::env::var("LIST").into_iter().collect(),
        bind: None,
    };
    let seconds = std::env::var("SECONDS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(u64::MAX / 2);
    let end = tokio::time::sleep(Duration::from_secs(seconds.min(365 * 24 * 3600)));
    tokio::pin!(end);
    let (sender, mut events) = tokio::sync::mpsc::channel(256);
    let extensions: Vec<Arc<str>> = extensions.iter().map(|e| e.as_str().into()).collect();
    let connector = Connector::Sip(config).start(extensions, sender)?;
    let started = tokio::time::Instant::now();
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => {
                    let at = (event.received - started).as_secs_f64();
                    let extension = event.extension;
                    match event.change {
                        LineChange::State { state, lease, .. } => {
                            println!("{at:8.3} {extension} {state:?} for {} s", lease.as_secs());
                        }
                        LineChange::Stale => println!("{at:8.3} {extension} unknown"),
                    }
                }
                None => break,
            },
            () = &mut end => break,
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    connector.stop().await;
    Ok(())
}
