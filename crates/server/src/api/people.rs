//! Who there is.

use axum::{
    Json,
    extract::{Query, State},
};
use presence::PersonId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::Shared, directory::Person, problem::Problem};

/// People in a page if the caller names no number.
const PAGE: usize = 200;
/// The most people in a page.
const PAGE_MAX: usize = 1_000;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeoplePage {
    items: Vec<PersonBody>,
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
#[serde(rename_all = "camelCase")]
struct PersonBody {
    id: String,
    name: String,
    mail: String,
    user_principal_name: String,
    lines: Vec<LineBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Line)]
struct LineBody {
    extension: String,
}

impl From<&Person> for PersonBody {
    fn from(person: &Person) -> Self {
        let lines = person.lines.iter().map(|(_, extension)| LineBody {
            extension: extension.to_string(),
        });
        Self {
            id: person.id.to_string(),
            name: person.name.clone(),
            mail: person.mail.clone(),
            user_principal_name: person.user_principal_name.clone(),
            lines: lines.collect(),
        }
    }
}

/// A page of people in a fixed order.
#[utoipa::path(
    get,
    path = "/people",
    tag = "People",
    params(Paging),
    responses((status = OK, description = "What was asked for.", body = PeoplePage)),
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    paging: Result<Query<Paging>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<PeoplePage>, Problem> {
    let Query(Paging { cursor, limit }) =
        paging.map_err(|rejection| Problem::malformed(rejection.body_text()))?;
    let limit = limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::invalid(
            "limit",
            format!("limit is {limit}; it must be from 1 to {PAGE_MAX}"),
        ));
    }
    let after = cursor
        .map(|cursor| {
            let number = cursor.parse().map(PersonId);
            number.map_err(|_| {
                Problem::invalid(
                    "cursor",
                    format!("{cursor:?} is no cursor; take it from `next` of the page before"),
                )
            })
        })
        .transpose()?;
    let mut people = shared.directory.page(after, limit + 1);
    let more = people.len() > limit;
    people.truncate(limit);
    let next = people
        .last()
        .filter(|_| more)
        .map(|person| person.id.to_string());
    let items = people
        .iter()
        .map(|person| PersonBody::from(&**person))
        .collect();
    Ok(Json(PeoplePage { items, next }))
}
