//! Changes as they happen: server-sent events. Each `presence` event has the person's id and the whole new presence;
//! `reset` means that too much was missed and everything must be read again.

use std::{convert::Infallible, pin::Pin, sync::Arc};

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::sse::{Event as SseEvent, KeepAlive, KeepAliveStream, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast::error::RecvError, watch};

use super::PresenceBody;
use crate::{
    app::Shared,
    events::{Event, Listening},
    metrics::Metrics,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Since {
    since: Option<u64>,
}

#[derive(Serialize)]
struct Body {
    person: String,
    presence: PresenceBody,
}

/// Counts an open stream for as long as it is.
struct Open(Arc<Metrics>);

impl Open {
    fn new(metrics: Arc<Metrics>) -> Self {
        metrics.streams.inc();
        Self(metrics)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.streams.dec();
    }
}

type Frames = Pin<Box<dyn Stream<Item = Result<SseEvent, Infallible>> + Send>>;

/// `GET /events`. `?since=` or `Last-Event-ID` names the revision after which to begin.
pub(crate) async fn stream(
    State(shared): State<Shared>,
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
        Some(missed) => missed.iter().map(|event| Ok(frame(event))).collect(),
        None => vec![Ok(reset(revision))],
    };
    let hello = SseEvent::default()
        .id(revision.to_string())
        .event("hello")
        .data("{}");
    let open = Open::new(shared.metrics.clone());
    let live = stream::unfold(
        (
            receiver,
            open,
            shared.events.clone(),
            shared.stopping.clone(),
        ),
        |(mut receiver, open, events, mut stopping)| async move {
            let frame = tokio::select! {
                received = receiver.recv() => match received {
                    Ok(event) => {
                        let frame = frame(&event);
                        if let Some(answered_at) = event.answered_at {
                            open.0.teams_to_event.observe(answered_at);
                        }
                        frame
                    }
                    Err(RecvError::Lagged(_)) => {
                        let listening = events.listen(None);
                        receiver = listening.receiver;
                        reset(listening.revision)
                    }
                    Err(RecvError::Closed) => return None,
                },
                () = stopped(&mut stopping) => return None,
            };
            Some((Ok(frame), (receiver, open, events, stopping)))
        },
    );
    let frames = stream::iter(begin)
        .chain(stream::once(async { Ok(hello) }))
        .chain(live);
    Sse::new(Box::pin(frames) as Frames).keep_alive(KeepAlive::default())
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

fn frame(event: &Event) -> SseEvent {
    let body = Body {
        person: event.person.to_string(),
        presence: PresenceBody::from(&event.presence),
    };
    // A struct of strings always serialises.
    let data = serde_json::to_string(&body).unwrap_or_default();
    SseEvent::default()
        .id(event.revision.to_string())
        .event("presence")
        .data(data)
}

fn reset(revision: u64) -> SseEvent {
    SseEvent::default()
        .id(revision.to_string())
        .event("reset")
        .data("{}")
}
