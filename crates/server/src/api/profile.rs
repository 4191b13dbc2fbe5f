//! A person's own choice.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::{Choice, MyProfiles};
use serde::{Deserialize, Serialize};

use super::{Json, PresenceBody};
use crate::{
    app::Shared,
    clock::{parse_rfc3339, rfc3339},
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChoiceBody {
    profile: String,
    until: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Profiles {
    items: Vec<ProfileBody>,
}

#[derive(Debug, Serialize)]
struct ProfileBody {
    name: String,
    status: &'static str,
}

/// `PUT /people/{id}/profile`: durable and in force when answered.
pub(crate) async fn choose(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Json(body): Json<ChoiceBody>,
) -> Result<axum::Json<PresenceBody>, Problem> {
    let person = super::person(&shared, &id)?;
    let profiles = MyProfiles::default();
    let Some(profile) = profiles.named(&body.profile).cloned() else {
        let names: Vec<&str> = profiles.iter().map(|profile| &*profile.name).collect();
        let detail = format!(
            "there is no profile {:?}; there are: {}",
            body.profile,
            names.join(", ")
        );
        return Err(Problem::invalid("profile", detail));
    };
    let now = shared.clock.now();
    let until = body
        .until
        .map(|text| {
            let until = parse_rfc3339(&text).ok_or_else(|| {
                let detail = format!("{text:?} is no time; write it like 2026-11-23T17:00:00Z");
                Problem::invalid("until", detail)
            })?;
            if until <= now {
                let detail = format!("{text:?} is past; it is {} now", rfc3339(now));
                return Err(Problem::invalid("until", detail));
            }
            Ok(until)
        })
        .transpose()?;
    let choice = Choice {
        profile,
        since: now,
        until,
    };
    let stored = shared.writer.choose(person.id, Some(choice)).await;
    stored.map_err(|error| Problem::unavailable(&error))?;
    let presence = shared.events.presence(person.id);
    let presence = presence
        .ok_or_else(|| Problem::unavailable("the server is starting; try again in a moment"))?;
    Ok(axum::Json(PresenceBody::from(&presence)))
}

/// `DELETE /people/{id}/profile`: back to automatic.
pub(crate) async fn automatic(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let person = super::person(&shared, &id)?;
    let stored = shared.writer.choose(person.id, None).await;
    stored.map_err(|error| Problem::unavailable(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /people/{id}/profiles`: My Profiles in order.
pub(crate) async fn list(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<axum::Json<Profiles>, Problem> {
    super::person(&shared, &id)?;
    let profiles = MyProfiles::default();
    let items = profiles.iter().map(|profile| ProfileBody {
        name: profile.name.to_string(),
        status: profile.status.name(),
    });
    Ok(axum::Json(Profiles {
        items: items.collect(),
    }))
}
