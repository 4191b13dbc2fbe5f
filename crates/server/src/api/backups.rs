//! Backups: copies of the database in the folder `backups` beside it, made while everything runs, and put back.

use std::{fs, os::unix::fs::DirBuilderExt, path::PathBuf, sync::Arc, time::UNIX_EPOCH};

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use presence::Timestamp;
use serde::Serialize;
use serde_json::json;
use store::{PreparedRestore, Progress};
use utoipa::ToSchema;

use super::{
    audit::new_entry,
    work::{Prefer, WorkBody, answer},
};
use crate::{
    audit::Administration,
    caller::Caller,
    clock::rfc3339,
    context::Context,
    jobs::Jobs,
    organisation::ORGANISATION,
    problem::Problem,
    restores::{Restore, Restores, backups_folder},
};

/// How a backup's name begins and ends.
const NAME: (&str, &str) = ("offhook-", ".db");

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Backups {
    /// Where they are, on the machine that the server runs on.
    folder: String,
    items: Vec<BackupBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Backup)]
pub(crate) struct BackupBody {
    name: String,
    at: String,
    bytes: u64,
}

/// The backups, the newest first.
#[utoipa::path(
    get,
    path = "/backups",
    tag = "Administration",
    responses((status = OK, description = "What was asked for.", body = Backups)),
)]
pub(crate) async fn list(
    State(context): State<Context>,
    caller: Caller,
) -> Result<axum::Json<Backups>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let folder = folder(&context);
    let shown = folder.display().to_string();
    let items = aside(move || Ok(found(&folder))).await?;
    Ok(axum::Json(Backups {
        folder: shown,
        items,
    }))
}

/// One of them.
#[utoipa::path(
    get,
    path = "/backups/{name}",
    tag = "Administration",
    responses((status = OK, description = "What was asked for.", body = BackupBody)),
)]
pub(crate) async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<axum::Json<BackupBody>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let folder = folder(&context);
    let backup = aside(move || known(&folder, &name)).await?;
    Ok(axum::Json(backup))
}

/// Makes a backup. The file can only be read by the user that the server runs as.
#[utoipa::path(
    post,
    path = "/backups",
    tag = "Administration",
    responses(
        (status = CREATED, description = "Made.", body = BackupBody),
        (status = ACCEPTED, description = "It is under way, where `Prefer: respond-async` was said.", body = WorkBody),
    ),
)]
pub(crate) async fn make(
    State(context): State<Context>,
    State(jobs): State<Jobs>,
    caller: Caller,
    prefer: Prefer,
) -> Result<Response, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let folder = folder(&context);
    let there = folder.clone();
    aside(move || make_folder(&there).map_err(|error| refused(&there, &error))).await?;
    let at = rfc3339(context.clock.now());
    // Windows allows no colons in names.
    let name = format!("{}{}{}", NAME.0, at.replace(':', "-"), NAME.1);
    let entry = new_entry(&context.clock, &caller, Administration::BackupMake, &name);
    let progress = Arc::new(Progress::default());
    let (doing, watched) = (context.clone(), progress.clone());
    let work = async move {
        let store = &doing.store;
        store
            .database()
            .backup_watched(&folder.join(&name), &watched)
            .await?;
        store.record_change(&entry.change()).await?;
        Ok(json!(aside(move || known(&folder, &name)).await?))
    };
    answer(
        (&jobs, &context.clock),
        (&caller, prefer),
        "backup",
        (progress, StatusCode::CREATED),
        work,
    )
    .await
}

/// Deletes a backup.
#[utoipa::path(
    delete,
    path = "/backups/{name}",
    tag = "Administration",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn delete(
    State(context): State<Context>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let folder = folder(&context);
    let wanted = name.clone();
    let backup = aside(move || {
        let backup = known(&folder, &wanted)?;
        let file = folder.join(&backup.name);
        fs::remove_file(&file).map_err(|error| refused(&file, &error))?;
        Ok(backup)
    });
    let backup = backup.await?;
    let entry = new_entry(&context.clock, &caller, Administration::BackupDelete, &name)
        .before(Some(json!(backup)));
    context.store.record_change(&entry.change()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a backup in the place of the database: everything is again as it was then, accounts and keys among it. The server
/// begins again with it within seconds; the database of now is kept beside it.
#[utoipa::path(
    post,
    path = "/backups/{name}/restore",
    tag = "Administration",
    responses((status = ACCEPTED, description = "It is whole; the server begins again with it.", body = BackupBody)),
)]
pub(crate) async fn restore(
    State(context): State<Context>,
    State(restores): State<Option<Restores>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<(StatusCode, axum::Json<BackupBody>), Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let Some(restores) = restores else {
        let detail =
            "only `offhook serve` restores backups; this server keeps its data while it runs";
        return Err(Problem::conflict(detail));
    };
    let folder = folder(&context);
    let there = folder.clone();
    let backup = aside(move || known(&there, &name)).await?;
    let file = folder.join(&backup.name);
    let prepared = PreparedRestore::new(&file, context.store.database().file(), true).await;
    let prepared = prepared.map_err(|error| Problem::conflict(error.to_string()))?;
    // In both databases: in that which is left for the time before, in the other for the time after. Only there the
    // request is carried out.
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::BackupRestore,
        &backup.name,
    );
    context
        .store
        .record_change(&entry.outside_request())
        .await?;
    let asked = restores.ask(Restore::new(prepared, entry));
    asked.map_err(|refused| Problem::conflict(refused.to_string()))?;
    Ok((StatusCode::ACCEPTED, axum::Json(backup)))
}

/// For this user only: a backup holds all that the database holds.
fn make_folder(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)
}

fn folder(context: &Context) -> PathBuf {
    backups_folder(context.store.database().file())
}

/// Files are read and written where nothing waits for them.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Problem::unavailable(&error.to_string()))?
}

fn refused(file: &std::path::Path, error: &std::io::Error) -> Problem {
    let detail = format!(
        "{}: {error}; check free space and permissions",
        file.display()
    );
    Problem::unavailable(&detail)
}

/// What is in the folder; a folder that is not there holds nothing.
fn found(folder: &std::path::Path) -> Vec<BackupBody> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut backups: Vec<BackupBody> = files
        .filter_map(|file| {
            let name = file.file_name().into_string().ok()?;
            let is_ours = name.starts_with(NAME.0) && name.ends_with(NAME.1);
            let about = file
                .metadata()
                .ok()
                .filter(|about| is_ours && about.is_file())?;
            let at = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            let at = Timestamp::from_milliseconds(i64::try_from(at.as_millis()).ok()?);
            Some(BackupBody {
                name,
                at: rfc3339(at),
                bytes: about.len(),
            })
        })
        .collect();
    backups.sort_by(|one, other| other.name.cmp(&one.name));
    backups
}

/// The backup of that name. Only names from the list are looked for: a path is none.
fn known(folder: &std::path::Path, name: &str) -> Result<BackupBody, Problem> {
    let found = found(folder).into_iter().find(|backup| backup.name == name);
    found.ok_or_else(|| Problem::not_found("backup", name, "GET /api/v1/backups lists them"))
}
