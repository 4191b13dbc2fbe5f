//! Relationships of viewers to owners, and workgroups.

use std::sync::Arc;

use api_types::relationships::{
    LevelBody, NewWorkgroup, Permissions, RelationshipBody, Relationships, WorkgroupBody,
    Workgroups,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::{Permission, PersonId, Relationship};
use runtime::{
    audit::{Administration, Details, Own},
    context::Context,
    events::{Reset, VisibilityBefore},
    limits::{MEMBERS_MAX, NAME_MAX, RELATIONSHIPS_MAX, WORKGROUPS_MAX},
    organisation::ORGANISATION,
};
use serde_json::json;
use store::Workgroup;

use super::{
    Json,
    audit::{new_entry, own_entry},
    paging::Paging,
};
use crate::{
    caller::{Access, Caller},
    limit_checks,
    preconditions::Comparison,
    problem::Problem,
};

fn level(name: &str) -> Result<Relationship, Problem> {
    Relationship::from_name(name).ok_or_else(|| {
        let names = Relationship::ALL.map(Relationship::name).join(", ");
        Problem::invalid("level", format!("{name:?} is none of {names}"))
    })
}

fn shown(context: &Context, owner: PersonId, viewer: PersonId) -> RelationshipBody {
    context.organisation.read(|snapshot| {
        let own = snapshot.relationships.get(&(owner, viewer)).copied();
        RelationshipBody {
            viewer: viewer.to_string(),
            own,
            level: snapshot.relationship(owner, viewer),
        }
    })
}

/// Lists the owner's own settings.
#[utoipa::path(
    get,
    path = "/people/{id}/relationships",
    tag = "Relationships",
    params(Paging),
    responses((status = OK, description = "The requested data.", body = Relationships)),
)]
pub async fn list(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    paging: Paging,
) -> Result<axum::Json<Relationships>, Problem> {
    let owner = super::person(&context.people, &id)?.id;
    caller.require_self(owner, Access::Read)?;
    let viewers: Vec<PersonId> = context
        .organisation
        .read(|snapshot| snapshot.viewers_of(owner).collect());
    let (viewers, next) = paging.page(viewers.into_iter().map(|viewer| (viewer.0, viewer)))?;
    let items = viewers
        .into_iter()
        .map(|viewer| shown(&context, owner, viewer));
    Ok(axum::Json(Relationships {
        items: items.collect(),
        next,
    }))
}

/// The relationship of a viewer.
#[utoipa::path(
    get,
    path = "/people/{id}/relationships/{viewer}",
    tag = "Relationships",
    responses((status = OK, description = "The requested data.", body = RelationshipBody)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path((id, viewer)): Path<(String, String)>,
) -> Result<axum::Json<RelationshipBody>, Problem> {
    let (owner, viewer) = both(&context, &id, &viewer)?;
    caller.require_self(owner, Access::Read)?;
    Ok(axum::Json(shown(&context, owner, viewer)))
}

/// Sets the owner's own relationship for a viewer.
#[utoipa::path(
    put,
    path = "/people/{id}/relationships/{viewer}",
    tag = "Relationships",
    responses((status = OK, description = "The requested data.", body = RelationshipBody)),
)]
pub async fn write(
    State(context): State<Context>,
    caller: Caller,
    Path((id, viewer)): Path<(String, String)>,
    comparison: Comparison,
    Json(body): Json<LevelBody>,
) -> Result<axum::Json<RelationshipBody>, Problem> {
    if comparison.is_same() {
        let (owner, of) = both(&context, &id, &viewer)?;
        caller.require_self(owner, Access::Change)?;
        return Ok(axum::Json(shown(&context, owner, of)));
    }
    let level = level(&body.level)?;
    set(&context, &caller, (&id, &viewer), Some(level))
        .await
        .map(axum::Json)
}

/// Removes the owner's own setting: workgroups and scopes decide again.
#[utoipa::path(
    delete,
    path = "/people/{id}/relationships/{viewer}",
    tag = "Relationships",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn delete(
    State(context): State<Context>,
    caller: Caller,
    Path((id, viewer)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    set(&context, &caller, (&id, &viewer), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn both(context: &Context, id: &str, viewer: &str) -> Result<(PersonId, PersonId), Problem> {
    let owner = super::person(&context.people, id)?.id;
    Ok((owner, super::person(&context.people, viewer)?.id))
}

async fn set(
    context: &Context,
    caller: &Caller,
    (id, viewer): (&str, &str),
    level: Option<Relationship>,
) -> Result<RelationshipBody, Problem> {
    let (owner, viewer) = both(context, id, viewer)?;
    caller.require_self(owner, Access::Change)?;
    let _one_at_a_time = context.settings_lock.lock().await;
    let before = shown(context, owner, viewer);
    if before.own.is_none() && level.is_some() {
        let present = context
            .organisation
            .read(|snapshot| snapshot.viewers_of(owner).count());
        limit_checks::one_more("relationships", present, RELATIONSHIPS_MAX)?;
    }
    let details = Details::part(viewer)
        .before(Some(json!(before.own.map(Relationship::name))))
        .after(Some(json!(level.map(Relationship::name))));
    let entry = own_entry(context, caller, Own::RelationshipSet, owner, details);
    let stored = context
        .store
        .set_relationship(owner, viewer, level, &entry.change())
        .await;
    stored?;
    let level_before = context
        .organisation
        .read(|snapshot| snapshot.relationship(owner, viewer));
    context.organisation.set_relationship(owner, viewer, level);
    // Concerns the viewer's boards and phones only, and only if the viewer's view changes.
    let before = VisibilityBefore::Relationship(viewer, level_before);
    context
        .events
        .visibility_changed(owner, before, context.clock.now());
    Ok(shown(context, owner, viewer))
}

fn workgroup_body(group: &Workgroup) -> WorkgroupBody {
    WorkgroupBody {
        id: group.id.to_string(),
        name: group.name.clone(),
        level: group.level,
        members: group.members.iter().map(ToString::to_string).collect(),
    }
}

/// Lists the workgroups. Their members see each other at a level.
#[utoipa::path(
    get,
    path = "/workgroups",
    tag = "Relationships",
    params(Paging),
    responses((status = OK, description = "The requested data.", body = Workgroups)),
)]
pub async fn workgroups(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
) -> Result<axum::Json<Workgroups>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let (items, next) = context.organisation.read(|snapshot| {
        let groups = snapshot.workgroups.iter();
        paging.page(groups.map(|group| (group.name.to_lowercase(), workgroup_body(group))))
    })?;
    Ok(axum::Json(Workgroups { items, next }))
}

/// Adds a workgroup.
#[utoipa::path(
    post,
    path = "/workgroups",
    tag = "Relationships",
    responses((status = CREATED, description = "Added.", body = WorkgroupBody)),
)]
pub(crate) async fn add_workgroup(
    State(context): State<Context>,
    caller: Caller,
    Json(body): Json<NewWorkgroup>,
) -> Result<(StatusCode, axum::Json<WorkgroupBody>), Problem> {
    let body = put_workgroup(&context, &caller, None, body).await?;
    Ok((StatusCode::CREATED, axum::Json(body)))
}

fn workgroup_id(id: &str) -> Result<u64, Problem> {
    let remedy = "GET /api/v1/workgroups lists them";
    id.parse()
        .map_err(|_| Problem::not_found("workgroup", id, remedy))
}

/// A workgroup.
#[utoipa::path(
    get,
    path = "/workgroups/{id}",
    tag = "Relationships",
    responses((status = OK, description = "The requested data.", body = WorkgroupBody)),
)]
pub(crate) async fn read_workgroup(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<WorkgroupBody>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let number = workgroup_id(&id)?;
    let found = workgroup(&context, number);
    let remedy = "GET /api/v1/workgroups lists them";
    found
        .map(axum::Json)
        .ok_or_else(|| Problem::not_found("workgroup", &id, remedy))
}

fn workgroup(context: &Context, id: u64) -> Option<WorkgroupBody> {
    context.organisation.read(|snapshot| {
        let known = snapshot.workgroups.iter().find(|group| group.id == id);
        known.map(workgroup_body)
    })
}

/// Replaces a workgroup.
#[utoipa::path(
    put,
    path = "/workgroups/{id}",
    tag = "Relationships",
    responses((status = OK, description = "The requested data.", body = WorkgroupBody)),
)]
pub(crate) async fn change_workgroup(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    comparison: Comparison,
    Json(body): Json<NewWorkgroup>,
) -> Result<axum::Json<WorkgroupBody>, Problem> {
    if comparison.is_same() {
        caller.require_admin(&context.organisation, ORGANISATION)?;
        return read_workgroup(State(context), caller, Path(id)).await;
    }
    let id = workgroup_id(&id)?;
    put_workgroup(&context, &caller, Some(id), body)
        .await
        .map(axum::Json)
}

async fn put_workgroup(
    context: &Context,
    caller: &Caller,
    id: Option<u64>,
    body: NewWorkgroup,
) -> Result<WorkgroupBody, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let level = level(&body.level)?;
    limit_checks::text("name", &body.name, NAME_MAX)?;
    limit_checks::list("members", body.members.len(), MEMBERS_MAX)?;
    let members = body
        .members
        .iter()
        .map(|id| super::person(&context.people, id).map(|person| person.id))
        .collect::<Result<Vec<PersonId>, Problem>>()?;
    let _one_at_a_time = context.settings_lock.lock().await;
    if id.is_none() {
        let present = context
            .organisation
            .read(|snapshot| snapshot.workgroups.len());
        limit_checks::one_more("workgroups", present, WORKGROUPS_MAX)?;
    }
    let before = id
        .and_then(|id| workgroup(context, id))
        .map(|before| json!(before));
    let after = json!({"name": body.name, "level": level.name(), "members": body.members});
    let entry = new_entry(
        &context.clock,
        caller,
        Administration::WorkgroupSet,
        &body.name,
    )
    .before(before)
    .after(Some(after));
    let id = context
        .store
        .upsert_workgroup(id, &body.name, level, &members, &entry.change())
        .await?;
    apply_workgroups(context).await?;
    Ok(WorkgroupBody {
        id: id.to_string(),
        name: body.name,
        level,
        members: body.members,
    })
}

/// Deletes a workgroup.
#[utoipa::path(
    delete,
    path = "/workgroups/{id}",
    tag = "Relationships",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn delete_workgroup(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let id = workgroup_id(&id)?;
    let _one_at_a_time = context.settings_lock.lock().await;
    let before = workgroup(&context, id).map(|before| json!(before));
    let entry =
        new_entry(&context.clock, &caller, Administration::WorkgroupDelete, id).before(before);
    let deleted = context.store.delete_workgroup(id, &entry.change()).await;
    deleted?;
    apply_workgroups(&context).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Loads the workgroups again. Only relationships between former or present members change.
async fn apply_workgroups(context: &Context) -> Result<(), Problem> {
    let workgroups = context.store.workgroups().await?;
    let concerned = context.organisation.set_workgroups(workgroups);
    let reset = Reset::Among(Arc::new(concerned));
    context.events.reset(reset, context.clock.now());
    Ok(())
}

/// The permissions of the caller for the person.
#[utoipa::path(
    get,
    path = "/people/{id}/permissions",
    tag = "Relationships",
    responses((status = OK, description = "The requested data.", body = Permissions)),
)]
pub async fn permissions(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Permissions>, Problem> {
    let owner = super::person(&context.people, &id)?.id;
    let level = caller.shown_level(&context.organisation, owner);
    let told = Some(level).filter(|level| *level >= Relationship::TeamColleague);
    Ok(axum::Json(Permissions {
        level: told,
        pick_up: level.may(Permission::PickUp),
        change_profile: level.may(Permission::ChangeProfile),
        change_forwarding: level.may(Permission::ChangeForwarding),
        change_appointments: level.may(Permission::ChangeAppointments),
    }))
}
