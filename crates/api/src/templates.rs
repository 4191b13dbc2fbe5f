//! Central templates: profiles that administrators offer in their scopes.

mod changes;
mod preview;
mod request;

use std::collections::BTreeSet;

use api_types::profile::ProfileBody;
use axum::extract::{Path, State};
pub use changes::*;
pub use preview::*;
use runtime::{
    context::Context,
    organisation::{ORGANISATION, Snapshot, TeamsUse, Use, UseOwner},
};
use serde::Serialize;
use store::{Audience, Template};
use utoipa::ToSchema;

use super::profile::distinct_names;
use crate::{caller::Caller, problem::Problem};

/// Reserved name in paths: the route that makes the template for Teams.
const TEAMS: &str = "teams";

/// Templates, in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Templates {
    items: Vec<TemplateBody>,
    /// Each name once, in order, as PUT accepts them.
    names: Vec<String>,
}

/// A template and its scope.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Template)]
pub struct TemplateBody {
    #[serde(flatten)]
    profile: ProfileBody,
    /// The scope of the template.
    scope: String,
    /// The scope as a list; empty if only assigned people have the template.
    offers: Vec<String>,
    /// Assigned people; for administrators. Location administrators see only people of their location.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<String>>,
    /// Settings that name this template; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<Vec<String>>,
    /// States in Teams that use this template; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    teams_uses: Option<Vec<TeamsUseBody>>,
}

/// A state in Teams that uses a template.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TeamsUse)]
pub(crate) struct TeamsUseBody {
    /// A call, or Do not disturb.
    #[serde(rename = "use")]
    what: &'static str,
    /// The uppermost scopes in which the state uses this template.
    scopes: Vec<String>,
    /// Number of people who have the template only by assignment.
    people: usize,
}

/// The content of a template, which every caller may read.
fn content(template: &Template) -> TemplateBody {
    TemplateBody {
        profile: ProfileBody::from(&template.profile),
        scope: template.scope.clone(),
        offers: offers(template),
        people: None,
        uses: None,
        teams_uses: None,
    }
}

/// A template with all its people, for the audit log and for changes of single fields.
fn stored(template: &Template) -> TemplateBody {
    let people = template.people.iter().map(ToString::to_string);
    TemplateBody {
        people: Some(people.collect()),
        ..content(template)
    }
}

fn offers(template: &Template) -> Vec<String> {
    match template.audience {
        Audience::Everyone => vec![template.scope.clone()],
        Audience::Assigned => Vec::new(),
    }
}

/// The template as the caller may see it.
fn shown(context: &Context, caller: &Caller, template: &Template) -> TemplateBody {
    let may_read = caller.require_admin_to_read(&context.organisation, &template.scope);
    if may_read.is_err() {
        return content(template);
    }
    let (uses, in_teams) = context.organisation.read(|snapshot| {
        let in_teams = snapshot.taken_in_teams().of(template);
        (snapshot.uses(template), in_teams)
    });
    for_administrators(context, caller, template, uses, in_teams)
}

/// All templates as the caller may see them.
fn all(context: &Context, caller: &Caller) -> Templates {
    let templates: Vec<Template> = context
        .organisation
        .read(|snapshot| snapshot.templates.iter().cloned().collect());
    // Uses are computed only for scopes that the caller administers.
    let may_read: Vec<bool> = templates
        .iter()
        .map(|template| {
            let may_read = caller.require_admin_to_read(&context.organisation, &template.scope);
            may_read.is_ok()
        })
        .collect();
    let with_rights = || templates.iter().zip(&may_read);
    let uses: Vec<Option<_>> = if may_read.contains(&true) {
        context.organisation.read(|snapshot| {
            let taken = snapshot.taken_in_teams();
            let uses = with_rights().map(|(template, may_read)| {
                may_read.then(|| (snapshot.uses(template), taken.of(template)))
            });
            uses.collect()
        })
    } else {
        Vec::new()
    };
    let mut uses = uses.into_iter();
    let items = templates
        .iter()
        .map(|template| match uses.next().flatten() {
            Some((uses, in_teams)) => for_administrators(context, caller, template, uses, in_teams),
            None => content(template),
        });
    let items = items.collect();
    Templates {
        names: names(&templates),
        items,
    }
}

/// Names of templates in order, each once.
fn names(templates: &[Template]) -> Vec<String> {
    distinct_names(templates.iter().map(|template| &*template.profile.name))
}

/// A template for administrators. Location administrators see only people of their location.
fn for_administrators(
    context: &Context,
    caller: &Caller,
    template: &Template,
    uses: BTreeSet<Use>,
    in_teams: Vec<(TeamsUse, Vec<String>, usize)>,
) -> TemplateBody {
    let people = template.people.iter();
    let people =
        people.filter(|person| caller.may_read_as_admin_of(&context.organisation, **person));
    let in_teams = in_teams.into_iter();
    let in_teams = in_teams.map(|(what, scopes, people)| TeamsUseBody {
        what: what.name(),
        scopes,
        people,
    });
    TemplateBody {
        people: Some(people.map(ToString::to_string).collect()),
        uses: Some(named_uses(context, caller, uses)),
        teams_uses: Some(in_teams.collect()),
        ..content(template)
    }
}

/// Stands for an owner outside the caller's administration.
pub const ELSEWHERE: &str = "a person of another location";

/// Uses as shown to the caller.
fn named_uses(context: &Context, caller: &Caller, uses: BTreeSet<Use>) -> Vec<String> {
    let named = uses.into_iter().map(|used| match used.owner {
        UseOwner::Person(person) if !caller.may_read_as_admin_of(&context.organisation, person) => {
            format!("{} of {ELSEWHERE}", used.setting)
        }
        UseOwner::Person(_) | UseOwner::Scope(_) => used.to_string(),
    });
    let named: BTreeSet<String> = named.collect();
    named.into_iter().collect()
}

const REMEDY: &str = "GET /api/v1/templates lists them with their scopes";

/// The template of this name in a scope.
fn of_scope(context: &Context, scope: &str, name: &str) -> Result<Template, Problem> {
    let get = |snapshot: &Snapshot| snapshot.templates.get(scope, name).cloned();
    let template = context.organisation.read(get);
    template.ok_or_else(|| {
        let named = format!("{name} in {scope}");
        Problem::not_found("template", &named, REMEDY)
    })
}

/// The template of this name in the organisation, or the only one of this name.
fn found(context: &Context, name: &str) -> Result<Template, Problem> {
    context.organisation.read(|snapshot| {
        let named = snapshot.templates.named(name);
        let of_organisation = snapshot.templates.get(ORGANISATION, name);
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

/// Lists the central templates of all scopes in the administrator's order.
#[utoipa::path(
    get,
    path = "/templates",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = Templates)),
)]
pub async fn list(State(context): State<Context>, caller: Caller) -> axum::Json<Templates> {
    axum::Json(all(&context, &caller))
}

/// A central template by its name: that of the organisation, or the only one of this name.
#[utoipa::path(
    get,
    path = "/templates/{name}",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = TemplateBody), (status = CONFLICT, description = "Several scopes have a template of this name, and the organisation has none.")),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    let template = found(&context, &name)?;
    Ok(axum::Json(shown(&context, &caller, &template)))
}

/// The template of a scope, and its uses.
#[utoipa::path(
    get,
    path = "/scopes/{scope}/templates/{name}",
    tag = "Profiles",
    responses((status = OK, description = "The requested data.", body = TemplateBody)),
)]
pub(crate) async fn read_of_scope(
    State(context): State<Context>,
    caller: Caller,
    Path((scope, name)): Path<(String, String)>,
) -> Result<axum::Json<TemplateBody>, Problem> {
    let template = of_scope(&context, &scope, &name)?;
    Ok(axum::Json(shown(&context, &caller, &template)))
}
