//! Wakes the watching thread when Windows or macOS report a change on threads of their own.

#![expect(
    clippy::disallowed_methods,
    reason = "a thread of its own that waits for the system, which keeps its own time"
)]

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread,
    time::Duration,
};

use super::SETTLE;

/// Interval between reads without an event, in case the system misses one.
pub(super) const RECHECK: Duration = Duration::from_secs(60);

/// Sender of wake-ups.
#[derive(Clone, Debug)]
pub(super) struct Waker(SyncSender<()>);

/// Receiver of wake-ups.
#[derive(Debug)]
pub(super) struct WakeReceiver(Receiver<()>);

/// Creates a pair of sender and receiver.
pub(super) fn channel() -> (Waker, WakeReceiver) {
    let (wake, woken) = sync_channel(1);
    (Waker(wake), WakeReceiver(woken))
}

impl Waker {
    /// Wakes the receiver; repeated wake-ups are merged. Returns false if the receiver is dropped.
    pub(super) fn wake(&self) -> bool {
        !matches!(self.0.try_send(()), Err(TrySendError::Disconnected(())))
    }
}

impl WakeReceiver {
    /// Waits for a wake-up or until `recheck` has passed. Returns false if all senders are dropped.
    pub(super) fn wait(&self, recheck: Duration) -> bool {
        match self.0.recv_timeout(recheck) {
            Ok(()) => {
                thread::sleep(SETTLE);
                let _ = self.0.try_recv();
                true
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }
}
