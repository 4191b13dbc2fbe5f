//! The connection to the server: a WebSocket over HTTP, so that the system's proxy and its certificates are used as for any
//! web page. It comes back by itself, ever more slowly.

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

/// A server that does not answer for so long is none.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before trying again.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Nobody is asked more often to unlock their keyring.
const LOCKED: Duration = Duration::from_secs(600);
/// A device that was removed is tried again seldom: only a new pairing helps.
const REMOVED: Duration = Duration::from_secs(3600);
/// What an agent reads at once is small.
const BUFFER: usize = 4096;

/// What the connection tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is there: a report is due.
    Connected,
    /// It is not: why, and what to do.
    Lost(String),
    /// The server said something.
    Said(ToAgent),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server cannot be reached, or is not who it says.
    #[error("{server} cannot be reached: {}", innermost(.cause))]
    Unreachable {
        /// Which.
        server: String,
        /// Why.
        cause: reqwest::Error,
    },
    /// The device is not known there.
    #[error(
        "{0} does not know this device any more; pair it again: in Offhook, \"My computers\" shows a code"
    )]
    Removed(String),
    /// Something else answers there.
    #[error(
        "{server} answers, but not as Offhook does ({status}{detail}); check the address, and the versions"
    )]
    Strange {
        /// Which.
        server: String,
        /// What it answered.
        status: StatusCode,
        /// What it says about it.
        detail: String,
    },
    /// It was there.
    #[error("the connection to {0} is lost ({1}); trying again")]
    Lost(String, String),
}

/// The words of a certificate or a socket are the innermost.
pub fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The way to servers over HTTP.
///
/// # Errors
/// The system's certificates cannot be read.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    let agent = concat!("offhook-agent/", env!("CARGO_PKG_VERSION"));
    reqwest::Client::builder()
        .user_agent(agent)
        .http1_only()
        .connect_timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// A profile that the person chooses; none: back to automatic.
pub type Choice = Option<String>;

/// Connects for ever. Sends each report that is put into `reports` and each choice, and tells what it hears.
pub async fn run(
    client: reqwest::Client,
    credentials: Credentials,
    mut reports: watch::Receiver<Report>,
    mut choices: Receiver<Choice>,
    heard: Sender<Heard>,
) {
    let Some(token) = secret(&credentials, &heard).await else {
        return;
    };
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    while !heard.is_closed() {
        let began = Instant::now();
        let trouble = match open(&client, &credentials.server, &token).await {
            Ok(socket) => {
                let why = talk(socket, &mut reports, &mut choices, &heard).await;
                Trouble::Lost(credentials.server.clone(), why)
            }
            Err(trouble) => trouble,
        };
        if began.elapsed() > RETRY.1 {
            backoff.reset();
        }
        let wait = match &trouble {
            Trouble::Removed(_) => REMOVED,
            _ => backoff.wait(),
        };
        tracing::debug!(%trouble, ?wait, "there is no connection");
        let _ = heard.send(Heard::Lost(trouble.to_string())).await;
        tokio::time::sleep(wait).await;
    }
}

/// The device's secret, as soon as it can be had; `None`: nobody wants it any more. It is asked for once: who locks their
/// keyring afterwards is not asked at each connection.
async fn secret(credentials: &Credentials, heard: &Sender<Heard>) -> Option<String> {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    // Early in a session it may be locked only because nobody can be asked yet.
    let mut locked = RETRY.1;
    while !heard.is_closed() {
        let trouble = match token(credentials, heard).await {
            Ok(token) => return Some(token),
            Err(trouble) => trouble,
        };
        let wait = match &trouble {
            SecretError::Locked | SecretError::Gone => std::mem::replace(&mut locked, LOCKED),
            _ => backoff.wait(),
        };
        tracing::debug!(%trouble, ?wait, "there is no secret");
        let _ = heard.send(Heard::Lost(trouble.to_string())).await;
        tokio::time::sleep(wait).await;
    }
    None
}

/// The device's secret. A keyring that is locked asks the person, who may take a while.
async fn token(credentials: &Credentials, heard: &Sender<Heard>) -> Result<String, SecretError> {
    let token = credentials.secret.token();
    tokio::pin!(token);
    match tokio::time::timeout(PATIENCE, &mut token).await {
        Ok(token) => token,
        Err(_) => {
            let _ = heard
                .send(Heard::Lost(SecretError::Silent.to_string()))
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
    let response = match tokio::time::timeout(PATIENCE * 2, request).await {
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
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(TABLE_MAX))
        .max_frame_size(Some(TABLE_MAX));
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
}

/// Talks until the connection ends, and tells why it did.
async fn talk(
    mut socket: WebSocketStream<Upgraded>,
    reports: &mut watch::Receiver<Report>,
    choices: &mut Receiver<Choice>,
    heard: &Sender<Heard>,
) -> String {
    let hello = FromAgent::Hello {
        version: env!("CARGO_PKG_VERSION").into(),
        system: std::env::consts::OS.into(),
    };
    reports.mark_unchanged();
    // What was chosen before the connection was lost is not what the person wants now.
    while choices.try_recv().is_ok() {}
    if let Err(why) = say(&mut socket, &hello).await {
        return why;
    }
    if heard.send(Heard::Connected).await.is_err() {
        return "the agent ends".into();
    }
    let mut unanswered = None;
    loop {
        let answer_due = unanswered.map(|(_, at)| at + PATIENCE);
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => match serde_json::from_str::<ToAgent>(&text) {
                    Ok(ToAgent::Received { number }) => {
                        if unanswered.is_some_and(|(waited, _)| waited <= number) {
                            unanswered = None;
                        }
                    }
                    Ok(said) => if heard.send(Heard::Said(said)).await.is_err() {
                        return "the agent ends".into();
                    },
                    // A newer server may say more than this agent understands.
                    Err(error) => tracing::debug!(%error, "the server said something that is no message"),
                },
                Some(Ok(Message::Close(frame))) => {
                    return frame.map_or_else(|| "the server closed it".into(), |frame| frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return error.to_string(),
                None => return "the server closed it".into(),
            },
            changed = reports.changed() => {
                if changed.is_err() {
                    let _ = socket.close(None).await;
                    return "the agent ends".into();
                }
                let report = reports.borrow_and_update().clone();
                let number = report.number;
                if let Err(why) = say(&mut socket, &FromAgent::Report(report)).await {
                    return why;
                }
                unanswered.get_or_insert((number, Instant::now()));
            }
            Some(profile) = choices.recv() => {
                if let Err(why) = say(&mut socket, &FromAgent::Choose { profile }).await {
                    return why;
                }
            }
            () = sleep_until(answer_due) => return "the server does not answer".into(),
        }
    }
}

async fn say(socket: &mut WebSocketStream<Upgraded>, what: &FromAgent) -> Result<(), String> {
    let text = serde_json::to_string(what).map_err(|error| error.to_string())?;
    match tokio::time::timeout(PATIENCE, socket.send(Message::text(text))).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => Err("the server takes nothing".into()),
    }
}
