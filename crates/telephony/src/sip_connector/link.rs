//! The socket or connection to one phone system: bytes in, bytes out.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use sip::{
    digest::Credentials,
    stream::{Decoder, Frame, FrameError},
    subscriber::Account,
};
use tokio::{
    io::{
        AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf, split,
    },
    net::{TcpSocket, UdpSocket},
};
use tokio_rustls::TlsConnector;

use super::{
    SipConnectorConfig, Transport, escape_user,
    targets::{self, Place, Target},
};
use crate::tls::server_name;

/// Requested size of the socket buffer: after a restart thousands of NOTIFYs arrive at once, and each dropped one costs a
/// repetition after half a second. The operating system may give less.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Longest time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Most bytes that wait for a slow peer; a peer with more does not read at all.
const UNSENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most datagrams that wait for the socket; the rest is dropped and repeated later.
const UNSENT_DATAGRAMS_MAX: usize = 4096;

/// Datagrams handled before other work gets its turn.
const BATCH_MAX: usize = 64;

/// Longest time to close a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(250);

/// Pause after a message that is too long: the same message would come again at once.
const TOO_LONG_PAUSE: Duration = Duration::from_secs(60);

/// The reason for which a connection to the PBX cannot be opened or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LinkError {
    /// The connection is gone, or was never opened.
    #[error("{0}")]
    Lost(String),
    /// The end of a message cannot be found.
    #[error(transparent)]
    Framing(#[from] FrameError),
}

impl LinkError {
    /// The shortest pause before the next connection, independent of earlier connections.
    pub(super) fn least_pause(&self) -> Duration {
        match self {
            Self::Framing(FrameError::TooLong) => TOO_LONG_PAUSE,
            Self::Framing(_) | Self::Lost(_) => Duration::ZERO,
        }
    }
}

impl From<String> for LinkError {
    fn from(why: String) -> Self {
        Self::Lost(why)
    }
}

impl From<&str> for LinkError {
    fn from(why: &str) -> Self {
        Self::Lost(why.to_owned())
    }
}

/// A socket or connection to the phone system.
pub(super) struct Link {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    /// Offhook's own address as the PBX sees it, unless there is NAT.
    pub(super) local: SocketAddr,
    pub(super) transport: Transport,
    /// The server and its address in the order of preference.
    pub(super) place: Place,
    /// The number of the attempt that leads to this place.
    pub(super) attempt: usize,
}

impl Link {
    /// Whether a datagram came from another address than that of the PBX.
    pub(super) fn is_from_elsewhere(&self, from: Option<SocketAddr>) -> bool {
        match &self.reader {
            Reader::Udp { server, .. } => from.is_some_and(|from| from.ip() != *server),
            Reader::Tcp { .. } => false,
        }
    }

    /// Offhook's account as used over this link.
    pub(super) fn account(&self, config: &SipConnectorConfig) -> Account {
        let user = escape_user(&config.username);
        let (transport, suffix) = match self.transport {
            Transport::Udp => (sip::Transport::Udp, ""),
            Transport::Tcp => (sip::Transport::Tcp, ";transport=tcp"),
            Transport::Tls => (sip::Transport::Tls, ";transport=tls"),
        };
        Account {
            from: format!("sip:{user}@{}", config.domain),
            contact: format!("sip:{user}@{}{suffix}", self.local),
            sent_by: self.local.to_string(),
            transport,
            credentials: Some(Credentials {
                username: config.username.clone(),
                password: config.password.clone(),
            }),
            event: "dialog".into(),
            accept: match config.lists.is_empty() {
                false => format!(
                    "{}, {}, multipart/related",
                    sip::dialog_info::CONTENT_TYPE,
                    sip::resource_list::CONTENT_TYPE
                ),
                true => sip::dialog_info::CONTENT_TYPE.into(),
            },
            supported: (!config.lists.is_empty()).then(|| sip::resource_list::EVENT_LIST.into()),
            user_agent: concat!("Offhook/", env!("CARGO_PKG_VERSION")).into(),
        }
    }
}

/// A connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}
type AnyStream = Box<dyn Stream>;

pub(super) enum Reader {
    Udp {
        socket: Arc<UdpSocket>,
        server: IpAddr,
    },
    Tcp {
        stream: ReadHalf<AnyStream>,
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
        stream: WriteHalf<AnyStream>,
        unsent: Vec<u8>,
        /// All written bytes have left for the network.
        is_flushed: bool,
    },
}

/// Messages that arrived together, with their source addresses.
pub(super) type Batch = Vec<(Option<SocketAddr>, Vec<u8>)>;

/// Binds the UDP socket of a configuration with a local address, so that an impossible address is found at once; for TCP the
/// address is only tried.
pub(super) fn bind(
    config: &SipConnectorConfig,
) -> Result<Option<Arc<UdpSocket>>, (SocketAddr, io::Error)> {
    let Some(address) = config.bind else {
        return Ok(None);
    };
    match config.transport {
        Some(Transport::Udp) | None => bind_udp(address).map(Some).map_err(|e| (address, e)),
        Some(Transport::Tcp | Transport::Tls) => {
            tcp_socket(address).map(|_| None).map_err(|e| (address, e))
        }
    }
}

fn bind_udp(address: SocketAddr) -> io::Result<Arc<UdpSocket>> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    let options = socket2::SockRef::from(&socket);
    // The operating system caps the size; smaller buffers only cost repetitions.
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

/// Opens the link; `udp` is the socket of an earlier one. Of several places, `attempt` picks one.
pub(super) async fn connect(
    config: Arc<SipConnectorConfig>,
    udp: Option<Arc<UdpSocket>>,
    attempt: usize,
) -> Result<Link, LinkError> {
    let found = targets::find(&config).await?;
    let attempt = attempt % found.len().max(1);
    match found.get(attempt) {
        Some(target) => {
            let link = open(&config, udp, target).await?;
            Ok(Link { attempt, ..link })
        }
        None => Err("no usable address".into()),
    }
}

/// Opens the link to this place.
pub(super) async fn open(
    config: &SipConnectorConfig,
    udp: Option<Arc<UdpSocket>>,
    target: &Target,
) -> Result<Link, LinkError> {
    let opened = tokio::time::timeout(CONNECT_TIMEOUT, open_at(config, udp, target));
    opened.await.unwrap_or_else(|_| {
        Err(format!(
            "no connection to {} within {} s",
            target.address,
            CONNECT_TIMEOUT.as_secs()
        )
        .into())
    })
}

async fn open_at(
    config: &SipConnectorConfig,
    udp: Option<Arc<UdpSocket>>,
    target: &Target,
) -> Result<Link, LinkError> {
    let (server, transport) = (target.address, target.transport);
    let no_route = |e| format!("no route to {server}: {e}");
    match transport {
        Transport::Udp => {
            // The local address of the route to the PBX only: other networks cannot send to it.
            let ours = match config.bind {
                Some(bind) => bind,
                None => route_address(server).map_err(no_route)?,
            };
            // The same port as before, unless the route has another address now.
            let fits = |s: &Arc<UdpSocket>| s.local_addr().is_ok_and(|a| a.ip() == ours.ip());
            let socket = match udp.filter(fits) {
                Some(socket) => socket,
                None => bind_udp(ours).map_err(|e| format!("cannot open a socket: {e}"))?,
            };
            let local = local_address(&socket, server).map_err(no_route)?;
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
                transport,
                place: target.place,
                attempt: 0,
            })
        }
        Transport::Tcp | Transport::Tls => {
            let ours = config.bind.unwrap_or_else(|| any_address(server));
            let socket = tcp_socket(ours).map_err(|e| format!("cannot open a socket: {e}"))?;
            let stream = socket
                .connect(server)
                .await
                .map_err(|e| format!("{server}: {e}"))?;
            // A SUBSCRIBE must not wait for the next one to fill a segment.
            let _ = stream.set_nodelay(true);
            let local = stream.local_addr().map_err(|e| e.to_string())?;
            let stream: AnyStream = match (transport, &config.trust) {
                (Transport::Tls, Some(trust)) => {
                    let connector = TlsConnector::from(Arc::clone(&trust.0));
                    let connected = connector.connect(server_name(&target.host)?, stream).await;
                    let refused =
                        |error| format!("no TLS with {} ({server}): {error}", target.host);
                    Box::new(connected.map_err(refused)?)
                }
                (Transport::Tls, None) => return Err("nobody's certificate is believed".into()),
                _ => Box::new(stream),
            };
            let (read, write) = split(stream);
            Ok(Link {
                reader: Reader::Tcp {
                    stream: read,
                    decoder: Decoder::new(),
                },
                writer: Writer::Tcp {
                    stream: write,
                    unsent: Vec::new(),
                    is_flushed: true,
                },
                local,
                transport,
                place: target.place,
                attempt: 0,
            })
        }
    }
}

/// Offhook's address as the PBX sees it: the local address of the route.
fn local_address(socket: &UdpSocket, server: SocketAddr) -> io::Result<SocketAddr> {
    let bound = socket.local_addr()?;
    if !bound.ip().is_unspecified() {
        return Ok(bound);
    }
    let mut address = route_address(server)?;
    address.set_port(bound.port());
    Ok(address)
}

/// The local address of the route to the PBX, with port 0.
fn route_address(server: SocketAddr) -> io::Result<SocketAddr> {
    let trial = std::net::UdpSocket::bind(any_address(server))?;
    trial.connect(server)?;
    let mut address = trial.local_addr()?;
    address.set_port(0);
    Ok(address)
}

/// Any address of the same family.
fn any_address(server: SocketAddr) -> SocketAddr {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(any, 0)
}

impl Reader {
    /// The messages that arrive next.
    ///
    /// # Errors
    /// The connection is gone, or its framing is lost.
    ///
    /// # Cancel safety
    /// Nothing is lost: bytes read are either returned or kept in the decoder.
    pub(super) async fn receive(&mut self, buffer: &mut [u8]) -> Result<(Batch, usize), LinkError> {
        match self {
            Self::Udp { socket, server } => {
                let mut batch = Vec::new();
                // A receive error on a datagram socket is about an earlier datagram; the probe decides.
                let mut received = socket.recv_from(buffer).await;
                while let Ok((length, from)) = received {
                    // Datagrams from any port of the PBX. A NOTIFY may come from another address of the PBX: the task
                    // accepts only one that names a subscription (`Link::is_from_elsewhere`).
                    let bytes = &buffer[..length];
                    if from.ip() == *server || bytes.starts_with(b"NOTIFY ") {
                        batch.push((Some(from), bytes.to_vec()));
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
                    return Err("connection closed by the phone system".into());
                }
                decoder.push(&buffer[..length]);
                let (mut batch, mut pings) = (Vec::new(), 0);
                while let Some(frame) = decoder.next_frame()? {
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
    /// Sends or queues one message; `to` is the source of the datagram that it answers.
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
                // Any other failure of a datagram shows in its repetition or in the probe.
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
            Self::Tcp {
                unsent, is_flushed, ..
            } => !unsent.is_empty() || !is_flushed,
        }
    }

    /// Sends some of the waiting bytes.
    ///
    /// # Errors
    /// The connection is gone, or the peer does not read.
    ///
    /// # Cancel safety
    /// Unsent bytes stay queued.
    pub(super) async fn flush(&mut self) -> Result<(), LinkError> {
        match self {
            Self::Udp { socket, unsent, .. } => {
                if let Some((to, bytes)) = unsent.front() {
                    let _ = socket.send_to(bytes, *to).await;
                    unsent.pop_front();
                }
            }
            Self::Tcp {
                stream,
                unsent,
                is_flushed,
            } => {
                if unsent.len() > UNSENT_BYTES_MAX {
                    return Err("the phone system does not read its messages".into());
                }
                let lost = |e: io::Error| format!("connection lost: {e}");
                if !unsent.is_empty() {
                    *is_flushed = false;
                    let sent = stream.write(unsent).await.map_err(lost)?;
                    unsent.drain(..sent);
                } else {
                    stream.flush().await.map_err(lost)?;
                    *is_flushed = true;
                }
            }
        }
        Ok(())
    }

    /// Closes a connection so that the peer reads everything sent before.
    pub(super) async fn close(self) {
        match self {
            Self::Udp { .. } => {}
            Self::Tcp { mut stream, .. } => {
                // A peer that is gone needs no close.
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, stream.shutdown()).await;
            }
        }
    }
}
