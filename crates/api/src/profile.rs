//! My Profiles: the profiles from which a person chooses.

use std::collections::HashSet;

use api_types::profile::{ForwardingBody, NewProfile, OrderBody, ProfileBody, Profiles};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::{
    Forwarding, ForwardingError, MyProfiles, Origin, Permission, PersonId, Profile, SettingsGroup,
    Status, same_name, setting_keys,
};
use runtime::{
    audit::{Details, Own},
    context::Context,
    limits::{NAME_MAX, ORDER_MAX, PROFILES_MAX},
    organisation::Personal,
};
use serde_json::json;

use super::{Json, audit::own_entry, forwarding_loop::refuse_loop};
use crate::{
    caller::Caller,
    limit_checks,
    preconditions::Comparison,
    problem::{Problem, ProblemCode},
};

/// Checks the fields and makes the profile with this name.
pub fn checked(fields: NewProfile, name: &str, origin: Origin) -> Result<Profile, Problem> {
    let name = name.trim();
    limit_checks::name("name", name)?;
    let Some(status) = Status::from_name(&fields.status) else {
        let names = Status::ALL.map(Status::name).join(", ");
        let detail = format!("{:?} is no status; there are {names}", fields.status);
        return Err(Problem::invalid("status", detail));
    };
    let forwarding = match fields.forwarding {
        None => Forwarding::Off,
        Some(ForwardingBody { kind, target }) => {
            Forwarding::from_names(&kind, target.as_deref()).map_err(|error| {
                let detail = match error {
                    ForwardingError::Target(error) => error.to_string(),
                    ForwardingError::Kind => format!(
                        "the kinds are {}; all, internal and external need a target, the others have none",
                        Forwarding::KINDS.join(", ")
                    ),
                };
                Problem::invalid("forwarding", detail)
            })?
        }
    };
    limit_checks::text("text", fields.text.as_deref().unwrap_or_default(), NAME_MAX)?;
    Ok(Profile {
        name: name.into(),
        status,
        forwarding,
        text: fields.text.filter(|text| !text.is_empty()).map(Into::into),
        origin,
        active: fields.active.unwrap_or(true),
    })
}

/// The profile of this name among a person's profiles. The refusal lists their names.
pub fn named<'a>(profiles: &'a MyProfiles, name: &str) -> Result<&'a Profile, Problem> {
    profiles.named(name).ok_or_else(|| {
        let names: Vec<&str> = profiles
            .iter()
            .filter(|profile| profile.is_usable())
            .map(|profile| &*profile.name)
            .collect();
        let detail = format!(
            "there is no profile {name:?}; there are: {}",
            names.join(", ")
        );
        Problem::invalid("profile", detail)
    })
}

/// Lists My Profiles in order. Empty for callers who may not choose for the person.
#[utoipa::path(
    get,
    path = "/people/{id}/profiles",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = Profiles)),
)]
pub async fn list(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Profiles>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    Ok(axum::Json(profiles_for(&context, &caller, person)))
}

/// The profiles of a person for callers who may choose one; empty for all others.
fn profiles_for(context: &Context, caller: &Caller, person: PersonId) -> Profiles {
    let profiles = context
        .organisation
        .read(|snapshot| snapshot.my_profiles(person));
    let may_see = caller
        .level(&context.organisation, person)
        .may(Permission::ChangeProfile);
    let items = profiles.iter().filter(|_| may_see).map(ProfileBody::from);
    let items: Vec<ProfileBody> = items.collect();
    Profiles {
        names: distinct_names(items.iter().map(|profile| &*profile.name)),
        items,
    }
}

/// Each name once, in its first spelling: an order of profiles names each once.
pub fn distinct_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut known = HashSet::new();
    let first = names.filter(|name| known.insert(name.trim().to_lowercase()));
    first.map(ToOwned::to_owned).collect()
}

/// A profile of My Profiles.
#[utoipa::path(
    get,
    path = "/people/{id}/profiles/{name}",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = ProfileBody)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
) -> Result<axum::Json<ProfileBody>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require_to_read(&context.organisation, person, Permission::ChangeProfile)?;
    let profiles = context
        .organisation
        .read(|snapshot| snapshot.my_profiles(person));
    // A change at this path concerns personal profiles.
    let own = |known: &&Profile| known.origin == Origin::Personal && same_name(&known.name, &name);
    let found = profiles.iter().find(own);
    let found = found.or_else(|| profiles.iter().find(|known| same_name(&known.name, &name)));
    let remedy = "GET …/profiles lists them";
    let found = found.ok_or_else(|| Problem::not_found("profile", &name, remedy))?;
    Ok(axum::Json(ProfileBody::from(found)))
}

/// Adds a personal profile.
#[utoipa::path(
    post,
    path = "/people/{id}/profiles",
    tag = "Profiles",
    responses((status = CREATED, description = "Added.", body = ProfileBody)),
)]
pub async fn add(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<NewProfile>,
) -> Result<(StatusCode, axum::Json<ProfileBody>), Problem> {
    let name = body.name.clone().unwrap_or_default();
    let profile = put(&context, &caller, &id, &name, body, true).await?;
    Ok((StatusCode::CREATED, axum::Json(profile)))
}

/// Changes a personal profile, except its name. Refuses to deactivate a profile that automatic activation or the calendar
/// uses.
#[utoipa::path(
    put,
    path = "/people/{id}/profiles/{name}",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = ProfileBody)),
)]
pub async fn change(
    State(context): State<Context>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
    comparison: Comparison,
    Json(body): Json<NewProfile>,
) -> Result<axum::Json<ProfileBody>, Problem> {
    if comparison.is_same() {
        let person = super::person(&context.people, &id)?.id;
        caller.require(&context.organisation, person, Permission::ChangeForwarding)?;
        return read(State(context), caller, Path((id, name))).await;
    }
    if body.name.as_ref().is_some_and(|new| !same_name(new, &name)) {
        let detail = "the name of a profile never changes; make a new one and delete this one";
        return Err(Problem::invalid("name", detail));
    }
    let profile = put(&context, &caller, &id, &name, body, false).await?;
    Ok(axum::Json(profile))
}

async fn put(
    context: &Context,
    caller: &Caller,
    id: &str,
    name: &str,
    body: NewProfile,
    is_new: bool,
) -> Result<ProfileBody, Problem> {
    let person = super::person(&context.people, id)?.id;
    caller.require(&context.organisation, person, Permission::ChangeForwarding)?;
    let _one_at_a_time = context.settings_lock.lock().await;
    let allowed = context.organisation.read(|snapshot| {
        snapshot
            .resolve(person, SettingsGroup::Profiles)
            .get(setting_keys::PERSONAL_PROFILES)
    });
    if !allowed {
        return Err(Problem::locked(setting_keys::PERSONAL_PROFILES.name));
    }
    let present = personal(context, person);
    let existing = present
        .profiles
        .iter()
        .find(|profile| same_name(&profile.name, name));
    match (is_new, existing) {
        (true, Some(existing)) => {
            let detail = format!(
                "there is a profile {:?} already; choose another name or change that one",
                existing.name
            );
            let code = ProblemCode::new("name-taken").with("value", &existing.name);
            return Err(Problem::conflict_of("name", detail).with_code(code));
        }
        (false, None) => {
            let remedy =
                "GET the profiles for their names; central ones are changed at /api/v1/templates";
            return Err(Problem::not_found("personal profile", name, remedy));
        }
        (true, None) => limit_checks::one_more("profiles", present.profiles.len(), PROFILES_MAX)?,
        (false, Some(_)) => {}
    }
    let name = existing.map_or(name, |existing| &existing.name).to_owned();
    let body = NewProfile {
        active: body.active.or(existing.map(|existing| existing.active)),
        ..body
    };
    let profile = checked(body, &name, Origin::Personal)?;
    if existing.is_some_and(|existing| existing.active) && !profile.active {
        refuse_use(context, person, &name)?;
    }
    refuse_loop(context, caller, person, &profile)?;
    let shown = ProfileBody::from(&profile);
    let details = Details::default()
        .before(existing.map(|existing| json!(ProfileBody::from(existing))))
        .after(Some(json!(shown)));
    let entry = own_entry(context, caller, Own::ProfileSet, person, details);
    let stored = context
        .store
        .upsert_profile(person, &profile, &entry.change())
        .await;
    stored?;
    let mut after = present.clone();
    after
        .profiles
        .retain(|known| !same_name(&known.name, &profile.name));
    let place = present
        .profiles
        .iter()
        .position(|known| same_name(&known.name, &profile.name))
        .unwrap_or(after.profiles.len());
    after.profiles.insert(place, profile);
    arrange(context, person, after).await;
    Ok(shown)
}

fn personal(context: &Context, person: PersonId) -> Personal {
    let arranged = |snapshot: &runtime::organisation::Snapshot| {
        snapshot.personal_profiles.get(&person).cloned()
    };
    context.organisation.read(arranged).unwrap_or_default()
}

async fn arrange(context: &Context, person: PersonId, personal: Personal) {
    context
        .update_person(person, |snapshot| {
            snapshot.personal_profiles.insert(person, personal);
        })
        .await;
}

/// Deletes a personal profile. Refused while automatic activation or the calendar uses it.
#[utoipa::path(
    delete,
    path = "/people/{id}/profiles/{name}",
    tag = "Profiles",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn delete(
    State(context): State<Context>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require(&context.organisation, person, Permission::ChangeForwarding)?;
    let _one_at_a_time = context.settings_lock.lock().await;
    let mine = personal(&context, person).profiles;
    let before = mine.iter().find(|known| same_name(&known.name, &name));
    if before.is_some_and(|before| before.active) {
        refuse_use(&context, person, &name)?;
    }
    let before = before.map(ProfileBody::from);
    let details = Details::default().before(before.map(|before| json!(before)));
    let entry = own_entry(&context, &caller, Own::ProfileDelete, person, details);
    let deleted = context
        .store
        .delete_profile(person, &name, &entry.change())
        .await;
    deleted?;
    let mut after = personal(&context, person);
    after
        .profiles
        .retain(|profile| !same_name(&profile.name, &name));
    arrange(&context, person, after).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses to remove a personal profile that the person's settings use.
fn refuse_use(context: &Context, person: PersonId, name: &str) -> Result<(), Problem> {
    let uses = context.organisation.read(|snapshot| {
        let place = snapshot.membership(person);
        match snapshot.templates.counting(name, &place, Some(person)) {
            // The settings then mean the template of that name.
            Some(_) => Vec::new(),
            None => snapshot.own_uses(person, name),
        }
    });
    if uses.is_empty() {
        return Ok(());
    }
    let used = uses.join(", ");
    let detail = format!("the profile {name:?} is used by {used}; change these first");
    let code = ProblemCode::new("in-use")
        .with("value", name)
        .with("uses", used);
    Err(Problem::conflict(detail).with_code(code))
}

/// Sets the order of My Profiles. Unnamed profiles follow the named ones.
#[utoipa::path(
    put,
    path = "/people/{id}/profiles",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = Profiles)),
)]
pub async fn order(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    comparison: Comparison,
    Json(body): Json<OrderBody>,
) -> Result<axum::Json<Profiles>, Problem> {
    let person = super::person(&context.people, &id)?.id;
    caller.require(&context.organisation, person, Permission::ChangeProfile)?;
    if comparison.is_same() {
        return Ok(axum::Json(profiles_for(&context, &caller, person)));
    }
    limit_checks::list("names", body.names.len(), ORDER_MAX)?;
    for name in &body.names {
        limit_checks::name("names", name)?;
    }
    let _one_at_a_time = context.settings_lock.lock().await;
    let before = personal(&context, person);
    let details = Details::default()
        .before(Some(json!(before.order)))
        .after(Some(json!(body.names)));
    let entry = own_entry(&context, &caller, Own::ProfileOrder, person, details);
    let stored = context
        .store
        .order_profiles(person, &body.names, &entry.change())
        .await;
    stored?;
    let order = body.names;
    arrange(&context, person, Personal { order, ..before }).await;
    Ok(axum::Json(profiles_for(&context, &caller, person)))
}
