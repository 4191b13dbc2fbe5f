//! Central templates: profiles that administrators offer in their scopes.

use api_types::{
    profile::OrderBody,
    scopes::Scope,
    templates::{NewTemplate, Template, Templates as TemplatesBody},
};
use runtime::organisation::ORGANISATION;
use serde_json::json;

use super::{
    require_administrator,
    scopes::{administers, full_name, in_order},
    template::at,
};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Cell, Choice, Field, Form, Kind, RefusedForm, Row, Table},
    me::{moved, movers},
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
    words::new_profile,
};

pub(super) const HERE: &str = "/admin/templates";

/// The templates in order: all, or those of a location and of the organisation.
pub(super) struct Templates;

impl PageHandler for Templates {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(request)?;
        let mut templates: TemplatesBody = request.api.get("/templates").await?;
        templates.items.retain(|template| {
            template.scope == ORGANISATION.as_str() || administers(request, &template.scope)
        });
        let scopes = scope_field(request).await?;
        let mut form = Form::new(request.words, "add", request.say("template-add"))
            .field(
                Field::text("name", request.say("board-name"))
                    .required()
                    .help(request.say("profile-name-help")),
            )
            .field(scopes.clone());
        form.fields.extend(request.profile_fields(None));
        let teams = Form::new(request.words, "teams", request.say("template-teams"))
            .field(scopes)
            .button(request.say("template-teams-now"));
        Ok(Page::new(request, request.say("nav-templates"))
            .text(request.say("templates-about"))
            .table(table(request, &templates))
            .form(form.button(request.say("add")), back)
            .form(teams, back))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(request)?;
        let scope = typed.given("scope").unwrap_or(ORGANISATION.as_str());
        let made: Template = match typed.one("form") {
            "add" => {
                let profile = new_profile(typed);
                let body = NewTemplate {
                    name: Some(typed.one("name").to_owned()),
                    status: Some(profile.status),
                    forwarding: profile.forwarding.map(|forwarding| json!(forwarding)),
                    text: profile.text,
                    scope: Some(scope.to_owned()),
                    ..NewTemplate::default()
                };
                request.api.post("/templates", body).await?.json()?
            }
            "teams" => make_teams(request, scope).await?,
            direction => {
                let TemplatesBody { names, .. } = request.api.get("/templates").await?;
                let body = OrderBody {
                    names: moved(names, typed.one("key"), direction),
                };
                request.api.put("/templates", body, "").await?;
                return Ok(Done::new(HERE, "ordered").into());
            }
        };
        // Opens the new template for its content.
        Ok(Done::new(at(&made.scope, &made.profile.name), "added").into())
    }
}

/// Adds the template for calls in Teams in a scope, unless it exists.
pub(super) async fn make_teams(request: &PageContext, scope: &str) -> Result<Template, Refusal> {
    let path = format!("/scopes/{}/templates/teams", part(scope));
    request.api.post(&path, json!({})).await?.json()
}

/// A field with the scopes that the caller administers.
pub(super) async fn scope_field(request: &PageContext) -> Result<Field, Refusal> {
    let scopes: Vec<Scope> = request.api.items("/scopes").await?;
    let choices = in_order(&scopes)
        .into_iter()
        .filter(|scope| administers(request, &scope.id))
        .map(|scope| Choice::new(&*scope.id, full_name(request, scope)));
    let kind = Kind::Select(choices.collect());
    Ok(Field::new("scope", request.say("template-scope"), kind))
}

fn table(request: &PageContext, templates: &TemplatesBody) -> Table {
    let row = |template: &Template| {
        let (scope, profile) = (&*template.scope, &template.profile);
        let (name, status) = (&*profile.name, profile.status.name());
        // Templates of the same name move together.
        let mut same = templates
            .names
            .iter()
            .filter(|known| presence::same_name(known, name));
        let key = same.next().map_or(name, String::as_str);
        let people = template.people.as_ref().map_or(0, Vec::len);
        let mut audience = Vec::new();
        if !template.offers.is_empty() {
            audience.push(request.say("template-everyone"));
        }
        if people > 0 {
            audience.push(request.words.with("board-people", "count", people));
        }
        let named = match administers(request, scope) {
            true => Cell::Link(at(scope, name), name.to_owned()),
            false => Cell::Text(name.to_owned()),
        };
        let buttons = match request.caller.is_admin() {
            true => movers(request, key).to_vec(),
            false => Vec::new(),
        };
        let state = if profile.active {
            "profile-active"
        } else {
            "profile-inactive"
        };
        Row {
            key: key.to_owned(),
            cells: vec![
                named,
                Cell::Text(scope_name(request, scope)),
                Cell::Status(status.to_owned(), request.status(status)),
                Cell::Text(request.forwarding(&profile.forwarding)),
                Cell::Mark(profile.active, request.say(state)),
                Cell::Text(audience.join(", ")),
                Cell::Buttons(buttons),
            ],
        }
    };
    Table {
        id: "templates",
        caption: request.say("nav-templates"),
        head: [
            "board-name",
            "template-scope",
            "board-status",
            "profile-forwarding",
            "health-state",
            "template-offers",
            "actions",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: templates.items.iter().map(row).collect(),
        empty: request.say("templates-none"),
        order: request
            .caller
            .is_admin()
            .then(|| "/api/v1/templates".to_owned()),
    }
}
