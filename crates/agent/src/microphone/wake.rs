//! Windows and macOS say on threads of their own that something changed; ours waits for it.

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

/// If the system should ever say nothing, the microphone is looked at all the same.
pub(super) const RECHECK: Duration = Duration::from_secs(60);

/// Wakes whoever waits.
#[derive(Clone, Debug)]
pub(super) struct Waker(SyncSender<()>);

/// Waits to be woken.
#[derive(Debug)]
pub(super) struct Woken(Receiver<()>);

/// Both ends.
pub(super) fn channel() -> (Waker, Woken) {
    let (wake, woken) = sync_channel(1);
    (Waker(wake), Woken(woken))
}

impl Waker {
    /// Wakes, and whether there is anybody to be woken; whoever is being woken need not be woken twice.
    pub(super) fn wake(&self) -> bool {
        !matches!(self.0.try_send(()), Err(TrySendError::Disconnected(())))
    }
}

impl Woken {
    /// Waits until something may have changed; whether anybody can still wake.
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
