//! A tenant with a lag: it applies our writes at once, and its answers show them late.

use proptest::prelude::*;

use crate::{
    Action, Fact, LineState, Slot,
    SyncMode::TelephonyAndPresence,
    TeamsAnswer, TeamsState, Timestamp,
    tests::{ANNA, AVAILABLE, CALL, PRESENTING, World},
};

type Words = (&'static str, &'static str);

pub(super) const SWEEP: u64 = 1_000;
pub(super) const TICK: u64 = 100;

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    PhoneCall,
    HangUp,
    TeamsCall,
    TeamsHangUp,
    Share,
    Unshare,
}

/// A tenant that applies our writes and answers with a lag. Times in milliseconds.
pub(super) struct Tenant {
    pub(super) world: World,
    /// Present lag of the answers.
    pub(super) lag: u64,
    /// Time after which a write takes effect; after twice that time it is acknowledged.
    way: u64,
    /// Writes that will take effect, and acknowledgements, in order of time.
    coming: Vec<(Timestamp, Slot, Action, bool)>,
    next_sweep: Timestamp,
    session: bool,
    pub(super) in_call: bool,
    sharing: bool,
    /// Shown states, with the time of each and whether the person was really in a call.
    truth: Vec<(Timestamp, Words, bool)>,
    pub(super) cleared_at: Option<Timestamp>,
    /// The last answer showed the true state of its time.
    told_until: Timestamp,
    /// Number of Teams calls that were believed without a real one.
    pub(super) false_calls: usize,
    /// When the phone call began, Teams itself showed a call that no answer had shown yet: it looks like our
    /// write, with too short a lag. Only the tenant's lag corrects that.
    pub(super) mistakable: bool,
    /// For each false call, the number of answers with another state that it outlived.
    pub(super) outlived: usize,
}

impl Tenant {
    pub(super) fn new(lag: u64, way: u64, phase: u64) -> Self {
        let mut world = World::new(TelephonyAndPresence);
        world.acknowledges = false;
        let next_sweep = after(world.now, phase);
        Self {
            truth: vec![(world.now, AVAILABLE, false)],
            world,
            lag,
            way,
            coming: Vec::new(),
            next_sweep,
            session: false,
            in_call: false,
            sharing: false,
            cleared_at: None,
            told_until: Timestamp::default(),
            false_calls: 0,
            mistakable: false,
            outlived: 0,
        }
    }

    /// As if ten writes had been seen after `lag`.
    pub(super) fn experienced(mut self, lag: u64) -> Self {
        for _ in 0..10 {
            self.world.tenant_lag.record(milliseconds(lag));
        }
        self
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::PhoneCall => {
                let untold = self.world.now - milliseconds(self.lag + SWEEP);
                let untold = self.truth.iter().filter(|(since, ..)| *since >= untold);
                self.mistakable |= untold.into_iter().any(|(_, _, call)| *call);
                self.world.line(LineState::Connected);
            }
            Event::HangUp => self.world.line(LineState::Idle),
            Event::TeamsCall => self.in_call = true,
            Event::TeamsHangUp => (self.in_call, self.sharing) = (false, false),
            Event::Share => self.sharing = self.in_call,
            Event::Unshare => self.sharing = false,
        }
        self.take_writes();
        self.record();
    }

    fn take_writes(&mut self) {
        for (slot, action) in self.world.take_writes() {
            let lands = after(self.world.now, self.way);
            self.coming.push((lands, slot, action, false));
            self.coming
                .push((after(lands, self.way), slot, action, true));
        }
    }

    fn record(&mut self) {
        let shows = match (self.sharing, self.in_call || self.session) {
            (true, _) => PRESENTING,
            (false, true) => CALL,
            (false, false) => AVAILABLE,
        };
        if self
            .truth
            .last()
            .is_none_or(|(_, words, call)| (*words, *call) != (shows, self.in_call))
        {
            self.truth.push((self.world.now, shows, self.in_call));
        }
    }

    fn truth_at(&self, at: Timestamp) -> (Words, bool) {
        let found = self.truth.iter().rev().find(|(since, ..)| *since <= at);
        let (_, words, call) = found.unwrap_or(&self.truth[0]);
        (*words, *call)
    }

    pub(super) fn pass(&mut self, time: u64) {
        let end = after(self.world.now, time);
        while self.world.now < end {
            self.world.now = after(self.world.now, TICK).min(end);
            self.arrive();
            if self.world.now >= self.next_sweep {
                self.next_sweep = after(self.next_sweep, SWEEP);
                self.read();
            }
            self.world.input(crate::Input::Tick);
            self.take_writes();
        }
    }

    fn arrive(&mut self) {
        let now = self.world.now;
        let due: Vec<_> = self.coming.extract_if(.., |(at, ..)| *at <= now).collect();
        for (at, slot, action, acknowledged) in due {
            if acknowledged {
                self.world.fact(Fact::TeamsAcknowledged(slot, action));
                if action == Action::Clear {
                    self.cleared_at = Some(at);
                }
                self.take_writes();
            } else {
                self.session = action != Action::Clear;
                self.record();
            }
        }
    }

    fn read(&mut self) {
        // Graph's answers do not go back in time when the lag grows.
        self.told_until = self.told_until.max(self.world.now - milliseconds(self.lag));
        let (words, truly) = self.truth_at(self.told_until);
        let believed_before = self.believes_a_call();
        self.world.fact(Fact::TeamsObserved(TeamsAnswer {
            state: TeamsState::new(words.0, words.1),
            asked_at: self.world.now,
            sequence: None,
            tenant_lag: self.world.tenant_lag.of(milliseconds(SWEEP)),
        }));
        if self.believes_a_call() && !believed_before && !truly {
            self.false_calls += 1;
        }
        if self.believes_a_call() && self.false_calls > 0 && words == AVAILABLE {
            self.outlived += 1;
        }
    }

    pub(super) fn believes_a_call(&self) -> bool {
        self.world
            .engine
            .signals(ANNA)
            .unwrap()
            .teams_call
            .is_some()
    }
}

pub(super) fn after(at: Timestamp, time: u64) -> Timestamp {
    at + milliseconds(time)
}

pub(super) fn milliseconds(time: u64) -> std::time::Duration {
    std::time::Duration::from_millis(time)
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::PhoneCall),
        3 => Just(Event::HangUp),
        2 => Just(Event::TeamsCall),
        2 => Just(Event::TeamsHangUp),
        1 => Just(Event::Share),
        1 => Just(Event::Unshare),
    ]
}

/// Events, and the time after each.
pub(super) fn events() -> impl Strategy<Value = Vec<(Event, u64)>> {
    let pause = prop_oneof![200u64..3_000, 200u64..15_000, 10_000u64..100_000];
    prop::collection::vec((event(), pause), 1..14)
}
