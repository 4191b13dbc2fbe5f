//! The rhythm of the sweep: everybody's presence is read over and over, 650 people a request.

use std::time::Duration;

/// The most ids that `getPresencesByUserId` takes (Graph, cloudCommunications: getPresencesByUserId).
pub const BULK_MAX: usize = 650;

/// Share of the budget that reading may use, so that writes always find room.
const SHARE: f64 = 0.35;
/// Nobody needs to know faster, and Graph is not known to be fresher.
pub const SWEEP_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Factor by which a sweep takes longer at most while writes need the budget.
pub const SLOWDOWN_MAX: u32 = 3;

/// So many people with whom something is going on are read each second besides, where a sweep takes longer than that.
pub const ACTIVE_PEOPLE_MAX: usize = 2 * BULK_MAX;
/// What they take of a limit, in requests per 30 seconds: they too belong to the share that reading has.
const ACTIVE_PEOPLE_RESERVE: u32 = 172;

/// How long one sweep over `people` may take within a budget of `limit` requests per 30 seconds.
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
    fn the_rhythm_is_that_of_the_design() {
        let seconds = |people| sweep_interval(people, Some(1_500)).as_secs_f64();
        assert!((seconds(1) - 1.0).abs() < 1e-9);
        assert!((seconds(10_000) - 1.0).abs() < 1e-9);
        assert!((4.0..5.0).contains(&seconds(50_000)), "{}", seconds(50_000));
        assert!((sweep_interval(1_000_000, None).as_secs_f64() - 1.0).abs() < 1e-9);
    }
}
