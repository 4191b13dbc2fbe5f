//! Where a SIP server listens.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;

use crate::tls::Identity;

/// Attempts to find a port that is free for both UDP and TCP.
const PORT_ATTEMPTS_MAX: usize = 20;
/// What the operating system is asked to hold for us; less only costs repetitions.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;
/// Connections at a time, unless a server is given another limit.
const CONNECTIONS_MAX: usize = 16_384;
/// Pause after a connection that could not be accepted: mostly there are too many open files.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// What is spoken on a connection.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Tcp,
    Tls(Identity),
    WebSocket(Option<Identity>),
}

/// Where a server listens: the same port for UDP and TCP, and others for TLS and WebSockets.
#[derive(Debug)]
pub struct Sockets {
    pub(super) udp: UdpSocket,
    listeners: Vec<(TcpListener, Kind)>,
    pub(super) connections_max: usize,
}

/// A connection that was made, or why it could not be accepted.
pub(super) type Accepted = std::io::Result<(TcpStream, SocketAddr, Kind)>;

impl Sockets {
    /// Listens; port 0 picks one that is free for both UDP and TCP.
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

    /// Serves so many connections at a time and no more, where that is fewer than by default.
    pub fn limit_connections(&mut self, most: usize) {
        self.connections_max = self.connections_max.min(most).max(1);
    }

    /// Listens for TLS too; where.
    ///
    /// # Errors
    /// The address is in use or not ours.
    pub async fn add_tls(
        &mut self,
        address: SocketAddr,
        identity: Identity,
    ) -> std::io::Result<SocketAddr> {
        self.add(address, Kind::Tls(identity)).await
    }

    /// Listens for WebSockets too (RFC 7118), encrypted if there is an identity; where.
    ///
    /// # Errors
    /// The address is in use or not ours.
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

    /// Where UDP and TCP are listened for.
    ///
    /// # Errors
    /// The operating system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    /// The socket for datagrams, and what accepts connections as long as somebody takes them.
    pub(super) fn open(
        self,
        tasks: &mut tokio::task::JoinSet<()>,
    ) -> (UdpSocket, mpsc::Receiver<Accepted>) {
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
