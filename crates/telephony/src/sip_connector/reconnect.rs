//! When and to which server a lost connection is opened again. Pure.
//!
//! A PBX that answers OPTIONS may still end every connection a moment later, and each connection subscribes to all lines. An
//! answer therefore resets no pause; a connection that lasted for [`SETTLED_AFTER`] does.

use std::time::Duration;

/// Pauses while no server answers; the last one repeats. With the probe's timeout the return of a PBX is noticed within 5 s.
const UNANSWERED: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
];

/// Pauses after connections that ended soon although the PBX had answered; the last one repeats.
const SHORT_LIVED: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// A connection that lasted this long from the first answer on was a good one.
const SETTLED_AFTER: Duration = Duration::from_secs(30);

/// First and longest interval of probes of a preferred server while another one is used.
const SCOUT_INTERVAL: Duration = Duration::from_secs(10);
const SCOUT_INTERVAL_MAX: Duration = Duration::from_secs(300);

/// The end of a connection, or of the attempt to open one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionEnd {
    /// No answer came.
    Unanswered,
    /// The PBX answered over the connection, this long ago.
    Answered(Duration),
}

/// The server for the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextServer {
    Same,
    Other,
}

/// The history of connections.
#[derive(Debug, Default)]
pub(super) struct Reconnect {
    unanswered: usize,
    short_lived: usize,
    /// The connection leads to the preferred server, for which a working one was given up.
    has_returned: bool,
    failed_returns: u32,
}

impl Reconnect {
    /// The pause before the next attempt, and its server.
    pub(super) fn ended(&mut self, how: ConnectionEnd) -> (Duration, NextServer) {
        let is_settled = matches!(how, ConnectionEnd::Answered(lived) if lived >= SETTLED_AFTER);
        if std::mem::take(&mut self.has_returned) {
            self.failed_returns = match is_settled {
                true => 0,
                false => self.failed_returns.saturating_add(1),
            };
        }
        match how {
            ConnectionEnd::Unanswered => {
                let pause = nth(&UNANSWERED, self.unanswered);
                self.unanswered = self.unanswered.saturating_add(1);
                (pause, NextServer::Other)
            }
            ConnectionEnd::Answered(_) if is_settled => {
                (self.unanswered, self.short_lived) = (1, 0);
                (UNANSWERED[0], NextServer::Same)
            }
            ConnectionEnd::Answered(_) => {
                let pause = nth(&SHORT_LIVED, self.short_lived);
                // One short connection may be a restart of the PBX; after the second, another server may be better.
                let next = match self.short_lived {
                    0 => NextServer::Same,
                    _ => NextServer::Other,
                };
                self.unanswered = 0;
                self.short_lived = self.short_lived.saturating_add(1);
                (pause, next)
            }
        }
    }

    /// Whether the latest connections ended soon after an answer of the PBX.
    pub(super) fn is_unsettled(&self) -> bool {
        self.short_lived > 0
    }

    /// Records that a working connection is given up for the preferred server.
    pub(super) fn returns(&mut self) {
        self.has_returned = true;
    }

    /// The pause before the next probe of the preferred server: longer after each return that did not last.
    pub(super) fn scout_pause(&self) -> Duration {
        let pause = SCOUT_INTERVAL.saturating_mul(1 << self.failed_returns.min(5));
        pause.min(SCOUT_INTERVAL_MAX)
    }
}

fn nth(pauses: &[Duration], at: usize) -> Duration {
    let last = pauses.len().saturating_sub(1);
    pauses.get(at.min(last)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    // A10
    #[test]
    fn a_pbx_that_answers_and_ends_every_connection_is_left_alone_more_and_more() {
        let mut reconnect = Reconnect::default();
        let mut at = Duration::ZERO;
        let mut opened = Vec::new();
        while at < SECOND * 600 {
            opened.push(at);
            at += reconnect.ended(ConnectionEnd::Answered(Duration::ZERO)).0;
        }
        let within = |time| opened.iter().filter(|at| **at < time).count();
        assert!(within(SECOND * 12) <= 4, "{opened:?}");
        assert!(within(SECOND * 600) <= 16, "{opened:?}");
        assert!(reconnect.is_unsettled());
    }

    // A10
    #[test]
    fn answers_between_attempts_that_fail_reset_nothing() {
        let mut reconnect = Reconnect::default();
        let mut longest = Duration::ZERO;
        for _ in 0..10 {
            longest = longest.max(reconnect.ended(ConnectionEnd::Answered(SECOND)).0);
            reconnect.ended(ConnectionEnd::Unanswered);
        }
        assert_eq!(longest, SECOND * 60);
    }

    #[test]
    fn after_a_connection_that_lived_the_next_attempt_comes_soon_and_at_the_same_place() {
        let mut reconnect = Reconnect::default();
        for _ in 0..10 {
            reconnect.ended(ConnectionEnd::Answered(SECOND));
        }
        let soon = reconnect.ended(ConnectionEnd::Answered(SETTLED_AFTER));
        assert_eq!(soon, (UNANSWERED[0], NextServer::Same));
        assert!(!reconnect.is_unsettled());
        let total: Duration = (0..20)
            .map(|_| reconnect.ended(ConnectionEnd::Unanswered).0)
            .sum();
        assert!(total <= SECOND * 60, "3 s each: {total:?}");
    }

    // A10
    #[test]
    fn a_preferred_place_that_works_only_for_a_moment_is_returned_to_less_and_less() {
        let mut reconnect = Reconnect::default();
        assert_eq!(reconnect.scout_pause(), SCOUT_INTERVAL);
        for _ in 0..10 {
            reconnect.returns();
            reconnect.ended(ConnectionEnd::Answered(SECOND));
            // The other server works for as long as it is used.
            reconnect.ended(ConnectionEnd::Answered(SECOND * 300));
        }
        assert_eq!(reconnect.scout_pause(), SCOUT_INTERVAL_MAX);
        reconnect.returns();
        reconnect.ended(ConnectionEnd::Answered(SETTLED_AFTER));
        assert_eq!(reconnect.scout_pause(), SCOUT_INTERVAL);
    }
}
