//! The times that the engine works with: each number once, with its reason.

use std::time::Duration;

/// The engine's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Time for which an observation of Teams is fresh: three sweeps, at least a minute, so that a short loss
    /// of the network changes nothing.
    pub observation_fresh: Duration,
    /// Time after that for which a stale observation still keeps a Teams call.
    pub observation_stale: Duration,
    /// Longest time for which a Teams call is kept after its last confirmation.
    pub appointment_limit: Duration,
    /// Longest time for which a Teams call is kept under our Do not disturb, which hides its end, after its
    /// last confirmation.
    pub call_under_do_not_disturb: Duration,
    /// Lifetime of our app session in Teams: Graph's minimum, so that the session ends soonest after a crash.
    pub session_lifetime: Duration,
    /// Interval of the session's renewals: a minute shorter than its lifetime, so that one lost request does
    /// no harm.
    pub session_renewal: Duration,
    /// Lifetime of a preferred Do not disturb: Microsoft drops it after a day.
    pub do_not_disturb_lifetime: Duration,
    /// Longest time for which the echo of a cleared write may be seen (Graph promises notifications within a
    /// minute).
    pub settle: Duration,
    /// Shortest wait for the end of an echo while the tenant's lag is not known.
    pub settle_least: Duration,
    /// Interval at which a clear is repeated that Teams answers with 404 while it shows the write.
    pub clear_again: Duration,
    /// Time between a clear and the next set of a flapping slot, so that a flapping line does not use up the
    /// tenant's requests. Other sets and clears never wait.
    pub write_interval: Duration,
    /// A slot flaps that was set this often …
    pub flapping_sets: usize,
    /// … within this time.
    pub flapping_within: Duration,
    /// Limits after which writes for a person pause because another program seems to overwrite them; `None`:
    /// no limits.
    pub loop_breaker: Option<LoopBreaker>,
    /// Time for which an adopted call is kept in Teams after a start while its lines have not reported.
    pub adoption_grace: Duration,
    /// Time for which a line's last state counts after the loss of its connection.
    pub line_stale: Duration,
    /// Time in which clients reconnect after a start before they count as gone.
    pub client_return: Duration,
    /// Interval at which the confirmation of a long Teams call is stored; the limit is hours.
    pub confirmation_interval: Duration,
}

/// Limits of the loop breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopBreaker {
    /// This number of sets that repeat an earlier one …
    pub repetitions: u8,
    /// … within this time …
    pub within: Duration,
    /// … pause further sets for this time.
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
