//! The task of a SIP server.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use sip::{
    Transport,
    agent::{Outbox, Peer},
};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::Instant,
};

use super::{
    Core, Flow, Sockets, Wake,
    connection::{self, ConnectionEvent, MessageSender},
    datagrams::Datagrams,
    listening::AcceptResult,
    unsent::{self, UnsentSender},
};

/// Most messages of all connections that wait for the task.
const ARRIVED_MAX: usize = 1_024;
/// Most connections from one address: an office behind one address has many phones. Also at most half of all.
const CONNECTIONS_PER_ADDRESS_MAX: usize = 2_048;
/// When there is no room, one in this many connections is closed together, because the search is expensive.
const EVICTION_SHARE: usize = 64;
/// Longest sleep of the task.
const SLEEP_MAX: Duration = Duration::from_secs(60);

struct Server<C> {
    core: C,
    datagrams: Datagrams,
    started: Instant,
    out: Outbox<Flow>,
    connections: HashMap<u64, ConnectionEntry>,
    connections_max: usize,
    per_address: HashMap<IpAddr, usize>,
    /// Bytes waiting on all connections.
    waiting: Arc<AtomicUsize>,
    /// The connections' tasks, which end with this one.
    readers: JoinSet<()>,
    next_connection: u64,
}

/// A connection that is served.
struct ConnectionEntry {
    address: SocketAddr,
    transport: Transport,
    unsent: UnsentSender,
    /// Whether a whole message has arrived.
    has_spoken: bool,
    task: AbortHandle,
}

/// Serves until the task is aborted.
pub async fn serve(core: impl Core, sockets: Sockets, wake: Wake) {
    let mut acceptors = JoinSet::new();
    let connections_max = sockets.connections_max;
    let (udp, accepted) = sockets.open(&mut acceptors);
    let mut server = Server {
        core,
        datagrams: Datagrams::new(udp),
        started: Instant::now(),
        out: Outbox::default(),
        connections: HashMap::new(),
        connections_max,
        per_address: HashMap::new(),
        waiting: Arc::default(),
        readers: JoinSet::new(),
        next_connection: 0,
    };
    server.run(accepted, wake).await;
}

impl<C: Core> Server<C> {
    async fn run(&mut self, mut accepted: mpsc::Receiver<AcceptResult>, wake: Wake) {
        let (sender, mut arrived) = mpsc::channel(ARRIVED_MAX);
        loop {
            let now = Instant::now();
            let deadline = self.core.next_deadline();
            let wake_at = deadline.map_or(now + SLEEP_MAX, |at| self.started + at);
            tokio::select! {
                () = wake.0.notified() => {
                    let now = self.started.elapsed();
                    if self.core.on_wake(now, &mut self.out) {
                        wake.wake();
                    }
                }
                ready = self.datagrams.readable() => {
                    if ready.is_ok() {
                        self.read_datagrams();
                    }
                }
                Some((connection, message)) = arrived.recv() => self.on_arrived(connection, message),
                Some(connection) = accepted.recv() => self.accept(connection, sender.clone()),
                Some(_) = self.readers.join_next() => {}
                () = tokio::time::sleep_until(wake_at) => {
                    let now = self.started.elapsed();
                    self.core.elapse(now, &mut self.out);
                }
            }
            self.transmit();
        }
    }

    fn read_datagrams(&mut self) {
        let now = self.started.elapsed();
        let (core, out) = (&mut self.core, &mut self.out);
        self.datagrams.receive(|from, bytes| {
            let peer = Peer {
                flow: Flow::Udp(from),
                transport: Transport::Udp,
                source: from,
            };
            core.receive(now, peer, bytes, out);
        });
    }

    fn on_arrived(&mut self, connection: u64, message: Option<Vec<u8>>) {
        let Some(ConnectionEntry {
            address: source,
            transport,
            has_spoken,
            ..
        }) = self.connections.get_mut(&connection)
        else {
            return;
        };
        *has_spoken = true;
        let (source, transport) = (*source, *transport);
        let flow = Flow::Connection(connection, source);
        match message {
            Some(bytes) => {
                let now = self.started.elapsed();
                let peer = Peer {
                    flow,
                    transport,
                    source,
                };
                self.core.receive(now, peer, &bytes, &mut self.out);
            }
            None => self.close_connection(connection),
        }
    }

    /// Closes a connection that has ended or is no longer wanted.
    fn close_connection(&mut self, connection: u64) {
        let Some(gone) = self.connections.remove(&connection) else {
            return;
        };
        let address = gone.address;
        let whose = sip::network(address.ip());
        if let Some(count) = self.per_address.get_mut(&whose) {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&whose);
            }
        }
        self.core.flow_lost(Flow::Connection(connection, address));
    }

    fn transmit(&mut self) {
        if self.out.is_empty() {
            return;
        }
        let mut lost = Vec::new();
        for (to, bytes) in self.out.messages() {
            match to {
                Flow::Udp(address) => self.datagrams.queue(address, bytes),
                Flow::Connection(connection, _) => {
                    let full = self
                        .connections
                        .get(&connection)
                        .is_some_and(|connected| !connected.unsent.push(bytes));
                    if full {
                        lost.push(connection);
                    }
                }
            }
        }
        self.datagrams.flush();
        self.out.clear();
        for connection in lost {
            self.close_connection(connection);
        }
    }

    fn accept(&mut self, accepted: AcceptResult, sender: mpsc::Sender<ConnectionEvent>) {
        let now = self.started.elapsed();
        self.core.on_accept(now, accepted.as_ref().map(|_| ()));
        let Ok((stream, address, kind)) = accepted else {
            self.make_room(None, self.connections_max);
            return;
        };
        let whose = sip::network(address.ip());
        let most_of_address = CONNECTIONS_PER_ADDRESS_MAX.min(self.connections_max.div_ceil(2));
        let of_address = |server: &Self| server.per_address.get(&whose).copied().unwrap_or(0);
        if of_address(self) >= most_of_address {
            self.make_room(Some(whose), most_of_address);
        }
        if self.connections.len() >= self.connections_max {
            self.make_room(None, self.connections_max);
        }
        if self.connections.len() >= self.connections_max || of_address(self) >= most_of_address {
            return;
        }
        *self.per_address.entry(whose).or_default() += 1;
        let number = self.next_connection;
        self.next_connection += 1;
        let (unsent, waiting) = unsent::queue(self.waiting.clone());
        let transport = kind.transport();
        let task = self.readers.spawn(async move {
            let inlet = MessageSender { number, sender };
            connection::serve(kind, stream, &inlet, waiting).await;
            // The task may have ended.
            let _ = inlet.sender.send((number, None)).await;
        });
        let connected = ConnectionEntry {
            address,
            transport,
            unsent,
            has_spoken: false,
            task,
        };
        self.connections.insert(number, connected);
    }

    /// Closes connections of unauthenticated peers: first those without a whole message, the oldest first. `network` limits
    /// the search to one network; `most` is its limit of connections, of which one in [`EVICTION_SHARE`] is closed.
    fn make_room(&mut self, network: Option<IpAddr>, most: usize) {
        let strangers = self.connections.iter().filter(|(number, connected)| {
            let is_of = |network| sip::network(connected.address.ip()) == network;
            network.is_none_or(is_of)
                && !self
                    .core
                    .is_authenticated(Flow::Connection(**number, connected.address))
        });
        // Numbers increase with time.
        let mut strangers: Vec<(bool, u64)> = strangers
            .map(|(number, connected)| (connected.has_spoken, *number))
            .collect();
        strangers.sort_unstable();
        strangers.truncate((most / EVICTION_SHARE).max(1));
        for (_, number) in strangers {
            if let Some(connected) = self.connections.get(&number) {
                // The task may be in a handshake, which nothing else ends.
                connected.task.abort();
            }
            self.close_connection(number);
        }
    }
}
