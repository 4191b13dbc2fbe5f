//! Process tables of Microphone Sync: a scope has its own or inherits that of the scope above. The first change copies the
//! inherited table.

use api_types::programs::{NewProgram, Program as ProgramBody, Programs, ProgramsChange};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use runtime::{
    audit::Administration,
    context::Context,
    organisation::{ORGANISATION, PRODUCT, PROGRAMS},
    programs::{PROGRAMS_MAX, Program, Refused, prefilled},
};
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use super::{Json, audit::new_entry};
use crate::{caller::Caller, preconditions::Comparison, problem::Problem};

/// Largest stored table in bytes. The table that agents receive is at most twice as large: a program without an alias is
/// shown by its process.
const TEXT_MAX: usize = agent_protocol::TABLE_MAX / 2;

/// The process table in effect in a scope.
struct ProgramTable {
    /// Whether the scope has its own table.
    individual: bool,
    /// The scope of the table; `product`: the default table.
    decided_by: String,
    items: Vec<Program>,
}

impl ProgramTable {
    fn body(self) -> Programs {
        Programs {
            individual: self.individual,
            decided_by: self.decided_by,
            items: self.items.into_iter().map(program_body).collect(),
        }
    }
}

fn program_body(program: Program) -> ProgramBody {
    ProgramBody {
        process: program.process,
        also: program.also,
        alias: program.alias,
        active: program.active,
        softphone: program.softphone,
        ignore_after_hours: program.ignore_after_hours,
    }
}

fn program(body: ProgramBody) -> Program {
    Program {
        process: body.process,
        also: body.also,
        alias: body.alias,
        active: body.active,
        softphone: body.softphone,
        ignore_after_hours: body.ignore_after_hours,
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::invalid(refused.field, refused.detail)
    }
}

/// The process table in effect in a scope.
#[utoipa::path(
    get,
    path = "/scopes/{scope}/programs",
    tag = "Microphone Sync",
    responses((status = OK, description = "The requested data.", body = Programs)),
)]
pub async fn list(
    State(context): State<Context>,
    caller: Caller,
    Path(scope): Path<String>,
) -> Result<axum::Json<Programs>, Problem> {
    caller.require_admin_to_read(&context.organisation, &scope)?;
    Ok(axum::Json(known(&context, &scope)?.body()))
}

/// Resets a scope's table to the inherited one, or copies another.
#[utoipa::path(
    put,
    path = "/scopes/{scope}/programs",
    tag = "Microphone Sync",
    responses((status = OK, description = "The requested data.", body = Programs)),
)]
pub async fn set(
    State(context): State<Context>,
    caller: Caller,
    Path(scope): Path<String>,
    comparison: Comparison,
    Json(wish): Json<ProgramsChange>,
) -> Result<axum::Json<Programs>, Problem> {
    let table = Table::open(&context, &caller, &scope).await?;
    if comparison.is_same() {
        return Ok(axum::Json(known(&context, &scope)?.body()));
    }
    let after = match (wish.individual, wish.copy_from) {
        (Some(false), None) => None,
        (Some(false), Some(_)) => {
            let detail =
                "nothing is copied where the table of the scope above holds; leave one out";
            return Err(Problem::invalid("copy_from", detail));
        }
        (_, None) => Some(table.before.items.clone()),
        (_, Some(from)) if from == PRODUCT => Some(prefilled()),
        (_, Some(from)) => {
            if from != ORGANISATION {
                caller.require_admin(&context.organisation, &from)?;
            }
            Some(known(&context, &from)?.items)
        }
    };
    let was = table.before.individual.then(|| json!(table.before.items));
    let is = after.as_ref().map(|after| json!(after));
    let noted = (was, is);
    table
        .close(Administration::ProgramsSet, &scope, after, noted)
        .await?;
    Ok(axum::Json(known(&context, &scope)?.body()))
}

/// Adds a program. It is not reported until it is active.
#[utoipa::path(
    post,
    path = "/scopes/{scope}/programs",
    tag = "Microphone Sync",
    responses((status = CREATED, description = "Added.", body = ProgramBody)),
)]
pub async fn add(
    State(context): State<Context>,
    caller: Caller,
    Path(scope): Path<String>,
    Json(new): Json<NewProgram>,
) -> Result<(StatusCode, axum::Json<ProgramBody>), Problem> {
    let table = Table::open(&context, &caller, &scope).await?;
    let program = Program {
        process: new.process,
        also: new.also,
        alias: new.alias.unwrap_or_default(),
        active: false,
        softphone: new.softphone.unwrap_or_default(),
        ignore_after_hours: new.ignore_after_hours,
    }
    .checked()?;
    let mut items = table.before.items.clone();
    refuse_twice(&items, &program)?;
    if items.len() >= PROGRAMS_MAX {
        let detail = format!("the table has {PROGRAMS_MAX} programs; delete some first");
        return Err(Problem::invalid("process", detail));
    }
    items.push(program.clone());
    let target = format!("{scope}/{}", program.process);
    let noted = (None, Some(json!(program)));
    table
        .close(Administration::ProgramsAdd, &target, Some(items), noted)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(program_body(program))))
}

/// A program.
#[utoipa::path(
    get,
    path = "/scopes/{scope}/programs/{process}",
    tag = "Microphone Sync",
    responses((status = OK, description = "The requested data.", body = ProgramBody)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path((scope, process)): Path<(String, String)>,
) -> Result<axum::Json<ProgramBody>, Problem> {
    caller.require_admin_to_read(&context.organisation, &scope)?;
    let items = known(&context, &scope)?.items;
    let at = position(&items, &process)?;
    let found = items.into_iter().nth(at);
    found
        .map(|program| axum::Json(program_body(program)))
        .ok_or_else(|| unknown(&process))
}

/// Changes a program, including its process.
#[utoipa::path(
    put,
    path = "/scopes/{scope}/programs/{process}",
    tag = "Microphone Sync",
    responses((status = OK, description = "The requested data.", body = ProgramBody)),
)]
pub async fn change(
    State(context): State<Context>,
    caller: Caller,
    Path((scope, process)): Path<(String, String)>,
    comparison: Comparison,
    Json(body): Json<ProgramBody>,
) -> Result<axum::Json<ProgramBody>, Problem> {
    let table = Table::open(&context, &caller, &scope).await?;
    if comparison.is_same() {
        return Ok(axum::Json(body));
    }
    let mut items = table.before.items.clone();
    let at = position(&items, &process)?;
    let program = program(body).checked()?;
    let before = items.remove(at);
    refuse_twice(&items, &program)?;
    items.insert(at, program.clone());
    let target = format!("{scope}/{}", program.process);
    let noted = (Some(json!(before)), Some(json!(program)));
    table
        .close(Administration::ProgramsChange, &target, Some(items), noted)
        .await?;
    Ok(axum::Json(program_body(program)))
}

/// Deletes a program, which is then no longer reported.
#[utoipa::path(
    delete,
    path = "/scopes/{scope}/programs/{process}",
    tag = "Microphone Sync",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn delete(
    State(context): State<Context>,
    caller: Caller,
    Path((scope, process)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let table = Table::open(&context, &caller, &scope).await?;
    let mut items = table.before.items.clone();
    let before = items.remove(position(&items, &process)?);
    let target = format!("{scope}/{}", before.process);
    let noted = (Some(json!(before)), None);
    table
        .close(Administration::ProgramsDelete, &target, Some(items), noted)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(process: &str) -> Problem {
    let remedy = "GET /api/v1/scopes/{scope}/programs lists them";
    Problem::not_found("program", process, remedy)
}

fn position(items: &[Program], process: &str) -> Result<usize, Problem> {
    let at = items.iter().position(|known| known.is_of(process));
    at.ok_or_else(|| unknown(process))
}

fn refuse_twice(items: &[Program], program: &Program) -> Result<(), Problem> {
    match items.iter().find(|known| known.is_of(&program.process)) {
        None => Ok(()),
        Some(known) => {
            let detail = format!(
                "{:?} is there already, shown as {:?}; change that row",
                known.process,
                known.shown()
            );
            Err(Problem::invalid("process", detail))
        }
    }
}

fn known(context: &Context, scope: &str) -> Result<ProgramTable, Problem> {
    context.organisation.read(|snapshot| {
        let place = snapshot.membership_of_scope(scope);
        let remedy = "GET /api/v1/scopes lists them";
        let place = place.ok_or_else(|| Problem::not_found("scope", scope, remedy))?;
        let (decided_by, items) = snapshot.programs(&place);
        Ok(ProgramTable {
            individual: decided_by == scope,
            decided_by: decided_by.to_owned(),
            items,
        })
    })
}

/// A scope's table during a change; changes run one at a time.
struct Table<'a> {
    context: &'a Context,
    caller: &'a Caller,
    scope: &'a str,
    before: ProgramTable,
    _one_at_a_time: MutexGuard<'a, ()>,
}

impl<'a> Table<'a> {
    async fn open(
        context: &'a Context,
        caller: &'a Caller,
        scope: &'a str,
    ) -> Result<Self, Problem> {
        caller.require_admin(&context.organisation, scope)?;
        let one_at_a_time = context.settings_lock.lock().await;
        Ok(Self {
            before: known(context, scope)?,
            context,
            caller,
            scope,
            _one_at_a_time: one_at_a_time,
        })
    }

    /// Stores the table, then applies it. Records the differences.
    async fn close(
        self,
        what: Administration,
        target: &str,
        after: Option<Vec<Program>>,
        (was, is): (Option<Value>, Option<Value>),
    ) -> Result<(), Problem> {
        let Self { context, scope, .. } = &self;
        let entry = new_entry(&context.clock, self.caller, what, target)
            .before(was)
            .after(is);
        let stored = after.as_ref().map(|after| json!(after).to_string());
        if stored
            .as_ref()
            .is_some_and(|stored| stored.len() > TEXT_MAX)
        {
            let detail = format!(
                "the table would be longer than {TEXT_MAX} bytes; delete programs first, or write fewer other names"
            );
            return Err(Problem::invalid("process", detail));
        }
        context
            .store
            .set_settings(scope, PROGRAMS, stored.as_deref(), &entry.change())
            .await?;
        context.organisation.set_programs(scope, after);
        Ok(())
    }
}
