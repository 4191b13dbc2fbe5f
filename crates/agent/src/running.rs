//! The running agent: what the microphone, the server and the person say goes into `agent`, and what comes of it is
//! reported: at once when it changes, and as a heartbeat.

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
    connection::{self, Choice, Heard},
    control::{Asked, Request, Status},
    files::{FileError, Files, Pause},
    microphone::{Event, MicrophoneUse},
    usage::Milliseconds,
};

/// Events that wait while one is taken in.
const WAITING: usize = 64;
/// Choices that wait to be sent.
const CHOICES: usize = 4;
/// For how long the person is told that a choice was refused.
const REFUSAL: Duration = Duration::from_secs(60);

/// The agent of one user.
pub struct Running {
    files: Files,
    client: reqwest::Client,
    began: Instant,
    agent: Agent,
    pause: Pause,
    /// Why the choice made last is not in force, and since when that is told.
    refused: Option<(String, Instant)>,
    status: Status,
    reports: watch::Sender<Report>,
    heard: Sender<Heard>,
    connection: Option<AbortHandle>,
    choices: Sender<Choice>,
    looks: watch::Sender<Status>,
    heartbeat: Instant,
}

impl Running {
    /// Begins to connect, if the device is paired.
    ///
    /// # Errors
    /// What is kept cannot be read.
    pub fn new(
        files: Files,
        client: reqwest::Client,
    ) -> Result<(Self, Receiver<Heard>), FileError> {
        let (heard, hearing) = channel(WAITING);
        let mut running = Self {
            files,
            client,
            began: Instant::now(),
            agent: Agent::default(),
            pause: Pause::default(),
            refused: None,
            status: Status::default(),
            reports: watch::Sender::new(Report::default()),
            heard,
            connection: None,
            choices: channel(1).0,
            looks: watch::Sender::new(Status::default()),
            heartbeat: Instant::now(),
        };
        running.pause = running.files.pause();
        running.agent.pause(running.pause.left(wall_clock()), 0);
        running.connect()?;
        Ok((running, hearing))
    }

    /// Connects to where the device is paired now, and nowhere else.
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
        let (client, heard) = (self.client.clone(), self.heard.clone());
        let (choices, chosen) = channel(CHOICES);
        self.choices = choices;
        let reports = self.reports.subscribe();
        let run = connection::run(client, credentials, reports, chosen, heard);
        self.connection = Some(tokio::spawn(run).abort_handle());
        Ok(())
    }

    /// Runs until nobody asks any more.
    pub async fn run(
        mut self,
        microphone: Box<dyn MicrophoneUse>,
        mut hearing: Receiver<Heard>,
        mut asked: Receiver<Asked>,
    ) {
        let (events, mut microphone_events) = channel(WAITING);
        microphone.watch(events);
        let (told, mut attention) = channel(WAITING);
        tokio::spawn(attention::watch(told, self.reports.subscribe()));
        let mut gist = self.agent.gist(self.now());
        self.look();
        loop {
            let wake = self.wake();
            tokio::select! {
                Some(event) = microphone_events.recv() => self.see(event),
                Some(told) = attention.recv() => self.agent.set_attention(told, self.now()),
                Some(heard) = hearing.recv() => self.hear(heard),
                question = asked.recv() => match question {
                    Some((request, answer)) => {
                        self.told(request);
                        let _ = answer.send(self.describe());
                    }
                    None => return,
                },
                () = sleep_until(wake) => {}
            }
            self.pass_time();
            self.look();
            let is = self.agent.gist(self.now());
            let is_due = self.status.connected && Instant::now() >= self.heartbeat;
            if is != gist || is_due {
                gist = is;
                self.report();
            }
        }
    }

    /// How it is, whenever that changes.
    pub fn statuses(&self) -> watch::Receiver<Status> {
        self.looks.subscribe()
    }

    fn look(&self) {
        let status = self.describe();
        self.looks.send_if_modified(|before| {
            let is_other = *before != status;
            *before = status;
            is_other
        });
    }

    fn now(&self) -> Milliseconds {
        milliseconds(self.began.elapsed())
    }

    /// When something is to be done although nothing happens.
    fn wake(&self) -> Option<Instant> {
        let deadline = self.agent.deadline(self.now());
        let deadline = deadline.map(|at| self.began + Duration::from_millis(at));
        let heartbeat = self.status.connected.then_some(self.heartbeat);
        let refusal = self.refused.as_ref().map(|(_, since)| *since + REFUSAL);
        let all = deadline.into_iter().chain(heartbeat).chain(refusal);
        all.min()
    }

    /// What ends with time alone.
    fn pass_time(&mut self) {
        self.refused
            .take_if(|(_, since)| since.elapsed() >= REFUSAL);
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

    fn see(&mut self, event: Event) {
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

    fn hear(&mut self, heard: Heard) {
        let now = self.now();
        match heard {
            Heard::Connected => {
                self.status.connected = true;
                self.status.trouble = None;
                self.report();
            }
            Heard::Lost(trouble) => {
                tracing::info!(trouble, "not connected");
                self.disconnected(trouble);
            }
            Heard::Said(ToAgent::Table(table)) => self.agent.set_table(table, now),
            Heard::Said(ToAgent::Presence(shown)) => self.agent.set_shown(shown),
            Heard::Said(ToAgent::Profiles(profiles)) => {
                self.refused = None;
                self.agent.set_profiles(profiles);
            }
            Heard::Said(ToAgent::Refused { detail }) => self.refuse(detail),
            Heard::Said(ToAgent::Pause { milliseconds }) => self.pause(milliseconds),
            Heard::Said(ToAgent::Received { .. }) => {}
        }
    }

    /// What the server said of the person may be otherwise by now.
    fn disconnected(&mut self, trouble: String) {
        self.status.connected = false;
        self.status.trouble = Some(trouble);
        self.refused = None;
        self.agent.set_shown(VisibleState::default());
        self.agent.set_profiles(Profiles::default());
    }

    fn told(&mut self, request: Request) {
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
            tracing::warn!(%error, "a restart will not remember the pause");
        }
    }

    fn choose(&mut self, profile: Choice) {
        self.refused = None;
        if !self.status.connected {
            self.refuse("the agent is not connected".into());
        } else if self.choices.try_send(profile).is_err() {
            self.refuse("the choice before is still on its way".into());
        }
    }

    fn describe(&self) -> Status {
        Status {
            described: self.agent.described(self.now()),
            refused: self.refused.as_ref().map(|(why, _)| why.clone()),
            ..self.status.clone()
        }
    }
}
