//! What an administrator sets, and the times that the engine works with. Each number lives here, once, with its reason.

use std::time::Duration;

/// The engine's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a Teams observation is fresh: three sweeps, but at least a minute, so that a pause of the
    /// network is no news about people.
    pub observation_fresh: Duration,
    /// How long a stale Teams observation still keeps a call up.
    pub observation_stale: Duration,
    /// How long after its last confirmation a Teams appointment may be held at all.
    pub appointment_limit: Duration,
    /// How long after its last confirmation a Teams call is held under our Do not disturb, which hides its end.
    pub call_under_do_not_disturb: Duration,
    /// Lifetime of our app session in Teams: Graph's shortest, so that a crash clears itself soonest.
    pub session_lifetime: Duration,
    /// When our session is renewed: a minute before it ends, so that one lost request does no harm.
    pub session_renewal: Duration,
    /// Lifetime of a preferred Do not disturb: Microsoft drops it after a day.
    pub do_not_disturb_lifetime: Duration,
    /// How long after we took a write back its echo may still be seen (Graph promises notifications within a minute).
    pub settle: Duration,
    /// The least wait for the end of an echo while the tenant's lag is not known.
    pub settle_least: Duration,
    /// How long after a 404 that Teams contradicts the request is repeated.
    pub clear_again: Duration,
    /// Time between a clear and the next set of a slot that flaps, so that a flapping line cannot eat the tenant's
    /// budget. Other sets and clears never wait.
    pub write_interval: Duration,
    /// A slot flaps that was set so often …
    pub flapping_sets: usize,
    /// … within this time.
    pub flapping_within: Duration,
    /// When to stop writing for a person because somebody else seems to answer our writes. `None` switches it off.
    pub loop_breaker: Option<LoopBreaker>,
    /// How long an adopted call is kept in Teams after a start while its lines have not reported yet.
    pub adoption_grace: Duration,
    /// How long a line's last state counts once its connection is lost.
    pub line_stale: Duration,
    /// How long clients may take to return after a start before they count as gone.
    pub client_return: Duration,
    /// How often a lasting Teams call's confirmation is stored: often enough for a limit of hours.
    pub confirmation_interval: Duration,
}

/// Limits of the loop breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopBreaker {
    /// So many sets that repeat an earlier one …
    pub repetitions: u8,
    /// … within this time …
    pub within: Duration,
    /// … stop further ones for so long.
    pub pause: Duration,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Default for Timing {
    fn default() -> Self {
        Self {
            observation_fresh: MINUTE,
            observation_stale: Duration::from_secs(5 * 60),
            appointment_limit: Duration::from_secs(12 * 3600),
            call_under_do_not_disturb: Duration::from_secs(3600),
            session_lifetime: Duration::from_secs(5 * 60),
            session_renewal: Duration::from_secs(4 * 60),
            do_not_disturb_lifetime: Duration::from_secs(24 * 3600),
            settle: MINUTE,
            settle_least: Duration::from_secs(10),
            clear_again: Duration::from_secs(10),
            write_interval: Duration::from_secs(2),
            flapping_sets: 3,
            flapping_within: Duration::from_secs(10),
            loop_breaker: Some(LoopBreaker {
                repetitions: 6,
                within: MINUTE,
                pause: Duration::from_secs(5 * 60),
            }),
            adoption_grace: Duration::from_secs(4),
            line_stale: MINUTE,
            client_return: Duration::from_secs(5),
            confirmation_interval: Duration::from_secs(10 * 60),
        }
    }
}
