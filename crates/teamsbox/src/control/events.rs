//! The live feed of the page: server-sent events.
//!
//! `user` carries a person's visible pair after anything about the person changed, `clock` a movement of the clock,
//! `reset` says that the reader fell behind and should load everything anew.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_stream::{Stream, StreamExt};

use crate::notices::Notice;
use crate::shell::Shell;

/// `GET /box/v1/events`
pub(super) async fn stream(
    State(shell): State<Arc<Shell>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let notices = BroadcastStream::new(shell.notices());
    // The first event tells the reader that it is connected: only then does loading the list miss nothing.
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
