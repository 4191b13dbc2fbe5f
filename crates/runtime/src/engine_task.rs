//! The engine's task: applies inputs one after another and hands the effects to the sinks.

use std::sync::Arc;

use presence::{Effect, Engine, Input, LineKnowledge, Timestamp, Timing, TraceId};
use tracing::{Span, debug_span, field::Empty};

use crate::{
    clock::Clock,
    commit_queue::CommitQueue,
    engine_handle::{Cause, Inbox, Message},
    events::Events,
    metrics::Metrics,
    trace_id::new_trace_id,
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
                sinks.take(engine.handle(now, Input::Tick), now, None);
                continue;
            }
        };
        match message {
            None => return,
            Some(Message::Input(input, cause, done)) => {
                sinks.apply(&mut engine, input, clock.now(), Origin::of(cause));
                if let Some(done) = done {
                    let _ = done.send(());
                }
            }
            Some(Message::Inputs(inputs, cause)) => {
                let origin = Origin::of(cause);
                for input in inputs {
                    sinks.apply(&mut engine, input, clock.now(), origin);
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
    fn apply(&self, engine: &mut Engine, input: Input, now: Timestamp, origin: Origin) {
        let effects = engine.handle_traced(now, input, Some(origin.trace));
        self.take(effects, now, Some(origin));
    }

    fn take(&self, effects: Vec<Effect>, now: Timestamp, origin: Option<Origin>) {
        if effects.is_empty() {
            return;
        }
        let cause = origin.map_or(Cause::Other, |origin| origin.cause);
        let _span = span(origin).entered();
        let (mut records, mut writes) = (Vec::new(), Vec::new());
        for effect in effects {
            for sink in &self.others {
                sink.apply(&effect);
            }
            match effect {
                Effect::Changed {
                    person,
                    presence,
                    trace,
                } => {
                    let answered_at = match cause {
                        Cause::Graph(received, _) => Some(received),
                        Cause::Pbx(..) | Cause::Traced(_) | Cause::Other => None,
                    };
                    tracing::debug!(%person, status = presence.status.name(), "presence changed");
                    self.events
                        .publish(person, presence, now, (trace, answered_at));
                }
                Effect::Store(record) => records.push(record),
                Effect::Write(write) => {
                    let (person, slot, action) = (write.person, write.slot, write.action);
                    tracing::debug!(%person, write = slot.name(), ?action, "write to Teams");
                    writes.push(write);
                }
                Effect::WritingPaused { .. } => {
                    self.metrics.loop_breaker.inc();
                }
                Effect::ReadTeams(_) | Effect::WriteLag { .. } | Effect::WritingResumed(_) => {}
            }
        }
        if !(records.is_empty() && writes.is_empty()) {
            let heard_at = match cause {
                Cause::Pbx(received, _) => Some(received),
                Cause::Graph(..) | Cause::Traced(_) | Cause::Other => None,
            };
            self.commits.push(records, writes, heard_at);
        }
    }
}

/// The cause of an input and its trace.
#[derive(Clone, Copy)]
struct Origin {
    cause: Cause,
    trace: TraceId,
}

impl Origin {
    fn of(cause: Cause) -> Self {
        let trace = match cause {
            Cause::Pbx(_, trace) | Cause::Graph(_, trace) | Cause::Traced(trace) => trace,
            Cause::Other => new_trace_id(),
        };
        Self { cause, trace }
    }
}

/// The span of the effects of one input; disabled for those of a deadline. An input without a span of its source begins the trace.
fn span(origin: Option<Origin>) -> Span {
    let Some(Origin { cause, trace }) = origin else {
        return Span::none();
    };
    let span = debug_span!("engine", trace_id = %trace, source = Empty);
    if cause == Cause::Other {
        span.record("source", "offhook");
    }
    span
}
