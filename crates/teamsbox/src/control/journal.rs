//! The journal, by pages or as a stream.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{Query, State},
    http::header,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::{Stream, wrappers::ReceiverStream};

use crate::{
    error::ControlError,
    journal::{ENTRIES_MAX, Entry},
    notices::Notice,
    shell::Shell,
};

/// The most entries that wait for a reader of the stream.
const STREAM_AHEAD: usize = 256;

/// Default number of entries of a page.
const LIMIT_DEFAULT: usize = 1_000;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct JournalQuery {
    after: u64,
    user: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct JournalPage<'a> {
    entries: Vec<&'a Entry>,
    next: u64,
}

/// `GET /box/v1/journal`
pub(super) async fn page(
    State(shell): State<Arc<Shell>>,
    Query(query): Query<JournalQuery>,
) -> Result<Response, ControlError> {
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, ENTRIES_MAX);
    let body = shell.with(|world, _| {
        let user = query
            .user
            .as_deref()
            .map(|id| world.tenant.find_any(id))
            .transpose()?;
        let user = user
            .and_then(|index| world.tenant.user(index))
            .map(|user| user.guid);
        let (entries, next) = world.journal.page(query.after, user, limit);
        // Plain data always serialises.
        Ok(serde_json::to_vec(&JournalPage { entries, next }).unwrap_or_default())
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// `GET /box/v1/journal/events`: the entries after a given one, then new entries, as server-sent events.
pub(super) async fn stream(
    State(shell): State<Arc<Shell>>,
    Query(query): Query<JournalQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ControlError> {
    let user = shell.with(|world, _| {
        let index = query
            .user
            .as_deref()
            .map(|id| world.tenant.find_any(id))
            .transpose()?;
        Ok(index
            .and_then(|index| world.tenant.user(index))
            .map(|user| user.guid))
    })?;
    let (sender, receiver) = mpsc::channel(STREAM_AHEAD);
    let mut grown = shell.with(|world, _| world.journal.follow());
    let mut stop = shell.notices();
    tokio::spawn(async move {
        let mut after = query.after;
        loop {
            let (events, next) = shell.with(|world, _| {
                let (entries, next) = world.journal.page(after, user, STREAM_AHEAD);
                let event = |entry: &&Entry| {
                    let data = serde_json::to_string(entry).unwrap_or_default();
                    Event::default()
                        .event(entry.kind)
                        .id(entry.sequence.to_string())
                        .data(data)
                };
                (entries.iter().map(event).collect::<Vec<_>>(), next)
            });
            let idle = events.is_empty();
            after = next;
            for event in events {
                if sender.send(Ok(event)).await.is_err() {
                    return;
                }
            }
            if !idle {
                continue;
            }
            tokio::select! {
                grown = grown.changed() => {
                    if grown.is_err() {
                        return;
                    }
                }
                () = sender.closed() => return,
                notice = stop.recv() => {
                    if matches!(notice, Ok(Notice::Stop) | Err(broadcast::error::RecvError::Closed)) {
                        return;
                    }
                }
            }
        }
    });
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::default()))
}
