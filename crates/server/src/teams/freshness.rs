//! Time for which an observation of Teams is fresh: three of the slowest sweeps (docs/presence-rules.md, "Leases"). A sweep
//! takes longer with more people and with more writes.

use std::time::Duration;

use super::SignIn;
use crate::app::TeamsOptions;

/// Sweeps that may fail before what was seen is stale.
const SWEEPS: u32 = 3;

/// What the length of a sweep depends on beside the people.
#[derive(Debug)]
pub(crate) struct Freshness {
    /// Of each tenant: whether everybody is asked for by themselves, and the requests per 30 seconds.
    tenants: Vec<(bool, Option<u32>)>,
}

impl Freshness {
    pub(crate) fn new(tenants: &[TeamsOptions]) -> Self {
        let tenants = tenants.iter().map(|tenant| {
            let by_themselves = matches!(tenant.sign_in, SignIn::People);
            (by_themselves, tenant.requests_per_30_seconds)
        });
        Self {
            tenants: tenants.collect(),
        }
    }

    /// With so many people, by the slowest tenant, while writes slow the sweep down.
    pub(crate) fn with(&self, people: usize) -> Duration {
        let rhythms = self.tenants.iter().map(|(by_themselves, requests)| {
            let asked = match by_themselves {
                true => people.saturating_mul(graph::BULK_MAX),
                false => people,
            };
            graph::rhythm(asked, *requests)
        });
        rhythms.max().unwrap_or(graph::FASTEST) * graph::SLOWDOWN_MAX * SWEEPS
    }
}

#[cfg(test)]
mod tests {
    use super::Freshness;

    #[test]
    fn the_slowest_tenant_decides_and_more_people_take_longer() {
        let fast = Freshness {
            tenants: vec![(false, None)],
        };
        let both = Freshness {
            tenants: vec![(false, None), (true, Some(30))],
        };
        // Three sweeps that writes have slowed down to three seconds each.
        assert_eq!(fast.with(100), graph::FASTEST * 9);
        assert!(both.with(100) > fast.with(100));
        assert!(both.with(1_000) > both.with(100));
    }
}
