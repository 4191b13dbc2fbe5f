//! A SIP server's shell: moves bytes and time between sockets and a [`Core`] that decides. Used by the presence server and by
//! the simulated telephone system.
//!
//! One task owns the core. Datagrams are read and sent by many at a time, so that telling a thousand watchers costs few
//! calls into the operating system; connections have a task each, which is held up by its own peer only.

mod connection;
mod datagrams;
mod task;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sip::agent::{Outbox, Peer};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Notify;

pub use task::serve;

/// Attempts to find a port that is free for both UDP and TCP.
const PORT_ATTEMPTS_MAX: usize = 20;
/// What the operating system is asked to hold for us; less only costs repetitions.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;

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

/// Where a server listens: the same port for UDP and TCP.
#[derive(Debug)]
pub struct Sockets {
    pub(crate) udp: UdpSocket,
    pub(crate) tcp: TcpListener,
}

impl Sockets {
    /// Listens; port 0 picks one that is free for both.
    ///
    /// # Errors
    /// The address is in use or not ours.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let udp = UdpSocket::bind(address).await?;
            let options = socket2::SockRef::from(&udp);
            let _ = options.set_recv_buffer_size(SOCKET_BUFFER);
            let _ = options.set_send_buffer_size(SOCKET_BUFFER);
            match TcpListener::bind(udp.local_addr()?).await {
                Ok(tcp) => return Ok(Self { udp, tcp }),
                Err(_) if address.port() == 0 && attempt < PORT_ATTEMPTS_MAX => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where they listen.
    ///
    /// # Errors
    /// The operating system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.udp.local_addr()
    }
}
