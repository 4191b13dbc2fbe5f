//! Requested searches for Teams accounts, beside the regular search every ten minutes: for all people of a tenant on request of
//! an administrator, for one person when an administrator opens the person.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use presence::PersonId;
use tokio::sync::{Notify, watch};

use super::{Tenant, network_time};

/// The shortest time between the end of one search and the begin of the next, in milliseconds.
const PAUSE_MIN: i64 = 10_000;
/// Longest wait of a request for the end of a search.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// The shortest time between two searches for one person, in milliseconds.
const PERSON_PAUSE_MIN: i64 = 60_000;
/// Opened people who may wait for a search. The regular search finds any others.
const WAITING_MAX: usize = 64;

/// Progress of a search. Requests are numbered; a search serves all requests that were made before it began.
#[derive(Clone, Debug, Default)]
struct Progress {
    asked: u64,
    served: u64,
    ended: Option<i64>,
    found: Vec<PersonId>,
    trouble: Option<String>,
}

#[derive(Debug, Default)]
struct Opened {
    searched: HashMap<PersonId, i64>,
    waiting: VecDeque<PersonId>,
}

/// The searches at one tenant. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct AccountSearch {
    progress: Arc<watch::Sender<Progress>>,
    opened: Arc<Mutex<Opened>>,
    wake: Arc<Notify>,
}

/// Result of an administrator's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Searched {
    /// Whether the search is still running; `found` is incomplete then.
    pub is_running: bool,
    /// The people with a found account.
    pub found: Vec<PersonId>,
    /// The reason why the search stopped early.
    pub trouble: Option<String>,
}

/// The last search ended a moment ago. Seconds until the next one may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSoon(pub u32);

impl AccountSearch {
    /// Searches now, or joins the search that is under way or waits. Returns when it ends, at the latest after 20 seconds.
    ///
    /// # Errors
    /// The last one ended less than ten seconds ago.
    pub async fn now(&self) -> Result<Searched, TooSoon> {
        let number = self.ask(network_time())?;
        let mut progress = self.progress.subscribe();
        let ended = progress.wait_for(|progress| progress.served >= number);
        let is_running = tokio::time::timeout(REQUEST_TIMEOUT, ended).await.is_err();
        let progress = self.progress.borrow();
        Ok(Searched {
            is_running,
            found: progress.found.clone(),
            trouble: progress.trouble.clone(),
        })
    }

    fn ask(&self, now: i64) -> Result<u64, TooSoon> {
        let mut asked = Err(TooSoon(0));
        self.progress.send_if_modified(|progress| {
            let wait = progress.ended.map_or(0, |ended| ended + PAUSE_MIN - now);
            if progress.asked == progress.served && wait > 0 {
                let seconds = u32::try_from((wait + 999) / 1_000).unwrap_or(u32::MAX);
                asked = Err(TooSoon(seconds));
                return false;
            }
            let is_new = progress.asked == progress.served;
            if is_new {
                progress.asked += 1;
            }
            asked = Ok(progress.asked);
            is_new
        });
        asked
    }

    /// Ends when an administrator has asked for a search.
    pub(super) async fn asked(&self) {
        let mut progress = self.progress.subscribe();
        // The channel closes only with its sender, which is a field of this.
        let _ = progress
            .wait_for(|progress| progress.asked > progress.served)
            .await;
    }

    /// Begins a search; the number of the last request that it serves.
    pub(super) fn begin(&self) -> u64 {
        let mut number = 0;
        self.progress.send_if_modified(|progress| {
            number = progress.asked;
            if progress.asked > progress.served {
                progress.found.clear();
                progress.trouble = None;
            }
            false
        });
        number
    }

    /// Records a person with a found account.
    pub(super) fn found(&self, person: PersonId) {
        self.progress.send_if_modified(|progress| {
            if progress.asked > progress.served {
                progress.found.push(person);
            }
            false
        });
    }

    /// Ends the search that serves requests up to `number`.
    pub(super) fn end(&self, number: u64, trouble: Option<String>) {
        self.progress.send_if_modified(|progress| {
            let serves = number > progress.served;
            if serves {
                progress.served = number;
                progress.ended = Some(network_time());
                progress.trouble = trouble;
            }
            serves
        });
    }

    /// Requests a search for one person, at most once a minute. Does not wait for it.
    pub fn person_opened(&self, person: PersonId) {
        if self.lock().opened(person, network_time()) {
            self.wake.notify_one();
        }
    }

    /// The next person who was opened.
    async fn next_opened(&self) -> PersonId {
        loop {
            if let Some(person) = self.lock().waiting.pop_front() {
                return person;
            }
            self.wake.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opened {
    /// Queues a person; returns false if the person was queued within the last minute or the queue is full.
    fn opened(&mut self, person: PersonId, now: i64) -> bool {
        self.searched.retain(|_, at| now - *at < PERSON_PAUSE_MIN);
        if self.searched.contains_key(&person) || self.waiting.len() >= WAITING_MAX {
            return false;
        }
        self.searched.insert(person, now);
        self.waiting.push_back(person);
        true
    }
}

impl Tenant {
    /// Searches for opened people without an account, until the task is dropped.
    pub(super) async fn find_opened(self) {
        loop {
            let person = self.search.next_opened().await;
            let Some(person) = self.context.people.person(person) else {
                continue;
            };
            if !self.is_unlinked(&person) {
                continue;
            }
            if let Err(failure) = self.find(&person).await {
                tracing::debug!(person = %person.id, what = failure.why(), "an account could not be searched for");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: PersonId = PersonId(1);

    #[test]
    fn a_request_joins_the_search_that_is_under_way_and_waits_after_its_end() {
        let search = AccountSearch::default();
        let number = search.ask(0).unwrap();
        assert_eq!(search.begin(), number);
        search.found(ANNA);
        assert_eq!(search.ask(1), Ok(number), "the same search");
        search.end(number, None);
        let ended = search.progress.borrow().ended.unwrap();
        assert_eq!(search.ask(ended + 1), Err(TooSoon(10)));
        assert_eq!(search.ask(ended + PAUSE_MIN - 1), Err(TooSoon(1)));
        assert_eq!(search.progress.borrow().found, [ANNA]);
        let next = search.ask(ended + PAUSE_MIN).unwrap();
        assert!(next > number);
    }

    #[test]
    fn a_request_during_a_regular_search_has_one_of_its_own() {
        let search = AccountSearch::default();
        let regular = search.begin();
        let number = search.ask(0).unwrap();
        search.end(regular, None);
        assert!(search.progress.borrow().served < number, "not served yet");
        assert_eq!(search.begin(), number);
        search.end(number, Some("Graph does not answer".into()));
        assert_eq!(search.progress.borrow().served, number);
    }

    #[test]
    fn an_opened_person_is_searched_for_once_a_minute() {
        let mut opened = Opened::default();
        assert!(opened.opened(ANNA, 0));
        assert!(!opened.opened(ANNA, PERSON_PAUSE_MIN - 1));
        assert!(opened.opened(ANNA, PERSON_PAUSE_MIN));
        for person in 2..200 {
            opened.opened(PersonId(person), PERSON_PAUSE_MIN);
        }
        assert_eq!(opened.waiting.len(), WAITING_MAX);
    }
}
