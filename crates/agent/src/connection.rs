//! Connection to the server: a WebSocket over an HTTP client that uses the system's proxy and certificates. Reconnects with
//! backoff.

use std::time::Duration;

use agent_protocol::{FromAgent, PATH, Report, SUBPROTOCOL, TABLE_MAX, ToAgent};
use futures_util::{SinkExt, StreamExt};
use reqwest::{StatusCode, Upgraded, header};
use tokio::{
    sync::{
        mpsc::{Receiver, Sender},
        watch,
    },
    time::Instant,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use crate::{
    backoff::Backoff, clock::sleep_until, files::Credentials, problem, secret::SecretError,
};

/// Timeout of a request, and of an answer to a report.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Shortest and longest wait before a reconnection.
const RETRY_INTERVALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Minimum interval between two requests to unlock the keyring.
const LOCKED_KEYRING_RETRY: Duration = Duration::from_secs(600);
/// Interval between attempts of a removed device, which needs a new pairing.
const REMOVED_DEVICE_RETRY: Duration = Duration::from_secs(3600);
/// Size of the read buffer in bytes; messages are small.
const READ_BUFFER: usize = 4096;

/// Event of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// The agent is connected, and a report is due.
    Connected,
    /// The agent is not connected: reason and remedy.
    Lost(String),
    /// A message of the server.
    Message(ToAgent),
}

/// Reason why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server cannot be reached, or its certificate is not valid.
    #[error("{server} cannot be reached: {}", innermost(.cause))]
    Unreachable {
        /// Address of the server.
        server: String,
        /// Failure of the request.
        cause: reqwest::Error,
    },
    /// The server does not know the device.
    #[error(
        "{0} does not know this device any more; pair it again: \"My computers\" in Offhook shows a code"
    )]
    Removed(String),
    /// The answer is not that of an Offhook server.
    #[error(
        "{server} does not answer like Offhook ({status}{detail}); check the address and the versions"
    )]
    Strange {
        /// Address of the server.
        server: String,
        /// Status of the answer.
        status: StatusCode,
        /// Detail of the answer.
        detail: String,
    },
    /// The connection was lost.
    #[error("the connection to {0} was lost ({1}); reconnecting")]
    Lost(String, String),
}

/// Innermost cause of an error, which names the problem of a certificate or a socket.
pub fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Creates the HTTP client.
///
/// # Errors
/// The system's certificates cannot be read.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    let agent = concat!("offhook-agent/", env!("CARGO_PKG_VERSION"));
    reqwest::Client::builder()
        .user_agent(agent)
        .http1_only()
        .connect_timeout(REQUEST_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// Profile that the person chooses; `None`: back to automatic.
pub type Choice = Option<String>;

/// Connects and reconnects. Sends each report from `reports` and each choice, and passes the server's messages to `events`.
pub async fn run(
    client: reqwest::Client,
    credentials: Credentials,
    mut reports: watch::Receiver<Report>,
    mut choices: Receiver<Choice>,
    events: Sender<ServerEvent>,
) {
    let Some(token) = secret(&credentials, &events).await else {
        return;
    };
    let mut backoff = Backoff::new(RETRY_INTERVALS.0, RETRY_INTERVALS.1);
    while !events.is_closed() {
        let began = Instant::now();
        let trouble = match open(&client, &credentials.server, &token).await {
            Ok(socket) => {
                let why = exchange(socket, &mut reports, &mut choices, &events).await;
                Trouble::Lost(credentials.server.clone(), why)
            }
            Err(trouble) => trouble,
        };
        if began.elapsed() > RETRY_INTERVALS.1 {
            backoff.reset();
        }
        let wait = match &trouble {
            Trouble::Removed(_) => REMOVED_DEVICE_RETRY,
            _ => backoff.wait(),
        };
        tracing::debug!(%trouble, ?wait, "not connected");
        let _ = events.send(ServerEvent::Lost(trouble.to_string())).await;
        tokio::time::sleep(wait).await;
    }
}

/// Secret of the device, as soon as the keyring returns it; `None` if `events` is closed. Requested once, so that a keyring
/// that is locked later does not ask the person at each reconnection.
async fn secret(credentials: &Credentials, events: &Sender<ServerEvent>) -> Option<String> {
    let mut backoff = Backoff::new(RETRY_INTERVALS.0, RETRY_INTERVALS.1);
    // At the start of a session the keyring may be locked only because no one can be asked yet.
    let mut locked = RETRY_INTERVALS.1;
    while !events.is_closed() {
        let trouble = match token(credentials, events).await {
            Ok(token) => return Some(token),
            Err(trouble) => trouble,
        };
        let wait = match &trouble {
            SecretError::Locked | SecretError::Gone => {
                std::mem::replace(&mut locked, LOCKED_KEYRING_RETRY)
            }
            _ => backoff.wait(),
        };
        tracing::debug!(%trouble, ?wait, "the secret is not available");
        let _ = events.send(ServerEvent::Lost(trouble.to_string())).await;
        tokio::time::sleep(wait).await;
    }
    None
}

/// Secret of the device. A locked keyring asks the person, which may take a while.
async fn token(
    credentials: &Credentials,
    events: &Sender<ServerEvent>,
) -> Result<String, SecretError> {
    let token = credentials.secret.token();
    tokio::pin!(token);
    match tokio::time::timeout(REQUEST_TIMEOUT, &mut token).await {
        Ok(token) => token,
        Err(_) => {
            let _ = events
                .send(ServerEvent::Lost(SecretError::Silent.to_string()))
                .await;
            token.await
        }
    }
}

async fn open(
    client: &reqwest::Client,
    server: &str,
    token: &str,
) -> Result<WebSocketStream<Upgraded>, Trouble> {
    let unreachable = |cause| Trouble::Unreachable {
        server: server.to_owned(),
        cause,
    };
    let key = generate_key();
    let request = client
        .get(format!("{server}{PATH}"))
        .bearer_auth(token)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key)
        .header(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL)
        .send();
    let response = match tokio::time::timeout(REQUEST_TIMEOUT * 2, request).await {
        Ok(response) => response.map_err(unreachable)?,
        Err(_) => {
            let why = "it does not answer".to_owned();
            return Err(Trouble::Lost(server.to_owned(), why));
        }
    };
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED {
        return Err(Trouble::Removed(server.to_owned()));
    }
    let accept = response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
    let is_ours = accept.is_some_and(|accept| *accept == *derive_accept_key(key.as_bytes()));
    if status != StatusCode::SWITCHING_PROTOCOLS || !is_ours {
        return Err(Trouble::Strange {
            server: server.to_owned(),
            status,
            detail: problem::detail(response)
                .await
                .map_or_else(String::new, |detail| format!(": {detail}")),
        });
    }
    let upgraded = response.upgrade().await.map_err(unreachable)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(TABLE_MAX))
        .max_frame_size(Some(TABLE_MAX));
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
}

/// Exchanges messages until the connection ends. Returns the reason.
async fn exchange(
    mut socket: WebSocketStream<Upgraded>,
    reports: &mut watch::Receiver<Report>,
    choices: &mut Receiver<Choice>,
    events: &Sender<ServerEvent>,
) -> String {
    let hello = FromAgent::Hello {
        version: env!("CARGO_PKG_VERSION").into(),
        system: std::env::consts::OS.into(),
    };
    reports.mark_unchanged();
    // Choices made before the reconnection are outdated.
    while choices.try_recv().is_ok() {}
    if let Err(why) = send(&mut socket, &hello).await {
        return why;
    }
    if events.send(ServerEvent::Connected).await.is_err() {
        return "the agent is shutting down".into();
    }
    let mut unanswered = None;
    loop {
        let answer_due = unanswered.map(|(_, at)| at + REQUEST_TIMEOUT);
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => match serde_json::from_str::<ToAgent>(&text) {
                    Ok(ToAgent::Received { number }) => {
                        if unanswered.is_some_and(|(waited, _)| waited <= number) {
                            unanswered = None;
                        }
                    }
                    Ok(message) => if events.send(ServerEvent::Message(message)).await.is_err() {
                        return "the agent is shutting down".into();
                    },
                    // A newer server may send messages that this agent does not know.
                    Err(error) => tracing::debug!(%error, "the server sent an unknown message"),
                },
                Some(Ok(Message::Close(frame))) => {
                    return frame.map_or_else(|| "the server closed the connection".into(), |frame| frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return error.to_string(),
                None => return "the server closed the connection".into(),
            },
            changed = reports.changed() => {
                if changed.is_err() {
                    let _ = socket.close(None).await;
                    return "the agent is shutting down".into();
                }
                let report = reports.borrow_and_update().clone();
                let number = report.number;
                if let Err(why) = send(&mut socket, &FromAgent::Report(report)).await {
                    return why;
                }
                unanswered.get_or_insert((number, Instant::now()));
            }
            Some(profile) = choices.recv() => {
                if let Err(why) = send(&mut socket, &FromAgent::Choose { profile }).await {
                    return why;
                }
            }
            () = sleep_until(answer_due) => return "the server does not answer".into(),
        }
    }
}

async fn send(socket: &mut WebSocketStream<Upgraded>, message: &FromAgent) -> Result<(), String> {
    let text = serde_json::to_string(message).map_err(|error| error.to_string())?;
    match tokio::time::timeout(REQUEST_TIMEOUT, socket.send(Message::text(text))).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => Err("the server accepts no data".into()),
    }
}
