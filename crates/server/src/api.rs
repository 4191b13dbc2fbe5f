//! The HTTP API, version 1. Wire types live here and are converted: the core's types are not serialised.

mod events;
mod people;
mod presence;
mod profile;
mod settings;

use ::presence::PersonId;
use axum::{
    Router,
    extract::{FromRequest, Request, rejection::JsonRejection},
    routing::get,
};
use serde::de::DeserializeOwned;

pub(crate) use events::stream;
pub(crate) use presence::PresenceBody;

use crate::{app::Shared, directory::Person, problem::Problem};

/// All routes below `/api/v1`.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/people", get(people::list))
        .route("/people/{id}/presence", get(presence::read))
        .route("/people/{id}/explanation", get(presence::explain))
        .route(
            "/people/{id}/profile",
            axum::routing::put(profile::choose).delete(profile::automatic),
        )
        .route("/people/{id}/profiles", get(profile::list))
        .route(
            "/scopes/{scope}/settings/{page}",
            get(settings::read).put(settings::write),
        )
        .route("/events", get(stream))
        .fallback(unknown)
}

async fn unknown(request: Request) -> Problem {
    let remedy = "see docs/api.md for the routes that exist";
    Problem::not_found("API route", request.uri().path(), remedy)
}

/// The person named in a path.
fn person(shared: &Shared, id: &str) -> Result<std::sync::Arc<Person>, Problem> {
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
