//! Whether a subscription still says something. Graph may lose one without a word (reference 4.8), so what the sweep sees to
//! have changed is compared with what was told.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Notifications are a minute old at most (reference 4.1); half of that again for the sweep's and our own delay.
pub(super) const LATEST: i64 = 90_000;
/// A subscription about more people must be silent about so many of them: one notification may be lost.
const SILENT_MAX: usize = 3;
/// So many people are remembered before those are dropped whose time is over.
const TOLD_MAX: usize = 4_096;

/// What changed and what was told. Plain: times are milliseconds on any clock that does not run backwards.
#[derive(Debug, Default)]
pub(super) struct Watchdog {
    /// People who changed and of whom nothing was told yet, and since when.
    waiting: BTreeMap<Arc<str>, i64>,
    /// When something was last told of somebody.
    told: HashMap<Arc<str>, i64>,
}

impl Watchdog {
    /// The sweep sees that a person has changed.
    pub(super) fn changed(&mut self, now: i64, user: &str) {
        let told = self.told.get(user);
        if told.is_none_or(|told| now.saturating_sub(*told) > LATEST) {
            self.waiting.entry(user.into()).or_insert(now);
        }
    }

    /// A notification tells of a person.
    pub(super) fn noticed(&mut self, now: i64, user: &str) {
        self.waiting.remove(user);
        if self.told.len() >= TOLD_MAX {
            self.told
                .retain(|_, told| now.saturating_sub(*told) <= LATEST);
        }
        self.told.insert(user.into(), now);
    }

    /// People whose change should have been told by now, with its time; each is named once.
    pub(super) fn overdue(&mut self, now: i64) -> Vec<(Arc<str>, i64)> {
        let mut overdue = Vec::new();
        self.waiting.retain(|user, changed| {
            let late = now.saturating_sub(*changed) > LATEST;
            if late {
                overdue.push((user.clone(), *changed));
            }
            !late
        });
        overdue
    }
}

/// How many of so many people must have changed without a word before a subscription is made anew.
pub(super) fn suspicious(silent: usize, people: usize) -> bool {
    silent > 0 && silent >= SILENT_MAX.min(people)
}

#[cfg(test)]
mod tests {
    use super::{LATEST, Watchdog, suspicious};

    #[test]
    fn a_change_is_overdue_unless_it_is_told_before_or_after_it_was_seen() {
        let mut watchdog = Watchdog::default();
        watchdog.noticed(0, "before");
        for user in ["before", "after", "never"] {
            watchdog.changed(1_000, user);
        }
        watchdog.noticed(60_000, "after");
        assert_eq!(watchdog.overdue(1_000 + LATEST), []);
        assert_eq!(watchdog.overdue(1_001 + LATEST), [("never".into(), 1_000)]);
        assert_eq!(watchdog.overdue(i64::MAX), []);
    }

    #[test]
    fn what_was_told_long_ago_tells_nothing_of_a_new_change() {
        let mut watchdog = Watchdog::default();
        watchdog.noticed(0, "anna");
        watchdog.changed(LATEST + 1, "anna");
        assert_eq!(watchdog.overdue(3 * LATEST).len(), 1);
    }

    #[test]
    fn one_lost_notification_of_many_is_no_silence() {
        assert!(!suspicious(0, 0));
        assert!(suspicious(1, 1));
        assert!(!suspicious(2, 650) && suspicious(3, 650));
    }
}
