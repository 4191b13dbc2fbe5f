//! The HTTP API, version 1. Bodies are types of their own, into which the core's types are converted.

pub mod access;
mod account_search;
mod accounts;
pub mod agents;
mod appointments;
mod audit;
mod backups;
pub mod body_limits;
mod bounds;
mod calendar_feed;
pub mod caller;
pub mod change_limit;
pub mod choice;
pub mod client_ip;
mod clock;
pub mod cookies;
mod devices;
mod directory;
mod doctor;
mod events;
mod favourites;
mod forwarding_loop;
pub mod identity;
mod import;
pub mod installation_check;
pub mod jobs;
mod keys;
pub mod limit_checks;
pub mod notifications;
pub mod open_id;
mod openapi;
mod paging;
pub mod password;
pub mod password_rules;
pub mod people;
pub mod preconditions;
mod presence;
pub mod problem;
pub mod profile;
mod programs;
pub mod public_url;
mod relationships;
pub mod restores;
pub mod revocations;
mod route;
mod scopes;
pub mod session;
pub mod sessions;
mod settings;
pub mod sign_in;
mod sources;
mod state;
pub mod status;
mod teams_account;
pub mod templates;
mod work;

use ::presence::PersonId;
use axum::{
    Router,
    extract::{FromRequest, FromRequestParts, Request, rejection::JsonRejection},
    http::{Uri, request::Parts},
};
pub use events::EventStreams;
pub(crate) use openapi::Document;
pub use presence::{explanation, presence_body};
use runtime::{
    organisation::Organisation,
    people_index::{PeopleIndex, Person},
};
use serde::de::DeserializeOwned;
pub use state::{ApiOptions, ApiParts, ApiState};
use teams::TeamsHandle;
pub use teams_account::{forget_account, teams_account};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::problem::Problem;

/// All routes below `/api/v1`, and the OpenAPI document that describes them, both from one list.
pub fn routes() -> (Router<ApiState>, Document) {
    let (router, document) = OpenApiRouter::new()
        .routes(routes!(people::list, people::add))
        .routes(routes!(import::import))
        .routes(routes!(people::read, people::change, people::delete))
        .routes(routes!(presence::read))
        .routes(routes!(favourites::read, favourites::write))
        .routes(routes!(presence::explain))
        .routes(routes!(presence::history))
        .routes(routes!(choice::read, choice::choose, choice::automatic))
        .routes(routes!(profile::list, profile::add, profile::order))
        .routes(routes!(profile::read, profile::change, profile::delete))
        .routes(routes!(appointments::list, appointments::add))
        .routes(routes!(
            appointments::read,
            appointments::replace,
            appointments::delete
        ))
        .routes(routes!(sources::meet, sources::leave))
        .routes(routes!(sources::client, sources::client_ended))
        .routes(routes!(scopes::place, scopes::put_place))
        .routes(routes!(
            teams_account::read,
            teams_account::link,
            teams_account::forget
        ))
        .routes(routes!(teams_account::sign_in))
        .routes(routes!(teams_account::answer))
        .routes(routes!(account_search::search))
        .routes(routes!(relationships::permissions))
        .routes(routes!(relationships::list))
        .routes(routes!(
            relationships::read,
            relationships::write,
            relationships::delete
        ))
        .routes(routes!(settings::read_own, settings::write_own))
        .routes(routes!(route::read))
        .routes(routes!(scopes::list, scopes::add))
        .routes(routes!(scopes::read, scopes::change, scopes::delete))
        .routes(routes!(settings::read, settings::write))
        .routes(routes!(devices::list, devices::begin))
        .routes(routes!(devices::read, devices::pause, devices::delete))
        .routes(routes!(programs::list, programs::set, programs::add))
        .routes(routes!(programs::read, programs::change, programs::delete))
        .routes(routes!(templates::list, templates::add, templates::order))
        .routes(routes!(templates::create_teams))
        .routes(routes!(
            templates::read,
            templates::change,
            templates::delete
        ))
        .routes(routes!(templates::create_teams_of_scope))
        .routes(routes!(
            templates::read_of_scope,
            templates::change_of_scope,
            templates::change_part,
            templates::delete_of_scope
        ))
        .routes(routes!(templates::preview))
        .routes(routes!(
            relationships::workgroups,
            relationships::add_workgroup
        ))
        .routes(routes!(
            relationships::read_workgroup,
            relationships::change_workgroup,
            relationships::delete_workgroup
        ))
        .routes(routes!(work::list))
        .routes(routes!(work::read, work::cancel))
        .routes(routes!(directory::last))
        .routes(routes!(directory::synchronise))
        .routes(routes!(doctor::examine))
        .routes(routes!(clock::confirm))
        .routes(routes!(audit::list))
        .routes(routes!(backups::list, backups::make))
        .routes(routes!(backups::read, backups::delete))
        .routes(routes!(backups::restore))
        .routes(routes!(accounts::list, accounts::add))
        .routes(routes!(accounts::read, accounts::change, accounts::delete))
        .routes(routes!(accounts::set_password))
        .routes(routes!(keys::list, keys::add))
        .routes(routes!(keys::read, keys::delete))
        .routes(routes!(session::read, session::end))
        .routes(routes!(events::stream))
        .split_for_parts();
    (router.fallback(unknown), Document::new(document))
}

async fn unknown(request: Request) -> Problem {
    let remedy = "see docs/api.md for the routes that exist";
    Problem::not_found("API route", request.uri().path(), remedy)
}

/// The person by the id in a path.
fn person(people: &PeopleIndex, id: &str) -> Result<std::sync::Arc<Person>, Problem> {
    let found = id
        .parse()
        .ok()
        .and_then(|number| people.person(PersonId(number)));
    found.ok_or_else(|| Problem::not_found("person", id, "GET /api/v1/people lists the ids"))
}

/// Schedules a search for the Teams account of a person who is being viewed and has none.
fn schedule_account_search(teams: &TeamsHandle, organisation: &Organisation, person: &Person) {
    if person.teams_id.is_some() {
        return;
    }
    let tenant = organisation.tenant(person.id);
    if let Some(tenant) = teams.clients.get(&tenant) {
        tenant.search.person_opened(person.id);
    }
}

/// A JSON body. Refuses other bodies with a problem.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Problem::malformed(
                "the body must be JSON: send Content-Type: application/json",
            )),
            Err(rejection) => Err(Problem::malformed(without_values(&rejection.body_text()))),
        }
    }
}

/// A message of serde without the value that has the wrong type: it may be a secret. Types of this program mean nothing to a client.
fn without_values(message: &str) -> String {
    let mut message = message.to_owned();
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some(start) = message.find(kind)
            && let Some(end) = message.rfind(", expected ")
            && start < end
        {
            message.replace_range(start..end + 2, "");
        }
    }
    match message.split_once("expected struct ") {
        Some((before, after)) => {
            let rest = after.split_once(' ').map_or("", |(_, rest)| rest);
            format!("{before}expected an object {rest}")
        }
        None => message,
    }
}

/// The query of the address. Refuses other queries with a problem.
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned> Query<T> {
    /// The query of this address.
    fn of(uri: &Uri) -> Result<Self, Problem> {
        match axum::extract::Query::try_from_uri(uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Problem::malformed(rejection.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.uri)
    }
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn a_message_about_a_wrong_type_repeats_no_value() {
        for (message, expected) in [
            (
                "password: invalid type: integer `987`, expected a string at line 1 column 20",
                "password: expected a string at line 1 column 20",
            ),
            (
                "invalid type: string \"a, expected b\", expected struct NewPassword at line 1 column 9",
                "expected an object at line 1 column 9",
            ),
            (
                "unknown field `x`, expected `name` or `mail` at line 1 column 4",
                "unknown field `x`, expected `name` or `mail` at line 1 column 4",
            ),
        ] {
            assert_eq!(without_values(message), expected);
        }
    }
}
