//! Long work that administrators start: an import, a synchronisation with a directory, a backup. It goes on when whoever
//! started it goes away, tells how far it has come, and can be cancelled.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use presence::Timestamp;
use serde_json::Value;
use store::Progress;
use tokio::task::JoinHandle;

use crate::problem::Problem;

/// Work that is over is remembered for whoever comes back to look, up to this much.
const REMEMBERED: usize = 20;
/// More at once only waits for the database.
const AT_ONCE: usize = 8;

/// How it stands with a piece of work.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Running,
    /// What it answers.
    Done(Arc<Value>),
    /// Nothing was changed, or what the problem says.
    Failed(Problem),
    /// Nothing was changed.
    Cancelled,
}

/// A piece of work.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    /// `import`, `directory`, `backup`.
    pub(crate) what: &'static str,
    /// Who started it.
    pub(crate) who: String,
    pub(crate) begun: Timestamp,
    pub(crate) progress: Arc<Progress>,
    pub(crate) state: State,
}

/// All work since the start of the server. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Works(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    works: BTreeMap<u64, Work>,
    last: u64,
}

/// Work that is under way; what it comes to.
pub(crate) type Pending = JoinHandle<Result<Value, Problem>>;

impl Works {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts some work. `progress` is what it tells and looks at.
    pub(crate) fn begin<F>(
        &self,
        (what, who, begun): (&'static str, &str, Timestamp),
        progress: Arc<Progress>,
        work: F,
    ) -> Result<(u64, Pending), Problem>
    where
        F: Future<Output = Result<Value, Problem>> + Send + 'static,
    {
        let mut inner = self.lock();
        let running = inner.works.values().filter(|work| work.is_running());
        if running.count() >= AT_ONCE {
            return Err(Problem::conflict(format!(
                "{AT_ONCE} long pieces of work are under way already; wait for one of them or cancel it (GET /api/v1/work)"
            )));
        }
        inner.last += 1;
        let id = inner.last;
        let entry = Work {
            what,
            who: who.to_owned(),
            begun,
            progress,
            state: State::Running,
        };
        inner.works.insert(id, entry);
        drop(inner);
        // A panic must not leave it running for ever, nor that it never began.
        let broken = EndedBy(self.clone(), id);
        let pending = tokio::spawn(async move {
            let done = work.await;
            broken.0.end(id, &done);
            done
        });
        Ok((id, pending))
    }

    fn end(&self, id: u64, done: &Result<Value, Problem>) {
        let mut inner = self.lock();
        if let Some(work) = inner.works.get_mut(&id) {
            work.state = match done {
                Ok(value) => State::Done(Arc::new(value.clone())),
                Err(problem) if problem.is_cancellation() => State::Cancelled,
                Err(problem) => State::Failed(problem.clone()),
            };
        }
        let over = inner.works.iter().filter(|(_, work)| !work.is_running());
        let over: Vec<u64> = over.map(|(id, _)| *id).collect();
        for old in over.iter().rev().skip(REMEMBERED) {
            inner.works.remove(old);
        }
    }

    /// All that is remembered, the newest first.
    pub(crate) fn all(&self) -> Vec<(u64, Work)> {
        let inner = self.lock();
        let works = inner.works.iter().rev();
        works.map(|(id, work)| (*id, work.clone())).collect()
    }

    /// One of them.
    pub(crate) fn get(&self, id: u64) -> Option<Work> {
        self.lock().works.get(&id).cloned()
    }
}

impl Work {
    /// Whether it is under way.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, State::Running)
    }
}

/// What is said of work that went away without saying anything.
pub(crate) fn broke_off() -> Problem {
    Problem::unavailable("it broke off; see the server's log")
}

/// Ends work as failed that went away without saying anything.
struct EndedBy(Works, u64);

impl Drop for EndedBy {
    fn drop(&mut self) {
        let is_running = self.0.get(self.1).is_some_and(|work| work.is_running());
        if is_running {
            self.0.end(self.1, &Err(broke_off()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_milliseconds(0);

    #[tokio::test]
    async fn work_that_is_over_is_remembered_for_a_while() {
        let works = Works::default();
        for index in 0..REMEMBERED + 5 {
            let work = async move { Ok(json!(index)) };
            let (_, pending) = works
                .begin(("import", "admin", NOW), Arc::default(), work)
                .unwrap();
            pending.await.unwrap().unwrap();
        }
        let all = works.all();
        assert_eq!(all.len(), REMEMBERED);
        assert_eq!(all[0].0, REMEMBERED as u64 + 5, "the newest first");
        assert!(matches!(&all[0].1.state, State::Done(value) if **value == json!(REMEMBERED + 4)));
    }

    #[tokio::test]
    async fn work_that_breaks_off_has_failed() {
        let works = Works::default();
        let work = async { panic!("as a defect would") };
        let (id, pending) = works
            .begin(("import", "admin", NOW), Arc::default(), work)
            .unwrap();
        assert!(pending.await.is_err());
        assert!(matches!(works.get(id).unwrap().state, State::Failed(_)));
    }

    #[tokio::test]
    async fn there_is_a_bound_on_what_runs_at_once() {
        let works = Works::default();
        let begin = || {
            let work = std::future::pending::<Result<Value, Problem>>();
            works.begin(("backup", "admin", NOW), Arc::default(), work)
        };
        let running: Vec<_> = (0..AT_ONCE).map(|_| begin().unwrap()).collect();
        assert!(begin().is_err());
        running[0].1.abort();
        while works.get(running[0].0).unwrap().is_running() {
            tokio::task::yield_now().await;
        }
        begin().unwrap();
    }
}
