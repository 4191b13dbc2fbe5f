//! Changes of a person's Teams account.

use super::Person;
use crate::{
    TeamsAccount, TeamsAnswer, Timestamp, Timing, TraceId, Unreachable, answer_order::AnswerAge,
    mirror::Command, policy::Settings,
};

impl Person {
    /// Links an account. For a person who has one, it changes nothing: it does not prove that the account can
    /// be reached.
    pub(super) fn link(&mut self, now: Timestamp) {
        if !self.account.is_linked() {
            self.set_account(TeamsAccount::Linked, now);
        }
    }

    /// Unlinks the account.
    pub(super) fn unlink(&mut self, now: Timestamp) {
        self.set_account(TeamsAccount::None, now);
        self.forget_teams();
    }

    /// Records that the person's own sign-in has ended. The signals of Teams keep their leases.
    pub(super) fn end_login(&mut self, now: Timestamp) {
        if self.account.is_linked() {
            self.set_account(TeamsAccount::Unreachable(Unreachable::LoginEnded), now);
        }
    }

    /// Records that complete answers leave the account out: the signals of Teams end at once.
    pub(super) fn miss_account(&mut self, asked_at: Timestamp, now: Timestamp) {
        if self.account.is_linked() && self.mirror.on_account_missing(&mut self.signals, asked_at) {
            self.set_account(TeamsAccount::Unreachable(Unreachable::Missing), now);
        }
    }

    /// Applies an answer of Graph. It proves that the account can be reached, unless a newer answer left the
    /// account out.
    pub(super) fn observe_teams(
        &mut self,
        answer: TeamsAnswer,
        trace: Option<TraceId>,
        timing: &Timing,
        now: Timestamp,
    ) -> Vec<Command> {
        // The request was sent before the account was unlinked.
        if !self.account.is_linked() {
            return Vec::new();
        }
        if self.mirror.age_of(&answer) != AnswerAge::Overtaken {
            self.set_account(TeamsAccount::Linked, now);
        }
        let settings = Settings {
            policy: &self.policy,
            timing,
        };
        self.mirror
            .observe(&mut self.signals, settings, (answer, trace), now)
    }

    fn set_account(&mut self, account: TeamsAccount, now: Timestamp) {
        if account != self.account {
            self.account = account;
            self.teams_since = now;
        }
    }
}
