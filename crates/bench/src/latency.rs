//! Latencies of the synchronisation under a steady load of calls.
//!
//! Half of the people call each other on the PBX, the other half in Teams, both at the same rate. Load, server, Teams and
//! PBX share the machine. The anchor is a bare HTTP request to the same server in the same run.

use std::{sync::Arc, time::Duration};

use presence::Timing;
use runtime::metrics::Metrics;
use tokio::time::Instant;

use crate::{percentiles::Percentiles, stage::Stage};

/// Duration of a call. Longer than the minimum interval between two writes of one person.
const TALK: Duration = Duration::from_secs(4);
/// Number of requests of the anchor.
const ANCHOR: usize = 2_000;
/// Target for the 99th percentile in milliseconds.
const TARGET: f64 = 10.0;

/// Arguments of the measurement.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number of people.
    #[arg(long, default_value_t = 10_000)]
    people: usize,
    /// Duration of the load in each run, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

struct Run {
    label: &'static str,
    calls_per_second: u32,
    budget: Option<u32>,
    timing: Timing,
}

/// Runs both loads and prints the figures.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let unguarded = Timing {
        write_interval: Duration::ZERO,
        loop_breaker: None,
        ..Timing::default()
    };
    let runs = [
        Run {
            label: "20 calls/s, budget of 10,000 requests per 30 s, guards on",
            calls_per_second: 20,
            budget: Some(10_000),
            timing: Timing::default(),
        },
        Run {
            label: "200 calls/s, budget, least interval and loop breaker OFF",
            calls_per_second: 200,
            budget: None,
            timing: unguarded,
        },
    ];
    for run in runs {
        measure(arguments, run).await?;
    }
    Ok(())
}

async fn measure(arguments: &Arguments, run: Run) -> anyhow::Result<()> {
    let Run {
        label,
        calls_per_second,
        budget,
        timing,
    } = run;
    let stage = Stage::start(arguments.people, budget, timing).await?;
    println!(
        "\n{label}; {} people, {} s",
        arguments.people, arguments.seconds
    );
    let server = format!("http://{}", stage.app.address());
    let anchor = anchor(&server, ANCHOR).await?;
    let listener = tokio::spawn(listen(stage.app.address(), stage.api_key.clone()));
    wait_for_listener(&stage.app.metrics()).await;
    let metrics = stage.app.metrics();
    metrics.pbx_to_graph.record_samples();
    metrics.teams_to_event.record_samples();
    let calls = load(
        &stage,
        calls_per_second,
        Duration::from_secs(arguments.seconds),
    )
    .await;
    let rows = [
        (
            "PBX event received -> Graph request sent",
            metrics.pbx_to_graph.record_samples(),
        ),
        (
            "Teams answer received -> event on SSE",
            metrics.teams_to_event.record_samples(),
        ),
    ];
    let half = anchor.at(0.5);
    println!(
        "{:<42} {:>7} {:>9} {:>9} {:>9}  p50 / anchor",
        "milliseconds", "count", "p50", "p99", "p99.9"
    );
    print_row("anchor: HTTP request and answer", &anchor, half);
    for (name, samples) in rows {
        let values = Percentiles::new(samples);
        print_row(name, &values, half);
        let p99 = values.at(0.99) * 1e3;
        // An unoptimised build only shows that the benchmark runs.
        if !cfg!(debug_assertions) && (p99.is_nan() || p99 > TARGET) {
            println!("  MISSED: p99 {p99:.2} ms, the target is {TARGET} ms");
        }
    }
    println!("{calls} calls on each side, all started and ended");
    listener.abort();
    stage.stop().await;
    Ok(())
}

fn print_row(name: &str, values: &Percentiles, anchor: f64) {
    let [half, most, nearly_all] = [0.5, 0.99, 0.999].map(|share| values.at(share) * 1e3);
    let ratio = values.at(0.5) / anchor;
    println!(
        "{name:<42} {:>7} {half:>9.3} {most:>9.3} {nearly_all:>9.3}  {ratio:.1}",
        values.count()
    );
}

/// Durations in seconds of bare HTTP requests to an otherwise idle server, one after the other.
pub async fn anchor(server: &str, requests: usize) -> anyhow::Result<Percentiles> {
    let http = reqwest::Client::new();
    let url = format!("{server}/healthz");
    let mut values = Vec::with_capacity(requests);
    for _ in 0..requests {
        let began = Instant::now();
        http.get(&url).send().await?.bytes().await?;
        values.push(began.elapsed().as_secs_f64());
    }
    Ok(Percentiles::new(values))
}

/// Reads the event stream like a board.
async fn listen(address: std::net::SocketAddr, key: String) -> anyhow::Result<()> {
    let url = format!("http://{address}/api/v1/events");
    let mut stream = reqwest::Client::new()
        .get(url)
        .bearer_auth(key)
        .send()
        .await?;
    while stream.chunk().await?.is_some() {}
    Ok(())
}

async fn wait_for_listener(metrics: &Arc<Metrics>) {
    while metrics.streams.get() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Starts calls at an even rate and ends each after its duration. Returns the number of calls on each side.
async fn load(stage: &Stage, per_second: u32, time: Duration) -> usize {
    let pairs: Vec<&[(String, String)]> = stage.people.chunks_exact(2).collect();
    let (telephone, teams) = pairs.split_at(pairs.len() / 2);
    let every = Duration::from_secs(1) / per_second;
    let (began, mut count) = (Instant::now(), 0);
    let mut calls = tokio::task::JoinSet::new();
    for (telephone, teams) in telephone.iter().zip(teams).cycle() {
        let due = began + every * u32::try_from(count).unwrap_or(u32::MAX);
        if due >= began + time {
            break;
        }
        tokio::time::sleep_until(due).await;
        count += 1;
        if let [(_, from), (_, to)] = telephone {
            stage.pbx_call(&mut calls, from, to, TALK);
        }
        if let [(from, _), (to, _)] = teams {
            stage.teams_call(&mut calls, from, to, TALK);
        }
    }
    while calls.join_next().await.is_some() {}
    // The next sweep reads the last ends.
    tokio::time::sleep(Duration::from_secs(2)).await;
    count
}
