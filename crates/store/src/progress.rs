//! How far long work has come, for those who wait, and their wish that it end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::StoreError;

/// How far one piece of work has come. The work tells; whoever waits looks, and may cancel.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
    told: Notify,
}

impl Progress {
    /// How much has been done, and of how much; a total of 0 is not known.
    pub fn done_and_total(&self) -> (u64, u64) {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (read(&self.done), read(&self.total))
    }

    /// The work shall end, and leave everything as it was.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.told.notify_waiters();
    }

    /// Whether it shall end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Waits until it shall end.
    pub async fn cancelled(&self) {
        let told = self.told.notified();
        tokio::pin!(told);
        // Before it is looked at, so that nothing falls between.
        told.as_mut().enable();
        if !self.is_cancelled() {
            told.await;
        }
    }

    /// This much has been done of this much; 0 if that is not known.
    pub fn report(&self, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// As [`Self::report`], where the work can end.
    ///
    /// # Errors
    /// It shall.
    pub fn advance(&self, done: u64, total: u64) -> Result<(), StoreError> {
        self.report(done, total);
        match self.is_cancelled() {
            true => Err(StoreError::Cancelled),
            false => Ok(()),
        }
    }
}
