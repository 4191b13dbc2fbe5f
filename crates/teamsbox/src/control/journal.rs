//! Reading the journal.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::error::ControlError;
use crate::journal::{ENTRIES_MAX, Entry};
use crate::shell::Shell;

/// Entries per page unless asked otherwise.
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
