//! Connections of strangers: the server closes slow ones, makes room when none is left, and still answers good
//! requests at once.

use std::{iter, path::PathBuf, time::Duration};

use end_to_end::{Installation, Program, Server, eventually};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::SOON;

/// Latest close of a connection without a complete header: the limit of 10 s, checked once a second.
const HEADER_CLOSED: Duration = Duration::from_secs(13);

/// Incomplete input of strangers.
const HOSTILE: [&str; 6] = [
    "",
    "GET /sign-in HT",
    "GET /sign-in HTTP/1.1\r\nhost: offhook\r\nx-much: ",
    "POST /sign-in HTTP/1.1\r\nhost: offhook\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 9000\r\n\r\nname=",
    "GET /healthz HTTP/1.1\r\nhost: offhook\r\n\r\n",
    UNREAD,
];
/// A request that is sent many times without reading the responses.
const UNREAD: &str = "GET /assets/app.css HTTP/1.1\r\nhost: offhook\r\n\r\n";

async fn connect(server: &Server, sent: &str) -> TcpStream {
    let address = server.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let times = if sent == UNREAD { 10 } else { 1 };
    for _ in 0..times {
        // The server may have closed the connection already.
        let _ = stream.write_all(sent.as_bytes()).await;
    }
    stream
}

/// Opens `count` connections that send these inputs in turn.
async fn strangers(server: &Server, count: usize, sent: &[&str]) -> Vec<TcpStream> {
    let mut streams = Vec::with_capacity(count);
    for sent in iter::repeat_n(sent, count).flatten().take(count) {
        streams.push(connect(server, sent).await);
    }
    streams
}

/// 99th percentile of the response time of good requests, each on a connection of its own.
async fn p99(server: &Server) -> Duration {
    let request = format!(
        "GET /api/v1/people?limit=1 HTTP/1.1\r\nhost: offhook\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        end_to_end::KEY
    );
    let mut times = Vec::new();
    for _ in 0..300 {
        let began = Instant::now();
        let mut stream = connect(server, &request).await;
        let answer = closed(&mut stream, SOON).await;
        times.push(began.elapsed());
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    }
    times.sort();
    times[times.len() * 99 / 100]
}

/// Checks that strangers slow good requests by at most 50 ms.
async fn answers_at_once(server: &Server, without_strangers: Duration) {
    let p99 = p99(server).await;
    println!("p99 {p99:?}, without strangers {without_strangers:?}");
    let most = Duration::from_millis(50).max(3 * without_strangers);
    assert!(
        p99 <= most,
        "{p99:?}, without strangers {without_strangers:?}"
    );
}

/// Waits until the server has closed the connection; returns the bytes received before.
async fn closed(stream: &mut TcpStream, limit: Duration) -> Vec<u8> {
    let mut answer = Vec::new();
    let read = timeout(limit, stream.read_to_end(&mut answer)).await;
    // A reset ends the connection too.
    let _ = read.expect("the connection is still open");
    answer
}

async fn open_connections(server: &Server) -> u64 {
    let (_, metrics) = server.api(Method::GET, "/metrics", None).await;
    let metrics = metrics.as_str().unwrap().to_owned();
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("offhook_http_connections "));
    line.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_thousand_strangers_do_not_keep_a_good_request_waiting() {
    end_to_end::raise_descriptor_limit();
    let installation = Installation::new("");
    let server = installation.serve().await;
    let without = p99(&server).await;
    let hostile = strangers(&server, 4_000, &HOSTILE).await;
    answers_at_once(&server, without).await;
    drop(hostile);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_no_room_the_oldest_stranger_makes_room() {
    end_to_end::raise_descriptor_limit();
    let installation = Installation::new("");
    // Enough for 576 connections.
    let server = installation.serve_with_descriptors(1_024).await;
    let mut events = server.events().await;
    let without = p99(&server).await;
    let hostile = strangers(&server, 4_000, &HOSTILE).await;
    answers_at_once(&server, without).await;
    assert!(open_connections(&server).await <= 600);
    // An event stream is not closed to make room.
    assert!(events.chunk().await.unwrap().is_some());
    drop(hostile);
}

#[tokio::test]
async fn seventy_idle_sockets_do_not_use_up_sixty_four_descriptors() {
    let installation = Installation::new("");
    let server = installation.serve_with_descriptors(64).await;
    let idle = strangers(&server, 70, &[""]).await;
    let began = Instant::now();
    assert!(server.is_ready().await, "{:?}", server.troubles().await);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    drop(idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_that_send_nothing_are_survived_and_closed() {
    end_to_end::raise_descriptor_limit();
    let installation = Installation::new("");
    let server = installation.serve().await;
    let mut events = server.events().await;
    let mut silent = strangers(&server, 10_000, &[""]).await;
    let began = Instant::now();
    assert!(server.is_ready().await);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let mut last = silent.pop().unwrap();
    assert_eq!(closed(&mut last, HEADER_CLOSED).await, b"");
    eventually("strangers are gone", SOON, true, || async {
        open_connections(&server).await < 20
    })
    .await;
    assert!(events.chunk().await.unwrap().is_some(), "streams stay");
    // An incomplete request does not delay the shutdown.
    let _half = connect(&server, HOSTILE[1]).await;
    assert_eq!(server.terminate().await, 0);
}

#[tokio::test]
async fn headers_and_bodies_that_do_not_come_end_the_connection() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    let began = Instant::now();
    let mut unfinished = Vec::new();
    for sent in &HOSTILE[..4] {
        unfinished.push(connect(&server, sent).await);
    }
    let notification =
        "POST /teams/notifications HTTP/1.1\r\nhost: offhook\r\ncontent-length: 9000\r\n\r\n{";
    unfinished.push(connect(&server, notification).await);
    for stream in &mut unfinished {
        closed(stream, HEADER_CLOSED).await;
    }
    let took = began.elapsed();
    assert!(took < HEADER_CLOSED, "{took:?}");
    let much = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(20_000));
    let mut much = connect(&server, &much).await;
    let answer = closed(&mut much, SOON).await;
    assert!(answer.starts_with(b"HTTP/1.1 431"), "{answer:?}");
}

#[tokio::test]
async fn no_descriptor_left_is_a_trouble_that_passes() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    assert!(server.is_ready().await);
    let pid = server.pid().to_string();
    let limit = async |descriptors: usize| {
        let limit = format!("--nofile={descriptors}:");
        let (code, _, errors) = Program::run_installed("prlimit", &["--pid", &pid, &limit]).await;
        assert_eq!(code, 0, "{errors}");
    };
    let mut idle = strangers(&server, 3, &[""]).await;
    eventually("they are accepted", SOON, true, || async {
        open_connections(&server).await >= 3
    })
    .await;
    let open = |number: &usize| PathBuf::from(format!("/proc/{pid}/fd/{number}")).exists();
    let first_free = (0..).find(|number| !open(number)).unwrap();
    limit(first_free).await;
    // The next connection takes the place of the first.
    idle.push(connect(&server, "").await);
    closed(&mut idle[0], SOON).await;
    eventually("it is told", SOON, true, || async {
        let troubles = server.troubles().await;
        let mut reported = troubles
            .iter()
            .map(|trouble| trouble.contains("Too many open files"));
        reported.any(|reported| reported)
    })
    .await;
    limit(first_free + 200).await;
    eventually("it passes", Duration::from_secs(15), true, || {
        server.is_ready()
    })
    .await;
}
