//! Revocations of credentials: open event streams check their credential again after each.

use std::sync::Arc;

use tokio::sync::watch;

/// Counter of revocations. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Revocations(Arc<watch::Sender<u64>>);

impl Default for Revocations {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Revocations {
    /// Reports that a key, an account, a session or a password is no longer valid.
    pub fn report(&self) {
        self.0.send_modify(|revocations| *revocations += 1);
    }

    /// A receiver that changes with every report from now on.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
