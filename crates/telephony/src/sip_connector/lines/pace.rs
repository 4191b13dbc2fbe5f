//! The rate at which subscriptions begin and renew.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use sip::{ids::Ids, subscriber::Event};

use super::{
    super::gate::{Gate, Hold},
    Lines, Output,
    line::Line,
};

/// SUBSCRIBEs under way at once: enough for thousands a second on a quick PBX, few enough that their NOTIFYs fit into any
/// socket buffer.
const IN_FLIGHT_MAX: usize = 100;

/// The request for which a line waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Start,
    Elapsed,
    Refresh,
}

/// The queue of waiting lines.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: VecDeque<(Arc<str>, Job)>,
    /// The number of lines at the front that go before all others.
    urgent: usize,
    in_flight: usize,
    pub(super) gate: Gate<Arc<str>>,
}

impl Pace {
    /// Counts a subscription's transaction that has begun or ended.
    pub(super) fn count(&mut self, was_pending: bool, is_pending: bool) {
        match (was_pending, is_pending) {
            (false, true) => self.in_flight += 1,
            (true, false) => self.in_flight = self.in_flight.saturating_sub(1),
            _ => {}
        }
    }

    /// Empties the queue when the phone system is gone.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.urgent = 0;
        self.gate.reconnected();
    }

    /// Whether requests with the same credentials must wait because a line that may prove them waits for its turn or its
    /// answer. If the PBX answers no line, others do not wait.
    pub(super) fn hold(&self) -> Hold {
        let is_undecided = !self.gate.is_proven() && self.gate.trouble().is_none();
        match is_undecided && (self.in_flight > 0 || !self.waiting.is_empty()) {
            true => self.gate.proof_due_at().map_or(Hold::Closed, Hold::Until),
            false => Hold::Free,
        }
    }

    /// When waiting lines continue without any answer.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let opens_at = self.gate.opens_at(self.in_flight);
        opens_at.filter(|_| !self.waiting.is_empty())
    }

    /// Whether the next request decides between a refused line and a refused account.
    fn seeks_opinion(&self, now: Duration) -> bool {
        self.gate.wants_second_opinion() && self.is_open(now)
    }

    fn is_open(&self, now: Duration) -> bool {
        self.gate.is_open(now, self.in_flight, IN_FLIGHT_MAX)
    }

    /// Removes and returns the next line. After a refusal the next line is a random one that was not refused: lines refused
    /// for reasons of their own often have neighbouring numbers.
    fn next(
        &mut self,
        now: Duration,
        ids: &mut Ids,
        is_refused: impl Fn(&Arc<str>) -> bool,
    ) -> Option<(Arc<str>, Job)> {
        if self.waiting.is_empty() || !self.is_open(now) {
            return None;
        }
        self.gate.begin(now);
        if !self.gate.wants_second_opinion() {
            return self.take(0);
        }
        let waiting = self.waiting.iter().enumerate();
        let sound = waiting.filter(|(_, (extension, _))| !is_refused(extension));
        let sound: Vec<usize> = sound.map(|(at, _)| at).collect();
        self.take(*any_of(&sound, ids).unwrap_or(&0))
    }

    fn take(&mut self, at: usize) -> Option<(Arc<str>, Job)> {
        if at < self.urgent {
            self.urgent -= 1;
        }
        self.waiting.remove(at)
    }
}

fn any_of<'a, T>(all: &'a [T], ids: &mut Ids) -> Option<&'a T> {
    let per_mille = usize::try_from(ids.per_mille()).unwrap_or_default();
    all.get(all.len() * per_mille / 1000)
}

impl Lines {
    /// After a refusal with only refused lines waiting, renews an active line out of turn: its answer decides between these
    /// lines and the account.
    fn seek_opinion(&mut self, now: Duration) {
        let is_sound = |line: &Line| !line.is_refused && !line.leaving;
        let lines = &self.lines;
        let mut waiting = self.pace.waiting.iter();
        if self.account.is_none()
            || !self.pace.seeks_opinion(now)
            || waiting.any(|(extension, _)| lines.get(extension).is_some_and(is_sound))
        {
            return;
        }
        let is_able = |line: &Line| {
            let subscriber = &line.subscriber;
            is_sound(line) && subscriber.is_active() && !subscriber.is_pending()
        };
        let able = lines.iter().filter(|(_, line)| is_able(line));
        let able: Vec<Arc<str>> = able.map(|(extension, _)| extension.clone()).collect();
        if let Some(extension) = any_of(&able, &mut self.ids) {
            self.queue(extension, Job::Refresh);
        }
    }

    pub(super) fn queue(&mut self, extension: &Arc<str>, job: Job) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        if line.queued && job != Job::Start {
            // The line renews or begins at its turn anyway; a second request would be too much.
            return;
        }
        line.queued = true;
        self.pace.waiting.push_back((Arc::clone(extension), job));
        self.reschedule(extension);
    }

    /// Queues a line before all others: its state is unknown or in doubt.
    pub(super) fn queue_first(&mut self, extension: &Arc<str>) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        if !line.queued {
            line.queued = true;
            let job = (Arc::clone(extension), Job::Elapsed);
            self.pace.waiting.insert(self.pace.urgent, job);
            self.pace.urgent += 1;
        }
    }

    /// Starts waiting requests, as many as the limits allow.
    pub(super) fn pump(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.seek_opinion(now);
        while let Some(account) = self.account.clone() {
            let lines = &self.lines;
            let is_refused =
                |extension: &Arc<str>| lines.get(extension).is_some_and(|l| l.is_refused);
            let Some((extension, job)) = self.pace.next(now, &mut self.ids, is_refused) else {
                break;
            };
            let Some(line) = self.lines.get_mut(&extension) else {
                continue;
            };
            line.queued = false;
            let event = match job {
                Job::Start => Event::Start(account),
                Job::Elapsed => Event::Elapsed,
                Job::Refresh => Event::Refresh,
            };
            if !line.leaving {
                self.run(now, &extension, event, out);
            }
        }
    }
}
