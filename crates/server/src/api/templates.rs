//! Central templates: the profiles that administrators offer.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::{Origin, PersonId, Profile, Status, TEAMS_PROFILE};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{StoreError, Template};
use utoipa::ToSchema;

use super::{
    Json,
    audit::{Administration, Entry},
    profile::{NewProfile, OrderBody, ProfileBody},
};
use crate::{
    app::{Shared, SharedState},
    caller::Caller,
    limits::{self, OFFERS_MAX, TEMPLATE_PEOPLE_MAX, TEMPLATES_MAX},
    organisation::ORGANISATION,
    problem::Problem,
};

/// The address at which the template for Teams is made.
const TEAMS: &str = "teams";

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Templates {
    items: Vec<TemplateBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Template)]
pub(crate) struct TemplateBody {
    #[serde(flatten)]
    profile: ProfileBody,
    /// The scopes that it is offered to.
    offers: Vec<String>,
    /// The people whom it is assigned to besides; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<String>>,
    /// What uses it; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewTemplate {
    #[serde(flatten)]
    profile: NewProfileFields,
    active: Option<bool>,
    offers: Option<Vec<String>>,
    people: Option<Vec<String>>,
}

/// `flatten` and `deny_unknown_fields` do not go together; unknown fields are ignored here.
#[derive(Debug, Deserialize, ToSchema)]
struct NewProfileFields {
    name: Option<String>,
    status: String,
    forwarding: Option<serde_json::Value>,
    text: Option<String>,
}

fn shown(shared: &SharedState, template: &Template) -> TemplateBody {
    TemplateBody {
        profile: ProfileBody::from(&template.profile),
        offers: template.offers.clone(),
        people: Some(template.people.iter().map(ToString::to_string).collect()),
        uses: Some(
            shared
                .organisation
                .read(|tables| tables.uses(&template.profile.name)),
        ),
    }
}

/// The same for this caller: who uses what is the administrators' to know.
fn shown_to(shared: &SharedState, caller: &Caller, template: &Template) -> TemplateBody {
    let whole = shown(shared, template);
    if caller.require_admin_to_read(shared, ORGANISATION).is_ok() {
        return whole;
    }
    TemplateBody {
        people: None,
        uses: None,
        ..whole
    }
}

fn found(shared: &SharedState, name: &str) -> Result<Template, Problem> {
    let template = shared
        .organisation
        .read(|tables| tables.template(name).cloned());
    template.ok_or_else(|| {
        let remedy = "GET /api/v1/templates lists them";
        Problem::not_found("template", name, remedy)
    })
}

/// The central templates in the administrator's order.
#[utoipa::path(
    get,
    path = "/templates",
    tag = "Profiles",
    responses((status = OK, description = "What was asked for.", body = Templates)),
)]
pub(crate) async fn list(State(shared): State<Shared>, caller: Caller) -> axum::Json<Templates> {
    axum::Json(all(&shared, &caller))
}

fn all(shared: &SharedState, caller: &Caller) -> Templates {
    let templates = shared.organisation.read(|tables| tables.templates.clone());
    let items = templates
        .iter()
        .map(|template| shown_to(shared, caller, template));
    Templates {
        items: items.collect(),
    }
}

/// A central template and what uses it.
#[utoipa::path(
    get,
    path = "/templates/{name}",
    tag = "Profiles",
    responses((status = OK, description = "What was asked for.", body = TemplateBody)),
)]
pub(crate) async fn read(
    State(shared): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    let template = found(&shared, &name)?;
    Ok(axum::Json(shown_to(&shared, &caller, &template)))
}

/// Makes a central template.
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
    caller.require_admin(&shared, ORGANISATION)?;
    let one_at_a_time = shared.settings_change.lock().await;
    let name = body.profile.name.clone().unwrap_or_default();
    if presence::same_name(&name, TEAMS) {
        // Its address would be that of the template for Teams.
        let detail = format!(
            "{name:?} is taken by the address of the template for Teams; take another name"
        );
        return Err(Problem::invalid("name", detail));
    }
    let present = shared.organisation.read(|tables| tables.templates.len());
    limits::one_more("templates", present, TEMPLATES_MAX)?;
    let template = checked(&shared, body, &name, None)?;
    let body = put(&shared, &caller, template, None).await?;
    drop(one_at_a_time);
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// Changes all of a template but its name. Refused where it is to become inactive and something uses it.
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
    caller.require_admin(&shared, ORGANISATION)?;
    let _one_at_a_time = shared.settings_change.lock().await;
    let before = found(&shared, &name)?;
    let renamed = body.profile.name.as_ref();
    if renamed.is_some_and(|new| !presence::same_name(new, &before.profile.name)) {
        let detail = "the name of a template never changes; make a new one and delete this one";
        return Err(Problem::invalid("name", detail));
    }
    let template = checked(&shared, body, &before.profile.name, Some(&before))?;
    if before.profile.is_usable() && !template.profile.is_usable() {
        refuse_use(&shared, &template.profile.name)?;
    }
    let body = put(&shared, &caller, template, Some(before)).await?;
    Ok(axum::Json(body))
}

fn checked(
    shared: &SharedState,
    body: NewTemplate,
    name: &str,
    before: Option<&Template>,
) -> Result<Template, Problem> {
    let forwarding = body.profile.forwarding.map(serde_json::from_value);
    let forwarding = forwarding
        .transpose()
        .map_err(|error| Problem::invalid("forwarding", error.to_string()))?;
    let fields = NewProfile::new(body.profile.status, forwarding, body.profile.text);
    let active = body
        .active
        .or_else(|| before.map(|before| before.profile.is_usable()))
        .unwrap_or(true);
    let profile = fields.checked(name, Origin::Central { active })?;
    let offers = body
        .offers
        .or_else(|| before.map(|before| before.offers.clone()))
        .unwrap_or_else(|| vec![ORGANISATION.into()]);
    limits::list("offers", offers.len(), OFFERS_MAX)?;
    for scope in &offers {
        let known = shared
            .organisation
            .read(|tables| tables.place_of_scope(scope).is_some());
        if !known {
            let detail = format!("there is no scope {scope:?}; GET /api/v1/scopes lists them");
            return Err(Problem::invalid("offers", detail));
        }
    }
    let named = body.people.as_ref().map_or(0, Vec::len);
    limits::list("people", named, TEMPLATE_PEOPLE_MAX)?;
    let people = match body.people {
        Some(people) => people
            .iter()
            .map(|id| super::person(shared, id).map(|person| person.id))
            .collect::<Result<Vec<PersonId>, Problem>>()?,
        None => before.map_or_else(Vec::new, |before| before.people.clone()),
    };
    Ok(Template {
        profile,
        offers,
        people,
    })
}

/// The caller administers everything and holds the lock of settings.
async fn put(
    shared: &SharedState,
    caller: &Caller,
    template: Template,
    before: Option<Template>,
) -> Result<TemplateBody, Problem> {
    let name = template.profile.name.to_string();
    let entry = Entry::new(shared, caller, Administration::TemplateSet, &name)
        .before(before.as_ref().map(|before| json!(shown(shared, before))))
        .after(Some(json!(shown(shared, &template))));
    let stored = shared
        .store
        .put_template(&template, before.is_none(), &entry.change())
        .await;
    stored?;
    read_again(shared).await?;
    Ok(shown(shared, &template))
}

async fn read_again(shared: &SharedState) -> Result<(), StoreError> {
    let templates = shared.store.templates().await?;
    let changed = shared
        .organisation
        .rearrange(|tables| tables.templates = templates);
    shared.put_in_force(changed).await;
    Ok(())
}

fn refuse_use(shared: &SharedState, name: &str) -> Result<(), Problem> {
    let uses = shared.organisation.read(|tables| tables.uses(name));
    if uses.is_empty() {
        return Ok(());
    }
    Err(Problem::conflict(format!(
        "the template {name:?} is used by {}; change these first",
        uses.join(", ")
    )))
}

/// Deletes a template. Refused while automatic activation or calendar synchronisation uses it; the refusal lists the
/// uses.
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
    caller.require_admin(&shared, ORGANISATION)?;
    let _one_at_a_time = shared.settings_change.lock().await;
    let template = found(&shared, &name)?;
    refuse_use(&shared, &name)?;
    let entry = Entry::new(&shared, &caller, Administration::TemplateDelete, &name)
        .before(Some(json!(shown(&shared, &template))));
    let deleted = shared
        .store
        .delete_template(&template.profile.name, &entry.change())
        .await;
    deleted?;
    read_again(&shared).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets the administrator's order of templates.
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
    caller.require_admin(&shared, ORGANISATION)?;
    limits::list("names", body.names.len(), TEMPLATES_MAX)?;
    {
        let _one_at_a_time = shared.settings_change.lock().await;
        let before: Vec<String> = shared.organisation.read(|tables| {
            let names = tables
                .templates
                .iter()
                .map(|template| template.profile.name.to_string());
            names.collect()
        });
        let entry = Entry::new(
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

/// Makes the template for calls in Teams, once however often it is asked for.
#[utoipa::path(
    post,
    path = "/templates/teams",
    tag = "Profiles",
    responses((status = OK, description = "What was asked for.", body = TemplateBody), (status = CREATED, description = "It is made.", body = TemplateBody)),
)]
pub(crate) async fn create_teams(
    State(shared): State<Shared>,
    caller: Caller,
) -> Result<(StatusCode, axum::Json<TemplateBody>), Problem> {
    caller.require_admin(&shared, ORGANISATION)?;
    let _one_at_a_time = shared.settings_change.lock().await;
    if let Ok(template) = found(&shared, TEAMS_PROFILE) {
        return Ok((StatusCode::OK, axum::Json(shown(&shared, &template))));
    }
    let template = Template {
        profile: Profile::central(TEAMS_PROFILE, Status::Busy),
        offers: vec![ORGANISATION.into()],
        people: Vec::new(),
    };
    let body = put(&shared, &caller, template, None).await?;
    Ok((StatusCode::CREATED, axum::Json(body)))
}
