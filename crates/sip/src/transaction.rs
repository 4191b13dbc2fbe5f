//! Non-INVITE transactions (RFC 3261 §17.1.2, §17.2.2), as pure state machines.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::Transport;

/// Round-trip estimate (RFC 3261 §17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);

/// Longest pause between two transmissions of a request (RFC 3261 §17.1.2.2).
pub const T2: Duration = Duration::from_secs(4);

/// Timeout of a request, 64 × T1 (timer F), and time for which an answer is remembered (timer J).
pub const TIMEOUT: Duration = Duration::from_secs(32);

/// The effect of a response on a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The response belongs to another transaction.
    NotOurs,
    /// A provisional response: the transaction goes on.
    Provisional,
    /// The final response: the transaction has ended.
    Final,
}

/// The action due in a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// No action.
    Nothing,
    /// Send the request again (timer E).
    Retransmit,
    /// No answer came (timer F): the transaction has ended.
    TimedOut,
}

/// A request that waits for its answer.
#[derive(Clone, Debug)]
pub struct ClientTransaction {
    branch: String,
    request: Vec<u8>,
    retransmit_at: Option<Duration>,
    interval: Duration,
    gives_up_at: Duration,
}

impl ClientTransaction {
    /// The transaction of a request that has just been sent. `timeout` is [`TIMEOUT`], shorter for probes.
    pub fn new(
        now: Duration,
        transport: Transport,
        branch: String,
        request: Vec<u8>,
        timeout: Duration,
    ) -> Self {
        Self {
            branch,
            request,
            retransmit_at: (!transport.is_reliable()).then(|| now + T1),
            interval: T1,
            gives_up_at: now + timeout,
        }
    }

    /// The request, for a repetition.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Handles a response with this branch in its Via.
    pub fn respond(&mut self, now: Duration, branch: &str, code: u16) -> Progress {
        if branch != self.branch {
            return Progress::NotOurs;
        }
        if code >= 200 {
            return Progress::Final;
        }
        // In the state Proceeding the request is repeated every T2 (RFC 3261 §17.1.2.2).
        if self.retransmit_at.is_some() {
            self.interval = T2;
            self.retransmit_at = Some(now + T2);
        }
        Progress::Provisional
    }

    /// Returns the action that is due.
    pub fn elapse(&mut self, now: Duration) -> Due {
        if now >= self.gives_up_at {
            return Due::TimedOut;
        }
        match self.retransmit_at {
            Some(at) if now >= at => {
                self.interval = (self.interval * 2).min(T2);
                self.retransmit_at = Some(now + self.interval);
                Due::Retransmit
            }
            _ => Due::Nothing,
        }
    }

    /// When [`Self::elapse`] is due.
    pub fn next_deadline(&self) -> Duration {
        self.retransmit_at
            .map_or(self.gives_up_at, |at| at.min(self.gives_up_at))
    }
}

/// Answers given, so that a repeated request gets the same one again (RFC 3261 §17.2.2).
#[derive(Clone, Debug)]
pub struct RecentResponses {
    limit: usize,
    given: BTreeMap<String, Vec<u8>>,
    /// Keys in the order in which they are forgotten (timer J).
    order: VecDeque<(String, Duration)>,
}

impl RecentResponses {
    /// Remembers at most `limit` answers; the oldest is forgotten first.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            given: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// The earlier answer to this request, identified by method and branch.
    pub fn find(&self, key: &str) -> Option<&[u8]> {
        self.given.get(key).map(Vec::as_slice)
    }

    /// Remembers an answer, and forgets expired ones.
    pub fn remember(&mut self, now: Duration, key: String, response: Vec<u8>) {
        while self.order.len() >= self.limit
            || self.order.front().is_some_and(|(_, until)| now >= *until)
        {
            match self.order.pop_front() {
                Some((old, _)) => drop(self.given.remove(&old)),
                None => return,
            }
        }
        if self.given.insert(key.clone(), response).is_none() {
            self.order.push_back((key, now + TIMEOUT));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn over_udp_a_request_is_repeated_with_growing_pauses_and_given_up_after_32_seconds() {
        let mut transaction =
            ClientTransaction::new(ms(0), Transport::Udp, "b".into(), b"r".to_vec(), TIMEOUT);
        let mut sent = Vec::new();
        loop {
            let now = transaction.next_deadline();
            match transaction.elapse(now) {
                Due::Retransmit => sent.push(now.as_millis()),
                Due::TimedOut => break assert_eq!(now, TIMEOUT),
                Due::Nothing => panic!("woke for nothing"),
            }
        }
        assert_eq!(
            sent,
            [
                500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500
            ]
        );
    }

    #[test]
    fn over_tcp_nothing_is_repeated() {
        let mut transaction =
            ClientTransaction::new(ms(0), Transport::Tcp, "b".into(), b"r".to_vec(), TIMEOUT);
        assert_eq!(transaction.next_deadline(), TIMEOUT);
        assert_eq!(transaction.elapse(ms(31_999)), Due::Nothing);
        assert_eq!(transaction.elapse(TIMEOUT), Due::TimedOut);
    }

    #[test]
    fn a_provisional_response_slows_repetition_and_foreign_ones_are_ignored() {
        let mut transaction =
            ClientTransaction::new(ms(0), Transport::Udp, "b".into(), b"r".to_vec(), TIMEOUT);
        assert_eq!(transaction.respond(ms(10), "x", 200), Progress::NotOurs);
        assert_eq!(transaction.respond(ms(10), "b", 100), Progress::Provisional);
        assert_eq!(transaction.next_deadline(), ms(4010));
        assert_eq!(transaction.respond(ms(20), "b", 200), Progress::Final);
    }

    #[test]
    fn answers_are_remembered_for_a_while_and_up_to_a_number() {
        let mut recent = RecentResponses::new(2);
        for key in ["a", "b", "c"] {
            recent.remember(ms(0), key.into(), key.into());
        }
        assert_eq!(recent.find("a"), None);
        assert_eq!(recent.find("c"), Some(&b"c"[..]));
        recent.remember(TIMEOUT, "d".into(), b"d".to_vec());
        assert_eq!(
            (recent.find("c"), recent.find("d")),
            (None, Some(&b"d"[..]))
        );
        RecentResponses::new(0).remember(ms(0), "a".into(), vec![]);
    }
}
