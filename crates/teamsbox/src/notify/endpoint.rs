//! Graph's penalties for slow notification endpoints: delayed delivery, then dropped notifications for ten minutes.
//!
//! Pure. Answers are counted per host, for all subscriptions with this host.

use std::collections::VecDeque;

use crate::duration::{MINUTE, Milliseconds, SECOND};

/// Age of the answers that count, and duration of a penalty.
const WINDOW: Milliseconds = 10 * MINUTE;
/// An answer that takes longer counts as slow.
const SLOW: Milliseconds = 3 * SECOND;
/// An answer that takes longer counts towards dropping.
const VERY_SLOW: Milliseconds = 10 * SECOND;
/// The fewest answers that lead to a penalty, so that a single slow answer does not. Undocumented.
const ANSWERS_MIN: usize = 20;
/// The most answers that are counted.
const ANSWERS_MAX: usize = 10_000;

/// The treatment of a new notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// It is sent.
    Normal,
    /// It is sent after this delay.
    Delayed(Milliseconds),
    /// It is dropped.
    Dropped,
}

/// The counted answers of a host.
#[derive(Debug, Default)]
pub(crate) struct Endpoint {
    /// Time and duration of each answer, the newest last.
    answers: VecDeque<(Milliseconds, Milliseconds)>,
    slow_until: Milliseconds,
    dropping_until: Milliseconds,
}

impl Endpoint {
    /// Records an answer or a timeout.
    pub(crate) fn answered(&mut self, took: Milliseconds, now: Milliseconds) {
        if self.answers.len() == ANSWERS_MAX {
            self.answers.pop_front();
        }
        self.answers.push_back((now, took));
        while self
            .answers
            .front()
            .is_some_and(|(at, _)| *at <= now - WINDOW)
        {
            self.answers.pop_front();
        }
        let count = self.answers.len();
        if count < ANSWERS_MIN {
            return;
        }
        // A timeout at the limit counts as exceeding it.
        let over = |limit| {
            self.answers
                .iter()
                .filter(|(_, took)| *took >= limit)
                .count()
        };
        let (slow, very_slow) = (over(SLOW), over(VERY_SLOW));
        if very_slow * 100 > count * 15 && now >= self.dropping_until {
            self.dropping_until = now + WINDOW;
            // Answers after the penalty are judged separately.
            self.answers.clear();
        } else if slow * 100 > count * 10 && now >= self.slow_until {
            self.slow_until = now + WINDOW;
        }
    }

    /// The treatment of a notification that is posted now.
    pub(crate) fn treatment(&self, now: Milliseconds) -> Treatment {
        if now < self.dropping_until {
            Treatment::Dropped
        } else if now < self.slow_until {
            Treatment::Delayed(WINDOW)
        } else {
            Treatment::Normal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(slow: usize, took: Milliseconds, of: usize) -> Endpoint {
        let mut endpoint = Endpoint::default();
        // Spread evenly, so that no part has a higher share than the whole.
        for number in 0..of {
            let is_slow = (number + 1) * slow / of > number * slow / of;
            endpoint.answered(if is_slow { took } else { 100 }, 1_000);
        }
        endpoint
    }

    #[test]
    fn row_087_one_in_ten_slow_is_the_limit() {
        assert_eq!(answers(10, 3_000, 100).treatment(1_000), Treatment::Normal);
        let endpoint = answers(12, 3_000, 100);
        assert_eq!(endpoint.treatment(1_000), Treatment::Delayed(WINDOW));
        assert_eq!(endpoint.treatment(1_000 + WINDOW), Treatment::Normal);
    }

    #[test]
    fn row_088_fifteen_of_a_hundred_very_slow_is_the_limit() {
        assert_ne!(
            answers(15, 10_000, 100).treatment(1_000),
            Treatment::Dropped
        );
        let mut endpoint = answers(16, 10_000, 100);
        assert_eq!(endpoint.treatment(1_000), Treatment::Dropped);
        let later = 1_000 + WINDOW;
        assert_ne!(
            endpoint.treatment(later),
            Treatment::Dropped,
            "a sample is tried"
        );
        for _ in 0..ANSWERS_MIN {
            endpoint.answered(10_000, later);
        }
        assert_eq!(endpoint.treatment(later), Treatment::Dropped);
    }

    #[test]
    fn a_few_answers_condemn_nobody_and_old_ones_are_forgotten() {
        assert_eq!(answers(5, 10_000, 5).treatment(1_000), Treatment::Normal);
        let mut endpoint = answers(15, 10_000, 15);
        for number in 0..100 {
            endpoint.answered(10, 1_000 + WINDOW + number);
        }
        assert_eq!(endpoint.treatment(2_000 + WINDOW), Treatment::Normal);
    }
}
