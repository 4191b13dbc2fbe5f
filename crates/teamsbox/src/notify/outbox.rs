//! The queue of notifications, with their due times and retries.
//!
//! Pure: the courier takes due notifications, sends them, and reports the results.

use std::collections::{BTreeMap, HashMap};

use super::endpoint::{Endpoint, Treatment};
use crate::{
    duration::{HOUR, MINUTE, Milliseconds, SECOND},
    guid::Guid,
    value::Shown,
};

/// Timeout of the first attempt.
pub(crate) const FIRST_TIMEOUT: Milliseconds = 3 * SECOND;
/// Timeout of later attempts.
pub(crate) const LATER_TIMEOUT: Milliseconds = 10 * SECOND;
/// The pause before the second attempt, which doubles for each further one. The schedule is undocumented; only its end is
/// documented.
const FIRST_PAUSE: Milliseconds = 10 * SECOND;
/// The longest pause.
const LONGEST_PAUSE: Milliseconds = 30 * MINUTE;
/// Time after which a notification is given up.
const GIVE_UP: Milliseconds = 4 * HOUR;
/// The most concurrent requests. Others wait.
const UNDER_WAY_MAX: usize = 256;
/// The most waiting notifications. Further ones are dropped.
const WAITING_MAX: usize = 100_000;

/// One item of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) subscription: Guid,
    pub(crate) content: Content,
}

/// The content of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// The visible pair of a person changed.
    Change { user: Guid, shown: Shown },
    /// A lifecycle event of the subscription.
    Lifecycle(&'static str),
}

/// A request to a notification endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) items: Vec<Item>,
    /// Number of the attempt, from 1.
    pub(crate) attempt: u32,
    /// Time of the change.
    pub(crate) posted: Milliseconds,
    first_tried: Option<Milliseconds>,
    /// End of the timeout.
    pub(crate) deadline: Milliseconds,
    sent: Milliseconds,
    /// True if manual time no longer waits for it.
    abandoned: bool,
}

/// The result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer with this status.
    Status(u16),
    /// No answer within the timeout.
    Timeout,
    /// The endpoint cannot be reached.
    Failed,
}

/// The consequence of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Delivered,
    /// The next attempt is at this time.
    Retry(Milliseconds),
    GivenUp,
}

/// The queue of notifications.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: BTreeMap<(Milliseconds, u64), Letter>,
    sent: HashMap<u64, Letter>,
    endpoints: HashMap<String, Endpoint>,
    last: u64,
}

impl Outbox {
    /// Adds an item; returns false if it is dropped, because the endpoint has a penalty or the queue is full.
    pub(crate) fn post(
        &mut self,
        due: Milliseconds,
        now: Milliseconds,
        url: &str,
        item: Item,
    ) -> bool {
        let endpoint = self.endpoints.get(host(url));
        let late = match endpoint.map_or(Treatment::Normal, |endpoint| endpoint.treatment(now)) {
            Treatment::Normal => 0,
            Treatment::Delayed(by) => by,
            Treatment::Dropped => return false,
        };
        if self.waiting.len() >= WAITING_MAX {
            return false;
        }
        self.last += 1;
        let letter = Letter {
            id: self.last,
            url: url.to_owned(),
            items: vec![item],
            attempt: 0,
            posted: now,
            first_tried: None,
            deadline: 0,
            sent: 0,
            abandoned: false,
        };
        self.waiting
            .insert((due.saturating_add(late), self.last), letter);
        true
    }

    /// Takes the due requests. First attempts to one URL are joined, up to a number of items.
    pub(crate) fn take(&mut self, now: Milliseconds, items_max: usize) -> Vec<Letter> {
        let mut letters: Vec<Letter> = Vec::new();
        while let Some(entry) = self.waiting.first_entry()
            && entry.key().0 <= now
        {
            let fits = |one: &&mut Letter| {
                let (one, new) = (&**one, entry.get());
                one.url == new.url
                    && one.attempt == 0
                    && new.attempt == 0
                    && one.items.len() < items_max
            };
            if let Some(one) = letters.iter_mut().rev().find(fits) {
                one.items.extend(entry.remove().items);
            } else if self.sent.len() + letters.len() < UNDER_WAY_MAX {
                letters.push(entry.remove());
            } else {
                break;
            }
        }
        for letter in &mut letters {
            letter.attempt += 1;
            letter.first_tried.get_or_insert(now);
            letter.sent = now;
            letter.deadline = now
                + if letter.attempt == 1 {
                    FIRST_TIMEOUT
                } else {
                    LATER_TIMEOUT
                };
            letter.abandoned = false;
            self.sent.insert(letter.id, letter.clone());
        }
        letters
    }

    /// Records the result of an attempt; returns its consequence.
    pub(crate) fn finished(&mut self, id: u64, outcome: Outcome, now: Milliseconds) -> Verdict {
        let Some(letter) = self.sent.remove(&id) else {
            return Verdict::GivenUp;
        };
        let took = now - letter.sent;
        // An unreachable endpoint does not count as slow.
        if outcome != Outcome::Failed {
            let endpoint = self
                .endpoints
                .entry(host(&letter.url).to_owned())
                .or_default();
            endpoint.answered(took, now);
        }
        let in_time = now <= letter.deadline;
        if in_time && matches!(outcome, Outcome::Status(200..=299)) {
            return Verdict::Delivered;
        }
        let pause = FIRST_PAUSE
            .saturating_mul(1 << (letter.attempt - 1).min(16))
            .min(LONGEST_PAUSE);
        let next = now.saturating_add(pause);
        if next > letter.first_tried.unwrap_or(now).saturating_add(GIVE_UP) {
            return Verdict::GivenUp;
        }
        self.waiting.insert((next, id), letter);
        Verdict::Retry(next)
    }

    /// Removes the items of a subscription.
    pub(crate) fn forget(&mut self, subscription: Guid) {
        self.waiting.retain(|_, letter| {
            letter
                .items
                .retain(|item| item.subscription != subscription);
            !letter.items.is_empty()
        });
    }

    /// The next deadline, including timeouts.
    pub(crate) fn next_deadline(&self) -> Option<Milliseconds> {
        let waiting = self.waiting.first_key_value().map(|((due, _), _)| *due);
        waiting
            .into_iter()
            .chain(self.sent.values().map(|letter| letter.deadline))
            .min()
    }

    /// The next time at which a request is due.
    pub(crate) fn next_due(&self) -> Option<Milliseconds> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// The number of requests for which manual time has to wait.
    pub(crate) fn outstanding(&self, now: Milliseconds) -> usize {
        let due = self.waiting.range(..=(now, u64::MAX)).count();
        let answers = self
            .sent
            .values()
            .filter(|letter| !letter.abandoned || letter.deadline <= now);
        due + answers.count()
    }

    /// Lets manual time go on without the missing answers.
    pub(crate) fn abandon(&mut self) {
        for letter in self.sent.values_mut() {
            letter.abandoned = true;
        }
    }
}

/// Host and port of a URL, by which answers are counted.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://bridge.example/notify?x=1";

    fn item(event: &'static str) -> Item {
        Item {
            subscription: crate::DEFAULT_TENANT_ID.parse().unwrap(),
            content: Content::Lifecycle(event),
        }
    }

    #[test]
    fn rule_52_an_attempt_in_time_is_the_last() {
        let mut outbox = Outbox::default();
        assert!(outbox.post(100, 0, URL, item("missed")));
        assert!(outbox.take(99, 1).is_empty());
        let letters = outbox.take(100, 1);
        assert_eq!(outbox.outstanding(100), 1);
        assert_eq!(letters[0].deadline, 3_100);
        assert_eq!(
            outbox.finished(letters[0].id, Outcome::Status(202), 3_100),
            Verdict::Delivered
        );
        assert_eq!(
            (outbox.outstanding(i64::MAX), outbox.next_deadline()),
            (0, None)
        );
    }

    #[test]
    fn rule_52_failures_are_repeated_with_growing_pauses_for_four_hours() {
        let mut outbox = Outbox::default();
        outbox.post(0, 0, URL, item("missed"));
        let (mut now, mut pauses) = (0, Vec::new());
        loop {
            let letter = outbox.take(now, 1).remove(0);
            let expected = if letter.attempt == 1 {
                FIRST_TIMEOUT
            } else {
                LATER_TIMEOUT
            };
            assert_eq!(letter.deadline - now, expected);
            let outcome = if letter.attempt % 2 == 0 {
                Outcome::Timeout
            } else {
                Outcome::Status(500)
            };
            match outbox.finished(letter.id, outcome, now) {
                Verdict::Retry(at) => {
                    pauses.push(at - now);
                    now = at;
                }
                Verdict::GivenUp => break,
                Verdict::Delivered => panic!("nobody took it"),
            }
        }
        assert!(now <= GIVE_UP && now > GIVE_UP - LONGEST_PAUSE, "{now}");
        assert_eq!(pauses[..4], [10_000, 20_000, 40_000, 80_000]);
        assert!(pauses.is_sorted());
    }

    #[test]
    fn rule_48_items_share_a_request_only_up_to_their_number() {
        let mut outbox = Outbox::default();
        for _ in 0..5 {
            outbox.post(0, 0, URL, item("missed"));
        }
        outbox.post(0, 0, "https://other.example/", item("missed"));
        let sizes: Vec<_> = outbox
            .take(0, 2)
            .iter()
            .map(|letter| letter.items.len())
            .collect();
        assert_eq!(sizes, [2, 2, 1, 1]);
    }

    #[test]
    fn a_crowd_waits_for_its_turn() {
        let mut outbox = Outbox::default();
        for _ in 0..UNDER_WAY_MAX + 10 {
            outbox.post(0, 0, URL, item("missed"));
        }
        let letters = outbox.take(0, 1);
        assert_eq!((letters.len(), outbox.take(0, 1).len()), (UNDER_WAY_MAX, 0));
        outbox.finished(letters[0].id, Outcome::Status(202), 0);
        assert_eq!(outbox.take(0, 1).len(), 1);
        assert_eq!(outbox.outstanding(0), UNDER_WAY_MAX + 9);
    }

    #[test]
    fn what_belongs_to_a_deleted_subscription_is_not_sent() {
        let mut outbox = Outbox::default();
        outbox.post(0, 0, URL, item("missed"));
        outbox.forget(item("missed").subscription);
        assert!(outbox.take(0, 1).is_empty());
    }

    #[test]
    fn a_late_answer_counts_as_none() {
        let mut outbox = Outbox::default();
        outbox.post(0, 0, URL, item("missed"));
        let letter = outbox.take(0, 1).remove(0);
        assert!(matches!(
            outbox.finished(letter.id, Outcome::Status(200), 3_001),
            Verdict::Retry(_)
        ));
    }
}
