//! The course of a history: passes the time, gives events to the engine and carries out its effects.

mod teams;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use presence::{
    Action, Effect, Engine, Fact, Input, LineChange, LineId, Record, TeamsState, TeamsWrite,
    TenantLag, Timing,
};

use crate::{
    Tally, invariants,
    lag::Lags,
    log::{EventLog, START},
    person::SimulatedPerson,
    random::Random,
    world::{Event, SLOW_SWEEP, World},
    write_queue::Answer,
};

/// Length of the silence at the end: longer than Microsoft keeps a Do not disturb.
const SILENCE: Duration = Duration::from_secs(26 * 3600);
/// Most turns of the engine without time passing: more mean an endless loop.
const TURNS_MAX: u32 = 100;

/// Pause before a clear that was refused for good is sent again.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// Interval of the reads after a write, in a world that reads often.
const FREQUENT_READ_INTERVAL: Duration = Duration::from_secs(1);
/// Number of these reads.
const FREQUENT_READS: u32 = 70;

impl<'s> World<'s> {
    pub(crate) fn new(mut random: Random, log: &'s mut EventLog) -> Self {
        let calm = random.chance(50);
        let lags = Lags::new(&mut random);
        let reads_often = random.chance(25);
        let sweep = random.pick(&[10, 20, 30]);
        let has_microphones = random.chance(40);
        let people = random.between(1, 3);
        let people = (1..=people)
            .map(|number| SimulatedPerson::new(number, calm, &mut random, START))
            .collect();
        let mut world = Self {
            random,
            now: START,
            engine: Engine::new(Timing::default()),
            without_microphones: Engine::new(Timing::default()),
            has_microphones,
            people,
            calm,
            lags,
            tenant_lag: TenantLag::default(),
            reads_often,
            tally: Tally::default(),
            link_up: true,
            next_name: 100,
            sweep: Duration::from_secs(sweep),
            slow: false,
            silent: false,
            down: true,
            started_at: START,
            lives: 0,
            queue: BTreeMap::new(),
            sequence: 0,
            log,
            failure: None,
        };
        let calm = if calm { "calm" } else { "rough" };
        world.log(|| {
            format!("a {calm} world; {lags:?}, sweep every {sweep} s, in a hurry: {reads_often}")
        });
        world.start();
        for at in 0..world.people.len() {
            let first = world.random.seconds(0, sweep);
            world.later(first, Event::Sweep(at));
        }
        world
    }

    /// Starts the process with the records of the store.
    fn start(&mut self) {
        self.down = false;
        self.lives += 1;
        self.started_at = self.now;
        self.engine = Engine::new(Timing::default());
        self.without_microphones = Engine::new(Timing::default());
        for at in 0..self.people.len() {
            let person = &mut self.people[at];
            person.reported.clear();
            person.meetings.clear();
            person.programs.clear();
            person.sets.clear();
            person.false_calls = [0; 2];
            person.writer = crate::write_queue::WriteQueue::default();
            let (id, record) = (person.id, person.record(self.now));
            let policy = Arc::new(person.policy.clone());
            let lines = record.lines.clone();
            if self.lives == 1 {
                self.log(|| format!("{id}: {policy:#?}"));
            }
            self.input(Input::AddPerson(id, Box::new(record), policy));
            for line in lines {
                let most = if self.calm { 3 } else { 20 };
                let after = self.random.seconds(0, most);
                self.later(after, Event::Report(at, line, self.lives));
            }
        }
    }

    /// Kills the process, and starts it again after `down_for`.
    pub(crate) fn crash(&mut self, down_for: Duration) {
        self.log(|| format!("CRASH, down for {down_for:?}"));
        self.down = true;
        self.pass(down_for);
        self.log(|| "START".into());
        self.start();
        for person in &mut self.people {
            person.quiet_since = self.now;
        }
    }

    /// Gives a fact about a person to the engine.
    pub(crate) fn fact(&mut self, at: usize, fact: Fact) {
        let id = self.people[at].id;
        self.people[at].quiet_since = self.now;
        self.log(|| format!("{id}: {fact:?}"));
        self.input(Input::Person(id, fact));
    }

    fn input(&mut self, input: Input) {
        if self.down {
            return;
        }
        let without_microphones = self.has_microphones.then(|| match &input {
            Input::Person(_, Fact::Programs { .. }) => Input::Tick,
            other => other.clone(),
        });
        let effects = self.engine.handle(self.now, input);
        if let Some(without_microphones) = without_microphones {
            let without_microphones = self
                .without_microphones
                .handle(self.now, without_microphones);
            let outward = |effect: &&Effect| !matches!(effect, Effect::Changed { .. });
            let same = effects
                .iter()
                .filter(outward)
                .eq(without_microphones.iter().filter(outward));
            if !same {
                let what = "a microphone bears on more than presence";
                self.fail(|| format!("{what}: {effects:?} instead of {without_microphones:?}"));
            }
        }
        self.check(invariants::deadline(&self.engine, self.now));
        for effect in effects {
            self.apply_effect(effect);
        }
    }

    fn apply_effect(&mut self, effect: Effect) {
        let now = self.now;
        match effect {
            Effect::Changed { person, presence } => {
                self.log.add(now, || {
                    let confidence = presence.confidence.name();
                    format!(
                        "    {person} is {}, {} ({confidence})",
                        presence.status,
                        presence.text()
                    )
                });
                let Some(at) = self.position(person) else {
                    return;
                };
                self.people[at].last_presence = Some(presence);
            }
            Effect::Store(Record::Slot {
                person,
                slot,
                record,
            }) => {
                self.log
                    .add(now, || format!("    {person} store {slot:?}: {record:?}"));
                let Some(at) = self.position(person) else {
                    return;
                };
                self.people[at].slots[slot as usize] = record;
            }
            Effect::Store(Record::TeamsCall { person, call }) => {
                let Some(at) = self.position(person) else {
                    return;
                };
                self.people[at].teams_call = call;
            }
            Effect::Store(Record::Choice { .. }) => {}
            Effect::Write(write) => self.queue_write(write),
            Effect::WriteLag { person, lag } => {
                self.log
                    .add(now, || format!("    {person} write seen after {lag:?}"));
                self.tenant_lag.record(lag);
            }
            Effect::ReadTeams(person) => {
                let Some(at) = self.position(person) else {
                    return;
                };
                self.later(Duration::from_millis(1), Event::Read(at));
            }
            Effect::WritingResumed(_) => {}
            Effect::WritingPaused { person, until } => {
                self.log
                    .add(now, || format!("    {person} writing paused until {until}"));
                let Some(at) = self.position(person) else {
                    return;
                };
                let found = invariants::pause(&self.people[at], now);
                self.check(found);
            }
        }
    }

    /// Checks a write and queues it.
    fn queue_write(&mut self, write: TeamsWrite) {
        let TeamsWrite {
            person,
            slot,
            action,
        } = write;
        let (now, lives) = (self.now, self.lives);
        self.log
            .add(now, || format!("    {person} write {slot:?} {action:?}"));
        let Some(at) = self.position(person) else {
            return;
        };
        let checked = invariants::write(self, &self.people[at], slot, action);
        self.check(checked);
        let person = &mut self.people[at];
        if action == Action::Set {
            person.sets.push((slot, now));
            let unseen = now - person.lag - Duration::from_secs(1);
            let echo = slot.echo();
            person.mistakable[slot as usize] = person
                .account
                .shown_since(unseen)
                .any(|words| TeamsState::new(words.0, words.1).meaning() == echo);
            person.false_calls[slot as usize] = 0;
            self.tally.calls += u64::from(self.calm && self.lags == Lags::EachAnswer);
        }
        person.quiet_since = now;
        person.writer.push(slot, action);
        let after = if self.calm {
            self.random.milliseconds(0, 20)
        } else {
            self.random.pick(&[1, 20, 500, 10_000]) * Duration::from_millis(1)
        };
        self.later(after, Event::Send(at, lives));
        if self.reads_often && action != Action::Renew {
            self.people[at].read_often_until = now + FREQUENT_READ_INTERVAL * FREQUENT_READS;
            for read in 1..=FREQUENT_READS {
                self.later(FREQUENT_READ_INTERVAL * read, Event::Read(at));
            }
        }
    }

    /// Passes time and handles everything that is due.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.slow = time > Duration::from_secs(900);
        let mut turns = 0;
        while self.failure.is_none() {
            let engines = [&self.engine, &self.without_microphones].into_iter();
            let deadline = engines
                .filter_map(Engine::next_deadline)
                .min()
                .filter(|_| !self.down);
            let event = self.queue.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = deadline
                .into_iter()
                .chain(event)
                .min()
                .filter(|at| *at <= end)
            else {
                break;
            };
            turns = if next > self.now { 0 } else { turns + 1 };
            if turns > TURNS_MAX {
                self.fail(|| "never comes to rest".into());
            }
            self.now = self.now.max(next);
            if event.is_some_and(|at| at <= next) {
                if let Some((_, event)) = self.queue.pop_first() {
                    self.handle(event);
                }
            } else {
                self.input(Input::Tick);
            }
        }
        self.now = end;
        self.input(Input::Tick);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Sweep(at) => {
                self.read(at);
                let every = if self.slow { SLOW_SWEEP } else { self.sweep };
                self.later(every, Event::Sweep(at));
            }
            Event::Read(at) => self.read(at),
            Event::GraphAnswered(at, answer, lives) if lives == self.lives && !self.down => {
                self.on_graph_answer(at, answer);
            }
            Event::Send(at, lives) if lives == self.lives && !self.down => self.send(at),
            Event::Land(at, slot, action) => {
                let (id, timing) = (self.people[at].id, *self.engine.timing());
                self.log(|| format!("    {id} Teams has {slot:?} {action:?}"));
                self.people[at]
                    .account
                    .land(slot, action, &timing, self.now);
                self.teams_changed(at);
            }
            Event::Answer(at, answer, lives) if lives == self.lives && !self.down => {
                let sent = self.people[at].writer.answered(answer);
                match (answer, sent) {
                    (Answer::Done, Some((slot, action))) => {
                        self.fact(at, Fact::TeamsAcknowledged(slot, action));
                    }
                    (Answer::NothingThere, Some((slot, Action::Clear))) => {
                        self.fact(at, Fact::TeamsNothingToClear(slot));
                    }
                    _ => {}
                }
                let after = match (answer, sent) {
                    (Answer::Retry(after), _) => after,
                    (Answer::Refused, Some((_, Action::Clear))) => REFUSED_PAUSE,
                    (Answer::Refused | Answer::Done | Answer::NothingThere, _) => Duration::ZERO,
                };
                self.later(after, Event::Send(at, lives));
            }
            Event::Expire(at) => self.teams_changed(at),
            Event::Report(at, line, lives) if lives == self.lives && !self.down => {
                self.report(at, line);
            }
            // From an earlier life of the process.
            Event::GraphAnswered(..) | Event::Send(..) | Event::Answer(..) | Event::Report(..) => {}
        }
    }

    fn report(&mut self, at: usize, line: LineId) {
        let found = self.people[at].lines.iter().find(|known| known.0 == line);
        if let Some(&(line, state, until)) = found
            && !self.people[at].reported.iter().any(|known| known.0 == line)
        {
            let until = until.max(self.now + Duration::from_secs(30));
            self.people[at].reported.push((line, state, until));
            self.fact(
                at,
                Fact::Line(
                    line,
                    LineChange::State {
                        state,
                        party: None,
                        lease: until.since(self.now),
                    },
                ),
            );
        }
    }

    /// Ends all sources; only events on their way still arrive.
    pub(crate) fn end_in_silence(&mut self) {
        self.log(|| "everything stops".into());
        if self.random.chance(30) {
            self.crash(Duration::from_secs(1));
        }
        self.silent = true;
        for at in 0..self.people.len() {
            self.people[at].choice = None;
            self.fact(at, Fact::Choice(None));
        }
        self.link_up = false;
        self.pass(SILENCE);
        for at in 0..self.people.len() {
            let found = invariants::person(self, &self.people[at])
                .and_then(|()| invariants::privacy(self, &self.people[at]))
                .and_then(|()| invariants::rest(self, &self.people[at]));
            self.check(found);
        }
    }
}
