//! Machines of a person with a desktop agent: pairing, reports, pauses and removal.

use std::{sync::Arc, time::Duration};

use api_types::devices::{CodeBody, DeviceBody, Devices, PauseBody};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use gateway::agents::{Agents, PairingCodes};
use presence::Permission;
use runtime::{
    audit::{Details, Own},
    clock::{parse_rfc3339, rfc3339},
    context::Context,
    organisation::ORGANISATION,
    people_index::Person,
};
use serde_json::json;
use store::Device;

use super::{Json, audit::own_entry};
use crate::{
    caller::{Access, Caller},
    preconditions::Comparison,
    problem::Problem,
    public_url::PublicUrl,
};

/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// The body of a device. Shows the reported programs only to callers who may see the use of the microphone.
fn device_body(
    (context, agents): (&Context, &Agents),
    caller: &Caller,
    device: Device,
) -> DeviceBody {
    let report = agents.last_report(device.id.as_str());
    let level = caller.level(&context.organisation, device.person);
    let may_see = level.may(Permission::SeeMicrophone);
    let now = context.clock.now();
    let paused = report.as_ref().and_then(|report| report.paused_until);
    DeviceBody {
        name: device.name,
        system: device.system,
        created: rfc3339(device.created_at),
        connected_since: report.as_ref().map(|report| rfc3339(report.since)),
        version: report.as_ref().map(|report| report.version.clone()),
        reporting: report
            .filter(|_| may_see)
            .map(|report| report.programs)
            .unwrap_or_default(),
        paused_until: paused.filter(|until| *until > now).map(rfc3339),
        id: device.id.to_string(),
    }
}

/// The owner of devices. Refuses callers without access to them.
fn owner(
    context: &Context,
    caller: &Caller,
    id: &str,
    access: Access,
) -> Result<Arc<Person>, Problem> {
    let person = super::person(&context.people, id)?;
    caller.require_self(person.id, access)?;
    Ok(person)
}

async fn known(context: &Context, person: &Person, id: &str) -> Result<Device, Problem> {
    let devices = context.store.devices(person.id).await?;
    let found = devices.into_iter().find(|device| device.id.as_str() == id);
    let remedy = "GET /api/v1/people/{id}/devices lists them";
    found.ok_or_else(|| Problem::not_found("device", id, remedy))
}

/// Lists the machines of a person with a desktop agent.
#[utoipa::path(
    get,
    path = "/people/{id}/devices",
    tag = "Microphone Sync",
    responses((status = OK, description = "The requested data.", body = Devices)),
)]
pub async fn list(
    State(context): State<Context>,
    State(agents): State<Agents>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Devices>, Problem> {
    let person = owner(&context, &caller, &id, Access::Read)?;
    let devices = context.store.devices(person.id).await?.into_iter();
    let items = devices.map(|device| device_body((&context, &agents), &caller, device));
    Ok(axum::Json(Devices {
        items: items.collect(),
    }))
}

/// Makes a pairing code for a desktop agent, valid once and for ten minutes.
#[utoipa::path(
    post,
    path = "/people/{id}/devices",
    tag = "Microphone Sync",
    responses((status = CREATED, description = "Added.", body = CodeBody)),
)]
pub async fn begin(
    State(context): State<Context>,
    State(codes): State<Arc<PairingCodes>>,
    State(public_url): State<PublicUrl>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<CodeBody>), Problem> {
    let person = super::person(&context.people, &id)?;
    // Not location administrators: an agent sees what its person sees.
    if caller.person != Some(person.id) {
        caller.require_admin(&context.organisation, ORGANISATION)?;
    }
    let (code, until) = codes.new_code(person.id, context.clock.now())?;
    let details = Details::default();
    let entry = own_entry(&context, &caller, Own::DeviceCode, person.id, details);
    context.store.record_change(&entry.change()).await?;
    let command = format!("offhook-agent pair {} {code}", public_url);
    let body = CodeBody {
        code,
        until: rfc3339(until),
        command,
    };
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// A device.
#[utoipa::path(
    get,
    path = "/people/{id}/devices/{device}",
    tag = "Microphone Sync",
    responses((status = OK, description = "The requested data.", body = DeviceBody)),
)]
pub async fn read(
    State(context): State<Context>,
    State(agents): State<Agents>,
    caller: Caller,
    Path((id, device)): Path<(String, String)>,
) -> Result<axum::Json<DeviceBody>, Problem> {
    let person = owner(&context, &caller, &id, Access::Read)?;
    let device = known(&context, &person, &device).await?;
    Ok(axum::Json(device_body(
        (&context, &agents),
        &caller,
        device,
    )))
}

/// Pauses the reports of a connected agent, or resumes them.
#[utoipa::path(
    patch,
    path = "/people/{id}/devices/{device}",
    tag = "Microphone Sync",
    responses((status = NO_CONTENT, description = "The order was sent to the agent.")),
)]
pub async fn pause(
    State(context): State<Context>,
    State(agents): State<Agents>,
    caller: Caller,
    Path((id, device)): Path<(String, String)>,
    comparison: Comparison,
    Json(wish): Json<PauseBody>,
) -> Result<StatusCode, Problem> {
    let person = owner(&context, &caller, &id, Access::Change)?;
    let device = known(&context, &person, &device).await?;
    if comparison.is_same() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let now = context.clock.now();
    let lasting = match &wish.paused_until {
        None => Duration::ZERO,
        Some(text) => {
            let until =
                parse_rfc3339(text).filter(|until| *until > now && *until <= now + PAUSE_MAX);
            let until = until.ok_or_else(|| {
                let detail = format!("{text:?} is no time within the next seven days; write it like 2026-11-23T17:00:00Z");
                Problem::invalid("paused_until", detail)
            })?;
            let milliseconds = until.milliseconds() - now.milliseconds();
            Duration::from_millis(milliseconds.unsigned_abs())
        }
    };
    if !agents.pause(device.id.as_str(), lasting) {
        let detail = format!(
            "the agent on {} is not connected; pause it there: offhook-agent pause",
            device.name
        );
        return Err(Problem::conflict(detail));
    }
    let details = Details::default().after(Some(
        json!({"device": device.name, "paused_until": wish.paused_until}),
    ));
    let entry = own_entry(&context, &caller, Own::DevicePause, person.id, details);
    context.store.record_change(&entry.change()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a device: disconnects its agent and invalidates its secret.
#[utoipa::path(
    delete,
    path = "/people/{id}/devices/{device}",
    tag = "Microphone Sync",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn delete(
    State(context): State<Context>,
    State(agents): State<Agents>,
    caller: Caller,
    Path((id, device)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let person = owner(&context, &caller, &id, Access::Change)?;
    let device = known(&context, &person, &device).await?;
    let details = Details::default().before(Some(json!({"device": device.name})));
    let entry = own_entry(&context, &caller, Own::DeviceDelete, person.id, details);
    let store = &context.store;
    store
        .delete_device(person.id, &device.id, &entry.change())
        .await?;
    agents.end(device.id.as_str());
    Ok(StatusCode::NO_CONTENT)
}
