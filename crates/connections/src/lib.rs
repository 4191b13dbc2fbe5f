//! Connections to the HTTP server: how many there may be, how long each may take, and which one makes room for another.
//!
//! A stranger can open connections for nothing, so a connection that has not sent a whole request, or that rests between
//! two requests, is worth less than a new one: when there is no room, the oldest of them is closed. The limits and their
//! figures are in `docs/configuration.md`.

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

/// One connection, for those who handle its requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Link>);

/// What the table of connections, the connection's task and its stream have in common.
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
        self.0.connections.finished(received);
    }

    /// The whole request has arrived, or the rest of it is not wanted.
    fn complete(&self) {
        let received = self.0.state().complete(Instant::now());
        self.0.connections.finished(received);
    }

    /// The answer has been given to the stream.
    fn answered(&self) {
        self.0.state().answered(Instant::now());
        self.0.connections.belongs_to_peer(&self.0);
    }

    /// The request is from a person, a program or a device that may come in.
    pub fn is_known(&self) {
        let received = self.0.state().become_known();
        self.0.connections.finished(received);
    }

    /// The request is from this address behind the reverse proxy that the connection belongs to. False: too many are.
    pub fn is_from(&self, address: IpAddr) -> bool {
        self.0.peer.is_some() || self.0.connections.belongs_to(&self.0, address)
    }
}
