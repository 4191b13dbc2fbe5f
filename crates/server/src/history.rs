//! What was shown of each person in the last 24 hours, in memory: for whoever asks "and what was it an hour ago?". Where an
//! administrator wants it, the store keeps it too (`recorder.rs`).

pub(crate) mod recorder;
mod stored;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use presence::{PersonId, Presence, Timestamp};

/// How far back one can look.
pub(crate) const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Changes of one person that are kept. Somebody with more of them has a line that flaps, and the last ones tell that.
const CHANGES_MAX: usize = 200;

/// The changes. The caller keeps the lock.
#[derive(Debug, Default)]
pub struct History(BTreeMap<PersonId, VecDeque<(Timestamp, Presence)>>);

impl History {
    /// Notes what is shown from now on.
    pub fn note(&mut self, person: PersonId, now: Timestamp, presence: Presence) {
        let changes = self.0.entry(person).or_default();
        // What is remembered may be less than what has changed: that something happened must not be remembered either.
        if changes.back().is_some_and(|(_, last)| *last == presence) {
            return;
        }
        // The oldest one is kept for what was shown when the day began.
        while changes.len() >= CHANGES_MAX
            || changes.get(1).is_some_and(|(at, _)| *at + KEPT <= now)
        {
            changes.pop_front();
        }
        changes.push_back((now, presence));
    }

    /// What was shown before this start, the oldest first.
    pub fn recall(&mut self, person: PersonId, past: Vec<(Timestamp, Presence)>) {
        let changes = self.0.entry(person).or_default();
        for change in past.into_iter().rev() {
            if changes.len() >= CHANGES_MAX {
                return;
            }
            changes.push_front(change);
        }
    }

    /// A person is gone.
    pub fn forget(&mut self, person: PersonId) {
        self.0.remove(&person);
    }

    /// The changes of a person, the oldest first.
    pub fn of(&self, person: PersonId) -> Vec<(Timestamp, Presence)> {
        let changes = self.0.get(&person);
        changes.into_iter().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use presence::{Confidence, PersonId, Presence, Status, Timestamp};

    use super::{CHANGES_MAX, History};

    fn presence(since: Timestamp) -> Presence {
        Presence {
            status: Status::Busy,
            activity: None,
            profile: "Busy".into(),
            forwarding: presence::Forwarding::Off,
            chosen: false,
            appointment: None,
            since,
            profile_since: Timestamp::default(),
            profile_status: Status::Busy,
            confidence: Confidence::Certain,
            without_microphone: None,
        }
    }

    #[test]
    fn a_day_is_kept_and_what_was_shown_when_it_began() {
        let mut history = History::default();
        let start = Timestamp::from_milliseconds(1_000);
        for hour in [0, 1, 25, 26] {
            let now = start + Duration::from_secs(hour * 3600);
            history.note(PersonId(1), now, presence(now));
        }
        let kept = history.of(PersonId(1));
        let hours: Vec<i64> = kept
            .iter()
            .map(|(at, _)| (at.milliseconds() - 1_000) / 3_600_000)
            .collect();
        assert_eq!(hours, [1, 25, 26]);
        assert_eq!(history.of(PersonId(2)), []);
    }

    #[test]
    fn a_flapping_line_takes_no_more_than_its_share() {
        let mut history = History::default();
        for second in 0..1_000 {
            let now = Timestamp::from_milliseconds(second);
            history.note(PersonId(1), now, presence(now));
        }
        assert_eq!(history.of(PersonId(1)).len(), CHANGES_MAX);
    }
}
