//! A day of a random tenant: eighty people with phones and Teams, people who join and leave, a restart in the middle, and
//! passing failures of every kind at one request of a hundred each. It ends with every state right, nothing written twice
//! beyond the repetition of what failed, and no person unwritten.
//!
//! `TENANT_DAY_SEED=N` plays another day, `TENANT_DAY_ONLY=408` one with only the kinds of failures with that text in their
//! name.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failure must stop the test where it happens"
)]

mod faults;
mod journal;
mod people;
mod stage;

use std::{env, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulation::Random;
use teamsbox::Knobs;
use tokio::time::Instant;

use self::{journal::Journal, people::People, stage::Stage};

/// The day that `./test` plays.
const SEED: u64 = 20_261_130;
/// One step of driven time: the longest that teamsbox takes at once.
const STEP: Duration = Duration::from_secs(20);
/// Steps of the day: five hours.
const STEPS: usize = 5 * 180;
/// Steps between looks into the directory.
const DIRECTORY: usize = 180;
/// Steps between checks for lost changes.
const LOOK: usize = 20;
/// Steps that some kinds of failures are in force, before others are.
const TURN: usize = 40;
/// In the last steps no call, meeting or choice begins: masked calls settle within a minute.
const CALM: usize = 15;
/// Real time after the last fault until everything has to be right: writes that only an administrator can make possible rest
/// for 15 s.
const RIGHT_AGAIN: Duration = Duration::from_secs(25);

fn knobs(seed: u64) -> Knobs {
    Knobs {
        presence_limit: 0,
        directory_limit: Some(0),
        bulk_sequence_number: true,
        // Tokens are asked for now and then, so that asking meets failures too.
        token_lifetime: Duration::from_secs(3_000),
        seed,
        ..Knobs::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_a_random_tenant_ends_with_every_state_right() {
    let seed = env::var("TENANT_DAY_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    let only = env::var("TENANT_DAY_ONLY").ok();
    let began = Instant::now();
    let mut stage = Stage::start(people::LEAVERS.end, people::LEAVERS.start, knobs(seed)).await;
    let mut people = People::new(&stage, seed).await;
    let mut journal = Journal::default();
    let steps = env::var("TENANT_DAY_STEPS").map_or(STEPS, |steps| steps.parse().unwrap());
    let mut lost = Vec::new();
    let restart = steps / 3 + Random::new(seed).index(steps / 3);
    for step in 0..steps {
        if step % TURN == 0 {
            let faults = faults::of_turn(step / TURN, only.as_deref());
            stage.control(Method::PUT, "/faults", Some(faults)).await;
        }
        if step + CALM < steps {
            people.act(&stage, &mut journal).await;
        } else {
            people.rest(&stage).await;
        }
        if step % DIRECTORY == DIRECTORY / 2 {
            people.come_and_go(&stage).await;
        }
        if step == restart {
            stage = stage.restart().await;
            journal.read(&stage).await;
            journal.restarted();
        }
        stage.advance(STEP).await;
        // Each time, so that its writes come between the changes that they are made for.
        journal.read(&stage).await;
        if step % LOOK == 0 {
            lost.extend(people.lost(&stage, &journal));
        }
    }
    stage.control(Method::PUT, "/faults", Some(json!({}))).await;
    let what = format!("seed {seed}, restart at step {restart} of {steps}");
    let mut wrongs = right_again(&stage, &mut people, &mut journal).await;
    wrongs.append(&mut lost);
    wrongs.append(&mut journal.twice);
    if only.is_none() {
        let names = faults::kinds().into_iter().map(|(name, _)| name);
        let names: Vec<_> = names.chain(faults::ODD_NAMES).collect();
        let met = names.iter().filter(|name| journal.met.contains_key(**name));
        let met = met.count();
        // By chance a few are not.
        if met * 4 < names.len() * 3 {
            wrongs.push(format!("only {met} of {names:?} were met"));
        }
    }
    println!("{what}: {:?}, met {:#?}", began.elapsed(), journal.met);
    assert!(
        wrongs.is_empty(),
        "{what}: {} wrong\n{}",
        wrongs.len(),
        wrongs.join("\n")
    );
    stage.stop().await;
}

/// Waits until all states are right and the server is ready; returns the differences that are left at the end.
async fn right_again(stage: &Stage, people: &mut People, journal: &mut Journal) -> Vec<String> {
    let end = Instant::now() + RIGHT_AGAIN;
    loop {
        people.rest(stage).await;
        people::synchronise(stage).await;
        stage.advance(STEP).await;
        journal.read(stage).await;
        let mut wrongs = people.wrongs(stage, journal).await;
        let (status, ready) = stage.api(Method::GET, "/readyz", None).await;
        if status != StatusCode::OK {
            wrongs.push(format!("not ready: {}", troubles(&ready)));
        }
        if wrongs.is_empty() || Instant::now() >= end {
            return wrongs;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The parts that are not ready.
fn troubles(ready: &Value) -> Value {
    let parts = ready["parts"].as_array().cloned().unwrap_or_default();
    parts
        .into_iter()
        .filter(|part| part["ready"] == false)
        .collect()
}
