//! Which answer about a person is the newest: requests overtake each other, and Graph's servers are not all equally far.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use presence::{PersonId, Timestamp};

/// For how long an older version is refused. Were it for good, a tenant whose count begins anew would be silent for ever.
const REFUSED: Duration = Duration::from_secs(60);

/// The newest answer about somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Newest {
    asked_at: Timestamp,
    sequence: Box<str>,
    taken_at: Timestamp,
    /// The hash of what is shown.
    shown: u64,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Overtaken: not to be believed.
    Stale,
    /// The first about somebody, or the same as before.
    Same,
    /// Something else than before.
    Changed,
}

/// The newest answer about everybody. Plain: the time is an argument.
#[derive(Debug, Default)]
pub(super) struct Fresh(HashMap<PersonId, Newest>);

impl Fresh {
    /// What an answer is worth that shows `shown`. `sequence` is Graph's `sequenceNumber`, which grows in the order of bytes with each
    /// change of a person (Graph, presence resource); it may be missing.
    pub(super) fn take(
        &mut self,
        person: PersonId,
        asked_at: Timestamp,
        sequence: Option<&str>,
        shown: &impl Hash,
        now: Timestamp,
    ) -> Taken {
        let mut hasher = DefaultHasher::new();
        shown.hash(&mut hasher);
        let shown = hasher.finish();
        let sequence = sequence.unwrap_or_default();
        let known = self.0.get(&person);
        if let Some(known) = known {
            let is_older = !sequence.is_empty()
                && sequence.len() == known.sequence.len()
                && *sequence < *known.sequence;
            let overtaken = asked_at < known.asked_at;
            if overtaken || (is_older && now.since(known.taken_at) < REFUSED) {
                return Taken::Stale;
            }
        }
        let changed = known.is_some_and(|known| known.shown != shown);
        let newest = Newest {
            asked_at,
            sequence: sequence.into(),
            taken_at: now,
            shown,
        };
        self.0.insert(person, newest);
        if changed { Taken::Changed } else { Taken::Same }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use presence::{PersonId, Timestamp};

    use super::{Fresh, REFUSED, Taken};

    const ANNA: PersonId = PersonId(1);

    /// Whether the answer is believed.
    fn take(
        fresh: &mut Fresh,
        person: PersonId,
        asked: u64,
        sequence: Option<&str>,
        now: u64,
    ) -> bool {
        fresh.take(person, at(asked), sequence, &"Available", at(now)) != Taken::Stale
    }

    fn at(second: u64) -> Timestamp {
        Timestamp::from_milliseconds(1_000) + Duration::from_secs(second)
    }

    /// Row 107 of the reference: a poll with a lower `sequenceNumber` than the last is ignored.
    #[test]
    fn row_107_a_stale_read_is_ignored() {
        let mut fresh = Fresh::default();
        assert!(take(&mut fresh, ANNA, 1, Some("A0005"), 1));
        assert!(!take(&mut fresh, ANNA, 2, Some("A0004"), 2), "older");
        assert!(take(&mut fresh, ANNA, 2, Some("A0005"), 2), "the same");
        assert!(take(&mut fresh, ANNA, 3, Some("A0006"), 3), "newer");
        let other = PersonId(2);
        assert!(take(&mut fresh, other, 3, Some("A0001"), 3), "another's");
    }

    #[test]
    fn an_answer_to_an_older_question_is_ignored_whatever_it_says() {
        let mut fresh = Fresh::default();
        assert!(take(&mut fresh, ANNA, 5, None, 6));
        assert!(!take(&mut fresh, ANNA, 4, None, 7));
        assert!(take(&mut fresh, ANNA, 5, None, 7));
    }

    #[test]
    fn a_count_that_begins_anew_is_believed_after_a_while() {
        let mut fresh = Fresh::default();
        assert!(take(&mut fresh, ANNA, 0, Some("A9000"), 0));
        let limit = REFUSED.as_secs();
        assert!(!take(&mut fresh, ANNA, limit - 1, Some("A0001"), limit - 1));
        assert!(take(&mut fresh, ANNA, limit, Some("A0001"), limit));
        assert!(take(&mut fresh, ANNA, limit + 1, Some("A0002"), limit + 1));
    }

    #[test]
    fn a_change_is_told_from_the_same_again() {
        let mut fresh = Fresh::default();
        let mut see = |second, shown: &str| fresh.take(ANNA, at(second), None, &shown, at(second));
        assert_eq!(see(1, "Available"), Taken::Same);
        assert_eq!(see(2, "Available"), Taken::Same);
        assert_eq!(see(3, "Busy"), Taken::Changed);
        assert_eq!(see(2, "Available"), Taken::Stale);
        assert_eq!(see(4, "Busy"), Taken::Same);
    }
}
