//! Renewing lines out of turn: all of them by order, or one to see whether the system remembers us.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Lines, Output, pace};

/// An order to refresh: which lines have not been heard of since.
#[derive(Debug)]
pub(super) struct Refresh {
    order: u64,
    missing: BTreeSet<Arc<str>>,
}

impl Lines {
    /// Renews every line that is known; [`Output::Refreshed`] with `order` follows when all have been told.
    pub(in crate::sip_connector) fn refresh_all(
        &mut self,
        now: Duration,
        order: u64,
    ) -> Vec<Output> {
        let mut out = Vec::new();
        let missing = self.queue_refresh_of_all();
        if missing.is_empty() {
            out.push(Output::Refreshed(order));
        } else {
            self.refreshes.push(Refresh { order, missing });
        }
        self.pump(now, &mut out);
        out
    }

    /// Nobody waits for this order any more.
    pub(in crate::sip_connector) fn forget_refresh(&mut self, order: u64) {
        self.refreshes.retain(|r| r.order != order);
    }

    /// Renews one line out of turn. A system that was restarted between two probes answers OPTIONS,
    /// but knows no subscription: its 481 to this line makes all others be renewed.
    pub(in crate::sip_connector) fn canary(&mut self, now: Duration) -> Vec<Output> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = self.last_canary.take().map_or(Unbounded, Excluded);
        let after = self.lines.range::<Arc<str>, _>((from, Unbounded));
        let next = after
            .chain(self.lines.iter())
            .find(|(_, l)| l.subscriber.is_active())
            .map(|(e, _)| Arc::clone(e));
        let mut out = Vec::new();
        if let Some(extension) = next {
            self.queue(&extension, pace::Job::Refresh);
            self.last_canary = Some(extension);
            self.pump(now, &mut out);
        }
        out
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

    /// A line that an order to refresh waits for has been heard of, or cannot be.
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
