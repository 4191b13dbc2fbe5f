//! Measures bulk reads of 650 people a second on one core: `cargo run --release -p teamsbox --example load`.
//!
//! The emulator runs on one thread of its own; the readers share another. Arguments: people, seconds, connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use teamsbox::{
    Config, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Device, Knobs, NewUser, Teamsbox,
};
use tokio::time::Instant;

/// People of a read: Graph's maximum.
const IDS: usize = 650;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default: usize| numbers.next().unwrap_or(Ok(default));
    let (people, seconds, connections) = (next(5_000)?.max(IDS), next(5)?, next(8)?);
    let server = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let (sender, receiver) = std::sync::mpsc::channel();
    server.spawn(async move {
        let users = (0..people).map(|number| NewUser {
            id: Some(id(number)),
            display_name: format!("Person {number}"),
            user_principal_name: format!("person{number}@contoso.example"),
            clients: vec![Device::Desktop],
        });
        let config = Config {
            users: users.collect(),
            knobs: Knobs {
                presence_limit: 0,
                ..Knobs::default()
            },
            ..Config::default()
        };
        // The receiver gets the failure as an error.
        let _ = sender.send(Teamsbox::start(config).await);
    });
    let teamsbox = receiver.recv()??;
    let clients = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (reads, bytes, took) = clients.block_on(load(&teamsbox, people, seconds, connections))?;
    println!(
        "{reads} reads of {IDS} of {people} people in {:.1} s: {:.0} reads/s, {:.0} MB/s",
        took.as_secs_f64(),
        reads as f64 / took.as_secs_f64(),
        bytes as f64 / took.as_secs_f64() / 1e6,
    );
    Ok(())
}

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

async fn load(
    teamsbox: &Teamsbox,
    people: usize,
    seconds: usize,
    connections: usize,
) -> Result<(u64, u64, Duration), Failure> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", DEFAULT_CLIENT_ID),
        ("client_secret", DEFAULT_CLIENT_SECRET),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let url = format!("{}/common/oauth2/v2.0/token", teamsbox.url());
    let answer: serde_json::Value = http.post(url).form(&form).send().await?.json().await?;
    let token = answer["access_token"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let url = format!(
        "{}/v1.0/communications/getPresencesByUserId",
        teamsbox.url()
    );
    let (reads, bytes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds as u64);
    let readers = (0..connections).map(|connection| {
        let ids: Vec<_> = (0..IDS)
            .map(|place| id((connection * IDS + place) % people))
            .collect();
        let body = serde_json::json!({ "ids": ids }).to_string();
        let (http, url, token) = (http.clone(), url.clone(), token.clone());
        let (reads, bytes) = (Arc::clone(&reads), Arc::clone(&bytes));
        tokio::spawn(async move {
            while Instant::now() < end {
                let request = http.post(&url).bearer_auth(&token).body(body.clone());
                let reply = request.send().await?.error_for_status()?.bytes().await?;
                reads.fetch_add(1, Ordering::Relaxed);
                bytes.fetch_add(reply.len() as u64, Ordering::Relaxed);
            }
            Ok::<_, Failure>(())
        })
    });
    for reader in readers.collect::<Vec<_>>() {
        reader.await??;
    }
    Ok((
        reads.load(Ordering::Relaxed),
        bytes.load(Ordering::Relaxed),
        start.elapsed(),
    ))
}
