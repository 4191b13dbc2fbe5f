//! The dialogs of one extension, folded from full and partial documents (RFC 4235 §4.3).
//!
//! Ids do not identify dialogs as RFC 4235 §4.1.2 demands: Asterisk uses the extension, FreeSWITCH reports one call under
//! the id of another, forks share one. A dialog is therefore identified by id, Call-ID and both tags; a missing part matches
//! any.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    dialog_info::{
        Completeness, DIALOGS_MAX, Dialog, DialogInfo, DialogState, Participant, Unread,
    },
    order::Order,
};

mod names;

use names::EndedDialog;

/// Most ended dialogs that are remembered: more than documents mention of one phone at a time.
const ENDED_MAX: usize = 64;

/// Longest time for which an unanswered dialog counts. A call ends after three minutes of ringing (timer C, RFC 3261 §16.6);
/// a notifier that still reports it has missed its end, as Kamailio does when publications overtake each other.
pub const UNANSWERED_MAX: Duration = Duration::from_secs(300);

/// The same for an answered dialog that documents call early: during a call, a second call with the same id (Asterisk) may
/// ring as long as a queue lets it.
pub const RINGS_AGAIN_MAX: Duration = Duration::from_secs(3_600);

/// The effect of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The set has the dialogs of the document.
    Applied,
    /// Applied, but confirmed dialogs are missing that were never terminated. The set keeps them until [`DialogSet::settle`]
    /// or the next document: refresh the subscription to learn whether they are over.
    Doubted,
    /// A partial document that does not continue the one before it: the set is unchanged; refresh the subscription to get a
    /// full document.
    Gap,
}

/// The content of a notifier's full documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FullDocuments {
    /// All dialogs (RFC 4235 §4.1).
    #[default]
    AllDialogs,
    /// Only the dialog that changed last, as with FreeSWITCH: a ringing dialog is no news of an answered one. `terminated`
    /// comes when no dialog is left on the same profile of the same node, so that dialogs under other ids are doubted.
    LastChange,
}

/// The meaning of a confirmed dialog's absence from a full document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vanished {
    /// The dialog is over (RFC 4235 §4.1).
    Over,
    /// The dialog may be over: FreeSWITCH sends empty documents in the middle of a call.
    Doubtful,
}

/// The live dialogs of one extension. Of ended dialogs only the latest names are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialogSet {
    order: Order,
    live: Vec<Dialog>,
    /// Dialogs that are live only because no document contained `terminated`.
    doubted: Vec<Dialog>,
    /// Ids of dialogs that do not count as live but have an unreadable state.
    unclear: Vec<String>,
    /// The last full document had unreadable parts.
    has_more: bool,
    /// The names of ended dialogs, the latest last.
    ended: VecDeque<EndedDialog>,
    /// When each unanswered dialog in documents was first seen, by id and Call-ID.
    unanswered: BTreeMap<Name, Duration>,
    /// When an answered dialog that documents call unanswered stops counting.
    rings_again: BTreeMap<Name, Duration>,
}

impl DialogSet {
    /// An empty set before the first document.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts again for a new subscription: versions start again, and the next document replaces all dialogs.
    pub fn restart(&mut self) {
        self.order = Order::Begun;
    }

    /// Handles a partial document in answer to a request for a full one: if no document has counted yet, the set begins with
    /// it.
    pub fn begin_without_full(&mut self) {
        if self.order.begin_without_full() {
            self.live.clear();
            self.doubted.clear();
            self.unclear.clear();
            self.has_more = false;
            self.unanswered.clear();
            self.rings_again.clear();
        }
    }

    /// Whether the notifier has only ever sent partial documents, even on request: calls missing in them are unknown.
    pub fn lacks_full(&self) -> bool {
        self.order == Order::NeverFull
    }

    /// The dialogs that are not terminated.
    pub fn dialogs(&self) -> &[Dialog] {
        &self.live
    }

    /// Whether every dialog in documents is known; otherwise there may be calls that are missing in the set.
    pub fn is_whole(&self) -> bool {
        self.unclear.is_empty() && !self.has_more
    }

    /// Applies a document by the rules of RFC 4235.
    pub fn fold(&mut self, now: Duration, document: DialogInfo) -> Fold {
        let full = FullDocuments::AllDialogs;
        self.fold_from(now, document, full, Vanished::Over)
    }

    /// Applies a document of a notifier with known deviations from RFC 4235.
    pub fn fold_from(
        &mut self,
        now: Duration,
        mut document: DialogInfo,
        full: FullDocuments,
        vanished: Vanished,
    ) -> Fold {
        let has_base = self.order != Order::Begun;
        if !self.order.admit(document.version, document.completeness) {
            return Fold::Gap;
        }
        let known = std::mem::take(&mut self.live);
        let known = if has_base { known } else { Vec::new() };
        if full == FullDocuments::LastChange {
            held_is_answered(&mut document.dialogs);
        }
        let turned = never_back(&known, &mut document.dialogs);
        self.mark_rings_again(now, &document.dialogs, turned);
        self.keep(known, &document, full, vanished);
        self.mark_unread(document.completeness, &document.dialogs, document.unread);
        let live = self.without_ended(document.dialogs);
        self.live.extend(live);
        // A document is bounded, but many partial ones are not. The oldest dialogs go first.
        let excess = self.live.len().saturating_sub(DIALOGS_MAX);
        self.live.drain(..excess);
        self.mark_unanswered(now);
        self.expire(now);
        match self.doubted.is_empty() {
            true => Fold::Applied,
            false => Fold::Doubted,
        }
    }

    /// Whether there are dialogs that vanished without `terminated`.
    pub fn is_doubted(&self) -> bool {
        !self.doubted.is_empty()
    }

    /// Ends the doubted dialogs.
    pub fn settle(&mut self) {
        let doubted = std::mem::take(&mut self.doubted);
        self.live.retain(|dialog| !doubted.contains(dialog));
    }

    /// Removes dialogs unanswered for longer than [`UNANSWERED_MAX`]; returns whether there was one.
    pub fn expire(&mut self, now: Duration) -> bool {
        let before = self.live.len();
        let (unanswered, rings_again) = (&self.unanswered, &self.rings_again);
        self.live
            .retain(|d| expiry(unanswered, rings_again, d).is_none_or(|at| now < at));
        self.live.len() != before
    }

    /// When [`Self::expire`] is due.
    pub fn next_expiry(&self) -> Option<Duration> {
        self.live
            .iter()
            .filter_map(|d| expiry(&self.unanswered, &self.rings_again, d))
            .min()
    }

    /// Keeps the known dialogs that a document does not mention, unless their absence means their end.
    fn keep(
        &mut self,
        known: Vec<Dialog>,
        document: &DialogInfo,
        full: FullDocuments,
        vanished: Vanished,
    ) {
        let reported = &document.dialogs;
        let unread = &document.unread;
        if document.completeness == Completeness::Partial {
            let is_replaced = |dialog: &Dialog| reported.iter().any(|t| names::replaces(t, dialog));
            self.live = known;
            self.live.retain(|dialog| !is_replaced(dialog));
            self.doubted.retain(|dialog| !is_replaced(dialog));
            return;
        }
        self.doubted.clear();
        let says_live = reported.iter().any(|t| t.state != DialogState::Terminated);
        let is_last_change = full == FullDocuments::LastChange;
        for dialog in known {
            if reported.iter().any(|t| names::same(t, &dialog)) {
                continue;
            }
            let is_confirmed = dialog.state == DialogState::Confirmed;
            if unread.more || unread.dialogs.contains(&dialog.id) {
                self.live.push(dialog);
            } else if !is_confirmed {
                // A dialog that rang and is absent has stopped ringing.
            } else if is_last_change && (says_live || !unread.dialogs.is_empty()) {
                self.live.push(dialog);
            } else if vanished == Vanished::Doubtful {
                self.doubted.push(dialog.clone());
                self.live.push(dialog);
            }
        }
    }

    /// Records the dialogs in a document that cannot be understood.
    fn mark_unread(&mut self, completeness: Completeness, reported: &[Dialog], unread: Unread) {
        match completeness {
            Completeness::Full => {
                self.unclear.clear();
                self.has_more = unread.more;
            }
            Completeness::Partial => {
                self.unclear
                    .retain(|id| reported.iter().all(|t| t.id != *id));
                self.has_more |= unread.more;
            }
        }
        for id in unread.dialogs {
            let is_known = !id.is_empty()
                && (self.live.iter().any(|d| d.id == id) || self.unclear.contains(&id));
            if !is_known && self.unclear.len() < DIALOGS_MAX {
                self.unclear.push(id);
            }
        }
    }

    fn mark_unanswered(&mut self, now: Duration) {
        let unanswered = self
            .live
            .iter()
            .filter(|d| d.state < DialogState::Confirmed)
            .map(|dialog| {
                let name = name(dialog);
                let since = self.unanswered.get(&name).copied().unwrap_or(now);
                (name, since)
            });
        self.unanswered = unanswered.collect();
    }

    /// Records the answered dialogs that a document calls unanswered. Each may be a second call with the same id, or the
    /// notifier has missed the end of the first.
    fn mark_rings_again(
        &mut self,
        now: Duration,
        reported: &[Dialog],
        turned: Vec<(Name, DialogState)>,
    ) {
        let reported: Vec<Name> = reported.iter().map(name).collect();
        let is_turned = |name: &Name| turned.iter().any(|(turned, _)| turned == name);
        self.rings_again
            .retain(|name, _| is_turned(name) || !reported.contains(name));
        for (name, state) in turned {
            let until = now
                + match state {
                    DialogState::Early => RINGS_AGAIN_MAX,
                    DialogState::Trying
                    | DialogState::Proceeding
                    | DialogState::Confirmed
                    | DialogState::Terminated => UNANSWERED_MAX,
                };
            let known = self.rings_again.entry(name).or_insert(until);
            *known = until.min(*known);
        }
        // A document is bounded, but many partial ones are not.
        while self.rings_again.len() > DIALOGS_MAX {
            self.rings_again.pop_first();
        }
    }

    /// The dialogs of one document that are not over.
    ///
    /// Kamailio's publications overtake each other: the same dialog comes twice in one document, its latest state beside a
    /// `Trying` that stays long after the call; or it comes back as `Trying` after it was terminated (both recorded from
    /// Kamailio 5.6; no other state was). Entries with the same id, the same Call-ID and no different tags are therefore one
    /// dialog, and the furthest of its states counts: a dialog never goes back (RFC 4235 §3.7.1), and no later call has its
    /// Call-ID (RFC 3261 §8.1.1.4). Different tags are the branches of a forked call: one is answered, the others are
    /// terminated. Two entries with one id and no Call-ID may be different calls: any that is not terminated counts.
    fn without_ended(&mut self, dialogs: Vec<Dialog>) -> Vec<Dialog> {
        let mut distinct: Vec<Dialog> = Vec::with_capacity(dialogs.len());
        for dialog in dialogs {
            let same = |d: &&mut Dialog| {
                d.call_id.is_some() && d.call_id == dialog.call_id && names::same(d, &dialog)
            };
            match distinct.iter_mut().find(same) {
                Some(known) if known.state < dialog.state => *known = dialog,
                Some(_) => {}
                None => distinct.push(dialog),
            }
        }
        distinct.retain(|dialog| {
            let is_over = dialog.state == DialogState::Terminated;
            let Some(name) = EndedDialog::of(dialog) else {
                return !is_over;
            };
            let known = self.ended.iter().position(|ended| ended.is_of(&name));
            if matches!(dialog.state, DialogState::Early | DialogState::Confirmed) {
                // A queue calls a phone again and again with one Call-ID: the dialog is live again.
                if let Some(at) = known {
                    self.ended.remove(at);
                }
                return true;
            }
            if is_over || known.is_some() {
                // Moves the name to the end of the list: names that documents still mention must not be forgotten.
                let name = known.and_then(|at| self.ended.remove(at)).unwrap_or(name);
                self.ended.push_back(name);
                if self.ended.len() > ENDED_MAX {
                    self.ended.pop_front();
                }
            }
            !is_over && known.is_none()
        });
        distinct
    }
}

/// An answered dialog does not ring again (RFC 4235 §3.7.1: only `terminated` follows `confirmed`). FreeSWITCH reports
/// `early` for a dialog on hold, Asterisk for an extension that is called during a call; overtaken publications do too. The
/// dialog stays confirmed with its party and takes over the hold state. Returns the names of the dialogs without a reported
/// hold.
fn never_back(known: &[Dialog], reported: &mut [Dialog]) -> Vec<(Name, DialogState)> {
    let mut turned = Vec::new();
    for at in 0..reported.len() {
        let Some(dialog) = reported.get(at) else {
            return turned;
        };
        if dialog.state >= DialogState::Confirmed {
            continue;
        }
        let is_settled = |t: &Dialog| t.state >= DialogState::Confirmed && names::same(t, dialog);
        if reported.iter().any(is_settled) {
            continue;
        }
        let is_answered = |d: &&Dialog| d.state == DialogState::Confirmed && names::same(d, dialog);
        let Some(answered) = known.iter().find(is_answered) else {
            continue;
        };
        let mut answered = answered.clone();
        let rendering = dialog.local.as_ref().and_then(|local| local.rendering);
        if rendering.is_some() {
            let local = answered.local.get_or_insert_with(Participant::default);
            local.rendering = rendering;
        }
        if let Some(dialog) = reported.get_mut(at) {
            if rendering != Some(false) {
                turned.push((name(dialog), dialog.state));
            }
            *dialog = answered;
        }
    }
    turned
}

/// FreeSWITCH reports `early` for a dialog on hold (its setting `presence-hold-state`), even to a new subscriber that has
/// not seen it confirmed. A ringing dialog renders.
fn held_is_answered(reported: &mut [Dialog]) {
    for dialog in reported {
        if dialog.state < DialogState::Confirmed && dialog.is_held() {
            dialog.state = DialogState::Confirmed;
        }
    }
}

/// Id and Call-ID.
type Name = (String, Option<String>);

/// The part of a dialog's name that identifies it in the ages.
fn name(dialog: &Dialog) -> Name {
    (dialog.id.clone(), dialog.call_id.clone())
}

/// When a dialog that documents call unanswered stops counting.
fn expiry(
    unanswered: &BTreeMap<Name, Duration>,
    rings_again: &BTreeMap<Name, Duration>,
    dialog: &Dialog,
) -> Option<Duration> {
    if dialog.state >= DialogState::Confirmed {
        // The maps are mostly empty: no name is built then.
        return match rings_again.is_empty() {
            true => None,
            false => rings_again.get(&name(dialog)).copied(),
        };
    }
    let since = unanswered.get(&name(dialog));
    since.map(|since| *since + UNANSWERED_MAX)
}

#[cfg(test)]
mod tests;
