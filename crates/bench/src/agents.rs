//! Desktop agents: their cost for the server, and the latency of reports while all of them report. One machine cannot hold
//! 100,000 connections, so fewer agents report more often: the server receives as many reports as from 100,000 agents. The
//! server is a process of its own, so that its CPU time and memory are measured separately. The anchor is a bare HTTP
//! request to it in the same run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use agent_protocol::{FromAgent, HEARTBEAT, PATH, ProgramInUse, Report, SUBPROTOCOL, ToAgent};
use anyhow::{Context, bail, ensure};
use api::access;
use futures_util::{SinkExt, StreamExt};
use presence::PersonId;
use runtime::{clock::Clock, secrets};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    process::Child,
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::Instant,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, http::header},
};

use crate::{
    latency::anchor,
    percentiles::Percentiles,
    process::{self, Process},
    stage::{Alone, change},
    verdict,
};

/// Number of agents that the load corresponds to.
const AGENTS: f64 = 100_000.0;
/// One in this many reports contains a program that starts or ends.
const CHANGES: u64 = 100;
/// Number of requests of the anchor.
const ANCHOR: usize = 500;
/// Number of simultaneous connection attempts.
const CONNECTING: usize = 64;

/// Arguments of the measurement.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number of agents; each needs a file handle here and one at the server (`ulimit -n`).
    #[arg(long, default_value_t = 15_000)]
    agents: usize,
    /// Duration of the load in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Number of agents that the load corresponds to.
    #[arg(long, default_value_t = AGENTS)]
    load: f64,
}

/// Arguments of the server process.
#[derive(Debug, clap::Args)]
pub struct ServerArguments {
    /// Number of people, each with an agent.
    #[arg(long)]
    agents: usize,
}

/// Token of a person's device.
pub fn token(person: usize) -> String {
    format!("oha_bench_{person}")
}

/// Runs the server until it is killed; prints its address.
pub async fn serve(arguments: &ServerArguments) -> anyhow::Result<()> {
    let Alone {
        app,
        store,
        _folder,
    } = Alone::start(arguments.agents, None).await?;
    let scopes = ["read", "write", "admin"];
    let key = access::new_api_key(&store, "bench", &scopes, &Clock::system()).await?;
    let mut adding = JoinSet::new();
    for person in 1..=arguments.agents {
        let store = store.clone();
        adding.spawn(async move {
            let secret = secrets::hash(&token(person));
            let owner = (PersonId(person as u64), &secret);
            store
                .add_device(owner, "desk", "linux", &change("device.add", "bench"))
                .await
        });
        if adding.len() >= CONNECTING {
            adding.join_next().await.context("none")???;
        }
    }
    while let Some(added) = adding.join_next().await {
        added??;
    }
    let url = format!("http://{}", app.address());
    println!("{}", json!({"url": url, "key": key}));
    app.failed().await;
    bail!("the server has failed")
}

/// State that all agents share.
struct Load {
    address: String,
    every: Duration,
    is_measured: AtomicBool,
    /// Latencies of reports in seconds, from sending to the answer.
    taken_in: mpsc::Sender<f64>,
}

/// Server with people, a device for each, and Microphone Sync without delays.
pub struct Server {
    _child: Child,
    pub url: String,
    /// API key with all permissions.
    pub key: String,
    process: Process,
}

/// Starts the server in a process of its own.
pub async fn start(agents: usize) -> anyhow::Result<Server> {
    let server = ["agents-server", "--agents", &agents.to_string()];
    let (child, process, line) = process::start(&server).await?;
    let told: Value = serde_json::from_str(&line)?;
    let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
    let (url, key) = (text("url"), text("key"));
    let page = format!("{url}/api/v1/scopes/organisation/settings/microphone");
    let on = json!({"enabled": true, "on_after": 0, "off_after": 0});
    let http = reqwest::Client::new();
    let set = http.put(page).bearer_auth(&key).json(&on).send();
    set.await?.error_for_status()?;
    Ok(Server {
        _child: child,
        url,
        key,
        process,
    })
}

/// Measures and prints the figures.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Server {
        _child,
        url,
        key: _,
        process: server,
    } = start(arguments.agents).await?;
    let (taken_in, mut told) = mpsc::channel(1 << 20);
    let rate = arguments.load / HEARTBEAT.as_secs_f64();
    let load = Arc::new(Load {
        address: url.trim_start_matches("http://").to_owned(),
        every: Duration::from_secs_f64(arguments.agents as f64 / rate),
        is_measured: AtomicBool::new(false),
        taken_in,
    });
    let memory = server.memory()?;
    let began = Instant::now();
    let mut agents = JoinSet::new();
    let places = Arc::new(Semaphore::new(CONNECTING));
    for person in 1..=arguments.agents {
        let place = places.clone().acquire_owned().await?;
        let load = load.clone();
        agents.spawn(async move {
            let socket = connect(&load.address, person).await?;
            drop(place);
            report(socket, &load, person).await
        });
    }
    let _all = places.acquire_many(u32::try_from(CONNECTING)?).await?;
    let took = began.elapsed().as_secs_f64();
    all_live(&mut agents)?;
    let connected = arguments.agents as f64;
    let kib = (server.memory()? - memory) / 1024.0 / connected;
    println!(
        "{connected} agents connected in {took:.1} s ({:.0} a second), {kib:.1} KiB each at the server",
        connected / took
    );

    // Each agent has reported once.
    tokio::time::sleep(load.every).await;
    let anchor = anchor(&url, ANCHOR).await?;
    load.is_measured.store(true, Ordering::Relaxed);
    let (cpu, began) = (server.cpu()?, Instant::now());
    tokio::time::sleep(Duration::from_secs(arguments.seconds)).await;
    let (cpu, took) = (server.cpu()? - cpu, began.elapsed().as_secs_f64());
    load.is_measured.store(false, Ordering::Relaxed);
    all_live(&mut agents)?;
    let mut times = Vec::new();
    while let Ok(time) = told.try_recv() {
        times.push(time);
    }
    let times = Percentiles::new(times);
    let rate = times.count() as f64 / took;
    println!(
        "{rate:.0} reports a second, as of {:.0} agents: {:.2} cores",
        rate * HEARTBEAT.as_secs_f64(),
        cpu / took
    );
    println!(
        "report sent -> answered, ms: p50 {:.2}, p99 {:.1}, of {}; anchor under the same load: p50 {:.2}, p99 {:.1}; p50 / anchor {:.1}; target 250 ms: {}",
        times.at(0.5) * 1e3,
        times.at(0.99) * 1e3,
        times.count(),
        anchor.at(0.5) * 1e3,
        anchor.at(0.99) * 1e3,
        times.at(0.5) / anchor.at(0.5),
        verdict(times.at(0.99) <= 0.25)
    );
    Ok(())
}

/// Fails if an agent's connection has ended.
fn all_live(agents: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    match agents.try_join_next() {
        None => Ok(()),
        Some(ended) => Err(ended?.err().context("an agent's connection has ended")?),
    }
}

async fn connect(address: &str, person: usize) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let mut request = format!("ws://{address}{PATH}").into_client_request()?;
    let headers = request.headers_mut();
    let bearer = format!("Bearer {}", token(person));
    headers.insert(header::AUTHORIZATION, bearer.parse()?);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL.parse()?);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await?;
    let hello = FromAgent::Hello {
        version: "bench".into(),
        system: "linux".into(),
    };
    let hello = serde_json::to_string(&hello)?;
    socket.send(Message::text(hello)).await?;
    Ok(socket)
}

/// Reports like an agent until the connection ends.
async fn report(
    mut socket: WebSocketStream<TcpStream>,
    load: &Load,
    person: usize,
) -> anyhow::Result<()> {
    // Evenly distributed, like real agents.
    let phase = load.every.mul_f64(person as f64 * 0.618 % 1.0);
    let mut at = Instant::now() + phase;
    for number in 1.. {
        tokio::time::sleep_until(at).await;
        at += load.every;
        let is_used = ((number + person as u64) / CHANGES).is_multiple_of(2);
        let used = is_used.then(|| ProgramInUse {
            process: "Zoom".into(),
            milliseconds: 1_000,
        });
        let report = FromAgent::Report(Report {
            number,
            programs: used.into_iter().collect(),
            ..Report::default()
        });
        let report = serde_json::to_string(&report)?;
        let sent = Instant::now();
        socket.send(Message::text(report)).await?;
        loop {
            let message = socket
                .next()
                .await
                .context("the server closed the connection")??;
            ensure!(
                !message.is_close(),
                "the server closed the connection: {message}"
            );
            let said = message.is_text().then(|| message.to_text()).transpose()?;
            let heard = said.map(serde_json::from_str::<ToAgent>).transpose()?;
            if heard == Some(ToAgent::Received { number }) {
                break;
            }
        }
        if load.is_measured.load(Ordering::Relaxed) {
            load.taken_in.try_send(sent.elapsed().as_secs_f64())?;
        }
    }
    Ok(())
}
