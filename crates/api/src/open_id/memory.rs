//! Remembers the provider's description: one request reads it for all sign-ins, an old description is used where the provider
//! does not answer, and a failure is not repeated for some seconds.

use std::{
    sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError},
    time::Duration,
};

use presence::Timestamp;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};

use super::answer::{AnswerError, Problem};

/// Age from which a description is read again.
const AGE_MAX: Duration = Duration::from_secs(3_600);
/// Age from which a description is unusable even if the provider is unreachable: the provider may have revoked a key.
const OLD_AGE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Pause after a failure: every browser can begin a sign-in, and so cause requests.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct State<T> {
    known: Option<(Arc<T>, Timestamp)>,
    failed: Option<(AnswerError, Instant)>,
}

/// State of the remembered description.
#[derive(Debug)]
enum Lookup<T> {
    /// A fresh description.
    Current(Arc<T>),
    /// The last attempt to read failed within [`RETRY_INTERVAL`].
    Failed(AnswerError),
    /// It must be read; a failure falls back to this one.
    Read(Option<Arc<T>>),
}

impl<T> State<T> {
    fn look_up(&self, now: Timestamp, instant: Instant) -> Lookup<T> {
        let younger_than = |age: Duration| {
            let known = self.known.as_ref().filter(|(_, at)| *at >= now - age);
            known.map(|(known, _)| known.clone())
        };
        if let Some(known) = younger_than(AGE_MAX) {
            return Lookup::Current(known);
        }
        let old = younger_than(OLD_AGE_MAX);
        match (self.resting(instant), old) {
            (Some(_), Some(old)) => Lookup::Current(old),
            (Some(error), None) => Lookup::Failed(error),
            (None, old) => Lookup::Read(old),
        }
    }

    fn resting(&self, instant: Instant) -> Option<AnswerError> {
        let failed = self.failed.as_ref();
        let failed = failed.filter(|(_, at)| instant < *at + RETRY_INTERVAL);
        failed.map(|(error, _)| error.clone())
    }

    fn record(&mut self, answer: &Result<Arc<T>, AnswerError>, now: Timestamp, instant: Instant) {
        match answer {
            Ok(known) => {
                self.known = Some((known.clone(), now));
                self.failed = None;
            }
            Err(error) => self.failed = Some((error.clone(), instant)),
        }
    }
}

/// The remembered description, shared with the reading task.
#[derive(Debug)]
pub(super) struct Memory<T> {
    state: Arc<SyncMutex<State<T>>>,
    reading: Arc<Mutex<()>>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        let state = State {
            known: None,
            failed: None,
        };
        Self {
            state: Arc::new(SyncMutex::new(state)),
            reading: Arc::default(),
        }
    }
}

fn locked<T>(state: &SyncMutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Send + Sync + 'static> Memory<T> {
    /// The description, read if necessary.
    pub(super) async fn current(
        &self,
        now: Timestamp,
        read: impl Future<Output = Result<T, AnswerError>> + Send + 'static,
    ) -> Result<Arc<T>, AnswerError> {
        let find = || locked(&self.state).look_up(now, Instant::now());
        let guard = match find() {
            Lookup::Current(known) => return Ok(known),
            Lookup::Failed(error) => return Err(error),
            Lookup::Read(None) => self.reading.clone().lock_owned().await,
            Lookup::Read(Some(old)) => match self.reading.clone().try_lock_owned() {
                Ok(guard) => guard,
                // Another sign-in reads.
                Err(_) => return Ok(old),
            },
        };
        // Another sign-in may have read in the meantime.
        let old = match find() {
            Lookup::Current(known) => return Ok(known),
            Lookup::Failed(error) => return Err(error),
            Lookup::Read(old) => old,
        };
        match (self.read(guard, now, read).await, old) {
            (Err(error), Some(old)) => {
                tracing::warn!(%error, "the provider's description is too old; it is used until the provider answers");
                Ok(old)
            }
            (answer, _) => answer,
        }
    }

    /// A description read after `known`, because the provider may have rotated its keys.
    pub(super) async fn newer_than(
        &self,
        known: &Arc<T>,
        now: Timestamp,
        read: impl Future<Output = Result<T, AnswerError>> + Send + 'static,
    ) -> Result<Arc<T>, AnswerError> {
        let guard = self.reading.clone().lock_owned().await;
        {
            let state = locked(&self.state);
            if let Some((newer, _)) = &state.known
                && !Arc::ptr_eq(newer, known)
            {
                return Ok(newer.clone());
            }
            if let Some(error) = state.resting(Instant::now()) {
                return Err(error);
            }
        }
        self.read(guard, now, read).await
    }

    /// Reads in a separate task: a disconnected browser must not cancel the request of others.
    async fn read(
        &self,
        guard: OwnedMutexGuard<()>,
        now: Timestamp,
        read: impl Future<Output = Result<T, AnswerError>> + Send + 'static,
    ) -> Result<Arc<T>, AnswerError> {
        let state = self.state.clone();
        let task = tokio::spawn(async move {
            let answer = read.await.map(Arc::new);
            locked(&state).record(&answer, now, Instant::now());
            drop(guard);
            answer
        });
        task.await.unwrap_or_else(|_| {
            Err(AnswerError {
                url: "/.well-known/openid-configuration".into(),
                problem: Problem::NoAnswer("the request was given up".into()),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn down() -> AnswerError {
        AnswerError {
            url: "https://login.example.com".into(),
            problem: Problem::NoAnswer("no answer in time".into()),
        }
    }

    fn at(hours: u32) -> Timestamp {
        Timestamp::from_milliseconds(0) + HOUR * hours
    }

    #[test]
    fn an_old_description_is_used_for_a_day_where_the_provider_does_not_answer() {
        let start = Instant::now();
        let mut state = State {
            known: None,
            failed: None,
        };
        assert!(matches!(state.look_up(at(0), start), Lookup::Read(None)));
        state.record(&Ok(Arc::new(1)), at(0), start);
        assert!(matches!(state.look_up(at(1), start), Lookup::Current(_)));
        assert!(matches!(state.look_up(at(2), start), Lookup::Read(Some(_))));
        state.record(&Err(down()), at(2), start);
        assert!(matches!(state.look_up(at(2), start), Lookup::Current(_)));
        let later = start + RETRY_INTERVAL;
        assert!(matches!(
            state.look_up(at(24), later),
            Lookup::Read(Some(_))
        ));
        assert!(matches!(state.look_up(at(25), later), Lookup::Read(None)));
        state.record(&Err(down()), at(25), later);
        assert!(matches!(state.look_up(at(25), later), Lookup::Failed(_)));
        state.record(&Ok(Arc::new(2)), at(25), later);
        assert!(matches!(state.look_up(at(25), later), Lookup::Current(known) if *known == 2));
    }

    #[tokio::test]
    async fn sign_ins_that_wait_for_a_hanging_provider_share_one_request() {
        let memory = Arc::new(Memory::<u32>::default());
        let reads = Arc::new(SyncMutex::new(0));
        let (give_up, hanging) = tokio::sync::watch::channel(false);
        let read = || {
            let (reads, mut hanging) = (reads.clone(), hanging.clone());
            async move {
                *reads.lock().unwrap() += 1;
                hanging.wait_for(|is_over| *is_over).await.unwrap();
                Err(down())
            }
        };
        let mut waiting: Vec<_> = (0..50)
            .map(|_| {
                let (memory, read) = (memory.clone(), read());
                tokio::spawn(async move { memory.current(at(0), read).await })
            })
            .collect();
        while *reads.lock().unwrap() == 0 {
            tokio::task::yield_now().await;
        }
        // The browser that began the request goes away.
        waiting.remove(0).abort();
        give_up.send(true).unwrap();
        for one in waiting {
            assert_eq!(one.await.unwrap(), Err(down()));
        }
        assert_eq!(*reads.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn an_old_description_is_used_while_another_sign_in_reads() {
        let memory = Arc::new(Memory::<u32>::default());
        assert_eq!(*memory.current(at(0), async { Ok(1) }).await.unwrap(), 1);
        let reading = tokio::spawn({
            let memory = memory.clone();
            async move { memory.current(at(2), std::future::pending()).await }
        });
        while memory.reading.try_lock().is_ok() {
            tokio::task::yield_now().await;
        }
        let old = memory.current(at(2), async { Ok(2) }).await.unwrap();
        assert_eq!(*old, 1);
        reading.abort();
    }

    #[tokio::test]
    async fn keys_are_read_anew_once_for_all_sign_ins() {
        let memory = Memory::<u32>::default();
        let first = memory.current(at(0), async { Ok(1) }).await.unwrap();
        let second = memory.newer_than(&first, at(0), async { Ok(2) });
        assert_eq!(*second.await.unwrap(), 2);
        let third = memory.newer_than(&first, at(0), async { Ok(3) });
        assert_eq!(*third.await.unwrap(), 2);
    }
}
