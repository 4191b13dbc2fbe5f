//! The dialogs of one extension, folded from full and partial documents (RFC 4235 §4.3).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::dialog_info::{Completeness, DIALOGS_MAX, Dialog, DialogInfo, DialogState};
use crate::order::Order;

/// How many ended dialogs are remembered: more than documents mention of one telephone at a time.
const ENDED_MAX: usize = 64;

/// How long a dialog may stay unanswered before it is no longer believed. A call is given up after
/// three minutes of ringing (timer C, RFC 3261 §16.6); a notifier that still tells of it has lost
/// track of its end, as Kamailio does when publications overtake each other.
pub const UNANSWERED_MAX: Duration = Duration::from_secs(300);

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The set now says what the document says.
    Applied,
    /// A partial document, but it does not continue the one before it: nothing was changed; refresh the
    /// subscription, a full document follows.
    Gap,
}

/// The live dialogs of one extension. Of ended ones only the names are kept, and only the latest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialogSet {
    order: Order,
    live: Vec<Dialog>,
    /// Id and Call-ID of dialogs that are over, the latest last.
    ended: VecDeque<(String, String)>,
    /// Since when each unanswered dialog that documents mention is known, by id and Call-ID.
    unanswered: BTreeMap<(String, Option<String>), Duration>,
}

impl DialogSet {
    /// A set of which nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new subscription has begun: versions start again, and what was known goes with the next document.
    pub fn restart(&mut self) {
        self.order = Order::Begun;
    }

    /// The notifier was asked for a full document and what it sends is a partial one again: that is where the set begins, if
    /// nothing is known yet.
    pub fn begin_without_full(&mut self) {
        if self.order.begin_without_full() {
            self.live.clear();
            self.unanswered.clear();
        }
    }

    /// Whether the notifier has only ever sent partial documents, also when asked: calls that it has not mentioned are unknown.
    pub fn lacks_full(&self) -> bool {
        self.order == Order::NeverFull
    }

    /// There is no dialog, as an empty NOTIFY says: a full document without a version.
    pub fn clear(&mut self) {
        self.order.admit(None, Completeness::Full);
        self.live.clear();
        self.unanswered.clear();
    }

    /// The dialogs that are not terminated.
    pub fn dialogs(&self) -> &[Dialog] {
        &self.live
    }

    /// Takes a document.
    pub fn fold(&mut self, now: Duration, document: DialogInfo) -> Fold {
        if !self
            .order
            .admit(Some(document.version), document.completeness)
        {
            return Fold::Gap;
        }
        match document.completeness {
            Completeness::Full => self.live.clear(),
            // Within a subscription the id alone names a dialog (RFC 4235 §4.1.2).
            Completeness::Partial => self
                .live
                .retain(|known| document.dialogs.iter().all(|d| d.id != known.id)),
        }
        let live = self.without_ended(document.dialogs);
        self.live.extend(live);
        // A document is bounded; many partial ones are not. The oldest go first.
        let excess = self.live.len().saturating_sub(DIALOGS_MAX);
        self.live.drain(..excess);
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
        self.expire(now);
        Fold::Applied
    }

    /// Drops what has been unanswered for longer than [`UNANSWERED_MAX`]; whether there was any.
    pub fn expire(&mut self, now: Duration) -> bool {
        let before = self.live.len();
        let unanswered = &self.unanswered;
        self.live
            .retain(|d| expiry(unanswered, d).is_none_or(|at| now < at));
        self.live.len() != before
    }

    /// When [`Self::expire`] has something to do.
    pub fn next_expiry(&self) -> Option<Duration> {
        self.live
            .iter()
            .filter_map(|d| expiry(&self.unanswered, d))
            .min()
    }

    /// The dialogs of one document that are not over.
    ///
    /// Kamailio's publications overtake each other: the same dialog comes twice in one document, its
    /// latest state beside a `Trying` that stays long after the call; or it comes back as `Trying`
    /// after it was terminated (both recorded from Kamailio 5.6). Entries with the same id and the same
    /// Call-ID are therefore one dialog, and the furthest of its states counts: a dialog never goes
    /// back (RFC 4235 §3.7.1), and no later call has its Call-ID (RFC 3261 §8.1.1.4). Without a
    /// Call-ID two entries with one id cannot be known to be the same call: any that is not
    /// terminated counts.
    fn without_ended(&mut self, dialogs: Vec<Dialog>) -> Vec<Dialog> {
        let mut distinct: Vec<Dialog> = Vec::with_capacity(dialogs.len());
        for dialog in dialogs {
            let same = |d: &&mut Dialog| {
                d.call_id.is_some() && d.call_id == dialog.call_id && d.id == dialog.id
            };
            match distinct.iter_mut().find(same) {
                Some(known) if known.state < dialog.state => *known = dialog,
                Some(_) => {}
                None => distinct.push(dialog),
            }
        }
        distinct.retain(|dialog| {
            let is_over = dialog.state == DialogState::Terminated;
            let Some(call_id) = &dialog.call_id else {
                return !is_over;
            };
            let known = self
                .ended
                .iter()
                .position(|(id, call)| *id == dialog.id && call == call_id);
            if is_over || known.is_some() {
                // To the end of the list: what documents still mention must not be forgotten.
                let name = known.and_then(|at| self.ended.remove(at));
                self.ended
                    .push_back(name.unwrap_or_else(|| (dialog.id.clone(), call_id.clone())));
                if self.ended.len() > ENDED_MAX {
                    self.ended.pop_front();
                }
            }
            !is_over && known.is_none()
        });
        distinct
    }
}

/// What tells a dialog from others within the set.
fn name(dialog: &Dialog) -> (String, Option<String>) {
    (dialog.id.clone(), dialog.call_id.clone())
}

fn expiry(
    unanswered: &BTreeMap<(String, Option<String>), Duration>,
    dialog: &Dialog,
) -> Option<Duration> {
    if dialog.state >= DialogState::Confirmed {
        return None;
    }
    unanswered
        .get(&name(dialog))
        .map(|since| *since + UNANSWERED_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dialog_info::tests::any_document;

    fn document(
        version: u64,
        completeness: Completeness,
        dialogs: &[(&str, DialogState)],
    ) -> DialogInfo {
        let dialogs = dialogs
            .iter()
            .map(|(id, state)| Dialog::new(*id, *state))
            .collect();
        DialogInfo {
            entity: "sip:a@b".into(),
            version,
            completeness,
            dialogs,
        }
    }

    const NOW: Duration = Duration::from_secs(1);

    use Completeness::{Full, Partial};
    use DialogState::{Confirmed, Early, Terminated, Trying};

    #[test]
    fn versions_decide_what_counts() {
        let mut set = DialogSet::new();
        assert_eq!(
            set.fold(NOW, document(5, Partial, &[("a", Early)])),
            Fold::Gap
        );
        assert_eq!(
            set.fold(NOW, document(5, Full, &[("a", Early), ("b", Trying)])),
            Fold::Applied
        );
        assert_eq!(set.fold(NOW, document(5, Partial, &[])), Fold::Gap);
        assert_eq!(set.fold(NOW, document(4, Partial, &[])), Fold::Gap);
        assert_eq!(
            set.fold(NOW, document(6, Partial, &[("a", Confirmed)])),
            Fold::Applied
        );
        assert_eq!(
            set.fold(NOW, document(8, Partial, &[("a", Terminated)])),
            Fold::Gap
        );
        assert_eq!(set.dialogs().len(), 2);
        assert_eq!(
            set.fold(NOW, document(7, Partial, &[("a", Terminated)])),
            Fold::Applied
        );
        assert_eq!(
            set.dialogs(),
            &document(0, Full, &[("b", Trying)]).dialogs[..]
        );
        assert_eq!(set.fold(NOW, document(20, Full, &[])), Fold::Applied);
        assert!(set.dialogs().is_empty());
        // A3: numbering began again.
        assert_eq!(
            set.fold(NOW, document(0, Full, &[("a", Confirmed)])),
            Fold::Applied
        );
        assert_eq!(set.dialogs().len(), 1);
        assert_eq!(set.fold(NOW, document(0, Full, &[])), Fold::Applied);
        assert!(set.dialogs().is_empty());
        set.restart();
        assert_eq!(
            set.fold(NOW, document(0, Full, &[("c", Early)])),
            Fold::Applied
        );
    }

    // A16
    #[test]
    fn without_a_full_document_the_set_begins_with_a_partial_one() {
        let mut set = DialogSet::new();
        set.fold(NOW, document(3, Full, &[("old", Confirmed)]));
        set.begin_without_full();
        assert_eq!(set.dialogs().len(), 1, "there is one already");
        set.restart();
        let gap = set.fold(NOW, document(0, Partial, &[("a", Early)]));
        assert_eq!((gap, set.lacks_full()), (Fold::Gap, false));
        set.begin_without_full();
        assert!(set.lacks_full() && set.dialogs().is_empty());
        for (state, live) in [(Early, 1), (Confirmed, 1), (Terminated, 0)] {
            let told = set.fold(NOW, document(0, Partial, &[("a", state)]));
            assert_eq!((told, set.dialogs().len()), (Fold::Applied, live));
        }
        set.fold(NOW, document(0, Full, &[]));
        assert!(!set.lacks_full());
    }

    #[test]
    fn the_same_dialog_twice_counts_once_and_two_unknown_ones_both() {
        let mut set = DialogSet::new();
        set.fold(NOW, document(1, Full, &[("a", Terminated), ("a", Trying)]));
        assert_eq!(set.dialogs().len(), 1);
        let mut same = document(2, Full, &[("a", Terminated), ("a", Trying)]);
        same.dialogs
            .iter_mut()
            .for_each(|d| d.call_id = Some("c".into()));
        set.fold(NOW, same.clone());
        assert!(set.dialogs().is_empty());
        same.version = 3;
        same.dialogs[1].call_id = Some("other".into());
        set.fold(NOW, same);
        assert_eq!(set.dialogs().len(), 1);
    }

    #[test]
    fn an_ended_dialog_does_not_come_back() {
        let call = |version, id: &str, state| {
            let mut document = document(version, Full, &[(id, state)]);
            document.dialogs[0].call_id = Some("c".into());
            document
        };
        let mut set = DialogSet::new();
        set.fold(NOW, call(1, "a", Terminated));
        set.fold(NOW, call(2, "a", Trying));
        assert!(set.dialogs().is_empty());
        set.fold(NOW, call(3, "b", Trying));
        assert_eq!(set.dialogs().len(), 1);
        // An id alone may be used again, as Asterisk does with every call.
        set.fold(NOW, document(4, Full, &[("x", Terminated)]));
        set.fold(NOW, document(5, Full, &[("x", Early)]));
        assert_eq!(set.dialogs().len(), 1);
        for n in 0..100 {
            set.fold(NOW, call(10 + n, &n.to_string(), Terminated));
        }
        assert_eq!(set.ended.len(), ENDED_MAX);
        // One that is mentioned all the time is not forgotten, however many others end.
        for n in 0..100u64 {
            let mut both = call(200 + n, "orphan", if n == 0 { Terminated } else { Trying });
            both.dialogs
                .extend(call(0, &format!("other{n}"), Terminated).dialogs);
            set.fold(NOW, both);
            assert!(set.dialogs().is_empty(), "{n}");
        }
    }

    #[test]
    fn what_rings_for_ever_is_not_believed() {
        let mut set = DialogSet::new();
        let ringing = |version| document(version, Full, &[("a", Trying), ("b", Confirmed)]);
        set.fold(NOW, ringing(1));
        assert_eq!(set.next_expiry(), Some(NOW + UNANSWERED_MAX));
        assert!(!set.expire(NOW + UNANSWERED_MAX - Duration::from_millis(1)));
        assert!(set.expire(NOW + UNANSWERED_MAX));
        assert_eq!((set.dialogs().len(), set.next_expiry()), (1, None));
        // Mentioned again it is as old as before; once it was gone it may ring anew.
        set.fold(NOW + UNANSWERED_MAX * 2, ringing(2));
        assert_eq!(set.dialogs().len(), 1);
        set.fold(NOW + UNANSWERED_MAX * 2, document(3, Full, &[]));
        set.fold(NOW + UNANSWERED_MAX * 2, ringing(4));
        assert_eq!(set.dialogs().len(), 2);
    }

    #[test]
    fn the_number_of_dialogs_is_bounded() {
        let mut set = DialogSet::new();
        set.fold(NOW, document(0, Full, &[]));
        for version in 1..=(DIALOGS_MAX as u64 + 10) {
            set.fold(
                NOW,
                document(version, Partial, &[(&version.to_string(), Early)]),
            );
        }
        assert_eq!(set.dialogs().len(), DIALOGS_MAX);
    }

    proptest! {
        /// However the documents came, a full one with a higher version makes the set say exactly what it says.
        #[test]
        fn a_newer_full_document_decides_alone(before in proptest::collection::vec(any_document(), 0..10), mut last in any_document()) {
            let mut set = DialogSet::new();
            for document in before {
                set.fold(NOW, document);
                prop_assert!(set.dialogs().iter().all(|d| d.state != Terminated));
            }
            last.completeness = Full;
            last.version = 1000;
            // Other calls than those before; ended ones do not come back.
            last.dialogs.iter_mut().for_each(|d| d.call_id = d.call_id.take().map(|c| format!("later {c}")));
            let mut alone = DialogSet::new();
            alone.fold(NOW, last.clone());
            prop_assert_eq!(set.fold(NOW, last), Fold::Applied);
            prop_assert_eq!(set.dialogs(), alone.dialogs());
        }
    }
}
