//! What one stream has not been sent yet. The first change goes out at once; what follows within 50 ms goes out together,
//! of each person only the last: a thousand boards are woken twenty times a second, not for each change.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use presence::{PersonId, Relationship};
use tokio::time::Instant;

use crate::events::{Change, Event, VisibilityBefore};

/// The least time between two frames of a stream: nobody sees twenty pictures a second apart.
const GAP: Duration = Duration::from_millis(50);

/// All that became of one person since the last frame.
#[derive(Clone, Debug)]
pub(super) struct Gathered {
    pub(super) person: PersonId,
    /// The revision of the last change.
    pub(super) revision: u64,
    pub(super) news: News,
}

/// What is new about a person.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// The person was deleted.
    Removed,
    /// The person is there, and something else is new.
    There {
        /// Name, addresses or lines.
        details: bool,
        /// How much the viewer could see at the last frame, where that changed.
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

/// What waits for its frame.
#[derive(Debug)]
pub(super) struct Gathering {
    waiting: BTreeMap<PersonId, Gathered>,
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

    /// Takes in a change of one person; `level_before` answers how much this stream's viewer could see before a change of
    /// visibility, `None` if it does not concern the viewer.
    pub(super) fn take(
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
        let gathered = self.waiting.entry(person).or_insert(Gathered {
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
            // The person came back.
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

    /// Before this, changes are left where they are.
    pub(super) const fn next(&self) -> Instant {
        self.next
    }

    /// A frame was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        self.next = now + GAP;
    }

    /// The frame: what waits, in the order in which it became so, so that a client that loses the stream in the middle of
    /// it misses nothing.
    pub(super) fn give(&mut self) -> Vec<Gathered> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut changes: Vec<Gathered> = waiting.into_values().collect();
        changes.sort_by_key(|change| change.revision);
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
    use crate::events::{PresenceChange, TextByLevel};
    use crate::fixtures::busy;

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
            now: busy(),
            texts: TextByLevel::default(),
        }))
    }

    /// Person 1 is the viewer of this stream.
    fn take(gathering: &mut Gathering, revision: u64, change: Change) {
        gathering.take(event(revision, change), |_, before| match before {
            VisibilityBefore::Relationship(PersonId(1), level) => Some(*level),
            VisibilityBefore::Relationship(..) | VisibilityBefore::Membership(_) => None,
        });
    }

    fn revisions(gathering: &mut Gathering) -> Vec<(u64, u64)> {
        let changes = gathering.give().into_iter();
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
        assert_eq!(gathering.next(), now + GAP);
    }

    #[test]
    fn of_each_person_the_last_counts_in_the_order_of_what_became() {
        let mut gathering = Gathering::new(Instant::now());
        for (revision, person) in [(1, 7), (2, 8), (3, 9), (4, 7), (5, 8)] {
            take(&mut gathering, revision, presence(person));
        }
        assert_eq!(revisions(&mut gathering), [(3, 3), (1, 4), (2, 5)]);
        assert_eq!(revisions(&mut gathering), []);
        take(&mut gathering, 6, presence(7));
        gathering.forget();
        assert_eq!(revisions(&mut gathering), []);
    }

    // S13
    #[test]
    fn a_change_of_somebody_elses_relationship_is_not_gathered() {
        let mut gathering = Gathering::new(Instant::now());
        let level = |viewer: u64, level| {
            let before = VisibilityBefore::Relationship(PersonId(viewer), level);
            Change::Visibility(PersonId(7), before)
        };
        take(&mut gathering, 1, level(2, Relationship::Employee));
        assert!(gathering.give().is_empty());
        take(&mut gathering, 2, level(1, Relationship::Employee));
        take(&mut gathering, 3, level(1, Relationship::Blocked));
        let given = gathering.give();
        let [
            Gathered {
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
        take(&mut gathering, 1, presence(7));
        take(&mut gathering, 2, Change::Person(PersonId(7)));
        take(&mut gathering, 3, Change::Removed(PersonId(7)));
        let given = gathering.give();
        assert!(matches!(
            given.as_slice(),
            [Gathered {
                revision: 3,
                news: News::Removed,
                ..
            }]
        ));
        take(&mut gathering, 4, Change::Removed(PersonId(7)));
        take(&mut gathering, 5, presence(7));
        assert_eq!(revisions(&mut gathering), [(5, 5)]);
    }
}
