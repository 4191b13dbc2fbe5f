//! The listening sockets of a SIP server.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    sync::mpsc,
};

use crate::tls::Identity;

/// Attempts to find a port that is free for both UDP and TCP.
const PORT_ATTEMPTS_MAX: usize = 20;
/// Requested size of socket buffers; smaller ones only cost repetitions.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;
/// Most connections at a time, unless the server sets another limit.
const CONNECTIONS_MAX: usize = 16_384;
/// Pause after a connection that could not be accepted, mostly for too many open files.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// The protocol of a connection.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Tcp,
    Tls(Identity),
    WebSocket(Option<Identity>),
}

/// The sockets of a server: the same port for UDP and TCP, others for TLS and WebSockets.
#[derive(Debug)]
pub struct Sockets {
    pub(super) udp: UdpSocket,
    listeners: Vec<(TcpListener, Kind)>,
    pub(super) connections_max: usize,
}

/// A new connection, or the error of accepting one.
pub(super) type AcceptResult = std::io::Result<(TcpStream, SocketAddr, Kind)>;

impl Sockets {
    /// Binds UDP and TCP; port 0 picks a port that is free for both.
    ///
    /// # Errors
    /// The address is in use or does not belong to this machine.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let udp = UdpSocket::bind(address).await?;
            let options = socket2::SockRef::from(&udp);
            let _ = options.set_recv_buffer_size(SOCKET_BUFFER);
            let _ = options.set_send_buffer_size(SOCKET_BUFFER);
            match TcpListener::bind(udp.local_addr()?).await {
                Ok(tcp) => {
                    let listeners = vec![(tcp, Kind::Tcp)];
                    let connections_max = CONNECTIONS_MAX;
                    return Ok(Self {
                        udp,
                        listeners,
                        connections_max,
                    });
                }
                Err(_) if address.port() == 0 && attempt < PORT_ATTEMPTS_MAX => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Lowers the number of connections at a time.
    pub fn limit_connections(&mut self, most: usize) {
        self.connections_max = self.connections_max.min(most).max(1);
    }

    /// Adds TLS and returns its local address.
    ///
    /// # Errors
    /// The address is in use or does not belong to this machine.
    pub async fn add_tls(
        &mut self,
        address: SocketAddr,
        identity: Identity,
    ) -> std::io::Result<SocketAddr> {
        self.add(address, Kind::Tls(identity)).await
    }

    /// Adds WebSockets (RFC 7118), encrypted if there is an identity, and returns their local address.
    ///
    /// # Errors
    /// The address is in use or does not belong to this machine.
    pub async fn add_websocket(
        &mut self,
        address: SocketAddr,
        identity: Option<Identity>,
    ) -> std::io::Result<SocketAddr> {
        self.add(address, Kind::WebSocket(identity)).await
    }

    async fn add(&mut self, address: SocketAddr, kind: Kind) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        self.listeners.push((listener, kind));
        Ok(address)
    }

    /// Local address of UDP and TCP.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    /// The UDP socket, and the tasks that accept connections until the receiver is dropped.
    pub(super) fn open(
        self,
        tasks: &mut tokio::task::JoinSet<()>,
    ) -> (UdpSocket, mpsc::Receiver<AcceptResult>) {
        let (sender, accepted) = mpsc::channel(1);
        for (listener, kind) in self.listeners {
            let sender = sender.clone();
            tasks.spawn(async move {
                loop {
                    let accepted = listener.accept().await;
                    let has_failed = accepted.is_err();
                    let accepted =
                        accepted.map(|(stream, address)| (stream, address, kind.clone()));
                    if sender.send(accepted).await.is_err() {
                        return;
                    }
                    if has_failed {
                        tokio::time::sleep(REFUSED_PAUSE).await;
                    }
                }
            });
        }
        (self.udp, accepted)
    }
}
