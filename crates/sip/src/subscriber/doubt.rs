//! Unconfirmed state is unknown state: NOTIFYs with old numbers or unusable documents.

use std::time::Duration;

use super::{Action, Phase, Subscriber, Trouble};
use crate::transaction::TIMEOUT;

/// How long to wait for a document that counts after one that did not, once the notifier has accepted the renewal that asks
/// for the whole state. Another NOTIFY may have overtaken the document.
const OVERDUE_WAIT: Duration = Duration::from_secs(5);

/// Doubt about the state since a NOTIFY that did not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The last NOTIFY counted.
    #[default]
    None,
    /// A renewal that brings the whole state is planned or under way.
    Asking,
    /// The notifier has accepted the renewal: the whole state is due.
    Due,
    /// A later NOTIFY did not count either.
    Overdue,
}

/// The fields that a NOTIFY changes, with their earlier values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    known_until: Option<Duration>,
    notify_by: Option<Duration>,
    doubt: Doubt,
}

impl Subscriber {
    /// Whether the document of the last [`Action::Notified`] answers a renewal that asked for the whole state: the notifier
    /// will not send a better one.
    pub fn is_whole_due(&self) -> bool {
        let before = self.before.map(|before| before.doubt);
        matches!(before, Some(Doubt::Due | Doubt::Overdue))
    }

    /// Counts a NOTIFY: its state is valid until `expires_at`.
    pub(super) fn confirm(&mut self, expires_at: Duration) {
        self.before = Some(Before {
            known_until: self.known_until,
            notify_by: self.notify_by.take(),
            doubt: std::mem::take(&mut self.doubt),
        });
        // The NOTIFY follows a renewal, and not only the first SUBSCRIBE.
        let is_renewal = self.known_until.is_some();
        if is_renewal && self.before.is_some_and(|before| before.notify_by.is_some()) {
            self.skips_notify = false;
        }
        self.known_until = Some(expires_at);
        if let Some(pending) = &mut self.pending {
            pending.confirmed = true;
        }
    }

    /// Takes back the confirmation by the last NOTIFY, and asks for the whole state or begins a new subscription.
    pub(super) fn on_unusable(&mut self, now: Duration, out: &mut Vec<Action>) {
        let Some(before) = self.before.take() else {
            return;
        };
        self.known_until = before.known_until;
        self.notify_by = before.notify_by;
        self.doubt = before.doubt;
        if let Some(pending) = &mut self.pending {
            pending.confirmed = false;
        }
        match self.doubt {
            Doubt::None => self.doubt(now),
            Doubt::Asking => {}
            Doubt::Due => {
                self.doubt = Doubt::Overdue;
                self.wait_for_notify(now + OVERDUE_WAIT);
            }
            Doubt::Overdue => {
                let pause = self.pause_unless_settled(now);
                self.lose(now, Trouble::Unconfirmed, pause, out);
            }
        }
    }

    /// Handles a document that was used but lacks a part.
    pub(super) fn on_incomplete(&mut self, now: Duration) {
        if self.phase == Phase::Active && self.doubt == Doubt::None {
            self.doubt = Doubt::Asking;
            self.urge(now);
        }
    }

    /// Handles a vanished call: the answer to a renewal decides. The renewal does not wait, except for the floor; a NOTIFY
    /// that overtakes its answer is not a new reason to ask.
    pub(super) fn on_vanished(&mut self, now: Duration) {
        if self.is_whole_due() {
            return;
        }
        if self
            .before
            .is_some_and(|before| before.doubt == Doubt::None)
        {
            self.urged = 0;
        }
        self.on_incomplete(now);
    }

    /// Asks for the whole state, which must arrive in time.
    pub(super) fn doubt(&mut self, now: Duration) {
        self.doubt = Doubt::Asking;
        if self.phase == Phase::Active {
            self.wait_for_notify(now + TIMEOUT);
            self.urge(now);
        }
    }

    /// Handles a NOTIFY with a CSeq that is not higher than the last. The first may be late; a second one of the same kind
    /// means that the notifier counts from the beginning again, or does not count at all.
    pub(super) fn on_old_number(&mut self, now: Duration, number: u32, out: &mut Vec<Action>) {
        let Some(dialog) = &mut self.dialog else {
            return;
        };
        let is_again = dialog
            .refused
            .is_some_and(|refused| match dialog.remote_cseq {
                Some(known) if number == known => refused == known,
                _ => refused < number,
            });
        dialog.refused = Some(number);
        if is_again {
            let pause = self.pause_unless_settled(now);
            self.lose(now, Trouble::Numbering, pause, out);
        } else if self.doubt == Doubt::None {
            self.doubt(now);
        }
    }

    /// Sets timer N: without a NOTIFY that counts by then, or by the end of the lease, the subscription is lost.
    pub(super) fn wait_for_notify(&mut self, by: Duration) {
        let ends = self.known_until.unwrap_or(Duration::MAX);
        let by = by.min(ends);
        self.notify_by = Some(self.notify_by.map_or(by, |earlier| earlier.min(by)));
    }

    /// Renews out of turn, at once or with growing distance from the last request.
    pub(super) fn urge(&mut self, now: Duration) {
        if !self.is_asking() {
            let at = self.floor.urgent(now, self.urged, &mut self.ids);
            self.urged = self.urged.saturating_add(1);
            self.refresh_by(at.max(self.floor.free_at()));
        }
    }
}
