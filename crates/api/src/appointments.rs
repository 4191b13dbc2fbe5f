//! Appointments of a person: entered ones, those of calendar feeds, and calls in Teams.

use std::sync::Arc;

use api_types::appointments::{self as body, AppointmentBody, Appointments, NewAppointment};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::{
    APPOINTMENT_COLOUR, APPOINTMENT_PROFILE, Appointment, AppointmentId, AppointmentOrigin, Fact,
    Permission, PersonId, Relationship, Status, TEAMS_CALL_COLOUR, Timestamp,
};
use runtime::{
    audit::{Details, Own},
    clock::rfc3339,
    context::Context,
    limits::{APPOINTMENT_TEXT_MAX, APPOINTMENTS_MAX},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use super::{Json, Query, audit::own_entry, paging::Paging};
use crate::{
    caller::Caller,
    limit_checks,
    preconditions::Comparison,
    problem::{Problem, ProblemCode},
};

/// Locks that all people share: appointments of one person are stored and applied one change at a time.
#[derive(Clone, Debug)]
pub struct AppointmentLocks(Arc<[Mutex<()>; 64]>);

impl Default for AppointmentLocks {
    fn default() -> Self {
        Self(Arc::new([const { Mutex::const_new(()) }; 64]))
    }
}

impl AppointmentLocks {
    /// Held while an appointment of the person changes, in the store and in the engine.
    async fn lock(&self, person: PersonId) -> MutexGuard<'_, ()> {
        self.0[person.0 as usize % self.0.len()].lock().await
    }
}

/// Regular expression of colours.
pub(super) const COLOUR_PATTERN: &str = "^#[0-9A-Fa-f]{6}$";
/// End of the period of a list.
const END_OF_TIME: Timestamp = Timestamp::from_milliseconds(i64::MAX);

fn body(appointment: &Appointment, level: Relationship) -> AppointmentBody {
    let may_read = level.may(Permission::SeeAppointmentText);
    let text = if appointment.private && !level.may(Permission::SeePrivateText) {
        "Private".to_owned()
    } else {
        appointment.text.to_string()
    };
    AppointmentBody {
        id: appointment.id.0.to_string(),
        start: rfc3339(appointment.start),
        end: Some(rfc3339(appointment.end)),
        text: Some(text).filter(|_| may_read),
        colour: Some(appointment.colour.to_string()).filter(|_| may_read),
        profile: Some(appointment.profile.to_string()).filter(|_| may_read),
        private: Some(appointment.private).filter(|_| may_read),
        origin: Some(appointment.origin.into()).filter(|_| may_read),
    }
}

/// Query of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppointmentQuery {
    /// Appointments that ended before this time are left out; default: now. Appointments that ended long ago are deleted.
    from: Option<String>,
    /// `next` of the previous page.
    cursor: Option<String>,
    /// Largest number of items, 1 to 1,000; default: 200.
    limit: Option<usize>,
}

/// Lists appointments that have not ended, by start.
#[utoipa::path(
    get,
    path = "/people/{id}/appointments",
    tag = "Appointments",
    params(AppointmentQuery),
    responses((status = OK, description = "The requested data.", body = Appointments)),
)]
pub async fn list(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<AppointmentQuery>,
) -> Result<axum::Json<Appointments>, Problem> {
    let from = query
        .from
        .map(|from| limit_checks::moment("from", &from))
        .transpose()?;
    let person = super::person(&context.people, &id)?.id;
    let level = caller.level(&context.organisation, person);
    if !level.may(Permission::SeeAppointment) {
        // An empty list, as for a person without appointments: a blocked viewer must not notice the block. A wrong cursor
        // is refused for every viewer.
        let none = Vec::<(i64, AppointmentBody)>::new();
        let (items, next) = Paging::new(query.cursor, query.limit).page(none)?;
        return Ok(axum::Json(Appointments { items, next }));
    }
    let from = from.unwrap_or_else(|| context.clock.now());
    let stored = context.store.appointments(person, from, END_OF_TIME);
    let stored = stored.await?;
    let rows = stored.iter();
    let mut rows: Vec<(i64, AppointmentBody)> = rows
        .map(|appointment| (appointment.start.milliseconds(), body(appointment, level)))
        .collect();
    if let Some(call) = context.engine.teams_call(person).await {
        let profile = context.organisation.policy(person);
        let profile = profile.and_then(|policy| policy.profiles.teams_call().cloned());
        let since = call.since;
        let call = AppointmentBody {
            id: "teams-call".into(),
            start: rfc3339(since),
            end: None,
            text: Some("On the phone (MS Teams)".into()),
            colour: Some(TEAMS_CALL_COLOUR.into()),
            profile: profile.map(|profile| profile.name.to_string()),
            private: Some(false),
            origin: Some(body::AppointmentOrigin::Teams),
        };
        rows.insert(0, (since.milliseconds(), call));
    }
    let (items, next) = Paging::new(query.cursor, query.limit).page(rows)?;
    Ok(axum::Json(Appointments { items, next }))
}

fn checked(
    context: &Context,
    person: PersonId,
    new: NewAppointment,
) -> Result<Appointment, Problem> {
    let (start, end) = (
        limit_checks::moment("start", &new.start)?,
        limit_checks::moment("end", &new.end)?,
    );
    if end <= start {
        let detail = format!("{} is not after the start {}", new.end, new.start);
        let code = ProblemCode::new("end-before-start");
        return Err(Problem::invalid("end", detail).with_code(code));
    }
    if end <= context.clock.now() {
        let problem = Problem::invalid("end", format!("{} is past", new.end));
        return Err(problem.with_code(ProblemCode::new("past")));
    }
    limit_checks::text("text", &new.text, APPOINTMENT_TEXT_MAX)?;
    let colour = new.colour.unwrap_or_else(|| APPOINTMENT_COLOUR.into());
    // The same as COLOUR_PATTERN.
    let is_colour = colour.len() == 7
        && colour.starts_with('#')
        && colour.chars().skip(1).all(|c| c.is_ascii_hexdigit());
    if !is_colour {
        let detail = format!("{colour:?} is no colour; write it like {APPOINTMENT_COLOUR}");
        let code = ProblemCode::new("not-a-colour");
        return Err(Problem::invalid("colour", detail).with_code(code));
    }
    let name = new.profile.unwrap_or_else(|| APPOINTMENT_PROFILE.into());
    let profiles = context
        .organisation
        .read(|snapshot| snapshot.my_profiles(person));
    let profile = super::profile::named(&profiles, &name)?;
    Ok(Appointment {
        id: AppointmentId(0),
        start,
        end,
        text: new.text.into(),
        colour: colour.into(),
        profile: profile.name.clone(),
        fallback: Status::Busy,
        private: new.private,
        origin: AppointmentOrigin::Manual,
    })
}

/// Adds an appointment. It is stored and applied when answered.
#[utoipa::path(
    post,
    path = "/people/{id}/appointments",
    tag = "Appointments",
    responses((status = CREATED, description = "Added.", body = AppointmentBody)),
)]
pub async fn add(
    State(context): State<Context>,
    State(locks): State<AppointmentLocks>,
    caller: Caller,
    Path(id): Path<String>,
    Json(new): Json<NewAppointment>,
) -> Result<(StatusCode, axum::Json<AppointmentBody>), Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require(
        &context.organisation,
        person,
        Permission::ChangeAppointments,
    )?;
    let appointment = checked(&context, person, new)?;
    let _one_at_a_time = locks.lock(person).await;
    let now = context.clock.now();
    let known = context.store.appointments(person, now, END_OF_TIME).await?;
    let manual = known
        .iter()
        .filter(|known| known.origin == AppointmentOrigin::Manual)
        .count();
    limit_checks::one_more("appointments to come", manual, APPOINTMENTS_MAX)?;
    let details = Details::default().after(Some(audit_record(&appointment)));
    let entry = own_entry(&context, &caller, Own::AppointmentAdd, person, details);
    let id = context
        .store
        .add_appointment(person, &appointment, &entry.change())
        .await?;
    let appointment = Appointment { id, ..appointment };
    let shown = body(&appointment, Relationship::AssistantPlus);
    let fact = Fact::Appointment(appointment);
    context.engine.fact(person, fact).await;
    Ok((StatusCode::CREATED, axum::Json(shown)))
}

fn appointment_id(text: &str) -> Result<AppointmentId, Problem> {
    let remedy = "GET the list for the ids; calls in Teams end in Teams";
    let number = text.parse().map(AppointmentId);
    number.map_err(|_| Problem::not_found("appointment", text, remedy))
}

/// The audit log's record of an appointment that an administrator changes: never its text.
fn audit_record(appointment: &Appointment) -> Value {
    json!(AppointmentBody {
        text: None,
        ..body(appointment, Relationship::AssistantPlus)
    })
}

/// The stored appointment with this id.
async fn stored(
    context: &Context,
    person: PersonId,
    id: AppointmentId,
) -> Result<Option<Appointment>, Problem> {
    let known = context
        .store
        .appointments(person, Timestamp::default(), END_OF_TIME)
        .await?;
    let mut known = known.into_iter();
    Ok(known.find(|appointment| appointment.id == id))
}

/// An appointment.
#[utoipa::path(
    get,
    path = "/people/{id}/appointments/{appointment}",
    tag = "Appointments",
    responses((status = OK, description = "The requested data.", body = AppointmentBody)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path((id, appointment)): Path<(String, String)>,
) -> Result<axum::Json<AppointmentBody>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require_to_read(
        &context.organisation,
        person,
        Permission::ChangeAppointments,
    )?;
    let id = appointment_id(&appointment)?;
    let found = stored(&context, person, id).await?;
    let remedy = "GET the list for the ids";
    let found = found.ok_or_else(|| Problem::not_found("appointment", &appointment, remedy))?;
    Ok(axum::Json(body(&found, Relationship::AssistantPlus)))
}

/// Replaces an appointment.
#[utoipa::path(
    put,
    path = "/people/{id}/appointments/{appointment}",
    tag = "Appointments",
    responses((status = OK, description = "The requested data.", body = AppointmentBody)),
)]
pub async fn replace(
    State(context): State<Context>,
    State(locks): State<AppointmentLocks>,
    caller: Caller,
    Path((id, appointment)): Path<(String, String)>,
    comparison: Comparison,
    Json(new): Json<NewAppointment>,
) -> Result<axum::Json<AppointmentBody>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require(
        &context.organisation,
        person,
        Permission::ChangeAppointments,
    )?;
    if comparison.is_same() {
        return read(State(context), caller, Path((id, appointment))).await;
    }
    let appointment = Appointment {
        id: appointment_id(&appointment)?,
        ..checked(&context, person, new)?
    };
    let shown = body(&appointment, Relationship::AssistantPlus);
    let _one_at_a_time = locks.lock(person).await;
    let before = stored(&context, person, appointment.id).await?;
    let details = Details::default()
        .before(before.as_ref().map(audit_record))
        .after(Some(audit_record(&appointment)));
    let entry = own_entry(&context, &caller, Own::AppointmentSet, person, details);
    let stored = context
        .store
        .change_appointment(person, &appointment, &entry.change())
        .await;
    stored?;
    let fact = Fact::Appointment(appointment);
    context.engine.fact(person, fact).await;
    Ok(axum::Json(shown))
}

/// Deletes an appointment.
#[utoipa::path(
    delete,
    path = "/people/{id}/appointments/{appointment}",
    tag = "Appointments",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn delete(
    State(context): State<Context>,
    State(locks): State<AppointmentLocks>,
    caller: Caller,
    Path((id, appointment)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require(
        &context.organisation,
        person,
        Permission::ChangeAppointments,
    )?;
    let appointment = appointment_id(&appointment)?;
    let _one_at_a_time = locks.lock(person).await;
    let before = stored(&context, person, appointment).await?;
    let details = Details::default().before(before.as_ref().map(audit_record));
    let entry = own_entry(&context, &caller, Own::AppointmentDelete, person, details);
    let deleted = context
        .store
        .delete_appointment(person, appointment, &entry.change())
        .await;
    deleted?;
    let fact = Fact::AppointmentDeleted(appointment);
    context.engine.fact(person, fact).await;
    Ok(StatusCode::NO_CONTENT)
}
