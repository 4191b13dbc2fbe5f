//! The simulated telephone system's task: sockets, connections and the notifier.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sip::Transport;
use sip::message::Message;
use sip::notifier::{Notifier, Peer, Transmit};
use sip::stream::{Decoder, Frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Shared;

/// Messages from all connections that wait for the task.
const ARRIVED_MAX: usize = 1024;

/// Messages that wait for one connection; more means that it does not read.
const UNSENT_MAX: usize = 64 * 1024;

/// Datagrams handled before other work gets its turn.
const BATCH_MAX: usize = 256;

/// Extensions told about before answers are read again: thousands of datagrams at once would not fit
/// into anybody's socket buffer, and what is lost costs half a second.
const PUBLISH_MAX: usize = 64;

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Udp(SocketAddr),
    Tcp(u64),
}

/// What a connection tells the task: a message, or its end.
type Arrived = (u64, Option<Vec<u8>>);

pub(super) struct Task {
    notifier: Notifier<Flow>,
    udp: UdpSocket,
    tcp: TcpListener,
    shared: Arc<Shared>,
    started: Instant,
    connections: HashMap<u64, mpsc::Sender<Vec<u8>>>,
    /// Ends with the task.
    readers: JoinSet<()>,
    next_connection: u64,
}

impl Task {
    pub(super) fn new(
        notifier: Notifier<Flow>,
        udp: UdpSocket,
        tcp: TcpListener,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            notifier,
            udp,
            tcp,
            shared,
            started: Instant::now(),
            connections: HashMap::new(),
            readers: JoinSet::new(),
            next_connection: 0,
        }
    }

    pub(super) async fn run(mut self) {
        let (sender, mut arrived) = mpsc::channel(ARRIVED_MAX);
        let mut buffer = vec![0; 64 * 1024];
        let shared = Arc::clone(&self.shared);
        loop {
            let wake = self.notifier.next_deadline().map_or_else(
                || Instant::now() + Duration::from_secs(60),
                |at| self.started + at,
            );
            tokio::select! {
                () = shared.changed.notified() => self.publish(),
                received = self.udp.recv_from(&mut buffer) => {
                    if let Ok((length, from)) = received {
                        self.on_datagrams(&mut buffer, length, from);
                    }
                }
                Some((connection, message)) = arrived.recv() => self.on_arrived(connection, message),
                accepted = self.tcp.accept() => {
                    if let Ok((stream, _)) = accepted {
                        self.accept(stream, sender.clone());
                    }
                }
                Some(_) = self.readers.join_next() => {}
                () = tokio::time::sleep_until(wake) => {
                    let sent = self.notifier.elapse(self.started.elapsed(), &*self.shared.calls());
                    self.transmit(sent);
                }
            }
        }
    }

    fn on_datagrams(&mut self, buffer: &mut [u8], length: usize, from: SocketAddr) {
        self.on_message(
            Peer {
                flow: Flow::Udp(from),
                transport: Transport::Udp,
            },
            &buffer[..length],
        );
        for _ in 1..BATCH_MAX {
            let Ok((length, from)) = self.udp.try_recv_from(buffer) else {
                return;
            };
            self.on_message(
                Peer {
                    flow: Flow::Udp(from),
                    transport: Transport::Udp,
                },
                &buffer[..length],
            );
        }
    }

    fn on_arrived(&mut self, connection: u64, message: Option<Vec<u8>>) {
        let flow = Flow::Tcp(connection);
        match message {
            Some(bytes) => self.on_message(
                Peer {
                    flow,
                    transport: Transport::Tcp,
                },
                &bytes,
            ),
            None => {
                self.connections.remove(&connection);
                self.notifier.flow_lost(flow);
            }
        }
    }

    fn on_message(&mut self, peer: Peer<Flow>, bytes: &[u8]) {
        if self.shared.silent.load(Ordering::Acquire) {
            return;
        }
        let Ok(message) = Message::parse(bytes) else {
            return;
        };
        let now = self.started.elapsed();
        let sent = self
            .notifier
            .receive(now, peer, &message, &*self.shared.calls());
        self.transmit(sent);
    }

    fn publish(&mut self) {
        if self.shared.forget.swap(false, Ordering::AcqRel) {
            self.notifier.forget_all();
        }
        let now = self.started.elapsed();
        let mut sent = Vec::new();
        {
            let mut calls = self.shared.calls();
            let changed = calls.take_changed(PUBLISH_MAX);
            if changed.len() == PUBLISH_MAX {
                // The rest after the answers that have come meanwhile.
                self.shared.changed.notify_one();
            }
            for extension in changed {
                sent.extend(self.notifier.publish(now, &extension, &*calls));
            }
        }
        self.transmit(sent);
    }

    fn transmit(&mut self, sent: Vec<Transmit<Flow>>) {
        if self.shared.silent.load(Ordering::Acquire) {
            return;
        }
        for Transmit { to, bytes } in sent {
            match to {
                // A full buffer loses the datagram; it is sent again after half a second.
                Flow::Udp(address) => drop(self.udp.try_send_to(&bytes, address)),
                Flow::Tcp(connection) => {
                    let full = self
                        .connections
                        .get(&connection)
                        .is_some_and(|c| c.try_send(bytes).is_err());
                    if full {
                        self.connections.remove(&connection);
                        self.notifier.flow_lost(to);
                    }
                }
            }
        }
    }

    fn accept(&mut self, stream: TcpStream, arrived: mpsc::Sender<Arrived>) {
        let connection = self.next_connection;
        self.next_connection += 1;
        let (sender, unsent) = mpsc::channel(UNSENT_MAX);
        self.connections.insert(connection, sender);
        self.readers.spawn(async move {
            serve(connection, stream, &arrived, unsent).await;
            // The task may be gone already.
            let _ = arrived.send((connection, None)).await;
        });
    }
}

/// Reads and writes one connection until it ends or is no longer wanted.
async fn serve(
    connection: u64,
    mut stream: TcpStream,
    arrived: &mpsc::Sender<Arrived>,
    mut unsent: mpsc::Receiver<Vec<u8>>,
) {
    let _ = stream.set_nodelay(true);
    let (mut read, mut write) = stream.split();
    let mut decoder = Decoder::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut out = Vec::new();
    loop {
        tokio::select! {
            length = read.read(&mut buffer) => {
                let Ok(length @ 1..) = length else { return };
                decoder.push(&buffer[..length]);
                loop {
                    match decoder.next_frame() {
                        Ok(Some(Frame::Message(bytes))) => {
                            if arrived.send((connection, Some(bytes.to_vec()))).await.is_err() {
                                return;
                            }
                        }
                        Ok(Some(Frame::Ping)) => out.extend_from_slice(b"\r\n"),
                        Ok(Some(Frame::Pong)) => {}
                        Ok(None) => break,
                        Err(_) => return,
                    }
                }
            }
            bytes = unsent.recv(), if out.is_empty() => match bytes {
                Some(bytes) => out = bytes,
                None => return,
            },
            written = write.write(&out), if !out.is_empty() => match written {
                Ok(length) => drop(out.drain(..length)),
                Err(_) => return,
            },
        }
    }
}
