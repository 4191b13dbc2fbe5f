//! Bytes waiting to be sent on one connection: a peer that does not read costs a limited amount of memory.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::mpsc;

/// Most bytes that wait for one connection; beyond that its peer does not read. A PBX may have some ten thousand documents
/// under way.
const CONNECTION_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes that may wait for one connection even when all together have too many.
const GUARANTEED_BYTES: usize = 256 * 1024;
/// Most messages that wait for one connection, however short.
const MESSAGES_MAX: usize = 64 * 1_024;
/// Most bytes that wait for all connections together.
const TOTAL_BYTES_MAX: usize = 512 * 1024 * 1024;

/// The sending end of a connection's queue.
#[derive(Debug)]
pub(super) struct UnsentSender {
    sender: mpsc::Sender<Vec<u8>>,
    count: Count,
}

/// The receiving end of a connection's queue.
#[derive(Debug)]
pub(super) struct UnsentReceiver {
    receiver: mpsc::Receiver<Vec<u8>>,
    count: Count,
}

#[derive(Clone, Debug)]
struct Count {
    one: Arc<AtomicUsize>,
    all: Arc<AtomicUsize>,
}

/// A connection's queue; `all` counts the bytes of all queues.
pub(super) fn queue(all: Arc<AtomicUsize>) -> (UnsentSender, UnsentReceiver) {
    let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
    let count = Count {
        one: Arc::default(),
        all,
    };
    let unsent = UnsentSender {
        sender,
        count: count.clone(),
    };
    (unsent, UnsentReceiver { receiver, count })
}

impl UnsentSender {
    /// Adds a message; returns false if the connection is gone or its peer does not read.
    pub(super) fn push(&self, bytes: &[u8]) -> bool {
        let length = bytes.len();
        let Count { one, all } = &self.count;
        let waiting = one.load(Ordering::Relaxed) + length;
        // A peer that reads does not pay for those that do not.
        let is_crowded = all.load(Ordering::Relaxed) + length > TOTAL_BYTES_MAX;
        if waiting > CONNECTION_BYTES_MAX || (is_crowded && waiting > GUARANTEED_BYTES) {
            return false;
        }
        let Ok(place) = self.sender.try_reserve() else {
            return false;
        };
        one.fetch_add(length, Ordering::Relaxed);
        all.fetch_add(length, Ordering::Relaxed);
        place.send(bytes.to_vec());
        true
    }
}

impl UnsentReceiver {
    /// The next message; `None` once the server has closed the connection.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        let bytes = self.receiver.recv().await?;
        self.count.one.fetch_sub(bytes.len(), Ordering::Relaxed);
        self.count.all.fetch_sub(bytes.len(), Ordering::Relaxed);
        Some(bytes)
    }
}

impl Drop for UnsentReceiver {
    fn drop(&mut self) {
        let left = self.count.one.load(Ordering::Relaxed);
        self.count.all.fetch_sub(left, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn unsent_bytes_are_limited_by_connection_and_in_total_and_end_with_the_connection() {
        let all = Arc::new(AtomicUsize::new(0));
        let (unsent, mut waiting) = queue(all.clone());
        let piece = vec![0; CONNECTION_BYTES_MAX / 2];
        assert!(unsent.push(&piece) && unsent.push(&piece));
        assert!(!unsent.push(b"one more"));
        assert_eq!(
            waiting.next().await.map(|bytes| bytes.len()),
            Some(piece.len())
        );
        assert!(unsent.push(b"one more"));
        drop(waiting);
        assert_eq!(all.load(Ordering::Relaxed), 0);
        all.store(TOTAL_BYTES_MAX, Ordering::Relaxed);
        let (unsent, _waiting) = queue(all);
        assert!(unsent.push(b"x"));
        assert!(!unsent.push(&vec![0; GUARANTEED_BYTES]));
    }
}
