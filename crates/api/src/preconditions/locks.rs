//! Locks by name, for changes of the same resource and for requests with the same idempotency key.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use percent_encoding::percent_decode_str;
use store::{Attempt, StoredAnswer};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::{jobs::Jobs, problem::Problem};

/// Longest wait of a change for another change of the same resource.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Number of names from which unused ones are dropped.
const NAMES_MAX: usize = 1_024;

/// Changes in progress.
#[derive(Debug, Default)]
pub(crate) struct OngoingChanges {
    things: Locks,
    requests: Locks,
    /// Requests that began a job.
    begun: Mutex<Vec<BegunJob>>,
}

/// A request that began a job.
#[derive(Clone, Debug)]
pub(super) struct BegunJob {
    pub(super) attempt: Arc<Attempt>,
    /// The id of the job.
    pub(super) work: u64,
    pub(super) answer: StoredAnswer,
}

impl OngoingChanges {
    /// Held during a change of the resource at a path: conditional changes of the resource wait.
    pub(super) async fn with_others(
        &self,
        path: &str,
    ) -> Result<OwnedRwLockReadGuard<()>, Problem> {
        let lock = self.things.named(&thing(path)).read_owned();
        let held = tokio::time::timeout(WAIT_MAX, lock).await;
        held.map_err(|_| Problem::in_progress("another change of the same resource"))
    }

    /// Held during a conditional change of the resource at a path: all other changes of the resource wait.
    pub(super) async fn alone(&self, path: &str) -> Result<OwnedRwLockWriteGuard<()>, Problem> {
        let lock = self.things.named(&thing(path)).write_owned();
        let held = tokio::time::timeout(WAIT_MAX, lock).await;
        held.map_err(|_| Problem::in_progress("another change of the same resource"))
    }

    /// Keeps the answer to a request that began a job as long as the job is known: both are lost at a restart.
    pub(super) fn remember(&self, begun: BegunJob, jobs: &Jobs) {
        let mut all = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|begun| jobs.get(begun.work).is_some());
        all.push(begun);
    }

    /// The request with the same caller and key that began a job, if the job is still known.
    pub(super) fn begun(&self, attempt: &Attempt, jobs: &Jobs) -> Option<BegunJob> {
        let all = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all
            .iter()
            .find(|begun| begun.attempt.who == attempt.who && begun.attempt.key == attempt.key);
        found
            .filter(|begun| jobs.get(begun.work).is_some())
            .cloned()
    }

    /// Held during a request with an idempotency key: repeated requests wait.
    pub(super) async fn request(
        &self,
        who: &str,
        key: &str,
    ) -> Result<OwnedRwLockWriteGuard<()>, Problem> {
        let lock = self.requests.named(&format!("{who}\n{key}")).write_owned();
        let held = tokio::time::timeout(WAIT_MAX, lock).await;
        held.map_err(|_| Problem::in_progress("the first request with this Idempotency-Key"))
    }
}

/// The name of the resource that a change at `path` changes: a list and its items share a name; each list and settings
/// group of a person or scope has its own.
fn thing(path: &str) -> String {
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let part = percent_decode_str(part).decode_utf8_lossy();
            // `07` is the same id as `7`.
            part.parse::<u64>()
                .map_or_else(|_| part.into_owned(), |number| number.to_string())
        })
        .collect();
    let names: Vec<&str> = parts.iter().map(String::as_str).collect();
    // A scope's template can be changed at two paths, and its position at a third.
    if let ["scopes", _, "templates", ..] = names.as_slice() {
        return "templates".to_owned();
    }
    let depth = match names.first().copied() {
        Some("people" | "scopes") => 3,
        // GET answers their order, too.
        Some("templates") => 1,
        Some(_) | None => 2,
    };
    parts.get(..depth).unwrap_or(&parts).join("/")
}

#[derive(Debug, Default)]
struct Locks(Mutex<HashMap<String, Weak<RwLock<()>>>>);

impl Locks {
    fn named(&self, name: &str) -> Arc<RwLock<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(name).and_then(Weak::upgrade) {
            return lock;
        }
        if locks.len() >= NAMES_MAX {
            locks.retain(|_, lock| lock.strong_count() > 0);
        }
        let lock = Arc::default();
        locks.insert(name.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_list_and_its_items_are_one_thing_and_other_lists_are_not() {
        let same = |one: &str, other: &str| thing(one) == thing(other);
        assert!(same(
            "/people/7/profiles",
            "/people/7/profiles/Lunch%20break"
        ));
        assert!(same("/people/7/profiles", "/people/%37/profiles/Away"));
        assert!(same("/people/07", "/people/7"));
        assert!(same("/templates", "/templates/Busy"));
        assert!(same("/scopes/lyon/templates/Busy", "/templates/Busy"));
        assert!(same("/accounts/5", "/accounts/5/password"));
        assert!(same(
            "/scopes/berlin/settings/teams",
            "/scopes/berlin/settings/calls"
        ));
        assert!(!same("/people/7", "/people/8"));
        assert!(!same("/people/7/teams-account", "/people/7/appointments"));
        assert!(!same("/people/7/teams-account", "/people/7"));
        assert!(!same("/accounts/5", "/accounts/6"));
    }

    #[tokio::test]
    async fn a_change_waits_for_changes_of_the_same_thing_only() {
        let edits = OngoingChanges::default();
        let slow = edits.alone("/people/7/teams-account").await.unwrap();
        edits.with_others("/people/7").await.unwrap();
        edits.alone("/people/8/teams-account").await.unwrap();
        let waits = edits.with_others("/people/7/teams-account");
        assert!(waits.now_or_never().is_none());
        drop(slow);
        let (_one, _other) = (
            edits.with_others("/people/7/teams-account").await.unwrap(),
            edits.with_others("/people/7/teams-account").await.unwrap(),
        );
        let waits = edits.alone("/people/7/teams-account");
        assert!(waits.now_or_never().is_none());
    }

    #[tokio::test]
    async fn unused_names_are_dropped() {
        let locks = Locks::default();
        let used = locks.named("used");
        for number in 0..3 * NAMES_MAX {
            locks.named(&number.to_string());
        }
        assert!(locks.0.lock().unwrap().len() <= NAMES_MAX);
        assert!(Arc::ptr_eq(&used, &locks.named("used")));
    }
}
