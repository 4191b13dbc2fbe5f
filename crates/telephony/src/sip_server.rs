//! The shell of a SIP server: moves bytes and time between sockets and a [`Core`] that decides. Used by the presence server
//! and the simulated PBX.
//!
//! One task owns the core. Datagrams are read and sent in batches, so that notifying a thousand watchers costs few system
//! calls; each connection has a task of its own, which only its own peer can block.

mod connection;
mod datagrams;
mod listening;
mod task;
mod unsent;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

pub use listening::Sockets;
use sip::{
    agent::{Outbox, Peer},
    message::Message,
    request::{answer_port, next_hop},
};
pub use task::serve;
use tokio::sync::Notify;

/// The source of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flow {
    /// A datagram from this address.
    Udp(SocketAddr),
    /// A connection, by number, with the peer's address.
    Connection(u64, SocketAddr),
}

impl Flow {
    /// The peer's address.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Udp(address) | Self::Connection(_, address) => *address,
        }
    }

    /// The same address at another port; a connection stays unchanged.
    fn at_port(self, port: u16) -> Self {
        match self {
            Self::Udp(address) => Self::Udp(SocketAddr::new(address.ip(), port)),
            Self::Connection(..) => self,
        }
    }
}

/// The peer of a request with the flow for its answers: by UDP to the port that the request names, at the request's source
/// address (RFC 3261 §18.2.2). Another address, as a `maddr` or a host in the Via may name one, gets nothing: it did not
/// send the request.
pub fn response_peer(peer: Peer<Flow>, message: &Message<'_>) -> Peer<Flow> {
    let flow = match answer_port(message) {
        Some(port) => peer.flow.at_port(port),
        None => peer.flow,
    };
    Peer { flow, ..peer }
}

/// The flow for requests in the dialog that this peer's request creates: by UDP to the port of its first route or Contact,
/// if that has the request's source address. A phone that wants answers at its source port (RFC 3581) may be behind an
/// address translation, through which no other port works; and no other address has sent a request.
pub fn dialog_flow(answered: Peer<Flow>, request: &Message<'_>) -> Flow {
    if answer_port(request).is_none() {
        return answered.flow;
    }
    let source = answered.source.ip().to_canonical();
    let is_source = |host: &str| {
        let address = host.parse::<IpAddr>();
        address.is_ok_and(|address| address.to_canonical() == source)
    };
    match next_hop(request) {
        Some((host, port)) if is_source(&host) => answered.flow.at_port(port),
        Some(_) | None => answered.flow,
    }
}

/// The decisions of a SIP server. Times are since the server's start.
pub trait Core: Send + 'static {
    /// Handles a message.
    fn receive(&mut self, now: Duration, peer: Peer<Flow>, bytes: &[u8], out: &mut Outbox<Flow>);

    /// Handles a [`Wake::wake`]; returns true if there is more work, to be done after the messages that have arrived by
    /// then.
    fn on_wake(&mut self, now: Duration, out: &mut Outbox<Flow>) -> bool;

    /// Handles deadlines that have passed.
    fn elapse(&mut self, now: Duration, out: &mut Outbox<Flow>);

    /// When [`Self::elapse`] is due.
    fn next_deadline(&self) -> Option<Duration>;

    /// Handles the end of a connection.
    fn flow_lost(&mut self, flow: Flow);

    /// Whether the peer of a connection has authenticated: it keeps its connection when others must be closed.
    fn is_authenticated(&self, flow: Flow) -> bool {
        let _ = flow;
        false
    }

    /// Handles an accepted connection, or a failure to accept one for lack of resources of the operating system.
    fn on_accept(&mut self, now: Duration, outcome: Result<(), &std::io::Error>) {
        let _ = (now, outcome);
    }
}

/// Wakes the server's task after a change outside of it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Makes the task call [`Core::on_wake`] soon.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use sip::Transport;

    use super::*;

    // A15
    #[test]
    fn datagrams_go_to_the_ports_that_a_phone_names_and_to_no_other_address() {
        let source: SocketAddr = ([192, 0, 2, 7], 40_000).into();
        for (via, more, answer, notify) in [
            (
                "h:22090",
                "Contact: <sip:1001@192.0.2.7:22091>",
                22_090,
                22_091,
            ),
            ("h:22090", "Contact: <sip:1001@192.0.2.7>", 22_090, 5_060),
            ("h", "Contact: <sip:1001@[::ffff:192.0.2.7]:7>", 5_060, 7),
            // Neither a host name nor another address gets messages.
            (
                "h:22090",
                "Contact: <sip:1001@192.0.2.8:22091>",
                22_090,
                22_090,
            ),
            (
                "h:22090",
                "Contact: <sip:1001@phone.test:22091>",
                22_090,
                22_090,
            ),
            (
                "192.0.2.8:9;maddr=192.0.2.9",
                "Contact: <sip:a@192.0.2.8>",
                9,
                9,
            ),
            ("h:22090", "X: y", 22_090, 22_090),
            // Through a proxy.
            (
                "h:22090",
                "Record-Route: <sip:192.0.2.7:5070;lr>\r\nContact: <sip:1001@10.0.0.1:9>",
                22_090,
                5_070,
            ),
            // Behind an address translation.
            (
                "10.0.0.1:5060;rport",
                "Contact: <sip:a@10.0.0.1>",
                40_000,
                40_000,
            ),
            (
                "h:22090;rport",
                "Contact: <sip:a@192.0.2.7:9>",
                40_000,
                40_000,
            ),
            ("h:x", "Contact: <sip:a@192.0.2.7:9>", 40_000, 40_000),
        ] {
            let text =
                format!("SUBSCRIBE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\n{more}\r\n\r\n");
            let message = Message::parse(text.as_bytes()).unwrap();
            let at = |flow| Peer {
                flow,
                transport: Transport::Udp,
                source,
            };
            let peer = response_peer(at(Flow::Udp(source)), &message);
            let udp = |port| Flow::Udp((source.ip(), port).into());
            assert_eq!((peer.flow, peer.source), (udp(answer), source), "{via}");
            assert_eq!(dialog_flow(peer, &message), udp(notify), "{via} {more}");
            let connection = Flow::Connection(7, source);
            let peer = response_peer(at(connection), &message);
            assert_eq!(peer.flow, connection);
            assert_eq!(dialog_flow(peer, &message), connection);
        }
    }
}
