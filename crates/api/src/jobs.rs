//! Long operations that administrators start: imports, synchronisations with a directory, backups. A job continues if its
//! starter disconnects, reports its progress, and can be cancelled.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use api_types::work::WorkKind;
use presence::Timestamp;
use serde_json::Value;
use store::Progress;
use tokio::task::JoinHandle;

use crate::problem::Problem;

/// Finished jobs that are kept for later queries.
const FINISHED_MAX: usize = 20;
/// Jobs that run at a time: more would only wait for the database.
const RUNNING_MAX: usize = 8;

/// State of a job.
#[derive(Clone, Debug)]
pub enum JobState {
    /// In progress.
    Running,
    /// Finished: the body of the answer.
    Done(Arc<Value>),
    /// Failed: nothing was changed, unless the problem reports changes.
    Failed(Problem),
    /// Cancelled: nothing was changed.
    Cancelled,
}

/// A long operation.
#[derive(Clone, Debug)]
pub struct Job {
    /// Kind of the job.
    pub kind: WorkKind,
    /// Name of the caller who started the job.
    pub who: String,
    /// Time of the start.
    pub begun: Timestamp,
    /// Steps done and in total; also the switch that cancels the job.
    pub progress: Arc<Progress>,
    /// Whether it runs, and its result.
    pub state: JobState,
}

/// All jobs since the start of the server. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Jobs(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    jobs: BTreeMap<u64, Job>,
    last: u64,
}

/// The result of a running job.
pub type Pending = JoinHandle<Result<Value, Problem>>;

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a job. Returns its id and its future result.
    ///
    /// # Errors
    /// `RUNNING_MAX` jobs are running.
    pub fn begin<F>(
        &self,
        (kind, who, begun): (WorkKind, &str, Timestamp),
        progress: Arc<Progress>,
        work: F,
    ) -> Result<(u64, Pending), Problem>
    where
        F: Future<Output = Result<Value, Problem>> + Send + 'static,
    {
        let mut inner = self.lock();
        let running = inner.jobs.values().filter(|work| work.is_running());
        if running.count() >= RUNNING_MAX {
            return Err(Problem::conflict(format!(
                "{RUNNING_MAX} jobs are running; wait for one of them or cancel it (GET /api/v1/work)"
            )));
        }
        inner.last += 1;
        let id = inner.last;
        let entry = Job {
            kind,
            who: who.to_owned(),
            begun,
            progress,
            state: JobState::Running,
        };
        inner.jobs.insert(id, entry);
        drop(inner);
        // If the operation panics, the job has failed.
        let broken = EndOnDrop(self.clone(), id);
        let pending = tokio::spawn(async move {
            let done = work.await;
            broken.0.end(id, &done);
            done
        });
        Ok((id, pending))
    }

    fn end(&self, id: u64, done: &Result<Value, Problem>) {
        let mut inner = self.lock();
        if let Some(work) = inner.jobs.get_mut(&id) {
            work.state = match done {
                Ok(value) => JobState::Done(Arc::new(value.clone())),
                Err(problem) if problem.is_cancellation() => JobState::Cancelled,
                Err(problem) => JobState::Failed(problem.clone()),
            };
        }
        let over = inner.jobs.iter().filter(|(_, work)| !work.is_running());
        let over: Vec<u64> = over.map(|(id, _)| *id).collect();
        for old in over.iter().rev().skip(FINISHED_MAX) {
            inner.jobs.remove(old);
        }
    }

    /// All known jobs, the newest first.
    pub fn all(&self) -> Vec<(u64, Job)> {
        let inner = self.lock();
        let jobs = inner.jobs.iter().rev();
        jobs.map(|(id, work)| (*id, work.clone())).collect()
    }

    /// The job with this id, if it is known.
    pub fn get(&self, id: u64) -> Option<Job> {
        self.lock().jobs.get(&id).cloned()
    }
}

impl Job {
    /// Whether the job is in progress.
    pub fn is_running(&self) -> bool {
        matches!(self.state, JobState::Running)
    }
}

/// The problem of a job that ended without a result.
pub fn broke_off() -> Problem {
    Problem::unavailable("it broke off; see the server's log")
}

/// Marks a job as failed when dropped before the job has ended.
struct EndOnDrop(Jobs, u64);

impl Drop for EndOnDrop {
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
        let jobs = Jobs::default();
        for index in 0..FINISHED_MAX + 5 {
            let work = async move { Ok(json!(index)) };
            let (_, pending) = jobs
                .begin((WorkKind::Import, "admin", NOW), Arc::default(), work)
                .unwrap();
            pending.await.unwrap().unwrap();
        }
        let all = jobs.all();
        assert_eq!(all.len(), FINISHED_MAX);
        assert_eq!(all[0].0, FINISHED_MAX as u64 + 5, "the newest first");
        assert!(
            matches!(&all[0].1.state, JobState::Done(value) if **value == json!(FINISHED_MAX + 4))
        );
    }

    #[tokio::test]
    async fn work_that_breaks_off_has_failed() {
        let jobs = Jobs::default();
        let work = async { panic!("as a defect would") };
        let (id, pending) = jobs
            .begin((WorkKind::Import, "admin", NOW), Arc::default(), work)
            .unwrap();
        assert!(pending.await.is_err());
        assert!(matches!(jobs.get(id).unwrap().state, JobState::Failed(_)));
    }

    #[tokio::test]
    async fn there_is_a_bound_on_what_runs_at_once() {
        let jobs = Jobs::default();
        let begin = || {
            let work = std::future::pending::<Result<Value, Problem>>();
            jobs.begin((WorkKind::Backup, "admin", NOW), Arc::default(), work)
        };
        let running: Vec<_> = (0..RUNNING_MAX).map(|_| begin().unwrap()).collect();
        assert!(begin().is_err());
        running[0].1.abort();
        while jobs.get(running[0].0).unwrap().is_running() {
            tokio::task::yield_now().await;
        }
        begin().unwrap();
    }
}
