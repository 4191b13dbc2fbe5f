//! Board: time and bytes to open it with 10,000 people, how long its search takes, latency of a change on the screen,
//! dropped frames at 100 changes per second, and the cost of 1,000 open boards for the server. The server is a process of its own, so that its CPU time is measured
//! separately; Chromium is Debian's, driven like in the tests. The anchor is an empty page in the same browser.

mod browser;
mod server;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use api_types::sources::MeetingBody;
use reqwest::{Client, Method};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Child,
    task::JoinSet,
    time::Instant,
};

pub use self::server::{ServerArguments, serve};
use crate::{
    percentiles::Percentiles,
    process::{self, Process},
    verdict,
};

/// Changes per second.
const RATE: u32 = 100;
/// Number of people who change in turn: after four seconds all are in their initial state.
const TURNS: u64 = 200;
/// Number of times that pages are opened.
const ROUNDS: usize = 5;

/// Longest time until something of the board is on the screen, in milliseconds.
const FIRST_PAINT_MS: f64 = 150.0;
/// Longest time until the board shows changes, in milliseconds.
const LIVE_MS: f64 = 1_000.0;
/// Most kilobytes of the page and its files as they travel.
const KILOBYTES: f64 = 160.0;
/// Most frames from a key in the search to the picture.
const FRAMES: f64 = 2.0;
/// Time of a frame, in milliseconds.
const FRAME_MS: f64 = 1_000.0 / 60.0;

/// Arguments of the measurement.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number of people.
    #[arg(long, default_value_t = 10_000)]
    people: usize,
    /// Number of open boards.
    #[arg(long, default_value_t = 1_000)]
    boards: usize,
    /// Duration of the load in each run, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

/// Server under load.
struct Server {
    url: String,
    key: String,
    links: Vec<String>,
    http: Client,
    process: Process,
    _child: Child,
}

impl Server {
    async fn start(arguments: &Arguments) -> anyhow::Result<Self> {
        let (people, boards) = (arguments.people.to_string(), arguments.boards.to_string());
        let server = ["board-server", "--people", &people, "--boards", &boards];
        let (child, process, line) = process::start(&server).await?;
        let told: Value = serde_json::from_str(&line)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let links = told["links"].as_array().into_iter().flatten().map(text);
        Ok(Self {
            url: text(&told["url"]),
            key: text(&told["key"]),
            links: links.collect(),
            http: Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()?,
            process,
            _child: child,
        })
    }

    /// Redeems a one-time link for a cookie.
    async fn cookie(&self, link: &str) -> anyhow::Result<String> {
        let answer = self.http.get(format!("{}{link}", self.url)).send().await?;
        let cookie = answer.headers().get("set-cookie").context("no cookie")?;
        let cookie = cookie.to_str()?.split(';').next();
        Ok(cookie.unwrap_or_default().to_owned())
    }

    /// Starts or ends a person's meeting.
    async fn change(&self, person: u64, busy: bool) -> anyhow::Result<()> {
        let url = format!("{}/api/v1/people/{person}/meetings/bench", self.url);
        let method = if busy { Method::PUT } else { Method::DELETE };
        let mut request = self.http.request(method, url).bearer_auth(&self.key);
        if busy {
            request = request.json(&MeetingBody {
                audio: true,
                screen: false,
            });
        }
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Applies changes at an even rate: some people in turn become busy, then available again.
    async fn load(self: &Arc<Self>, people: u64, time: Duration) -> anyhow::Result<()> {
        let every = Duration::from_secs(1) / RATE;
        let turns = people.min(TURNS);
        let began = Instant::now();
        let mut changes = JoinSet::new();
        let count = u64::from(RATE) * time.as_secs();
        for (number, turn) in (0..count).zip(1_u32..) {
            let (person, busy) = (number % turns + 1, (number / turns).is_multiple_of(2));
            let server = self.clone();
            changes.spawn(async move { server.change(person, busy).await });
            tokio::time::sleep_until(began + every * turn).await;
        }
        while let Some(done) = changes.join_next().await {
            done??;
        }
        Ok(())
    }
}

/// Measures and prints the figures.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let server = Arc::new(Server::start(arguments).await?);
    println!(
        "{} people, {RATE} changes a second, {} s",
        arguments.people, arguments.seconds
    );
    in_browser(arguments, &server).await?;
    many_boards(arguments, &server).await
}

async fn in_browser(arguments: &Arguments, server: &Arc<Server>) -> anyhow::Result<()> {
    let browser = browser::Browser::open().await?;
    let link = server.links.first().context("no account")?;
    let cookie = server.cookie(link).await?;
    browser.go(&format!("{}/healthz", server.url)).await?;
    browser.cookie(&cookie).await?;
    open_boards(&browser, server).await?;
    type_searches(&browser).await?;

    let people = arguments.people as u64;
    let mut shown = Vec::new();
    for number in 0..50 {
        let person = number * 7 % people + 1;
        for busy in [true, false] {
            browser.expect_change(person).await?;
            let sent = browser::now();
            server.change(person, busy).await?;
            shown.push(browser.changed_at().await? - sent);
        }
    }
    let shown = Percentiles::new(shown);
    println!(
        "request sent -> change on the screen, ms: p50 {:.1}, p99 {:.1}; target 100 ms: {}",
        shown.at(0.5),
        shown.at(0.99),
        verdict(shown.at(0.99) < 100.0)
    );

    browser.watch_frames().await?;
    server
        .load(people, Duration::from_secs(arguments.seconds))
        .await?;
    let gaps = Percentiles::new(browser.gaps().await?);
    println!(
        "between two frames under load, ms: p50 {:.1}, p99 {:.1}, longest {:.1}; target 100 ms: {}",
        gaps.at(0.5),
        gaps.at(0.99),
        gaps.at(1.0),
        verdict(gaps.at(1.0) < 100.0)
    );
    browser.close().await
}

/// Opens the anchor and the board in turn, each as for the first time.
async fn open_boards(browser: &browser::Browser, server: &Server) -> anyhow::Result<()> {
    let (mut anchor, mut paint, mut live) = (Vec::new(), Vec::new(), Vec::new());
    let (mut kilobytes, mut shift) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        browser.forget_files().await?;
        browser.go(&format!("{}/sign-in", server.url)).await?;
        anchor.push(browser.first_paint().await?);
        browser.forget_files().await?;
        browser.go(&format!("{}/", server.url)).await?;
        paint.push(browser.first_paint().await?);
        live.push(browser.live().await?);
        kilobytes.push(browser.kilobytes().await?);
        shift.push(browser.layout_shift().await?);
    }
    let [anchor, paint, live, kilobytes, shift] =
        [anchor, paint, live, kilobytes, shift].map(|measured| Percentiles::new(measured).at(0.5));
    println!("first paint, ms: sign-in page (anchor) {anchor:.0}");
    let target = |what: &str, measured: f64, most: f64| {
        println!(
            "{what} {measured:.0}; target {most:.0}: {}",
            verdict(measured <= most)
        );
    };
    target("first paint, ms: board", paint, FIRST_PAINT_MS);
    target("open -> live, ms:", live, LIVE_MS);
    target("page and files as sent, kB:", kilobytes, KILOBYTES);
    println!(
        "layout shift: {shift:.3}; target 0: {}",
        verdict(shift < 0.000_5)
    );
    Ok(())
}

/// Types names into the search, letter by letter, and deletes them again.
async fn type_searches(browser: &browser::Browser) -> anyhow::Result<()> {
    let mut shown = Vec::new();
    for name in ["weber", "zoe", "lind"] {
        let typed = (1..=name.len()).chain((0..name.len()).rev());
        for part in typed.filter_map(|length| name.get(..length)) {
            shown.push(browser.keystroke(part).await? / FRAME_MS);
        }
    }
    let shown = Percentiles::new(shown);
    println!(
        "key in the search -> picture, frames of 1/60 s: p50 {:.1}, p95 {:.1}; target {FRAMES}: {}",
        shown.at(0.5),
        shown.at(0.95),
        verdict(shown.at(0.95) <= FRAMES)
    );
    Ok(())
}

async fn many_boards(arguments: &Arguments, server: &Arc<Server>) -> anyhow::Result<()> {
    let mut boards = JoinSet::new();
    let told = Arc::new(AtomicU64::new(0));
    for link in server.links.iter().skip(1) {
        let cookie = server.cookie(link).await?;
        boards.spawn(listen(server.url.clone(), cookie, told.clone()));
    }
    let people = arguments.people as u64;
    let time = Duration::from_secs(arguments.seconds);
    let idle = server.process.cpu()?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = server.process.cpu()?;
    let began = Instant::now();
    server.load(people, time).await?;
    let took = began.elapsed().as_secs_f64();
    let cores = (server.process.cpu()? - before) / took;
    println!(
        "{} open boards: {cores:.2} cores (idle {:.2}), {:.1} MB/s sent; target 1 core: {}",
        boards.len(),
        (before - idle) / 2.0,
        told.load(Ordering::Relaxed) as f64 / took / 1e6,
        verdict(cores < 1.0)
    );
    // Fails if a board's stream has ended.
    anyhow::ensure!(boards.try_join_next().is_none(), "a stream has ended");
    Ok(())
}

/// Reads a stream like a board, and discards the data.
async fn listen(url: String, cookie: String, told: Arc<AtomicU64>) -> anyhow::Result<()> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("GET /api/v1/events HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut buffer = vec![0; 16 * 1024];
    let begun = stream.read(&mut buffer).await?;
    let begun = String::from_utf8_lossy(buffer.get(..begun).unwrap_or_default());
    anyhow::ensure!(begun.starts_with("HTTP/1.1 200"), "no stream: {begun}");
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            more => told.fetch_add(more as u64, Ordering::Relaxed),
        };
    }
}
