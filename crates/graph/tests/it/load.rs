//! Budget, queue and sweep together under load, with a simulated clock: waiting times of writes, and intervals between
//! reads.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use graph::{
    BULK_MAX, Backlog, Budget, Next,
    Operation::{self, ClearSession, RenewSession, SetDoNotDisturb, SetSession},
    Outcome, Purpose, PushResult, SLOWDOWN_MAX, SWEEP_INTERVAL_MIN, WriteQueue, sweep_interval,
};

/// Microsoft's documented limit.
const LIMIT: u32 = 1_500;
/// Latency of Graph in milliseconds.
const ANSWER: i64 = 50;

/// The sweep as the server runs it: chunks distributed over the sweep interval, each sent as soon as the budget has a
/// token.
struct Sweep {
    chunks: usize,
    period: i64,
    began: i64,
    next: usize,
    not_before: i64,
    /// Time of the last read of each chunk.
    read_at: Vec<i64>,
    /// Longest time between two reads of the same people since [`World::forget`].
    longest: i64,
}

impl Sweep {
    fn new(people: usize, budget: &mut Budget) -> Self {
        let chunks = people.div_ceil(BULK_MAX);
        let period = sweep_interval(people, Some(LIMIT));
        budget.guarantee_sweep(0, chunks, period * SLOWDOWN_MAX);
        Self {
            chunks,
            period: period.as_millis() as i64,
            began: 0,
            next: 0,
            not_before: 0,
            read_at: vec![0; chunks],
            longest: 0,
        }
    }

    /// Returns true if a request was sent.
    fn run(&mut self, now: i64, budget: &mut Budget) -> bool {
        if self.next == self.chunks && now >= self.began + self.period {
            (self.began, self.next) = (now, 0);
        }
        let due = self.began + self.period * self.next as i64 / self.chunks as i64;
        if self.next == self.chunks || now < due.max(self.not_before) {
            return false;
        }
        match budget.try_acquire(now, Purpose::ReadAll) {
            Err(wait) => {
                self.not_before = now + wait.as_millis() as i64;
                false
            }
            Ok(()) => {
                self.longest = self.longest.max(now - self.read_at[self.next]);
                self.read_at[self.next] = now;
                self.next += 1;
                true
            }
        }
    }
}

struct World {
    now: i64,
    budget: Budget,
    queue: WriteQueue<i64>,
    sweep: Sweep,
    /// Reads of single people per second, and the longest delay of one.
    few_per_second: i64,
    few_late: i64,
    few_waiting: VecDeque<i64>,
    flying: VecDeque<(i64, Arc<str>)>,
    sent: VecDeque<i64>,
    /// Waiting time of each sent write, in milliseconds.
    waits: Vec<(i64, Operation)>,
    settled: usize,
    backlog: Backlog,
}

impl World {
    fn new(people: usize) -> Self {
        let mut budget = Budget::new(Some(LIMIT), 0);
        let sweep = Sweep::new(people, &mut budget);
        Self {
            now: 0,
            budget,
            queue: WriteQueue::default(),
            sweep,
            few_per_second: 0,
            few_late: 0,
            few_waiting: VecDeque::new(),
            flying: VecDeque::new(),
            sent: VecDeque::new(),
            waits: Vec::new(),
            settled: 0,
            backlog: Backlog::default(),
        }
    }

    fn push(&mut self, person: usize, operation: Operation) {
        let user = format!("person-{person}").into();
        if self.queue.push(self.now, &user, operation, self.now) == PushResult::Cancelled {
            self.settled += 1;
        }
    }

    /// Advances the time by one millisecond.
    fn step(&mut self) {
        let now = self.now;
        // The sweep goes first, where it takes tokens that writes may need.
        let mut sent = usize::from(self.sweep.run(now, &mut self.budget));
        if self.few_per_second > 0 && now % 1_000 == 0 {
            self.few_waiting
                .extend((0..self.few_per_second).map(|_| now));
        }
        while let Some(asked_at) = self.few_waiting.front()
            && self.budget.try_acquire(now, Purpose::ReadFew).is_ok()
        {
            self.few_late = self.few_late.max(now - asked_at);
            self.few_waiting.pop_front();
            sent += 1;
        }
        while let Some((at, _)) = self.flying.front()
            && *at <= now
            && let Some((_, user)) = self.flying.pop_front()
        {
            self.queue.finish(now, &user, Outcome::Done);
        }
        while let Next::Write(write) = self.queue.next(now, &mut self.budget) {
            self.waits.push((now - write.tag, write.operation));
            self.flying.push_back((now + ANSWER, write.user));
            sent += 1;
        }
        self.sent.extend(std::iter::repeat_n(now, sent));
        while self.sent.front().is_some_and(|at| *at <= now - 30_000) {
            self.sent.pop_front();
        }
        assert!(
            self.sent.len() <= LIMIT as usize,
            "{} in 30 s",
            self.sent.len()
        );
        if now % 100 == 0 {
            self.backlog = self.queue.backlog(now);
        }
        self.now += 1;
    }

    fn forget(&mut self) {
        self.waits.clear();
        self.sweep.longest = 0;
        self.few_late = 0;
    }

    /// Calls of eight seconds each, with `writes` per second for `seconds` seconds: starts and ends in turn, of both sides
    /// at once.
    fn calls(&mut self, writes: i64, seconds: i64) {
        const TALK: i64 = 8_000;
        let (from, to) = (self.now, self.now + seconds * 1_000);
        let calls = |time: i64| time * writes / 4 / 1_000;
        while self.now < to {
            let past = self.now - from;
            for (past, operation) in [(past, SetSession), (past - TALK, ClearSession)] {
                if past > 0 {
                    for call in calls(past - 1)..calls(past) {
                        self.push(2 * call as usize, operation);
                        self.push(2 * call as usize + 1, operation);
                    }
                }
            }
            self.step();
        }
    }

    fn idle(&mut self, seconds: i64) {
        for _ in 0..seconds * 1_000 {
            self.step();
        }
    }

    fn longest_wait(&self) -> i64 {
        self.waits.iter().map(|(wait, _)| *wait).max().unwrap_or(0)
    }
}

/// Numbers of people for sweep intervals of 1 s and of about 5 s.
const SIZES: [usize; 2] = [10_000, 50_000];

#[test]
fn writes_never_wait_for_reads_at_forty_a_second_for_five_minutes() {
    for people in SIZES {
        for writes in [5, 10, 20, 40] {
            let mut world = World::new(people);
            world.few_per_second = 1;
            world.idle(30);
            world.forget();
            world.calls(writes, 300);
            assert_eq!(
                world.longest_wait(),
                0,
                "{people} people, {writes} a second"
            );
            let slowest = world.sweep.period * i64::from(SLOWDOWN_MAX) + 50;
            assert!(world.sweep.longest <= slowest, "{}", world.sweep.longest);
            assert!(world.few_late <= 1_000, "{} ms late", world.few_late);
        }
    }
}

/// Bursts of writes at once, as when a conference ends, in addition to twenty per second.
#[test]
fn a_burst_of_forty_writes_does_not_wait_for_reads() {
    let mut world = World::new(10_000);
    for round in 0..60 {
        for person in 0..40 {
            world.push(100_000 + 40 * round + person, ClearSession);
        }
        world.calls(20, 10);
    }
    assert_eq!(world.longest_wait(), 0);
}

#[test]
fn reads_slow_down_to_three_sweep_intervals_at_most_and_recover_at_once() {
    let mut world = World::new(10_000);
    world.idle(10);
    assert!(world.sweep.longest <= 1_050, "{}", world.sweep.longest);
    world.calls(40, 60);
    assert!(
        (1_500..=3_050).contains(&world.sweep.longest),
        "{}",
        world.sweep.longest
    );
    // The bucket fills while the last sweep ends.
    world.idle(5);
    world.forget();
    world.idle(30);
    assert!(world.sweep.longest <= 1_050, "{}", world.sweep.longest);
}

#[test]
fn each_person_is_read_within_three_sweep_intervals_under_any_load_of_writes() {
    for people in SIZES {
        for writes in [44, 48, 100] {
            let mut world = World::new(people);
            world.few_per_second = 2;
            world.calls(writes, 300);
            let slowest = world.sweep.period * i64::from(SLOWDOWN_MAX) + 50;
            let longest = world.sweep.longest;
            assert!(
                longest <= slowest,
                "{people} people, {writes} a second: {longest} ms"
            );
        }
    }
}

#[test]
fn active_people_are_read_each_second_while_the_sweep_slows_down() {
    let mut world = World::new(10_000);
    world.few_per_second = 2;
    world.idle(5);
    world.forget();
    world.calls(38, 120);
    assert!(world.sweep.longest > 2_000, "{}", world.sweep.longest);
    assert!(world.few_late < 100, "{} ms late", world.few_late);
}

/// A minute of 60 writes of all kinds per second, which is 13 more than the budget allows beside the sweep.
#[test]
fn above_the_limit_nothing_waits_longer_than_a_minute_and_ends_of_calls_do_not_wait() {
    let mut world = World::new(10_000);
    let kinds = [
        ClearSession,
        SetSession,
        ClearSession,
        SetSession,
        SetDoNotDisturb,
        RenewSession,
    ];
    let mut oldest = Duration::ZERO;
    for number in 0..60 * 60_usize {
        world.push(number, kinds[number % kinds.len()]);
        for _ in 0..16 + usize::from(number % 3 < 2) {
            world.step();
        }
        oldest = oldest.max(world.backlog.oldest);
    }
    assert!(
        oldest >= Duration::from_secs(10),
        "{oldest:?} is a backlog to tell of"
    );
    world.idle(60);
    assert!(world.queue.is_empty(), "{} people wait", world.queue.len());
    assert_eq!(world.waits.len(), 3_600, "every write was sent");
    let longest = |kind| {
        let of_kind = world
            .waits
            .iter()
            .filter(|(_, operation)| *operation == kind);
        of_kind.map(|(wait, _)| *wait).max().unwrap()
    };
    // An end of a call waits for one token at most.
    assert!(longest(ClearSession) <= 100, "{} ms", longest(ClearSession));
    // Other writes rank with starts of calls after a while.
    assert!(longest(SetSession) <= 15_000, "{} ms", longest(SetSession));
    assert!(
        longest(RenewSession) <= 60_000,
        "{} ms",
        longest(RenewSession)
    );
    assert!(
        world.longest_wait() <= 60_000,
        "{} ms",
        world.longest_wait()
    );
    assert_eq!(world.backlog, Backlog::default());
}

/// 100 writes per second for five minutes: calls that end before their start was sent are never sent, so the backlog is
/// bounded by the number of active calls.
#[test]
fn twice_the_limit_for_minutes_drops_superseded_writes() {
    let mut world = World::new(10_000);
    // All people have had a call: Teams is known to hold no session of ours.
    world.calls(40, 60);
    world.idle(10);
    world.forget();
    let settled = world.settled;
    world.calls(100, 300);
    assert!(
        world.longest_wait() <= 60_000,
        "{} ms",
        world.longest_wait()
    );
    world.idle(60);
    assert!(world.queue.is_empty());
    assert!(world.settled > settled, "calls that Teams never heard of");
}

#[test]
fn after_a_pause_that_the_service_asked_for_ends_of_calls_go_first() {
    let mut budget = Budget::new(Some(LIMIT), 0);
    let mut queue = WriteQueue::default();
    budget.pause(0, Duration::from_secs(120));
    for number in 0..40 {
        let user: Arc<str> = format!("person-{number}").into();
        let operation = if number < 20 {
            SetSession
        } else {
            ClearSession
        };
        queue.push(number * 3_000, &user, operation, ());
    }
    let Next::Budget(wait) = queue.next(119_000, &mut budget) else {
        panic!("the service wants silence");
    };
    assert_eq!(wait, SWEEP_INTERVAL_MIN);
    assert_eq!(queue.backlog(119_000).oldest, Duration::from_secs(119));
    let sent = std::iter::from_fn(|| match queue.next(120_000, &mut budget) {
        Next::Write(write) => Some(write.operation),
        Next::Budget(_) | Next::Nothing(_) => None,
    });
    let sent: Vec<Operation> = sent.collect();
    assert_eq!(sent[..20], [ClearSession; 20]);
    assert_eq!(sent[20..], [SetSession; 20]);
}
