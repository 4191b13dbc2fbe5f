//! Favourites: people at the top of a person's board.

use std::collections::BTreeSet;

use api_types::favourites::FavouritesBody;
use axum::extract::{Path, State};
use presence::PersonId;
use runtime::{
    audit::{Details, Own},
    context::Context,
    limits::FAVOURITES_MAX,
    organisation::FAVOURITES,
};
use serde_json::json;

use super::{Json, audit::own_entry};
use crate::{
    caller::{Access, Caller},
    limit_checks,
    preconditions::Comparison,
    problem::Problem,
};

fn body(people: &BTreeSet<PersonId>) -> FavouritesBody {
    FavouritesBody {
        people: people.iter().map(ToString::to_string).collect(),
    }
}

/// Lists the person's favourites.
#[utoipa::path(
    get,
    path = "/people/{id}/favourites",
    tag = "Presence",
    responses((status = OK, description = "The requested data.", body = FavouritesBody)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<FavouritesBody>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require_self(person, Access::Read)?;
    let favourites = context.organisation.read(|snapshot| {
        let favourites = snapshot.favourites.get(&person);
        favourites.map(body)
    });
    Ok(axum::Json(
        favourites.unwrap_or_else(|| body(&BTreeSet::new())),
    ))
}

/// Sets the person's favourites.
#[utoipa::path(
    put,
    path = "/people/{id}/favourites",
    tag = "Presence",
    responses((status = OK, description = "The requested data.", body = FavouritesBody)),
)]
pub async fn write(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    comparison: Comparison,
    Json(wish): Json<FavouritesBody>,
) -> Result<axum::Json<FavouritesBody>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require_self(person, Access::Change)?;
    if comparison.is_same() {
        return Ok(axum::Json(wish));
    }
    limit_checks::list("people", wish.people.len(), FAVOURITES_MAX)?;
    let people = wish.people.iter();
    let people = people.map(|id| super::person(&context.people, id).map(|person| person.id));
    let people = people.collect::<Result<BTreeSet<_>, _>>()?;
    let _one_at_a_time = context.settings_lock.lock().await;
    let before = context.organisation.read(|snapshot| {
        let favourites = snapshot.favourites.get(&person);
        favourites.map(|favourites| json!(body(favourites)))
    });
    let after = body(&people);
    let details = Details::default().before(before).after(Some(json!(after)));
    let entry = own_entry(&context, &caller, Own::FavouritesSet, person, details);
    let numbers: Vec<u64> = people.iter().map(|person| person.0).collect();
    let stored = json!(numbers).to_string();
    let stored = Some(stored.as_str()).filter(|_| !people.is_empty());
    context
        .store
        .set_personal_settings(person, FAVOURITES, stored, &entry.change())
        .await?;
    context.organisation.set_favourites(person, people);
    Ok(axum::Json(after))
}
