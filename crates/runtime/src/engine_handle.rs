//! The handle of the engine's task: its queue of inputs, and questions about the people in it.

use presence::{
    Choice, Fact, Input, LineId, LineKnowledge, MicrophoneLayer, PersonId, Presence, Reason,
    TeamsCall, TraceId,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// Messages that may wait. A full queue delays the sources, which send their state again.
const QUEUE_MAX: usize = 16_384;

/// The origin of an input: its trace, and its time for the two latencies that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An event of a line at a PBX, received at that time.
    Pbx(Instant, TraceId),
    /// An answer of Graph, received at that time.
    Graph(Instant, TraceId),
    /// An input of a trace whose latency is not measured: the result of a write to Teams, the loss of a line.
    Traced(TraceId),
    /// Any other source; the engine's task makes the trace.
    Other,
}

/// A message to the engine's task. Answers go to the sender of each.
pub enum Message {
    /// An input, and the sender that learns when the engine has applied it.
    Input(Input, Cause, Option<oneshot::Sender<()>>),
    /// Several inputs, applied in their order.
    Inputs(Vec<Input>, Cause),
    /// The presence of a person with its reasons; true: with the layer of Microphone Sync.
    Explain(
        PersonId,
        MicrophoneLayer,
        oneshot::Sender<Option<Explained>>,
    ),
    /// The person's call in Teams.
    TeamsCall(PersonId, oneshot::Sender<Option<TeamsCall>>),
    /// The person's own choice of a profile.
    Choice(PersonId, oneshot::Sender<Option<Choice>>),
    /// The states of lines.
    Lines(Vec<(PersonId, LineId)>, oneshot::Sender<Vec<LineKnowledge>>),
}

/// A presence with its reasons.
pub type Explained = (Presence, Vec<Reason>);

/// The handle of the engine's task. Cheap to clone. After the end of the server, inputs are dropped and answers are empty.
#[derive(Clone, Debug)]
pub struct EngineHandle(mpsc::Sender<Message>);

/// The receiving end of the queue, until the task is started.
#[derive(Debug)]
pub struct Inbox(pub mpsc::Receiver<Message>);

impl EngineHandle {
    /// The two ends of the queue.
    pub fn new() -> (Self, Inbox) {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        (Self(sender), Inbox(receiver))
    }

    /// Sends an input; waits while the queue is full.
    pub async fn input(&self, input: Input, cause: Cause) {
        let _ = self.0.send(Message::Input(input, cause, None)).await;
    }

    /// Sends an input if the queue has room; returns false if it has none.
    pub fn try_input(&self, input: Input, cause: Cause) -> bool {
        let message = Message::Input(input, cause, None);
        self.0.try_send(message).is_ok()
    }

    /// Sends an input and waits until the engine has applied it.
    pub async fn input_and_wait(&self, input: Input) {
        let (done, wait) = oneshot::channel();
        let _ = self
            .0
            .send(Message::Input(input, Cause::Other, Some(done)))
            .await;
        let _ = wait.await;
    }

    /// Sends several inputs at once.
    pub async fn inputs(&self, inputs: Vec<Input>, cause: Cause) {
        let _ = self.0.send(Message::Inputs(inputs, cause)).await;
    }

    /// Sends a fact about a person and waits until the engine has applied it.
    pub async fn fact(&self, person: PersonId, fact: Fact) {
        self.input_and_wait(Input::Person(person, fact)).await;
    }

    /// The person's presence with its reasons, with the layer of Microphone Sync or without.
    pub async fn explain(
        &self,
        person: PersonId,
        microphone: MicrophoneLayer,
    ) -> Option<Explained> {
        let (answer, wait) = oneshot::channel();
        let message = Message::Explain(person, microphone, answer);
        let _ = self.0.send(message).await;
        wait.await.ok().flatten()
    }

    /// The person's own choice of a profile; `None` if there is none or it has ended.
    pub async fn choice(&self, person: PersonId) -> Option<Choice> {
        let (answer, wait) = oneshot::channel();
        let _ = self.0.send(Message::Choice(person, answer)).await;
        wait.await.ok().flatten()
    }

    /// The states of these lines, in the order of the question.
    pub async fn lines(&self, lines: Vec<(PersonId, LineId)>) -> Vec<LineKnowledge> {
        let unknown = vec![LineKnowledge::Unknown; lines.len()];
        let (answer, wait) = oneshot::channel();
        let _ = self.0.send(Message::Lines(lines, answer)).await;
        wait.await.unwrap_or(unknown)
    }

    /// The person's call in Teams, which the list of appointments shows.
    pub async fn teams_call(&self, person: PersonId) -> Option<TeamsCall> {
        let (answer, wait) = oneshot::channel();
        let _ = self.0.send(Message::TeamsCall(person, answer)).await;
        wait.await.ok().flatten()
    }
}
