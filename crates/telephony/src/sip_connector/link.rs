//! The socket or connection to one telephone system: bytes in, bytes out.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sip::stream::{Decoder, Frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, UdpSocket, lookup_host};

use super::{SipConnectorConfig, Transport};

/// Socket buffer that is asked for: a restart makes thousands of NOTIFYs arrive at once, and what
/// does not fit costs a repetition after half a second. The system may give less.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// How long opening a connection may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// Bytes that may wait for a slow peer; more means that it does not read at all.
const UNSENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Datagrams that may wait for the socket; what is beyond is lost and repeated.
const UNSENT_DATAGRAMS_MAX: usize = 4096;

/// Datagrams handled before other work gets its turn.
const BATCH_MAX: usize = 64;

/// A way to the telephone system.
pub(super) struct Link {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    /// Our own address as the system sees it, unless there is NAT.
    pub(super) local: SocketAddr,
}

pub(super) enum Reader {
    Udp {
        socket: Arc<UdpSocket>,
        server: IpAddr,
    },
    Tcp {
        stream: OwnedReadHalf,
        decoder: Decoder,
    },
}

pub(super) enum Writer {
    Udp {
        socket: Arc<UdpSocket>,
        server: SocketAddr,
        unsent: VecDeque<(SocketAddr, Vec<u8>)>,
    },
    Tcp {
        stream: OwnedWriteHalf,
        unsent: Vec<u8>,
    },
}

/// Messages that arrived together, with where each came from.
pub(super) type Batch = Vec<(Option<SocketAddr>, Vec<u8>)>;

/// Binds the UDP socket of a configuration that names an address, so that an impossible one is
/// known at once; for TCP the address is only tried.
pub(super) fn bind(
    config: &SipConnectorConfig,
) -> Result<Option<Arc<UdpSocket>>, (SocketAddr, io::Error)> {
    let Some(address) = config.bind else {
        return Ok(None);
    };
    match config.transport {
        Transport::Udp => bind_udp(address).map(Some).map_err(|e| (address, e)),
        Transport::Tcp => tcp_socket(address).map(|_| None).map_err(|e| (address, e)),
    }
}

fn bind_udp(address: SocketAddr) -> io::Result<Arc<UdpSocket>> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    let options = socket2::SockRef::from(&socket);
    // The system caps what it does not want to give; smaller buffers only cost repetitions.
    let _ = options.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = options.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    Ok(Arc::new(UdpSocket::from_std(socket)?))
}

fn tcp_socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A fixed port is free again at once after a lost connection.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Opens the way; `udp` is the socket of an earlier one.
pub(super) async fn connect(
    config: Arc<SipConnectorConfig>,
    udp: Option<Arc<UdpSocket>>,
) -> Result<Link, String> {
    let patience = tokio::time::timeout(CONNECT_PATIENCE, open(&config, udp));
    patience.await.unwrap_or_else(|_| {
        Err(format!(
            "no connection within {} s",
            CONNECT_PATIENCE.as_secs()
        ))
    })
}

async fn open(config: &SipConnectorConfig, udp: Option<Arc<UdpSocket>>) -> Result<Link, String> {
    let host = config
        .server
        .rsplit_once(':')
        .map_or(config.server.as_str(), |(host, _)| host);
    let unknown = |why: String| format!("host name {host} is unknown ({why})");
    let candidates = lookup_host(&config.server)
        .await
        .map_err(|e| unknown(e.to_string()))?;
    let fits = |a: &SocketAddr| config.bind.is_none_or(|b| b.is_ipv4() == a.is_ipv4());
    let server = candidates
        .into_iter()
        .find(fits)
        .ok_or_else(|| unknown("no usable address".into()))?;
    let any: IpAddr = if server.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let ours = config.bind.unwrap_or(SocketAddr::new(any, 0));
    match config.transport {
        Transport::Udp => {
            let same_family = |s: &Arc<UdpSocket>| {
                s.local_addr()
                    .is_ok_and(|a| a.is_ipv4() == server.is_ipv4())
            };
            let socket = match udp.filter(same_family) {
                Some(socket) => socket,
                None => bind_udp(ours).map_err(|e| format!("cannot open a socket: {e}"))?,
            };
            let local =
                local_address(&socket, server).map_err(|e| format!("no route to {server}: {e}"))?;
            Ok(Link {
                reader: Reader::Udp {
                    socket: Arc::clone(&socket),
                    server: server.ip(),
                },
                writer: Writer::Udp {
                    socket,
                    server,
                    unsent: VecDeque::new(),
                },
                local,
            })
        }
        Transport::Tcp => {
            let socket = tcp_socket(ours).map_err(|e| format!("cannot open a socket: {e}"))?;
            let stream = socket
                .connect(server)
                .await
                .map_err(|e| format!("{server}: {e}"))?;
            // A SUBSCRIBE shall not wait for the next one to fill a segment.
            let _ = stream.set_nodelay(true);
            let local = stream.local_addr().map_err(|e| e.to_string())?;
            let (read, write) = stream.into_split();
            Ok(Link {
                reader: Reader::Tcp {
                    stream: read,
                    decoder: Decoder::new(),
                },
                writer: Writer::Tcp {
                    stream: write,
                    unsent: Vec::new(),
                },
                local,
            })
        }
    }
}

/// Which of our addresses the system sees: the one that the route to it has.
fn local_address(socket: &UdpSocket, server: SocketAddr) -> io::Result<SocketAddr> {
    let bound = socket.local_addr()?;
    if !bound.ip().is_unspecified() {
        return Ok(bound);
    }
    let trial = std::net::UdpSocket::bind(SocketAddr::new(bound.ip(), 0))?;
    trial.connect(server)?;
    Ok(SocketAddr::new(trial.local_addr()?.ip(), bound.port()))
}

impl Reader {
    /// What arrives next.
    ///
    /// # Errors
    /// The connection is gone, or has lost its framing.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was read is either returned or kept in the decoder.
    pub(super) async fn receive(&mut self, buffer: &mut [u8]) -> Result<(Batch, usize), String> {
        match self {
            Self::Udp { socket, server } => {
                let mut batch = Vec::new();
                // A receive error on a datagram socket tells of an earlier datagram; the probe judges.
                let mut received = socket.recv_from(buffer).await;
                while let Ok((length, from)) = received {
                    // Only the telephone system has a say, from whatever port.
                    if from.ip() == *server {
                        batch.push((Some(from), buffer[..length].to_vec()));
                    }
                    if batch.len() == BATCH_MAX {
                        break;
                    }
                    received = socket.try_recv_from(buffer);
                }
                Ok((batch, 0))
            }
            Self::Tcp { stream, decoder } => {
                let length = stream
                    .read(buffer)
                    .await
                    .map_err(|e| format!("connection lost: {e}"))?;
                if length == 0 {
                    return Err("connection closed by the telephone system".into());
                }
                decoder.push(&buffer[..length]);
                let (mut batch, mut pings) = (Vec::new(), 0);
                while let Some(frame) = decoder.next_frame().map_err(|e| e.to_string())? {
                    match frame {
                        Frame::Message(bytes) => batch.push((None, bytes.to_vec())),
                        Frame::Ping => pings += 1,
                        Frame::Pong => {}
                    }
                }
                Ok((batch, pings))
            }
        }
    }
}

impl Writer {
    /// Sends or queues one message; `to` is where a datagram came from that this answers.
    pub(super) fn push(&mut self, to: Option<SocketAddr>, bytes: Vec<u8>) {
        match self {
            Self::Udp {
                socket,
                server,
                unsent,
            } => {
                let to = to.unwrap_or(*server);
                let wait = !unsent.is_empty()
                    || matches!(socket.try_send_to(&bytes, to), Err(e) if e.kind() == io::ErrorKind::WouldBlock);
                // Whatever else goes wrong with a datagram, its repetition or the probe finds out.
                if wait && unsent.len() < UNSENT_DATAGRAMS_MAX {
                    unsent.push_back((to, bytes));
                }
            }
            Self::Tcp { unsent, .. } => unsent.extend_from_slice(&bytes),
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        match self {
            Self::Udp { unsent, .. } => !unsent.is_empty(),
            Self::Tcp { unsent, .. } => !unsent.is_empty(),
        }
    }

    /// Sends some of what waits.
    ///
    /// # Errors
    /// The connection is gone, or the other end does not read.
    ///
    /// # Cancel safety
    /// What was not sent stays queued.
    pub(super) async fn flush(&mut self) -> Result<(), String> {
        match self {
            Self::Udp { socket, unsent, .. } => {
                if let Some((to, bytes)) = unsent.front() {
                    let _ = socket.send_to(bytes, *to).await;
                    unsent.pop_front();
                }
            }
            Self::Tcp { stream, unsent } => {
                if unsent.len() > UNSENT_BYTES_MAX {
                    return Err("the telephone system does not read what is sent".into());
                }
                let sent = stream
                    .write(unsent)
                    .await
                    .map_err(|e| format!("connection lost: {e}"))?;
                unsent.drain(..sent);
            }
        }
        Ok(())
    }
}
