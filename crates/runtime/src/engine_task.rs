//! The engine's task: applies inputs one after another and hands the effects to the sinks.

use std::sync::Arc;

use presence::{Effect, Engine, Input, LineKnowledge, Timestamp, Timing};

use crate::{
    clock::Clock,
    commit_queue::CommitQueue,
    engine_handle::{Cause, Inbox, Message},
    events::Events,
    metrics::Metrics,
};

/// A receiver of the engine's effects beside clients and the commit queue.
///
/// Called on the engine's task for every effect: an implementation returns at once, and takes no lock that is held across
/// other work.
pub trait Sink: Send + Sync {
    /// Receives one effect, before clients and the commit queue do.
    fn apply(&self, effect: &Effect);
}

/// The receivers of the engine's effects.
pub struct Sinks {
    /// The presence of people, for clients and phones.
    pub events: Events,
    /// Records for the store, and writes to Teams.
    pub commits: CommitQueue,
    /// Receivers that the engine's task does not know.
    pub others: Vec<Box<dyn Sink>>,
    /// The server's metrics.
    pub metrics: Arc<Metrics>,
}

/// Runs the engine until every [`EngineHandle`](crate::engine_handle::EngineHandle) is dropped.
pub async fn run(mut inbox: Inbox, timing: Timing, clock: Clock, sinks: Sinks) {
    let mut engine = Engine::new(timing);
    loop {
        let deadline = engine.next_deadline();
        let message = tokio::select! {
            message = inbox.0.recv() => message,
            () = clock.sleep_until(deadline) => {
                let now = clock.now();
                sinks.take(engine.handle(now, Input::Tick), now, Cause::Other);
                continue;
            }
        };
        match message {
            None => return,
            Some(Message::Input(input, cause, done)) => {
                let now = clock.now();
                sinks.take(engine.handle(now, input), now, cause);
                if let Some(done) = done {
                    let _ = done.send(());
                }
            }
            Some(Message::Inputs(inputs, cause)) => {
                for input in inputs {
                    let now = clock.now();
                    sinks.take(engine.handle(now, input), now, cause);
                }
            }
            Some(Message::Explain(person, with_microphone, answer)) => {
                let _ = answer.send(engine.explain(person, with_microphone, clock.now()));
            }
            Some(Message::Choice(person, answer)) => {
                let signals = engine.signals(person);
                let choice = signals.and_then(|signals| signals.choice_at(clock.now()));
                let _ = answer.send(choice.cloned());
            }
            Some(Message::Lines(lines, answer)) => {
                let now = clock.now();
                let known = lines.into_iter().map(|(person, line)| {
                    let signals = engine.signals(person);
                    signals.map_or(LineKnowledge::Unknown, |signals| signals.line(line, now))
                });
                let _ = answer.send(known.collect());
            }
            Some(Message::TeamsCall(person, answer)) => {
                let signals = engine.signals(person);
                let _ = answer.send(signals.and_then(|signals| signals.teams_call));
            }
        }
    }
}

impl Sinks {
    fn take(&self, effects: Vec<Effect>, now: Timestamp, cause: Cause) {
        let (mut records, mut writes) = (Vec::new(), Vec::new());
        for effect in effects {
            for sink in &self.others {
                sink.apply(&effect);
            }
            match effect {
                Effect::Changed { person, presence } => {
                    let answered_at = match cause {
                        Cause::Graph(received) => Some(received),
                        Cause::Pbx(_) | Cause::Other => None,
                    };
                    self.events.publish(person, presence, now, answered_at);
                }
                Effect::Store(record) => records.push(record),
                Effect::Write(write) => writes.push(write),
                Effect::WritingPaused { .. } => {
                    self.metrics.loop_breaker.inc();
                }
                Effect::ReadTeams(_) | Effect::WriteLag { .. } | Effect::WritingResumed(_) => {}
            }
        }
        if !(records.is_empty() && writes.is_empty()) {
            let heard_at = match cause {
                Cause::Pbx(received) => Some(received),
                Cause::Graph(_) | Cause::Other => None,
            };
            self.commits.push(records, writes, heard_at);
        }
    }
}
