//! All lines of one phone system: a subscription and a set of dialogs each. Pure.
//!
//! The number of SUBSCRIBEs under way is limited, to one while the password is wrong. Messages are assigned to their line,
//! and documents become line states.

mod dialogs;
mod document;
mod doubt;
mod health;
mod line;
mod list;
mod notes;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod notifier;
mod pace;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod random_notifier;
mod refresh;
mod trouble;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use document::NotifyContent;
use line::Line;
pub(super) use notes::Note;
use notes::Notes;
use pace::Pace;
use presence::LineChange;
use refresh::Refresh;
use sip::{
    ids::Ids,
    message::{Message, answer},
    software::Software,
    subscriber::{Account, Action, Event, Subscriber},
};

use super::{escape_user, trouble::TroubleTexts};
use crate::phone_system::{LINE_TROUBLE_MAX, Trouble};

/// A request to the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Send this to the phone system; a response goes to the source of its request.
    Send(Vec<u8>),
    /// Reports the state of a line.
    Line {
        extension: Arc<str>,
        change: LineChange,
    },
    /// All lines of this command to refresh have been reported.
    Refreshed(u64),
}

pub(super) struct Lines {
    words: TroubleTexts,
    /// The phone system's lists of all lines, each watched by one subscription; empty: each line has its own.
    lists: Vec<Arc<str>>,
    /// The software named in the latest answer.
    software: Software,
    ids: Ids,
    /// `None` while the phone system cannot be reached.
    account: Option<Arc<Account>>,
    lines: BTreeMap<Arc<str>, Line>,
    by_call_id: HashMap<String, Arc<str>>,
    deadlines: BTreeSet<(Duration, Arc<str>)>,
    pace: Pace,
    refreshes: Vec<Refresh>,
    /// The latest suspicion of a restart, and the pause before the next.
    restart_suspected: Option<(Duration, Duration)>,
    last_canary: Option<Arc<str>>,
    active: usize,
    line_trouble: BTreeMap<Arc<str>, Trouble>,
    notes: Notes,
    /// Health has changed.
    changed: bool,
}

impl Lines {
    pub(super) fn new(
        words: TroubleTexts,
        lists: impl IntoIterator<Item = Arc<str>>,
        ids: Ids,
    ) -> Self {
        Self {
            words,
            lists: lists.into_iter().collect(),
            software: Software::Other,
            ids,
            account: None,
            lines: BTreeMap::new(),
            by_call_id: HashMap::new(),
            deadlines: BTreeSet::new(),
            pace: Pace::default(),
            refreshes: Vec::new(),
            restart_suspected: None,
            last_canary: None,
            active: 0,
            line_trouble: BTreeMap::new(),
            notes: Notes::default(),
            changed: true,
        }
    }

    /// Whether no subscription is active or under way.
    pub(super) fn is_idle(&self) -> bool {
        self.lines.values().all(|l| l.subscriber.is_idle())
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let first = self.deadlines.first().map(|(at, _)| *at);
        [first, self.pace.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn change(
        &mut self,
        now: Duration,
        watch: Vec<Arc<str>>,
        unwatch: Vec<Arc<str>>,
    ) -> Vec<Output> {
        let mut out = Vec::new();
        for extension in unwatch {
            if self.is_list(&extension) {
                continue;
            }
            if let Some(line) = self.lines.get_mut(&extension) {
                line.leaving = true;
                self.run(now, &extension, Event::Stop, &mut out);
            }
        }
        for extension in watch.iter().filter(|extension| !extension.is_empty()) {
            let is_new = self.lines.get(extension).is_none_or(|l| l.leaving);
            if is_new {
                self.add(extension);
            }
        }
        self.keep_lists(now, &mut out);
        self.changed = true;
        self.pump(now, &mut out);
        out
    }

    fn add(&mut self, extension: &Arc<str>) {
        // A line about to leave is replaced; later messages of its subscription are answered 481.
        self.forget(extension);
        let target = format!("sip:{}@{}", escape_user(extension), self.words.domain);
        let line = Line::new(Subscriber::new(target, self.ids.fork()));
        self.lines.insert(Arc::clone(extension), line);
        if self.account.is_some() && self.lists.is_empty() {
            self.queue(extension, pace::Job::Start);
        }
    }

    /// Subscribes to everything over a new link.
    pub(super) fn transport_up(&mut self, now: Duration, account: Arc<Account>) -> Vec<Output> {
        let mut out = Vec::new();
        self.account = Some(account);
        let all: Vec<Arc<str>> = self
            .lines
            .iter()
            .filter(|(e, l)| !l.leaving && (self.lists.is_empty() || self.is_list(e)))
            .map(|(e, _)| Arc::clone(e))
            .collect();
        for extension in all {
            self.queue(&extension, pace::Job::Start);
        }
        self.pump(now, &mut out);
        out
    }

    /// Handles the loss of the link: no state is trusted any more.
    pub(super) fn transport_lost(&mut self, now: Duration) -> Vec<Output> {
        let mut out = Vec::new();
        self.account = None;
        self.pace.clear();
        let all: Vec<Arc<str>> = self.lines.keys().cloned().collect();
        for extension in all {
            if let Some(line) = self.lines.get_mut(&extension) {
                line.queued = false;
            }
            self.run(now, &extension, Event::TransportLost, &mut out);
        }
        out
    }

    pub(super) fn stop(&mut self, now: Duration) -> Vec<Output> {
        let all = self.lines.keys().cloned().collect();
        self.change(now, Vec::new(), all)
    }

    /// Whether a message is a NOTIFY that names a subscription by Call-ID and tag, which only the PBX knows. A PBX with several
    /// addresses may send it from another address than the configured one.
    pub(super) fn expects(&self, message: &Message<'_>) -> bool {
        let call_id = message.call_id().ok();
        let named = call_id.and_then(|call_id| self.by_call_id.get(&*call_id));
        let line = named.and_then(|extension| self.lines.get(extension));
        message.method() == Some("NOTIFY")
            && line.is_some_and(|line| line.subscriber.is_named_by(message))
    }

    /// Handles a message that is no answer to a probe.
    pub(super) fn receive(&mut self, now: Duration, message: &Message<'_>) -> Vec<Output> {
        let mut out = Vec::new();
        let software = Software::of(message);
        if message.code().is_some() || software != Software::Other {
            self.software = software;
        }
        let extension = message
            .call_id()
            .ok()
            .and_then(|id| self.by_call_id.get(&*id).cloned());
        match extension {
            Some(extension) => self.run(now, &extension, Event::Received(message), &mut out),
            None => out.extend(self.answer_stranger(message).map(Output::Send)),
        }
        self.pump(now, &mut out);
        out
    }

    /// Handles an unreadable request.
    pub(super) fn receive_malformed(&mut self, now: Duration, bytes: &[u8]) -> Vec<Output> {
        let mut out = Vec::new();
        let call_id = sip::request::call_id_of_malformed(bytes);
        if let Some(extension) = call_id.and_then(|id| self.by_call_id.get(&id).cloned()) {
            self.run(now, &extension, Event::Unreadable, &mut out);
            self.pump(now, &mut out);
        }
        out
    }

    /// Refuses a message that belongs to no subscription, without keeping state (RFC 6665 §4.1.3).
    fn answer_stranger(&mut self, message: &Message<'_>) -> Option<Vec<u8>> {
        let code = match message.method()? {
            "ACK" => return None,
            "OPTIONS" => 200,
            "NOTIFY" => 481,
            _ => 405,
        };
        let response = answer(message, code, Some(&self.ids.tag()));
        response.header("Allow", "OPTIONS, NOTIFY").finish().ok()
    }

    /// Handles deadlines that have passed.
    pub(super) fn elapse(&mut self, now: Duration) -> Vec<Output> {
        let mut out = Vec::new();
        while let Some((at, extension)) = self.deadlines.first().cloned() {
            if at > now {
                break;
            }
            self.deadlines.pop_first();
            let Some(line) = self.lines.get_mut(&extension) else {
                continue;
            };
            line.scheduled = None;
            let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
            let due = is_due(line.subscriber.next_deadline());
            let sends_nothing_new =
                line.subscriber.is_pending() || is_due(line.subscriber.lapses_at()) || line.leaving;
            self.stop_ringing(now, &extension, &mut out);
            self.settle_doubt(now, &extension, &mut out);
            self.end_silence(now, &extension, &mut out);
            if !due {
                self.reschedule(&extension);
            } else if sends_nothing_new {
                self.run(now, &extension, Event::Elapsed, &mut out);
            } else {
                // The subscription may begin a transaction, which has to wait for its turn.
                self.queue(&extension, pace::Job::Elapsed);
            }
        }
        self.pump(now, &mut out);
        out
    }

    /// Passes one event to one subscription and performs its actions.
    fn run(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        event: Event<'_>,
        out: &mut Vec<Output>,
    ) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        let (was_pending, was_active) = (line.subscriber.is_pending(), line.subscriber.is_active());
        let actions = line.subscriber.handle(now, event);
        self.pace.count(was_pending, line.subscriber.is_pending());
        let evidence = line.subscriber.take_evidence();
        let is_active = line.subscriber.is_active();
        if was_active != is_active {
            self.changed = true;
            self.active = if is_active {
                self.active + 1
            } else {
                self.active.saturating_sub(1)
            };
        }
        if line.call_id != line.subscriber.call_id() {
            self.by_call_id.remove(&line.call_id);
            line.call_id = line.subscriber.call_id().to_owned();
            self.by_call_id
                .insert(line.call_id.clone(), Arc::clone(extension));
        }
        let due = line.subscriber.next_deadline();
        if !line.subscriber.is_pending() && due.is_some_and(|at| at <= now) {
            // The next request has to wait for its turn.
            self.queue_first(extension);
        }
        self.reschedule(extension);
        self.weigh(now, extension, evidence);
        for action in actions {
            self.act(now, extension, was_active, action, out);
        }
    }

    fn act(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        was_active: bool,
        action: Action,
        out: &mut Vec<Output>,
    ) {
        match action {
            Action::Send(bytes) => out.push(Output::Send(bytes)),
            Action::Notified {
                content_type,
                body,
                remaining,
                first,
                software,
            } => {
                let received = NotifyContent {
                    now,
                    content_type: content_type.as_deref().unwrap_or_default(),
                    body: &body,
                    lease: remaining,
                    first,
                    software,
                };
                if self.is_list(extension) {
                    self.understand_list(&received, extension, out);
                } else {
                    self.understand(&received, extension, out);
                }
                self.tick_off(extension, out);
            }
            Action::Renewed { remaining } if self.is_list(extension) => {
                self.renew_lines(now, extension, remaining, out);
            }
            Action::Renewed { remaining } => {
                self.renew(now, extension, remaining, out);
            }
            Action::Stale => {
                self.tick_off(extension, out);
                let stale = match self.is_list(extension) {
                    true => self.leave_list(now, extension, out),
                    false => vec![Arc::clone(extension)],
                };
                for extension in stale {
                    if let Some(line) = self.lines.get_mut(&extension) {
                        line.state = None;
                    }
                    out.push(Output::Line {
                        extension,
                        change: LineChange::Stale,
                    });
                }
            }
            Action::Trouble(trouble) => self.on_trouble(now, extension, was_active, &trouble),
            Action::Ended => {
                if self.lines.get(extension).is_some_and(|l| l.leaving) {
                    self.forget(extension);
                }
            }
        }
    }

    /// Extends the lease of a line's state.
    fn renew(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        remaining: Duration,
        out: &mut Vec<Output>,
    ) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        line.lease_until = now + remaining;
        if let Some(state) = line.state {
            out.push(Output::Line {
                extension: Arc::clone(extension),
                change: LineChange::State {
                    state,
                    party: line.dialogs.party(),
                    lease: remaining,
                },
            });
        }
    }

    fn set_trouble(&mut self, extension: &Arc<str>, trouble: Option<Trouble>) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        if line.trouble == trouble {
            return;
        }
        line.trouble.clone_from(&trouble);
        self.changed = true;
        match &trouble {
            Some(trouble) => self.notes.trouble(trouble),
            None => self.notes.well(extension),
        }
        match trouble {
            // Beyond the limit the texts repeat; this trouble is listed when others have ended.
            Some(trouble)
                if self.line_trouble.len() < LINE_TROUBLE_MAX
                    || self.line_trouble.contains_key(extension) =>
            {
                self.line_trouble.insert(Arc::clone(extension), trouble);
            }
            Some(_) => {}
            None => {
                self.line_trouble.remove(extension);
            }
        }
    }

    fn reschedule(&mut self, extension: &Arc<str>) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        if let Some(old) = line.scheduled.take() {
            self.deadlines.remove(&(old, Arc::clone(extension)));
        }
        let due = match line.queued && !line.leaving && !line.subscriber.is_pending() {
            true => line.subscriber.lapses_at(),
            false => line.subscriber.next_deadline(),
        };
        let others = [line.dialogs.next_expiry(), line.doubt_until, line.state_due];
        if let Some(at) = others.into_iter().chain([due]).flatten().min() {
            line.scheduled = Some(at);
            self.deadlines.insert((at, Arc::clone(extension)));
        }
    }

    fn forget(&mut self, extension: &Arc<str>) {
        self.changed |= self.line_trouble.remove(extension).is_some();
        let Some(line) = self.lines.remove(extension) else {
            return;
        };
        self.by_call_id.remove(&line.call_id);
        if let Some(at) = line.scheduled {
            self.deadlines.remove(&(at, Arc::clone(extension)));
        }
        self.pace.count(line.subscriber.is_pending(), false);
        if line.subscriber.is_active() {
            self.active = self.active.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
