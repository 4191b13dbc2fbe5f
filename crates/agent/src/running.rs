//! Running agent: passes events of the microphone, the server and the person to `agent`, and sends its reports at once
//! after changes and as a heartbeat.

use std::time::Duration;

use agent_protocol::{HEARTBEAT, Profiles, Report, ToAgent, VisibleState};
use tokio::{
    sync::{
        mpsc::{Receiver, Sender, channel},
        watch,
    },
    task::AbortHandle,
    time::Instant,
};

use crate::{
    agent::Agent,
    attention,
    clock::{milliseconds, sleep_until, wall_clock},
    connection::{self, Choice, ServerEvent},
    control::{PendingRequest, Request, Status},
    files::{FileError, Files, Pause},
    microphone::{Event, MicrophoneUse},
    usage::Milliseconds,
};

/// Capacity of the queues of events.
const QUEUE_MAX: usize = 64;
/// Capacity of the queue of choices to send.
const CHOICES_MAX: usize = 4;
/// Time for which a refused choice is shown.
const REFUSAL_SHOWN_FOR: Duration = Duration::from_secs(60);

/// Running agent of one user.
pub struct Running {
    files: Files,
    client: reqwest::Client,
    began: Instant,
    agent: Agent,
    pause: Pause,
    /// Reason and time of the refusal of the last choice.
    refused: Option<(String, Instant)>,
    status: Status,
    reports: watch::Sender<Report>,
    events: Sender<ServerEvent>,
    connection: Option<AbortHandle>,
    choices: Sender<Choice>,
    statuses: watch::Sender<Status>,
    heartbeat: Instant,
}

impl Running {
    /// Creates the agent, and connects if the device is paired.
    ///
    /// # Errors
    /// The stored pairing cannot be read.
    pub fn new(
        files: Files,
        client: reqwest::Client,
    ) -> Result<(Self, Receiver<ServerEvent>), FileError> {
        let (events, server_events) = channel(QUEUE_MAX);
        let mut running = Self {
            files,
            client,
            began: Instant::now(),
            agent: Agent::default(),
            pause: Pause::default(),
            refused: None,
            status: Status::default(),
            reports: watch::Sender::new(Report::default()),
            events,
            connection: None,
            choices: channel(1).0,
            statuses: watch::Sender::new(Status::default()),
            heartbeat: Instant::now(),
        };
        running.pause = running.files.pause();
        running.agent.pause(running.pause.left(wall_clock()), 0);
        running.connect()?;
        Ok((running, server_events))
    }

    /// Connects to the server of the current pairing only.
    fn connect(&mut self) -> Result<(), FileError> {
        if let Some(connection) = self.connection.take() {
            connection.abort();
        }
        self.disconnected("connecting".into());
        let credentials = self.files.credentials()?;
        let Some(credentials) = credentials else {
            self.status.person.clear();
            self.status.server.clear();
            let what = "this device is not paired; in Offhook, \"My computers\" shows how";
            self.status.trouble = Some(what.into());
            return Ok(());
        };
        self.status.person.clone_from(&credentials.person);
        self.status.server.clone_from(&credentials.server);
        let (client, events) = (self.client.clone(), self.events.clone());
        let (choices, chosen) = channel(CHOICES_MAX);
        self.choices = choices;
        let reports = self.reports.subscribe();
        let run = connection::run(client, credentials, reports, chosen, events);
        self.connection = Some(tokio::spawn(run).abort_handle());
        Ok(())
    }

    /// Runs until all senders of requests are dropped.
    pub async fn run(
        mut self,
        microphone: Box<dyn MicrophoneUse>,
        mut server_events: Receiver<ServerEvent>,
        mut requests: Receiver<PendingRequest>,
    ) {
        let (events, mut microphone_events) = channel(QUEUE_MAX);
        microphone.watch(events);
        let (attention_events, mut attention) = channel(QUEUE_MAX);
        tokio::spawn(attention::watch(attention_events, self.reports.subscribe()));
        let mut summary = self.agent.summary(self.now());
        self.publish_status();
        loop {
            let wake = self.wake();
            tokio::select! {
                Some(event) = microphone_events.recv() => self.on_microphone_event(event),
                Some(state) = attention.recv() => self.agent.set_attention(state, self.now()),
                Some(event) = server_events.recv() => self.on_server_event(event),
                request = requests.recv() => match request {
                    Some((request, answer)) => {
                        self.on_request(request);
                        let _ = answer.send(self.describe());
                    }
                    None => return,
                },
                () = sleep_until(wake) => {}
            }
            self.pass_time();
            self.publish_status();
            let is = self.agent.summary(self.now());
            let is_due = self.status.connected && Instant::now() >= self.heartbeat;
            if is != summary || is_due {
                summary = is;
                self.report();
            }
        }
    }

    /// Statuses of the agent, sent after changes.
    pub fn statuses(&self) -> watch::Receiver<Status> {
        self.statuses.subscribe()
    }

    fn publish_status(&self) {
        let status = self.describe();
        self.statuses.send_if_modified(|before| {
            let is_other = *before != status;
            *before = status;
            is_other
        });
    }

    fn now(&self) -> Milliseconds {
        milliseconds(self.began.elapsed())
    }

    /// Next time to act without an event.
    fn wake(&self) -> Option<Instant> {
        let deadline = self.agent.deadline(self.now());
        let deadline = deadline.map(|at| self.began + Duration::from_millis(at));
        let heartbeat = self.status.connected.then_some(self.heartbeat);
        let refusal = self
            .refused
            .as_ref()
            .map(|(_, since)| *since + REFUSAL_SHOWN_FOR);
        let all = deadline.into_iter().chain(heartbeat).chain(refusal);
        all.min()
    }

    /// Ends the display of a refusal, and a pause that has ended by the time of day.
    fn pass_time(&mut self) {
        self.refused
            .take_if(|(_, since)| since.elapsed() >= REFUSAL_SHOWN_FOR);
        let left = self.pause.left(wall_clock());
        self.agent.shorten_pause(left, self.now());
    }

    fn refuse(&mut self, why: String) {
        self.refused = Some((why, Instant::now()));
    }

    fn report(&mut self) {
        let report = self.agent.report(self.now());
        tracing::debug!(?report, "reporting");
        self.reports.send_replace(report);
        self.heartbeat = Instant::now() + HEARTBEAT;
    }

    fn on_microphone_event(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Captures(captures) => {
                self.status.microphone_trouble = None;
                self.agent.set_captures(captures, now);
            }
            Event::Lost(trouble) => {
                self.status.microphone_trouble = Some(trouble);
                self.agent.set_captures(Vec::new(), now);
            }
        }
    }

    fn on_server_event(&mut self, event: ServerEvent) {
        let now = self.now();
        match event {
            ServerEvent::Connected => {
                self.status.connected = true;
                self.status.trouble = None;
                self.report();
            }
            ServerEvent::Lost(trouble) => {
                tracing::info!(trouble, "not connected");
                self.disconnected(trouble);
            }
            ServerEvent::Message(ToAgent::Table(table)) => self.agent.set_table(table, now),
            ServerEvent::Message(ToAgent::Presence(shown)) => self.agent.set_shown(shown),
            ServerEvent::Message(ToAgent::Profiles(profiles)) => {
                self.refused = None;
                self.agent.set_profiles(profiles);
            }
            ServerEvent::Message(ToAgent::Refused { detail }) => self.refuse(detail),
            ServerEvent::Message(ToAgent::Pause { milliseconds }) => self.pause(milliseconds),
            ServerEvent::Message(ToAgent::Received { .. }) => {}
        }
    }

    /// Clears the values of the server, which may be outdated.
    fn disconnected(&mut self, trouble: String) {
        self.status.connected = false;
        self.status.trouble = Some(trouble);
        self.refused = None;
        self.agent.set_shown(VisibleState::default());
        self.agent.set_profiles(Profiles::default());
    }

    fn on_request(&mut self, request: Request) {
        match request {
            Request::Status => {}
            Request::Pause(milliseconds) => self.pause(milliseconds),
            Request::Choose(profile) => self.choose(profile),
            Request::Reload => {
                if let Err(error) = self.connect() {
                    self.status.trouble = Some(error.to_string());
                }
            }
        }
    }

    fn pause(&mut self, lasting: Milliseconds) {
        self.agent.pause(lasting, self.now());
        self.pause = Pause {
            since: wall_clock(),
            lasting,
        };
        if let Err(error) = self.files.set_pause(self.pause) {
            tracing::warn!(%error, "the pause could not be stored and ends at a restart");
        }
    }

    fn choose(&mut self, profile: Choice) {
        self.refused = None;
        if !self.status.connected {
            self.refuse("the agent is not connected".into());
        } else if self.choices.try_send(profile).is_err() {
            self.refuse("the previous choice has not been sent yet; try again".into());
        }
    }

    fn describe(&self) -> Status {
        Status {
            described: self.agent.details(self.now()),
            refused: self.refused.as_ref().map(|(why, _)| why.clone()),
            ..self.status.clone()
        }
    }
}
