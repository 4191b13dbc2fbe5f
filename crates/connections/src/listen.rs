//! Accepts connections and serves HTTP/1.1 on them.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response, StatusCode},
};
use hyper::{
    body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tower::ServiceExt;

use super::{Connection, Connections, Link, state::Phase, stream::Stream};

/// Connections that wait to be accepted; the operating system may allow fewer.
const BACKLOG: u32 = 4_096;
/// Bytes of an answer that the operating system holds for a peer that does not read it.
const SEND_BUFFER: usize = 256 * 1024;
/// The largest header; also the largest piece of a body that is read at once.
const HEADER_MAX: usize = 16 * 1024;
/// Interval of the search for overdue connections.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Pause after a connection that could not be accepted because nothing was left for it.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Opens a TCP listener.
///
/// # Errors
/// The address is in use, or this machine does not have it.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    // Connections inherit the options of their listener: events are small and must not wait for one another.
    socket.set_nodelay(true)?;
    let listener = socket.listen(BACKLOG)?;
    SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER)?;
    Ok(listener)
}

/// Serves until `stopping`, then completes the requests that have begun.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: Connections,
    proxies: Vec<IpNet>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut tasks = JoinSet::new();
    let mut sweep = interval(SWEEP_INTERVAL);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut not_before = Instant::now();
    let of_connections = stopping.clone();
    loop {
        let may_accept = connections.may_accept();
        let is_paused = Instant::now() < not_before;
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(_) = tasks.join_next() => {}
            _ = sweep.tick() => connections.sweep(Instant::now()),
            () = sleep_until(not_before), if is_paused => {}
            () = connections.one_closed(), if !may_accept => {}
            accepted = listener.accept(), if may_accept && !is_paused => match accepted {
                Ok((stream, peer)) => {
                    let counted = counted_as(peer, &proxies);
                    if let Some(link) = connections.admit(counted, Instant::now()) {
                        let stopping = of_connections.clone();
                        tasks.spawn(connection(stream, peer, link, router.clone(), stopping));
                    }
                }
                // The peer went away before it was accepted.
                Err(error) if is_peers(&error) => {}
                Err(error) => {
                    let now = Instant::now();
                    connections.exhausted(&error, now);
                    not_before = now + EXHAUSTED_PAUSE;
                }
            },
        }
    }
    drop(listener);
    loop {
        tokio::select! {
            ended = tasks.join_next() => if ended.is_none() { return },
            _ = sweep.tick() => connections.sweep(Instant::now()),
        }
    }
}

/// The network that a connection counts for; `None`: a reverse proxy or this machine, which may act for many.
fn counted_as(peer: SocketAddr, proxies: &[IpNet]) -> Option<std::net::IpAddr> {
    let address = peer.ip().to_canonical();
    let is_shared = address.is_loopback() || proxies.iter().any(|proxy| proxy.contains(&address));
    (!is_shared).then(|| sip::network(address))
}

fn is_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// Serves one connection until it ends, is to be closed, or the server stops.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    link: Arc<Link>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let io = TokioIo::new(Stream::new(stream, link.clone()));
    let handle = Connection(link.clone());
    let service = service_fn(move |request| answer(request, peer, handle.clone(), router.clone()));
    let served = http1::Builder::new()
        .max_buf_size(HEADER_MAX)
        .serve_connection(io, service)
        .with_upgrades();
    let mut served = pin!(served);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            // Peers end and break their connections all the time: not logged.
            _ = served.as_mut() => return,
            () = std::future::poll_fn(|context| link.poll_ended(context)) => return,
            _ = stopping.wait_for(|stopping| *stopping), if !is_stopping => {
                is_stopping = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    connection: Connection,
    router: Router,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(|body| {
        let phase = match body.is_end_stream() {
            true => Phase::Answer,
            false => Phase::Body,
        };
        connection.begin(phase);
        let connection = connection.clone();
        Body::new(Observed {
            body,
            connection,
            over: Connection::complete,
        })
    });
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(connection.clone());
    if connection.0.state().is_used() {
        // One request at a time: a peer that sends many at once must not delay the others.
        tokio::task::yield_now().await;
    }
    let response = router.oneshot(request).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        connection.0.state().upgraded(Instant::now());
    }
    Ok(response.map(|body| {
        Body::new(Observed {
            body,
            connection,
            over: Connection::answered,
        })
    }))
}

/// A body that reports its end to its connection, also when it is dropped before.
struct Observed<B> {
    body: B,
    connection: Connection,
    over: fn(&Connection),
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Observed<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Observed<B> {
    fn drop(&mut self) {
        (self.over)(&self.connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_count_by_network_and_proxies_do_not() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let counted = |peer: &str| {
            counted_as(peer.parse().unwrap(), &proxies).map(|address| address.to_string())
        };
        assert_eq!(counted("192.0.2.7:1").as_deref(), Some("192.0.2.7"));
        assert_eq!(
            counted("[2001:db8:1:2:3::4]:1"),
            counted("[2001:db8:1:2:ff::9]:1")
        );
        assert_eq!(
            counted("[::ffff:192.0.2.7]:1").as_deref(),
            Some("192.0.2.7")
        );
        for shared in [
            "127.0.0.1:1",
            "[::1]:1",
            "10.1.2.3:1",
            "[::ffff:10.1.2.3]:1",
        ] {
            assert_eq!(counted(shared), None, "{shared}");
        }
    }
}
