//! Control of a running agent by the command line: one line of JSON as the request, one as the answer, over a socket or, on
//! Windows, a named pipe that only this user may open.

#[cfg_attr(unix, path = "control/socket.rs")]
#[cfg_attr(windows, path = "control/pipe.rs")]
mod listener;

use std::{io, path::Path};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    sync::{mpsc::Sender, oneshot},
};

pub use self::listener::Listener;
use crate::{agent::StatusDetails, usage::Milliseconds};

/// Maximum length of a request in bytes.
const LINE_MAX: u64 = 4096;
/// Maximum length of an answer in bytes.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;

/// Error for a second agent of the same user.
fn already_running() -> io::Error {
    let what = "another agent of yours is already running; see offhook-agent status";
    io::Error::new(io::ErrorKind::AddrInUse, what)
}

/// Connection to the command line.
trait ControlStream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> ControlStream for T {}

/// Request to a running agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Returns the status.
    Status,
    /// Pauses reports for this time in milliseconds; 0 ends the pause.
    Pause(Milliseconds),
    /// Chooses a profile; `None`: back to automatic.
    Choose(Option<String>),
    /// Reads the pairing again, after the device was paired or unpaired.
    Reload,
}

/// Status of a running agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Person who owns the device; empty if the device is not paired.
    pub person: String,
    /// Address of the server.
    pub server: String,
    /// True if the agent is connected to the server.
    pub connected: bool,
    /// Reason and remedy if the agent is not connected.
    pub trouble: Option<String>,
    /// Reason why the use of the microphone cannot be detected.
    pub microphone_trouble: Option<String>,
    /// Reason why the last choice of a profile was refused.
    pub refused: Option<String>,
    /// Detected programs and reports.
    pub described: StatusDetails,
}

/// A request with the channel for its answer.
pub type PendingRequest = (Request, oneshot::Sender<Status>);

/// Answers requests until the agent ends.
pub async fn serve(mut listener: Listener, requests: Sender<PendingRequest>) {
    loop {
        let Ok(stream) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            continue;
        };
        let requests = requests.clone();
        tokio::spawn(async move {
            let answered = tokio::time::timeout(REQUEST_TIMEOUT, answer(stream, requests)).await;
            if let Ok(Err(error)) = answered {
                tracing::debug!(%error, "a client of the control socket disconnected");
            }
        });
    }
}

/// Time limit for a request or an answer.
const REQUEST_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

async fn answer(stream: impl ControlStream, requests: Sender<PendingRequest>) -> io::Result<()> {
    let (reading, mut writing) = tokio::io::split(stream);
    let mut line = String::new();
    BufReader::new(reading.take(LINE_MAX))
        .read_line(&mut line)
        .await?;
    let request: Request = serde_json::from_str(&line)?;
    let (answer, status) = oneshot::channel();
    let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
    let sent = requests.send((request, answer)).await;
    sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
    let mut text = serde_json::to_vec(&status.await.map_err(gone)?)?;
    text.push(b'\n');
    writing.write_all(&text).await
}

/// Sends a request to the running agent; `None` if no agent is running.
///
/// # Errors
/// The answer is missing or invalid.
pub async fn ask(path: &Path, request: Request) -> io::Result<Option<Status>> {
    let Ok(mut stream) = listener::connect(path).await else {
        return Ok(None);
    };
    let mut text = serde_json::to_vec(&request)?;
    text.push(b'\n');
    stream.write_all(&text).await?;
    let mut answer = String::new();
    let mut read = BufReader::new(stream).take(ANSWER_MAX);
    tokio::time::timeout(REQUEST_TIMEOUT, read.read_line(&mut answer)).await??;
    Ok(Some(serde_json::from_str(&answer)?))
}
