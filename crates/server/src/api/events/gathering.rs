//! What one stream has not been sent yet. The first change goes out at once; what follows within 50 ms goes out together,
//! of each person only the last: a thousand boards are woken twenty times a second, not for each change.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use presence::PersonId;
use tokio::time::Instant;

use crate::events::Event;

/// The least time between two frames of a stream: nobody sees twenty pictures a second apart.
const GAP: Duration = Duration::from_millis(50);

/// All that became of one person since the last frame.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// Tells what the viewer was shown last.
    pub(super) first: Arc<Event>,
    /// Tells what holds now.
    pub(super) last: Arc<Event>,
}

/// What waits for its frame.
#[derive(Debug)]
pub(super) struct Gathering {
    waiting: BTreeMap<PersonId, Change>,
    /// Before this no frame is given.
    next: Instant,
}

impl Gathering {
    /// Nothing waits, and what comes is due at once.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            waiting: BTreeMap::new(),
            next: now,
        }
    }

    /// Takes in a change.
    pub(super) fn take(&mut self, event: Arc<Event>) {
        let last = event.clone();
        let change = self.waiting.entry(event.person).or_insert(Change {
            first: event,
            last: last.clone(),
        });
        change.last = last;
    }

    /// Before this, changes are left where they are.
    pub(super) const fn next(&self) -> Instant {
        self.next
    }

    /// A frame was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        self.next = now + GAP;
    }

    /// The frame: what waits, in the order in which it became so, so that whoever loses the stream in the middle of it
    /// misses nothing.
    pub(super) fn give(&mut self) -> Vec<Change> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut changes: Vec<Change> = waiting.into_values().collect();
        changes.sort_by_key(|change| change.last.revision);
        changes
    }

    /// Forgets what waits: everything is read again.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use presence::Timestamp;

    use super::*;
    use crate::events::Told;

    fn event(revision: u64, person: u64) -> Arc<Event> {
        Arc::new(Event {
            revision,
            person: PersonId(person),
            at: Timestamp::default(),
            previous: None,
            presence: None,
            told: Told::default(),
        })
    }

    fn given(gathering: &mut Gathering) -> Vec<(u64, u64)> {
        let changes = gathering.give().into_iter();
        changes
            .map(|change| (change.first.revision, change.last.revision))
            .collect()
    }

    #[test]
    fn the_first_change_goes_out_at_once_and_the_next_50_ms_later() {
        let now = Instant::now();
        let mut gathering = Gathering::new(now);
        assert_eq!(gathering.next(), now);
        gathering.sent(now);
        assert_eq!(gathering.next(), now + GAP);
    }

    #[test]
    fn of_each_person_the_last_counts_in_the_order_of_what_became() {
        let mut gathering = Gathering::new(Instant::now());
        for (revision, person) in [(1, 7), (2, 8), (3, 9), (4, 7), (5, 8)] {
            gathering.take(event(revision, person));
        }
        assert_eq!(given(&mut gathering), [(3, 3), (1, 4), (2, 5)]);
        assert_eq!(given(&mut gathering), []);
        gathering.take(event(6, 7));
        gathering.forget();
        assert_eq!(given(&mut gathering), []);
    }
}
