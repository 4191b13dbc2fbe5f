//! Progress and cancellation of a long operation.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::StoreError;

/// Progress of a long operation. The operation reports it; the waiting caller reads it and can cancel.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
    cancellation: Notify,
}

impl Progress {
    /// The completed amount and the total, in a unit of the operation. A total of 0 means that it is unknown.
    pub fn done_and_total(&self) -> (u64, u64) {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (read(&self.done), read(&self.total))
    }

    /// Cancels the operation, which rolls its changes back.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.cancellation.notify_waiters();
    }

    /// Returns true if the operation is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Waits for the cancellation.
    pub async fn cancelled(&self) {
        let cancellation = self.cancellation.notified();
        tokio::pin!(cancellation);
        // Registered before the check, so that a cancellation in between is not missed.
        cancellation.as_mut().enable();
        if !self.is_cancelled() {
            cancellation.await;
        }
    }

    /// Reports the completed amount and the total; 0 if the total is unknown.
    pub fn report(&self, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// [`Self::report`] at a point where the operation can be cancelled.
    ///
    /// # Errors
    /// [`StoreError::Cancelled`] if it was cancelled.
    pub fn advance(&self, done: u64, total: u64) -> Result<(), StoreError> {
        self.report(done, total);
        match self.is_cancelled() {
            true => Err(StoreError::Cancelled),
            false => Ok(()),
        }
    }
}
