//! The rate limit of one subscription's or publication's requests, independent of the peer's answers.
//!
//! Two limits, one counter. [`Floor::free_at`] limits all requests to four in two seconds: with the repetition of the last
//! one over UDP these are five a second. [`Floor::pause`] grows with each failure in a row, from ten seconds to five
//! minutes, and a request that has to wait for the first limit counts as a failure, so that a peer that keeps asking for
//! requests gets fewer and fewer. A subscription that lived for half a minute clears the counter, and the next one begins at
//! once.

use std::{collections::VecDeque, time::Duration};

use crate::ids::Ids;

/// First pause after a failure.
pub const RETRY_INTERVAL_MIN: Duration = Duration::from_secs(10);

/// Longest pause, also after a refusal that only an administrator can end.
pub const RETRY_INTERVAL_MAX: Duration = Duration::from_secs(300);

/// Requests within [`WINDOW`]: a proxy's challenge, a PBX's challenge and a stale nonce are answered at once.
const BURST: usize = 4;

/// The time in which at most [`BURST`] requests begin.
const WINDOW: Duration = Duration::from_secs(2);

/// Life of a subscription after which the failures before it no longer count. FreeSWITCH ends a subscription with a
/// nonce older than a minute.
const SETTLED: Duration = Duration::from_secs(30);

/// Shortest time between a request and the renewal after it. A lease of ten seconds is renewed in time.
pub(crate) const RENEWAL_MIN: Duration = Duration::from_secs(5);

/// The requests of one subscription or publication: the latest, and how many failed in a row.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    /// When the latest were sent, repetitions included, the oldest first: at most [`BURST`].
    sent: VecDeque<Duration>,
    failures: u32,
}

impl Floor {
    /// Counts a request that is sent or repeated.
    pub(crate) fn count(&mut self, now: Duration) {
        if self.sent.len() == BURST {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
    }

    /// When the next request may be sent.
    pub(crate) fn free_at(&self) -> Duration {
        match self.sent.front() {
            Some(first) if self.sent.len() == BURST => *first + WINDOW,
            _ => Duration::ZERO,
        }
    }

    /// Lets one more request through that the owner demands, not the peer.
    pub(crate) fn make_room(&mut self) {
        if self.sent.len() == BURST {
            self.sent.pop_front();
        }
    }

    /// The time for a request that may not be sent now, which counts as a failure.
    pub(crate) fn defer(&mut self, now: Duration, ids: &mut Ids) -> Duration {
        let at = now + self.pause_after_first(ids);
        self.fail();
        at.max(self.free_at())
    }

    /// When to renew a lease of `life`: between half and four fifths of it, spread so that renewals do not bunch up, and
    /// never at once after the last request.
    pub(crate) fn renewal(&self, now: Duration, life: Duration, ids: &mut Ids) -> Duration {
        let planned = now + life * (500 + ids.per_mille() * 3 / 10) / 1000;
        match self.sent.back() {
            Some(last) => planned.max(*last + RENEWAL_MIN),
            None => planned,
        }
    }

    /// The time of a renewal out of turn, after `times` of them in a row: at once, then with growing distance from the last
    /// request.
    pub(crate) fn urgent(&self, now: Duration, times: u32, ids: &mut Ids) -> Duration {
        let pause = times.checked_sub(1).map(|before| pause(before, ids));
        let last = self.sent.back().copied().unwrap_or_default();
        now.max(last + pause.unwrap_or_default())
    }

    pub(crate) fn fail(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Number of failures in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn clear(&mut self) {
        self.failures = 0;
    }

    /// Clears the counter of failures if the subscription lived long enough.
    pub(crate) fn settle(&mut self, lived: Duration) {
        if lived >= SETTLED {
            self.failures = 0;
        }
    }

    /// The pause after the end of a subscription that lived for `lived`.
    pub(crate) fn restart(&mut self, lived: Duration, ids: &mut Ids) -> Duration {
        self.settle(lived);
        self.pause_after_first(ids)
    }

    /// The pause after a failure.
    pub(crate) fn pause(&self, ids: &mut Ids) -> Duration {
        pause(self.failures, ids)
    }

    /// The pause if the first failure is followed by a request at once.
    fn pause_after_first(&self, ids: &mut Ids) -> Duration {
        let before = self.failures.checked_sub(1);
        before.map(|before| pause(before, ids)).unwrap_or_default()
    }
}

/// The Expires for the request after a 423 with this minimum: the minimum itself, or at least twice an earlier one, so that
/// a peer with ever growing minimums is soon given up. The same without a minimum. `None`: `most` was requested, or is not
/// enough.
pub(crate) fn longer(
    requested: u32,
    earlier: Option<u32>,
    minimum: Option<u32>,
    most: u32,
) -> Option<u32> {
    let minimum = match (minimum, earlier) {
        (Some(minimum), None) if minimum > requested => minimum,
        (minimum, _) => minimum
            .unwrap_or_default()
            .max(requested.saturating_mul(2).min(most)),
    };
    (requested < most && minimum <= most).then_some(minimum)
}

/// 10 s, doubling up to five minutes.
fn base(failures: u32) -> Duration {
    RETRY_INTERVAL_MIN
        .saturating_mul(1 << failures.min(5))
        .min(RETRY_INTERVAL_MAX)
}

/// The pause, a fifth more or less, so that thousands of subscriptions do not run in step.
fn pause(failures: u32, ids: &mut Ids) -> Duration {
    base(failures) * (800 + ids.per_mille() * 2 / 5) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    // A5
    #[test]
    fn four_requests_in_two_seconds_and_then_fewer_and_fewer() {
        let (mut floor, mut ids) = (Floor::default(), Ids::new([1; 32]));
        let mut now = SECOND;
        let mut sent = Vec::new();
        while now < SECOND * 3600 {
            if now >= floor.free_at() {
                floor.count(now);
                sent.push(now);
            } else {
                now = floor.defer(now, &mut ids);
            }
        }
        assert_eq!((sent[3], sent[4]), (SECOND, SECOND * 3));
        assert!(sent.windows(5).all(|five| five[4] - five[0] >= WINDOW));
        let last_hour = sent.iter().filter(|at| **at > SECOND * 600).count();
        assert!(last_hour < 4 * 14, "{last_hour}");
    }

    // A5
    #[test]
    fn the_first_restart_is_at_once_and_so_is_each_after_half_a_minute() {
        let (mut floor, mut ids) = (Floor::default(), Ids::new([1; 32]));
        let mut pauses = |lived: u32| -> Vec<u64> {
            let mut restart = || {
                let pause = floor.restart(SECOND * lived, &mut ids);
                floor.fail();
                pause.as_secs()
            };
            (0..8).map(|_| restart()).collect()
        };
        let often = pauses(29);
        assert_eq!(often[0], 0);
        assert!(often[1] >= 8 && often[7] >= 240, "{often:?}");
        assert_eq!(pauses(30), [0; 8]);
    }

    // A5, A17
    #[test]
    fn an_interval_that_grows_by_one_or_is_not_named_is_soon_done() {
        const DAY: u32 = 86_400;
        assert_eq!(longer(600, None, Some(1800), DAY), Some(1800));
        assert_eq!(longer(600, None, Some(DAY + 1), DAY), None);
        let peers: [fn(u32) -> Option<u32>; 3] =
            [|requested| Some(requested + 1), |_| None, |_| Some(0)];
        for minimum in peers {
            let (mut requested, mut earlier, mut rounds) = (600, None, 0);
            while let Some(more) = longer(requested, earlier, minimum(requested), DAY) {
                assert!(more > requested);
                (requested, earlier, rounds) = (more, Some(more), rounds + 1);
            }
            assert!(rounds < 11 && requested == DAY, "{rounds} {requested}");
        }
    }
}
