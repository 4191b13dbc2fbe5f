//! Lags of Graph's answers: constant, different for each call, growing during calls, or different for each
//! answer.

use std::time::Duration;

use crate::random::Random;

/// The lags of one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lags {
    /// Constant.
    Steady(Duration),
    /// Changes while no write of ours is in Teams.
    BetweenCalls,
    /// Grows while a write of ours is in Teams, and shrinks at other times.
    GrowsDuringCalls,
    /// Different for each answer: median 1 s, 99th percentile 5 s.
    EachAnswer,
}

impl Lags {
    /// Random lags.
    pub fn new(random: &mut Random) -> Self {
        match random.below(10) {
            0..5 => {
                let seconds = random.pick(&[0, 0, 1, 5, 20, 57]);
                Self::Steady(Duration::from_secs(seconds) + random.milliseconds(0, 999))
            }
            5..7 => Self::BetweenCalls,
            7..8 => Self::GrowsDuringCalls,
            _ => Self::EachAnswer,
        }
    }

    /// Next lag of one person's answers. `last` is the lag before; `in_use`: a write of ours is in Teams.
    pub fn next(self, last: Duration, in_use: bool, random: &mut Random) -> Duration {
        match (self, in_use) {
            (Self::Steady(lag), _) => lag,
            (Self::BetweenCalls, true) | (Self::GrowsDuringCalls, false) => last,
            (Self::BetweenCalls, false) => any(random),
            (Self::GrowsDuringCalls, true) => last.max(any(random)),
            (Self::EachAnswer, _) => each(random),
        }
    }

    /// Longest possible lag.
    pub const fn longest(self) -> Duration {
        match self {
            Self::Steady(lag) => lag,
            Self::BetweenCalls | Self::GrowsDuringCalls => Duration::from_secs(58),
            Self::EachAnswer => Duration::from_secs(10),
        }
    }
}

fn any(random: &mut Random) -> Duration {
    match random.below(3) {
        0 => random.milliseconds(0, 58_000),
        _ => each(random),
    }
}

/// Median 1 s, 99th percentile 5 s.
fn each(random: &mut Random) -> Duration {
    match random.below(100) {
        0..50 => random.milliseconds(200, 1_000),
        50..90 => random.milliseconds(1_000, 2_400),
        90..99 => random.milliseconds(2_400, 5_000),
        _ => random.milliseconds(5_000, 10_000),
    }
}
