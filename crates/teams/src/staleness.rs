//! Staleness limit of Teams' answers: three sweeps. A sweep takes longer with more people and more writes.

use std::time::Duration;

use super::{SignIn, TeamsOptions};

/// Sweeps that may fail before an answer is stale.
const SWEEPS: u32 = 3;

/// Computes the age up to which an answer of Teams counts, from the sweep intervals of all tenants.
#[derive(Debug)]
pub struct StalenessLimit {
    /// The way of signing in to each tenant, and its requests per 30 seconds.
    tenants: Vec<(SignIn, Option<u32>)>,
}

impl StalenessLimit {
    /// The limit for these tenants.
    pub fn new(tenants: &[TeamsOptions]) -> Self {
        let tenants = tenants.iter();
        let tenants = tenants.map(|tenant| (tenant.sign_in, tenant.requests_per_30_seconds));
        Self {
            tenants: tenants.collect(),
        }
    }

    /// The limit with this number of people: that of the slowest tenant while writes slow its sweep down.
    pub fn with(&self, people: usize) -> Duration {
        let intervals = self.tenants.iter().map(|(sign_in, limit)| {
            let elements = match sign_in {
                SignIn::Application => people,
                // Each person takes a request of their own.
                SignIn::People => people.saturating_mul(graph::BULK_MAX),
            };
            graph::sweep_interval(elements, *limit)
        });
        intervals.max().unwrap_or(graph::SWEEP_INTERVAL_MIN) * graph::SLOWDOWN_MAX * SWEEPS
    }
}

#[cfg(test)]
mod tests {
    use super::{SignIn, StalenessLimit};

    #[test]
    fn the_slowest_tenant_decides_and_more_people_take_longer() {
        let fast = StalenessLimit {
            tenants: vec![(SignIn::Application, None)],
        };
        let both = StalenessLimit {
            tenants: vec![(SignIn::Application, None), (SignIn::People, Some(30))],
        };
        // Three sweeps that writes have slowed down to three seconds each.
        assert_eq!(fast.with(100), graph::SWEEP_INTERVAL_MIN * 9);
        assert!(both.with(100) > fast.with(100));
        assert!(both.with(1_000) > both.with(100));
    }
}
