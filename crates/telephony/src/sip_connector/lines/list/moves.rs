//! Lines that move from one list to another, or to none.
//!
//! A PBX does not send a list again when another list loses a line, so Offhook refreshes it and takes the line from its
//! answer.

use std::{sync::Arc, time::Duration};

use sip::subscriber::Event;

use super::{
    super::{Lines, Output},
    instances::Instances,
};

impl Lines {
    /// Whether this list provides the documents of a line: a line on two lists would be reported twice, in versions that do
    /// not follow one another. A list with a document takes the line from a list that leaves it unknown.
    pub(super) fn claim(
        &mut self,
        extension: &Arc<str>,
        list: &Arc<str>,
        instances: &Instances<'_>,
    ) -> bool {
        let Some(line) = self.lines.get_mut(extension) else {
            return false;
        };
        let is_others = line.list.as_ref().is_some_and(|of| of != list);
        if is_others && !(line.state.is_none() && instances.have_documents()) {
            return false;
        }
        if is_others || line.list.is_none() {
            line.list = Some(list.clone());
            line.dialogs.restart();
        }
        true
    }

    /// Handles the lost subscription of a list: another list may have its lines. Returns these lines.
    pub(in super::super) fn leave_list(
        &mut self,
        now: Duration,
        list: &Arc<str>,
        out: &mut Vec<Output>,
    ) -> Vec<Arc<str>> {
        let left = self.of_list(list);
        for extension in &left {
            if let Some(line) = self.lines.get_mut(extension) {
                line.list = None;
                line.state_due = None;
            }
        }
        self.has_answered(list);
        self.refresh_other_lists(now, list, &left, out);
        left
    }

    /// Refreshes the other lists for lines that this list no longer has.
    pub(super) fn refresh_other_lists(
        &mut self,
        now: Duration,
        list: &Arc<str>,
        lost: &[Arc<str>],
        out: &mut Vec<Output>,
    ) {
        if lost.is_empty() || self.account.is_none() {
            return;
        }
        for other in self.lists.clone().iter().filter(|other| *other != list) {
            let line = self.lines.get_mut(other);
            // An inactive list sends everything when it becomes active again.
            if let Some(line) = line.filter(|line| line.subscriber.is_active() && !line.leaving) {
                line.is_refreshed_for_moves = true;
                self.run(now, other, Event::Incomplete, out);
            }
        }
    }

    /// Handles a NOTIFY with all lines of the list, or the loss of its subscription.
    pub(super) fn has_answered(&mut self, list: &Arc<str>) {
        if let Some(line) = self.lines.get_mut(list) {
            line.is_refreshed_for_moves = false;
        }
    }

    /// Reports the lines that are on no list, once a NOTIFY of each list has come.
    pub(super) fn lose_unlisted(&mut self, out: &mut Vec<Output>) {
        let is_told = |list: &Arc<str>| {
            self.lines.get(list).is_some_and(|line| {
                line.subscriber.is_active()
                    && line.trouble.is_none()
                    && !line.is_refreshed_for_moves
            })
        };
        if !self.lists.iter().all(is_told) {
            return;
        }
        let lines = self.lines.iter();
        let unlisted = lines.filter(|(name, line)| line.list.is_none() && !self.is_list(name));
        let unlisted: Vec<Arc<str>> = unlisted.map(|(name, _)| name.clone()).collect();
        for extension in unlisted {
            let trouble = self.words.not_listed(&extension, &self.lists);
            self.lose(&extension, trouble, out);
        }
    }
}
