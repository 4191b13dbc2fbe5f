//! Checks of a requested template: scope, people, content.

use api_types::profile::NewProfile;
use presence::{Origin, PersonId, Profile, Status};
use runtime::{
    context::Context,
    limits::{OFFERS_MAX, TEMPLATE_PEOPLE_MAX},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{Audience, Template};
use utoipa::ToSchema;

use super::{TEAMS, offers};
use crate::{caller::Caller, limit_checks, problem::Problem, profile};

/// A complete template, to add or to replace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    pub(super) name: Option<String>,
    /// Default: Busy for a new template; a changed one keeps its status.
    status: Option<String>,
    forwarding: Option<Value>,
    text: Option<String>,
    pub(super) active: Option<bool>,
    /// The scope of the template. Default: the organisation for a new template; a changed one stays.
    pub(super) scope: Option<String>,
    /// One entry: the scope. An empty list offers the template only to assigned people.
    pub(super) offers: Option<Vec<String>>,
    pub(super) people: Option<Vec<String>>,
}

/// Changes of a template. Absent fields stay.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of a merge for the document")]
pub(crate) struct TemplateChange {
    status: Option<String>,
    forwarding: Option<Value>,
    text: Option<String>,
    active: Option<bool>,
    /// The scope to move the template to.
    scope: Option<String>,
    /// One entry: the scope. An empty list offers the template only to assigned people.
    offers: Option<Vec<String>>,
    people: Option<Vec<String>>,
}

/// Scope of a template, and whether it offers the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) scope: String,
    pub(super) audience: Audience,
}

impl Home {
    /// Default for a new template in this scope.
    pub(super) fn new(scope: &str) -> Self {
        Self {
            scope: scope.to_owned(),
            audience: Audience::Everyone,
        }
    }

    /// The present scope of a template.
    pub(super) fn of(template: &Template) -> Self {
        Self {
            scope: template.scope.clone(),
            audience: template.audience,
        }
    }

    /// The requested scope. Earlier versions had only `offers`.
    pub(super) fn wanted(self, body: &NewTemplate) -> Result<Self, Problem> {
        let scope = body.scope.clone();
        let Some(offers) = &body.offers else {
            let scope = scope.unwrap_or(self.scope);
            return Ok(Self { scope, ..self });
        };
        limit_checks::list("offers", offers.len(), OFFERS_MAX)?;
        match (offers.as_slice(), scope) {
            ([], scope) => Ok(Self {
                scope: scope.unwrap_or(self.scope),
                audience: Audience::Assigned,
            }),
            ([offer], None) => Ok(Self::new(offer)),
            ([offer], Some(scope)) if *offer == scope => Ok(Self::new(offer)),
            ([offer], Some(scope)) => {
                let detail =
                    format!("names {offer:?}, and scope names {scope:?}; leave one of them out");
                Err(Problem::invalid("offers", detail))
            }
            (several, _) => {
                let detail = format!(
                    "names {} scopes ({}), and a template belongs to one; make one in each: POST /api/v1/templates with its \"scope\"",
                    several.len(),
                    several.join(", ")
                );
                Err(Problem::invalid("offers", detail))
            }
        }
    }
}

/// Completes a change of a template by the present values.
pub(super) fn merged(before: Value, change: Map<String, Value>) -> Result<NewTemplate, Problem> {
    let mut whole = match before {
        Value::Object(whole) => whole,
        _ => Map::new(),
    };
    whole.remove("origin");
    whole.extend(change);
    serde_json::from_value(Value::Object(whole))
        .map_err(|error| Problem::malformed(error.to_string()))
}

/// The beginning of a template.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start<'a> {
    /// A new template of this name in this scope, unless the request names another scope.
    In(&'a str, &'a str),
    /// An existing template.
    From(&'a Template),
}

/// The requested template, checked.
pub(super) fn checked(
    context: &Context,
    caller: &Caller,
    body: NewTemplate,
    start: Start<'_>,
) -> Result<Template, Problem> {
    let (home, name, before) = match start {
        Start::In(scope, name) => (Home::new(scope), name, None),
        Start::From(before) => (Home::of(before), &*before.profile.name, Some(before)),
    };
    refuse_name(&body, name, before.is_none())?;
    let body = match before {
        Some(before) => without_present_home(body, before),
        None => body,
    };
    let home = home.wanted(&body)?;
    caller.require_admin(&context.organisation, &home.scope)?;
    let is_known = context
        .organisation
        .read(|snapshot| snapshot.membership_of_scope(&home.scope).is_some());
    if !is_known {
        let field = match body.scope {
            Some(_) => "scope",
            None => "offers",
        };
        let scope = &home.scope;
        let detail = format!("there is no scope {scope:?}; GET /api/v1/scopes lists them");
        return Err(Problem::invalid(field, detail));
    }
    let status = body
        .status
        .or_else(|| before.map(|before| before.profile.status.name().to_owned()));
    let status = status.unwrap_or_else(|| Status::Busy.name().to_owned());
    let forwarding = body.forwarding.map(serde_json::from_value);
    let forwarding = forwarding
        .transpose()
        .map_err(|error| Problem::invalid("forwarding", error.to_string()))?;
    let fields = NewProfile {
        name: None,
        status,
        forwarding,
        text: body.text,
        active: None,
    };
    let active = body.active.or(before.map(|before| before.profile.active));
    let profile = Profile {
        active: active.unwrap_or(true),
        ..profile::checked(fields, name, Origin::Central)?
    };
    Ok(Template {
        profile,
        scope: home.scope,
        audience: home.audience,
        people: people(context, caller, body.people, before)?,
    })
}

/// Drops the unchanged one of `scope` and `offers` from a copy in which the other has changed.
fn without_present_home(body: NewTemplate, before: &Template) -> NewTemplate {
    match (&body.scope, &body.offers) {
        (Some(_), Some(wanted)) if *wanted == offers(before) => NewTemplate {
            offers: None,
            ..body
        },
        (Some(scope), Some(_)) if *scope == before.scope => NewTemplate {
            scope: None,
            ..body
        },
        (Some(_) | None, Some(_) | None) => body,
    }
}

/// The people to assign the template to. A location administrator neither sees nor names people of other locations: these
/// keep the template.
fn people(
    context: &Context,
    caller: &Caller,
    wanted: Option<Vec<String>>,
    before: Option<&Template>,
) -> Result<Vec<PersonId>, Problem> {
    let present = before.map_or(&[][..], |before| &before.people);
    let Some(wanted) = wanted else {
        return Ok(present.to_vec());
    };
    limit_checks::list("people", wanted.len(), TEMPLATE_PEOPLE_MAX)?;
    let (visible, hidden): (Vec<PersonId>, Vec<PersonId>) = present
        .iter()
        .partition(|person| caller.may_read_as_admin_of(&context.organisation, **person));
    let person = |id: &String| {
        // A person who is gone from the directory keeps the template until they return.
        let assigned = id.parse().map(PersonId);
        if let Some(assigned) = assigned.ok().filter(|person| visible.contains(person)) {
            return Ok(assigned);
        }
        let person = crate::person(&context.people, id)?.id;
        let allowed = caller.require_admin_of(&context.organisation, person);
        allowed.map_err(|problem| problem.with_field("people"))?;
        Ok(person)
    };
    let wanted = wanted.iter().map(person);
    let mut people: Vec<PersonId> = wanted.collect::<Result<_, Problem>>()?;
    people.extend(hidden);
    people.sort_unstable();
    people.dedup();
    limit_checks::list("people", people.len(), TEMPLATE_PEOPLE_MAX)?;
    Ok(people)
}

/// Refuses changes of the name, and the reserved name of the template for Teams.
fn refuse_name(body: &NewTemplate, name: &str, is_new: bool) -> Result<(), Problem> {
    let renamed = body.name.as_ref();
    if renamed.is_some_and(|new| !presence::same_name(new, name)) {
        let detail = "the name of a template never changes; make a new one and delete this one";
        return Err(Problem::invalid("name", detail));
    }
    if is_new && presence::same_name(name, TEAMS) {
        let detail = format!(
            "{name:?} is taken by the address of the template for Teams; take another name"
        );
        return Err(Problem::invalid("name", detail));
    }
    Ok(())
}
