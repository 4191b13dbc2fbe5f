//! How a publisher treats an address that answers slowly: it delays, then drops, then tries again.
//!
//! Pure. Counted per host, for all subscriptions that name it.

use std::collections::VecDeque;

use crate::duration::{MINUTE, Milliseconds, SECOND};

/// How far back answers count, and how long a penalty lasts.
const WINDOW: Milliseconds = 10 * MINUTE;
/// An answer that takes longer is slow.
const SLOW: Milliseconds = 3 * SECOND;
/// An answer that takes longer counts towards dropping.
const VERY_SLOW: Milliseconds = 10 * SECOND;
/// Fewer answers than this say nothing about an address: one slow answer must not condemn it. Undocumented.
const ANSWERS_MIN: usize = 20;
/// Answers remembered at most.
const ANSWERS_MAX: usize = 10_000;

/// What happens to a new notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// It is sent.
    Normal,
    /// It is sent ten minutes late.
    Delayed(Milliseconds),
    /// It is thrown away.
    Dropped,
}

/// What is known of an address.
#[derive(Debug, Default)]
pub(crate) struct Endpoint {
    /// When an answer came and how long it took; the newest last.
    answers: VecDeque<(Milliseconds, Milliseconds)>,
    slow_until: Milliseconds,
    dropping_until: Milliseconds,
}

impl Endpoint {
    /// Notes an answer, or the end of waiting for one.
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
        // Reaching the limit without an answer counts as exceeding it.
        let over = |limit| {
            self.answers
                .iter()
                .filter(|(_, took)| *took >= limit)
                .count()
        };
        let (slow, very_slow) = (over(SLOW), over(VERY_SLOW));
        if very_slow * 100 > count * 15 && now >= self.dropping_until {
            self.dropping_until = now + WINDOW;
            // What comes after the penalty is judged by itself.
            self.answers.clear();
        } else if slow * 100 > count * 10 && now >= self.slow_until {
            self.slow_until = now + WINDOW;
        }
    }

    /// What happens to a notification that is posted now.
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
        // Spread evenly, so that no part of them is worse than the whole.
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
