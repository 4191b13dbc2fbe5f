//! Trouble of single lines and of the account: from an answer to the gate and to the text.

use std::{sync::Arc, time::Duration};

use sip::{digest::Evidence, subscriber};

use super::{
    super::gate::{Hold, is_refusal},
    Line, Lines, Trouble,
};
use crate::phone_system::LoginFault;

impl Lines {
    /// Trouble of the account, and thus of every line.
    pub(in crate::sip_connector) fn account_trouble(&self) -> Option<Trouble> {
        let trouble = self.pace.gate.trouble();
        trouble.map(|trouble| self.words.account(trouble))
    }

    /// The reason for which the account is refused.
    pub(in crate::sip_connector) fn login_fault(&self) -> Option<LoginFault> {
        match self.pace.gate.trouble()? {
            subscriber::Trouble::WrongCredentials { .. } => Some(LoginFault::WrongCredentials),
            _ => Some(LoginFault::Other),
        }
    }

    /// Whether other requests may carry the account's credentials: not while a line is about to prove them, nor after they
    /// were proven wrong.
    pub(in crate::sip_connector) fn hold(&self) -> Hold {
        let is_wrong = self.login_fault() == Some(LoginFault::WrongCredentials);
        match self.account.is_some() {
            true if is_wrong => Hold::Closed,
            true => self.pace.hold(),
            false => Hold::Free,
        }
    }

    /// Applies an answer's evidence about the account's credentials.
    pub(super) fn weigh(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        evidence: Option<Evidence>,
    ) {
        let gate = &mut self.pace.gate;
        if evidence == Some(Evidence::Accepted) {
            self.changed |= gate.trouble().is_some();
            gate.accepted();
            if let Some(line) = self.lines.get_mut(extension) {
                line.is_refused = false;
            }
        } else if let Some(refusal) = gate.refusal(evidence) {
            self.refuse(now, extension, &refusal);
        }
    }

    /// Handles the refusal of a line's credentials.
    fn refuse(&mut self, now: Duration, extension: &Arc<str>, trouble: &subscriber::Trouble) {
        let total = match self.lists.len() {
            0 => self.lines.len(),
            lists => lists,
        };
        if let Some(line) = self.lines.get_mut(extension) {
            line.is_refused = true;
        }
        self.pace.gate.refused(now, extension, trouble, total);
        self.changed = true;
    }

    pub(super) fn on_trouble(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        was_active: bool,
        trouble: &subscriber::Trouble,
    ) {
        use subscriber::Trouble as T;
        if is_refusal(trouble) {
            self.refuse(now, extension, trouble);
        }
        let is_active = |line: &Line| line.subscriber.is_active();
        if was_active && !self.lines.get(extension).is_some_and(is_active) {
            // The PBX may have restarted, with another password, and many lines may be lost together.
            self.pace.gate.doubt(now);
        }
        if *trouble == T::Forgotten && was_active {
            self.suspect_restart(now);
        }
        let line = self.lines.get(extension);
        // The trouble of the last document names the cause.
        let has_words = line.is_some_and(|line| line.trouble.is_some());
        if *trouble == T::Unconfirmed && has_words {
            return;
        }
        if *trouble == T::Forgotten && line.is_some_and(|line| line.queued) {
            // A new subscription begins at once; if that fails, its own trouble is reported.
            return;
        }
        let (words, software) = (&self.words, self.software);
        let words = match self.is_list(extension) {
            true => words.list_subscription(extension, trouble, software),
            false if self.pace.gate.is_accepted_elsewhere() => {
                words.line_alone(extension, trouble, software)
            }
            false => words.subscription(extension, trouble, software),
        };
        self.set_trouble(extension, Some(words));
    }
}
