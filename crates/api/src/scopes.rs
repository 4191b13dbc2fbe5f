//! Scopes: the organisation, locations and groups; and the place of people in them.

use api_types::scopes::{NewScope, Place, Scope, ScopeChange, ScopeKind, Scopes};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::TenantName;
use runtime::{
    audit::Administration,
    context::Context,
    limits::{NAME_MAX, SCOPES_MAX},
    organisation::{Membership, ORGANISATION, ScopeId, Snapshot},
};
use serde_json::json;
use store::StoredScope;
use teams::TeamsHandle;

use super::{Json, audit::new_entry, bounds, paging::Paging};
use crate::{caller::Caller, limit_checks, preconditions::Comparison, problem::Problem};

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
    context.organisation.read(|snapshot| {
        let scopes = snapshot.scopes.iter();
        rows.extend(scopes.map(|(id, scope)| (id.to_string(), scope_body(scope))));
    });
    let (items, next) = paging.page(rows)?;
    Ok(axum::Json(Scopes { items, next }))
}

fn organisation() -> Scope {
    Scope {
        id: ORGANISATION.to_string(),
        kind: ScopeKind::Organisation,
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
    responses((status = OK, description = "The requested data.", body = Scope)),
)]
pub async fn read(
    State(context): State<Context>,
    Path(scope): Path<String>,
) -> Result<axum::Json<Scope>, Problem> {
    let scope = ScopeId::from(scope);
    if scope == *ORGANISATION {
        return Ok(axum::Json(organisation()));
    }
    let found = context
        .organisation
        .read(|snapshot| snapshot.scopes.get(&scope).map(scope_body));
    let remedy = "GET /api/v1/scopes lists them";
    let found = found.ok_or_else(|| Problem::not_found("scope", scope.as_str(), remedy))?;
    Ok(axum::Json(found))
}

/// Adds a location, or a configuration group of a location.
#[utoipa::path(
    post,
    path = "/scopes",
    tag = "Scopes and settings",
    responses((status = CREATED, description = "Added.", body = Scope)),
)]
pub async fn add(
    State(context): State<Context>,
    caller: Caller,
    Json(body): Json<NewScope>,
) -> Result<(StatusCode, axum::Json<Scope>), Problem> {
    let kind = store::ScopeKind::from_name(&body.kind).ok_or_else(|| {
        let detail = format!("{:?} is neither \"location\" nor \"group\"", body.kind);
        Problem::invalid("kind", detail)
    })?;
    let parent = body
        .parent
        .map_or_else(|| ORGANISATION.clone(), ScopeId::from);
    caller.require_admin(&context.organisation, &parent)?;
    limit_checks::text("name", &body.name, NAME_MAX)?;
    let _one_at_a_time = context.settings_lock.lock().await;
    let beside = context.organisation.read(|snapshot| {
        let scopes = snapshot.scopes.values();
        scopes.filter(|scope| scope.parent == parent).count()
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
    let body = Scope {
        id: id.into(),
        kind: kind_of(kind),
        parent: Some(parent.into()),
        name: body.name,
        tenant: None,
    };
    Ok((StatusCode::CREATED, axum::Json(body)))
}

fn scope_body(scope: &StoredScope) -> Scope {
    Scope {
        id: scope.id.to_string(),
        kind: kind_of(scope.kind),
        parent: Some(scope.parent.to_string()),
        name: scope.name.clone(),
        tenant: scope.tenant.as_ref().map(ToString::to_string),
    }
}

fn kind_of(kind: store::ScopeKind) -> ScopeKind {
    match kind {
        store::ScopeKind::Location => ScopeKind::Location,
        store::ScopeKind::Group => ScopeKind::Group,
    }
}

/// Renames a location or group, or changes the tenant of a location: clears Offhook's writes for its people in the old
/// tenant, and searches their accounts in the new one.
#[utoipa::path(
    patch,
    path = "/scopes/{scope}",
    tag = "Scopes and settings",
    responses((status = OK, description = "The present state.", body = Scope)),
)]
pub async fn change(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(scope): Path<String>,
    comparison: Comparison,
    Json(body): Json<ScopeChange>,
) -> Result<axum::Json<Scope>, Problem> {
    let scope = ScopeId::from(scope);
    // Location administrators may not change the tenant.
    let administered = match body.tenant {
        Some(_) => ORGANISATION,
        None => &scope,
    };
    caller.require_admin(&context.organisation, administered)?;
    if comparison.is_same() {
        return read(State(context), Path(scope.into())).await;
    }
    let tenant = body.tenant.as_deref();
    let tenant = tenant.map(|name| (!name.is_empty()).then(|| TenantName::new(name)));
    if let Some(Some(tenant)) = &tenant
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
    let _one_at_a_time = context.settings_lock.lock().await;
    let known = |snapshot: &Snapshot| snapshot.scopes.get(&scope).map(scope_body);
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
            let entry = entry(json!({"tenant": tenant.as_ref().map(TenantName::as_str)}));
            let change = entry.change();
            context
                .store
                .name_tenant(&scope, tenant.as_ref(), &change)
                .await
        }
        None => Ok(()),
    };
    // The name may have changed even if the tenant was refused: applies the stored state.
    context.organisation.load(&context.store).await?;
    named?;
    context.announce_tenant_moves();
    context.check_tenants();
    let now = context.organisation.read(known);
    now.map(axum::Json).ok_or_else(|| {
        Problem::not_found("scope", scope.as_str(), "GET /api/v1/scopes lists the ids")
    })
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
    let scope = ScopeId::from(scope);
    // Administrators of a location may delete its groups, not the location.
    let parent = context.organisation.read(|snapshot| {
        let known = snapshot.scopes.get(&scope);
        known.map(|known| known.parent.clone())
    });
    caller.require_admin_at(&context.organisation, parent.as_ref())?;
    let _one_at_a_time = context.settings_lock.lock().await;
    let before = context.organisation.read(|snapshot| {
        let known = snapshot.scopes.get(&scope);
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

/// The location and configuration group of a person.
#[utoipa::path(
    get,
    path = "/people/{id}/place",
    tag = "Scopes and settings",
    responses((status = OK, description = "The requested data.", body = Place)),
)]
pub async fn place(
    State(context): State<Context>,
    Path(id): Path<String>,
) -> Result<axum::Json<Place>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    let place = context
        .organisation
        .read(|snapshot| snapshot.membership(person));
    Ok(axum::Json(Place {
        location: place.location.map(Into::into),
        group: place.group.map(Into::into),
    }))
}

/// Moves a person to a location and a configuration group there.
#[utoipa::path(
    put,
    path = "/people/{id}/place",
    tag = "Scopes and settings",
    responses((status = OK, description = "The requested data.", body = Place)),
)]
pub(crate) async fn put_place(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    comparison: Comparison,
    Json(body): Json<Place>,
) -> Result<axum::Json<Place>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    let before = context
        .organisation
        .read(|snapshot| snapshot.membership(person));
    // At the old and at the new place.
    caller.require_admin_of(&context.organisation, person)?;
    let to = Membership {
        location: body.location.as_deref().map(ScopeId::from),
        group: body.group.as_deref().map(ScopeId::from),
    };
    caller.require_admin_at(&context.organisation, to.location.as_ref())?;
    if comparison.is_same() {
        return Ok(axum::Json(body));
    }
    let _one_at_a_time = context.settings_lock.lock().await;
    bounds::refuse_of_place(&context, &caller, person, &to)?;
    let entry = new_entry(&context.clock, &caller, Administration::PersonPlace, person)
        .before(Some(
            json!({"location": before.location, "group": before.group}),
        ))
        .after(Some(json!(body)));
    let (location, group) = (to.location.as_ref(), to.group.as_ref());
    let change = entry.change();
    context
        .store
        .set_membership(person, location, group, &change)
        .await?;
    context
        .update_person(person, |snapshot| {
            snapshot.memberships.insert(person, to);
        })
        .await;
    context.membership_changed(person, before);
    Ok(axum::Json(body))
}
