//! Central templates: profiles that administrators offer in their scopes.

use api::profile::distinct_names;
use api_types::scopes::Scope;
use runtime::organisation::ORGANISATION;
use serde_json::{Value, json};

use super::{
    require_administrator,
    scopes::{administers, full_name, in_order},
    template::at,
};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Cell, Choice, Field, Form, Kind, RefusedForm, Row, Table, flag, text},
    me::{moved, movers},
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
    words::profile_body,
};

pub(super) const HERE: &str = "/admin/templates";

/// The templates in order: all, or those of a location and of the organisation.
pub(super) struct Templates;

impl PageHandler for Templates {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(request)?;
        let mut templates = request.api.items::<Value>("/templates").await?;
        templates.retain(|template| {
            let scope = text(template, "scope");
            scope == ORGANISATION || administers(request, scope)
        });
        let scopes = scope_field(request).await?;
        let mut form = Form::new(request.words, "add", request.say("template-add"))
            .field(
                Field::text("name", request.say("board-name"))
                    .required()
                    .help(request.say("profile-name-help")),
            )
            .field(scopes.clone());
        form.fields.extend(request.profile_fields(&Value::Null));
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
        let scope = typed.given("scope").unwrap_or(ORGANISATION);
        let made: Value = match typed.one("form") {
            "add" => {
                let mut body = profile_body(typed);
                body["name"] = json!(typed.one("name"));
                body["scope"] = json!(scope);
                request.api.post("/templates", body).await?.json()?
            }
            "teams" => make_teams(request, scope).await?,
            direction => {
                let templates = request.api.items::<Value>("/templates").await?;
                let names = moved(names(&templates), typed.one("key"), direction);
                let body = json!({ "names": names });
                request.api.put("/templates", body, "").await?;
                return Ok(Done::new(HERE, "ordered").into());
            }
        };
        // Opens the new template for its content.
        let (scope, name) = (text(&made, "scope"), text(&made, "name"));
        Ok(Done::new(at(scope, name), "added").into())
    }
}

/// Adds the template for calls in Teams in a scope, unless it exists.
pub(super) async fn make_teams(request: &PageContext, scope: &str) -> Result<Value, Refusal> {
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

/// Each name once, in its first spelling.
fn names(templates: &[Value]) -> Vec<String> {
    distinct_names(templates.iter().map(|template| text(template, "name")))
}

fn table(request: &PageContext, templates: &[Value]) -> Table {
    let names = names(templates);
    let row = |template: &Value| {
        let (name, status) = (text(template, "name"), text(template, "status"));
        let scope = text(template, "scope");
        // Templates of the same name move together.
        let mut same = names
            .iter()
            .filter(|known| presence::same_name(known, name));
        let key = same.next().map_or(name, String::as_str);
        let active = flag(template, "active");
        let people = template.get("people").and_then(Value::as_array);
        let people = people.map_or(0, Vec::len);
        let mut audience = Vec::new();
        let offers = template.get("offers").and_then(Value::as_array);
        if offers.is_some_and(|offers| !offers.is_empty()) {
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
        let state = if active {
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
                Cell::Text(request.forwarding(template)),
                Cell::Mark(active, request.say(state)),
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
        rows: templates.iter().map(row).collect(),
        empty: request.say("templates-none"),
        order: request
            .caller
            .is_admin()
            .then(|| "/api/v1/templates".to_owned()),
    }
}
