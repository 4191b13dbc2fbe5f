//! Changes as they happen: server-sent events. Each `presence` event has the person's id and the whole new presence;
//! `reset` means that too much was missed and everything must be read again.

mod gathering;

use std::{collections::VecDeque, convert::Infallible, pin::Pin, sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::sse::{Event as SseEvent, KeepAlive, KeepAliveStream, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use presence::view;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        watch,
    },
    time::{Instant, Interval, interval_at},
};
use utoipa::ToSchema;

use self::gathering::{Change, Gathering};
use super::PresenceBody;
use crate::{
    app::Shared,
    caller::Caller,
    clients::Connected,
    events::{Event, Listening},
    metrics::Counted,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Since {
    since: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct Body {
    person: String,
    presence: PresenceBody,
}

type Frames = Pin<Box<dyn Stream<Item = Result<SseEvent, Infallible>> + Send>>;

/// Changes as server-sent events: `presence` with a person and the new presence, `reset` when everything must be read
/// again, `hello` at the start. `Last-Event-ID` or `since` names the revision after which to begin.
#[utoipa::path(
    get,
    path = "/events",
    tag = "Presence",
    params(Since),
    responses((status = OK, description = "What was asked for.", content_type = "text/event-stream", body = String)),
)]
pub(crate) async fn stream(
    State(shared): State<Shared>,
    caller: Caller,
    Query(Since { since }): Query<Since>,
    headers: HeaderMap,
) -> Sse<KeepAliveStream<Frames>> {
    let last = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let Listening {
        missed,
        revision,
        receiver,
    } = shared.events.listen(last.or(since));
    let begin = match missed {
        Some(missed) => missed
            .iter()
            .filter_map(|event| {
                let (first, last) = (event.clone(), event.clone());
                frame(&shared, &caller, &Change { first, last })
            })
            .map(Ok)
            .collect(),
        None => vec![Ok(reset(revision))],
    };
    let hello = SseEvent::default()
        .id(revision.to_string())
        .event("hello")
        .data("{}");
    // The open page of a signed-in person is a client.
    let client = match caller.person {
        Some(person) => Some(shared.clients.connect(person).await),
        None => None,
    };
    let listener = Listener {
        receiver,
        gathering: Gathering::new(Instant::now()),
        ready: VecDeque::new(),
        _open: Counted::new(&shared.metrics.streams),
        _client: client,
        stopping: shared.stopping.clone(),
        revoked: shared.revoked.subscribe(),
        look: interval_at(Instant::now() + LOOKS, LOOKS),
        headers,
        caller,
        shared,
    };
    let live = stream::unfold(listener, |mut listener| async move {
        let frame = listener.next().await?;
        Some((Ok(frame), listener))
    });
    let frames = stream::iter(begin)
        .chain(stream::once(async { Ok(hello) }))
        .chain(live);
    Sse::new(Box::pin(frames) as Frames).keep_alive(KeepAlive::default())
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
    shared: Shared,
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
                    let changes = self.gathering.give();
                    let frames = changes.iter();
                    let frames = frames.filter_map(|change| frame(&self.shared, &self.caller, change));
                    self.ready.extend(frames);
                    if !self.ready.is_empty() {
                        self.gathering.sent(Instant::now());
                    }
                }
                () = stopped(&mut self.stopping) => return None,
                () = in_doubt(&mut self.revoked, &mut self.look) => {
                    let now = self.shared.access.caller(&self.headers).await;
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
                let listening = self.shared.events.listen(None);
                self.receiver = listening.receiver;
                self.begin_again(listening.revision);
            }
            Err(RecvError::Closed) => return None,
        }
        Some(())
    }

    fn take(&mut self, event: Arc<Event>) {
        if event.presence.is_none() {
            return self.begin_again(event.revision);
        }
        self.gathering.take(event);
    }

    /// Everything is read again: what waits is in that already.
    fn begin_again(&mut self, revision: u64) {
        self.gathering.forget();
        self.ready.push_back(reset(revision));
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

/// What the caller may see of a change; nothing where that is nothing new to them.
fn frame(shared: &Shared, caller: &Caller, change: &Change) -> Option<SseEvent> {
    let Change { first, last: event } = change;
    let Some(presence) = &event.presence else {
        return Some(reset(event.revision));
    };
    let level = caller.level(shared, event.person);
    let seen = view(presence, level);
    if first
        .previous
        .as_ref()
        .is_some_and(|previous| view(previous, level) == seen)
    {
        return None;
    }
    let told = event.told.to(level, || {
        let body = Body {
            person: event.person.to_string(),
            presence: PresenceBody::from(&seen),
        };
        // A struct of strings always serialises.
        serde_json::to_string(&body).unwrap_or_default()
    });
    let frame = SseEvent::default()
        .id(event.revision.to_string())
        .event("presence")
        .data(told);
    Some(frame)
}

fn reset(revision: u64) -> SseEvent {
    SseEvent::default()
        .id(revision.to_string())
        .event("reset")
        .data("{}")
}
