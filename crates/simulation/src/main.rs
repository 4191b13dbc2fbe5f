//! Runs random histories against the core: many with `simulation --histories 100000`, one with `simulation --seed N`.

use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use clap::Parser;
use simulation::{EventLog, Failure, Tally, run};
use tokio::time::Instant;

#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    /// Run one history, by its seed.
    #[arg(long, conflicts_with = "histories")]
    seed: Option<u64>,
    /// Print the events of the history; a history that fails is always printed.
    #[arg(long, requires = "seed")]
    verbose: bool,
    /// Number of histories.
    #[arg(long, default_value_t = 1_000)]
    histories: u64,
    /// Seed of the first history.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => run_one(seed, arguments.verbose),
        None => run_many(arguments.from, arguments.histories),
    }
}

/// Runs one history.
fn run_one(seed: u64, verbose: bool) -> ExitCode {
    let mut log = EventLog::kept();
    let outcome = run(seed, &mut log);
    if verbose || outcome.is_err() {
        for line in log.lines() {
            println!("{line}");
        }
    }
    match outcome {
        Ok(_) => {
            println!("history {seed} keeps every invariant");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            report(&failure);
            ExitCode::FAILURE
        }
    }
}

/// Runs many histories on all cores. Stops at the first failure.
fn run_many(from: u64, histories: u64) -> ExitCode {
    let began = Instant::now();
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let first: Mutex<Option<Failure>> = Mutex::new(None);
    let tally = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= histories {
                        return;
                    }
                    let outcome = run(from.wrapping_add(number), &mut EventLog::silent());
                    done.fetch_add(1, Ordering::Relaxed);
                    if let Ok(one) = outcome {
                        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                        *tally = tally.plus(one);
                    }
                    if let Err(failure) = outcome {
                        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                        // Histories with lower seeds are still running: the lowest failing
                        // seed is found in any order of the threads.
                        if first.as_ref().is_none_or(|known| failure.seed < known.seed) {
                            *first = Some(failure);
                        }
                        next.store(histories, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let (done, took) = (
        done.into_inner(),
        began.elapsed().max(Duration::from_millis(1)),
    );
    let rate = done as f64 / took.as_secs_f64();
    println!(
        "{done} histories from {from} in {:.1} s, {rate:.0} per second",
        took.as_secs_f64()
    );
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Tally { calls, false_calls } = tally;
    println!(
        "{false_calls} false Teams calls in {calls} calls with a different lag for each answer"
    );
    match first.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None if !tally.is_allowed() => {
            eprintln!("at most one false Teams call in 1,000 calls is allowed");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
        Some(failure) => {
            report(&failure);
            ExitCode::FAILURE
        }
    }
}

fn report(failure: &Failure) {
    let Failure { seed, step, what } = failure;
    eprintln!("history {seed} breaks an invariant after step {step}: {what}");
    eprintln!("to repeat: cargo run --release -p simulation -- --seed {seed} --verbose");
}
