//! How the command line asks and tells a running agent: one line of JSON through a door that only this user may open, one
//! line back. The door is a socket in the file system, and on Windows a named pipe.

#[cfg_attr(unix, path = "control/socket.rs")]
#[cfg_attr(windows, path = "control/pipe.rs")]
mod door;

use std::{io, path::Path};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    sync::{mpsc::Sender, oneshot},
};

pub use self::door::Door;
use crate::{agent::Described, usage::Milliseconds};

/// A longer line is no request.
const LINE_MAX: u64 = 4096;
/// A longer line is no answer.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;

/// What a second agent is told.
fn taken() -> io::Error {
    let what = "another agent of yours is running already; see offhook-agent status";
    io::Error::new(io::ErrorKind::AddrInUse, what)
}

/// What goes both ways.
trait Talk: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Talk for T {}

/// What a running agent is asked or told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// How it is.
    Status,
    /// Report nothing for so long; 0 ends it.
    Pause(Milliseconds),
    /// The person chooses this profile; none: back to automatic.
    Choose(Option<String>),
    /// The device was paired anew, or not at all any more.
    Reload,
}

/// How a running agent is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whose device it is; empty: it is not paired.
    pub person: String,
    /// Where the server is.
    pub server: String,
    /// Whether it is connected.
    pub connected: bool,
    /// Why it is not, and what to do.
    pub trouble: Option<String>,
    /// Why the microphone cannot be watched.
    pub microphone_trouble: Option<String>,
    /// Why the profile that was chosen last is not in force.
    pub refused: Option<String>,
    /// What it sees and reports.
    pub described: Described,
}

/// Somebody asks.
pub type Asked = (Request, oneshot::Sender<Status>);

/// Answers, for ever.
pub async fn serve(mut door: Door, asked: Sender<Asked>) {
    loop {
        let Ok(stream) = door.accept().await else {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            continue;
        };
        let asked = asked.clone();
        tokio::spawn(async move {
            let answered = tokio::time::timeout(PATIENCE, answer(stream, asked)).await;
            if let Ok(Err(error)) = answered {
                tracing::debug!(%error, "somebody asked, and went away");
            }
        });
    }
}

/// Whoever asks and says nothing for so long is gone.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

async fn answer(stream: impl Talk, asked: Sender<Asked>) -> io::Result<()> {
    let (reading, mut writing) = tokio::io::split(stream);
    let mut line = String::new();
    BufReader::new(reading.take(LINE_MAX))
        .read_line(&mut line)
        .await?;
    let request: Request = serde_json::from_str(&line)?;
    let (answer, status) = oneshot::channel();
    let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
    let sent = asked.send((request, answer)).await;
    sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
    let mut text = serde_json::to_vec(&status.await.map_err(gone)?)?;
    text.push(b'\n');
    writing.write_all(&text).await
}

/// Asks or tells the running agent; `None`: none is running.
///
/// # Errors
/// It does not answer as agents do.
pub async fn ask(path: &Path, request: Request) -> io::Result<Option<Status>> {
    let Ok(mut stream) = door::connect(path).await else {
        return Ok(None);
    };
    let mut text = serde_json::to_vec(&request)?;
    text.push(b'\n');
    stream.write_all(&text).await?;
    let mut answer = String::new();
    let mut read = BufReader::new(stream).take(ANSWER_MAX);
    tokio::time::timeout(PATIENCE, read.read_line(&mut answer)).await??;
    Ok(Some(serde_json::from_str(&answer)?))
}
