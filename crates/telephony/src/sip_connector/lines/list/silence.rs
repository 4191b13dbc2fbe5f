//! Lines without a state in their list.
//!
//! The subscription to a list may be active without a state of a line: the resource has no instance, the instance has no
//! document, or the body is empty. Some PBXs begin that way and send the documents within seconds. The last state of such a
//! line therefore stays valid for a while but is not renewed; without a document by then the state is unknown, and the line
//! has trouble.

use std::{sync::Arc, time::Duration};

use sip::{subscriber::Event, transaction::TIMEOUT};

use super::super::{Lines, Output};

/// Longest time without a line's state in a list: as long as a NOTIFY may take (timer N, RFC 6665 §4.1.2.4).
const SILENT_MAX: Duration = TIMEOUT;

impl Lines {
    /// Handles a NOTIFY without the state of a line. A line that is unknown for a known reason keeps its trouble.
    pub(super) fn await_state(&mut self, now: Duration, extension: &Arc<str>) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        let is_explained = line.state.is_none() && line.trouble.is_some();
        if line.state_due.is_none() && !is_explained {
            line.state_due = Some(now + SILENT_MAX);
            self.reschedule(extension);
        }
    }

    /// Waits for the state of each unknown line that is, or may be, on this list.
    pub(super) fn await_unknown(&mut self, now: Duration, list: &Arc<str>) {
        let unknown = self.lines.iter().filter(|(name, line)| {
            let may_be_on_it = line.list.as_ref().is_none_or(|of| of == list);
            may_be_on_it && line.state.is_none() && !line.leaving && !self.is_list(name)
        });
        let unknown: Vec<Arc<str>> = unknown.map(|(name, _)| Arc::clone(name)).collect();
        for extension in unknown {
            self.await_state(now, &extension);
        }
    }

    /// Reports a line that its list has omitted for too long.
    pub(in super::super) fn end_silence(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        out: &mut Vec<Output>,
    ) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        if line.state_due.take_if(|by| *by <= now).is_none() || line.leaving {
            return;
        }
        let lists = match &line.list {
            Some(list) => vec![Arc::clone(list)],
            None => self.lists.clone(),
        };
        let is_active = |list| {
            let list = self.lines.get(list);
            list.is_some_and(|list| list.subscriber.is_active())
        };
        if !lists.iter().all(is_active) {
            // The trouble of the list is the trouble of its lines.
            return;
        }
        let trouble = self.words.without_state(extension, &lists);
        self.lose(extension, trouble, out);
        // The documents may be lost, or another list also has the line.
        for list in self.lists.clone() {
            self.run(now, &list, Event::Incomplete, out);
        }
    }

    /// Renews the states of a list's lines together with its subscription.
    pub(in super::super) fn renew_lines(
        &mut self,
        now: Duration,
        list: &Arc<str>,
        remaining: Duration,
        out: &mut Vec<Output>,
    ) {
        for extension in self.of_list(list) {
            let renewed = self.lines.get(&extension);
            if renewed
                .is_some_and(|line| line.state_due.is_none() && line.lease_until < now + remaining)
            {
                self.renew(now, &extension, remaining, out);
            }
        }
    }
}
