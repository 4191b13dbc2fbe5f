//! Synchronisation of people with Entra: the last result, and synchronising now.

use std::{collections::BTreeMap, sync::Arc};

use api_types::{
    directory::{Directory, DirectoryAction, DirectoryActionKind, DirectorySynchronisation},
    work::{Work, WorkKind},
};
use axum::{extract::State, http::StatusCode, response::Response};
use directory::{ActionKind, DirectorySync, SyncError, SyncOutcome};
use presence::TenantName;
use runtime::{clock::rfc3339, context::Context, organisation::ORGANISATION};
use serde::Deserialize;
use serde_json::json;
use store::{Progress, StoreError};

use super::{
    Json, Query,
    work::{Prefer, answer},
};
use crate::{caller::Caller, jobs::Jobs, problem::Problem};

/// Query: the tenant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantQuery {
    tenant: Option<String>,
}

/// Synchronisations by tenant.
pub type DirectorySyncs = Arc<BTreeMap<TenantName, DirectorySync>>;

/// The synchronisation of a tenant, or the only one.
fn sync<'a>(syncs: &'a DirectorySyncs, tenant: Option<&str>) -> Result<&'a DirectorySync, Problem> {
    let names: Vec<&str> = syncs.keys().map(TenantName::as_str).collect();
    let wanted = match (tenant, names.as_slice()) {
        (Some(tenant), _) => tenant,
        (None, [only]) => only,
        (None, _) => TenantName::MAIN,
    };
    syncs.get(&TenantName::new(wanted)).ok_or_else(|| {
        Problem::conflict(format!(
            "people are not taken from Entra for the tenant {wanted} here; set entra = true in its section [directory] of the configuration (it is for: {})",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") },
        ))
    })
}

/// The body of a synchronisation's result.
fn body(outcome: SyncOutcome) -> Directory {
    let warnings = outcome.warnings();
    let items = outcome.actions.into_iter().map(|action| DirectoryAction {
        what: match action.kind {
            ActionKind::Added => DirectoryActionKind::Added,
            ActionKind::Updated => DirectoryActionKind::Updated,
            ActionKind::Gone => DirectoryActionKind::Gone,
            ActionKind::Unmatched => DirectoryActionKind::Unmatched,
            ActionKind::Ambiguous => DirectoryActionKind::Ambiguous,
            ActionKind::Refused => DirectoryActionKind::Refused,
        },
        person: action.person.map(|person| person.to_string()),
        name: action.name,
        reason: action.reason,
    });
    Directory {
        at: rfc3339(outcome.at),
        dry_run: outcome.dry_run,
        accounts: outcome.accounts,
        items: items.collect(),
        warnings,
    }
}

/// The result of the last synchronisation with Entra; null before the first, and if none is configured.
#[utoipa::path(
    get,
    path = "/directory",
    tag = "Administration",
    params(("tenant" = Option<String>, Query, description = "The tenant; optional if only one has a directory.")),
    responses((status = OK, description = "The requested data.", body = Option<Directory>)),
)]
pub async fn last(
    State(context): State<Context>,
    State(syncs): State<DirectorySyncs>,
    caller: Caller,
    Query(query): Query<TenantQuery>,
) -> Result<axum::Json<Option<Directory>>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let last = match sync(&syncs, query.tenant.as_deref()) {
        Ok(sync) => sync.last(),
        Err(_) => None,
    };
    Ok(axum::Json(last.map(body)))
}

/// Synchronises with Entra now and answers with the result; a dry run only shows it.
#[utoipa::path(
    post,
    path = "/directory/synchronise",
    tag = "Administration",
    responses(
        (status = OK, description = "The result.", body = Directory),
        (status = ACCEPTED, description = "A job was started (`Prefer: respond-async`).", body = Work),
    ),
)]
pub async fn synchronise(
    State(context): State<Context>,
    State(jobs): State<Jobs>,
    State(syncs): State<DirectorySyncs>,
    caller: Caller,
    prefer: Prefer,
    Json(wish): Json<DirectorySynchronisation>,
) -> Result<Response, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let sync = sync(&syncs, wish.tenant.as_deref())?.clone();
    let progress = Arc::new(Progress::default());
    let watched = progress.clone();
    let work = async move {
        match sync.now(wish.dry_run, watched).await {
            Some(Ok(outcome)) => Ok(json!(body(outcome))),
            Some(Err(SyncError::Cancelled)) => Err(StoreError::Cancelled.into()),
            Some(Err(error)) => Err(Problem::unavailable(&error.to_string())),
            None => Err(Problem::unavailable("the server is stopping")),
        }
    };
    answer(
        (&jobs, &context.clock),
        (&caller, prefer),
        WorkKind::Directory,
        (progress, StatusCode::OK),
        work,
    )
    .await
}
