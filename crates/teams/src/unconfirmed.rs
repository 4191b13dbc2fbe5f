//! Writes that Microsoft has not confirmed: a problem in `/readyz` and the doctor until they are, or a warning where only one
//! person's account is refused.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use graph::{Blame, GraphError};
use presence::{Action, PersonId, Slot, TeamsUserId, TeamsWrite};
use runtime::health::{TeamsPart, Trouble};

use super::Tenant;

/// Lifetime of a write at Microsoft, in milliseconds: a session, Do not disturb.
const SESSION: i64 = 5 * 60_000;
const DAY: i64 = 24 * 3_600_000;
/// People who are named one by one.
const NAMED_MAX: usize = 5;
/// Numbers and waits are reported in steps, because each new text is logged.
const MORE_STEPS: [usize; 5] = [5, 50, 500, 5_000, 50_000];
const WAIT_STEPS: [(u64, &str); 4] = [
    (5, "5 s"),
    (30, "30 s"),
    (80, "80 s"),
    (u64::MAX, "5 minutes"),
];

/// A write without confirmation.
#[derive(Clone, Debug)]
struct Failure {
    /// The person who has or had the account.
    person: PersonId,
    /// Text of the last error, with the remedy where an administrator can help.
    what: String,
    blame: Blame,
    /// Whether the write is a clear: the presence that Offhook wrote stays in Teams until it succeeds.
    is_clear: bool,
    /// Microsoft may hold a write of this slot that it acknowledged.
    was_acknowledged: bool,
    /// The first failure of this kind: set or clear.
    first_at: i64,
    /// End of the rest before the next try.
    next_at: i64,
    /// Other writes succeeded between its failures.
    is_alone: bool,
}

/// An account in Entra, which outlives the person here, and a slot of it.
type Key = (TeamsUserId, Slot);

/// The writes of a tenant that are not confirmed. The time is an argument.
#[derive(Debug, Default)]
pub(super) struct Unconfirmed {
    writes: BTreeMap<Key, Failure>,
    succeeded_at: Option<i64>,
}

impl Unconfirmed {
    /// Records a failure; the next try is due at `next_at`.
    fn failed(
        &mut self,
        (user, write): (&TeamsUserId, TeamsWrite),
        error: &GraphError,
        now: i64,
        next_at: i64,
    ) {
        let TeamsWrite {
            person,
            slot,
            action,
            trace: _,
        } = write;
        let write = (user.clone(), slot);
        let before = self.writes.get(&write);
        let is_clear = action == Action::Clear;
        let same = before.filter(|failure| failure.is_clear == is_clear);
        let first_at = same.map_or(now, |failure| failure.first_at);
        let was_acknowledged = match (before, action) {
            (Some(failure), _) => failure.was_acknowledged,
            (None, Action::Set) => false,
            (None, Action::Renew | Action::Clear | Action::Abandon) => true,
        };
        let failure = Failure {
            person,
            what: error.to_string(),
            blame: error.blame(),
            is_clear,
            was_acknowledged,
            first_at,
            next_at,
            is_alone: self.succeeded_at.is_some_and(|at| at >= first_at)
                || before.is_some_and(|failure| failure.is_alone),
        };
        self.writes.insert(write, failure);
    }

    /// Records a success.
    fn confirmed(&mut self, write: &Key, now: i64) {
        self.writes.remove(write);
        self.succeeded_at = Some(now);
    }

    /// Forgets a write that is not retried any more, without counting a success.
    fn forget(&mut self, write: &Key) {
        self.writes.remove(write);
    }

    /// Forgets the writes to accounts that no person has: sets at once, clears when Microsoft has dropped the state.
    /// Returns the forgotten writes.
    fn retain(&mut self, is_linked: impl Fn(&TeamsUserId) -> bool, now: i64) -> Vec<Key> {
        let is_over = |(user, slot): &Key, failure: &Failure| {
            let lifetime = match slot {
                Slot::Session => SESSION,
                Slot::Preferred => DAY,
            };
            let waits = failure.is_clear && now.saturating_sub(failure.first_at) < lifetime;
            !waits && !is_linked(user)
        };
        let over = self
            .writes
            .extract_if(.., |write, failure| is_over(write, failure));
        over.map(|(write, _)| write).collect()
    }

    /// The trouble of writes that concerns the tenant, and the warning about single accounts.
    fn troubles(
        &self,
        name_of: impl Fn(PersonId, &TeamsUserId) -> String,
        now: i64,
    ) -> (Option<Trouble>, Option<Trouble>) {
        let of_account = |failure: &Failure| match failure.blame {
            Blame::Service => false,
            Blame::Request if !failure.is_clear => true,
            // The account, as one without a licence, refuses the clear like the set before it.
            Blame::Administrator | Blame::Request if failure.is_clear => {
                failure.is_alone || !failure.was_acknowledged
            }
            Blame::Administrator | Blame::Request => failure.is_alone,
        };
        let describe = |accounts: bool, remedy: &str| {
            let writes = self.writes.iter();
            let writes: Vec<_> = writes
                .filter(|(_, failure)| of_account(failure) == accounts)
                .collect();
            let (_, latest) = writes.iter().max_by_key(|(_, failure)| failure.next_at)?;
            let wait = latest.next_at.saturating_sub(now).max(0).unsigned_abs();
            let mut accounts: Vec<(PersonId, &TeamsUserId)> = writes
                .iter()
                .map(|((user, _), failure)| (failure.person, user))
                .collect();
            accounts.sort_unstable();
            accounts.dedup();
            Some(Trouble {
                what: format!(
                    "{}; not confirmed by Microsoft for {}, tried again within {}",
                    latest.what,
                    names(&accounts, &name_of),
                    within(Duration::from_millis(wait))
                ),
                remedy: remedy.into(),
            })
        };
        (
            describe(
                false,
                "Offhook retries, also after a restart; if the problem lasts, see the text",
            ),
            describe(
                true,
                "writes to other accounts succeed: check the account in Entra and its Teams licence; Offhook retries",
            ),
        )
    }
}

fn names(
    accounts: &[(PersonId, &TeamsUserId)],
    name_of: impl Fn(PersonId, &TeamsUserId) -> String,
) -> String {
    let named = accounts.iter().take(NAMED_MAX);
    let named: Vec<String> = named.map(|(person, user)| name_of(*person, user)).collect();
    let more = accounts.len().saturating_sub(NAMED_MAX);
    let step = MORE_STEPS.iter().rev().find(|step| **step < more);
    let more = match (more, step) {
        (0, _) => String::new(),
        (_, Some(step)) => format!(" and more than {step} others"),
        (more, None) => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(", "))
}

fn within(wait: Duration) -> &'static str {
    let step = WAIT_STEPS
        .iter()
        .find(|(seconds, _)| wait <= Duration::from_secs(*seconds));
    step.map_or("5 minutes", |(_, text)| text)
}

impl Tenant {
    /// The writes without confirmation.
    fn unconfirmed(&self) -> MutexGuard<'_, Unconfirmed> {
        self.unconfirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the result of a write to an account, and reports the health of writing.
    pub(super) fn report_write(
        &self,
        (user, write): (&TeamsUserId, TeamsWrite),
        result: Result<(), &GraphError>,
        (now, next_at): (i64, i64),
    ) {
        let mut unconfirmed = self.unconfirmed();
        match result {
            Ok(()) => unconfirmed.confirmed(&(user.clone(), write.slot), now),
            Err(error) => unconfirmed.failed((user, write), error, now, next_at),
        }
        self.report_unconfirmed(&unconfirmed, now);
    }

    /// Forgets writes that are not retried any more.
    pub(super) fn forget_writes(&self, writes: &[Key], now: i64) {
        let mut unconfirmed = self.unconfirmed();
        for write in writes {
            unconfirmed.forget(write);
        }
        self.report_unconfirmed(&unconfirmed, now);
    }

    /// Forgets the writes to accounts that no person has ([`Unconfirmed::retain`]). Returns the forgotten writes.
    pub(super) fn forget_unconfirmed(&self, now: i64) -> Vec<Key> {
        let is_linked = |user: &TeamsUserId| self.context.people.by_teams_id(user).is_some();
        let mut unconfirmed = self.unconfirmed();
        let forgotten = unconfirmed.retain(is_linked, now);
        if !forgotten.is_empty() {
            self.report_unconfirmed(&unconfirmed, now);
        }
        forgotten
    }

    /// Reports the health of writing. The caller holds the lock: reports come in the order of the changes.
    fn report_unconfirmed(&self, unconfirmed: &Unconfirmed, now: i64) {
        let name = |person, user: &TeamsUserId| {
            let Some(person) = self.context.people.person(person) else {
                return "the account of a person who was removed".into();
            };
            match person.teams_id.as_ref() == Some(user) {
                true => person.name.clone(),
                false => format!("the former account of {}", person.name),
            }
        };
        let (trouble, warning) = unconfirmed.troubles(name, now);
        self.report(TeamsPart::Writes, trouble);
        self.report_warning(TeamsPart::Writes, warning);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: PersonId = PersonId(1);

    fn anna() -> Key {
        ("anna".into(), Slot::Preferred)
    }

    fn ben() -> Key {
        ("ben".into(), Slot::Session)
    }

    fn fails(unconfirmed: &mut Unconfirmed, action: Action, error: &GraphError, at: [i64; 2]) {
        let write = TeamsWrite {
            person: ANNA,
            slot: Slot::Preferred,
            action,
            trace: None,
        };
        unconfirmed.failed((&"anna".into(), write), error, at[0], at[1]);
    }

    fn locked() -> GraphError {
        GraphError::Unconfirmed {
            peer: graph::Peer::Graph,
            call: "clearUserPreferredPresence",
            status: 423,
            detail: String::new(),
            retry_after: None,
        }
    }

    fn forbidden() -> GraphError {
        GraphError::Forbidden {
            call: "setPresence",
            message: "Forbidden: x".into(),
            permission: "application permission Presence.ReadWrite.All",
        }
    }

    fn invalid() -> GraphError {
        GraphError::Refused {
            call: "clearPresence",
            status: 400,
            message: "InvalidArgument: x".into(),
        }
    }

    fn troubles(unconfirmed: &Unconfirmed, now: i64) -> (Option<Trouble>, Option<Trouble>) {
        unconfirmed.troubles(|person, _| format!("person {}", person.0), now)
    }

    // /readyz is not green over an unconfirmed write while others succeed.
    #[test]
    fn an_unconfirmed_write_is_a_trouble_until_it_is_confirmed() {
        for (action, error) in [(Action::Clear, locked()), (Action::Set, locked())] {
            let mut unconfirmed = Unconfirmed::default();
            fails(&mut unconfirmed, action, &error, [0, 1_000]);
            unconfirmed.confirmed(&ben(), 500);
            fails(&mut unconfirmed, action, &error, [1_000, 3_000]);
            let (trouble, warning) = troubles(&unconfirmed, 1_000);
            let what = trouble.unwrap().what;
            assert_eq!(warning, None);
            for part in ["not confirmed by Microsoft for person 1", "within 5 s"] {
                assert!(what.contains(part), "{what}");
            }
            unconfirmed.confirmed(&anna(), 3_000);
            assert_eq!(troubles(&unconfirmed, 3_000), (None, None));
        }
    }

    // One account that is refused while others are written is a warning about that account.
    #[test]
    fn one_refused_account_among_others_is_a_warning() {
        let mut unconfirmed = Unconfirmed::default();
        fails(&mut unconfirmed, Action::Set, &forbidden(), [0, 15_000]);
        assert!(troubles(&unconfirmed, 0).0.is_some(), "nobody succeeds");
        unconfirmed.confirmed(&ben(), 500);
        fails(
            &mut unconfirmed,
            Action::Set,
            &forbidden(),
            [15_000, 30_000],
        );
        let (trouble, warning) = troubles(&unconfirmed, 15_000);
        assert_eq!(trouble, None);
        assert!(warning.unwrap().remedy.contains("licence"));
    }

    // Neither is the clear of an account the tenant's trouble, where others are written or its set was refused already.
    #[test]
    fn one_refused_clear_is_a_warning() {
        for error in [forbidden(), invalid()] {
            let mut unconfirmed = Unconfirmed::default();
            fails(&mut unconfirmed, Action::Clear, &error, [0, 15_000]);
            assert!(troubles(&unconfirmed, 0).0.is_some(), "nobody succeeds");
            unconfirmed.confirmed(&ben(), 500);
            fails(&mut unconfirmed, Action::Clear, &error, [15_000, 30_000]);
            let (trouble, warning) = troubles(&unconfirmed, 15_000);
            assert!(trouble.is_none() && warning.is_some());

            let mut unconfirmed = Unconfirmed::default();
            fails(&mut unconfirmed, Action::Set, &forbidden(), [0, 15_000]);
            for now in [5_000, 20_000] {
                fails(&mut unconfirmed, Action::Clear, &error, [now, now]);
                let (trouble, warning) = troubles(&unconfirmed, now);
                assert!(trouble.is_none() && warning.is_some());
            }
            unconfirmed.forget(&anna());
            assert_eq!(troubles(&unconfirmed, 20_000), (None, None));
        }
        // A presence that may be in force at Microsoft is not hidden by a refused renewal or a new set.
        for set in [Action::Renew, Action::Set] {
            let mut unconfirmed = Unconfirmed::default();
            if set == Action::Set {
                fails(&mut unconfirmed, Action::Clear, &locked(), [0, 1_000]);
            }
            fails(&mut unconfirmed, set, &forbidden(), [1_000, 2_000]);
            fails(
                &mut unconfirmed,
                Action::Clear,
                &forbidden(),
                [2_000, 3_000],
            );
            assert!(troubles(&unconfirmed, 2_000).0.is_some(), "{set:?}");
        }
    }

    // The clear of a person who was removed is reported and retried until Microsoft has dropped the state.
    #[test]
    fn the_clear_of_a_removed_person_is_forgotten_after_a_day() {
        let mut unconfirmed = Unconfirmed::default();
        fails(&mut unconfirmed, Action::Set, &locked(), [0, 1_000]);
        assert_eq!(unconfirmed.retain(|_| true, DAY), []);
        assert_eq!(unconfirmed.retain(|_| false, 0).len(), 1);
        fails(&mut unconfirmed, Action::Clear, &locked(), [0, 1_000]);
        assert_eq!(unconfirmed.retain(|_| false, DAY - 1), []);
        let left = unconfirmed.retain(|_| false, DAY);
        assert_eq!(left, [("anna".into(), Slot::Preferred)]);
        assert_eq!(troubles(&unconfirmed, DAY), (None, None));
    }

    #[test]
    fn texts_change_in_steps() {
        let user = TeamsUserId::new("user");
        let people: Vec<(PersonId, &TeamsUserId)> =
            (0..700).map(|id| (PersonId(id), &user)).collect();
        let name = |person: PersonId, _: &TeamsUserId| person.0.to_string();
        assert_eq!(names(&people[..2], name), "0, 1");
        assert_eq!(names(&people[..8], name), "0, 1, 2, 3, 4 and 3 more");
        assert_eq!(
            names(&people, name),
            "0, 1, 2, 3, 4 and more than 500 others"
        );
        assert_eq!(within(Duration::from_secs(299)), "5 minutes");
    }
}
