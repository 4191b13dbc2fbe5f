//! How soon the sweep sees a call that begins in Teams, what it spends for that, and what telephone calls feel of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use presence::Timing;
use server::metrics::RequestLabels;
use tokio::time::Instant;

use crate::{latency::anchor, percentiles::Percentiles, stage::Stage, stream::follow, verdict};

/// Microsoft's documented limit, of which the sweep may spend a share.
const BUDGET: u32 = 1_500;
const SHARE: f64 = 0.35;
/// People up to whom everybody is read each second.
const SMALL: usize = 10_000;
/// Writes a second beside which reading keeps its pace. Above, it takes up to three times as long.
const CALM: u32 = 20;
/// Writes a second up to which none waits.
const BUSY: u32 = 40;
/// The product's promises, in seconds: beside few writes and beside many.
const SMALL_TARGETS: [f64; 2] = [1.5, 3.5];
const LARGE_TARGETS: [f64; 2] = [5.0, 15.5];
const TELEPHONE_TARGET: f64 = 0.01;
/// Requests of the anchor.
const ANCHOR: usize = 500;
/// Writes to Teams that a phone call makes.
const WRITES_PER_CALL: u32 = 4;
/// How long a call lasts: longer than it takes to be seen.
const TALK: Duration = Duration::from_secs(8);

/// When calls began of people by number, until they are seen.
type Begun = Arc<Mutex<HashMap<String, Instant>>>;

pub(super) async fn run(people: usize, rate: u32, seconds: u64) -> anyhow::Result<()> {
    let stage = Stage::start(people, Some(BUDGET), Timing::default()).await?;
    let (begun, seen): (Begun, Arc<Mutex<Vec<f64>>>) = Default::default();
    let listener = tokio::spawn(listen(
        stage.app.address(),
        stage.api_key.clone(),
        begun.clone(),
        seen.clone(),
    ));
    let anchor = anchor(&format!("http://{}", stage.app.address()), ANCHOR).await?;
    let metrics = stage.app.metrics();
    while metrics.streams.get() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let reads = RequestLabels {
        call: "getPresencesByUserId".into(),
        outcome: "ok".into(),
    };
    let before = metrics.graph_requests.get_or_create(&reads).get();
    metrics.pbx_to_graph.record_samples();
    metrics.write_wait.record_samples();
    let started = Instant::now();
    load(&stage, &begun, rate, Duration::from_secs(seconds)).await;
    let took = started.elapsed().as_secs_f64();
    let spent = metrics.graph_requests.get_or_create(&reads).get() - before;
    let share = spent as f64 / took * 30.0 / f64::from(BUDGET);
    let telephone = Percentiles::new(metrics.pbx_to_graph.record_samples());
    let waits = Percentiles::new(metrics.write_wait.record_samples());
    let missed = begun.lock().unwrap_or_else(PoisonError::into_inner).len();
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let detection = Percentiles::new(seen);
    let [calm, busy] = if people <= SMALL {
        SMALL_TARGETS
    } else {
        LARGE_TARGETS
    };
    let target = if rate <= CALM { calm } else { busy };
    println!(
        "\n{people} people, budget of {BUDGET} requests per 30 s, {rate} writes/s, {} calls/s on each side, {seconds} s",
        f64::from(rate) / f64::from(WRITES_PER_CALL)
    );
    let (half, most) = (detection.at(0.5), detection.at(0.99));
    println!(
        "call in Teams begun -> seen by clients, seconds   p50 {half:.2}  p99 {most:.2}  {}  ({} calls, {missed} not seen)",
        verdict(most <= target && missed == 0),
        detection.count()
    );
    println!(
        "share of the budget that reading spent            {share:.3}  {}",
        verdict(share <= SHARE)
    );
    let most = telephone.at(0.99);
    println!(
        "telephone event -> Graph request, milliseconds    p50 {:.2}  p99 {:.2}  {}",
        telephone.at(0.5) * 1e3,
        most * 1e3,
        if rate <= BUSY {
            verdict(most <= TELEPHONE_TARGET)
        } else {
            "no promise"
        }
    );
    println!(
        "waiting in the queue of writes, milliseconds      p50 {:.2}  p99 {:.2}",
        waits.at(0.5) * 1e3,
        waits.at(0.99) * 1e3
    );
    println!(
        "anchor: a bare HTTP request, milliseconds         p50 {:.2}  p99 {:.2}",
        anchor.at(0.5) * 1e3,
        anchor.at(0.99) * 1e3
    );
    listener.abort();
    stage.stop().await;
    Ok(())
}

/// Reads the event stream and notes when each begun call is seen.
async fn listen(
    address: std::net::SocketAddr,
    key: String,
    begun: Begun,
    seen: Arc<Mutex<Vec<f64>>>,
) -> anyhow::Result<()> {
    follow(&format!("http://{address}"), &key, |event| {
        if event["presence"]["activity"]["via"] != "teams" {
            return;
        }
        let person = event["person"].as_str().unwrap_or_default();
        let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = begun.remove(person) {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(at.elapsed().as_secs_f64());
        }
    })
    .await
}

async fn load(stage: &Stage, begun: &Begun, rate: u32, time: Duration) {
    let everybody: Vec<(String, &(String, String))> = (1..)
        .map(|number: usize| number.to_string())
        .zip(&stage.people)
        .collect();
    let pairs: Vec<_> = everybody.chunks_exact(2).collect();
    let (telephone, teams) = pairs.split_at(pairs.len() / 2);
    let (began, mut count) = (Instant::now(), 0);
    let mut calls = tokio::task::JoinSet::new();
    for (telephone, teams) in telephone.iter().zip(teams).cycle() {
        let due = began + Duration::from_secs(1) * WRITES_PER_CALL * count / rate;
        if due >= began + time {
            break;
        }
        tokio::time::sleep_until(due).await;
        count += 1;
        if let [(_, (_, from)), (_, (_, to))] = telephone {
            stage.telephone_call(&mut calls, from, to, TALK);
        }
        if let [(caller, (from, _)), (_, (to, _))] = teams {
            begun
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(caller.clone(), Instant::now());
            stage.teams_call(&mut calls, from, to, TALK);
        }
    }
    while calls.join_next().await.is_some() {}
}
