//! Backups: copies of the database in the folder `backups` beside it, made while the server runs, and their restoration.

use std::{fs, os::unix::fs::DirBuilderExt, path::PathBuf, sync::Arc, time::UNIX_EPOCH};

use api_types::{
    backups::{Backup, Backups},
    work::{Work, WorkKind},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use presence::Timestamp;
use runtime::{
    audit::Administration, clock::rfc3339, context::Context, organisation::ORGANISATION,
};
use serde_json::json;
use store::{PreparedRestore, Progress};

use super::{
    audit::new_entry,
    work::{Prefer, answer},
};
use crate::{
    caller::Caller,
    jobs::Jobs,
    problem::Problem,
    restores::{Restore, Restores, backups_folder},
};

/// Beginning and end of a backup's file name.
const NAME: (&str, &str) = ("offhook-", ".db");

/// Lists the backups, the newest first.
#[utoipa::path(
    get,
    path = "/backups",
    tag = "Administration",
    responses((status = OK, description = "The requested data.", body = Backups)),
)]
pub async fn list(
    State(context): State<Context>,
    caller: Caller,
) -> Result<axum::Json<Backups>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let folder = folder(&context);
    let shown = folder.display().to_string();
    let items = blocking(move || Ok(found(&folder))).await?;
    Ok(axum::Json(Backups {
        folder: shown,
        items,
    }))
}

/// A backup.
#[utoipa::path(
    get,
    path = "/backups/{name}",
    tag = "Administration",
    responses((status = OK, description = "The requested data.", body = Backup)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<axum::Json<Backup>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let folder = folder(&context);
    let backup = blocking(move || known(&folder, &name)).await?;
    Ok(axum::Json(backup))
}

/// Makes a backup. Only the server's operating system user can read the file.
#[utoipa::path(
    post,
    path = "/backups",
    tag = "Administration",
    responses(
        (status = CREATED, description = "Added.", body = Backup),
        (status = ACCEPTED, description = "A job was started (`Prefer: respond-async`).", body = Work),
    ),
)]
pub async fn make(
    State(context): State<Context>,
    State(jobs): State<Jobs>,
    caller: Caller,
    prefer: Prefer,
) -> Result<Response, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let folder = folder(&context);
    let there = folder.clone();
    blocking(move || make_folder(&there).map_err(|error| refused(&there, &error))).await?;
    let at = rfc3339(context.clock.now());
    // File names on Windows have no colons.
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
        Ok(json!(blocking(move || known(&folder, &name)).await?))
    };
    answer(
        (&jobs, &context.clock),
        (&caller, prefer),
        WorkKind::Backup,
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
pub async fn delete(
    State(context): State<Context>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let folder = folder(&context);
    let wanted = name.clone();
    let backup = blocking(move || {
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

/// Restores a backup: replaces all data, accounts and keys included. The server restarts within seconds and keeps the
/// present database beside the restored one.
#[utoipa::path(
    post,
    path = "/backups/{name}/restore",
    tag = "Administration",
    responses((status = ACCEPTED, description = "The backup is intact; the server restarts with it.", body = Backup)),
)]
pub async fn restore(
    State(context): State<Context>,
    State(restores): State<Option<Restores>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<(StatusCode, axum::Json<Backup>), Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let Some(restores) = restores else {
        let detail =
            "only `offhook serve` restores backups; this server keeps its data while it runs";
        return Err(Problem::conflict(detail));
    };
    let folder = folder(&context);
    let there = folder.clone();
    let backup = blocking(move || known(&there, &name)).await?;
    let file = folder.join(&backup.name);
    let prepared = PreparedRestore::new(&file, context.store.database().file(), true).await;
    let prepared = prepared.map_err(|error| Problem::conflict(error.to_string()))?;
    // The entry goes into both databases: the present one, for the time until the restart, and the restored one. Only the
    // latter records the request as carried out.
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

/// Makes the folder for the server's user alone: a backup holds all data of the database.
fn make_folder(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)
}

fn folder(context: &Context) -> PathBuf {
    backups_folder(context.store.database().file())
}

/// Runs file operations on a thread that may block.
async fn blocking<T: Send + 'static>(
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

/// The backups in a folder; none if the folder does not exist.
fn found(folder: &std::path::Path) -> Vec<Backup> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut backups: Vec<Backup> = files
        .filter_map(|file| {
            let name = file.file_name().into_string().ok()?;
            let is_ours = name.starts_with(NAME.0) && name.ends_with(NAME.1);
            let about = file
                .metadata()
                .ok()
                .filter(|about| is_ours && about.is_file())?;
            let at = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            let at = Timestamp::from_milliseconds(i64::try_from(at.as_millis()).ok()?);
            Some(Backup {
                name,
                at: rfc3339(at),
                bytes: about.len(),
            })
        })
        .collect();
    backups.sort_by(|one, other| other.name.cmp(&one.name));
    backups
}

/// The backup with this name, which must be in the list: paths are refused.
fn known(folder: &std::path::Path, name: &str) -> Result<Backup, Problem> {
    let found = found(folder).into_iter().find(|backup| backup.name == name);
    found.ok_or_else(|| Problem::not_found("backup", name, "GET /api/v1/backups lists them"))
}
