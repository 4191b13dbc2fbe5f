//! Interval of the sweep, which reads the presence of all people in turn, 650 per request.

use std::time::Duration;

/// Maximum number of ids in a `getPresencesByUserId` request (Graph, "cloudCommunications: getPresencesByUserId").
pub const BULK_MAX: usize = 650;

/// Share of the request limit that reads may use; the rest is for writes.
const SHARE: f64 = 0.35;
/// Shortest interval between two reads of a person. Nothing suggests that Graph's data is fresher than that.
pub const SWEEP_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Maximum factor by which a sweep slows down while writes need the budget.
pub const SLOWDOWN_MAX: u32 = 3;

/// Maximum number of people with recent activity who are read every second where a sweep takes longer than that.
pub const ACTIVE_PEOPLE_MAX: usize = 2 * BULK_MAX;
/// Requests per 30 seconds that reads of active people take from the share of reads.
const ACTIVE_PEOPLE_RESERVE: u32 = 172;

/// Time that one sweep over `people` takes within a limit of `limit` requests per 30 seconds.
pub fn sweep_interval(people: usize, limit: Option<u32>) -> Duration {
    let requests = people.div_ceil(BULK_MAX) as f64;
    let Some(limit) = limit else {
        return SWEEP_INTERVAL_MIN;
    };
    let within = |limit: u32| Duration::from_secs_f64(requests / (f64::from(limit) * SHARE / 30.0));
    if within(limit) <= SWEEP_INTERVAL_MIN {
        return SWEEP_INTERVAL_MIN;
    }
    within(limit.saturating_sub(ACTIVE_PEOPLE_RESERVE).max(limit / 2))
}

#[cfg(test)]
mod tests {
    use super::sweep_interval;

    #[test]
    fn the_sweep_interval_follows_from_people_and_limit() {
        let seconds = |people| sweep_interval(people, Some(1_500)).as_secs_f64();
        assert!((seconds(1) - 1.0).abs() < 1e-9);
        assert!((seconds(10_000) - 1.0).abs() < 1e-9);
        assert!((4.0..5.0).contains(&seconds(50_000)), "{}", seconds(50_000));
        assert!((sweep_interval(1_000_000, None).as_secs_f64() - 1.0).abs() < 1e-9);
    }
}
