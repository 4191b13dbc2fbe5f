//! The connection of one agent, from the WebSocket handshake to its end.

use std::{pin::Pin, sync::Arc, time::Duration};

use agent_protocol::{
    Attention, FromAgent, LEASE, PROGRAMS_MAX, Profile, Profiles, REPORT_MAX, Report, Table,
    ToAgent, VisibleState,
};
use futures_util::{SinkExt, StreamExt};
use presence::{ClientState, Fact, Input, PersonId, PersonPolicy, Relationship, view};
use runtime::{
    clients, context::Context, engine_handle::Cause, metrics::Counted, rate_limit::RateLimit,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::Instant,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message, Utf8Bytes,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{AgentSession, Agents, EndReason, Order, table};

/// Time without a message after which an agent is gone: its last report has expired by then.
const SILENCE_MAX: Duration = LEASE;
/// Messages that an agent may send at once, and then per second. A program that starts and stops makes two.
const BURST: f64 = 40.0;
const PER_SECOND: f64 = 4.0;
/// Read buffer of a connection, in bytes: agents send little, and larger buffers would take most of the memory.
const READ_BUFFER: usize = 1024;
/// Time for an agent to accept a message.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Characters of an agent's version that are kept.
const VERSION_MAX: usize = 60;

/// Reasons for closing a connection, as the agent receives them.
const GONE: &str = "it went away";
const STOPPING: &str = "the server is stopping";
const TOO_FAST: &str = "it sent too many messages at once";

/// Chooses profiles for people at their agents, with the checks and the audit entry of a choice made elsewhere.
pub trait ProfileChooser: Send + 'static {
    /// Chooses one of the person's profiles by name, or goes back to the automatic profile (`None`).
    ///
    /// # Errors
    /// The refusal, in words for the person.
    fn choose(
        &self,
        person: PersonId,
        profile: Option<String>,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

impl Agents {
    /// Serves the agent of a device on a connection after its WebSocket handshake (RFC 6455), until either side ends it.
    pub async fn serve<S>(
        &self,
        context: Context,
        chooser: impl ProfileChooser,
        stopping: watch::Receiver<bool>,
        (device, person): (&str, PersonId),
        stream: S,
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let _counted = Counted::new(&context.metrics.agents);
        let session = self.begin(device, person, context.clock.now());
        // A device that was removed while it connected was not in the table, so that nothing could end its connection.
        let known = context.store.devices(person).await.unwrap_or_default();
        if !known.iter().any(|known| known.id.as_str() == device) {
            return;
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(REPORT_MAX))
            .max_frame_size(Some(REPORT_MAX));
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        let mut connection = AgentConnection {
            table: Table::default(),
            shown: VisibleState::default(),
            policy: None,
            profiles: Profiles::default(),
            report: Report::default(),
            began: Instant::now(),
            messages: RateLimit::new(BURST, PER_SECOND),
            settings: self.0.settings.subscribe(),
            stopping,
            chooser,
            session,
            socket,
            context,
        };
        let reason = connection.run().await;
        connection.close(reason).await;
    }
}

/// Waits until the connection must be closed; returns the reason.
pub(super) async fn end_reason(end: &mut watch::Receiver<Option<EndReason>>) -> EndReason {
    match end.wait_for(Option::is_some).await {
        Ok(reason) => reason.unwrap_or(STOPPING),
        Err(_) => STOPPING,
    }
}

/// The connection of one agent.
struct AgentConnection<S, C> {
    session: AgentSession,
    socket: WebSocketStream<S>,
    chooser: C,
    context: Context,
    /// The programs to watch, as last sent.
    table: Table,
    /// The person's presence, as last sent.
    shown: VisibleState,
    /// The policy that the profiles were last taken from.
    policy: Option<Arc<PersonPolicy>>,
    /// The profiles and the choice, as last sent.
    profiles: Profiles,
    /// The agent's last report.
    report: Report,
    began: Instant,
    /// Messages that the agent may still send.
    messages: RateLimit<()>,
    settings: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin, C: ProfileChooser> AgentConnection<S, C> {
    /// Serves the agent until the connection ends; returns the reason.
    async fn run(&mut self) -> &'static str {
        if !(self.send_table().await && self.send_presence_and_choice().await) {
            return GONE;
        }
        let mut silent_at: Pin<Box<_>> = Box::pin(tokio::time::sleep(SILENCE_MAX));
        loop {
            let is_sent = tokio::select! {
                message = self.socket.next() => {
                    silent_at.as_mut().reset(Instant::now() + SILENCE_MAX);
                    match message {
                        Some(Ok(Message::Text(text))) => match self.on_message(&text).await {
                            Ok(is_sent) => is_sent,
                            Err(reason) => return reason,
                        },
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => match self.may_send() {
                            true => true,
                            false => return TOO_FAST,
                        },
                        Some(Ok(_)) => return "it sent something other than text",
                        Some(Err(_)) | None => false,
                    }
                }
                order = self.session.orders.recv() => match order {
                    Some(Order::Pause(lasting)) => {
                        let milliseconds = u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX);
                        self.send(&ToAgent::Pause { milliseconds }).await
                    }
                    Some(Order::Refresh) => self.send_settings().await,
                    None => return STOPPING,
                },
                reason = end_reason(&mut self.session.end) => return reason,
                () = self.session.presence_changed.notified() => {
                    self.send_presence_and_choice().await
                }
                changed = self.settings.changed() => match changed {
                    Ok(()) => self.send_settings().await,
                    Err(_) => return STOPPING,
                },
                _ = self.stopping.changed() => return STOPPING,
                () = &mut silent_at => return "it was silent for too long",
            };
            if !is_sent {
                return GONE;
            }
        }
    }

    /// Ends the agent's client in the engine and closes the WebSocket.
    async fn close(&mut self, reason: &'static str) {
        let (person, device) = (self.session.person, &self.session.device);
        let ended = Input::Person(person, Fact::ClientEnded(self.session.client));
        self.context.engine.input(ended, Cause::Other).await;
        tracing::debug!(%person, %device, reason, "agent connection closed");
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: Utf8Bytes::from_static(reason),
        };
        let _ = tokio::time::timeout(SEND_TIMEOUT, self.socket.close(Some(frame))).await;
    }

    /// Handles a message and answers it; false if the answer could not be sent.
    ///
    /// # Errors
    /// The reason to close the connection.
    async fn on_message(&mut self, text: &str) -> Result<bool, &'static str> {
        if !self.may_send() {
            return Err(TOO_FAST);
        }
        let message: FromAgent = serde_json::from_str(text).map_err(|error| {
            tracing::warn!(person = %self.session.person, %error, "an agent sent a message that cannot be read");
            "it sent a message that cannot be read"
        })?;
        match message {
            FromAgent::Hello { version, .. } => {
                let version: String = version.chars().take(VERSION_MAX).collect();
                self.session
                    .update_report(|report| report.version = version);
                Ok(true)
            }
            FromAgent::Report(report) if report.programs.len() > PROGRAMS_MAX => {
                Err("it reported too many programs")
            }
            FromAgent::Report(report) => {
                let number = report.number;
                self.report = report;
                self.apply_report().await;
                Ok(self.send(&ToAgent::Received { number }).await)
            }
            FromAgent::Choose { profile } => {
                let refused = self
                    .chooser
                    .choose(self.session.person, profile)
                    .await
                    .err();
                // The profiles first: a refusal is about them.
                let is_sent = self.send_choice().await;
                match refused {
                    Some(detail) if is_sent => Ok(self.send(&ToAgent::Refused { detail }).await),
                    Some(_) | None => Ok(is_sent),
                }
            }
        }
    }

    /// Passes the agent's last report to the engine and to the table of connected agents.
    async fn apply_report(&mut self) {
        let now = self.context.clock.now();
        let counted = table::counted(&self.table, &self.report, now);
        let attention = Duration::from_millis(self.report.attention_milliseconds);
        let paused = self.report.paused_milliseconds.map(Duration::from_millis);
        self.session.update_report(|report| {
            report.programs = counted.iter().map(|(alias, _)| alias.clone()).collect();
            report.paused_until = paused.map(|paused| now + paused);
        });
        let client = self.session.client;
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
        let inputs = facts.map(|fact| Input::Person(self.session.person, fact));
        self.context
            .engine
            .inputs(inputs.into(), Cause::Other)
            .await;
    }

    /// Sends changed programs to watch and changed profiles. The choice is the one that was last sent: a change of settings
    /// concerns all agents, and the engine is not asked once for each.
    async fn send_settings(&mut self) -> bool {
        let chosen = self.profiles.chosen.clone();
        self.send_table().await && self.send_profiles(chosen).await
    }

    /// Sends the programs to watch, if they have changed.
    async fn send_table(&mut self) -> bool {
        let person = self.session.person;
        let organisation = &self.context.organisation;
        let table = organisation.read(|snapshot| table::table(snapshot, person));
        if table == self.table {
            return true;
        }
        let is_first = self.report == Report::default();
        self.table = table;
        if !is_first {
            // A program that is no longer in the table must not be shown until the agent's next report.
            self.apply_report().await;
        }
        self.send(&ToAgent::Table(self.table.clone())).await
    }

    /// Sends the person's profiles and choice, if they have changed.
    async fn send_choice(&mut self) -> bool {
        let choice = self.context.engine.choice(self.session.person).await;
        let chosen = choice.map(|choice| choice.profile.to_string());
        self.send_profiles(chosen).await
    }

    /// Sends the profiles of the person's policy and this choice, if they have changed. Policies are shared and replaced as a
    /// whole: profiles of the same policy are the same.
    async fn send_profiles(&mut self, chosen: Option<String>) -> bool {
        let policy = self.context.organisation.policy(self.session.person);
        let is_same = match (&policy, &self.policy) {
            (Some(policy), Some(sent)) => Arc::ptr_eq(policy, sent),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_same && chosen == self.profiles.chosen {
            return true;
        }
        let items = match is_same {
            true => self.profiles.items.clone(),
            false => policy.as_deref().map_or_else(Vec::new, profiles),
        };
        self.policy = policy;
        let profiles = Profiles { items, chosen };
        if profiles == self.profiles {
            return true;
        }
        self.profiles = profiles;
        self.send(&ToAgent::Profiles(self.profiles.clone())).await
    }

    /// Sends what may have changed with a person's presence.
    async fn send_presence_and_choice(&mut self) -> bool {
        self.send_presence().await && self.send_choice().await
    }

    /// Sends the person's presence, if it has changed.
    async fn send_presence(&mut self) -> bool {
        let Some(presence) = self.context.events.presence(self.session.person) else {
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
        self.send(&ToAgent::Presence(self.shown.clone())).await
    }

    /// Consumes one of the agent's messages; returns false if the agent sends too fast.
    fn may_send(&mut self) -> bool {
        self.messages.take(self.began.elapsed(), (), 1.0)
    }

    /// Sends a message; returns false if the agent does not accept it within [`SEND_TIMEOUT`].
    async fn send(&mut self, message: &ToAgent) -> bool {
        let Ok(text) = serde_json::to_string(message) else {
            return false;
        };
        let sent = tokio::time::timeout(SEND_TIMEOUT, self.socket.send(Message::text(text)));
        matches!(sent.await, Ok(Ok(())))
    }
}

/// The profiles that the person can choose.
fn profiles(policy: &PersonPolicy) -> Vec<Profile> {
    let usable = policy.profiles.iter().filter(|profile| profile.is_usable());
    let profiles = usable.map(|profile| Profile {
        name: profile.name.to_string(),
        status: profile.status.name().to_owned(),
    });
    profiles.collect()
}
