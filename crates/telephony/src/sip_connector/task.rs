//! The connector's task: moves bytes and time between the link, the lines and the owner.

use std::{
    collections::BTreeMap, future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration,
};

use sip::{ids::Ids, message::Message, request::refuse_malformed, subscriber::Account};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use super::{
    SipConnectorConfig,
    lines::Lines,
    link::{self, Link, LinkError},
    long_calls::LongCalls,
    probe::{Probe, ProbeAction},
    publications::Publications,
    reconnect::{ConnectionEnd, NextServer, Reconnect},
    scout,
    stopping::Stopping,
    targets::Rank,
    trouble::TroubleTexts,
};
use crate::phone_system::{Command, Health, LineEvent, Trouble};

mod output;

/// Shortest interval of log lines about lines in trouble.
const LOG_INTERVAL: Duration = Duration::from_secs(5);

/// Size of a read: the longest datagram.
const READ_BYTES: usize = 64 * 1024;

/// Most commands to refresh that are answered later.
const REFRESHES_MAX: usize = 64;

type PendingFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(super) struct Task {
    config: Arc<SipConnectorConfig>,
    words: TroubleTexts,
    ids: Ids,
    started: Instant,
    lines: Lines,
    publications: Publications,
    udp: Option<Arc<UdpSocket>>,
    link: Option<Link>,
    connecting: Option<PendingFuture<Result<Link, LinkError>>>,
    reconnect_at: Duration,
    reconnect: Reconnect,
    /// The number of the next attempt.
    attempt: usize,
    scouting: Option<PendingFuture<bool>>,
    scout_at: Duration,
    account: Option<Arc<Account>>,
    probe: Option<Probe>,
    /// When the phone system first answered on this link.
    answered_at: Option<Duration>,
    trouble: Option<Trouble>,
    events: mpsc::Sender<LineEvent>,
    /// The latest event of each line that did not fit into the owner's channel.
    unsent: BTreeMap<Arc<str>, LineEvent>,
    health: watch::Sender<Health>,
    long_calls: LongCalls,
    /// Earliest time of the next log line about lines.
    notes_at: Duration,
    refreshing: BTreeMap<u64, oneshot::Sender<()>>,
    next_order: u64,
    stopping: Option<Stopping>,
}

impl Task {
    pub(super) fn new(
        config: SipConnectorConfig,
        seed: [u8; 32],
        udp: Option<Arc<UdpSocket>>,
        events: mpsc::Sender<LineEvent>,
        health: watch::Sender<Health>,
    ) -> Self {
        let mut ids = Ids::new(seed);
        let words = TroubleTexts::new(&config);
        Self {
            lines: Lines::new(
                words.clone(),
                config.lists.iter().map(|list| Arc::from(&**list)),
                ids.fork(),
            ),
            publications: Publications::new(words.clone(), ids.fork()),
            words,
            config: Arc::new(config),
            ids,
            started: Instant::now(),
            udp,
            link: None,
            connecting: None,
            reconnect_at: Duration::ZERO,
            reconnect: Reconnect::default(),
            attempt: 0,
            scouting: None,
            scout_at: Duration::ZERO,
            account: None,
            probe: None,
            answered_at: None,
            trouble: None,
            events,
            unsent: BTreeMap::new(),
            health,
            long_calls: LongCalls::default(),
            notes_at: Duration::ZERO,
            refreshing: BTreeMap::new(),
            next_order: 0,
            stopping: None,
        }
    }

    pub(super) async fn run(
        mut self,
        extensions: Vec<Arc<str>>,
        mut commands: mpsc::Receiver<Command>,
    ) {
        let mut buffer = vec![0; READ_BYTES];
        // A handle of its own, so that waiting for room does not borrow the whole task.
        let events = self.events.clone();
        let out = self.lines.change(self.now(), extensions, Vec::new());
        self.carry_out(None, out);
        loop {
            self.elapse();
            self.report();
            if self.is_finished() {
                return self.close().await;
            }
            let wake = self.started + self.next_deadline();
            let (reader, writer) = match &mut self.link {
                Some(link) => (Some(&mut link.reader), Some(&mut link.writer)),
                None => (None, None),
            };
            let has_unsent = writer.as_ref().is_some_and(|w| w.is_waiting());
            tokio::select! {
                command = commands.recv(), if self.stopping.is_none() => match command {
                    Some(command) => self.execute(command),
                    // The owner is gone.
                    None => return,
                },
                received = receive(reader, &mut buffer) => self.on_received(received),
                flushed = flush(writer), if has_unsent => {
                    if let Err(why) = flushed {
                        self.go_down(&why);
                    }
                }
                connected = done(&mut self.connecting) => self.on_connected(connected),
                better = done(&mut self.scouting) => self.on_scouted(better),
                room = events.reserve(), if !self.unsent.is_empty() => {
                    match room {
                        Ok(room) => {
                            if let Some((_, event)) = self.unsent.pop_first() {
                                room.send(event);
                            }
                        }
                        // The receiver of events is gone; the subscriptions must still end.
                        Err(mpsc::error::SendError(())) => self.unsent.clear(),
                    }
                }
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn next_deadline(&self) -> Duration {
        let reconnect =
            (self.link.is_none() && self.connecting.is_none()).then_some(self.reconnect_at);
        let probe = self.probe.as_ref().map(Probe::next_deadline);
        let scouts = self.second_choice().is_some() && self.scouting.is_none();
        let scout = scouts.then_some(self.scout_at);
        let far = self.now() + Duration::from_secs(60);
        let work = [
            self.lines.next_deadline(),
            self.publications.next_deadline(),
        ];
        let stop = self.stopping.as_ref().map(Stopping::deadline);
        let notes = self.lines.has_notes().then_some(self.notes_at);
        [reconnect, probe, scout, stop, notes]
            .into_iter()
            .chain(work)
            .flatten()
            .fold(far, Duration::min)
    }

    /// The rank of the current server, if there are preferred ones.
    fn second_choice(&self) -> Option<Rank> {
        let rank = self.link.as_ref()?.rank;
        (rank > Rank::default()).then_some(rank)
    }

    fn is_finished(&self) -> bool {
        let is_quiet = || {
            self.lines.is_idle()
                && self.publications.is_idle()
                && self.link.as_ref().is_none_or(|l| !l.writer.is_waiting())
        };
        self.stopping
            .is_some_and(|stopping| self.now() >= stopping.deadline() || is_quiet())
    }

    /// Closes the link: no more messages will come.
    async fn close(self) {
        if let Some(link) = self.link {
            link.writer.close().await;
        }
    }

    fn execute(&mut self, command: Command) {
        let now = self.now();
        let out = match command {
            Command::Change { watch, unwatch } => {
                for extension in &unwatch {
                    self.long_calls.forget(extension);
                }
                self.lines.change(now, watch, unwatch)
            }
            Command::Publish(extension, publication) => {
                let sent = self.publications.publish(now, &extension, &publication);
                return self.send_all(sent);
            }
            Command::RefreshAll(done) => {
                self.refreshing.retain(|_, waiting| !waiting.is_closed());
                while self.refreshing.len() >= REFRESHES_MAX {
                    if let Some((oldest, _)) = self.refreshing.pop_first() {
                        self.lines.forget_refresh(oldest);
                    }
                }
                self.next_order += 1;
                self.refreshing.insert(self.next_order, done);
                self.lines.refresh_all(now, self.next_order)
            }
            Command::Stop => {
                self.stopping = Some(Stopping::new(now));
                let sent = self.publications.stop(now);
                self.send_all(sent);
                self.lines.stop(now)
            }
        };
        self.carry_out(None, out);
    }

    fn elapse(&mut self) {
        let now = self.now();
        if self.link.is_none()
            && self.connecting.is_none()
            && now >= self.reconnect_at
            && self.stopping.is_none()
        {
            self.connecting = Some(Box::pin(link::connect(
                Arc::clone(&self.config),
                self.udp.clone(),
                self.attempt,
            )));
        }
        if let Some(rank) = self.second_choice()
            && self.scouting.is_none()
            && now >= self.scout_at
        {
            self.scouting = Some(Box::pin(scout::find_better(
                Arc::clone(&self.config),
                rank,
                self.ids.fork(),
            )));
        }
        if let (Some(probe), Some(account)) = (&mut self.probe, &self.account) {
            match probe.elapse(
                now,
                self.answered_at.is_some(),
                account,
                &self.words.domain,
                &mut self.ids,
            ) {
                ProbeAction::Nothing => {}
                ProbeAction::Send(bytes) => self.send(None, bytes),
                ProbeAction::Dead => self.go_down(&"no answer to OPTIONS".into()),
            }
        }
        self.publications.hold(self.lines.hold());
        let sent = self.publications.elapse(now);
        self.send_all(sent);
        let out = self.lines.elapse(now);
        self.carry_out(None, out);
    }

    fn on_connected(&mut self, connected: Result<Link, LinkError>) {
        self.connecting = None;
        let link = match connected {
            Ok(link) => link,
            Err(why) => return self.go_down(&why),
        };
        if let link::Reader::Udp { socket, .. } = &link.reader {
            self.udp = Some(Arc::clone(socket));
        }
        self.account = Some(Arc::new(link.account(&self.config)));
        self.attempt = link.attempt;
        self.scout_at = self.now() + self.reconnect.scout_pause();
        self.link = Some(link);
        self.probe = Some(Probe::new(self.now(), &mut self.ids));
    }

    /// Handles the loss of the link, or the failure to open one: all states are stale, and a retry follows soon.
    fn go_down(&mut self, why: &LinkError) {
        let now = self.now();
        let ended = match self.answered_at {
            Some(at) => ConnectionEnd::Answered(now.saturating_sub(at)),
            None => ConnectionEnd::Unanswered,
        };
        let (pause, next) = self.reconnect.ended(ended);
        self.reconnect_at = now + pause.max(why.least_pause());
        match next {
            NextServer::Same => {}
            NextServer::Other => self.attempt = self.attempt.wrapping_add(1),
        }
        let trouble = match (why, ended) {
            (LinkError::Framing(error), _) => self.words.framing(error),
            (LinkError::Lost(why), ConnectionEnd::Answered(_)) if self.reconnect.is_unsettled() => {
                self.words.short_lived(why)
            }
            (LinkError::Lost(why), _) => self.words.unreachable(why),
        };
        if self.trouble.as_ref() != Some(&trouble) {
            tracing::warn!(name = %self.config.name, what = %trouble.what, remedy = %trouble.remedy, "connection to the phone system lost");
            self.trouble = Some(trouble);
        }
        self.disconnect(now);
    }

    /// Handles the answer of a preferred server.
    fn on_scouted(&mut self, is_better: bool) {
        self.scouting = None;
        let now = self.now();
        self.scout_at = now + self.reconnect.scout_pause();
        if is_better && self.second_choice().is_some() {
            tracing::info!(name = %self.config.name, "the preferred phone system answers again");
            (self.attempt, self.reconnect_at) = (0, now);
            self.reconnect.returns();
            self.disconnect(now);
        }
    }

    fn disconnect(&mut self, now: Duration) {
        self.link = None;
        self.probe = None;
        self.account = None;
        self.answered_at = None;
        self.publications.transport_lost(now);
        let out = self.lines.transport_lost(now);
        self.carry_out(None, out);
        self.publish_health();
    }

    fn on_received(&mut self, received: Result<(link::Batch, usize), LinkError>) {
        let (batch, pings) = match received {
            Ok(received) => received,
            Err(why) => return self.go_down(&why),
        };
        let now = self.now();
        if let Some(stopping) = &mut self.stopping {
            stopping.on_message(now);
        }
        for _ in 0..pings {
            self.send(None, b"\r\n".to_vec());
        }
        for (from, bytes) in batch {
            match Message::parse(&bytes) {
                Ok(message) => self.on_message(from, &message),
                Err(error) => {
                    tracing::debug!(name = %self.config.name, %error, "message cannot be read");
                    // Over UDP an unreadable message has, for instance, a Content-Length that is too large (RFC 3261 §18.3).
                    // Other hosts get no answer.
                    let link = self.link.as_ref();
                    let is_stranger = link.is_none_or(|link| link.is_from_elsewhere(from));
                    let from = from.filter(|_| !is_stranger);
                    let refuse = |from| refuse_malformed(&bytes, from, &self.ids.tag());
                    if let Some(answer) = from.and_then(refuse) {
                        self.send(from, answer);
                    }
                    let out = self.lines.receive_malformed(now, &bytes);
                    self.carry_out(None, out);
                }
            }
        }
    }

    fn on_message(&mut self, from: Option<SocketAddr>, message: &Message<'_>) {
        let now = self.now();
        let link = self.link.as_ref();
        if link.is_some_and(|link| link.is_from_elsewhere(from)) && !self.lines.expects(message) {
            return;
        }
        if let (Some(code), Some(branch), Some(probe)) =
            (message.code(), message.branch(), &mut self.probe)
            && probe.respond(now, &branch, code)
        {
            return self.on_probe_answered(now);
        }
        if let Some(sent) = self.publications.receive(now, message) {
            return self.send_all(sent);
        }
        let out = self.lines.receive(now, message);
        self.carry_out(from, out);
    }

    fn on_probe_answered(&mut self, now: Duration) {
        let out = match self.account.clone() {
            Some(account) if self.answered_at.is_none() => {
                self.answered_at = Some(now);
                if !self.reconnect.is_unsettled() {
                    self.trouble = None;
                }
                tracing::info!(name = %self.config.name, server = %self.words.server, "phone system answers");
                let subscribed = self.lines.transport_up(now, Arc::clone(&account));
                self.publications.hold(self.lines.hold());
                let sent = self.publications.transport_up(now, &account);
                self.send_all(sent);
                subscribed
            }
            Some(_) | None => {
                // The connection has lasted from one probe to the next.
                self.trouble = None;
                self.lines.canary(now)
            }
        };
        self.carry_out(None, out);
        self.publish_health();
    }
}

async fn receive(
    reader: Option<&mut link::Reader>,
    buffer: &mut [u8],
) -> Result<(link::Batch, usize), LinkError> {
    match reader {
        Some(reader) => reader.receive(buffer).await,
        None => std::future::pending().await,
    }
}

async fn flush(writer: Option<&mut link::Writer>) -> Result<(), LinkError> {
    match writer {
        Some(writer) => writer.flush().await,
        None => std::future::pending().await,
    }
}

async fn done<T>(under_way: &mut Option<PendingFuture<T>>) -> T {
    match under_way {
        Some(under_way) => under_way.await,
        None => std::future::pending().await,
    }
}
