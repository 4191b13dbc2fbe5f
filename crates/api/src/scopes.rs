//! Scopes: the organisation, locations and groups; and the place of people in them.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::TenantName;
use runtime::{
    audit::Administration,
    context::Context,
    limits::{NAME_MAX, SCOPES_MAX},
    organisation::{Membership, ORGANISATION, Snapshot},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{ScopeKind, StoredScope};
use teams::TeamsHandle;
use utoipa::ToSchema;

use super::{Json, audit::new_entry, bounds, paging::Paging};
use crate::{caller::Caller, limit_checks, preconditions::Comparison, problem::Problem};

#[derive(Debug, Serialize, ToSchema)]
pub struct Scopes {
    items: Vec<ScopeBody>,
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Scope)]
pub(crate) struct ScopeBody {
    id: String,
    kind: &'static str,
    parent: Option<String>,
    name: String,
    /// The tenant of a location; null: the main one.
    tenant: Option<String>,
}

/// Changes of a scope. Absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopeChange {
    name: Option<String>,
    /// The tenant of a location, by its name in the configuration; `main` is that of `[teams]`.
    tenant: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewScope {
    kind: String,
    /// The location of a group.
    parent: Option<String>,
    name: String,
}

/// Position of the organisation in the list: before every id, and not empty, which clients take for the end.
const BEFORE_ALL: &str = "!";

/// Lists the organisation, its locations and their groups.
#[utoipa::path(
    get,
    path = "/scopes",
    tag = "Scopes and settings",
    params(Paging),
    responses((status = OK, description = "The requested data.", body = Scopes)),
)]
pub async fn list(
    State(context): State<Context>,
    paging: Paging,
) -> Result<axum::Json<Scopes>, Problem> {
    let mut rows = vec![(BEFORE_ALL.to_owned(), organisation())];
    context.organisation.read(|tables| {
        let scopes = tables.scopes.iter();
        rows.extend(scopes.map(|(id, scope)| (id.clone(), ScopeBody::from(scope))));
    });
    let (items, next) = paging.page(rows)?;
    Ok(axum::Json(Scopes { items, next }))
}

fn organisation() -> ScopeBody {
    ScopeBody {
        id: ORGANISATION.into(),
        kind: ORGANISATION,
        parent: None,
        name: "Organisation".into(),
        tenant: None,
    }
}

/// A scope.
#[utoipa::path(
    get,
    path = "/scopes/{scope}",
    tag = "Scopes and settings",
    responses((status = OK, description = "The requested data.", body = ScopeBody)),
)]
pub async fn read(
    State(context): State<Context>,
    Path(scope): Path<String>,
) -> Result<axum::Json<ScopeBody>, Problem> {
    if scope == ORGANISATION {
        return Ok(axum::Json(organisation()));
    }
    let found = context
        .organisation
        .read(|tables| tables.scopes.get(&scope).map(ScopeBody::from));
    let remedy = "GET /api/v1/scopes lists them";
    let found = found.ok_or_else(|| Problem::not_found("scope", &scope, remedy))?;
    Ok(axum::Json(found))
}

/// Adds a location, or a configuration group of a location.
#[utoipa::path(
    post,
    path = "/scopes",
    tag = "Scopes and settings",
    responses((status = CREATED, description = "Added.", body = ScopeBody)),
)]
pub async fn add(
    State(context): State<Context>,
    caller: Caller,
    Json(body): Json<NewScope>,
) -> Result<(StatusCode, axum::Json<ScopeBody>), Problem> {
    let kind = ScopeKind::from_name(&body.kind).ok_or_else(|| {
        let detail = format!("{:?} is neither \"location\" nor \"group\"", body.kind);
        Problem::invalid("kind", detail)
    })?;
    let parent = body.parent.unwrap_or_else(|| ORGANISATION.into());
    caller.require_admin(&context.organisation, &parent)?;
    limit_checks::text("name", &body.name, NAME_MAX)?;
    let _one_at_a_time = context.settings_change.lock().await;
    let beside = context.organisation.read(|tables| {
        let scopes = tables.scopes.values();
        scopes.filter(|scope| *scope.parent == *parent).count()
    });
    limit_checks::one_more("scopes of this parent", beside, SCOPES_MAX)?;
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::ScopeAdd,
        &body.name,
    )
    .after(Some(
        json!({"kind": kind.name(), "parent": parent, "name": body.name}),
    ));
    let id = context
        .store
        .add_scope(kind, &parent, &body.name, &entry.change())
        .await?;
    context.organisation.load(&context.store).await?;
    let body = ScopeBody {
        id,
        kind: kind.name(),
        parent: Some(parent),
        name: body.name,
        tenant: None,
    };
    Ok((StatusCode::CREATED, axum::Json(body)))
}

impl From<&StoredScope> for ScopeBody {
    fn from(scope: &StoredScope) -> Self {
        Self {
            id: scope.id.clone(),
            kind: scope.kind.name(),
            parent: Some(scope.parent.clone()),
            name: scope.name.clone(),
            tenant: scope.tenant.as_ref().map(ToString::to_string),
        }
    }
}

/// Renames a location or group, or changes the tenant of a location: clears Offhook's writes for its people in the old
/// tenant, and searches their accounts in the new one.
#[utoipa::path(
    patch,
    path = "/scopes/{scope}",
    tag = "Scopes and settings",
    responses((status = OK, description = "The present state.", body = ScopeBody)),
)]
pub async fn change(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(scope): Path<String>,
    comparison: Comparison,
    Json(body): Json<ScopeChange>,
) -> Result<axum::Json<ScopeBody>, Problem> {
    // Location administrators may not change the tenant.
    let administered = match body.tenant {
        Some(_) => ORGANISATION,
        None => &scope,
    };
    caller.require_admin(&context.organisation, administered)?;
    if comparison.is_same() {
        return read(State(context), Path(scope)).await;
    }
    let tenant = body.tenant.as_deref().map(TenantName::new);
    if let Some(tenant) = &tenant
        && teams.clients.get(tenant).is_none()
    {
        let names: Vec<String> = teams
            .clients
            .names()
            .iter()
            .map(ToString::to_string)
            .collect();
        let detail = format!(
            "{:?} is no tenant of the configuration; it has: {}",
            tenant.as_str(),
            names.join(", ")
        );
        return Err(Problem::invalid("tenant", detail));
    }
    let _one_at_a_time = context.settings_change.lock().await;
    let known = |tables: &Snapshot| tables.scopes.get(&scope).map(ScopeBody::from);
    let before = context.organisation.read(known);
    let entry = |after| {
        new_entry(&context.clock, &caller, Administration::ScopeChange, &scope)
            .before(before.as_ref().map(|before| json!(before)))
            .after(Some(after))
    };
    if let Some(name) = &body.name {
        limit_checks::text("name", name, NAME_MAX)?;
        let entry = entry(json!({"name": name}));
        context
            .store
            .rename_scope(&scope, name, &entry.change())
            .await?;
    }
    let named = match &tenant {
        Some(tenant) => {
            let entry = entry(json!({"tenant": tenant.as_str()}));
            let change = entry.change();
            let named = Some(tenant);
            context.store.name_tenant(&scope, named, &change).await
        }
        None => Ok(()),
    };
    // The name may have changed even if the tenant was refused: applies the stored state.
    context.organisation.load(&context.store).await?;
    named?;
    context.check_movers();
    context.check_tenants();
    let now = context.organisation.read(known);
    now.map(axum::Json)
        .ok_or_else(|| Problem::not_found("scope", &scope, "GET /api/v1/scopes lists the ids"))
}

/// Deletes a scope. Refused while it is in use.
#[utoipa::path(
    delete,
    path = "/scopes/{scope}",
    tag = "Scopes and settings",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn delete(
    State(context): State<Context>,
    caller: Caller,
    Path(scope): Path<String>,
) -> Result<StatusCode, Problem> {
    // Administrators of a location may delete its groups, not the location.
    let parent = context.organisation.read(|tables| {
        let known = tables.scopes.get(&scope);
        known.map(|known| known.parent.clone())
    });
    caller.require_admin_at(&context.organisation, parent.as_deref())?;
    let _one_at_a_time = context.settings_change.lock().await;
    let before = context.organisation.read(|tables| {
        let known = tables.scopes.get(&scope);
        known.map(
            |known| json!({"kind": known.kind.name(), "parent": known.parent, "name": known.name}),
        )
    });
    let entry =
        new_entry(&context.clock, &caller, Administration::ScopeDelete, &scope).before(before);
    let deleted = context.store.delete_scope(&scope, &entry.change()).await;
    deleted?;
    context.organisation.load(&context.store).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Place)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceBody {
    location: Option<String>,
    group: Option<String>,
}

/// The location and configuration group of a person.
#[utoipa::path(
    get,
    path = "/people/{id}/place",
    tag = "Scopes and settings",
    responses((status = OK, description = "The requested data.", body = PlaceBody)),
)]
pub async fn place(
    State(context): State<Context>,
    Path(id): Path<String>,
) -> Result<axum::Json<PlaceBody>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    let place = context
        .organisation
        .read(|tables| tables.membership(person));
    Ok(axum::Json(PlaceBody {
        location: place.location,
        group: place.group,
    }))
}

/// Moves a person to a location and a configuration group there.
#[utoipa::path(
    put,
    path = "/people/{id}/place",
    tag = "Scopes and settings",
    responses((status = OK, description = "The requested data.", body = PlaceBody)),
)]
pub(crate) async fn put_place(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    comparison: Comparison,
    Json(body): Json<PlaceBody>,
) -> Result<axum::Json<PlaceBody>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    let before = context
        .organisation
        .read(|tables| tables.membership(person));
    // At the old and at the new place.
    caller.require_admin_of(&context.organisation, person)?;
    caller.require_admin_at(&context.organisation, body.location.as_deref())?;
    if comparison.is_same() {
        return Ok(axum::Json(body));
    }
    let _one_at_a_time = context.settings_change.lock().await;
    let to = Membership {
        location: body.location.clone(),
        group: body.group.clone(),
    };
    bounds::refuse_of_place(&context, &caller, person, &to)?;
    let entry = new_entry(&context.clock, &caller, Administration::PersonPlace, person)
        .before(Some(
            json!({"location": before.location, "group": before.group}),
        ))
        .after(Some(json!(body)));
    let (location, group) = (body.location.as_deref(), body.group.as_deref());
    let change = entry.change();
    context
        .store
        .set_membership(person, location, group, &change)
        .await?;
    let place = Membership {
        location: body.location.clone(),
        group: body.group.clone(),
    };
    context
        .update_person(person, |tables| {
            tables.memberships.insert(person, place);
        })
        .await;
    context.membership_changed(person, before);
    Ok(axum::Json(body))
}
