//! Histories of every test run: some new ones, and those that once failed.

use simulation::{EventLog, run};

/// Histories that once broke an invariant.
const ONCE_BROKEN: [u64; 6] = [0, 369, 4075, 11_733, 54_697, 86_497];

#[test]
fn a_modest_number_of_histories_keeps_every_invariant() {
    for seed in 0..300 {
        run(seed, &mut EventLog::silent()).unwrap_or_else(|failure| panic!("{failure:?}"));
    }
}

#[test]
fn histories_that_once_failed_keep_every_invariant() {
    for seed in ONCE_BROKEN {
        run(seed, &mut EventLog::silent()).unwrap_or_else(|failure| panic!("{failure:?}"));
    }
}

#[test]
fn a_seed_gives_the_same_history_every_time() {
    for seed in 0..20 {
        let run_again = || {
            let mut log = EventLog::kept();
            let outcome = run(seed, &mut log);
            (outcome, log.lines().to_vec())
        };
        let (first, second) = (run_again(), run_again());
        assert!(first.1.len() > 50, "hardly anything happened");
        assert_eq!(first, second);
    }
}
