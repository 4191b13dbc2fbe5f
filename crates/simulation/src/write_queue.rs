//! Queue of the engine's writes to Teams: at most one pending write per person and slot, one request on the wire,
//! failures retried. A model of the product's queue with the faults of a real network.

use std::time::Duration;

use presence::{Action, Slot};

use crate::random::Random;

/// Answer to a request, for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Acknowledged.
    Done,
    /// 404: to a clear, the slot holds no write of ours; to a set, retry later.
    NothingThere,
    /// No answer, or a request to retry after this time.
    Retry(Duration),
    /// Refused for good.
    Refused,
}

/// Course of one request.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// Time after which the request arrives in Teams, if it does.
    pub lands_after: Option<Duration>,
    /// Time after which the sender gets the answer.
    pub answer_after: Duration,
    /// The answer.
    pub answer: Answer,
}

/// Time that the sender waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Delivery {
    /// A request without faults.
    pub fn good(random: &mut Random) -> Self {
        let lands = random.milliseconds(20, 400);
        Self {
            lands_after: Some(lands),
            answer_after: lands + random.milliseconds(10, 200),
            answer: Answer::Done,
        }
    }

    /// A clear without losses: Teams sometimes answers with a wrong 404.
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

    /// A request with many kinds of faults.
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
            // The request arrives after the sender has given it up.
            85..88 => Self {
                lands_after: Some(random.seconds(30, 90)),
                answer_after: TIMEOUT,
                answer: again,
            },
            // A wrong 404.
            88..90 => Self {
                lands_after: None,
                answer: Answer::NothingThere,
                ..good
            },
            // A request to retry later.
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
    /// The clear on the wire is not retried.
    is_last_try: bool,
}

impl WriteQueue {
    /// Adds a write; it replaces an older one that still waits.
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

    /// Applies the answer to the request on the wire. Returns the request.
    pub fn answered(&mut self, answer: Answer) -> Option<(Slot, Action)> {
        let sent = self.in_flight.take()?;
        let is_last_try = std::mem::take(&mut self.is_last_try);
        let again = match answer {
            Answer::Retry(_) => !is_last_try,
            Answer::NothingThere => sent.1 != Action::Clear,
            // A clear is always retried.
            Answer::Refused => sent.1 == Action::Clear && !is_last_try,
            Answer::Done => false,
        };
        if again {
            self.waiting[sent.0 as usize].get_or_insert(sent.1);
        }
        Some(sent)
    }

    /// Whether no request waits or is on the wire.
    pub fn is_idle(&self) -> bool {
        *self.waiting.as_slice() == [None; 2] && self.in_flight.is_none()
    }
}
