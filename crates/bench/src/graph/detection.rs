//! Latency of the sweep for calls that start in Teams, its requests, and its effect on calls on the PBX.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use api_types::presence::ActivitySystem;
use presence::Timing;
use runtime::metrics::RequestLabels;
use tokio::time::Instant;

use crate::{latency::anchor, percentiles::Percentiles, stage::Stage, stream::follow, verdict};

/// Microsoft's documented limit in requests per 30 seconds.
const BUDGET: u32 = 1_500;
const SHARE: f64 = 0.35;
/// Number of people up to which all are read every second.
const SMALL: usize = 10_000;
/// Writes per second up to which reads keep their pace; beyond, they slow down to a third.
const CALM: u32 = 20;
/// Writes per second up to which no write waits.
const BUSY: u32 = 40;
/// Targets in seconds, with few writes and with many.
const SMALL_TARGETS: [f64; 2] = [1.5, 3.5];
const LARGE_TARGETS: [f64; 2] = [5.0, 15.5];
const TELEPHONE_TARGET: f64 = 0.01;
/// Number of requests of the anchor.
const ANCHOR: usize = 500;
/// Number of writes to Teams caused by a call on the PBX.
const WRITES_PER_CALL: u32 = 4;
/// Duration of a call, longer than its detection takes.
const TALK: Duration = Duration::from_secs(8);

/// Start times of calls that were not detected yet, by the number of the person.
type PendingCalls = Arc<Mutex<HashMap<String, Instant>>>;

pub(super) async fn run(people: usize, rate: u32, seconds: u64) -> anyhow::Result<()> {
    let stage = Stage::start(people, Some(BUDGET), Timing::default()).await?;
    let (begun, seen): (PendingCalls, Arc<Mutex<Vec<f64>>>) = Default::default();
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
        "call in Teams -> event for clients, seconds       p50 {half:.2}  p99 {most:.2}  {}  ({} calls, {missed} missed)",
        verdict(most <= target && missed == 0),
        detection.count()
    );
    println!(
        "share of the limit used by reads                   {share:.3}  {}",
        verdict(share <= SHARE)
    );
    let most = telephone.at(0.99);
    println!(
        "PBX event -> Graph request, milliseconds          p50 {:.2}  p99 {:.2}  {}",
        telephone.at(0.5) * 1e3,
        most * 1e3,
        if rate <= BUSY {
            verdict(most <= TELEPHONE_TARGET)
        } else {
            "no target"
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

/// Reads the event stream and records the detection of each call.
async fn listen(
    address: std::net::SocketAddr,
    key: String,
    begun: PendingCalls,
    seen: Arc<Mutex<Vec<f64>>>,
) -> anyhow::Result<()> {
    follow(&format!("http://{address}"), &key, |change| {
        let activity = change.presence.activity;
        if activity.is_none_or(|activity| activity.via != ActivitySystem::Teams) {
            return;
        }
        let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = begun.remove(&change.person) {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(at.elapsed().as_secs_f64());
        }
    })
    .await
}

async fn load(stage: &Stage, begun: &PendingCalls, rate: u32, time: Duration) {
    let import_people: Vec<(String, &(String, String))> = (1..)
        .map(|number: usize| number.to_string())
        .zip(&stage.people)
        .collect();
    let pairs: Vec<_> = import_people.chunks_exact(2).collect();
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
            stage.pbx_call(&mut calls, from, to, TALK);
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
