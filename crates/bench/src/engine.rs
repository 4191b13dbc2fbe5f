//! Core alone: loading time, memory per person, and rates of presence computations and inputs, on one core. The anchor is a
//! comparable loop without the engine in the same run, for comparisons between machines.

use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Duration};

use anyhow::Context;
use presence::{
    APPOINTMENT_COLOUR, Appointment, AppointmentId, AppointmentOrigin, Choice, Engine, Fact, Input,
    LineChange, LineId, LineState, PersonId, PersonPolicy, PersonRecord, Status, SyncMode,
    TeamsAnswer, TeamsState, Timestamp, Timing,
};
use tokio::time::Instant;

use crate::verdict;

/// Time of all inputs; its value does not matter.
const NOW: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);
/// Lease of all signals.
const LEASE: Duration = Duration::from_secs(3600);
/// Targets.
const LOAD_SECONDS: f64 = 10.0;
const BYTES: f64 = 1024.0;
const COMPUTATIONS: f64 = 1_000_000.0;
/// Iterations between two reads of the clock.
const BATCH: u64 = 10_000;
/// Stride through the people that visits all of them in an order that defeats caches.
const STRIDE: u64 = 7_919;

/// Arguments of the measurement.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number of people.
    #[arg(long, default_value_t = 1_000_000)]
    people: u64,
    /// Duration of each measurement of a rate, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

/// Measures and prints the figures.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let people = arguments.people.max(1);
    let time = Duration::from_secs(arguments.seconds);
    println!("{people} people in one engine, one core");
    let anchor = anchor(people, time);
    row(
        "anchor: map look-ups with an Arc's clone per second",
        anchor,
        "",
        anchor,
    );

    let policy = Arc::new(PersonPolicy::with_mode(SyncMode::TelephonyAndPresence));
    let before = resident()?;
    let began = Instant::now();
    let mut engine = Engine::new(Timing::default());
    for person in 0..people {
        load(&mut engine, person, &policy);
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{:<58} {took:>12.2}     {}",
        "seconds to load",
        verdict(took <= LOAD_SECONDS)
    );
    let each = resident()?.saturating_sub(before) as f64 / people as f64;
    println!(
        "{:<58} {each:>12.0}     {}",
        "bytes of memory per person",
        verdict(each <= BYTES)
    );

    let lines = handled(&mut engine, people, time, Kind::Change);
    row("line changes per second", lines, "", anchor);
    let renewals = handled(&mut engine, people, time, Kind::Renewal);
    row("renewals of a line per second", renewals, "", anchor);
    let sweeps = handled(&mut engine, people, time, Kind::Sweep);
    row("answers of Teams per second", sweeps, "", anchor);
    for (name, mixed) in [("idle", false), ("mixed", true)] {
        if mixed {
            mix(&mut engine, people);
        }
        // In order, like for a scan of all people, and out of order, where each access goes to main memory.
        for (order, stride) in [("in order", 1), ("in no order", STRIDE)] {
            let rate = per_second(time, people, stride, |person| {
                black_box(engine.compute(PersonId(person), NOW));
            });
            let name = format!("presence computations per second, {name}, {order}");
            let verdict = if stride == 1 {
                verdict(rate >= COMPUTATIONS)
            } else {
                ""
            };
            row(&name, rate, verdict, anchor);
        }
    }
    Ok(())
}

fn row(name: &str, rate: f64, verdict: &str, anchor: f64) {
    println!(
        "{name:<58} {rate:>12.0}     {verdict:<8} {:.3} of the anchor",
        rate / anchor
    );
}

/// Rate of `work` per second over all people; a stride other than 1 visits them out of order.
fn per_second(time: Duration, people: u64, stride: u64, mut work: impl FnMut(u64)) -> f64 {
    let (began, mut count, mut person) = (Instant::now(), 0u64, 0);
    loop {
        for _ in 0..BATCH {
            work(person);
            person = (person + stride) % people;
        }
        count += BATCH;
        let took = began.elapsed();
        if took >= time {
            return count as f64 / took.as_secs_f64();
        }
    }
}

/// The same loop over a plain map of the same size.
fn anchor(people: u64, time: Duration) -> f64 {
    let shared: Arc<str> = "Available".into();
    let map: BTreeMap<u64, Arc<str>> = (0..people).map(|person| (person, shared.clone())).collect();
    per_second(time, people, STRIDE, |person| {
        black_box(map.get(&person).cloned());
    })
}

const fn line(person: u64) -> LineId {
    LineId::Watched(person)
}

/// Adds an idle person: a line with a state, and a Teams account that is Available.
fn load(engine: &mut Engine, person: u64, policy: &Arc<PersonPolicy>) {
    let record = PersonRecord {
        lines: vec![line(person)],
        linked: true,
        ..PersonRecord::default()
    };
    let id = PersonId(person);
    engine.handle(NOW, Input::AddPerson(id, Box::new(record), policy.clone()));
    take(engine, person, LineState::Idle, NOW);
    observe(engine, person, "Available", "Available", NOW);
}

fn take(engine: &mut Engine, person: u64, state: LineState, now: Timestamp) {
    let fact = Fact::Line(
        line(person),
        LineChange::State {
            state,
            party: None,
            lease: LEASE,
        },
    );
    black_box(engine.handle(now, Input::Person(PersonId(person), fact)));
}

fn observe(engine: &mut Engine, person: u64, availability: &str, activity: &str, now: Timestamp) {
    let fact = Fact::TeamsObserved(TeamsAnswer {
        state: TeamsState::new(availability, activity),
        asked_at: now,
        sequence: None,
        tenant_lag: None,
    });
    black_box(engine.handle(now, Input::Person(PersonId(person), fact)));
}

#[derive(Clone, Copy)]
enum Kind {
    Change,
    Renewal,
    Sweep,
}

/// Rate of inputs of one kind per second. The time is constant, so that no deadlines fire.
fn handled(engine: &mut Engine, people: u64, time: Duration, kind: Kind) -> f64 {
    let mut rings = false;
    per_second(time, people, STRIDE, |person| match kind {
        Kind::Change => {
            rings ^= person == 0;
            let state = if rings {
                LineState::Ringing
            } else {
                LineState::Idle
            };
            take(engine, person, state, NOW);
        }
        Kind::Renewal => take(engine, person, LineState::Idle, NOW),
        Kind::Sweep => observe(engine, person, "Available", "Available", NOW),
    })
}

/// Puts each fifth of the people into another state: idle, in a call on the PBX, in a Teams call, in an appointment, with a
/// chosen profile.
/// appointment, in a state of their own choice.
fn mix(engine: &mut Engine, people: u64) {
    for person in 0..people {
        let fact = match person % 5 {
            1 => Fact::Line(
                line(person),
                LineChange::State {
                    state: LineState::Connected,
                    party: None,
                    lease: LEASE,
                },
            ),
            2 => Fact::TeamsObserved(TeamsAnswer {
                state: TeamsState::new("Busy", "InACall"),
                asked_at: NOW,
                sequence: None,
                tenant_lag: None,
            }),
            3 => Fact::Appointment(Appointment {
                id: AppointmentId(person),
                start: NOW,
                end: NOW + LEASE,
                text: "Review".into(),
                colour: APPOINTMENT_COLOUR.into(),
                profile: "Busy".into(),
                fallback: Status::Busy,
                private: false,
                origin: AppointmentOrigin::Manual,
            }),
            4 => Fact::Choice(Some(Choice {
                profile: "Do not disturb".into(),
                since: NOW,
                until: None,
            })),
            _ => continue,
        };
        black_box(engine.handle(NOW, Input::Person(PersonId(person), fact)));
    }
}

/// Resident memory of this process in bytes.
fn resident() -> anyhow::Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").context("/proc/self/statm")?;
    let pages = statm
        .split_whitespace()
        .nth(1)
        .context("no second field in /proc/self/statm")?;
    let page = 4096;
    Ok(pages.parse::<u64>()? * page)
}
