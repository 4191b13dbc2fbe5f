//! Teams accounts that cannot be reached: those that complete answers of Graph leave out, those about which answers are odd,
//! and those with an ended login.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use graph::{ElementFault, Presences};
use presence::{Fact, Input, PersonId, TeamsUserId, Timestamp};
use runtime::{
    engine_handle::Cause,
    health::{TeamsPart, Trouble},
    people_index::Person,
};

use super::Tenant;

/// Complete answers in a row without an account after which it is missing.
const MISSES_MAX: u8 = 3;
/// The shortest time between the requests of two answers that both count, in milliseconds: requests that overlap may be
/// answered by one stale replica. Less than the polling interval, so that each sweep counts.
const MISS_SPACING: i64 = 750;
/// Interval at which an ended login is reported again to the engine: an answer that was under way may have hidden it.
const REPEAT_INTERVAL: Duration = Duration::from_secs(60);
/// Missing accounts that are named one by one.
const NAMED_MAX: usize = 5;

/// The reason why an answer does not count for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absence {
    /// A complete answer leaves the account out.
    LeftOut,
    /// The element about the account is odd; `None`: an element without an id may be about it.
    Odd(Option<ElementFault>),
}

/// Answers in a row that do not count for a person, for one reason.
#[derive(Clone, Copy, Debug)]
struct Misses {
    absence: Absence,
    count: u8,
    /// Time of the request for the last one that counts, in milliseconds of the network's time.
    last: i64,
}

/// The people in an answer.
#[derive(Debug, Default)]
struct Answered {
    /// Their element counts.
    present: BTreeSet<PersonId>,
    /// Their element is odd.
    odd: BTreeMap<PersonId, ElementFault>,
    /// An element without an id may be about any person: those who are not in the answer need not be missing.
    has_unnamed: bool,
}

/// Counts answers in a row without an account, and keeps ended logins. The time is an argument.
#[derive(Debug, Default)]
pub(super) struct Reach {
    misses: HashMap<PersonId, Misses>,
    logins_ended: BTreeMap<PersonId, Timestamp>,
}

impl Reach {
    /// Records an answer about `asked`, requested at `now` of the network's time. Returns the people with a missing account.
    fn answered(
        &mut self,
        asked: impl IntoIterator<Item = PersonId>,
        answered: &Answered,
        now: i64,
    ) -> Vec<PersonId> {
        let mut missing = Vec::new();
        for person in asked {
            if answered.present.contains(&person) {
                self.misses.remove(&person);
                continue;
            }
            let absence = match answered.odd.get(&person) {
                Some(odd) => Absence::Odd(Some(*odd)),
                None if answered.has_unnamed => Absence::Odd(None),
                None => Absence::LeftOut,
            };
            let first = Misses {
                absence,
                count: 0,
                last: now.saturating_sub(MISS_SPACING),
            };
            let misses = self.misses.entry(person).or_insert(first);
            if misses.absence != absence {
                *misses = first;
            }
            if now.saturating_sub(misses.last) >= MISS_SPACING {
                misses.count = misses.count.saturating_add(1).min(MISSES_MAX);
                misses.last = now;
            }
            if misses.count == MISSES_MAX && absence == Absence::LeftOut {
                missing.push(person);
            }
        }
        missing
    }

    /// Forgets people that are no longer synchronised.
    fn retain(&mut self, is_read: impl Fn(PersonId) -> bool) {
        self.misses.retain(|person, _| is_read(*person));
    }

    /// People with a missing account.
    fn missing(&self) -> BTreeSet<PersonId> {
        let missing = self.misses.iter();
        missing
            .filter(|(_, misses)| misses.count == MISSES_MAX && misses.absence == Absence::LeftOut)
            .map(|(person, _)| *person)
            .collect()
    }

    /// People with several odd answers in a row.
    fn odd(&self) -> BTreeMap<PersonId, Option<ElementFault>> {
        let odd = self.misses.iter();
        odd.filter(|(_, misses)| misses.count == MISSES_MAX)
            .filter_map(|(person, misses)| match misses.absence {
                Absence::Odd(odd) => Some((*person, odd)),
                Absence::LeftOut => None,
            })
            .collect()
    }

    /// Replaces the people with an ended login. Returns those to report to the engine.
    fn logins_ended(&mut self, people: &BTreeSet<PersonId>, now: Timestamp) -> Vec<PersonId> {
        self.logins_ended
            .retain(|person, _| people.contains(person));
        let is_due = |reported_at: Option<&Timestamp>| {
            reported_at.is_none_or(|at| *at + REPEAT_INTERVAL <= now)
        };
        let due: Vec<PersonId> = people
            .iter()
            .copied()
            .filter(|person| is_due(self.logins_ended.get(person)))
            .collect();
        self.logins_ended
            .extend(due.iter().map(|person| (*person, now)));
        due
    }
}

impl Tenant {
    fn reach(&self) -> MutexGuard<'_, Reach> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the accounts that an answer leaves out, and the odd elements. Returns the inputs for the engine.
    pub(super) fn left_out(
        &self,
        asked: &[TeamsUserId],
        read: &Presences,
        (asked_at, network_time): (Timestamp, i64),
    ) -> Vec<Input> {
        let by_id = |id: &TeamsUserId| self.context.people.by_teams_id(id);
        let of = |id: &str| by_id(&TeamsUserId::new(id));
        let present = read.presences.iter();
        let odd = read.skipped.iter();
        let answered = Answered {
            present: present.filter_map(|presence| of(&presence.id)).collect(),
            odd: odd
                .filter_map(|skipped| Some((of(skipped.id.as_deref()?)?, skipped.fault)))
                .collect(),
            has_unnamed: read.has_unnamed(),
        };
        let asked = asked.iter().filter_map(by_id);
        let missing = self.reach().answered(asked, &answered, network_time);
        let input = |person| Input::Person(person, Fact::TeamsAccountMissing { asked_at });
        missing.into_iter().map(input).collect()
    }

    /// Reports the missing accounts of the people who are read.
    pub(super) fn report_missing(&self) {
        let is_read = |person: PersonId| {
            let person = self.context.people.person(person);
            person.is_some_and(|person| person.teams_id.is_some() && self.serves(&person))
        };
        let missing = {
            let mut reach = self.reach();
            reach.retain(is_read);
            reach.missing()
        };
        self.context
            .metrics
            .set_missing_accounts(&self.name, missing.len());
        self.report(TeamsPart::MissingAccounts, self.missing_trouble(&missing));
    }

    /// The accounts about which several answers in a row were odd, and why.
    pub(super) fn unreadable(&self) -> Vec<(TeamsUserId, String)> {
        let odd = self.reach().odd().into_iter();
        odd.filter_map(|(person, odd)| {
            let account = self.context.people.person(person)?.teams_id.clone()?;
            let why = match odd {
                Some(odd) => format!(
                    "its element in Graph's answers is odd: {}",
                    odd.description()
                ),
                None => "Graph's answers have an element without an id in its place".into(),
            };
            Some((account, why))
        })
        .collect()
    }

    fn missing_trouble(&self, missing: &BTreeSet<PersonId>) -> Option<Trouble> {
        let names: Vec<String> = missing
            .iter()
            .take(NAMED_MAX)
            .filter_map(|person| Some(self.context.people.person(*person)?.name.clone()))
            .collect();
        let more = match missing.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!missing.is_empty()).then(|| Trouble {
            what: format!(
                "Microsoft's answers leave out the Teams accounts of {}{more}; their calls and states in Teams have ended here",
                names.join(", ")
            ),
            remedy: "if the account was deleted in Entra, remove it here (page of the person, Teams account), or remove the \
                     person; if it was restored, nothing needs to be done"
                .into(),
        })
    }

    /// Reports ended logins to the engine: of people with an account and without a usable login.
    pub(super) async fn report_ended_logins(&self) {
        let Some(logins) = &self.logins else { return };
        let has_ended = |person: &Person| {
            person.teams_id.is_some() && self.serves(person) && !logins.signed_in(person.id)
        };
        let ended = self.context.people.people(has_ended);
        let ended: BTreeSet<PersonId> = ended.iter().map(|person| person.id).collect();
        let due = self.reach().logins_ended(&ended, self.context.clock.now());
        if due.is_empty() {
            return;
        }
        let input = |person| Input::Person(person, Fact::TeamsLoginEnded);
        let inputs = due.into_iter().map(input).collect();
        self.context.engine.inputs(inputs, Cause::Other).await;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use graph::ElementFault;
    use presence::{PersonId, Timestamp};

    use super::{Answered, REPEAT_INTERVAL, Reach};

    const ANNA: PersonId = PersonId(1);
    const BEN: PersonId = PersonId(2);

    /// Answers that were asked for both, a second apart. Returns the missing.
    fn answer(reach: &mut Reach, present: &[PersonId]) -> Vec<PersonId> {
        let last = reach.misses.values().map(|misses| misses.last).max();
        let now = last.unwrap_or_default() + 1_000;
        reach.answered([ANNA, BEN], &complete(present), now)
    }

    fn complete(present: &[PersonId]) -> Answered {
        Answered {
            present: present.iter().copied().collect(),
            ..Answered::default()
        }
    }

    #[test]
    fn a_person_with_an_odd_element_is_named_and_not_missing() {
        let mut reach = Reach::default();
        let odd = Answered {
            odd: [(ANNA, ElementFault::NoAvailability)].into(),
            ..complete(&[BEN])
        };
        for answer in 0..5 {
            assert_eq!(reach.answered([ANNA, BEN], &odd, answer * 1_000), []);
        }
        assert_eq!(
            reach.odd(),
            [(ANNA, Some(ElementFault::NoAvailability))].into()
        );
        assert_eq!(reach.missing(), BTreeSet::new());
        assert_eq!(answer(&mut reach, &[ANNA, BEN]), []);
        assert!(reach.odd().is_empty());
    }

    #[test]
    fn where_an_element_has_no_id_nobody_is_missing() {
        let mut reach = Reach::default();
        let unnamed = Answered {
            has_unnamed: true,
            ..complete(&[BEN])
        };
        for answer in 0..5 {
            assert_eq!(reach.answered([ANNA, BEN], &unnamed, answer * 1_000), []);
        }
        assert_eq!(reach.odd(), [(ANNA, None)].into());
        // Complete answers are counted from their first.
        for _ in 0..2 {
            assert_eq!(answer(&mut reach, &[BEN]), []);
        }
        assert_eq!(answer(&mut reach, &[BEN]), [ANNA]);
        assert!(reach.odd().is_empty());
    }

    #[test]
    fn answers_to_requests_that_overlap_count_once() {
        let mut reach = Reach::default();
        let mut at = |now| reach.answered([ANNA], &Answered::default(), now);
        for now in [0, 10, 300, 749, 1_000, 1_100, 900, 1_700] {
            assert_eq!(at(now), [], "{now}");
        }
        assert_eq!(at(1_750), [ANNA]);
        assert_eq!(at(1_760), [ANNA], "still");
    }

    #[test]
    fn three_complete_answers_in_a_row_make_an_account_missing() {
        let mut reach = Reach::default();
        assert_eq!(answer(&mut reach, &[BEN]), []);
        assert_eq!(answer(&mut reach, &[BEN]), []);
        // In between there may be errors, which are no answers.
        assert_eq!(answer(&mut reach, &[BEN]), [ANNA]);
        assert_eq!(answer(&mut reach, &[BEN]), [ANNA], "for good");
        assert_eq!(reach.missing(), BTreeSet::from([ANNA]));
        assert_eq!(answer(&mut reach, &[ANNA, BEN]), []);
        assert_eq!(reach.missing(), BTreeSet::new());
    }

    #[test]
    fn an_answer_that_has_it_begins_the_count_anew() {
        let mut reach = Reach::default();
        for _ in 0..5 {
            assert_eq!(answer(&mut reach, &[BEN]), []);
            assert_eq!(answer(&mut reach, &[BEN]), []);
            assert_eq!(answer(&mut reach, &[ANNA, BEN]), []);
        }
        assert_eq!(reach.missing(), BTreeSet::new());
    }

    #[test]
    fn an_answer_says_nothing_of_people_who_were_not_asked_for() {
        let mut reach = Reach::default();
        for _ in 0..3 {
            assert_eq!(reach.answered([BEN], &complete(&[BEN]), 0), []);
        }
        assert_eq!(reach.missing(), BTreeSet::new());
    }

    #[test]
    fn people_who_are_not_read_any_more_are_missed_no_more() {
        let mut reach = Reach::default();
        for _ in 0..3 {
            answer(&mut reach, &[BEN]);
        }
        reach.retain(|person| person != ANNA);
        assert_eq!(reach.missing(), BTreeSet::new());
        assert_eq!(answer(&mut reach, &[BEN]), [], "counted anew");
    }

    #[test]
    fn an_ended_login_is_reported_at_once_and_now_and_then() {
        let mut reach = Reach::default();
        let mut now = Timestamp::from_milliseconds(1_000);
        let both = BTreeSet::from([ANNA, BEN]);
        assert_eq!(reach.logins_ended(&BTreeSet::from([ANNA]), now), [ANNA]);
        assert_eq!(reach.logins_ended(&both, now), [BEN]);
        assert_eq!(reach.logins_ended(&both, now), []);
        now = now + REPEAT_INTERVAL;
        assert_eq!(reach.logins_ended(&both, now), [ANNA, BEN]);
        assert_eq!(reach.logins_ended(&BTreeSet::new(), now), []);
        assert_eq!(
            reach.logins_ended(&both, now),
            [ANNA, BEN],
            "signed in and out again"
        );
    }
}
