//! API keys.

use api_types::keys::{Key, Keys, NewKey};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use runtime::{
    audit::Administration, clock::rfc3339, context::Context, limits::NAME_MAX,
    organisation::ORGANISATION, secrets,
};
use serde_json::json;
use store::{API_KEY_SCOPES, ApiKey};

use super::{Json, audit::new_entry};
use crate::{caller::Caller, limit_checks, problem::Problem, revocations::Revocations};

/// Lists the API keys, without secrets.
#[utoipa::path(
    get,
    path = "/keys",
    tag = "Access",
    responses((status = OK, description = "The requested data.", body = Keys)),
)]
pub async fn list(
    State(context): State<Context>,
    caller: Caller,
) -> Result<axum::Json<Keys>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let keys = context.store.api_keys().await?;
    Ok(axum::Json(Keys {
        items: keys.into_iter().map(body).collect(),
    }))
}

/// The body of a key, without the secret.
fn body(key: ApiKey) -> Key {
    Key {
        id: key.id,
        name: key.name,
        scopes: key.scopes,
        created_at: rfc3339(key.created_at),
        key: None,
    }
}

/// An API key.
#[utoipa::path(
    get,
    path = "/keys/{id}",
    tag = "Access",
    responses((status = OK, description = "The requested data.", body = Key)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Key>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let mut keys = context.store.api_keys().await?.into_iter();
    let key = keys.find(|key| key.id == id);
    let remedy = "GET /api/v1/keys lists them";
    let key = key.ok_or_else(|| Problem::not_found("key", &id, remedy))?;
    Ok(axum::Json(body(key)))
}

/// Makes an API key. The answer holds the key, which cannot be read again.
#[utoipa::path(
    post,
    path = "/keys",
    tag = "Access",
    responses((status = CREATED, description = "Added.", body = Key)),
)]
pub async fn add(
    State(context): State<Context>,
    caller: Caller,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, axum::Json<Key>), Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    limit_checks::text("name", &new.name, NAME_MAX)?;
    limit_checks::list("scopes", new.scopes.len(), API_KEY_SCOPES.len())?;
    let known = |scope: &&String| !API_KEY_SCOPES.contains(&scope.as_str());
    if let Some(unknown) = new.scopes.iter().find(known) {
        let known = API_KEY_SCOPES.join(", ");
        let detail = format!("{unknown:?} is none of {known}");
        return Err(Problem::invalid("scopes", detail));
    }
    if new.scopes.is_empty() {
        let detail = format!(
            "a key without a scope opens nothing; name some of {}",
            API_KEY_SCOPES.join(", ")
        );
        return Err(Problem::invalid("scopes", detail));
    }
    let key = format!("ohk_{}", secrets::new_secret()?);
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::ApiKeyAdd,
        &new.name,
    )
    .after(Some(json!({"scopes": new.scopes})));
    let scopes: Vec<&str> = new.scopes.iter().map(String::as_str).collect();
    let id = context
        .store
        .add_api_key(&secrets::hash(&key), &new.name, &scopes, &entry.change())
        .await?;
    let body = Key {
        id,
        name: new.name,
        scopes: new.scopes,
        created_at: rfc3339(context.clock.now()),
        key: Some(key),
    };
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// Deletes an API key, which is invalid at once.
#[utoipa::path(
    delete,
    path = "/keys/{id}",
    tag = "Access",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn delete(
    State(context): State<Context>,
    State(revocations): State<Revocations>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let keys = context.store.api_keys().await?;
    let before = keys.iter().find(|key| key.id == id);
    let before = before.map(|key| json!({"name": key.name, "scopes": key.scopes}));
    let entry =
        new_entry(&context.clock, &caller, Administration::ApiKeyDelete, &id).before(before);
    let deleted = context.store.delete_api_key(&id, &entry.change()).await;
    deleted?;
    revocations.report();
    Ok(StatusCode::NO_CONTENT)
}
