//! What happens to a person's Teams account.

use super::Person;
use crate::{
    TeamsAccount, TeamsAnswer, Timestamp, Timing, Unreachable, answer_order::AnswerAge,
    mirror::Command, policy::Settings,
};

impl Person {
    /// An account was found. Repeated for one that is known, it says nothing about whether that can be reached.
    pub(super) fn link(&mut self, now: Timestamp) {
        if !self.account.is_linked() {
            self.set_account(TeamsAccount::Linked, now);
        }
    }

    /// The person has no account any more.
    pub(super) fn unlink(&mut self, now: Timestamp) {
        self.set_account(TeamsAccount::None, now);
        self.forget_teams();
    }

    /// The person's own login has ended. The signals of Teams keep their leases.
    pub(super) fn end_login(&mut self, now: Timestamp) {
        if self.account.is_linked() {
            self.set_account(TeamsAccount::Unreachable(Unreachable::LoginEnded), now);
        }
    }

    /// Complete answers leave the account out: the signals of Teams end at once.
    pub(super) fn miss_account(&mut self, asked_at: Timestamp, now: Timestamp) {
        if self.account.is_linked() && self.mirror.on_account_missing(&mut self.signals, asked_at) {
            self.set_account(TeamsAccount::Unreachable(Unreachable::Missing), now);
        }
    }

    /// Takes in an answer of Graph. It shows that the account can be reached, unless a newer one left it out.
    pub(super) fn observe_teams(
        &mut self,
        answer: TeamsAnswer,
        timing: &Timing,
        now: Timestamp,
    ) -> Vec<Command> {
        // It was under way when the account was taken away.
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
            .observe(&mut self.signals, settings, answer, now)
    }

    fn set_account(&mut self, account: TeamsAccount, now: Timestamp) {
        if account != self.account {
            self.account = account;
            self.teams_since = now;
        }
    }
}
