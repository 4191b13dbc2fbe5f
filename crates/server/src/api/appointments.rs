//! Appointment lists: what people enter, what calendars bring, and the calls in Teams, which are appointments too.

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use presence::{
    APPOINTMENT_COLOUR, APPOINTMENT_PROFILE, Appointment, AppointmentId, AppointmentOrigin, Fact,
    Permission, PersonId, Relationship, Status, TEAMS_CALL_COLOUR, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Json, audit::own_entry, paging::Paging};
use crate::{
    app::{Shared, SharedState},
    audit::{Details, Own},
    caller::Caller,
    clock::{parse_rfc3339, rfc3339},
    limit_checks,
    limits::{APPOINTMENT_TEXT_MAX, APPOINTMENTS_MAX},
    preconditions::Comparison,
    problem::Problem,
};

/// The colours that appointments may have, as a regular expression.
pub(super) const COLOUR_PATTERN: &str = "^#[0-9A-Fa-f]{6}$";
/// The end of time, as far as a list is asked for.
const EVER: Timestamp = Timestamp::from_milliseconds(i64::MAX);

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Appointments {
    items: Vec<AppointmentBody>,
    next: Option<String>,
}

/// One entry. What the viewer may not see is absent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Appointment)]
pub(crate) struct AppointmentBody {
    id: String,
    start: String,
    end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    colour: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'static str>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAppointment {
    start: String,
    end: String,
    text: String,
    profile: Option<String>,
    colour: Option<String>,
    #[serde(default)]
    private: bool,
}

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
        origin: Some(appointment.origin.name()).filter(|_| may_read),
    }
}

/// Since when.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// What was over before this moment is left out; now, if left out. What is long over is forgotten.
    from: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// The most rows, from 1 to 1,000; 200, if left out.
    limit: Option<usize>,
}

/// What is not over, by its start.
#[utoipa::path(
    get,
    path = "/people/{id}/appointments",
    tag = "Appointments",
    params(Asked),
    responses((status = OK, description = "What was asked for.", body = Appointments)),
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<axum::Json<Appointments>, Problem> {
    let Query(asked) = asked.map_err(|rejection| Problem::malformed(rejection.body_text()))?;
    let from = asked.from.map(|from| moment("from", &from)).transpose()?;
    let person = super::person(&shared, &id)?.id;
    let level = caller.level(&shared.organisation, person);
    if !level.may(Permission::SeeAppointment) {
        // Nothing is told, not even that something is refused: a blocked viewer must not notice. A wrong cursor is refused
        // as it is for everybody.
        let none = Vec::<(i64, AppointmentBody)>::new();
        let (items, next) = Paging::new(asked.cursor, asked.limit).page(none)?;
        return Ok(axum::Json(Appointments { items, next }));
    }
    let from = from.unwrap_or_else(|| shared.clock.now());
    let stored = shared.store.appointments(person, from, EVER);
    let stored = stored.await?;
    let rows = stored.iter();
    let mut rows: Vec<(i64, AppointmentBody)> = rows
        .map(|appointment| (appointment.start.milliseconds(), body(appointment, level)))
        .collect();
    if let Some(call) = shared.shard.teams_call(person).await {
        let profile = shared.organisation.policy(person);
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
            origin: Some("teams"),
        };
        rows.insert(0, (since.milliseconds(), call));
    }
    let (items, next) = Paging::new(asked.cursor, asked.limit).page(rows)?;
    Ok(axum::Json(Appointments { items, next }))
}

fn moment(field: &'static str, text: &str) -> Result<Timestamp, Problem> {
    parse_rfc3339(text).ok_or_else(|| {
        let detail = format!("{text:?} is no time; write it like 2026-11-23T17:00:00Z");
        Problem::invalid(field, detail)
    })
}

fn checked(
    shared: &SharedState,
    person: PersonId,
    new: NewAppointment,
) -> Result<Appointment, Problem> {
    let (start, end) = (moment("start", &new.start)?, moment("end", &new.end)?);
    if end <= start {
        let detail = format!("{} is not after the start {}", new.end, new.start);
        return Err(Problem::invalid("end", detail));
    }
    if end <= shared.clock.now() {
        return Err(Problem::invalid("end", format!("{} is past", new.end)));
    }
    limit_checks::text("text", &new.text, APPOINTMENT_TEXT_MAX)?;
    let colour = new.colour.unwrap_or_else(|| APPOINTMENT_COLOUR.into());
    // As COLOUR_PATTERN says.
    let is_colour = colour.len() == 7
        && colour.starts_with('#')
        && colour.chars().skip(1).all(|c| c.is_ascii_hexdigit());
    if !is_colour {
        let detail = format!("{colour:?} is no colour; write it like {APPOINTMENT_COLOUR}");
        return Err(Problem::invalid("colour", detail));
    }
    let name = new.profile.unwrap_or_else(|| APPOINTMENT_PROFILE.into());
    let profiles = shared
        .organisation
        .read(|tables| tables.my_profiles(person));
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

/// Adds an appointment: durable and in force when answered.
#[utoipa::path(
    post,
    path = "/people/{id}/appointments",
    tag = "Appointments",
    responses((status = CREATED, description = "It is made.", body = AppointmentBody)),
)]
pub(crate) async fn add(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Json(new): Json<NewAppointment>,
) -> Result<(StatusCode, axum::Json<AppointmentBody>), Problem> {
    let person = super::person(&shared, &id)?.id;
    caller.require(&shared.organisation, person, Permission::ChangeAppointments)?;
    let appointment = checked(&shared, person, new)?;
    let _one_at_a_time = shared.one_appointment_change(person).await;
    let now = shared.clock.now();
    let known = shared.store.appointments(person, now, EVER).await?;
    let manual = known
        .iter()
        .filter(|known| known.origin == AppointmentOrigin::Manual)
        .count();
    limit_checks::one_more("appointments to come", manual, APPOINTMENTS_MAX)?;
    let details = Details::default().after(Some(noted(&appointment)));
    let entry = own_entry(&shared, &caller, Own::AppointmentAdd, person, details);
    let id = shared
        .store
        .add_appointment(person, &appointment, &entry.change())
        .await?;
    let appointment = Appointment { id, ..appointment };
    let shown = body(&appointment, Relationship::AssistantPlus);
    let fact = Fact::Appointment(appointment);
    shared.shard.fact(person, fact).await;
    Ok((StatusCode::CREATED, axum::Json(shown)))
}

fn appointment_id(text: &str) -> Result<AppointmentId, Problem> {
    let remedy = "GET the list for the ids; calls in Teams end in Teams";
    let number = text.parse().map(AppointmentId);
    number.map_err(|_| Problem::not_found("appointment", text, remedy))
}

/// What the audit log records of an appointment that an administrator changes: never its text, private or not.
fn noted(appointment: &Appointment) -> Value {
    json!(AppointmentBody {
        text: None,
        ..body(appointment, Relationship::AssistantPlus)
    })
}

/// The appointment of that id in the store.
async fn stored(
    shared: &SharedState,
    person: PersonId,
    id: AppointmentId,
) -> Result<Option<Appointment>, Problem> {
    let known = shared
        .store
        .appointments(person, Timestamp::default(), EVER)
        .await?;
    let mut known = known.into_iter();
    Ok(known.find(|appointment| appointment.id == id))
}

/// One appointment.
#[utoipa::path(
    get,
    path = "/people/{id}/appointments/{appointment}",
    tag = "Appointments",
    responses((status = OK, description = "What was asked for.", body = AppointmentBody)),
)]
pub(crate) async fn read(
    State(shared): State<Shared>,
    caller: Caller,
    Path((id, appointment)): Path<(String, String)>,
) -> Result<axum::Json<AppointmentBody>, Problem> {
    let person = super::person(&shared, &id)?.id;
    caller.require_to_read(&shared.organisation, person, Permission::ChangeAppointments)?;
    let id = appointment_id(&appointment)?;
    let found = stored(&shared, person, id).await?;
    let remedy = "GET the list for the ids";
    let found = found.ok_or_else(|| Problem::not_found("appointment", &appointment, remedy))?;
    Ok(axum::Json(body(&found, Relationship::AssistantPlus)))
}

/// Replaces an appointment.
#[utoipa::path(
    put,
    path = "/people/{id}/appointments/{appointment}",
    tag = "Appointments",
    responses((status = OK, description = "What was asked for.", body = AppointmentBody)),
)]
pub(crate) async fn replace(
    State(shared): State<Shared>,
    caller: Caller,
    Path((id, appointment)): Path<(String, String)>,
    comparison: Comparison,
    Json(new): Json<NewAppointment>,
) -> Result<axum::Json<AppointmentBody>, Problem> {
    let person = super::person(&shared, &id)?.id;
    caller.require(&shared.organisation, person, Permission::ChangeAppointments)?;
    if comparison.is_same() {
        return read(State(shared), caller, Path((id, appointment))).await;
    }
    let appointment = Appointment {
        id: appointment_id(&appointment)?,
        ..checked(&shared, person, new)?
    };
    let shown = body(&appointment, Relationship::AssistantPlus);
    let _one_at_a_time = shared.one_appointment_change(person).await;
    let before = stored(&shared, person, appointment.id).await?;
    let details = Details::default()
        .before(before.as_ref().map(noted))
        .after(Some(noted(&appointment)));
    let entry = own_entry(&shared, &caller, Own::AppointmentSet, person, details);
    let stored = shared
        .store
        .change_appointment(person, &appointment, &entry.change())
        .await;
    stored?;
    let fact = Fact::Appointment(appointment);
    shared.shard.fact(person, fact).await;
    Ok(axum::Json(shown))
}

/// Deletes an appointment.
#[utoipa::path(
    delete,
    path = "/people/{id}/appointments/{appointment}",
    tag = "Appointments",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path((id, appointment)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let person = super::person(&shared, &id)?.id;
    caller.require(&shared.organisation, person, Permission::ChangeAppointments)?;
    let appointment = appointment_id(&appointment)?;
    let _one_at_a_time = shared.one_appointment_change(person).await;
    let before = stored(&shared, person, appointment).await?;
    let details = Details::default().before(before.as_ref().map(noted));
    let entry = own_entry(&shared, &caller, Own::AppointmentDelete, person, details);
    let deleted = shared
        .store
        .delete_appointment(person, appointment, &entry.change())
        .await;
    deleted?;
    let fact = Fact::AppointmentDeleted(appointment);
    shared.shard.fact(person, fact).await;
    Ok(StatusCode::NO_CONTENT)
}
