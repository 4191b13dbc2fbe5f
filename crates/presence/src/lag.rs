//! Lag of a tenant: the time from a write to the first answer that shows it.

use std::{collections::VecDeque, time::Duration};

/// Number of lags kept.
const LAGS_MAX: usize = 1_000;
/// Smallest number of lags for an estimate.
const LAGS_MIN: usize = 10;
/// Smallest lag, in polling intervals: a shorter one cannot be measured.
const SWEEPS_MIN: u32 = 2;

/// Lags of the last writes to a tenant: for each the time from the write to the first answer that showed it.
#[derive(Clone, Debug, Default)]
pub struct TenantLag {
    last: VecDeque<Duration>,
    /// 99th percentile of the lags, if there are enough.
    p99: Option<Duration>,
}

impl TenantLag {
    /// Adds the lag of a write.
    pub fn record(&mut self, lag: Duration) {
        if self.last.len() >= LAGS_MAX {
            self.last.pop_front();
        }
        self.last.push_back(lag);
        let mut sorted: Vec<Duration> = self.last.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * 99).div_ceil(100);
        self.p99 = sorted
            .get(rank.saturating_sub(1))
            .copied()
            .filter(|_| sorted.len() >= LAGS_MIN);
    }

    /// The tenant's lag for a person with the polling interval `sweep`; `None` with fewer than ten lags.
    pub fn of(&self, sweep: Duration) -> Option<Duration> {
        Some(self.p99?.max(sweep * SWEEPS_MIN))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::TenantLag;

    const SWEEP: Duration = Duration::from_secs(1);

    #[test]
    fn the_lag_is_the_99th_percentile_of_the_last_thousand() {
        let mut lag = TenantLag::default();
        for number in 1..=9 {
            lag.record(Duration::from_secs(number));
            assert_eq!(lag.of(SWEEP), None, "{number} writes say nothing");
        }
        lag.record(Duration::from_secs(10));
        assert_eq!(
            lag.of(SWEEP),
            Some(Duration::from_secs(10)),
            "the largest of ten"
        );
        for _ in 0..990 {
            lag.record(Duration::from_secs(4));
        }
        assert_eq!(
            lag.of(SWEEP),
            Some(Duration::from_secs(4)),
            "ten of a thousand are larger"
        );
        for _ in 0..1_000 {
            lag.record(Duration::from_millis(100));
        }
        assert_eq!(lag.of(SWEEP), Some(SWEEP * 2), "at least two sweeps");
        assert_eq!(lag.of(SWEEP * 5), Some(SWEEP * 10));
    }
}
