//! The profile that a person chose.

use api_types::{
    choice::{ChoiceBody, CurrentChoice},
    presence::PresenceBody,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::{Choice, Permission, PersonId, Timestamp, view};
use runtime::{
    audit::{Details, Own},
    clock::{parse_rfc3339, rfc3339},
    context::Context,
};
use serde_json::json;

use super::{
    Json, audit::own_entry, forwarding_loop::refuse_loop, presence::presence_body, profile::named,
};
use crate::{
    caller::Caller,
    preconditions::Comparison,
    problem::{Problem, ProblemCode},
};

/// The person's choice, for callers who may change it.
#[utoipa::path(
    get,
    path = "/people/{id}/profile",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = CurrentChoice)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<CurrentChoice>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require_to_read(&context.organisation, person, Permission::ChangeProfile)?;
    let choice = context.engine.choice(person).await;
    Ok(axum::Json(CurrentChoice {
        profile: choice.as_ref().map(|choice| choice.profile.to_string()),
        since: choice.as_ref().map(|choice| rfc3339(choice.since)),
        until: choice.and_then(|choice| choice.until).map(rfc3339),
    }))
}

/// Chooses a profile, or returns to automatic (null). The choice is stored and in effect when answered.
#[utoipa::path(
    put,
    path = "/people/{id}/profile",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = PresenceBody)),
)]
pub async fn choose(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    comparison: Comparison,
    Json(body): Json<ChoiceBody>,
) -> Result<axum::Json<PresenceBody>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require(&context.organisation, person, Permission::ChangeProfile)?;
    match (body.profile, body.until) {
        _ if comparison.is_same() => {}
        (Some(profile), until) => put(&context, &caller, person, &profile, until).await?,
        (None, None) => end_choice(&context, &caller, person).await?,
        (None, Some(_)) => {
            let detail = "has no meaning without a profile; leave it out, or name a profile";
            return Err(Problem::invalid("until", detail));
        }
    }
    let presence = context
        .events
        .presence(person)
        .ok_or_else(|| Problem::unavailable("the server is starting; try again in a moment"))?;
    let view = view(&presence, caller.level(&context.organisation, person));
    Ok(axum::Json(presence_body(&view)))
}

/// Chooses one of the person's profiles. The caller must be authorised.
pub async fn put(
    context: &Context,
    caller: &Caller,
    person: PersonId,
    profile: &str,
    until: Option<String>,
) -> Result<(), Problem> {
    let profiles = context
        .organisation
        .read(|snapshot| snapshot.my_profiles(person));
    let profile = named(&profiles, profile)?;
    refuse_loop(context, caller, person, profile)?;
    let now = context.clock.now();
    let until = until.map(|text| end(&text, now)).transpose()?;
    let choice = Choice {
        profile: profile.name.clone(),
        since: now,
        until,
    };
    let details = Details::default()
        .before(profile_in_effect(context, person))
        .after(Some(
            json!({"profile": &*choice.profile, "until": choice.until.map(rfc3339)}),
        ));
    let entry = own_entry(context, caller, Own::ProfileChoose, person, details);
    let stored = context.commits.choose(person, Some(choice), entry).await;
    stored.map_err(|error| Problem::unavailable(&error))
}

/// Parses the end of a choice, which must be in the future.
fn end(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let until = parse_rfc3339(text).ok_or_else(|| {
        let detail = format!("{text:?} is no time; write it like 2026-11-23T17:00:00Z");
        Problem::invalid("until", detail)
            .with_code(ProblemCode::new("not-a-time").with("value", text))
    })?;
    if until <= now {
        let detail = format!("{text:?} is past; it is {} now", rfc3339(now));
        let code = ProblemCode::new("past");
        return Err(Problem::invalid("until", detail).with_code(code));
    }
    Ok(until)
}

/// Ends the person's choice. The caller must be authorised.
pub(crate) async fn end_choice(
    context: &Context,
    caller: &Caller,
    person: PersonId,
) -> Result<(), Problem> {
    let details = Details::default().before(profile_in_effect(context, person));
    let entry = own_entry(context, caller, Own::ProfileAutomatic, person, details);
    let stored = context.commits.choose(person, None, entry).await;
    stored.map_err(|error| Problem::unavailable(&error))
}

/// The profile in effect, for the audit log.
fn profile_in_effect(context: &Context, person: PersonId) -> Option<serde_json::Value> {
    let presence = context.events.presence(person)?;
    Some(json!({"profile": &*presence.profile}))
}

/// Returns to automatic.
#[utoipa::path(
    delete,
    path = "/people/{id}/profile",
    tag = "Profiles",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn automatic(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require(&context.organisation, person, Permission::ChangeProfile)?;
    end_choice(&context, &caller, person).await?;
    Ok(StatusCode::NO_CONTENT)
}
