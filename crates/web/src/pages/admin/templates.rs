//! Central templates: profiles that administrators offer in their scopes.

use api::profile::distinct_names;
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
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(visit)?;
        let mut templates = visit.api.items("/templates").await?;
        templates.retain(|template| {
            let scope = text(template, "scope");
            scope == ORGANISATION || administers(visit, scope)
        });
        let scopes = scope_field(visit).await?;
        let mut form = Form::new(visit.words, "add", visit.say("template-add"))
            .field(
                Field::text("name", visit.say("board-name"))
                    .required()
                    .help(visit.say("profile-name-help")),
            )
            .field(scopes.clone());
        form.fields.extend(visit.profile_fields(&Value::Null));
        let teams = Form::new(visit.words, "teams", visit.say("template-teams"))
            .field(scopes)
            .button(visit.say("template-teams-now"));
        Ok(Page::new(visit, visit.say("nav-templates"))
            .text(visit.say("templates-about"))
            .table(table(visit, &templates))
            .form(form.button(visit.say("add")), back)
            .form(teams, back))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(visit)?;
        let scope = typed.given("scope").unwrap_or(ORGANISATION);
        let made = match typed.one("form") {
            "add" => {
                let mut body = profile_body(typed);
                body["name"] = json!(typed.one("name"));
                body["scope"] = json!(scope);
                visit.api.post("/templates", body).await?
            }
            "teams" => make_teams(visit, scope).await?,
            direction => {
                let templates = visit.api.items("/templates").await?;
                let names = moved(names(&templates), typed.one("key"), direction);
                let body = json!({ "names": names });
                visit.api.put("/templates", body, "").await?;
                return Ok(Done::new(HERE, "ordered").into());
            }
        };
        // Opens the new template for its content.
        let (scope, name) = (text(&made, "scope"), text(&made, "name"));
        Ok(Done::new(at(scope, name), "added").into())
    }
}

/// Adds the template for calls in Teams in a scope, unless it exists.
pub(super) async fn make_teams(visit: &PageContext, scope: &str) -> Result<Value, Refusal> {
    let path = format!("/scopes/{}/templates/teams", part(scope));
    visit.api.post(&path, json!({})).await
}

/// A field with the scopes that the caller administers.
pub(super) async fn scope_field(visit: &PageContext) -> Result<Field, Refusal> {
    let scopes = visit.api.items("/scopes").await?;
    let choices = in_order(&scopes)
        .into_iter()
        .filter(|scope| administers(visit, text(scope, "id")))
        .map(|scope| Choice::new(text(scope, "id"), full_name(visit, scope)));
    let kind = Kind::Select(choices.collect());
    Ok(Field::new("scope", visit.say("template-scope"), kind))
}

/// Each name once, in its first spelling.
fn names(templates: &[Value]) -> Vec<String> {
    distinct_names(templates.iter().map(|template| text(template, "name")))
}

fn table(visit: &PageContext, templates: &[Value]) -> Table {
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
            audience.push(visit.say("template-everyone"));
        }
        if people > 0 {
            audience.push(visit.words.with("board-people", "count", people));
        }
        let named = match administers(visit, scope) {
            true => Cell::Link(at(scope, name), name.to_owned()),
            false => Cell::Text(name.to_owned()),
        };
        let buttons = match visit.caller.is_admin() {
            true => movers(visit, key).to_vec(),
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
                Cell::Text(scope_name(visit, scope)),
                Cell::Status(status.to_owned(), visit.status(status)),
                Cell::Text(visit.forwarding(template)),
                Cell::Mark(active, visit.say(state)),
                Cell::Text(audience.join(", ")),
                Cell::Buttons(buttons),
            ],
        }
    };
    Table {
        id: "templates",
        caption: visit.say("nav-templates"),
        head: [
            "board-name",
            "template-scope",
            "board-status",
            "profile-forwarding",
            "health-state",
            "template-offers",
            "actions",
        ]
        .map(|key| visit.say(key))
        .to_vec(),
        rows: templates.iter().map(row).collect(),
        empty: visit.say("templates-none"),
        order: visit
            .caller
            .is_admin()
            .then(|| "/api/v1/templates".to_owned()),
    }
}
