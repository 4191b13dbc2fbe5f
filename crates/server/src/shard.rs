//! The engine's one task: takes inputs one after another, lets the engine decide, hands the effects to the sinks.

use std::sync::Arc;

use presence::{
    Choice, Effect, Engine, Fact, Input, LineId, LineKnowledge, MicrophoneLayer, PersonId,
    Presence, Reason, TeamsCall, Timestamp, Timing,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::{
    clock::Clock,
    events::Events,
    metrics::Metrics,
    teams::{Pauses, Reads},
    writer::Writer,
};

/// Inputs that may wait. Sources are held up beyond that, and catch up by themselves.
const QUEUE_MAX: usize = 16_384;

/// Where an input came from, for the two latencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A telephone line, heard at that moment.
    Pbx(Instant),
    /// Graph's answer, received at that moment.
    Graph(Instant),
    /// Anything else.
    Other,
}

enum Message {
    Input(Input, Cause, Option<oneshot::Sender<()>>),
    Inputs(Vec<Input>, Cause),
    Explain(
        PersonId,
        MicrophoneLayer,
        oneshot::Sender<Option<Explained>>,
    ),
    TeamsCall(PersonId, oneshot::Sender<Option<TeamsCall>>),
    Choice(PersonId, oneshot::Sender<Option<Choice>>),
    Lines(Vec<(PersonId, LineId)>, oneshot::Sender<Vec<LineKnowledge>>),
}

/// A presence with its reasons.
pub type Explained = (Presence, Vec<Reason>);

/// The way into the engine. Cheap to clone. After the end of the server everything is swallowed.
#[derive(Clone, Debug)]
pub struct Shard(mpsc::Sender<Message>);

/// The receiving end, until the task is started.
#[derive(Debug)]
pub struct Inbox(mpsc::Receiver<Message>);

impl Shard {
    /// The two ends of the way in.
    pub fn new() -> (Self, Inbox) {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        (Self(sender), Inbox(receiver))
    }

    /// Hands an input in.
    pub async fn input(&self, input: Input, cause: Cause) {
        let _ = self.0.send(Message::Input(input, cause, None)).await;
    }

    /// Hands an input in if there is room; whether there was.
    pub fn try_input(&self, input: Input, cause: Cause) -> bool {
        let message = Message::Input(input, cause, None);
        self.0.try_send(message).is_ok()
    }

    /// Hands an input in and waits until the engine has taken it.
    pub async fn input_and_wait(&self, input: Input) {
        let (done, wait) = oneshot::channel();
        let _ = self
            .0
            .send(Message::Input(input, Cause::Other, Some(done)))
            .await;
        let _ = wait.await;
    }

    /// Hands many inputs in at once.
    pub async fn inputs(&self, inputs: Vec<Input>, cause: Cause) {
        let _ = self.0.send(Message::Inputs(inputs, cause)).await;
    }

    /// Something happened to a person.
    pub async fn fact(&self, person: PersonId, fact: Fact) {
        self.input_and_wait(Input::Person(person, fact)).await;
    }

    /// Why a person's presence is what it is, with the microphone's layer or without.
    pub async fn explain(
        &self,
        person: PersonId,
        with_microphone: MicrophoneLayer,
    ) -> Option<Explained> {
        let (answer, wait) = oneshot::channel();
        let message = Message::Explain(person, with_microphone, answer);
        let _ = self.0.send(message).await;
        wait.await.ok().flatten()
    }

    /// The person's own choice of a profile, while it holds.
    pub async fn choice(&self, person: PersonId) -> Option<Choice> {
        let (answer, wait) = oneshot::channel();
        let _ = self.0.send(Message::Choice(person, answer)).await;
        wait.await.ok().flatten()
    }

    /// What is known of these lines, in their order.
    pub async fn lines(&self, lines: Vec<(PersonId, LineId)>) -> Vec<LineKnowledge> {
        let unknown = vec![LineKnowledge::Unknown; lines.len()];
        let (answer, wait) = oneshot::channel();
        let _ = self.0.send(Message::Lines(lines, answer)).await;
        wait.await.unwrap_or(unknown)
    }

    /// The person's call in Teams, which is an appointment in their list.
    pub async fn teams_call(&self, person: PersonId) -> Option<TeamsCall> {
        let (answer, wait) = oneshot::channel();
        let _ = self.0.send(Message::TeamsCall(person, answer)).await;
        wait.await.ok().flatten()
    }
}

/// The sinks.
#[derive(Clone, Debug)]
pub struct Sinks {
    /// Clients.
    pub events: Events,
    /// Store and Teams.
    pub writer: Writer,
    /// Reading Teams out of turn.
    pub reads: Reads,
    /// Problems of writing to Teams.
    pub pauses: Pauses,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

/// Runs the engine until every [`Shard`] is gone.
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
            match effect {
                Effect::Changed { person, presence } => {
                    let answered_at = match cause {
                        Cause::Graph(received) => Some(received),
                        _ => None,
                    };
                    self.reads.follow(person, &presence);
                    self.events.publish(person, presence, now, answered_at);
                }
                Effect::Store(record) => records.push(record),
                Effect::Write(write) => writes.push(write),
                Effect::ReadTeams(person) => self.reads.ask(person),
                Effect::WriteLag { person, lag } => self.reads.write_seen(person, lag),
                Effect::WritingPaused { person, until } => {
                    self.metrics.loop_breaker.inc();
                    self.pauses.begin(person, until);
                }
                Effect::WritingResumed(person) => self.pauses.end(person),
            }
        }
        if !(records.is_empty() && writes.is_empty()) {
            let heard_at = match cause {
                Cause::Pbx(received) => Some(received),
                _ => None,
            };
            self.writer.push(records, writes, heard_at);
        }
    }
}
