//! Changes that a stream has not sent yet. The first change is sent at once; changes of the following 50 ms are sent
//! together, per person only the last, so that a thousand boards wake twenty times a second rather than for each change.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use presence::{PersonId, Relationship};
use runtime::events::{Change, Event, VisibilityBefore};
use tokio::time::Instant;

/// Least time between two batches of a stream: people cannot see faster changes.
const BATCH_INTERVAL: Duration = Duration::from_millis(50);

/// All changes of a person since the last batch.
#[derive(Clone, Debug)]
pub(super) struct PersonChanges {
    pub(super) person: PersonId,
    /// The revision of the last change.
    pub(super) revision: u64,
    pub(super) news: News,
}

/// Kind of the changes of a person.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// The person was deleted.
    Removed,
    /// The person exists, and something else has changed.
    There {
        /// Name, addresses or lines.
        details: bool,
        /// The viewer's relationship at the last batch, if it has changed since.
        level_before: Option<Relationship>,
        /// The first and the last change of the presence.
        presence: Option<(Arc<Event>, Arc<Event>)>,
    },
}

impl News {
    const NOTHING: Self = Self::There {
        details: false,
        level_before: None,
        presence: None,
    };
}

/// Changes that wait for the next batch.
#[derive(Debug)]
pub(super) struct Gathering {
    waiting: BTreeMap<PersonId, PersonChanges>,
    /// Earliest time of the next batch.
    next: Instant,
}

impl Gathering {
    /// No waiting changes; the first one is due at once.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            waiting: BTreeMap::new(),
            next: now,
        }
    }

    /// Adds a change of a person. `level_before` returns the viewer's relationship before a change of visibility, or `None`
    /// if the change does not concern the viewer.
    pub(super) fn add(
        &mut self,
        event: Arc<Event>,
        level_before: impl FnOnce(PersonId, &VisibilityBefore) -> Option<Relationship>,
    ) {
        let Some(person) = event.person() else { return };
        let level_before = match &event.change {
            Change::Visibility(owner, before) => match level_before(*owner, before) {
                None => return,
                concerned => concerned,
            },
            Change::Presence(_) | Change::Person(_) | Change::Removed(_) | Change::Reset(_) => None,
        };
        let gathered = self.waiting.entry(person).or_insert(PersonChanges {
            person,
            revision: event.revision,
            news: News::NOTHING,
        });
        gathered.revision = event.revision;
        if matches!(event.change, Change::Removed(_)) {
            gathered.news = News::Removed;
            return;
        }
        if matches!(gathered.news, News::Removed) {
            // The person was added again.
            gathered.news = News::NOTHING;
        }
        let News::There {
            details,
            level_before: level_known,
            presence,
        } = &mut gathered.news
        else {
            return;
        };
        *details |= matches!(event.change, Change::Person(_));
        *level_known = level_known.or(level_before);
        if event.presence().is_some() {
            let first = presence
                .take()
                .map_or_else(|| event.clone(), |(first, _)| first);
            *presence = Some((first, event));
        }
    }

    /// Earliest time of the next batch.
    pub(super) const fn next(&self) -> Instant {
        self.next
    }

    /// Reports that a batch was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        self.next = now + BATCH_INTERVAL;
    }

    /// Takes the batch, in the order of the first changes, so that a client that disconnects within the batch misses
    /// nothing.
    pub(super) fn take_batch(&mut self) -> Vec<PersonChanges> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut changes: Vec<PersonChanges> = waiting.into_values().collect();
        changes.sort_by_key(|change| change.revision);
        changes
    }

    /// Drops waiting changes, because the client reads everything again.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use presence::{Presence, Timestamp};
    use runtime::events::{PresenceChange, TextByLevel};

    use super::*;

    fn event(revision: u64, change: Change) -> Arc<Event> {
        Arc::new(Event {
            revision,
            at: Timestamp::default(),
            change,
        })
    }

    fn presence(person: u64) -> Change {
        Change::Presence(Box::new(PresenceChange {
            person: PersonId(person),
            previous: None,
            now: Presence::initial(Timestamp::default()),
            trace: None,
            texts: TextByLevel::default(),
        }))
    }

    /// Person 1 is the viewer of this stream.
    fn add(gathering: &mut Gathering, revision: u64, change: Change) {
        gathering.add(event(revision, change), |_, before| match before {
            VisibilityBefore::Relationship(PersonId(1), level) => Some(*level),
            VisibilityBefore::Relationship(..) | VisibilityBefore::Membership(_) => None,
        });
    }

    fn revisions(gathering: &mut Gathering) -> Vec<(u64, u64)> {
        let changes = gathering.take_batch().into_iter();
        let both = changes.filter_map(|change| match change.news {
            News::There {
                presence: Some((first, last)),
                ..
            } => Some((first.revision, last.revision)),
            News::There { presence: None, .. } | News::Removed => None,
        });
        both.collect()
    }

    #[test]
    fn the_first_change_goes_out_at_once_and_the_next_50_ms_later() {
        let now = Instant::now();
        let mut gathering = Gathering::new(now);
        assert_eq!(gathering.next(), now);
        gathering.sent(now);
        assert_eq!(gathering.next(), now + BATCH_INTERVAL);
    }

    #[test]
    fn of_each_person_the_last_counts_in_the_order_of_what_became() {
        let mut gathering = Gathering::new(Instant::now());
        for (revision, person) in [(1, 7), (2, 8), (3, 9), (4, 7), (5, 8)] {
            add(&mut gathering, revision, presence(person));
        }
        assert_eq!(revisions(&mut gathering), [(3, 3), (1, 4), (2, 5)]);
        assert_eq!(revisions(&mut gathering), []);
        add(&mut gathering, 6, presence(7));
        gathering.clear();
        assert_eq!(revisions(&mut gathering), []);
    }

    #[test]
    fn a_change_of_somebody_elses_relationship_is_not_gathered() {
        let mut gathering = Gathering::new(Instant::now());
        let level = |viewer: u64, level| {
            let before = VisibilityBefore::Relationship(PersonId(viewer), level);
            Change::Visibility(PersonId(7), before)
        };
        add(&mut gathering, 1, level(2, Relationship::Employee));
        assert!(gathering.take_batch().is_empty());
        add(&mut gathering, 2, level(1, Relationship::Employee));
        add(&mut gathering, 3, level(1, Relationship::Blocked));
        let given = gathering.take_batch();
        let [
            PersonChanges {
                news: News::There { level_before, .. },
                ..
            },
        ] = given.as_slice()
        else {
            panic!("{given:?}");
        };
        assert_eq!(
            *level_before,
            Some(Relationship::Employee),
            "at the last frame"
        );
    }

    #[test]
    fn a_person_who_was_deleted_has_no_other_news_but_may_come_back() {
        let mut gathering = Gathering::new(Instant::now());
        add(&mut gathering, 1, presence(7));
        add(&mut gathering, 2, Change::Person(PersonId(7)));
        add(&mut gathering, 3, Change::Removed(PersonId(7)));
        let given = gathering.take_batch();
        assert!(matches!(
            given.as_slice(),
            [PersonChanges {
                revision: 3,
                news: News::Removed,
                ..
            }]
        ));
        add(&mut gathering, 4, Change::Removed(PersonId(7)));
        add(&mut gathering, 5, presence(7));
        assert_eq!(revisions(&mut gathering), [(5, 5)]);
    }
}
