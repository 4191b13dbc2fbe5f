//! Renewals out of turn: all lines by command, or one line to check whether the PBX still knows the subscriptions.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use sip::subscriber::Event;

use super::{Lines, Output, pace};

/// First and longest pause between two suspicions of a restart: a PBX that forgets every subscription must not get all of
/// them again and again.
const RESTART_PAUSE_MIN: Duration = Duration::from_secs(30);
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(600);

/// A command to refresh, with the lines that have not been reported since.
#[derive(Debug)]
pub(super) struct Refresh {
    order: u64,
    missing: BTreeSet<Arc<str>>,
}

impl Lines {
    /// Renews every known line; [`Output::Refreshed`] with `order` follows after the report of the last one.
    pub(in crate::sip_connector) fn refresh_all(
        &mut self,
        now: Duration,
        order: u64,
    ) -> Vec<Output> {
        let mut out = Vec::new();
        // The credentials may have been changed: one request proves them before the others are sent.
        self.pace.gate.doubt(now);
        let missing = self.queue_refresh_of_all();
        for extension in &missing {
            if let Some(line) = self.lines.get_mut(extension) {
                line.subscriber.allow_order();
            }
        }
        if missing.is_empty() {
            out.push(Output::Refreshed(order));
        } else {
            self.refreshes.push(Refresh { order, missing });
        }
        self.pump(now, &mut out);
        out
    }

    /// Forgets a command after its sender has stopped waiting.
    pub(in crate::sip_connector) fn forget_refresh(&mut self, order: u64) {
        self.refreshes.retain(|r| r.order != order);
    }

    /// Renews one line out of turn. A PBX that restarted between two probes answers OPTIONS but knows no subscription: its
    /// 481 to this line makes all others renew.
    pub(in crate::sip_connector) fn canary(&mut self, now: Duration) -> Vec<Output> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = self.last_canary.take().map_or(Unbounded, Excluded);
        let after = self.lines.range::<Arc<str>, _>((from, Unbounded));
        let next = after
            .chain(self.lines.iter())
            .find(|(_, l)| l.subscriber.is_active() && !l.subscriber.skips_notify())
            .map(|(e, _)| Arc::clone(e));
        let mut out = Vec::new();
        if let Some(extension) = next {
            self.queue(&extension, pace::Job::Refresh);
            self.last_canary = Some(extension);
            self.pump(now, &mut out);
        }
        out
    }

    /// Renews every line, unless that happened a moment ago.
    pub(super) fn suspect_restart(&mut self, now: Duration) {
        let pause = match self.restart_suspected {
            Some((at, pause)) if now < at + pause => return,
            Some((at, pause)) if now < at + pause * 2 => (pause * 2).min(RESTART_PAUSE_MAX),
            Some(_) | None => RESTART_PAUSE_MIN,
        };
        self.restart_suspected = Some((now, pause));
        self.queue_refresh_of_all();
    }

    /// Reports an unusable document to the subscription of a line. A line with its own subscription is refreshed, then
    /// subscribed again; a line of a list only makes the list refresh, which does not disturb the other lines.
    pub(super) fn doubt(&mut self, now: Duration, extension: &Arc<str>, out: &mut Vec<Output>) {
        let subscribed = self.subscribed_for(extension);
        let event = match subscribed == *extension {
            true => Event::Unusable,
            false => Event::Incomplete,
        };
        self.run(now, &subscribed, event, out);
    }

    /// Whether the current NOTIFY answers a refresh that asked for a full document.
    pub(super) fn is_full_due(&self, extension: &Arc<str>) -> bool {
        let subscribed = self.lines.get(&self.subscribed_for(extension));
        subscribed.is_some_and(|line| line.subscriber.is_whole_due())
    }

    pub(super) fn queue_refresh_of_all(&mut self) -> BTreeSet<Arc<str>> {
        let active: BTreeSet<Arc<str>> = self
            .lines
            .iter()
            .filter(|(_, l)| l.subscriber.is_active())
            .map(|(e, _)| Arc::clone(e))
            .collect();
        for extension in &active {
            self.queue(extension, pace::Job::Refresh);
        }
        active
    }

    /// Ticks off a line in all commands to refresh: it was reported, or cannot be.
    pub(super) fn tick_off(&mut self, extension: &Arc<str>, out: &mut Vec<Output>) {
        for refresh in &mut self.refreshes {
            refresh.missing.remove(extension);
        }
        out.extend(
            self.refreshes
                .iter()
                .filter(|r| r.missing.is_empty())
                .map(|r| Output::Refreshed(r.order)),
        );
        self.refreshes.retain(|r| !r.missing.is_empty());
    }
}
