//! Requests to Teams, late answers, and their effect on the engine.

use std::time::Duration;

use presence::{Action, Fact, Input, SequenceNumber, Slot, TeamsAnswer, TeamsState};

use super::FREQUENT_READ_INTERVAL;
use crate::{
    invariants,
    lag::Lags,
    world::{Event, GraphAnswer, World},
    write_queue::{Answer, Delivery},
};

impl World<'_> {
    pub(super) fn send(&mut self, at: usize) {
        let Some((slot, action)) = self.people[at].writer.send() else {
            return;
        };
        let delivery = if self.silent {
            Delivery::good(&mut self.random)
        } else if self.calm && (slot, action) == (Slot::Session, Action::Clear) {
            Delivery::good_clear(&mut self.random)
        } else if self.calm {
            Delivery::good(&mut self.random)
        } else {
            Delivery::any(&mut self.random)
        };
        match delivery.lands_after {
            Some(after) => self.later(after, Event::Land(at, slot, action)),
            None if delivery.answer == Answer::NothingThere => {
                self.people[at].account.deny(self.now);
                self.teams_changed(at);
            }
            None => {}
        }
        self.later(
            delivery.answer_after,
            Event::Answer(at, delivery.answer, self.lives),
        );
    }

    /// Reads the person's state in Teams.
    pub(super) fn read(&mut self, at: usize) {
        if !self.people[at].linked || self.down || !self.link_up {
            return;
        }
        let in_use = Slot::ALL.into_iter().any(|slot| {
            let own = self.engine.slot(self.people[at].id, slot);
            own.is_some_and(|own| own.may_echo())
        }) || !self.people[at].writer.is_idle();
        let changes = self.lags == Lags::EachAnswer || self.random.chance(10);
        let person = &mut self.people[at];
        if changes || matches!(self.lags, Lags::Steady(_)) {
            person.lag = self.lags.next(person.lag, in_use, &mut self.random);
        }
        let mut true_at = self.now - person.lag;
        if self.lags != Lags::EachAnswer {
            // One replica answers, and does not go back in time.
            person.answered_until = person.answered_until.max(true_at);
            true_at = person.answered_until;
        }
        let (mut words, version) = person.account.showed(true_at);
        let mut after = Duration::from_millis(100);
        if !self.calm {
            after = self.random.milliseconds(20, 4_000);
        }
        match self.random.below(40) {
            0 if !self.slow => words = ("PresenceUnknown", "PresenceUnknown"),
            1 if !self.calm => words = ("PresenceUnknown", "PresenceUnknown"),
            2..4 if !self.calm => return,
            _ => {}
        }
        let answer = GraphAnswer {
            words,
            version,
            asked_at: self.now,
            true_at,
        };
        self.later(after, Event::GraphAnswered(at, answer, self.lives));
    }

    pub(super) fn on_graph_answer(&mut self, at: usize, answer: GraphAnswer) {
        let GraphAnswer {
            words,
            version,
            asked_at,
            true_at,
        } = answer;
        let person = &mut self.people[at];
        if words.1 == "Presenting" || words.1.ends_with("Call") {
            person.call_seen_at = Some(self.now);
        }
        let id = person.id;
        let state = TeamsState::new(words.0, words.1);
        let (age, past) = (self.now.since(asked_at), asked_at.since(true_at));
        self.log(|| format!("    {id} Graph answers {state}, requested {age:?} ago, {past:?} old"));
        let before = invariants::belief(&self.engine, id);
        let sweep = if self.people[at].read_often_until > self.now {
            FREQUENT_READ_INTERVAL
        } else {
            self.sweep
        };
        let fact = Fact::TeamsObserved(TeamsAnswer {
            state,
            asked_at,
            sequence: SequenceNumber::new(&format!("A{version:08}")),
            tenant_lag: self.tenant_lag.of(sweep),
        });
        self.input(Input::Person(id, fact));
        if !self.calm || self.down {
            return;
        }
        let after = invariants::belief(&self.engine, id);
        let few_writes_seen = self.tenant_lag.of(sweep).is_none();
        let mistakable = self.people[at].mistakable;
        let hidden = self.people[at].account.excused_until > self.now;
        let excused = |slot: &Slot| hidden || (few_writes_seen && mistakable[*slot as usize]);
        let false_beliefs: Vec<Slot> =
            invariants::false_beliefs(before, after, &self.people[at], true_at, self.now).collect();
        for slot in false_beliefs.into_iter().filter(|slot| !excused(slot)) {
            let count = &mut self.people[at].false_calls[slot as usize];
            *count += 1;
            let (lags, count) = (self.lags, *count);
            self.tally.false_calls += u64::from(lags == Lags::EachAnswer);
            self.log(|| format!("    an echo of {slot:?} is believed"));
            let found = invariants::false_calls(lags, count, &self.people[at]);
            self.check(found);
        }
        let found = invariants::ended(self, &self.people[at], words, asked_at);
        self.check(found);
    }

    /// Handles a possible change of the true state in Teams.
    pub(crate) fn teams_changed(&mut self, at: usize) {
        let account = &mut self.people[at].account;
        account.expire(self.now);
        if account.record(self.now) {
            let (id, words) = (self.people[at].id, self.people[at].account.shows());
            self.people[at].quiet_since = self.now;
            self.log(|| format!("    {id} Teams truly shows {words:?}"));
            let lag = self.people[at].lag;
            self.later(lag + Duration::from_millis(200), Event::Read(at));
        }
        let deadline = self.people[at].account.deadline();
        if let Some(deadline) = deadline.filter(|_| deadline != self.people[at].expires_at) {
            self.people[at].expires_at = Some(deadline);
            self.later(deadline.since(self.now), Event::Expire(at));
        }
    }
}
