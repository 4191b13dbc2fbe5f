//! The synchronisation of people with Entra: what it did, and doing it now.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Json;
use crate::{
    app::Shared, caller::Caller, clock::rfc3339, entra::Outcome, organisation::ORGANISATION,
    problem::Problem,
};

/// What a synchronisation did or would do. Accounts that fit and have not changed are not listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Directory)]
pub(crate) struct DirectoryBody {
    at: String,
    dry_run: bool,
    /// Accounts in the directory.
    accounts: usize,
    items: Vec<DeedBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DirectoryDeed)]
struct DeedBody {
    /// `added`, `updated`, `gone`, `unmatched` (a person without an account), `ambiguous` (an account that could be
    /// several people's), `refused`.
    what: &'static str,
    person: Option<String>,
    name: String,
    reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DirectoryWish)]
pub(crate) struct WishBody {
    #[serde(default)]
    dry_run: bool,
}

impl From<Outcome> for DirectoryBody {
    fn from(outcome: Outcome) -> Self {
        let items = outcome.deeds.into_iter().map(|deed| DeedBody {
            what: deed.what,
            person: deed.person.map(|person| person.to_string()),
            name: deed.name,
            reason: deed.reason,
        });
        Self {
            at: rfc3339(outcome.at),
            dry_run: outcome.dry_run,
            accounts: outcome.accounts,
            items: items.collect(),
        }
    }
}

/// What the last synchronisation with Entra did; null before the first, and where none is configured.
#[utoipa::path(
    get,
    path = "/directory",
    tag = "Administration",
    responses((status = OK, description = "What was asked for.", body = Option<DirectoryBody>)),
)]
pub(crate) async fn last(
    State(shared): State<Shared>,
    caller: Caller,
) -> Result<axum::Json<Option<DirectoryBody>>, Problem> {
    caller.require_admin(&shared, ORGANISATION)?;
    let last = shared.directory_sync.last();
    Ok(axum::Json(last.map(DirectoryBody::from)))
}

/// Synchronises with Entra now, and answers with what was done; a dry run only tells what would be done.
#[utoipa::path(
    post,
    path = "/directory/synchronise",
    tag = "Administration",
    responses((status = OK, description = "What was done.", body = DirectoryBody)),
)]
pub(crate) async fn synchronise(
    State(shared): State<Shared>,
    caller: Caller,
    Json(wish): Json<WishBody>,
) -> Result<axum::Json<DirectoryBody>, Problem> {
    caller.require_admin(&shared, ORGANISATION)?;
    match shared.directory_sync.now(wish.dry_run).await {
        Some(Ok(outcome)) => Ok(axum::Json(outcome.into())),
        Some(Err(failure)) => Err(Problem::unavailable(&failure)),
        None => Err(Problem::conflict(
            "people are not taken from Entra here; set entra = true in the section [directory] of the configuration",
        )),
    }
}
