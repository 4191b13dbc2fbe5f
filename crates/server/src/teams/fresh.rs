//! Which answer about a person is the newest: requests overtake each other, and Graph's servers are not all equally far.

use std::{collections::HashMap, time::Duration};

use presence::{PersonId, Timestamp};

/// For how long an older version is refused. Were it for good, a tenant whose count begins anew would be silent for ever.
const REFUSED: Duration = Duration::from_secs(60);

/// The newest answer about somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Newest {
    asked_at: Timestamp,
    sequence: Box<str>,
    taken_at: Timestamp,
}

/// The newest answer about everybody. Plain: the time is an argument.
#[derive(Debug, Default)]
pub(super) struct Fresh(HashMap<PersonId, Newest>);

impl Fresh {
    /// Whether an answer is news. `sequence` is Graph's `sequenceNumber`, which grows in the order of bytes with each
    /// change of a person (Graph, presence resource); it may be missing.
    pub(super) fn take(
        &mut self,
        person: PersonId,
        asked_at: Timestamp,
        sequence: Option<&str>,
        now: Timestamp,
    ) -> bool {
        let sequence = sequence.unwrap_or_default();
        let known = self.0.get(&person);
        if let Some(known) = known {
            let is_older = !sequence.is_empty()
                && sequence.len() == known.sequence.len()
                && *sequence < *known.sequence;
            let overtaken = asked_at < known.asked_at;
            if overtaken || (is_older && now.since(known.taken_at) < REFUSED) {
                return false;
            }
        }
        let newest = Newest {
            asked_at,
            sequence: sequence.into(),
            taken_at: now,
        };
        self.0.insert(person, newest);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use presence::{PersonId, Timestamp};

    use super::{Fresh, REFUSED};

    const ANNA: PersonId = PersonId(1);

    fn at(second: u64) -> Timestamp {
        Timestamp::from_milliseconds(1_000) + Duration::from_secs(second)
    }

    /// Row 107 of the reference: a poll with a lower `sequenceNumber` than the last is ignored.
    #[test]
    fn row_107_a_stale_read_is_ignored() {
        let mut fresh = Fresh::default();
        assert!(fresh.take(ANNA, at(1), Some("A0005"), at(1)));
        assert!(!fresh.take(ANNA, at(2), Some("A0004"), at(2)), "older");
        assert!(fresh.take(ANNA, at(2), Some("A0005"), at(2)), "the same");
        assert!(fresh.take(ANNA, at(3), Some("A0006"), at(3)), "newer");
        assert!(
            fresh.take(PersonId(2), at(3), Some("A0001"), at(3)),
            "another's"
        );
    }

    #[test]
    fn an_answer_to_an_older_question_is_ignored_whatever_it_says() {
        let mut fresh = Fresh::default();
        assert!(fresh.take(ANNA, at(5), None, at(6)));
        assert!(!fresh.take(ANNA, at(4), None, at(7)));
        assert!(fresh.take(ANNA, at(5), None, at(7)));
    }

    #[test]
    fn a_count_that_begins_anew_is_believed_after_a_while() {
        let mut fresh = Fresh::default();
        assert!(fresh.take(ANNA, at(0), Some("A9000"), at(0)));
        let limit = REFUSED.as_secs();
        assert!(!fresh.take(ANNA, at(limit - 1), Some("A0001"), at(limit - 1)));
        assert!(fresh.take(ANNA, at(limit), Some("A0001"), at(limit)));
        assert!(fresh.take(ANNA, at(limit + 1), Some("A0002"), at(limit + 1)));
    }
}
