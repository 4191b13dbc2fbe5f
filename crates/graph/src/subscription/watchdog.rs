//! Detects subscriptions that report no changes. Graph may lose a subscription without an event (Graph, "Reduce missing
//! subscriptions and change notifications"), so the changes that the sweep finds are compared with the notifications.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Latest arrival of a notification in milliseconds: Graph's maximum latency of a minute, and half of that again for the
/// sweep's delay and our own.
pub(super) const NOTIFICATION_DELAY_MAX: i64 = 90_000;
/// Number of people with unreported changes from which a large subscription counts as silent; a single notification may be
/// lost.
const SILENT_MAX: usize = 3;
/// Maximum number of remembered notifications before outdated ones are removed.
const NOTIFIED_MAX: usize = 4_096;

/// Unreported changes and recent notifications. Times are milliseconds on any clock that does not run backwards.
#[derive(Debug, Default)]
pub(super) struct Watchdog {
    /// People with a change that no notification has reported yet, with the time of the change.
    waiting: BTreeMap<Arc<str>, i64>,
    /// Time of the last notification about each person.
    notified_at: HashMap<Arc<str>, i64>,
}

impl Watchdog {
    /// Records that the sweep found a changed presence.
    pub(super) fn on_change(&mut self, now: i64, user: &str) {
        let notified_at = self.notified_at.get(user);
        if notified_at.is_none_or(|at| now.saturating_sub(*at) > NOTIFICATION_DELAY_MAX) {
            self.waiting.entry(user.into()).or_insert(now);
        }
    }

    /// Records a notification about a person.
    pub(super) fn on_notification(&mut self, now: i64, user: &str) {
        self.waiting.remove(user);
        if self.notified_at.len() >= NOTIFIED_MAX {
            self.notified_at
                .retain(|_, at| now.saturating_sub(*at) <= NOTIFICATION_DELAY_MAX);
        }
        self.notified_at.insert(user.into(), now);
    }

    /// Removes and returns the people with an overdue change, with the time of the change.
    pub(super) fn overdue(&mut self, now: i64) -> Vec<(Arc<str>, i64)> {
        let mut overdue = Vec::new();
        self.waiting.retain(|user, changed| {
            let late = now.saturating_sub(*changed) > NOTIFICATION_DELAY_MAX;
            if late {
                overdue.push((user.clone(), *changed));
            }
            !late
        });
        overdue
    }
}

/// True if unreported changes of `silent` people mean that a subscription about `people` is silent.
pub(super) fn suspicious(silent: usize, people: usize) -> bool {
    silent > 0 && silent >= SILENT_MAX.min(people)
}

#[cfg(test)]
mod tests {
    use super::{NOTIFICATION_DELAY_MAX, Watchdog, suspicious};

    #[test]
    fn a_change_is_overdue_without_a_notification_before_or_after_it() {
        let mut watchdog = Watchdog::default();
        watchdog.on_notification(0, "before");
        for user in ["before", "after", "never"] {
            watchdog.on_change(1_000, user);
        }
        watchdog.on_notification(60_000, "after");
        assert_eq!(watchdog.overdue(1_000 + NOTIFICATION_DELAY_MAX), []);
        assert_eq!(
            watchdog.overdue(1_001 + NOTIFICATION_DELAY_MAX),
            [("never".into(), 1_000)]
        );
        assert_eq!(watchdog.overdue(i64::MAX), []);
    }

    #[test]
    fn an_old_notification_does_not_cover_a_new_change() {
        let mut watchdog = Watchdog::default();
        watchdog.on_notification(0, "anna");
        watchdog.on_change(NOTIFICATION_DELAY_MAX + 1, "anna");
        assert_eq!(watchdog.overdue(3 * NOTIFICATION_DELAY_MAX).len(), 1);
    }

    #[test]
    fn one_lost_notification_of_many_is_no_silence() {
        assert!(!suspicious(0, 0));
        assert!(suspicious(1, 1));
        assert!(!suspicious(2, 650) && suspicious(3, 650));
    }
}
