//! Making, changing, ordering and deleting templates.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::{PersonId, Profile, Status, TEAMS_PROFILE};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::{Audience, StoreError, Template};
use utoipa::ToSchema;

use super::{
    TemplateBody, Templates, all, found, named_uses, names, of_scope, shown, stored,
    wish::{Home, NewTemplate, Start, TemplateChange, checked, merged},
};
use crate::{
    api::{Json, audit::new_entry, profile::OrderBody},
    app::{Shared, SharedState},
    audit::Administration,
    caller::Caller,
    limit_checks,
    limits::{TEMPLATES_ALL_MAX, TEMPLATES_MAX},
    organisation::{self, ORGANISATION, Tables, TemplateEdit},
    problem::Problem,
};

/// Makes a central template of a scope.
#[utoipa::path(
    post,
    path = "/templates",
    tag = "Profiles",
    responses((status = CREATED, description = "It is made.", body = TemplateBody)),
)]
pub(crate) async fn add(
    State(shared): State<Shared>,
    caller: Caller,
    Json(body): Json<NewTemplate>,
) -> Result<(StatusCode, axum::Json<TemplateBody>), Problem> {
    let scope = Home::new(ORGANISATION).wanted(&body)?.scope;
    caller.require_admin(&shared.organisation, &scope)?;
    let one_at_a_time = shared.settings_change.lock().await;
    let name = body.name.clone().unwrap_or_default();
    let template = checked(&shared, &caller, body, Start::In(ORGANISATION, &name))?;
    carry_out(&shared, &caller, TemplateEdit::Make(template.clone())).await?;
    drop(one_at_a_time);
    let body = shown(&shared, &caller, &template);
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// Which template a request is about: by its scope, or by its name alone.
enum Address {
    OfScope(String, String),
    Named(String),
}

impl Address {
    /// The template, for a caller who may change it. Who may not learns no more than that.
    fn changeable(&self, shared: &SharedState, caller: &Caller) -> Result<Template, Problem> {
        let found = match self {
            Self::OfScope(scope, name) => {
                caller.require_admin(&shared.organisation, scope)?;
                of_scope(shared, scope, name)
            }
            Self::Named(name) => found(shared, name),
        };
        let scope = match &found {
            Ok(template) => &template.scope,
            Err(_) if caller.administers() => return found,
            Err(_) => ORGANISATION,
        };
        caller.require_admin(&shared.organisation, scope)?;
        found
    }
}

async fn replace(
    shared: &SharedState,
    caller: &Caller,
    address: Address,
    wish: impl FnOnce(&Template) -> Result<NewTemplate, Problem>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    address.changeable(shared, caller)?;
    let _one_at_a_time = shared.settings_change.lock().await;
    let before = address.changeable(shared, caller)?;
    let body = wish(&before)?;
    let after = checked(shared, caller, body, Start::From(&before))?;
    if after != before {
        let edit = TemplateEdit::Replace(before, after.clone());
        carry_out(shared, caller, edit).await?;
    }
    Ok(axum::Json(shown(shared, caller, &after)))
}

/// Changes all of a template but its name. Refused where something that uses a template of that name would have none.
#[utoipa::path(
    put,
    path = "/templates/{name}",
    tag = "Profiles",
    responses((status = OK, description = "What was asked for.", body = TemplateBody)),
)]
pub(crate) async fn change(
    State(shared): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Json(body): Json<NewTemplate>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    replace(&shared, &caller, Address::Named(name), |_| Ok(body)).await
}

/// Changes all of a scope's template but its name. Refused where something that uses a template of that name would have
/// none. Another `scope` moves it there.
#[utoipa::path(
    put,
    path = "/scopes/{scope}/templates/{name}",
    tag = "Profiles",
    responses((status = OK, description = "What was asked for.", body = TemplateBody)),
)]
pub(crate) async fn change_of_scope(
    State(shared): State<Shared>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
    Json(body): Json<NewTemplate>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    let address = Address::OfScope(scope, name);
    replace(&shared, &caller, address, |_| Ok(body)).await
}

/// Changes what the request names of a scope's template; what is left out stays.
#[utoipa::path(
    patch,
    path = "/scopes/{scope}/templates/{name}",
    tag = "Profiles",
    request_body = TemplateChange,
    responses((status = OK, description = "As it is now.", body = TemplateBody)),
)]
pub(crate) async fn change_part(
    State(shared): State<Shared>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
    Json(body): Json<Map<String, Value>>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    let address = Address::OfScope(scope, name);
    let wish = |before: &Template| merged(json!(stored(before)), body);
    replace(&shared, &caller, address, wish).await
}

/// Deletes a template. Refused while automatic activation or calendar synchronisation uses it and has no other of its name;
/// the refusal lists the uses.
#[utoipa::path(
    delete,
    path = "/templates/{name}",
    tag = "Profiles",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    remove(&shared, &caller, Address::Named(name)).await
}

/// Deletes a scope's template. Refused while automatic activation or calendar synchronisation uses it and has no other of its
/// name; the refusal lists the uses.
#[utoipa::path(
    delete,
    path = "/scopes/{scope}/templates/{name}",
    tag = "Profiles",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn delete_of_scope(
    State(shared): State<Shared>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    remove(&shared, &caller, Address::OfScope(scope, name)).await
}

async fn remove(
    shared: &SharedState,
    caller: &Caller,
    address: Address,
) -> Result<StatusCode, Problem> {
    address.changeable(shared, caller)?;
    let _one_at_a_time = shared.settings_change.lock().await;
    let template = address.changeable(shared, caller)?;
    carry_out(shared, caller, TemplateEdit::Delete(template)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses an edit of what a template does to callers who do not administer everybody to whom it is assigned: it decides where the calls of these people
/// go. A person may have moved to another location since.
fn require_people(
    shared: &SharedState,
    caller: &Caller,
    edit: &TemplateEdit,
) -> Result<(), Problem> {
    let Some(template) = edit.before() else {
        return Ok(());
    };
    let stays = edit
        .after()
        .is_some_and(|after| after.profile == template.profile && after.scope == template.scope);
    let administers = |person: &PersonId| {
        caller
            .require_admin_of(&shared.organisation, *person)
            .is_ok()
    };
    if stays || template.people.iter().all(administers) {
        return Ok(());
    }
    let name = &template.profile.name;
    Err(Problem::forbidden(format!(
        "the template {name:?} is assigned to people of other locations; a system administrator can change it"
    )))
}

/// Refuses an edit that a limit, or something that would have no template any more, forbids.
fn refuse(shared: &SharedState, caller: &Caller, edit: &TemplateEdit) -> Result<(), Problem> {
    require_people(shared, caller, edit)?;
    let uses = shared.organisation.read(|tables| {
        let templates = &tables.templates;
        let comes_from = edit.before().map(|before| &before.scope);
        let comes_to = edit.after().map(|after| &after.scope);
        if let Some(scope) = comes_to.filter(|scope| comes_from != Some(*scope)) {
            let present = templates.count_in(scope);
            limit_checks::one_more("templates of this scope", present, TEMPLATES_MAX)?;
        }
        if comes_from.is_none() {
            limit_checks::one_more("templates", templates.count(), TEMPLATES_ALL_MAX)?;
        }
        Ok::<_, Problem>(tables.lost_uses(edit))
    })?;
    if uses.is_empty() {
        return Ok(());
    }
    Err(Problem::conflict(format!(
        "the template {:?} is used by {}; change these first",
        edit.name(),
        named_uses(shared, caller, uses).join(", ")
    )))
}

/// What the audit log calls a template.
fn target(template: &Template) -> String {
    match &*template.scope {
        ORGANISATION => template.profile.name.to_string(),
        scope => format!("{scope}/{}", template.profile.name),
    }
}

/// Carries out an edit, for a caller who may do so and holds the lock of settings.
async fn carry_out(
    shared: &SharedState,
    caller: &Caller,
    edit: TemplateEdit,
) -> Result<(), Problem> {
    refuse(shared, caller, &edit)?;
    let told = |template: Option<&Template>| template.map(|known| json!(stored(known)));
    let entry = |what, template: &Template| {
        new_entry(shared, caller, what, target(template))
            .before(told(edit.before()))
            .after(told(edit.after()))
    };
    let store = &shared.store;
    match &edit {
        TemplateEdit::Make(template) => {
            let entry = entry(Administration::TemplateSet, template);
            store.add_template(template, &entry.change()).await?;
        }
        TemplateEdit::Replace(before, after) => {
            let entry = entry(Administration::TemplateSet, before);
            let change = entry.change();
            store.change_template(&before.scope, after, &change).await?;
        }
        TemplateEdit::Delete(template) => {
            let entry = entry(Administration::TemplateDelete, template);
            let (scope, name) = (&template.scope, &template.profile.name);
            store.delete_template(scope, name, &entry.change()).await?;
        }
    }
    Ok(read_again(shared).await?)
}

/// Sets the administrator's order of templates, by their names.
#[utoipa::path(
    put,
    path = "/templates",
    tag = "Profiles",
    responses((status = OK, description = "What was asked for.", body = Templates)),
)]
pub(crate) async fn order(
    State(shared): State<Shared>,
    caller: Caller,
    Json(body): Json<OrderBody>,
) -> Result<axum::Json<Templates>, Problem> {
    caller.require_admin(&shared.organisation, ORGANISATION)?;
    limit_checks::list("names", body.names.len(), TEMPLATES_ALL_MAX)?;
    {
        let _one_at_a_time = shared.settings_change.lock().await;
        let before = shared.organisation.read(|tables| {
            let templates: Vec<Template> = tables.templates.iter().cloned().collect();
            names(&templates)
        });
        if body.names == before {
            return Ok(axum::Json(all(&shared, &caller)));
        }
        let entry = new_entry(
            &shared,
            &caller,
            Administration::TemplateOrder,
            ORGANISATION,
        )
        .before(Some(json!(before)))
        .after(Some(json!(body.names)));
        let stored = shared
            .store
            .order_templates(&body.names, &entry.change())
            .await;
        stored?;
        read_again(&shared).await?;
    }
    Ok(axum::Json(all(&shared, &caller)))
}

/// Where the template for Teams is to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct TeamsTemplate {
    /// Without it: the organisation.
    scope: Option<String>,
}

/// Makes the template for calls in Teams, once however often it is asked for. The body may be left out.
#[utoipa::path(
    post,
    path = "/templates/teams",
    tag = "Profiles",
    request_body = Option<TeamsTemplate>,
    responses((status = OK, description = "What was asked for.", body = TemplateBody), (status = CREATED, description = "It is made.", body = TemplateBody)),
)]
pub(crate) async fn create_teams(
    State(shared): State<Shared>,
    caller: Caller,
    body: Option<axum::Json<TeamsTemplate>>,
) -> Result<(StatusCode, axum::Json<TemplateBody>), Problem> {
    let scope = body.and_then(|axum::Json(body)| body.scope);
    let scope = scope.unwrap_or_else(|| ORGANISATION.into());
    teams_in(&shared, &caller, scope).await
}

/// Makes a scope's template for calls in Teams, once however often it is asked for.
#[utoipa::path(
    post,
    path = "/scopes/{scope}/templates/teams",
    tag = "Profiles",
    responses((status = OK, description = "What was asked for.", body = TemplateBody), (status = CREATED, description = "It is made.", body = TemplateBody)),
)]
pub(crate) async fn create_teams_of_scope(
    State(shared): State<Shared>,
    caller: Caller,
    Path(scope): Path<String>,
) -> Result<(StatusCode, axum::Json<TemplateBody>), Problem> {
    teams_in(&shared, &caller, scope).await
}

async fn teams_in(
    shared: &SharedState,
    caller: &Caller,
    scope: String,
) -> Result<(StatusCode, axum::Json<TemplateBody>), Problem> {
    caller.require_admin(&shared.organisation, &scope)?;
    let _one_at_a_time = shared.settings_change.lock().await;
    if let Ok(template) = of_scope(shared, &scope, TEAMS_PROFILE) {
        return Ok((StatusCode::OK, axum::Json(shown(shared, caller, &template))));
    }
    let template = Template {
        profile: Profile::central(TEAMS_PROFILE, Status::Busy),
        scope,
        audience: Audience::Everyone,
        people: Vec::new(),
    };
    carry_out(shared, caller, TemplateEdit::Make(template.clone())).await?;
    let body = shown(shared, caller, &template);
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// Takes in that the store has deleted a person, and with them the assignments of templates.
pub(crate) async fn forget(shared: &SharedState, person: PersonId) -> Result<(), StoreError> {
    let _one_at_a_time = shared.settings_change.lock().await;
    let are_assigned = |tables: &Tables| tables.templates.are_assigned(person);
    match shared.organisation.read(are_assigned) {
        true => read_again(shared).await,
        false => Ok(()),
    }
}

async fn read_again(shared: &SharedState) -> Result<(), StoreError> {
    let templates = shared.store.templates().await?;
    let templates = organisation::Templates::new(templates);
    let changed = shared
        .organisation
        .rearrange(|tables| tables.templates = templates.into());
    shared.put_in_force(changed).await;
    Ok(())
}
