//! The connector's task: moves bytes and time between the link, the lines and the owner.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sip::ids::Ids;
use sip::message::Message;
use sip::request::refuse_malformed;
use sip::stream::FrameError;
use sip::subscriber::Account;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::lines::{Lines, Output};
use super::link::{self, Link};
use super::probe::{Probe, Probed};
use super::publications::Publications;
use super::trouble::Words;
use super::{
    Command, Health, LineEvent, STOP_PATIENCE, SipConnectorConfig, Trouble, scout, targets,
};

/// Pauses between attempts to reach a system that does not answer; the last one repeats.
const RECONNECT_PAUSES: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
];

/// Pause after a message that is too long to be read.
const TOO_LONG_PAUSE: Duration = Duration::from_secs(60);

/// What is read at once: the longest datagram.
const READ_BYTES: usize = 64 * 1024;

/// Orders to refresh that are waited for at once.
const REFRESHES_MAX: usize = 64;

type UnderWay<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(super) struct Task {
    config: Arc<SipConnectorConfig>,
    words: Words,
    ids: Ids,
    started: Instant,
    lines: Lines,
    publications: Publications,
    udp: Option<Arc<UdpSocket>>,
    link: Option<Link>,
    connecting: Option<UnderWay<Result<Link, String>>>,
    reconnect_at: Duration,
    failures: usize,
    /// Which of the places is tried next.
    attempt: usize,
    scouting: Option<UnderWay<bool>>,
    scout_at: Duration,
    account: Option<Arc<Account>>,
    probe: Option<Probe>,
    /// The system has answered on this link.
    reachable: bool,
    trouble: Option<Trouble>,
    events: mpsc::Sender<LineEvent>,
    /// The latest news of each line that the owner has not had room for.
    unsent: BTreeMap<Arc<str>, LineEvent>,
    health: watch::Sender<Health>,
    refreshing: BTreeMap<u64, oneshot::Sender<()>>,
    next_order: u64,
    stop_at: Option<Duration>,
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
        let words = Words::new(&config);
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
            failures: 0,
            attempt: 0,
            scouting: None,
            scout_at: Duration::ZERO,
            account: None,
            probe: None,
            reachable: false,
            trouble: None,
            events,
            unsent: BTreeMap::new(),
            health,
            refreshing: BTreeMap::new(),
            next_order: 0,
            stop_at: None,
        }
    }

    pub(super) async fn run(
        mut self,
        extensions: Vec<Arc<str>>,
        mut orders: mpsc::Receiver<Command>,
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
                return;
            }
            let wake = self.started + self.next_deadline();
            let (reader, writer) = match &mut self.link {
                Some(link) => (Some(&mut link.reader), Some(&mut link.writer)),
                None => (None, None),
            };
            let has_unsent = writer.as_ref().is_some_and(|w| w.is_waiting());
            tokio::select! {
                order = orders.recv(), if self.stop_at.is_none() => match order {
                    Some(order) => self.obey(order),
                    // The owner is gone: nobody wants to know any more.
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
                    let Ok(room) = room else { return };
                    if let Some((_, event)) = self.unsent.pop_first() {
                        room.send(event);
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
        [reconnect, probe, scout, self.stop_at]
            .into_iter()
            .chain(work)
            .flatten()
            .fold(far, Duration::min)
    }

    /// The place that is used, if there are preferred ones.
    fn second_choice(&self) -> Option<targets::Place> {
        let place = self.link.as_ref()?.place;
        (place > targets::Place::default()).then_some(place)
    }

    fn is_finished(&self) -> bool {
        let is_quiet = || {
            self.lines.is_idle()
                && self.publications.is_idle()
                && self.link.as_ref().is_none_or(|l| !l.writer.is_waiting())
        };
        self.events.is_closed()
            || self
                .stop_at
                .is_some_and(|at| self.now() >= at || is_quiet())
    }

    fn obey(&mut self, order: Command) {
        let now = self.now();
        let out = match order {
            Command::Change { watch, unwatch } => self.lines.change(now, watch, unwatch),
            Command::Publish(extension, documents) => {
                let sent = self.publications.publish(now, &extension, &documents);
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
                self.stop_at = Some(now + STOP_PATIENCE);
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
            && self.stop_at.is_none()
        {
            self.connecting = Some(Box::pin(link::connect(
                Arc::clone(&self.config),
                self.udp.clone(),
                self.attempt,
            )));
        }
        if let Some(place) = self.second_choice()
            && self.scouting.is_none()
            && now >= self.scout_at
        {
            self.scouting = Some(Box::pin(scout::find_better(
                Arc::clone(&self.config),
                place,
                self.ids.fork(),
            )));
        }
        if let (Some(probe), Some(account)) = (&mut self.probe, &self.account) {
            match probe.elapse(
                now,
                self.reachable,
                account,
                &self.words.domain,
                &mut self.ids,
            ) {
                Probed::Nothing => {}
                Probed::Send(bytes) => self.send(None, bytes),
                Probed::Dead => self.go_down("no answer to OPTIONS"),
            }
        }
        let sent = self.publications.elapse(now);
        self.send_all(sent);
        let out = self.lines.elapse(now);
        self.carry_out(None, out);
    }

    fn on_connected(&mut self, connected: Result<Link, String>) {
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
        self.scout_at = self.now() + scout::INTERVAL;
        self.link = Some(link);
        self.probe = Some(Probe::new(self.now(), &mut self.ids));
    }

    /// The way to the system is gone, or never was: everything is stale, try again soon.
    fn go_down(&mut self, why: &str) {
        let now = self.now();
        let pause = RECONNECT_PAUSES[self.failures.min(RECONNECT_PAUSES.len() - 1)];
        self.failures += 1;
        self.reconnect_at = now + pause;
        // What has just answered is tried once more; what has not is passed over.
        if !self.reachable {
            self.attempt = self.attempt.wrapping_add(1);
        }
        let trouble = self.words.unreachable(why);
        if self.trouble.as_ref() != Some(&trouble) {
            tracing::warn!(name = %self.config.name, what = %trouble.what, remedy = %trouble.remedy, "telephone system lost");
            self.trouble = Some(trouble);
        }
        self.disconnect(now);
    }

    /// A preferred place answers again.
    fn on_scouted(&mut self, is_better: bool) {
        self.scouting = None;
        let now = self.now();
        self.scout_at = now + scout::INTERVAL;
        if is_better && self.second_choice().is_some() {
            tracing::info!(name = %self.config.name, "the preferred telephone system answers again");
            (self.attempt, self.reconnect_at) = (0, now);
            self.disconnect(now);
        }
    }

    fn disconnect(&mut self, now: Duration) {
        self.link = None;
        self.probe = None;
        self.account = None;
        self.reachable = false;
        self.publications.transport_lost(now);
        let out = self.lines.transport_lost(now);
        self.carry_out(None, out);
        self.publish_health();
    }

    fn on_received(&mut self, received: Result<(link::Batch, usize), String>) {
        let (batch, pings) = match received {
            Ok(received) => received,
            Err(why) => {
                self.go_down(&why);
                if why == FrameError::TooLong.to_string() {
                    // The same would come again at once.
                    self.reconnect_at = self.now() + TOO_LONG_PAUSE;
                }
                return;
            }
        };
        for _ in 0..pings {
            self.send(None, b"\r\n".to_vec());
        }
        for (from, bytes) in batch {
            match Message::parse(&bytes) {
                Ok(message) => self.on_message(from, &message),
                Err(error) => {
                    tracing::debug!(name = %self.config.name, %error, "message cannot be read");
                    // Over UDP, for instance, its Content-Length is too large (RFC 3261 §18.3).
                    let refuse = |from| refuse_malformed(&bytes, from, &self.ids.tag());
                    if let Some(answer) = from.and_then(refuse) {
                        self.send(from, answer);
                    }
                }
            }
        }
    }

    fn on_message(&mut self, from: Option<SocketAddr>, message: &Message<'_>) {
        let now = self.now();
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
        self.failures = 0;
        let out = if self.reachable {
            self.lines.canary(now)
        } else {
            self.reachable = true;
            self.trouble = None;
            tracing::info!(name = %self.config.name, server = %self.words.server, "telephone system answers");
            let account = self.account.clone();
            if let Some(account) = &account {
                let sent = self.publications.transport_up(now, account);
                self.send_all(sent);
            }
            account
                .map(|account| self.lines.transport_up(now, account))
                .unwrap_or_default()
        };
        self.carry_out(None, out);
        self.publish_health();
    }

    /// Sends and tells what the lines ask for; answers go to where the question came from.
    fn carry_out(&mut self, from: Option<SocketAddr>, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(bytes) => {
                    let to = from.filter(|_| bytes.starts_with(b"SIP/2.0 "));
                    self.send(to, bytes);
                }
                Output::State {
                    extension,
                    state,
                    party,
                    lease,
                } => {
                    self.tell(LineEvent::State {
                        extension,
                        state,
                        party,
                        lease,
                        received: Instant::now(),
                    });
                }
                Output::Stale { extension } => self.tell(LineEvent::Stale { extension }),
                Output::Refreshed(order) => {
                    if let Some(done) = self.refreshing.remove(&order) {
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(());
                    }
                }
            }
        }
    }

    fn send_all(&mut self, messages: Vec<Vec<u8>>) {
        for bytes in messages {
            self.send(None, bytes);
        }
    }

    fn send(&mut self, to: Option<SocketAddr>, bytes: Vec<u8>) {
        if let Some(link) = &mut self.link {
            link.writer.push(to, bytes);
        }
    }

    /// Events go straight to the owner; when it is slow, the latest of each line waits.
    fn tell(&mut self, event: LineEvent) {
        let extension = match &event {
            LineEvent::State { extension, .. } | LineEvent::Stale { extension } => {
                Arc::clone(extension)
            }
        };
        if !self.unsent.is_empty() {
            self.unsent.insert(extension, event);
        } else if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
            self.unsent.insert(extension, event);
        }
    }

    fn report(&mut self) {
        if self.lines.take_changed() | self.publications.take_changed() {
            self.publish_health();
        }
    }

    fn publish_health(&mut self) {
        let account_trouble = self.lines.account_trouble();
        let before = self.health.borrow().trouble.clone();
        let trouble = self.trouble.clone().or(account_trouble);
        let trouble = trouble.or_else(|| self.publications.trouble().cloned());
        if let (Some(trouble), true) = (&trouble, before != trouble && self.trouble.is_none()) {
            tracing::warn!(name = %self.config.name, what = %trouble.what, remedy = %trouble.remedy, "trouble with the account");
        }
        self.health.send_replace(Health {
            reachable: self.reachable,
            lines: self.lines.len(),
            active: self.lines.active(),
            trouble,
            line_trouble: self.lines.line_trouble().clone(),
        });
    }
}

async fn receive(
    reader: Option<&mut link::Reader>,
    buffer: &mut [u8],
) -> Result<(link::Batch, usize), String> {
    match reader {
        Some(reader) => reader.receive(buffer).await,
        None => std::future::pending().await,
    }
}

async fn flush(writer: Option<&mut link::Writer>) -> Result<(), String> {
    match writer {
        Some(writer) => writer.flush().await,
        None => std::future::pending().await,
    }
}

async fn done<T>(under_way: &mut Option<UnderWay<T>>) -> T {
    match under_way {
        Some(under_way) => under_way.await,
        None => std::future::pending().await,
    }
}
