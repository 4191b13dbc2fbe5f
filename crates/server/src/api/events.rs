//! Changes as they happen: server-sent events. Each `presence` event has the person's id and the whole new presence,
//! `person` the new name and lines, `person-removed` an id; `reset` means that everything must be read again.
//!
//! Only changes that the viewer may see are sent, and nothing else leaks that something changed: the ids of the events are
//! sealed tokens that say nothing about how many changes there were.

mod gathering;
mod token;

use std::{collections::VecDeque, convert::Infallible, pin::Pin, sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::sse::{Event as SseEvent, KeepAlive, KeepAliveStream, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use presence::{PersonId, Relationship, view};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        watch,
    },
    time::{Instant, Interval, interval_at},
};
use utoipa::ToSchema;

use self::gathering::{Gathered, Gathering, News};
pub use self::token::Tokens;
use super::{PresenceBody, people::PersonBody};
use crate::{
    access::Access,
    caller::Caller,
    clients::Connected,
    context::Context,
    events::{Change, Event, Listening},
    metrics::Counted,
    problem::Problem,
    revocations::Revocations,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Since {
    /// The id of the last event that was received.
    since: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Body {
    person: String,
    presence: PresenceBody,
}

/// The parts that event streams use beside the context. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventStreams {
    /// Ids of events, sealed for clients.
    pub tokens: Arc<Tokens>,
    /// Checks the caller's credential again.
    pub access: Access,
    /// When to check it at once.
    pub revocations: Revocations,
    /// True when the server stops.
    pub stopping: watch::Receiver<bool>,
}

type Frames = Pin<Box<dyn Stream<Item = Result<SseEvent, Infallible>> + Send>>;

#[derive(Serialize, ToSchema)]
struct RemovedBody {
    person: String,
}

/// Changes as server-sent events: `presence` with a person and the new presence, `person` with new names or lines,
/// `person-removed` with an id, `reset` when everything must be read again, `hello` at the start. `Last-Event-ID` or
/// `since` names the event after which to begin, by its id.
#[utoipa::path(
    get,
    path = "/events",
    tag = "Presence",
    params(Since),
    responses((status = OK, description = "What was asked for.", content_type = "text/event-stream", body = String)),
)]
pub(crate) async fn stream(
    State(context): State<Context>,
    State(streams): State<EventStreams>,
    caller: Caller,
    Query(Since { since }): Query<Since>,
    headers: HeaderMap,
) -> Result<Sse<KeepAliveStream<Frames>>, Problem> {
    let tokens = streams.tokens.clone();
    let last = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .filter(|id| !id.is_empty());
    let since = match (last, since) {
        // A browser repeats what it has: a token of an earlier run, or of an older version, begins anew.
        (Some(last), _) => Some(tokens.open(last).unwrap_or(u64::MAX)),
        (None, Some(since)) => {
            if !token::is_well_formed(&since) {
                let detail = "since names no event; send the id of an event as it was received, or leave it out";
                return Err(Problem::invalid("since", detail));
            }
            Some(tokens.open(&since).unwrap_or(u64::MAX))
        }
        (None, None) => None,
    };
    let Listening {
        missed,
        revision,
        receiver,
    } = context.events.listen(since);
    let begin = match missed {
        Some(missed) if !missed.iter().any(|event| resets(event, &caller)) => {
            let mut gathering = Gathering::new(Instant::now());
            for event in missed {
                gathering.take(event, |owner, before| {
                    caller.level_before(&context.organisation, owner, before)
                });
            }
            let frames = frames((&context, &tokens), &caller, gathering.give());
            frames.into_iter().map(Ok).collect()
        }
        Some(_) | None => vec![Ok(reset(&tokens, revision))],
    };
    let hello = SseEvent::default()
        .id(tokens.seal(revision))
        .event("hello")
        .data("{}");
    // The open page of a signed-in person is a client.
    let client = match caller.person {
        Some(person) => Some(context.clients.connect(person).await),
        None => None,
    };
    let listener = Listener {
        receiver,
        gathering: Gathering::new(Instant::now()),
        ready: VecDeque::new(),
        _open: Counted::new(&context.metrics.streams),
        _client: client,
        stopping: streams.stopping.clone(),
        revoked: streams.revocations.subscribe(),
        look: interval_at(Instant::now() + LOOKS, LOOKS),
        headers,
        caller,
        context,
        streams,
    };
    let live = stream::unfold(listener, |mut listener| async move {
        let frame = listener.next().await?;
        Some((Ok(frame), listener))
    });
    let frames = stream::iter(begin)
        .chain(stream::once(async { Ok(hello) }))
        .chain(live);
    Ok(Sse::new(Box::pin(frames) as Frames).keep_alive(KeepAlive::default()))
}

/// An open stream.
struct Listener {
    receiver: broadcast::Receiver<Arc<Event>>,
    gathering: Gathering,
    /// What is sent as soon as the client takes it.
    ready: VecDeque<SseEvent>,
    _open: Counted,
    _client: Option<Connected>,
    stopping: watch::Receiver<bool>,
    revoked: watch::Receiver<u64>,
    /// When it is looked whether the session has run out.
    look: Interval,
    /// What the caller came in by.
    headers: HeaderMap,
    caller: Caller,
    context: Context,
    streams: EventStreams,
}

impl Listener {
    /// The next thing to tell; `None` at the end.
    async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            let next = self.gathering.next();
            let may = Instant::now() >= next;
            tokio::select! {
                () = tokio::time::sleep_until(next), if !may => {}
                received = self.receiver.recv(), if may => {
                    self.hear(received)?;
                    while let Ok(event) = self.receiver.try_recv() {
                        self.take(event);
                    }
                    let gathered = self.gathering.give();
                    self.ready.extend(frames((&self.context, &self.streams.tokens), &self.caller, gathered));
                    if !self.ready.is_empty() {
                        self.gathering.sent(Instant::now());
                    }
                }
                () = stopped(&mut self.stopping) => return None,
                () = in_doubt(&mut self.revoked, &mut self.look) => {
                    let now = self.streams.access.caller(&self.headers).await;
                    if !matches!(now, Ok(Some(now)) if now == self.caller) {
                        // Whoever may still come in connects again, as what they are now.
                        return None;
                    }
                }
            }
        }
    }

    /// `None`: nothing will come any more.
    fn hear(&mut self, received: Result<Arc<Event>, RecvError>) -> Option<()> {
        match received {
            Ok(event) => self.take(event),
            Err(RecvError::Lagged(_)) => {
                let listening = self.context.events.listen(None);
                self.receiver = listening.receiver;
                self.begin_again(listening.revision);
            }
            Err(RecvError::Closed) => return None,
        }
        Some(())
    }

    fn take(&mut self, event: Arc<Event>) {
        if resets(&event, &self.caller) {
            return self.begin_again(event.revision);
        }
        let Self {
            caller,
            context,
            gathering,
            ..
        } = self;
        gathering.take(event, |owner, before| {
            caller.level_before(&context.organisation, owner, before)
        });
    }

    /// Everything is read again: what waits is in that already.
    fn begin_again(&mut self, revision: u64) {
        self.gathering.forget();
        self.ready.push_back(reset(&self.streams.tokens, revision));
    }
}

/// Whether the caller must read everything again.
fn resets(event: &Event, caller: &Caller) -> bool {
    match &event.change {
        Change::Reset(reset) => reset.concerns(caller.person),
        Change::Presence(_) | Change::Person(_) | Change::Removed(_) | Change::Visibility(..) => {
            false
        }
    }
}

/// How often a stream looks whether its session has run out.
const LOOKS: Duration = Duration::from_secs(60);

/// Returns when the caller may no longer be let in: something was revoked, or time has passed.
async fn in_doubt(revoked: &mut watch::Receiver<u64>, look: &mut Interval) {
    tokio::select! {
        // Nobody is left to revoke anything when the server stops.
        _ = revoked.changed() => {}
        _ = look.tick() => {}
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// The frames for all that the caller may see of these changes; of each person at most one of the details and one of the
/// presence. The last one of a person carries the id: a client that loses the stream between the two gets both again.
fn frames(
    (context, tokens): (&Context, &Tokens),
    caller: &Caller,
    gathered: Vec<Gathered>,
) -> Vec<SseEvent> {
    let mut frames = Vec::new();
    for Gathered {
        person,
        revision,
        news,
    } in gathered
    {
        let first = frames.len();
        match news {
            News::Removed => {
                let person = person.to_string();
                frames.extend(json_frame("person-removed", &RemovedBody { person }));
            }
            News::There {
                details,
                level_before,
                presence,
            } => {
                let known = context.people.person(person).filter(|_| details);
                let known = known.map(|known| PersonBody::from(&*known));
                frames.extend(known.and_then(|known| json_frame("person", &known)));
                let levels = Levels {
                    before: level_before,
                    now: caller.level(&context.organisation, person),
                };
                frames.extend(presence_frame(context, person, levels, presence));
            }
        }
        if frames.len() > first
            && let Some(last) = frames.pop()
        {
            frames.push(last.id(tokens.seal(revision)));
        }
    }
    frames
}

/// How much the viewer may see of a person.
struct Levels {
    /// At the last frame, where that changed.
    before: Option<Relationship>,
    now: Relationship,
}

/// The frame of a presence; none where the viewer sees what they saw before.
fn presence_frame(
    context: &Context,
    person: PersonId,
    levels: Levels,
    changes: Option<(Arc<Event>, Arc<Event>)>,
) -> Option<SseEvent> {
    let changes = changes.as_ref();
    let changes = changes.and_then(|(first, last)| Some((first.presence()?, last.presence()?)));
    let present;
    let (previous, now, told) = match (changes, levels.before) {
        (Some((first, last)), _) => (first.previous.as_ref(), &last.now, Some(&last.texts)),
        (None, Some(_)) => {
            present = context.events.presence(person)?;
            (Some(&present), &present, None)
        }
        (None, None) => return None,
    };
    let seen = view(now, levels.now);
    let level_before = levels.before.unwrap_or(levels.now);
    if previous.is_some_and(|previous| view(previous, level_before) == seen) {
        return None;
    }
    let make = || {
        let body = Body {
            person: person.to_string(),
            presence: PresenceBody::from(&seen),
        };
        // A struct of strings always serialises.
        serde_json::to_string(&body).unwrap_or_default()
    };
    let frame = SseEvent::default().event("presence");
    Some(match told {
        Some(told) => frame.data(told.to(levels.now, make)),
        None => frame.data(make()),
    })
}

fn json_frame(name: &'static str, body: &impl Serialize) -> Option<SseEvent> {
    let text = serde_json::to_string(body).ok()?;
    Some(SseEvent::default().event(name).data(text))
}

fn reset(tokens: &Tokens, revision: u64) -> SseEvent {
    SseEvent::default()
        .id(tokens.seal(revision))
        .event("reset")
        .data("{}")
}
