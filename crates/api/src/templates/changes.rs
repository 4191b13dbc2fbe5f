//! Additions, changes, order and deletions of templates.

use api_types::profile::OrderBody;
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::{PersonId, Profile, Status, TEAMS_PROFILE};
use runtime::{
    audit::Administration,
    context::Context,
    limits::{TEMPLATES_ALL_MAX, TEMPLATES_MAX},
    organisation::{self, ORGANISATION, Snapshot, TemplateEdit},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::{Audience, StoreError, Template};
use utoipa::ToSchema;

use super::{
    TemplateBody, Templates, all, found, named_uses, names, of_scope,
    request::{Home, NewTemplate, Start, TemplateChange, checked, merged},
    shown, stored,
};
use crate::{Json, audit::new_entry, caller::Caller, limit_checks, problem::Problem};

/// Adds a central template of a scope.
#[utoipa::path(
    post,
    path = "/templates",
    tag = "Profiles",
    responses((status = CREATED, description = "Added.", body = TemplateBody)),
)]
pub async fn add(
    State(context): State<Context>,
    caller: Caller,
    Json(body): Json<NewTemplate>,
) -> Result<(StatusCode, axum::Json<TemplateBody>), Problem> {
    let scope = Home::new(ORGANISATION).wanted(&body)?.scope;
    caller.require_admin(&context.organisation, &scope)?;
    let one_at_a_time = context.settings_lock.lock().await;
    let name = body.name.clone().unwrap_or_default();
    let template = checked(&context, &caller, body, Start::In(ORGANISATION, &name))?;
    carry_out(&context, &caller, TemplateEdit::Make(template.clone())).await?;
    drop(one_at_a_time);
    let body = shown(&context, &caller, &template);
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// The template of a request: by scope and name, or by name.
enum Address {
    OfScope(String, String),
    Named(String),
}

impl Address {
    /// The template, if the caller may change it. The refusal reveals nothing about the template.
    fn changeable(&self, context: &Context, caller: &Caller) -> Result<Template, Problem> {
        let found = match self {
            Self::OfScope(scope, name) => {
                caller.require_admin(&context.organisation, scope)?;
                of_scope(context, scope, name)
            }
            Self::Named(name) => found(context, name),
        };
        let scope = match &found {
            Ok(template) => &template.scope,
            Err(_) if caller.administers() => return found,
            Err(_) => ORGANISATION,
        };
        caller.require_admin(&context.organisation, scope)?;
        found
    }
}

async fn replace(
    context: &Context,
    caller: &Caller,
    address: Address,
    request: impl FnOnce(&Template) -> Result<NewTemplate, Problem>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    address.changeable(context, caller)?;
    let _one_at_a_time = context.settings_lock.lock().await;
    let before = address.changeable(context, caller)?;
    let body = request(&before)?;
    let after = checked(context, caller, body, Start::From(&before))?;
    if after != before {
        let edit = TemplateEdit::Replace(before, after.clone());
        carry_out(context, caller, edit).await?;
    }
    Ok(axum::Json(shown(context, caller, &after)))
}

/// Replaces a template, except its name. Refused if a use of the name would be left without a template.
#[utoipa::path(
    put,
    path = "/templates/{name}",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = TemplateBody)),
)]
pub async fn change(
    State(context): State<Context>,
    caller: Caller,
    Path(name): Path<String>,
    Json(body): Json<NewTemplate>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    replace(&context, &caller, Address::Named(name), |_| Ok(body)).await
}

/// Replaces a scope's template, except its name. Refused if a use of the name would be left without a template. Another
/// `scope` moves the template there.
#[utoipa::path(
    put,
    path = "/scopes/{scope}/templates/{name}",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = TemplateBody)),
)]
pub(crate) async fn change_of_scope(
    State(context): State<Context>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
    Json(body): Json<NewTemplate>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    let address = Address::OfScope(scope, name);
    replace(&context, &caller, address, |_| Ok(body)).await
}

/// Changes fields of a scope's template. Absent fields stay.
#[utoipa::path(
    patch,
    path = "/scopes/{scope}/templates/{name}",
    tag = "Profiles",
    request_body = TemplateChange,
    responses((status = OK, description = "The present state.", body = TemplateBody)),
)]
pub(crate) async fn change_part(
    State(context): State<Context>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
    Json(body): Json<Map<String, Value>>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    let address = Address::OfScope(scope, name);
    let request = |before: &Template| merged(json!(stored(before)), body);
    replace(&context, &caller, address, request).await
}

/// Deletes a template. Refused while automatic activation or calendar synchronisation uses it and has no other template of
/// its name; the refusal lists the uses.
#[utoipa::path(
    delete,
    path = "/templates/{name}",
    tag = "Profiles",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn delete(
    State(context): State<Context>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    remove(&context, &caller, Address::Named(name)).await
}

/// Deletes a scope's template. Refused while automatic activation or calendar synchronisation uses it and has no other
/// template of its name; the refusal lists the uses.
#[utoipa::path(
    delete,
    path = "/scopes/{scope}/templates/{name}",
    tag = "Profiles",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn delete_of_scope(
    State(context): State<Context>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    remove(&context, &caller, Address::OfScope(scope, name)).await
}

async fn remove(
    context: &Context,
    caller: &Caller,
    address: Address,
) -> Result<StatusCode, Problem> {
    address.changeable(context, caller)?;
    let _one_at_a_time = context.settings_lock.lock().await;
    let template = address.changeable(context, caller)?;
    carry_out(context, caller, TemplateEdit::Delete(template)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses changes of a template's effect by callers who do not administer all assigned people, because the template
/// forwards their calls. A person may have moved to another location since the assignment.
fn require_people(context: &Context, caller: &Caller, edit: &TemplateEdit) -> Result<(), Problem> {
    let Some(template) = edit.before() else {
        return Ok(());
    };
    let stays = edit
        .after()
        .is_some_and(|after| after.profile == template.profile && after.scope == template.scope);
    let administers = |person: &PersonId| {
        caller
            .require_admin_of(&context.organisation, *person)
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

/// Refuses an edit beyond the limits, or one that leaves a use without a template.
fn refuse(context: &Context, caller: &Caller, edit: &TemplateEdit) -> Result<(), Problem> {
    require_people(context, caller, edit)?;
    let uses = context.organisation.read(|snapshot| {
        let templates = &snapshot.templates;
        let comes_from = edit.before().map(|before| &before.scope);
        let comes_to = edit.after().map(|after| &after.scope);
        if let Some(scope) = comes_to.filter(|scope| comes_from != Some(*scope)) {
            let present = templates.count_in(scope);
            limit_checks::one_more("templates of this scope", present, TEMPLATES_MAX)?;
        }
        if comes_from.is_none() {
            limit_checks::one_more("templates", templates.count(), TEMPLATES_ALL_MAX)?;
        }
        Ok::<_, Problem>(snapshot.lost_uses(edit))
    })?;
    if uses.is_empty() {
        return Ok(());
    }
    Err(Problem::conflict(format!(
        "the template {:?} is used by {}; change these first",
        edit.name(),
        named_uses(context, caller, uses).join(", ")
    )))
}

/// The target in the audit log.
fn target(template: &Template) -> String {
    match &*template.scope {
        ORGANISATION => template.profile.name.to_string(),
        scope => format!("{scope}/{}", template.profile.name),
    }
}

/// Carries out an edit. The caller must be authorised, and the lock of settings held.
async fn carry_out(context: &Context, caller: &Caller, edit: TemplateEdit) -> Result<(), Problem> {
    refuse(context, caller, &edit)?;
    let told = |template: Option<&Template>| template.map(|known| json!(stored(known)));
    let entry = |what, template: &Template| {
        new_entry(&context.clock, caller, what, target(template))
            .before(told(edit.before()))
            .after(told(edit.after()))
    };
    let store = &context.store;
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
    Ok(read_again(context).await?)
}

/// Sets the order of templates by their names.
#[utoipa::path(
    put,
    path = "/templates",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = Templates)),
)]
pub async fn order(
    State(context): State<Context>,
    caller: Caller,
    Json(body): Json<OrderBody>,
) -> Result<axum::Json<Templates>, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    limit_checks::list("names", body.names.len(), TEMPLATES_ALL_MAX)?;
    {
        let _one_at_a_time = context.settings_lock.lock().await;
        let before = context.organisation.read(|snapshot| {
            let templates: Vec<Template> = snapshot.templates.iter().cloned().collect();
            names(&templates)
        });
        if body.names == before {
            return Ok(axum::Json(all(&context, &caller)));
        }
        let entry = new_entry(
            &context.clock,
            &caller,
            Administration::TemplateOrder,
            ORGANISATION,
        )
        .before(Some(json!(before)))
        .after(Some(json!(body.names)));
        let stored = context
            .store
            .order_templates(&body.names, &entry.change())
            .await;
        stored?;
        read_again(&context).await?;
    }
    Ok(axum::Json(all(&context, &caller)))
}

/// Scope of the template for Teams.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct TeamsTemplate {
    /// Default: the organisation.
    scope: Option<String>,
}

/// Adds the template for calls in Teams; repeated requests add it once. The body is optional.
#[utoipa::path(
    post,
    path = "/templates/teams",
    tag = "Profiles",
    request_body = Option<TeamsTemplate>,
    responses((status = OK, description = "The requested data.", body = TemplateBody), (status = CREATED, description = "Added.", body = TemplateBody)),
)]
pub(crate) async fn create_teams(
    State(context): State<Context>,
    caller: Caller,
    body: Option<axum::Json<TeamsTemplate>>,
) -> Result<(StatusCode, axum::Json<TemplateBody>), Problem> {
    let scope = body.and_then(|axum::Json(body)| body.scope);
    let scope = scope.unwrap_or_else(|| ORGANISATION.into());
    teams_in(&context, &caller, scope).await
}

/// Adds a scope's template for calls in Teams; repeated requests add it once.
#[utoipa::path(
    post,
    path = "/scopes/{scope}/templates/teams",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = TemplateBody), (status = CREATED, description = "Added.", body = TemplateBody)),
)]
pub(crate) async fn create_teams_of_scope(
    State(context): State<Context>,
    caller: Caller,
    Path(scope): Path<String>,
) -> Result<(StatusCode, axum::Json<TemplateBody>), Problem> {
    teams_in(&context, &caller, scope).await
}

async fn teams_in(
    context: &Context,
    caller: &Caller,
    scope: String,
) -> Result<(StatusCode, axum::Json<TemplateBody>), Problem> {
    caller.require_admin(&context.organisation, &scope)?;
    let _one_at_a_time = context.settings_lock.lock().await;
    if let Ok(template) = of_scope(context, &scope, TEAMS_PROFILE) {
        return Ok((
            StatusCode::OK,
            axum::Json(shown(context, caller, &template)),
        ));
    }
    let template = Template {
        profile: Profile::central(TEAMS_PROFILE, Status::Busy),
        scope,
        audience: Audience::Everyone,
        people: Vec::new(),
    };
    carry_out(context, caller, TemplateEdit::Make(template.clone())).await?;
    let body = shown(context, caller, &template);
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// Applies the deletion of a person in the store, which deleted the assignments of templates.
pub async fn forget(context: &Context, person: PersonId) -> Result<(), StoreError> {
    let _one_at_a_time = context.settings_lock.lock().await;
    let are_assigned = |snapshot: &Snapshot| snapshot.templates.are_assigned(person);
    match context.organisation.read(are_assigned) {
        true => read_again(context).await,
        false => Ok(()),
    }
}

async fn read_again(context: &Context) -> Result<(), StoreError> {
    let templates = context.store.templates().await?;
    let templates = organisation::Templates::new(templates);
    let changed = context
        .organisation
        .update(|snapshot| snapshot.templates = templates.into());
    context.apply_policies(changed).await;
    Ok(())
}
