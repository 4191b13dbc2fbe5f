//! The server's task.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use sip::Transport;
use sip::agent::{Outbox, Peer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::connection::{self, Arrived, Unsent};
use super::datagrams::Datagrams;
use super::{Core, Flow, Sockets, Wake};

/// Messages from all connections that wait for the task.
const ARRIVED_MAX: usize = 1_024;
/// Messages that wait for one connection; more means that it does not read.
const UNSENT_MAX: usize = 64 * 1_024;
/// Connections at a time; beyond, new ones are closed at once.
const CONNECTIONS_MAX: usize = 16_384;
/// Nothing is due for longer.
const REST_MAX: Duration = Duration::from_secs(60);

struct Server<C> {
    core: C,
    datagrams: Datagrams,
    started: Instant,
    out: Outbox<Flow>,
    connections: HashMap<u64, (SocketAddr, Unsent)>,
    /// End with the task.
    readers: JoinSet<()>,
    next_connection: u64,
}

/// Serves for ever.
pub async fn serve(core: impl Core, sockets: Sockets, wake: Wake) {
    let Sockets { udp, tcp } = sockets;
    let mut server = Server {
        core,
        datagrams: Datagrams::new(udp),
        started: Instant::now(),
        out: Outbox::default(),
        connections: HashMap::new(),
        readers: JoinSet::new(),
        next_connection: 0,
    };
    server.run(tcp, wake).await;
}

impl<C: Core> Server<C> {
    async fn run(&mut self, tcp: TcpListener, wake: Wake) {
        let (sender, mut arrived) = mpsc::channel(ARRIVED_MAX);
        loop {
            let now = Instant::now();
            let deadline = self.core.next_deadline();
            let wake_at = deadline.map_or(now + REST_MAX, |at| self.started + at);
            tokio::select! {
                () = wake.0.notified() => {
                    let now = self.started.elapsed();
                    if self.core.work(now, &mut self.out) {
                        wake.wake();
                    }
                }
                ready = self.datagrams.readable() => {
                    if ready.is_ok() {
                        self.read_datagrams();
                    }
                }
                Some((connection, message)) = arrived.recv() => self.on_arrived(connection, message),
                accepted = tcp.accept() => {
                    if let Ok((stream, address)) = accepted {
                        self.accept(stream, address, sender.clone());
                    }
                }
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
        let Some((address, _)) = self.connections.get(&connection) else {
            return;
        };
        let source = *address;
        let flow = Flow::Connection(connection, source);
        match message {
            Some(bytes) => {
                let now = self.started.elapsed();
                let transport = Transport::Tcp;
                let peer = Peer {
                    flow,
                    transport,
                    source,
                };
                self.core.receive(now, peer, &bytes, &mut self.out);
            }
            None => {
                self.connections.remove(&connection);
                self.core.flow_lost(flow);
            }
        }
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
                        .is_some_and(|(_, unsent)| unsent.try_send(bytes.to_vec()).is_err());
                    if full {
                        lost.push((connection, to));
                    }
                }
            }
        }
        self.datagrams.flush();
        self.out.clear();
        for (connection, flow) in lost {
            if self.connections.remove(&connection).is_some() {
                self.core.flow_lost(flow);
            }
        }
    }

    fn accept(&mut self, stream: TcpStream, address: SocketAddr, arrived: mpsc::Sender<Arrived>) {
        if self.connections.len() >= CONNECTIONS_MAX {
            return;
        }
        let number = self.next_connection;
        self.next_connection += 1;
        let (sender, unsent) = mpsc::channel(UNSENT_MAX);
        self.connections.insert(number, (address, sender));
        self.readers.spawn(async move {
            let _ = stream.set_nodelay(true);
            connection::serve(number, stream, &arrived, unsent).await;
            // The task may be gone already.
            let _ = arrived.send((number, None)).await;
        });
    }
}
