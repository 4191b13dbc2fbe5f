//! Central templates: the profiles that administrators offer in their scopes.

mod changes;
mod preview;
mod wish;

use axum::extract::{Path, State};
use serde::Serialize;
use store::{Audience, Template};
use utoipa::ToSchema;

use super::profile::ProfileBody;
use crate::{
    app::{Shared, SharedState},
    caller::Caller,
    organisation::{ORGANISATION, Tables},
    problem::Problem,
};

pub(crate) use changes::*;
pub(crate) use preview::*;

/// The address at which the template for Teams is made.
const TEAMS: &str = "teams";

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Templates {
    items: Vec<TemplateBody>,
    /// The names in order, as PUT takes them.
    names: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Template)]
pub(crate) struct TemplateBody {
    #[serde(flatten)]
    profile: ProfileBody,
    /// The scope that it belongs to.
    scope: String,
    /// The same as a list; empty if only the people have it that it is assigned to.
    offers: Vec<String>,
    /// The people whom it is assigned to besides; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<String>>,
    /// The settings whose name for a profile means this template; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<Vec<String>>,
    /// What takes it in Teams; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    teams_uses: Option<Vec<TeamsUseBody>>,
}

/// A state in Teams that takes a template.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TeamsUse)]
pub(crate) struct TeamsUseBody {
    /// A call, or Do not disturb.
    #[serde(rename = "use")]
    what: &'static str,
    /// The uppermost scopes in which it takes this template.
    scopes: Vec<String>,
    /// How many people have it only because it is assigned to them.
    people: usize,
}

fn shown(shared: &SharedState, template: &Template) -> TemplateBody {
    shared.organisation.read(|tables| {
        let teams_uses = tables.teams_uses(template).into_iter();
        let teams_uses = teams_uses.map(|(what, scopes, people)| TeamsUseBody {
            what: what.name(),
            scopes,
            people,
        });
        TemplateBody {
            profile: ProfileBody::from(&template.profile),
            scope: template.scope.clone(),
            offers: match template.audience {
                Audience::Everyone => vec![template.scope.clone()],
                Audience::Assigned => Vec::new(),
            },
            people: Some(template.people.iter().map(ToString::to_string).collect()),
            uses: Some(tables.uses(template)),
            teams_uses: Some(teams_uses.collect()),
        }
    })
}

/// The same for this caller: who uses what is the administrators' to know.
fn shown_to(shared: &SharedState, caller: &Caller, template: &Template) -> TemplateBody {
    let whole = shown(shared, template);
    let administers = caller.require_admin_to_read(shared, &template.scope);
    if administers.is_ok() {
        return whole;
    }
    TemplateBody {
        people: None,
        uses: None,
        teams_uses: None,
        ..whole
    }
}

const REMEDY: &str = "GET /api/v1/templates lists them with their scopes";

/// The template of that name in a scope.
fn of_scope(shared: &SharedState, scope: &str, name: &str) -> Result<Template, Problem> {
    let get = |tables: &Tables| tables.templates.get(scope, name).cloned();
    let template = shared.organisation.read(get);
    template.ok_or_else(|| {
        let named = format!("{name} in {scope}");
        Problem::not_found("template", &named, REMEDY)
    })
}

/// The template that a name alone means: the organisation's, or the only one.
fn found(shared: &SharedState, name: &str) -> Result<Template, Problem> {
    shared.organisation.read(|tables| {
        let named = tables.templates.named(name);
        let of_organisation = tables.templates.get(ORGANISATION, name);
        match (of_organisation, named.as_slice()) {
            (Some(template), _) | (None, &[template]) => Ok(template.clone()),
            (None, []) => Err(Problem::not_found("template", name, REMEDY)),
            (None, several) => {
                let scopes: Vec<&str> = several.iter().map(|one| &*one.scope).collect();
                Err(Problem::conflict(format!(
                    "there are {} templates {name:?}, in {}; name the scope: /api/v1/scopes/{{scope}}/templates/{{name}}",
                    scopes.len(),
                    scopes.join(", ")
                )))
            }
        }
    })
}

/// The central templates of all scopes in the administrator's order.
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
    let templates: Vec<Template> = shared
        .organisation
        .read(|tables| tables.templates.iter().cloned().collect());
    let items = templates
        .iter()
        .map(|template| shown_to(shared, caller, template));
    let names = templates.iter().map(|template| &template.profile.name);
    Templates {
        items: items.collect(),
        names: names.map(ToString::to_string).collect(),
    }
}

/// A central template by its name alone: the organisation's, or the only one of that name.
#[utoipa::path(
    get,
    path = "/templates/{name}",
    tag = "Profiles",
    responses((status = OK, description = "What was asked for.", body = TemplateBody), (status = CONFLICT, description = "Several scopes have one of that name, and the organisation has none.")),
)]
pub(crate) async fn read(
    State(shared): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    let template = found(&shared, &name)?;
    Ok(axum::Json(shown_to(&shared, &caller, &template)))
}

/// The template of a scope, and what uses it.
#[utoipa::path(
    get,
    path = "/scopes/{scope}/templates/{name}",
    tag = "Profiles",
    responses((status = OK, description = "What was asked for.", body = TemplateBody)),
)]
pub(crate) async fn read_of_scope(
    State(shared): State<Shared>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    let template = of_scope(&shared, &scope, &name)?;
    Ok(axum::Json(shown_to(&shared, &caller, &template)))
}
