//! A SIP server's shell: moves bytes and time between sockets and a [`Core`] that decides. Used by the presence server and by
//! the simulated telephone system.
//!
//! One task owns the core. Datagrams are read and sent by many at a time, so that telling a thousand watchers costs few
//! calls into the operating system; connections have a task each, which is held up by its own peer only.

mod connection;
mod datagrams;
mod listening;
mod task;
mod unsent;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sip::agent::{Outbox, Peer};
use tokio::sync::Notify;

pub use listening::Sockets;
pub use task::serve;

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flow {
    /// A datagram from there.
    Udp(SocketAddr),
    /// A connection, by its number.
    Connection(u64, SocketAddr),
}

impl Flow {
    /// The peer's address.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Udp(address) | Self::Connection(_, address) => *address,
        }
    }
}

/// What a SIP server decides. Times are since the server's start.
pub trait Core: Send + 'static {
    /// A message arrived.
    fn receive(&mut self, now: Duration, peer: Peer<Flow>, bytes: &[u8], out: &mut Outbox<Flow>);

    /// Something happened outside; true: there is more, after what has arrived meanwhile.
    fn work(&mut self, now: Duration, out: &mut Outbox<Flow>) -> bool;

    /// Time has passed.
    fn elapse(&mut self, now: Duration, out: &mut Outbox<Flow>);

    /// When [`Self::elapse`] has something to do.
    fn next_deadline(&self) -> Option<Duration>;

    /// A connection is gone.
    fn flow_lost(&mut self, flow: Flow);

    /// Whether the peer of a connection has shown who it is: it keeps its connection where there is no room for others.
    fn knows(&self, flow: Flow) -> bool {
        let _ = flow;
        false
    }

    /// A connection was accepted, or could not be because the operating system has nothing left for it.
    fn accepted(&mut self, now: Duration, outcome: Result<(), &std::io::Error>) {
        let _ = (now, outcome);
    }
}

/// Tells the server's task that something happened outside. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// The core's [`Core::work`] is called soon.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}
