//! Latency of a redirected call (302) at a given rate, compared with Kamailio's answer to OPTIONS, the least work of any
//! server.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, ensure};
use tokio::{
    net::UdpSocket,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::Server;
use crate::{percentiles::Percentiles, verdict};

/// Calls per second: a PBX of ten thousand people has about five in its busiest hour.
const RATE: u32 = 1_000;
/// Target for the 99th percentile in milliseconds.
const GOAL_MS: f64 = 2.0;
/// Timeout of an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Measures both servers and prints the figures.
pub(super) async fn compare(seconds: u32, ours: &Server, kamailio: &Server) -> anyhow::Result<()> {
    let redirected = ask(&ours.address, "INVITE", "302", seconds).await?;
    let answered = ask(&kamailio.address, "OPTIONS", "200", seconds).await?;
    let [mine, theirs] = [&redirected, &answered].map(|times| times.at(0.99));
    println!(
        "\n{RATE} INVITE/s answered by Offhook: p50 {:.2} ms, p99 {mine:.2} ms (goal {GOAL_MS}) {}; \
         as many OPTIONS by Kamailio: p50 {:.2} ms, p99 {theirs:.2} ms; ratio {:.2}",
        redirected.at(0.5),
        verdict(mine <= GOAL_MS),
        answered.at(0.5),
        mine / theirs,
    );
    Ok(())
}

async fn ask(
    server: &str,
    method: &str,
    wanted: &str,
    seconds: u32,
) -> anyhow::Result<Percentiles> {
    let server: SocketAddr = server.parse()?;
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(server).await?;
    let own = socket.local_addr()?;
    let count = (RATE * seconds) as usize;
    let mut sent: Vec<Instant> = Vec::with_capacity(count);
    let mut times = Vec::with_capacity(count);
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    // After a pause of the machine, missed calls are not sent all at once, which no PBX would do and the socket could not
    // hold.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = [0; 4_096];
    while times.len() < count {
        tokio::select! {
            _ = ticks.tick(), if sent.len() < count => {
                let number = sent.len();
                let request = format!(
                    "{method} sip:p{}@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{number}\r\n\
                     Max-Forwards: 70\r\nFrom: <sip:caller{}@pbx.test>;tag=1\r\nTo: <sip:p{}@pbx.test>\r\n\
                     Call-ID: {number}@bench\r\nCSeq: 1 {method}\r\nContact: <sip:p1@{own}>\r\nContent-Length: 0\r\n\r\n",
                    number % super::PEOPLE,
                    // No person is called twice within seconds, which the server would treat as a loop of a PBX.
                    number / super::PEOPLE,
                    number % super::PEOPLE,
                );
                sent.push(Instant::now());
                socket.send(request.as_bytes()).await?;
            }
            received = timeout(ANSWER_TIMEOUT, socket.recv(&mut buffer)) => {
                let Ok(received) = received else {
                    ensure!(!times.is_empty(), "no answer to {method}");
                    // Lost UDP messages count as infinitely slow, because a PBX would retransmit them.
                    times.resize(count, f64::INFINITY);
                    break;
                };
                let length = received?;
                let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
                let code = text.split(' ').nth(1).unwrap_or_default();
                ensure!(code == wanted, "{method} was answered with {code}");
                let number = text.split("branch=z9hG4bK").nth(1).and_then(|rest| {
                    let end = rest.find(|character: char| !character.is_ascii_digit())?;
                    rest.get(..end)?.parse::<usize>().ok()
                });
                let at = number.and_then(|number| sent.get(number)).context("an answer to an unknown request")?;
                times.push(at.elapsed().as_secs_f64() * 1_000.0);
            }
        }
    }
    Ok(Percentiles::new(times))
}
