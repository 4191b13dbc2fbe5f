//! The engine's one task: takes inputs one after another, lets the engine decide, hands the effects to the sinks.

use presence::{Choice, Fact, Input, LineId, LineKnowledge, PersonId, Presence, Reason, TeamsCall};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
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

/// A request to the engine's task.
pub(crate) enum Message {
    Input(Input, Cause, Option<oneshot::Sender<()>>),
    Inputs(Vec<Input>, Cause),
    Explain(PersonId, bool, oneshot::Sender<Option<Explained>>),
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
pub struct Inbox(pub(crate) mpsc::Receiver<Message>);

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
    pub async fn explain(&self, person: PersonId, with_microphone: bool) -> Option<Explained> {
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
