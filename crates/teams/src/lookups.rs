//! Failed lookups of accounts: one name must neither delay the others nor count as a problem of the tenant.

use std::collections::BTreeMap;

use presence::PersonId;
use runtime::health::{Trouble, first_few};

/// Pause before the next lookup of a name, in milliseconds: doubled with each failure.
const FIRST_RETRY: i64 = 30_000;
const LAST_RETRY: i64 = 600_000;
/// Lookups in a row without an answer after which a round stops: the tenant may be at fault.
const FAILURES_MAX: usize = 5;

/// A failed lookup of a person's account.
#[derive(Clone, Debug)]
struct FailedLookup {
    name: String,
    why: String,
    failures: u32,
    retry_at: i64,
}

/// The lookups that failed. The time is an argument.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    failed: BTreeMap<PersonId, FailedLookup>,
    /// The person of the last lookup: the next round begins after this person.
    last: Option<PersonId>,
}

/// The lookups of one round.
#[derive(Debug, Default)]
pub(super) struct LookupRound {
    /// Whether Graph answered about any name: then the tenant is not at fault.
    has_answer: bool,
    /// Lookups without an answer: the person's name, and the reason.
    failed: BTreeMap<PersonId, (String, String)>,
    failures_in_a_row: usize,
}

impl LookupRound {
    /// Records an answer.
    pub(super) fn answered(&mut self) {
        self.has_answer = true;
        self.failures_in_a_row = 0;
    }

    /// Records a lookup without an answer.
    pub(super) fn failed(&mut self, person: PersonId, name: &str, why: String) {
        self.failed.insert(person, (name.to_owned(), why));
        self.failures_in_a_row += 1;
    }

    /// Whether the round stops.
    pub(super) fn is_over(&self) -> bool {
        self.failures_in_a_row >= FAILURES_MAX
    }

    /// The reason why the tenant may be at fault: lookups failed, and none was answered.
    pub(super) fn doubt(&self) -> Option<&str> {
        let (_, why) = self.failed.values().next()?;
        (!self.has_answer).then_some(why.as_str())
    }
}

impl Lookups {
    /// Whether a lookup of a person's account is due.
    pub(super) fn is_due(&self, person: PersonId, now: i64) -> bool {
        let failed = self.failed.get(&person);
        failed.is_none_or(|failed| failed.retry_at <= now)
    }

    /// The people of a round in their order, beginning after the last of the round before.
    pub(super) fn in_turn<T>(&self, people: Vec<T>, id: impl Fn(&T) -> PersonId) -> Vec<T> {
        let is_later = |person: &T| self.last.is_none_or(|last| id(person) > last);
        let (mut later, earlier): (Vec<T>, Vec<T>) = people.into_iter().partition(is_later);
        later.extend(earlier);
        later
    }

    /// Records the person of the current lookup.
    pub(super) fn begin(&mut self, person: PersonId) {
        self.last = Some(person);
    }

    /// Records that Graph answered about a person's names.
    pub(super) fn answered(&mut self, person: PersonId) {
        self.failed.remove(&person);
    }

    /// Records that the lookup of a person's names failed for now.
    pub(super) fn failed(&mut self, person: PersonId, name: &str, why: String, now: i64) {
        let known = self.failed.get(&person);
        let failures = known.map_or(0, |known| known.failures).saturating_add(1);
        let wait = (FIRST_RETRY << (failures - 1).min(5)).min(LAST_RETRY);
        let failed = FailedLookup {
            name: name.to_owned(),
            why,
            failures,
            retry_at: now.saturating_add(wait),
        };
        self.failed.insert(person, failed);
    }

    /// Ends a round in which the tenant answered: the failures are those of single names.
    pub(super) fn end(&mut self, round: LookupRound, now: i64) {
        for (person, (name, why)) in round.failed {
            self.failed(person, &name, why, now);
        }
    }

    /// Forgets people who need no lookup any more.
    pub(super) fn retain(&mut self, is_searched: impl Fn(PersonId) -> bool) {
        self.failed.retain(|person, _| is_searched(*person));
    }

    /// Milliseconds until a failed lookup is due.
    pub(super) fn next_due(&self, now: i64) -> Option<i64> {
        let due = self.failed.values().map(|failed| failed.retry_at);
        Some(due.min()?.saturating_sub(now).max(0))
    }

    /// The warning that names the people with failed lookups.
    pub(super) fn warning(&self) -> Option<Trouble> {
        let named = self.failed.values();
        let named = named.map(|failed| format!("{}: {}", failed.name, failed.why));
        (!self.failed.is_empty()).then(|| Trouble {
            what: format!(
                "the lookup of the Teams accounts of single people failed: {}",
                first_few(named)
            ),
            remedy: "check sign-in name and mail address of the named people; Offhook retries within 10 minutes".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use presence::PersonId;

    use super::{FAILURES_MAX, FIRST_RETRY, LAST_RETRY, LookupRound, Lookups};

    const ANNA: PersonId = PersonId(1);
    const BEN: PersonId = PersonId(2);
    const CLEO: PersonId = PersonId(3);

    // One name's 5xx while the others are answered.
    #[test]
    fn a_name_that_fails_is_looked_up_again_later_and_holds_up_nobody() {
        let mut lookups = Lookups::default();
        let mut now = 0;
        for wait in [1, 2, 4, 8, 16, 20, 20].map(|times| times * FIRST_RETRY) {
            let mut round = LookupRound::default();
            assert!(lookups.is_due(ANNA, now));
            round.failed(ANNA, "Anna", "500".into());
            round.answered();
            assert_eq!((round.is_over(), round.doubt()), (false, None));
            lookups.end(round, now);
            assert!(!lookups.is_due(ANNA, now + wait - 1) && lookups.is_due(BEN, now));
            assert_eq!(lookups.next_due(now), Some(wait));
            assert!(wait <= LAST_RETRY);
            now += wait;
        }
        let warning = lookups.warning().unwrap();
        assert!(warning.what.contains("Anna: 500"), "{warning:?}");
        lookups.answered(ANNA);
        assert_eq!((lookups.warning(), lookups.next_due(now)), (None, None));
    }

    #[test]
    fn where_nothing_is_answered_the_round_stops_and_the_next_begins_after_it() {
        let (mut lookups, mut round) = (Lookups::default(), LookupRound::default());
        for person in 1..=FAILURES_MAX as u64 {
            assert!(!round.is_over());
            lookups.begin(PersonId(person));
            round.failed(PersonId(person), "x", "503".into());
        }
        assert!(round.is_over());
        assert_eq!(round.doubt(), Some("503"));
        // The tenant is at fault: no name waits longer than the tenant.
        assert!(lookups.is_due(ANNA, 0));
        let next = lookups.in_turn(vec![ANNA, BEN, PersonId(9)], |person| *person);
        assert_eq!(next, [PersonId(9), ANNA, BEN]);
    }

    #[test]
    fn people_who_are_not_looked_up_any_more_are_forgotten() {
        let mut lookups = Lookups::default();
        lookups.failed(CLEO, "Cleo", "403".into(), 0);
        lookups.retain(|person| person != CLEO);
        assert_eq!(lookups.warning(), None);
    }
}
