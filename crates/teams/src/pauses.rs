//! Pauses of writing to Teams: a problem in `/readyz`, the doctor and the overview until the last pause ends.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use presence::{Effect, PersonId, Timestamp};
use runtime::{
    clock::rfc3339,
    engine_task::Sink,
    health::{Health, Part, Trouble},
};

/// The pauses. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pauses {
    health: Health,
    until: Arc<Mutex<BTreeMap<PersonId, Timestamp>>>,
}

impl Pauses {
    /// No pauses yet.
    pub fn new(health: Health) -> Self {
        Self {
            health,
            until: Arc::default(),
        }
    }

    /// Adds the pause of a person.
    pub fn begin(&self, person: PersonId, until: Timestamp) {
        tracing::warn!(%person, until = %rfc3339(until), "writing to Teams is paused for this person");
        self.change(|pauses| {
            pauses.insert(person, until);
        });
    }

    /// Removes the pause of a person.
    pub fn end(&self, person: PersonId) {
        self.change(|pauses| {
            pauses.remove(&person);
        });
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<PersonId, Timestamp>)) {
        let mut pauses = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut pauses);
        let trouble = pauses.values().max().map(|last| Trouble {
            what: format!(
                "writing to Teams is paused for {} people until {} at the latest: Teams showed something else again and \
                 again after the same call, meeting or choice had been written",
                pauses.len(),
                rfc3339(*last)
            ),
            remedy: "check that no second presence synchronisation writes for these people; the log names them".into(),
        });
        self.health.report(&Part::LoopBreaker, trouble);
    }
}

impl Sink for Pauses {
    fn apply(&self, effect: &Effect) {
        match effect {
            Effect::WritingPaused { person, until } => self.begin(*person, *until),
            Effect::WritingResumed(person) => self.end(*person),
            Effect::Changed { .. }
            | Effect::Store(_)
            | Effect::Write(_)
            | Effect::ReadTeams(_)
            | Effect::WriteLag { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use presence::{PersonId, Timestamp};
    use runtime::health::{Health, Part};

    use super::Pauses;

    #[test]
    fn a_pause_is_a_problem_until_the_last_one_ends() {
        let health = Health::default();
        let pauses = Pauses::new(health.clone());
        let problem = || health.parts().get(&Part::LoopBreaker).cloned().flatten();
        let until = Timestamp::from_milliseconds(1_800_000_000_000);
        assert_eq!(problem(), None);
        pauses.begin(PersonId(1), until);
        pauses.begin(PersonId(2), until);
        assert!(problem().is_some_and(|problem| problem.what.contains("2 people")));
        pauses.end(PersonId(1));
        assert!(problem().is_some());
        pauses.end(PersonId(2));
        assert_eq!(problem(), None);
    }
}
