//! State of a connection: its phase, its time-outs, and its worth when there is no room.

use std::time::Duration;

use tokio::time::Instant;

/// Time for the header of a request, from the connection's start or the request's first byte.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for a body, beside the time that its bytes take at [`RATE_MIN`].
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Time between two requests of a connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Time for a peer that does not read its answer, beside the time that the read bytes take at [`RATE_MIN`].
const UNREAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Rate of the slowest useful line, in bytes per second.
const RATE_MIN: u64 = 16 * 1024;

/// Phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing has arrived yet.
    Fresh,
    /// A part of a header has arrived.
    Header,
    /// The header has arrived, the body has not.
    Body,
    /// The whole request has arrived; the answer is made or sent. Streams of events stay here.
    Answer,
    /// Everything is answered; the peer may ask again.
    Idle,
    /// It is a WebSocket.
    Upgraded,
}

/// Reason why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum CloseReason {
    /// The header did not arrive in time.
    Header,
    /// The body did not arrive in time.
    Body,
    /// It was idle for too long.
    Idle,
    /// The peer did not read its answer.
    Unread,
    /// It made room for another.
    Room,
    /// There was no room for it.
    Refused,
}

impl CloseReason {
    /// Label of the metric.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Header => "header_timeout",
            Self::Body => "body_timeout",
            Self::Idle => "idle_timeout",
            Self::Unread => "unread_answer",
            Self::Room => "made_room",
            Self::Refused => "refused",
        }
    }
}

/// Whether the peer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Its last request was not authenticated.
    Stranger,
    /// Its last request was authenticated.
    Known,
}

/// Worth of a connection when there is no room, the least first. Others are not closed for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// The server waits for a stranger.
    Stranger,
    /// An authenticated peer is idle between two requests.
    Idle,
    /// A stranger is answered: one that sends request after request is hardly ever in another phase.
    Answered,
}

/// An answer that the peer does not read.
#[derive(Clone, Copy, Debug)]
struct UnreadAnswer {
    since: Instant,
    /// Bytes that the peer has read since.
    read: u64,
}

/// State of a connection.
#[derive(Debug)]
pub(super) struct State {
    phase: Phase,
    since: Instant,
    /// Bytes of a request that has not arrived completely.
    received: usize,
    unread: Option<UnreadAnswer>,
    standing: Standing,
    /// Whether a request has been answered on it.
    is_used: bool,
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Fresh,
            since: now,
            received: 0,
            unread: None,
            standing: Standing::Stranger,
            is_used: false,
        }
    }

    /// Whether a request has been answered on it before.
    pub(super) fn is_used(&self) -> bool {
        self.is_used
    }

    /// Records received bytes. Returns the number of them that are a stranger's unfinished request.
    pub(super) fn read(&mut self, bytes: usize, now: Instant) -> usize {
        match self.phase {
            Phase::Fresh => self.phase = Phase::Header,
            Phase::Idle => {
                (self.phase, self.since) = (Phase::Header, now);
                self.standing = Standing::Stranger;
            }
            Phase::Header | Phase::Body => {}
            Phase::Answer | Phase::Upgraded => return 0,
        }
        self.received += bytes;
        match self.standing {
            Standing::Stranger => bytes,
            Standing::Known => 0,
        }
    }

    /// Records a complete header. Returns the bytes that no longer count as an unfinished request.
    pub(super) fn begin(&mut self, phase: Phase, now: Instant) -> usize {
        let counted = self.take_unfinished();
        (self.phase, self.since, self.standing) = (phase, now, Standing::Stranger);
        counted
    }

    /// Records a complete request. Returns as [`Self::begin`] does.
    pub(super) fn complete(&mut self, now: Instant) -> usize {
        if self.phase != Phase::Body {
            return 0;
        }
        (self.phase, self.since) = (Phase::Answer, now);
        self.take_unfinished()
    }

    /// Records that the request is authenticated. Returns as [`Self::begin`] does.
    pub(super) fn mark_authenticated(&mut self) -> usize {
        let counted = match self.standing {
            Standing::Stranger => self.received,
            Standing::Known => 0,
        };
        self.standing = Standing::Known;
        counted
    }

    /// The answer has been given to the stream.
    pub(super) fn answered(&mut self, now: Instant) {
        self.is_used = true;
        if self.phase != Phase::Upgraded {
            (self.phase, self.since) = (Phase::Idle, now);
        }
    }

    /// The connection becomes a WebSocket with the answer.
    pub(super) fn upgraded(&mut self, now: Instant) {
        (self.phase, self.since) = (Phase::Upgraded, now);
    }

    /// Returns the bytes that no longer count as an unfinished request: it is complete, or the connection is closed.
    pub(super) fn take_unfinished(&mut self) -> usize {
        let received = std::mem::take(&mut self.received);
        match self.standing {
            Standing::Stranger => received,
            Standing::Known => 0,
        }
    }

    /// Records that the peer reads nothing at present.
    pub(super) fn stalled(&mut self, now: Instant) {
        self.unread.get_or_insert(UnreadAnswer {
            since: now,
            read: 0,
        });
    }

    /// Records bytes that the peer has read.
    pub(super) fn peer_read(&mut self, bytes: usize) {
        if let Some(unread) = &mut self.unread {
            unread.read += bytes as u64;
        }
    }

    /// The operating system has everything that was to be sent.
    pub(super) fn caught_up(&mut self) {
        self.unread = None;
    }

    /// The time-out that has passed, if one has.
    pub(super) fn overdue(&self, now: Instant) -> Option<CloseReason> {
        if let Some(unread) = self.unread {
            let timeout = UNREAD_TIMEOUT + at_rate_min(unread.read);
            if now >= unread.since + timeout {
                return Some(CloseReason::Unread);
            }
        }
        let (timeout, reason) = match self.phase {
            Phase::Fresh | Phase::Header => (HEADER_TIMEOUT, CloseReason::Header),
            Phase::Body => (
                BODY_TIMEOUT + at_rate_min(self.received as u64),
                CloseReason::Body,
            ),
            Phase::Idle => (IDLE_TIMEOUT, CloseReason::Idle),
            Phase::Answer | Phase::Upgraded => return None,
        };
        (now >= self.since + timeout).then_some(reason)
    }

    /// The worth of the connection when there is no room, and the start of its wait; `None`: it is not closed for room.
    pub(super) fn worth(&self) -> Option<(Worth, Instant)> {
        match (self.standing, self.phase, self.unread) {
            (Standing::Stranger, _, Some(unread)) => Some((Worth::Stranger, unread.since)),
            (
                Standing::Stranger,
                Phase::Fresh | Phase::Header | Phase::Body | Phase::Idle,
                None,
            ) => Some((Worth::Stranger, self.since)),
            (Standing::Known, Phase::Idle, None) => Some((Worth::Idle, self.since)),
            (Standing::Stranger, Phase::Answer, None) => Some((Worth::Answered, self.since)),
            (Standing::Stranger, Phase::Upgraded, None) | (Standing::Known, _, _) => None,
        }
    }

    /// Whether a part of a request has arrived and the rest has not.
    pub(super) fn is_unfinished(&self) -> bool {
        self.received > 0 && self.standing == Standing::Stranger
    }
}

/// Time that bytes take on the slowest useful line.
fn at_rate_min(bytes: u64) -> Duration {
    Duration::from_secs(bytes / RATE_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn new() -> (State, Instant) {
        let now = Instant::now();
        (State::new(now), now)
    }

    #[test]
    fn a_header_has_ten_seconds_from_the_start_of_the_connection() {
        let (mut state, start) = new();
        assert_eq!(state.overdue(start + SECOND * 9), None);
        assert_eq!(
            state.overdue(start + SECOND * 10),
            Some(CloseReason::Header)
        );
        // A byte now and then does not prolong it.
        state.read(1, start + SECOND * 9);
        assert_eq!(
            state.overdue(start + SECOND * 10),
            Some(CloseReason::Header)
        );
    }

    #[test]
    fn a_body_has_ten_seconds_and_what_a_slow_line_takes() {
        let (mut state, start) = new();
        state.read(100, start);
        state.begin(Phase::Body, start);
        assert_eq!(state.overdue(start + SECOND * 10), Some(CloseReason::Body));
        state.read(8 * 1024 * 1024, start + SECOND);
        assert_eq!(state.overdue(start + SECOND * 500), None);
        assert_eq!(state.overdue(start + SECOND * 522), Some(CloseReason::Body));
        state.complete(start + SECOND * 300);
        assert_eq!(state.overdue(start + SECOND * 9_000), None, "streams stay");
    }

    #[test]
    fn a_connection_may_be_idle_for_a_minute() {
        let (mut state, start) = new();
        state.begin(Phase::Answer, start);
        state.answered(start);
        assert_eq!(state.overdue(start + SECOND * 59), None);
        assert_eq!(state.overdue(start + SECOND * 60), Some(CloseReason::Idle));
        state.read(1, start + SECOND * 59);
        assert_eq!(state.overdue(start + SECOND * 68), None);
        assert_eq!(
            state.overdue(start + SECOND * 69),
            Some(CloseReason::Header)
        );
    }

    #[test]
    fn an_answer_that_the_peer_reads_too_slowly_ends_the_connection() {
        let (mut state, start) = new();
        state.begin(Phase::Answer, start);
        state.mark_authenticated();
        state.stalled(start);
        assert_eq!(state.overdue(start + SECOND * 29), None);
        for _ in 0..29 {
            state.peer_read(100);
            state.stalled(start + SECOND * 29);
        }
        assert_eq!(
            state.overdue(start + SECOND * 30),
            Some(CloseReason::Unread)
        );
        state.peer_read(1_024 * 1_024);
        assert_eq!(state.overdue(start + SECOND * 90), None);
        state.caught_up();
        assert_eq!(state.overdue(start + SECOND * 900), None);
    }

    #[test]
    fn a_stranger_makes_room_before_a_person_and_a_request_that_is_answered_last() {
        let (mut state, start) = new();
        let worth = |state: &State| state.worth().map(|(worth, _)| worth);
        assert_eq!(worth(&state), Some(Worth::Stranger));
        state.begin(Phase::Body, start);
        assert_eq!(worth(&state), Some(Worth::Stranger));
        state.complete(start);
        assert_eq!(worth(&state), Some(Worth::Answered));
        assert!(Worth::Idle < Worth::Answered);
        state.stalled(start);
        assert_eq!(worth(&state), Some(Worth::Stranger));
        state.caught_up();
        state.mark_authenticated();
        state.answered(start);
        assert_eq!(worth(&state), Some(Worth::Idle));
        // The next request is not authenticated yet: behind a proxy it may be another client's.
        state.read(1, start);
        assert_eq!(worth(&state), Some(Worth::Stranger));
        state.upgraded(start);
        state.mark_authenticated();
        state.answered(start);
        assert_eq!(worth(&state), None, "a WebSocket");
    }

    #[test]
    fn bytes_of_a_stranger_are_counted_once() {
        let (mut state, start) = new();
        assert_eq!(state.read(100, start), 100);
        assert_eq!(state.begin(Phase::Body, start), 100);
        assert_eq!(state.read(50, start), 50);
        assert_eq!(state.mark_authenticated(), 50);
        assert_eq!(state.read(50, start), 0);
        assert_eq!((state.complete(start), state.take_unfinished()), (0, 0));
    }
}
