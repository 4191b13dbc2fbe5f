//! Connections to the HTTP server: their number, their time-outs, and the order in which they make room for new ones.
//!
//! Every host on the network can open connections, so a connection that has not sent a whole request, or that is idle between
//! two requests, is worth less than a new one: when there is no room, the oldest of them is closed. The limits are in
//! `docs/configuration.md`.

mod limits;
mod listen;
mod state;
mod stream;
mod table;

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;
pub use limits::{Limits, raise_descriptor_limit};
pub use listen::{listen, serve};
use state::{Phase, State};
pub use table::Connections;
use tokio::time::Instant;

/// A connection, as an extension of its requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Link>);

/// State that the table of connections, the connection's task and its stream share.
#[derive(Debug)]
struct Link {
    number: u64,
    /// The network of the peer; `None`: a reverse proxy, or this machine, which may act for many.
    peer: Option<IpAddr>,
    connections: Connections,
    state: Mutex<State>,
    is_ended: AtomicBool,
    /// The task that waits for the peer.
    waker: AtomicWaker,
}

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the connection: its stream fails from now on, and its task drops it.
    fn end(&self) {
        self.is_ended.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Ready when the connection is to be closed.
    fn poll_ended(&self, context: &Context<'_>) -> Poll<()> {
        self.waker.register(context.waker());
        match self.is_ended.load(Ordering::Acquire) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::Acquire)
    }
}

impl Connection {
    /// A whole header has arrived.
    fn begin(&self, phase: Phase) {
        let received = self.0.state().begin(phase, Instant::now());
        // The body counts from nothing again; the header is in the past.
        self.0.connections.subtract_unfinished(received);
    }

    /// The whole request has arrived, or the rest of it is not wanted.
    fn complete(&self) {
        let received = self.0.state().complete(Instant::now());
        self.0.connections.subtract_unfinished(received);
    }

    /// The answer has been given to the stream.
    fn answered(&self) {
        self.0.state().answered(Instant::now());
        self.0.connections.assign_to_peer(&self.0);
    }

    /// Marks the request as authenticated: the connection is no longer a stranger's.
    pub fn mark_authenticated(&self) {
        let received = self.0.state().mark_authenticated();
        self.0.connections.subtract_unfinished(received);
    }

    /// Counts the request for the client at this address behind the reverse proxy. Returns false if the client has too many.
    pub fn assign_to(&self, address: IpAddr) -> bool {
        self.0.peer.is_some() || self.0.connections.assign_to(&self.0, address)
    }
}
