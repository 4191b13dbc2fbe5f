//! What one stream has not been sent yet. The first change goes out at once; what follows within 50 ms goes out together,
//! of each person only the last: a thousand boards cost a thousand writes for a burst, not a thousand for each change.

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

    /// When the next frame is to be given; `None`: nothing waits.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.next)
    }

    /// The frame: what waits, in the order in which it became so, so that whoever loses the stream in the middle of it
    /// misses nothing.
    pub(super) fn give(&mut self, now: Instant) -> Vec<Change> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut changes: Vec<Change> = waiting.into_values().collect();
        changes.sort_by_key(|change| change.last.revision);
        self.next = now + GAP;
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
            answered_at: None,
            told: Told::default(),
        })
    }

    fn given(gathering: &mut Gathering, now: Instant) -> Vec<(u64, u64)> {
        let changes = gathering.give(now).into_iter();
        changes
            .map(|change| (change.first.revision, change.last.revision))
            .collect()
    }

    #[test]
    fn the_first_change_is_due_at_once_and_the_next_50_ms_later() {
        let now = Instant::now();
        let mut gathering = Gathering::new(now);
        assert_eq!(gathering.due(), None);
        gathering.take(event(1, 7));
        assert_eq!(gathering.due(), Some(now));
        assert_eq!(given(&mut gathering, now), [(1, 1)]);
        assert_eq!(gathering.due(), None);
        gathering.take(event(2, 7));
        assert_eq!(gathering.due(), Some(now + GAP));
    }

    #[test]
    fn of_each_person_the_last_counts_in_the_order_of_what_became() {
        let now = Instant::now();
        let mut gathering = Gathering::new(now);
        for (revision, person) in [(1, 7), (2, 8), (3, 9), (4, 7), (5, 8)] {
            gathering.take(event(revision, person));
        }
        assert_eq!(given(&mut gathering, now), [(3, 3), (1, 4), (2, 5)]);
        assert_eq!(given(&mut gathering, now), []);
        gathering.take(event(6, 7));
        gathering.forget();
        assert_eq!(gathering.due(), None);
    }
}
