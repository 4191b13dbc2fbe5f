//! Health of the lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sip::software::Software;

use super::{Line, Lines, Note, Trouble};

impl Lines {
    pub(in crate::sip_connector) fn len(&self) -> usize {
        let lines = self.lines.iter();
        lines
            .filter(|(name, line)| !line.leaving && !self.is_list(name))
            .count()
    }

    /// Number of lines with a known state.
    pub(in crate::sip_connector) fn active(&self) -> usize {
        match self.lists.is_empty() {
            true => self.active,
            false => self.lines.values().filter(|l| l.state.is_some()).count(),
        }
    }

    pub(in crate::sip_connector) fn line_trouble(&self) -> &BTreeMap<Arc<str>, Trouble> {
        &self.line_trouble
    }

    /// The lines of [`Self::line_trouble`] with a known state.
    pub(in crate::sip_connector) fn partly_understood(&self) -> BTreeSet<Arc<str>> {
        let is_known = |extension: &&Arc<str>| {
            let line = self.lines.get(*extension);
            let has_subscription =
                |line: &Line| !self.lists.is_empty() || line.subscriber.is_active();
            line.is_some_and(|line| line.state.is_some() && has_subscription(line))
        };
        self.line_trouble.keys().filter(is_known).cloned().collect()
    }

    /// Number of lines with neither a state nor trouble yet.
    pub(in crate::sip_connector) fn pending(&self) -> usize {
        let is_down = |list| {
            let list: Option<&Line> = self.lines.get(list);
            list.is_some_and(|list| !list.subscriber.is_active() && list.trouble.is_some())
        };
        // The trouble of a list is the trouble of each line that may be on it.
        let any_down = self.lists.iter().any(is_down);
        let awaited = self.lines.iter().filter(|(name, line)| {
            let is_unknown = line.state.is_none() && line.trouble.is_none();
            let is_explained = any_down && line.list.is_none();
            is_unknown && !is_explained && !line.leaving && !self.is_list(name)
        });
        awaited.count()
    }

    /// The software named by the latest answer.
    pub(in crate::sip_connector) fn software(&self) -> Software {
        self.software
    }

    /// Removes and returns the notes for the log.
    pub(in crate::sip_connector) fn take_notes(&mut self) -> Vec<Note> {
        self.notes.take()
    }

    /// Whether there are notes for the log.
    pub(in crate::sip_connector) fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    /// Whether health has changed since the last call.
    pub(in crate::sip_connector) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}
