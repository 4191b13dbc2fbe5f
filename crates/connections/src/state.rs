//! What one connection is doing, when that has taken too long, and what it is worth when there is no room.

use std::time::Duration;

use tokio::time::Instant;

/// The whole header of a request arrives within this time: of the connection's start, or of the request's first byte.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The body arrives within this time, and the time that it takes at [`RATE_MIN`].
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection may rest for this time between two requests.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// A peer that does not take its answer has this time to catch up, and the time that the answer takes at [`RATE_MIN`].
const UNREAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The slowest useful line: bytes a second.
const RATE_MIN: u64 = 16 * 1024;

/// What a connection is doing.
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

/// Why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Why {
    /// The header did not arrive in time.
    Header,
    /// The body did not arrive in time.
    Body,
    /// It rested for too long.
    Idle,
    /// The peer did not take its answer.
    Unread,
    /// It made room for another.
    Room,
    /// There was no room for it.
    Refused,
}

impl Why {
    /// As metrics name it.
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
    /// Its last request was from a person, a program or a device that may come in.
    Known,
}

/// What a connection is worth when there is no room, the least first. Others are not closed for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// A stranger's that waits for the stranger.
    Stranger,
    /// One of a person, program or device that rests between two requests.
    Idle,
    /// A stranger's that is answered: one that asks again and again is hardly ever in another state.
    Answered,
}

/// A peer that does not take its answer.
#[derive(Clone, Copy, Debug)]
struct Behind {
    since: Instant,
    /// Bytes that it took since.
    taken: u64,
}

/// What a connection is doing, and since when.
#[derive(Debug)]
pub(super) struct State {
    phase: Phase,
    since: Instant,
    /// Bytes of the request that has not arrived wholly.
    received: usize,
    behind: Option<Behind>,
    standing: Standing,
    /// A request has been answered on it.
    is_used: bool,
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Fresh,
            since: now,
            received: 0,
            behind: None,
            standing: Standing::Stranger,
            is_used: false,
        }
    }

    /// Whether a request has been answered on it before.
    pub(super) fn is_used(&self) -> bool {
        self.is_used
    }

    /// Bytes arrived; how many of them are a stranger's unfinished request.
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

    /// A whole header arrived. Returns the bytes that no longer count as an unfinished request.
    pub(super) fn begin(&mut self, phase: Phase, now: Instant) -> usize {
        let counted = self.uncount();
        (self.phase, self.since, self.standing) = (phase, now, Standing::Stranger);
        counted
    }

    /// The whole request arrived. Returns as [`Self::begin`] does.
    pub(super) fn complete(&mut self, now: Instant) -> usize {
        if self.phase != Phase::Body {
            return 0;
        }
        (self.phase, self.since) = (Phase::Answer, now);
        self.uncount()
    }

    /// The sender of the request may come in. Returns as [`Self::begin`] does.
    pub(super) fn become_known(&mut self) -> usize {
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

    /// What no longer counts as an unfinished request, because it is none any more or the connection is gone.
    pub(super) fn uncount(&mut self) -> usize {
        let received = std::mem::take(&mut self.received);
        match self.standing {
            Standing::Stranger => received,
            Standing::Known => 0,
        }
    }

    /// The peer takes nothing at present.
    pub(super) fn stalled(&mut self, now: Instant) {
        self.behind.get_or_insert(Behind {
            since: now,
            taken: 0,
        });
    }

    /// The peer took bytes.
    pub(super) fn took(&mut self, bytes: usize) {
        if let Some(behind) = &mut self.behind {
            behind.taken += bytes as u64;
        }
    }

    /// The operating system has everything that was to be sent.
    pub(super) fn caught_up(&mut self) {
        self.behind = None;
    }

    /// Why the connection has taken too long, if it has.
    pub(super) fn overdue(&self, now: Instant) -> Option<Why> {
        if let Some(behind) = self.behind {
            let patience = UNREAD_TIMEOUT + at_rate_min(behind.taken);
            if now >= behind.since + patience {
                return Some(Why::Unread);
            }
        }
        let (patience, why) = match self.phase {
            Phase::Fresh | Phase::Header => (HEADER_TIMEOUT, Why::Header),
            Phase::Body => (BODY_TIMEOUT + at_rate_min(self.received as u64), Why::Body),
            Phase::Idle => (IDLE_TIMEOUT, Why::Idle),
            Phase::Answer | Phase::Upgraded => return None,
        };
        (now >= self.since + patience).then_some(why)
    }

    /// What the connection is worth when there is no room, and since when it waits; `None`: it is not closed for room.
    pub(super) fn worth(&self) -> Option<(Worth, Instant)> {
        match (self.standing, self.phase, self.behind) {
            (Standing::Stranger, _, Some(behind)) => Some((Worth::Stranger, behind.since)),
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

/// How long bytes take on the slowest useful line.
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
        assert_eq!(state.overdue(start + SECOND * 10), Some(Why::Header));
        // A byte now and then does not prolong it.
        state.read(1, start + SECOND * 9);
        assert_eq!(state.overdue(start + SECOND * 10), Some(Why::Header));
    }

    #[test]
    fn a_body_has_ten_seconds_and_what_a_slow_line_takes() {
        let (mut state, start) = new();
        state.read(100, start);
        state.begin(Phase::Body, start);
        assert_eq!(state.overdue(start + SECOND * 10), Some(Why::Body));
        state.read(8 * 1024 * 1024, start + SECOND);
        assert_eq!(state.overdue(start + SECOND * 500), None);
        assert_eq!(state.overdue(start + SECOND * 522), Some(Why::Body));
        state.complete(start + SECOND * 300);
        assert_eq!(state.overdue(start + SECOND * 9_000), None, "streams stay");
    }

    #[test]
    fn a_connection_rests_for_a_minute() {
        let (mut state, start) = new();
        state.begin(Phase::Answer, start);
        state.answered(start);
        assert_eq!(state.overdue(start + SECOND * 59), None);
        assert_eq!(state.overdue(start + SECOND * 60), Some(Why::Idle));
        state.read(1, start + SECOND * 59);
        assert_eq!(state.overdue(start + SECOND * 68), None);
        assert_eq!(state.overdue(start + SECOND * 69), Some(Why::Header));
    }

    #[test]
    fn an_answer_that_the_peer_does_not_take_ends_the_connection_also_by_drops() {
        let (mut state, start) = new();
        state.begin(Phase::Answer, start);
        state.become_known();
        state.stalled(start);
        assert_eq!(state.overdue(start + SECOND * 29), None);
        for _ in 0..29 {
            state.took(100);
            state.stalled(start + SECOND * 29);
        }
        assert_eq!(state.overdue(start + SECOND * 30), Some(Why::Unread));
        state.took(1_024 * 1_024);
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
        state.become_known();
        state.answered(start);
        assert_eq!(worth(&state), Some(Worth::Idle));
        // Who asks next is not known yet: behind a proxy it may be another.
        state.read(1, start);
        assert_eq!(worth(&state), Some(Worth::Stranger));
        state.upgraded(start);
        state.become_known();
        state.answered(start);
        assert_eq!(worth(&state), None, "a WebSocket");
    }

    #[test]
    fn what_a_stranger_has_sent_is_counted_once() {
        let (mut state, start) = new();
        assert_eq!(state.read(100, start), 100);
        assert_eq!(state.begin(Phase::Body, start), 100);
        assert_eq!(state.read(50, start), 50);
        assert_eq!(state.become_known(), 50);
        assert_eq!(state.read(50, start), 0);
        assert_eq!((state.complete(start), state.uncount()), (0, 0));
    }
}
