//! How fast subscriptions are begun and renewed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sip::subscriber::Event;

use super::{Lines, Output};

/// SUBSCRIBEs that may wait for their answer at once: enough for thousands a second on a quick
/// system, few enough that their NOTIFYs fit into any socket buffer.
const IN_FLIGHT_MAX: usize = 100;

/// First and longest pause after wrong credentials: systems lock accounts after a few attempts.
const REFUSED_PAUSE_MIN: Duration = Duration::from_secs(30);
const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(300);

/// What a line waits to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Start,
    Elapsed,
    Refresh,
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: VecDeque<(Arc<str>, Job)>,
    in_flight: usize,
    /// Status code of the refusal, how often in a row, and until when everything waits.
    refused: Option<(u16, u32, Duration)>,
}

impl Pace {
    /// A subscription's transaction has begun or ended.
    pub(super) fn count(&mut self, was_pending: bool, is_pending: bool) {
        match (was_pending, is_pending) {
            (false, true) => self.in_flight += 1,
            (true, false) => self.in_flight = self.in_flight.saturating_sub(1),
            _ => {}
        }
    }

    /// The credentials were refused: the account is every line's, so all wait.
    pub(super) fn refused(&mut self, now: Duration, code: u16) {
        let (times, until) = match self.refused {
            // Those that were under way together are one attempt.
            Some((_, times, until)) if until > now => (times, until),
            earlier => {
                let times = earlier.map_or(0, |(_, times, _)| times + 1);
                (
                    times,
                    now + (REFUSED_PAUSE_MIN * (1 << times.min(4))).min(REFUSED_PAUSE_MAX),
                )
            }
        };
        self.refused = Some((code, times, until));
    }

    /// The credentials are right.
    pub(super) fn accepted(&mut self) {
        self.refused = None;
    }

    /// The code with which the credentials were refused last.
    pub(super) fn refused_with(&self) -> Option<u16> {
        self.refused.map(|(code, _, _)| code)
    }

    /// The system is gone: nobody's turn any more.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.refused = None;
    }

    /// When waiting lines may go on although nothing else happens.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.refused
            .map(|(_, _, until)| until)
            .filter(|_| !self.waiting.is_empty() && self.in_flight == 0)
    }

    fn next(&mut self, now: Duration) -> Option<(Arc<str>, Job)> {
        let limit = match self.refused {
            Some((_, _, until)) if until > now => 0,
            // One line finds out whether the password is right now.
            Some(_) => 1,
            None => IN_FLIGHT_MAX,
        };
        if self.in_flight >= limit {
            None
        } else {
            self.waiting.pop_front()
        }
    }
}

impl Lines {
    /// Lets a line wait for its turn.
    pub(super) fn queue(&mut self, extension: &Arc<str>, job: Job) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        if line.queued && job != Job::Start {
            // It renews or begins anyway when its turn comes; a second order for the same would be too much.
            return;
        }
        line.queued = true;
        self.pace.waiting.push_back((Arc::clone(extension), job));
        self.reschedule(extension);
    }

    /// Lets lines go on whose turn it is.
    pub(super) fn pump(&mut self, now: Duration, out: &mut Vec<Output>) {
        while let Some(account) = self.account.clone() {
            let Some((extension, job)) = self.pace.next(now) else {
                break;
            };
            let Some(line) = self.lines.get_mut(&extension) else {
                continue;
            };
            line.queued = false;
            let event = match job {
                Job::Start => Event::Start(account),
                Job::Elapsed => Event::Elapsed,
                Job::Refresh => Event::Refresh,
            };
            if !line.leaving {
                self.run(now, &extension, event, out);
            }
        }
    }
}
