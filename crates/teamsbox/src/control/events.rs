//! The event stream of the page (server-sent events).
//!
//! `user` has a person's visible pair after a change of the person, and `clock` the state of the clock after a movement.
//! After `reset` the reader has missed events and loads all data again.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::State,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use tokio_stream::{
    Stream, StreamExt,
    wrappers::{BroadcastStream, errors::BroadcastStreamRecvError},
};

use crate::{notices::Notice, shell::Shell};

/// `GET /box/v1/events`
pub(super) async fn stream(
    State(shell): State<Arc<Shell>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let notices = BroadcastStream::new(shell.notices());
    // The first event confirms the connection. A reader that loads the list after it misses no change.
    let hello = tokio_stream::once(Ok(Event::default().event("hello").data("{}")));
    let events = notices
        .take_while(|notice| !matches!(notice, Ok(Notice::Stop)))
        .map(|notice| {
            Ok(match notice {
                Ok(Notice::Event(name, data)) => Event::default().event(name).data(&*data),
                Ok(Notice::Stop) | Err(BroadcastStreamRecvError::Lagged(_)) => {
                    Event::default().event("reset").data("{}")
                }
            })
        });
    Sse::new(hello.chain(events)).keep_alive(KeepAlive::default())
}
