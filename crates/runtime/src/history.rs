//! The presence of each person in the last 24 hours, in memory. If a scope keeps a history, the store has it too
//! (`history_recorder.rs`).

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use presence::{Activity, PersonId, Presence, Timestamp};

/// Length of the history.
pub const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Rows of one person. A person with more has a line that flaps, as the last rows show.
const CHANGES_MAX: usize = 200;

/// The history of all people. The caller locks it.
#[derive(Debug, Default)]
pub struct History(BTreeMap<PersonId, VecDeque<(Timestamp, Presence)>>);

impl History {
    /// Adds the presence from now on: one row for one visible state, with the times and the confidence of its beginning.
    pub fn record(&mut self, person: PersonId, now: Timestamp, presence: Presence) {
        let changes = self.0.entry(person).or_default();
        // The settings may hide what changed: then the time of the change leaves no row either.
        if changes
            .back()
            .is_some_and(|(_, last)| last.looks_like(&presence))
        {
            return;
        }
        // The row that was in force 24 hours ago is kept.
        while changes.len() >= CHANGES_MAX
            || changes.get(1).is_some_and(|(at, _)| *at + KEPT <= now)
        {
            changes.pop_front();
        }
        changes.push_back((now, presence));
    }

    /// Adds the rows from before this start, the oldest first. A state that lasts since then is one row, and so are equal rows:
    /// earlier versions stored one for each confidence.
    pub fn restore(&mut self, person: PersonId, mut past: Vec<(Timestamp, Presence)>) {
        past.dedup_by(|(_, next), (_, before)| before.looks_like(next));
        let changes = self.0.entry(person).or_default();
        if let (Some((_, last)), Some((_, first))) = (past.last(), changes.front())
            && last.looks_like(first)
        {
            changes.pop_front();
        }
        for change in past.into_iter().rev() {
            if changes.len() >= CHANGES_MAX {
                return;
            }
            changes.push_front(change);
        }
    }

    /// Whether a row of the person begins at this time.
    pub fn is_start_of_row(&self, person: PersonId, at: Timestamp) -> bool {
        let changes = self.0.get(&person);
        // From the newest row: callers ask for new rows.
        let mut changes = changes.into_iter().flatten().rev();
        changes.any(|(began, _)| *began == at)
    }

    /// Removes the rows of a person.
    pub fn forget(&mut self, person: PersonId) {
        self.0.remove(&person);
    }

    /// Beginnings of calls since a time, on a phone and in Teams, of all people.
    pub fn calls(&self, since: Timestamp) -> Vec<Timestamp> {
        let in_call = |presence: &Presence| match presence.activity {
            Some(Activity::OnThePhone | Activity::OnThePhoneTeams | Activity::Presenting) => true,
            None | Some(Activity::Ringing | Activity::InMeeting | Activity::UsingApp(_)) => false,
        };
        let mut calls = Vec::new();
        for changes in self.0.values() {
            let mut was_in_call = false;
            for (at, presence) in changes {
                let is_in_call = in_call(presence);
                if is_in_call && !was_in_call && *at >= since {
                    calls.push(*at);
                }
                was_in_call = is_in_call;
            }
        }
        calls
    }

    /// The rows of a person, the oldest first.
    pub fn of(&self, person: PersonId) -> Vec<(Timestamp, Presence)> {
        let changes = self.0.get(&person);
        changes.into_iter().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use presence::{Activity, Confidence, PersonId, Presence, Timestamp};

    use super::{CHANGES_MAX, History};
    use crate::fixtures::busy;

    fn presence(since: Timestamp) -> Presence {
        Presence {
            profile: format!("At {}", since.milliseconds()).into(),
            since,
            ..busy()
        }
    }

    #[test]
    fn a_day_is_kept_and_what_was_shown_when_it_began() {
        let mut history = History::default();
        let start = Timestamp::from_milliseconds(1_000);
        for hour in [0, 1, 25, 26] {
            let now = start + Duration::from_secs(hour * 3600);
            history.record(PersonId(1), now, presence(now));
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
    fn a_call_is_counted_once_at_its_beginning() {
        let mut history = History::default();
        let at = Timestamp::from_milliseconds;
        let doing = |activity| Presence {
            activity,
            ..presence(at(0))
        };
        for (time, activity) in [
            (1, None),
            (2, Some(Activity::Ringing)),
            (3, Some(Activity::OnThePhone)),
            (4, Some(Activity::OnThePhoneTeams)),
            (5, Some(Activity::Presenting)),
            (6, None),
            (7, Some(Activity::OnThePhoneTeams)),
        ] {
            history.record(PersonId(1), at(time), doing(activity));
        }
        assert_eq!(history.calls(at(0)), [at(3), at(7)]);
        assert_eq!(history.calls(at(4)), [at(7)]);
    }

    /// The moments at which rows begin.
    fn rows(history: &History) -> Vec<i64> {
        let rows = history.of(PersonId(1)).into_iter();
        rows.map(|(at, _)| at.milliseconds()).collect()
    }

    #[test]
    fn one_visible_state_is_one_row() {
        let mut history = History::default();
        let state = presence(Timestamp::from_milliseconds(1));
        for (index, confidence) in Confidence::ALL.into_iter().enumerate() {
            let now = Timestamp::from_milliseconds(index as i64);
            let shown = Presence {
                confidence,
                since: now,
                ..state.clone()
            };
            history.record(PersonId(1), now, shown);
            assert!(history.is_start_of_row(PersonId(1), now) == (index == 0));
        }
        assert_eq!(rows(&history), [0]);
        let now = Timestamp::from_milliseconds(9);
        let hidden = Presence {
            without_microphone: Some(std::sync::Arc::new(state.clone())),
            ..state.clone()
        };
        history.record(PersonId(1), now, hidden);
        assert_eq!(rows(&history), [0, 9], "some viewers see a difference");
    }

    #[test]
    fn a_state_that_goes_on_over_a_restart_is_one_row_and_rows_of_earlier_versions_are_merged() {
        let [one, other] = [1, 2].map(|at| presence(Timestamp::from_milliseconds(at)));
        let stale = |presence: &Presence| Presence {
            confidence: Confidence::Stale,
            ..presence.clone()
        };
        let past = [
            (1, one.clone()),
            (2, stale(&one)),
            (3, other.clone()),
            (4, stale(&other)),
        ];
        let past = past.map(|(at, presence)| (Timestamp::from_milliseconds(at), presence));
        for (first, expected) in [(stale(&other), vec![1, 3]), (one, vec![1, 3, 8])] {
            let mut history = History::default();
            history.record(PersonId(1), Timestamp::from_milliseconds(8), first);
            history.restore(PersonId(1), past.to_vec());
            assert_eq!(rows(&history), expected);
        }
    }

    #[test]
    fn a_flapping_line_takes_no_more_than_its_share() {
        let mut history = History::default();
        for second in 0..1_000 {
            let now = Timestamp::from_milliseconds(second);
            history.record(PersonId(1), now, presence(now));
        }
        assert_eq!(history.of(PersonId(1)).len(), CHANGES_MAX);
    }
}
