//! The HTTP API, version 1. Wire types live here and are converted: the core's types are not serialised.

mod accounts;
mod appointments;
mod audit;
mod events;
mod keys;
mod people;
mod presence;
mod profile;
mod relationships;
mod scopes;
pub(crate) mod session;
mod settings;
mod sources;
mod templates;

use ::presence::PersonId;
use axum::{
    Router,
    extract::{FromRequest, Request, rejection::JsonRejection},
    routing::{delete, get, post, put},
};
use serde::de::DeserializeOwned;

pub(crate) use events::stream;
pub(crate) use presence::PresenceBody;

use crate::{
    app::{Shared, SharedState},
    directory::Person,
    problem::Problem,
};

/// All routes below `/api/v1`.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/people", get(people::list))
        .route("/people/{id}/presence", get(presence::read))
        .route("/people/{id}/explanation", get(presence::explain))
        .route("/people/{id}/history", get(presence::history))
        .route(
            "/people/{id}/profile",
            put(profile::choose).delete(profile::automatic),
        )
        .route(
            "/people/{id}/profiles",
            get(profile::list).post(profile::add).put(profile::order),
        )
        .route(
            "/people/{id}/profiles/{name}",
            put(profile::change).delete(profile::delete),
        )
        .route(
            "/people/{id}/appointments",
            get(appointments::list).post(appointments::add),
        )
        .route(
            "/people/{id}/appointments/{appointment}",
            put(appointments::replace).delete(appointments::delete),
        )
        .route(
            "/people/{id}/meetings/{meeting}",
            put(sources::meet).delete(sources::leave),
        )
        .route(
            "/people/{id}/clients/{client}",
            put(sources::client).delete(sources::client_ended),
        )
        .route(
            "/people/{id}/place",
            get(scopes::place).put(scopes::put_place),
        )
        .route("/people/{id}/permissions", get(relationships::permissions))
        .route("/people/{id}/relationships", get(relationships::list))
        .route(
            "/people/{id}/relationships/{viewer}",
            get(relationships::read)
                .put(relationships::write)
                .delete(relationships::delete),
        )
        .route(
            "/people/{id}/settings/{page}",
            get(settings::read_own).put(settings::write_own),
        )
        .route("/scopes", get(scopes::list).post(scopes::add))
        .route("/scopes/{scope}", delete(scopes::delete))
        .route(
            "/scopes/{scope}/settings/{page}",
            get(settings::read).put(settings::write),
        )
        .route(
            "/templates",
            get(templates::list)
                .post(templates::add)
                .put(templates::order),
        )
        .route("/templates/teams", post(templates::create_teams))
        .route(
            "/templates/{name}",
            get(templates::read)
                .put(templates::change)
                .delete(templates::delete),
        )
        .route(
            "/workgroups",
            get(relationships::workgroups).post(relationships::add_workgroup),
        )
        .route(
            "/workgroups/{id}",
            put(relationships::change_workgroup).delete(relationships::delete_workgroup),
        )
        .route("/audit", get(audit::list))
        .route("/accounts", get(accounts::list).post(accounts::add))
        .route("/accounts/{id}", delete(accounts::delete))
        .route("/accounts/{id}/password", put(accounts::set_password))
        .route("/keys", get(keys::list).post(keys::add))
        .route("/keys/{id}", delete(keys::delete))
        .route("/session", get(session::read).delete(session::end))
        .route("/events", get(stream))
        .fallback(unknown)
}

async fn unknown(request: Request) -> Problem {
    let remedy = "see docs/api.md for the routes that exist";
    Problem::not_found("API route", request.uri().path(), remedy)
}

/// The person named in a path.
fn person(shared: &SharedState, id: &str) -> Result<std::sync::Arc<Person>, Problem> {
    let found = id
        .parse()
        .ok()
        .and_then(|number| shared.directory.person(PersonId(number)));
    found.ok_or_else(|| Problem::not_found("person", id, "GET /api/v1/people lists the ids"))
}

/// A JSON body whose refusal is a problem that says what is wrong.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Problem::malformed(
                "the body must be JSON: send Content-Type: application/json",
            )),
            Err(rejection) => Err(Problem::malformed(rejection.body_text())),
        }
    }
}
