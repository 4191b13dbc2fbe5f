//! The gate of an account: whether a request may be sent with its credentials now, and how many at once. Pure.
//!
//! Phone systems and tools such as fail2ban lock an account or an address after a few failed logins, and a hundred subscriptions
//! are a hundred logins. So **one request proves the credentials before the others are sent**: at the start, after a reconnect,
//! after each refusal, and when the PBX seems to have restarted.
//!
//! - The credentials are *proven* by a 2xx, or by another final answer to a request with credentials (401, 403, 407, 408 and server
//!   errors excepted). Then any number up to the owner's limit may be under way.
//! - Until then there is one request at a time. After [`PROOF_TIMEOUT`] without an answer, or after an answer that proves nothing (404
//!   without a login), the next line is tried.
//! - A refusal belongs to its line alone as long as other lines are accepted. A line that was not refused itself is asked next. The
//!   *account* counts as refused once different lines are refused in a row with no acceptance in between: [`REFUSALS_AT_START`] if
//!   nothing was accepted since the connection was made, otherwise [`REFUSALS_AFTER_PROOF`]; or all lines, if there are fewer.
//!   Then everything waits, and after each pause one request finds out whether the password is right now.

use std::{collections::BTreeSet, time::Duration};

use sip::{digest::Evidence, subscriber::Trouble};

/// Longest wait of other requests for the answer to the request that proves the credentials.
pub(super) const PROOF_TIMEOUT: Duration = Duration::from_secs(2);

/// Number of lines refused in a row before the account counts as refused, while no line was accepted: a second line, because
/// a single line may be refused for reasons of its own.
const REFUSALS_AT_START: usize = 2;

/// The same number after an acceptance on this connection: an administrator may have changed a few lines together.
const REFUSALS_AFTER_PROOF: usize = 4;

/// First and longest pause after the account was refused.
const RETRY_INTERVAL_MIN: Duration = Duration::from_secs(30);
const RETRY_INTERVAL_MAX: Duration = Duration::from_secs(300);

/// The refusal of the whole account.
#[derive(Debug)]
struct Refusal {
    trouble: Trouble,
    /// Number of pauses so far.
    times: u32,
    until: Duration,
}

/// Permission for requests that carry the same credentials but pass another gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hold {
    #[default]
    Free,
    /// A request that proves the credentials is under way: no other begins before this time unless its answer comes.
    Until(Duration),
    /// The credentials were proven wrong, or their proof is about to begin.
    Closed,
}

impl Hold {
    /// Whether requests may begin now.
    pub(super) fn is_free(self, now: Duration) -> bool {
        match self {
            Self::Free => true,
            Self::Until(until) => now >= until,
            Self::Closed => false,
        }
    }
}

/// State of the credentials on one connection. `K` names a line or a publication.
#[derive(Debug)]
pub(super) struct Gate<K> {
    is_proven: bool,
    was_accepted: bool,
    /// Lines refused in a row; at most [`REFUSALS_AFTER_PROOF`].
    refused: BTreeSet<K>,
    refusal: Option<Refusal>,
    /// When the latest request that may prove the credentials began.
    proof_begun_at: Duration,
    /// When the first of these requests since the last acceptance or refusal began.
    undecided_since: Option<Duration>,
}

impl<K> Default for Gate<K> {
    fn default() -> Self {
        Self {
            is_proven: false,
            was_accepted: false,
            refused: BTreeSet::new(),
            refusal: None,
            proof_begun_at: Duration::ZERO,
            undecided_since: None,
        }
    }
}

impl<K: Ord + Clone> Gate<K> {
    /// Handles a new connection. Refusals outlive a connection: a PBX that closes it after a failed login must not get the
    /// next login at once.
    pub(super) fn reconnected(&mut self) {
        self.is_proven = false;
        self.was_accepted = false;
        self.proof_begun_at = Duration::ZERO;
        self.undecided_since = None;
    }

    /// Handles the suspicion that the PBX has restarted, maybe with another password. The next answer proves the
    /// credentials, and only one request begins before it.
    pub(super) fn doubt(&mut self, now: Duration) {
        if self.is_proven {
            self.is_proven = false;
            self.proof_begun_at = now;
            self.undecided_since = Some(now);
        }
    }

    /// Handles an answer that accepts the credentials.
    pub(super) fn accepted(&mut self) {
        self.is_proven = true;
        self.was_accepted = true;
        self.undecided_since = None;
        self.refused.clear();
        self.refusal = None;
    }

    /// The refusal of the credentials in an answer without a trouble of its own: some phone systems answer 403 to a wrong
    /// password.
    pub(super) fn refusal(&self, evidence: Option<Evidence>) -> Option<Trouble> {
        let is_refusal = evidence == Some(Evidence::Forbidden) && !self.is_proven;
        is_refusal.then_some(Trouble::Refused { code: 403 })
    }

    /// Handles the refusal of `key`'s credentials. `total` is the number of lines that could be tried.
    pub(super) fn refused(&mut self, now: Duration, key: &K, trouble: &Trouble, total: usize) {
        self.is_proven = false;
        self.proof_begun_at = now;
        self.undecided_since = None;
        if self.refused.len() < REFUSALS_AFTER_PROOF {
            self.refused.insert(key.clone());
        }
        let needed = match self.was_accepted {
            true => REFUSALS_AFTER_PROOF,
            false => REFUSALS_AT_START,
        };
        let times = match &self.refusal {
            // Requests under way at the same time count as one attempt.
            Some(refusal) if refusal.until > now => return,
            Some(refusal) => refusal.times.saturating_add(1),
            None if self.refused.len() < needed.min(total.max(1)) => return,
            None => 0,
        };
        let pause = (RETRY_INTERVAL_MIN * (1 << times.min(4))).min(RETRY_INTERVAL_MAX);
        self.refusal = Some(Refusal {
            trouble: trouble.clone(),
            times,
            until: now + pause,
        });
    }

    /// The refusal of the whole account; `None` while the account is not refused.
    pub(super) fn trouble(&self) -> Option<&Trouble> {
        self.refusal.as_ref().map(|refusal| &refusal.trouble)
    }

    pub(super) fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// Whether the same credentials were accepted for another line, and the account is not refused.
    pub(super) fn is_accepted_elsewhere(&self) -> bool {
        self.was_accepted && self.refusal.is_none()
    }

    /// Whether the next attempt should use a line that was not refused.
    pub(super) fn wants_second_opinion(&self) -> bool {
        !self.refused.is_empty()
    }

    /// Whether another request may begin while `in_flight` of at most `limit` requests are under way.
    pub(super) fn is_open(&self, now: Duration, in_flight: usize, limit: usize) -> bool {
        match self.is_proven {
            true => in_flight < limit,
            false => self.opens_at(in_flight).is_none_or(|at| now >= at),
        }
    }

    /// Records the start of a request.
    pub(super) fn begin(&mut self, now: Duration) {
        if !self.is_proven {
            self.proof_begun_at = now;
            self.undecided_since.get_or_insert(now);
        }
    }

    /// When other requests with the same credentials stop waiting for the proof.
    pub(super) fn proof_due_at(&self) -> Option<Duration> {
        self.undecided_since.map(|since| since + PROOF_TIMEOUT)
    }

    /// When another request may begin without any answer; `None`: at once, or as soon as an answer comes.
    pub(super) fn opens_at(&self, in_flight: usize) -> Option<Duration> {
        let pause = self.refusal.as_ref().map(|refusal| refusal.until);
        let proof = (in_flight > 0).then_some(self.proof_begun_at + PROOF_TIMEOUT);
        pause.max(proof).filter(|_| !self.is_proven)
    }
}

/// Whether a trouble is the refusal of credentials.
pub(super) fn is_refusal(trouble: &Trouble) -> bool {
    matches!(
        trouble,
        Trouble::WrongCredentials { .. } | Trouble::UnusableChallenge { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const WRONG: Trouble = Trouble::WrongCredentials { code: 407 };

    fn gate() -> Gate<u32> {
        Gate::default()
    }

    // A20
    #[test]
    fn one_request_at_a_time_until_one_is_accepted() {
        let mut gate = gate();
        assert!(gate.is_open(SECOND, 0, 100));
        gate.begin(SECOND);
        assert!(!gate.is_open(SECOND, 1, 100));
        assert_eq!(gate.opens_at(1), Some(SECOND + PROOF_TIMEOUT));
        assert!(gate.is_open(SECOND + PROOF_TIMEOUT, 1, 100));
        gate.accepted();
        assert!(gate.is_open(SECOND, 99, 100) && !gate.is_open(SECOND, 100, 100));
        gate.reconnected();
        assert!(!gate.is_open(SECOND, 1, 100) && gate.is_open(SECOND, 0, 100));
    }

    // A2
    #[test]
    fn one_line_that_is_refused_each_time_is_not_the_account() {
        let mut gate = gate();
        gate.refused(SECOND, &7, &WRONG, 20);
        assert!(gate.trouble().is_none() && gate.is_open(SECOND, 0, 100));
        gate.accepted();
        for _ in 0..100 {
            gate.refused(SECOND, &7, &WRONG, 20);
            assert!(gate.trouble().is_none() && gate.is_accepted_elsewhere());
            assert!(
                !gate.is_open(SECOND, 1, 100),
                "one request proves the credentials again"
            );
        }
        for key in [8, 9, 10] {
            gate.refused(SECOND, &key, &WRONG, 20);
        }
        assert_eq!(gate.trouble(), Some(&WRONG));
        assert!(!gate.is_open(SECOND * 30, 0, 100) && gate.is_open(SECOND * 31, 0, 100));
        gate.accepted();
        assert!(gate.trouble().is_none() && gate.is_proven());
    }

    // A20
    #[test]
    fn a_wrong_password_is_tried_twice_at_the_start_and_then_once_after_each_pause() {
        let mut gate = gate();
        let (mut now, mut tries) = (SECOND, 0);
        while now < SECOND * 3600 {
            assert!(gate.is_open(now, 0, 100));
            tries += 1;
            gate.refused(now, &tries, &WRONG, 300);
            // A connection that is closed after each failed login makes no difference.
            gate.reconnected();
            now = gate.opens_at(0).unwrap_or(now);
        }
        // Pauses of 30, 60, 120, 240 and then 300 s.
        assert_eq!(tries, 16);
    }

    #[test]
    fn all_lines_are_enough_if_there_are_few() {
        let mut gate = gate();
        gate.refused(SECOND, &1, &WRONG, 1);
        assert!(gate.trouble().is_some());
    }
}
