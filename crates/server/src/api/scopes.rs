//! The tree of scopes, and who is where.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::ScopeKind;
use utoipa::ToSchema;

use super::{Json, audit::Entry};
use crate::{
    app::Shared,
    caller::Caller,
    organisation::{ORGANISATION, Place},
    problem::Problem,
};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Scopes {
    items: Vec<ScopeBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Scope)]
pub(crate) struct ScopeBody {
    id: String,
    kind: &'static str,
    parent: Option<String>,
    name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewScope {
    kind: String,
    /// The location of a group.
    parent: Option<String>,
    name: String,
}

/// The organisation, its locations, their groups.
#[utoipa::path(
    get,
    path = "/scopes",
    tag = "Scopes and settings",
    responses((status = OK, description = "What was asked for.", body = Scopes)),
)]
pub(crate) async fn list(State(shared): State<Shared>) -> axum::Json<Scopes> {
    let organisation = ScopeBody {
        id: ORGANISATION.into(),
        kind: ORGANISATION,
        parent: None,
        name: "Organisation".into(),
    };
    let mut items = vec![organisation];
    shared.organisation.read(|tables| {
        items.extend(tables.scopes.values().map(|scope| ScopeBody {
            id: scope.id.clone(),
            kind: scope.kind.name(),
            parent: Some(scope.parent.clone()),
            name: scope.name.clone(),
        }));
    });
    axum::Json(Scopes { items })
}

/// Makes a location, or a configuration group of one.
#[utoipa::path(
    post,
    path = "/scopes",
    tag = "Scopes and settings",
    responses((status = CREATED, description = "It is made.", body = ScopeBody)),
)]
pub(crate) async fn add(
    State(shared): State<Shared>,
    caller: Caller,
    Json(body): Json<NewScope>,
) -> Result<(StatusCode, axum::Json<ScopeBody>), Problem> {
    let kind = ScopeKind::from_name(&body.kind).ok_or_else(|| {
        let detail = format!("{:?} is neither \"location\" nor \"group\"", body.kind);
        Problem::invalid("kind", detail)
    })?;
    let parent = body.parent.unwrap_or_else(|| ORGANISATION.into());
    caller.require_admin(&shared, &parent)?;
    let _one_at_a_time = shared.settings_change.lock().await;
    let entry = Entry::new(&shared, &caller, "scope.add", &body.name).after(Some(
        json!({"kind": kind.name(), "parent": parent, "name": body.name}),
    ));
    let id = shared
        .store
        .add_scope(kind, &parent, &body.name, &entry.change())
        .await?;
    shared.organisation.load(&shared.store).await?;
    let body = ScopeBody {
        id,
        kind: kind.name(),
        parent: Some(parent),
        name: body.name,
    };
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// Deletes a scope. Refused while something uses it.
#[utoipa::path(
    delete,
    path = "/scopes/{scope}",
    tag = "Scopes and settings",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path(scope): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&shared, ORGANISATION)?;
    let _one_at_a_time = shared.settings_change.lock().await;
    let before = shared.organisation.read(|tables| {
        let known = tables.scopes.get(&scope);
        known.map(
            |known| json!({"kind": known.kind.name(), "parent": known.parent, "name": known.name}),
        )
    });
    let entry = Entry::new(&shared, &caller, "scope.delete", &scope).before(before);
    let deleted = shared.store.delete_scope(&scope, &entry.change()).await;
    deleted?;
    shared.organisation.load(&shared.store).await?;
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
    responses((status = OK, description = "What was asked for.", body = PlaceBody)),
)]
pub(crate) async fn place(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<axum::Json<PlaceBody>, Problem> {
    let person = super::person(&shared, &id)?.id;
    let place = shared.organisation.read(|tables| tables.place(person));
    Ok(axum::Json(PlaceBody {
        location: place.location,
        group: place.group,
    }))
}

/// Moves a person to a location and, there, to a configuration group.
#[utoipa::path(
    put,
    path = "/people/{id}/place",
    tag = "Scopes and settings",
    responses((status = OK, description = "What was asked for.", body = PlaceBody)),
)]
pub(crate) async fn put_place(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<PlaceBody>,
) -> Result<axum::Json<PlaceBody>, Problem> {
    let person = super::person(&shared, &id)?.id;
    let location = body.location.as_deref().unwrap_or(ORGANISATION);
    let before = shared.organisation.read(|tables| tables.place(person));
    // Both where the person is and where they come to.
    caller.require_admin(&shared, before.location.as_deref().unwrap_or(ORGANISATION))?;
    caller.require_admin(&shared, location)?;
    let _one_at_a_time = shared.settings_change.lock().await;
    let entry = Entry::new(&shared, &caller, "person.place", person)
        .before(Some(
            json!({"location": before.location, "group": before.group}),
        ))
        .after(Some(json!(body)));
    let (location, group) = (body.location.as_deref(), body.group.as_deref());
    let change = entry.change();
    shared.store.place(person, location, group, &change).await?;
    let changed = shared.organisation.rearrange(|tables| {
        let place = Place {
            location: body.location.clone(),
            group: body.group.clone(),
        };
        tables.places.insert(person, place);
    });
    shared.put_in_force(changed).await;
    shared.events.reset();
    Ok(axum::Json(body))
}
