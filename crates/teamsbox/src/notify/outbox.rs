//! What is to be delivered, when, and how often it has been tried.
//!
//! Pure: the courier takes what is due, sends it, and reports how it went.

use std::collections::{BTreeMap, HashMap};

use super::endpoint::{Endpoint, Treatment};
use crate::duration::{HOUR, MINUTE, Milliseconds, SECOND};
use crate::guid::Guid;
use crate::value::Shown;

/// How long the first attempt waits for its answer.
pub(crate) const FIRST_TIMEOUT: Milliseconds = 3 * SECOND;
/// How long later attempts wait.
pub(crate) const LATER_TIMEOUT: Milliseconds = 10 * SECOND;
/// The pause before the second attempt; it doubles each time. The schedule is undocumented, only its end is.
const FIRST_PAUSE: Milliseconds = 10 * SECOND;
/// The longest pause.
const LONGEST_PAUSE: Milliseconds = 30 * MINUTE;
/// After this long it is given up.
const GIVE_UP: Milliseconds = 4 * HOUR;
/// Requests under way at a time; the others wait for their turn.
const UNDER_WAY_MAX: usize = 256;
/// Notifications waiting at most; more are thrown away.
const WAITING_MAX: usize = 100_000;

/// One item of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) subscription: Guid,
    pub(crate) content: Content,
}

/// What an item says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Somebody shows something else.
    Change { user: Guid, shown: Shown },
    /// Something about the subscription itself.
    Lifecycle(&'static str),
}

/// A request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) items: Vec<Item>,
    /// Counts from 1.
    pub(crate) attempt: u32,
    /// When the change happened.
    pub(crate) posted: Milliseconds,
    first_tried: Option<Milliseconds>,
    /// When the wait for an answer ends.
    pub(crate) deadline: Milliseconds,
    sent: Milliseconds,
    /// Manual time no longer waits for it.
    abandoned: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer came.
    Status(u16),
    /// None came in time.
    Timeout,
    /// The address cannot be reached.
    Failed,
}

/// What follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Delivered,
    /// It is tried again at that time.
    Retry(Milliseconds),
    GivenUp,
}

/// Everything that is under way.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: BTreeMap<(Milliseconds, u64), Letter>,
    sent: HashMap<u64, Letter>,
    endpoints: HashMap<String, Endpoint>,
    last: u64,
}

impl Outbox {
    /// Posts an item; `false` if it is thrown away, because the address is being punished or too much waits already.
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

    /// Takes what is due. First attempts to one address are put together up to a number of items.
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

    /// An attempt has ended.
    pub(crate) fn finished(&mut self, id: u64, outcome: Outcome, now: Milliseconds) -> Verdict {
        let Some(letter) = self.sent.remove(&id) else {
            return Verdict::GivenUp;
        };
        let took = now - letter.sent;
        // An address that cannot be reached at all is not slow.
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

    /// Nothing more for a subscription.
    pub(crate) fn forget(&mut self, subscription: Guid) {
        self.waiting.retain(|_, letter| {
            letter
                .items
                .retain(|item| item.subscription != subscription);
            !letter.items.is_empty()
        });
    }

    /// When something is due next, answers that are awaited included.
    pub(crate) fn next_deadline(&self) -> Option<Milliseconds> {
        let waiting = self.waiting.first_key_value().map(|((due, _), _)| *due);
        waiting
            .into_iter()
            .chain(self.sent.values().map(|letter| letter.deadline))
            .min()
    }

    /// When something has to be sent next.
    pub(crate) fn next_due(&self) -> Option<Milliseconds> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// How much manual time has to wait for.
    pub(crate) fn outstanding(&self, now: Milliseconds) -> usize {
        let due = self.waiting.range(..=(now, u64::MAX)).count();
        let answers = self
            .sent
            .values()
            .filter(|letter| !letter.abandoned || letter.deadline <= now);
        due + answers.count()
    }

    /// Manual time goes on without the answers that have not come.
    pub(crate) fn abandon(&mut self) {
        for letter in self.sent.values_mut() {
            letter.abandoned = true;
        }
    }
}

/// What answers are counted by: the host and port of an address.
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
