//! Order of the answers about a person: requests overtake each other, and Graph's replicas are not equally
//! current.

use std::time::Duration;

use crate::Timestamp;

/// Time for which a lower sequence number is refused: a tenant may restart its numbers.
const REFUSAL_TIME: Duration = Duration::from_secs(60);
/// Bytes of a sequence number that are compared. Graph's numbers have 11 (presence resource, `sequenceNumber`).
const COMPARED_BYTES: usize = 16;

/// Graph's `sequenceNumber` of a presence: grows in byte order with each change of the person (Graph, presence
/// resource).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceNumber([u8; COMPARED_BYTES]);

impl SequenceNumber {
    /// Reads a number; `None` if the text is empty. Bytes beyond the sixteenth are not compared.
    pub fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; COMPARED_BYTES];
        for (to, from) in bytes.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        (!text.is_empty()).then_some(Self(bytes))
    }

    /// Whether this number is of an older version. Numbers of different lengths cannot be compared.
    fn is_before(&self, other: &Self) -> bool {
        let length = |number: &Self| number.0.iter().take_while(|byte| **byte != 0).count();
        length(self) == length(other) && self.0 < other.0
    }
}

/// Age of an answer about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerAge {
    /// Requested before an answer that has been applied: proves nothing.
    Overtaken,
    /// Requested later, but of an older version, or before our last write: proves only that the account
    /// exists.
    Outdated,
    /// Shows the present state.
    Newest,
}

/// The newest answer about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnswerOrder {
    asked_at: Timestamp,
    sequence: Option<SequenceNumber>,
}

impl AnswerOrder {
    /// Compares an answer with the newest. An older answer shows a past state, which would look like a choice
    /// that the person made in Teams.
    pub(crate) fn age_of(
        &self,
        asked_at: Timestamp,
        sequence: Option<&SequenceNumber>,
    ) -> AnswerAge {
        if asked_at < self.asked_at {
            return AnswerAge::Overtaken;
        }
        match (sequence, &self.sequence) {
            (Some(new), Some(known))
                if new.is_before(known) && asked_at.since(self.asked_at) < REFUSAL_TIME =>
            {
                AnswerAge::Outdated
            }
            _ => AnswerAge::Newest,
        }
    }

    /// Records the newest answer.
    pub(crate) fn record(&mut self, asked_at: Timestamp, sequence: Option<SequenceNumber>) {
        *self = Self { asked_at, sequence };
    }

    /// Records an answer, requested at `asked_at`, that leaves the person out.
    pub(crate) fn skip_to(&mut self, asked_at: Timestamp) {
        self.asked_at = asked_at;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{AnswerAge, AnswerOrder, REFUSAL_TIME, SequenceNumber};
    use crate::Timestamp;

    fn admits(order: &mut AnswerOrder, second: u64, sequence: &str) -> bool {
        let asked_at = Timestamp::from_milliseconds(1_000) + Duration::from_secs(second);
        let sequence = SequenceNumber::new(sequence);
        let is_newest = order.age_of(asked_at, sequence.as_ref()) == AnswerAge::Newest;
        if is_newest {
            order.record(asked_at, sequence);
        }
        is_newest
    }

    /// A read with a lower `sequenceNumber` than the last one is ignored.
    #[test]
    fn row_107_a_stale_read_is_ignored() {
        let mut order = AnswerOrder::default();
        assert!(admits(&mut order, 1, "A0005"));
        assert!(!admits(&mut order, 2, "A0004"), "older");
        assert!(admits(&mut order, 2, "A0005"), "the same");
        assert!(admits(&mut order, 3, "A0006"), "newer");
        assert!(admits(&mut order, 4, "A00007"), "of another length");
        assert!(admits(&mut order, 5, ""), "without a number");
        assert!(admits(&mut order, 6, "A0001"), "nothing to compare with");
    }

    #[test]
    fn an_answer_to_an_older_request_is_ignored() {
        let mut order = AnswerOrder::default();
        assert!(admits(&mut order, 5, ""));
        assert!(!admits(&mut order, 4, ""));
        assert!(!admits(&mut order, 4, "A0001"));
        assert!(admits(&mut order, 5, ""));
    }

    #[test]
    fn a_restarted_count_is_believed_after_a_minute() {
        let limit = REFUSAL_TIME.as_secs();
        let mut order = AnswerOrder::default();
        assert!(admits(&mut order, 0, "A9000"));
        assert!(!admits(&mut order, limit - 1, "A0001"));
        assert!(admits(&mut order, limit, "A0001"));
        assert!(admits(&mut order, limit + 1, "A0002"));
    }
}
