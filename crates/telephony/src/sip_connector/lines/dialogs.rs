//! The dialogs of one line, by each server of a list that reports it (RFC 4662 §5.3).

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use presence::LineState;
use sip::{dialog_info::Dialog, dialog_set::DialogSet};

use crate::line_state::{line_state, other_party};

/// A set of dialogs for a line; where a list has several instances of it, a set for each, and the line is their union.
#[derive(Debug, Default)]
pub(super) struct Dialogs {
    single: DialogSet,
    instances: BTreeMap<String, DialogSet>,
}

impl Dialogs {
    /// The set of a line that has one.
    pub(super) fn single(&mut self) -> &mut DialogSet {
        self.instances.clear();
        &mut self.single
    }

    /// The set of one of several instances.
    pub(super) fn instance(&mut self, id: &str) -> &mut DialogSet {
        if self.instances.is_empty() {
            self.single = DialogSet::new();
        }
        self.instances.entry(id.to_owned()).or_default()
    }

    /// Whether an instance of this name is one of several.
    pub(super) fn has_instance(&self, id: &str) -> bool {
        self.instances.contains_key(id)
    }

    /// Forgets the instances that are gone.
    pub(super) fn retain_instances(&mut self, is_there: impl Fn(&str) -> bool) {
        self.instances.retain(|id, _| is_there(id));
    }

    /// Forgets an instance with an unusable document.
    pub(super) fn forget_instance(&mut self, id: &str) {
        self.instances.remove(id);
    }

    /// Starts again for a new subscription.
    pub(super) fn restart(&mut self) {
        self.each(DialogSet::restart);
    }

    /// Whether the notifier has never sent a full document, also when asked.
    pub(super) fn lacks_full(&self) -> bool {
        self.sets().any(DialogSet::lacks_full)
    }

    /// Whether there are dialogs that vanished without `terminated`.
    pub(super) fn is_doubted(&self) -> bool {
        self.sets().any(DialogSet::is_doubted)
    }

    /// Ends the doubted dialogs.
    pub(super) fn settle(&mut self) {
        self.each(DialogSet::settle);
    }

    /// Removes dialogs that have been ringing for too long; returns whether there was one.
    pub(super) fn expire(&mut self, now: Duration) -> bool {
        let mut any = false;
        self.each(|set| any |= set.expire(now));
        any
    }

    /// When [`Self::expire`] is due.
    pub(super) fn next_expiry(&self) -> Option<Duration> {
        self.sets().filter_map(DialogSet::next_expiry).min()
    }

    /// The state of the line; `None` if all its dialogs are unreadable, since it may be in a call.
    pub(super) fn state(&self) -> Option<LineState> {
        let state = line_state(&self.live());
        let is_known = state != LineState::Idle || self.sets().all(DialogSet::is_whole);
        is_known.then_some(state)
    }

    /// The party at the other end of the dialog that decides the state.
    pub(super) fn party(&self) -> Option<Arc<str>> {
        other_party(&self.live())
    }

    fn live(&self) -> Cow<'_, [Dialog]> {
        if self.instances.is_empty() {
            return Cow::Borrowed(self.single.dialogs());
        }
        let live = self.sets().flat_map(DialogSet::dialogs);
        Cow::Owned(live.cloned().collect())
    }

    fn sets(&self) -> impl Iterator<Item = &DialogSet> {
        std::iter::once(&self.single).chain(self.instances.values())
    }

    fn each(&mut self, mut with: impl FnMut(&mut DialogSet)) {
        with(&mut self.single);
        self.instances.values_mut().for_each(with);
    }
}
