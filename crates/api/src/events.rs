//! Streams of changes as server-sent events. A `presence` event has the person's id and complete presence, `person` the
//! name and lines, `person-removed` an id; `reset` asks the client to read everything again.
//!
//! A stream reveals only changes that the viewer may see: ids of events are sealed, so that they do not reveal the number
//! of changes in between.

mod gathering;
mod token;

use std::{collections::VecDeque, convert::Infallible, pin::Pin, sync::Arc, time::Duration};

use api_types::{people::PersonRemoved, presence::PresenceChange};
use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event as SseEvent, KeepAlive, KeepAliveStream, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use presence::{PersonId, Relationship, TraceId, view};
use runtime::{
    clients::Connected,
    context::Context,
    events::{Change, Event, ListenFrom, Listening},
    metrics::Counted,
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        watch,
    },
    time::{Instant, Interval, interval_at},
};

use self::gathering::{Gathering, News, PersonChanges};
pub use self::token::Tokens;
use super::{people::person_body, presence::presence_body};
use crate::{Query, access::Access, caller::Caller, problem::Problem, revocations::Revocations};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Since {
    /// The id of the last received event.
    since: Option<String>,
}

/// The parts that event streams use beside the context. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventStreams {
    /// Ids of events, sealed for clients.
    pub tokens: Arc<Tokens>,
    /// Checks the caller's credential again.
    pub access: Access,
    /// Triggers an immediate check.
    pub revocations: Revocations,
    /// True when the server stops.
    pub stopping: watch::Receiver<bool>,
}

type Frames = Pin<Box<dyn Stream<Item = Result<SseEvent, Infallible>> + Send>>;

/// Streams changes as server-sent events: `presence` with a person, the new presence and the trace id of the fact that changed it
/// (`trace`, absent if a deadline did, and for viewers who may not see it in an explanation), `person` with new names or lines, `person-removed` with an id, `reset` if everything must
/// be read again, `hello` at the start. `Last-Event-ID` or `since` holds the id of the event after which the stream starts.
#[utoipa::path(
    get,
    path = "/events",
    tag = "Presence",
    params(Since),
    responses((status = OK, description = "The requested data.", content_type = "text/event-stream", body = String)),
)]
pub async fn stream(
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
    let revision = |id: &str| {
        let opened = tokens.open(id);
        opened.map_or(ListenFrom::Unknown, ListenFrom::Revision)
    };
    let since = match (last, since) {
        // A browser repeats an id of an earlier run or version, too: such an id begins a new stream.
        (Some(last), _) => revision(last),
        (None, Some(since)) => {
            if !token::is_well_formed(&since) {
                let detail = "since names no event; send the id of an event as it was received, or leave it out";
                return Err(Problem::invalid("since", detail));
            }
            revision(&since)
        }
        (None, None) => ListenFrom::Now,
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
                gathering.add(event, |owner, before| {
                    caller.level_before(&context.organisation, owner, before)
                });
            }
            let frames = frames((&context, &tokens), &caller, gathering.take_batch());
            frames.into_iter().map(Ok).collect()
        }
        Some(_) | None => vec![Ok(reset(&tokens, revision))],
    };
    let hello = SseEvent::default()
        .id(tokens.seal(revision))
        .event("hello")
        .data("{}");
    // The open page of a signed-in person counts as a client.
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
        check: interval_at(Instant::now() + CHECK_INTERVAL, CHECK_INTERVAL),
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
    /// Events to send.
    ready: VecDeque<SseEvent>,
    _open: Counted,
    _client: Option<Connected>,
    stopping: watch::Receiver<bool>,
    revoked: watch::Receiver<u64>,
    /// Interval of the checks of the credential.
    check: Interval,
    /// The headers with the caller's credential.
    headers: HeaderMap,
    caller: Caller,
    context: Context,
    streams: EventStreams,
}

impl Listener {
    /// The next event; `None` ends the stream.
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
                    self.on_received(received)?;
                    while let Ok(event) = self.receiver.try_recv() {
                        self.add(event);
                    }
                    let gathered = self.gathering.take_batch();
                    self.ready.extend(frames((&self.context, &self.streams.tokens), &self.caller, gathered));
                    if !self.ready.is_empty() {
                        self.gathering.sent(Instant::now());
                    }
                }
                () = stopped(&mut self.stopping) => return None,
                () = check_due(&mut self.revoked, &mut self.check) => {
                    let now = self.streams.access.caller(&self.headers).await;
                    if !matches!(now, Ok(Some(now)) if now == self.caller) {
                        // The client reconnects with its present permissions.
                        return None;
                    }
                }
            }
        }
    }

    /// Handles a received event; `None` ends the stream.
    fn on_received(&mut self, received: Result<Arc<Event>, RecvError>) -> Option<()> {
        match received {
            Ok(event) => self.add(event),
            Err(RecvError::Lagged(_)) => {
                let listening = self.context.events.listen(ListenFrom::Now);
                self.receiver = listening.receiver;
                self.begin_again(listening.revision);
            }
            Err(RecvError::Closed) => return None,
        }
        Some(())
    }

    fn add(&mut self, event: Arc<Event>) {
        if resets(&event, &self.caller) {
            return self.begin_again(event.revision);
        }
        let Self {
            caller,
            context,
            gathering,
            ..
        } = self;
        gathering.add(event, |owner, before| {
            caller.level_before(&context.organisation, owner, before)
        });
    }

    /// Asks the client to read everything again, which includes all waiting changes.
    fn begin_again(&mut self, revision: u64) {
        self.gathering.clear();
        self.ready.push_back(reset(&self.streams.tokens, revision));
    }
}

/// Whether the caller must read everything again after this event.
fn resets(event: &Event, caller: &Caller) -> bool {
    match &event.change {
        Change::Reset(reset) => reset.concerns(caller.person),
        Change::Presence(_) | Change::Person(_) | Change::Removed(_) | Change::Visibility(..) => {
            false
        }
    }
}

/// Interval of the checks whether a session has expired.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// Completes when the credential must be checked: after a revocation, or after the interval.
async fn check_due(revoked: &mut watch::Receiver<u64>, look: &mut Interval) {
    tokio::select! {
        // When the server stops, no more revocations follow.
        _ = revoked.changed() => {}
        _ = look.tick() => {}
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A dropped sender means stop as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Events for the changes that the caller may see: per person at most one with the details and one with the presence. The
/// last event of a person carries the id, so that a client that disconnects between the two receives both again.
fn frames(
    (context, tokens): (&Context, &Tokens),
    caller: &Caller,
    gathered: Vec<PersonChanges>,
) -> Vec<SseEvent> {
    let mut frames = Vec::new();
    for PersonChanges {
        person,
        revision,
        news,
    } in gathered
    {
        let first = frames.len();
        match news {
            News::Removed => {
                let person = person.to_string();
                frames.extend(json_frame("person-removed", &PersonRemoved { person }));
            }
            News::There {
                details,
                level_before,
                presence,
            } => {
                let known = context.people.person(person).filter(|_| details);
                let known = known.map(|known| person_body(&known));
                frames.extend(known.and_then(|known| json_frame("person", &known)));
                let levels = Levels {
                    before: level_before,
                    now: caller.level(&context.organisation, person),
                };
                frames.extend(presence_frame((context, caller), person, levels, presence));
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

/// Relationship of the viewer to a person.
struct Levels {
    /// At the last event, if it has changed since.
    before: Option<Relationship>,
    now: Relationship,
}

/// The event of a presence; `None` if the viewer's view has not changed.
fn presence_frame(
    (context, caller): (&Context, &Caller),
    person: PersonId,
    levels: Levels,
    changes: Option<(Arc<Event>, Arc<Event>)>,
) -> Option<SseEvent> {
    let changes = changes.as_ref();
    let changes = changes.and_then(|(first, last)| Some((first.presence()?, last.presence()?)));
    let present;
    let (previous, now, cause) = match (changes, levels.before) {
        (Some((first, last)), _) => (first.previous.as_ref(), &last.now, Some(last)),
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
    let text = |trace: Option<TraceId>| {
        let body = PresenceChange {
            person: person.to_string(),
            presence: presence_body(&seen),
            trace: trace.map(|trace| trace.to_string()),
        };
        // A struct of strings always serialises.
        serde_json::to_string(&body).unwrap_or_default()
    };
    // The text without a trace is the same for all viewers of a level. Others would learn from a trace whether a fact or time
    // changed the presence, and which changes belong together.
    let trace = cause.and_then(|cause| cause.trace);
    let trace = trace.filter(|_| caller.may_see_traces(&context.organisation, person));
    let frame = SseEvent::default().event("presence");
    Some(match (trace, cause) {
        (Some(trace), _) => frame.data(text(Some(trace))),
        (None, Some(cause)) => frame.data(cause.texts.to(levels.now, || text(None))),
        (None, None) => frame.data(text(None)),
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
