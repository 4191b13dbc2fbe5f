//! What becomes of the engine's writes on their way to Teams: at most one pending per person and slot, one request on
//! the wire, failures tried again. As the product's own queue does it, with the faults of a real network.

use std::time::Duration;

use presence::{Action, Slot};

use crate::random::Random;

/// How the sender learns what became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Acknowledged.
    Done,
    /// There is nothing to take back; to a write that sets something: come back later.
    NothingThere,
    /// No answer, or one that asks to come back later.
    Retry(Duration),
    /// Refused for good.
    Refused,
}

/// What will happen to one request.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// When it arrives in Teams, if it ever does.
    pub lands_after: Option<Duration>,
    /// When the sender learns about it.
    pub answer_after: Duration,
    /// What it learns.
    pub answer: Answer,
}

/// How long a request is waited for.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Delivery {
    /// What happens where nothing goes wrong.
    pub fn good(random: &mut Random) -> Self {
        let lands = random.milliseconds(20, 400);
        Self {
            lands_after: Some(lands),
            answer_after: lands + random.milliseconds(10, 200),
            answer: Answer::Done,
        }
    }

    /// What happens to a request to take something back where only answers are wrong: now and then Teams denies having it.
    pub fn good_clear(random: &mut Random) -> Self {
        let good = Self::good(random);
        if random.chance(3) {
            return Self {
                lands_after: None,
                answer: Answer::NothingThere,
                ..good
            };
        }
        good
    }

    /// What happens where much goes wrong.
    pub fn any(random: &mut Random) -> Self {
        let good = Self::good(random);
        let again = Answer::Retry(random.seconds(0, 60));
        match random.below(100) {
            0..60 => good,
            60..70 => {
                let lands = random.seconds(1, 28);
                let answer_after = lands + random.milliseconds(10, 2_000);
                Self {
                    lands_after: Some(lands),
                    answer_after,
                    ..good
                }
            }
            // The request is lost.
            70..78 => Self {
                lands_after: None,
                answer_after: TIMEOUT,
                answer: again,
            },
            // The answer is lost.
            78..85 => Self {
                answer_after: TIMEOUT,
                answer: again,
                ..good
            },
            // It arrives after it was given up.
            85..88 => Self {
                lands_after: Some(random.seconds(30, 90)),
                answer_after: TIMEOUT,
                answer: again,
            },
            // Teams says, wrongly, that there is nothing.
            88..90 => Self {
                lands_after: None,
                answer: Answer::NothingThere,
                ..good
            },
            // Asked to come back later.
            90..96 => Self {
                lands_after: None,
                answer: again,
                ..good
            },
            _ => Self {
                lands_after: None,
                answer: Answer::Refused,
                ..good
            },
        }
    }
}

/// The sender's side for one person.
#[derive(Clone, Debug, Default)]
pub struct WriteQueue {
    waiting: [Option<Action>; 2],
    in_flight: Option<(Slot, Action)>,
    /// The clear on the wire is not to be tried again.
    is_last_try: bool,
}

impl WriteQueue {
    /// A wish; replaces an older one that still waits.
    pub fn push(&mut self, slot: Slot, action: Action) {
        let waiting = &mut self.waiting[slot as usize];
        if action != Action::Abandon {
            *waiting = Some(action);
            return;
        }
        waiting.take_if(|action| *action == Action::Clear);
        self.is_last_try |= self.in_flight == Some((slot, Action::Clear));
    }

    /// The next request, if one may be sent.
    pub fn send(&mut self) -> Option<(Slot, Action)> {
        if self.in_flight.is_some() {
            return None;
        }
        let next = Slot::ALL
            .into_iter()
            .find_map(|slot| Some((slot, self.waiting[slot as usize].take()?)));
        self.in_flight = next;
        next
    }

    /// The answer to what is on the wire. Returns what was sent.
    pub fn answered(&mut self, answer: Answer) -> Option<(Slot, Action)> {
        let sent = self.in_flight.take()?;
        let is_last_try = std::mem::take(&mut self.is_last_try);
        let again = match answer {
            Answer::Retry(_) => !is_last_try,
            Answer::NothingThere => sent.1 != Action::Clear,
            // A clear is never given up.
            Answer::Refused => sent.1 == Action::Clear && !is_last_try,
            Answer::Done => false,
        };
        if again {
            self.waiting[sent.0 as usize].get_or_insert(sent.1);
        }
        Some(sent)
    }

    /// Whether nothing waits and nothing is on the wire.
    pub fn is_idle(&self) -> bool {
        *self.waiting.as_slice() == [None; 2] && self.in_flight.is_none()
    }
}
