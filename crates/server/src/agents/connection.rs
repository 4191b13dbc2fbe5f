//! One agent's connection, from the request to its end.

use std::{pin::Pin, time::Duration};

use agent_protocol::{
    Attention, FromAgent, LEASE, PROGRAMS_MAX, Profile, Profiles, REPORT_MAX, Report, SUBPROTOCOL,
    Table, ToAgent, VisibleState,
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use presence::{ClientState, Fact, Input, PersonId, Relationship, view};
use tokio::{sync::watch, time::Instant};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message, Utf8Bytes,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{Order, Seat, table};
use crate::{
    access::bearer,
    api::choice,
    app::Shared,
    caller::Caller,
    clients,
    connections::Connection,
    metrics::Counted,
    pace::Pace,
    problem::Problem,
    secrets::hash,
    shard::Cause,
    sign_in_record::{Outcome, Way},
};

/// An agent that says nothing for so long is gone: its report has run out by then.
const SILENCE: Duration = LEASE;
/// Messages at once, and then so many a second: a program that starts and stops makes two.
const BURST: f64 = 40.0;
const PER_SECOND: f64 = 4.0;
/// Most agents say little: a large buffer for each would take most of the memory.
const BUFFER: usize = 1024;
/// An agent that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer is no version.
const VERSION_MAX: usize = 60;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// `GET /agent/v1`: an agent connects.
pub(crate) async fn connect(
    State(shared): State<Shared>,
    mut request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let token = bearer(headers).ok_or_else(no_device)?;
    let device = shared.store.device_by_hash(&hash(token)).await?;
    let Some(device) = device else {
        let (way, outcome) = (Way::Agent.name(), Outcome::Wrong.name());
        shared.metrics.count_sign_in(way, outcome);
        return Err(no_device());
    };
    let key = websocket_key(headers)?;
    if let Some(connection) = request.extensions().get::<Connection>() {
        connection.is_known();
    }
    let upgrade = request
        .extensions_mut()
        .remove::<OnUpgrade>()
        .ok_or_else(|| Problem::malformed("this connection cannot become a WebSocket"))?;
    tokio::spawn(async move {
        let upgraded = match upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => {
                tracing::debug!(%error, "an agent went away while it connected");
                return;
            }
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(REPORT_MAX))
            .max_frame_size(Some(REPORT_MAX));
        let socket = Socket::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config));
        serve(shared, &device.id, device.person, socket.await).await;
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
    let accept = accept.map_err(|error| Problem::malformed(error.to_string()))?;
    let answers = response.headers_mut();
    answers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    answers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    answers.insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    Ok(response)
}

fn no_device() -> Problem {
    Problem::with_status(
        StatusCode::UNAUTHORIZED,
        "this device is not known here, or was removed; pair it again: Offhook shows a code under \"My computers\"".into(),
    )
}

/// The key of a WebSocket handshake (RFC 6455, 4.2.1) that asks for a version that is spoken here.
fn websocket_key(headers: &HeaderMap) -> Result<String, Problem> {
    let has = |name, wanted: &str| {
        let values = headers.get_all(name).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(wanted))
    };
    if !has(header::UPGRADE, "websocket") || !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(Problem::malformed(
            "agents connect here by WebSocket (RFC 6455, version 13)",
        ));
    }
    if !has(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err(Problem::malformed(format!(
            "this server speaks {SUBPROTOCOL} only; update whichever of agent and server is older"
        )));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY);
    let key = key.and_then(|key| key.to_str().ok());
    let missing = || Problem::malformed("the header Sec-WebSocket-Key is missing");
    key.map(str::to_owned).ok_or_else(missing)
}

async fn serve(shared: Shared, device: &str, person: PersonId, mut socket: Socket) {
    let _counted = Counted::new(&shared.metrics.agents);
    let seat = shared.agents.sit(device, person, shared.clock.now());
    // A device that was removed while it connected has no seat that anybody could end.
    let known = shared.store.devices(person).await.unwrap_or_default();
    if !known.iter().any(|known| known.id == device) {
        return;
    }
    let client = seat.client;
    let mut talk = Talk {
        table: Table::default(),
        shown: VisibleState::default(),
        profiles: Profiles::default(),
        report: Report::default(),
        began: Instant::now(),
        left: Pace::new(BURST, PER_SECOND),
        tables: shared.agents.0.tables.subscribe(),
        stopping: shared.stopping.clone(),
        core: shared.clone(),
        seat,
    };
    let why = talk.run(&mut socket).await;
    let ended = Input::Person(person, Fact::ClientEnded(client));
    shared.shard.input(ended, Cause::Other).await;
    tracing::debug!(%person, device, why, "an agent's connection has ended");
    let frame = CloseFrame {
        code: CloseCode::Normal,
        reason: Utf8Bytes::from_static(why),
    };
    let _ = tokio::time::timeout(PATIENCE, socket.close(Some(frame))).await;
}

/// The talk with one agent.
struct Talk {
    seat: Seat,
    core: Shared,
    /// As the agent knows it.
    table: Table,
    /// As the agent knows it.
    shown: VisibleState,
    /// As the agent knows them.
    profiles: Profiles,
    /// The last one.
    report: Report,
    /// Since when it talks.
    began: Instant,
    /// Messages that it may still send.
    left: Pace<()>,
    tables: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
}

impl Talk {
    /// Until it ends, and why.
    async fn run(&mut self, socket: &mut Socket) -> &'static str {
        if !(self.tell_table(socket).await && self.tell_presence(socket).await) {
            return "it went away";
        }
        let mut silent_at: Pin<Box<_>> = Box::pin(tokio::time::sleep(SILENCE));
        loop {
            let goes_on = tokio::select! {
                message = socket.next() => {
                    silent_at.as_mut().reset(Instant::now() + SILENCE);
                    match message {
                        Some(Ok(Message::Text(text))) => match self.hear(&text, socket).await {
                            Ok(goes_on) => goes_on,
                            Err(why) => return why,
                        },
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => match self.take() {
                            true => true,
                            false => return TOO_FAST,
                        },
                        Some(Ok(_)) => return "it said something else than text",
                        Some(Err(_)) | None => false,
                    }
                }
                order = self.seat.orders.recv() => match order {
                    Some(Order::End(why)) => return why,
                    Some(Order::Pause(lasting)) => {
                        let milliseconds = u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX);
                        say(socket, &ToAgent::Pause { milliseconds }).await
                    }
                    Some(Order::Refresh) => self.tell_settings(socket).await,
                    None => return "the server is stopping",
                },
                () = self.seat.look.notified() => self.tell_presence(socket).await,
                changed = self.tables.changed() => match changed {
                    Ok(()) => self.tell_settings(socket).await,
                    Err(_) => return "the server is stopping",
                },
                _ = self.stopping.changed() => return "the server is stopping",
                () = &mut silent_at => return "it was silent for too long",
            };
            if !goes_on {
                return "it went away";
            }
        }
    }

    /// Takes in a message, and answers it; whether the agent is still there.
    async fn hear(&mut self, text: &str, socket: &mut Socket) -> Result<bool, &'static str> {
        if !self.take() {
            return Err(TOO_FAST);
        }
        let said: FromAgent = serde_json::from_str(text).map_err(|error| {
            tracing::warn!(person = %self.seat.person, %error, "an agent said something that is no message");
            "it said something that is no message"
        })?;
        match said {
            FromAgent::Hello { version, .. } => {
                let version: String = version.chars().take(VERSION_MAX).collect();
                self.seat.tell(|told| told.version = version);
                Ok(true)
            }
            FromAgent::Report(report) if report.programs.len() > PROGRAMS_MAX => {
                Err("it reported too many programs")
            }
            FromAgent::Report(report) => {
                let number = report.number;
                self.report = report;
                self.put_in_force().await;
                Ok(say(socket, &ToAgent::Received { number }).await)
            }
            FromAgent::Choose { profile } => {
                let refused = self.choose(profile).await.err();
                // First what there is: a refusal is about that.
                let told = self.tell_choice(socket).await;
                match refused.map(|problem| problem.parts().1) {
                    Some(detail) if told => Ok(say(socket, &ToAgent::Refused { detail }).await),
                    _ => Ok(told),
                }
            }
        }
    }

    /// The person chooses a profile, or goes back to automatic.
    async fn choose(&self, profile: Option<String>) -> Result<(), Problem> {
        let person = self.core.directory.person(self.seat.person);
        let person = person.ok_or_else(no_device)?;
        let caller = Caller::agent(&person);
        match profile {
            Some(name) => choice::put(&self.core, &caller, person.id, &name, None).await,
            None => choice::end_choice(&self.core, &caller, person.id).await,
        }
    }

    /// What the agent reported holds from now on.
    async fn put_in_force(&self) {
        let now = self.core.clock.now();
        let counted = table::counted(&self.table, &self.report, now);
        let attention = Duration::from_millis(self.report.attention_milliseconds);
        let paused = self.report.paused_milliseconds.map(Duration::from_millis);
        self.seat.tell(|told| {
            told.programs = counted.iter().map(|(alias, _)| alias.clone()).collect();
            told.paused_until = paused.map(|paused| now + paused);
        });
        let client = self.seat.client;
        let state = match self.report.attention {
            Attention::Active => ClientState::Active,
            Attention::Idle => ClientState::Inactive,
            Attention::Locked => ClientState::Locked,
            Attention::Unknown => ClientState::Unknown,
        };
        let programs = counted
            .into_iter()
            .map(|(alias, since)| (alias.into(), since));
        let facts = [
            Fact::Client {
                client,
                state,
                since: now - attention,
                until: now + clients::LEASE,
            },
            Fact::Programs {
                client,
                programs: programs.collect(),
                until: now + LEASE,
            },
        ];
        let inputs = facts.map(|fact| Input::Person(self.seat.person, fact));
        self.core.shard.inputs(inputs.into(), Cause::Other).await;
    }

    /// Sends what to look for and which profiles there are, where that is something else than before.
    async fn tell_settings(&mut self, socket: &mut Socket) -> bool {
        let chosen = self.profiles.chosen.clone();
        self.tell_table(socket).await && self.tell_profiles(chosen, socket).await
    }

    /// Tells what to look for, if that is something else than before.
    async fn tell_table(&mut self, socket: &mut Socket) -> bool {
        let person = self.seat.person;
        let table = self
            .core
            .organisation
            .read(|tables| table::table(tables, person));
        if table == self.table {
            return true;
        }
        let is_first = self.report == Report::default();
        self.table = table;
        if !is_first {
            // What is not in it any more must not be shown until the agent says so itself.
            self.put_in_force().await;
        }
        say(socket, &ToAgent::Table(self.table.clone())).await
    }

    /// Tells what the person may choose and has chosen, if that is something else than before.
    async fn tell_choice(&mut self, socket: &mut Socket) -> bool {
        let choice = self.core.shard.choice(self.seat.person).await;
        let chosen = choice.map(|choice| choice.profile.to_string());
        self.tell_profiles(chosen, socket).await
    }

    /// The same where the choice is known. All agents look when tables change: the engine is not asked then.
    async fn tell_profiles(&mut self, chosen: Option<String>, socket: &mut Socket) -> bool {
        let person = self.seat.person;
        let mine = self
            .core
            .organisation
            .read(|tables| tables.my_profiles(person));
        let active = mine.iter().filter(|profile| profile.is_usable());
        let items = active.map(|profile| Profile {
            name: profile.name.to_string(),
            status: profile.status.name().to_owned(),
        });
        let profiles = Profiles {
            items: items.collect(),
            chosen,
        };
        if profiles == self.profiles {
            return true;
        }
        self.profiles = profiles;
        say(socket, &ToAgent::Profiles(self.profiles.clone())).await
    }

    /// What may be another when a person's presence is.
    async fn tell_presence(&mut self, socket: &mut Socket) -> bool {
        self.tell_shown(socket).await && self.tell_choice(socket).await
    }

    /// Tells how the person is shown, if that is something else than before.
    async fn tell_shown(&mut self, socket: &mut Socket) -> bool {
        let Some(presence) = self.core.events.presence(self.seat.person) else {
            return true;
        };
        let view = view(&presence, Relationship::AssistantPlus);
        let activity = view.activity.as_ref();
        let shown = VisibleState {
            status: view.status.name().to_owned(),
            activity: activity.map_or_else(String::new, |activity| activity.label().to_owned()),
            profile: view.profile.as_deref().unwrap_or_default().to_owned(),
        };
        if shown == self.shown {
            return true;
        }
        self.shown = shown;
        say(socket, &ToAgent::Presence(self.shown.clone())).await
    }

    /// Takes one of the messages that the agent may send.
    fn take(&mut self) -> bool {
        self.left.take(self.began.elapsed(), (), 1.0)
    }
}

const TOO_FAST: &str = "it said too much at once";

/// Says something; whether it could be said.
async fn say(socket: &mut Socket, what: &ToAgent) -> bool {
    let Ok(text) = serde_json::to_string(what) else {
        return false;
    };
    let sent = tokio::time::timeout(PATIENCE, socket.send(Message::text(text)));
    matches!(sent.await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut HeaderMap)) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "offhook.agent.2, offhook.agent.1"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        change(&mut headers);
        websocket_key(&headers)
            .err()
            .map(|problem| problem.parts().1)
    }

    #[test]
    fn an_agent_of_another_version_is_told_what_to_do() {
        assert_eq!(refusal(|_| ()), None);
        let newer = |headers: &mut HeaderMap| {
            headers.insert("sec-websocket-protocol", "offhook.agent.2".parse().unwrap());
        };
        assert!(refusal(newer).unwrap().contains("update"));
        let without = |name: &'static str| refusal(move |headers| drop(headers.remove(name)));
        for name in ["upgrade", "sec-websocket-version", "sec-websocket-key"] {
            assert!(without(name).is_some(), "{name}");
        }
    }
}
