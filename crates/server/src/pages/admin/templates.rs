//! The central templates: the profiles that administrators offer.

use serde_json::{Value, json};

use super::{
    require_system_administrator,
    scopes::{full_name, in_order},
};
use crate::pages::{
    Done, Outcome, Page, Place,
    client::{Refusal, part},
    kit::{
        Back, Block, Button, Cell, Choice, Field, Form, Kind, Link, Row, Table, flag, text, texts,
    },
    me::{moved, movers},
    setting::scope_name,
    visit::{Typed, Visit},
    words::profile_body,
};

const HERE: &str = "/admin/templates";

/// The templates in their order.
pub(super) struct Templates;

impl Place for Templates {
    async fn show(visit: &Visit, back: Option<&Back>) -> Result<Page, Refusal> {
        require_system_administrator(visit)?;
        let templates = visit.api.items("/templates").await?;
        let mut form = Form::new(visit.words, "add", visit.say("template-add")).field(
            Field::text("name", visit.say("board-name"))
                .required()
                .help(visit.say("profile-name-help")),
        );
        form.fields.extend(visit.profile_fields(&Value::Null));
        let teams = Form::new(visit.words, "teams", visit.say("template-teams"))
            .button(visit.say("template-teams-now"));
        Ok(Page::new(visit, visit.say("nav-templates"))
            .text(visit.say("templates-about"))
            .table(table(visit, &templates))
            .form(form.button(visit.say("add")), back)
            .form(teams, back))
    }

    async fn act(visit: &Visit, typed: &Typed) -> Result<Outcome, Refusal> {
        require_system_administrator(visit)?;
        let said = match typed.one("form") {
            "add" => {
                let mut body = profile_body(typed);
                body["name"] = json!(typed.one("name"));
                let made = visit.api.post("/templates", body).await?;
                // Nobody has it yet: the next thing to say is who shall.
                return Ok(Done::new(at(text(&made, "name")), "added").into());
            }
            "teams" => {
                let made = visit.api.post("/templates/teams", json!({})).await?;
                return Ok(Done::new(at(text(&made, "name")), "added").into());
            }
            direction => {
                let templates = visit.api.items("/templates").await?;
                let names = templates
                    .iter()
                    .map(|template| text(template, "name").to_owned());
                let names = moved(names.collect(), typed.one("key"), direction);
                visit
                    .api
                    .put("/templates", json!({"names": names}), "")
                    .await?;
                "ordered"
            }
        };
        Ok(Done::new(HERE, said).into())
    }
}

/// One template.
pub(super) struct Template;

impl Place for Template {
    async fn show(visit: &Visit, back: Option<&Back>) -> Result<Page, Refusal> {
        require_system_administrator(visit)?;
        let read = visit.api.read(&path(visit)).await?;
        let template = &read.value;
        let scopes = visit.api.items("/scopes").await?;
        let choices = in_order(&scopes)
            .into_iter()
            .map(|scope| Choice::new(text(scope, "id"), full_name(visit, scope)));
        let people = template.get("people").and_then(Value::as_array);
        let mut form = Form::new(visit.words, "save", visit.say("template-edit")).tag(&read.tag);
        form.fields.extend(visit.profile_fields(template));
        let offers = Field::new(
            "offers",
            visit.say("template-offers"),
            Kind::Checks(choices.collect()),
        )
        .values(texts(template, "offers"));
        let form = form
            .field(Field::check(
                "active",
                visit.say("template-active"),
                flag(template, "active"),
            ))
            .field(offers)
            .field(
                Field::new("people", visit.say("template-people"), Kind::Area)
                    .value(visit.listed(people.into_iter().flatten()))
                    .help(visit.say("several-help")),
            )
            .button(visit.say("save"));
        let name = text(template, "name");
        let delete = Button::new("delete", name, visit.say("delete"))
            .label(visit.words.with("delete-of", "name", name))
            .sure(visit.words.with("delete-sure", "name", name));
        let all = Link::new(HERE, visit.say("nav-templates"));
        Ok(Page::new(visit, name.to_owned())
            .add(Block::Links(visit.say("nav-templates"), vec![all]))
            .form(form, back)
            .table(uses(visit, template))
            .table(Table {
                id: "danger",
                caption: visit.say("template-delete"),
                head: ["board-name", "actions"].map(|key| visit.say(key)).to_vec(),
                rows: vec![Row {
                    key: name.to_owned(),
                    cells: vec![Cell::Text(name.to_owned()), Cell::Buttons(vec![delete])],
                }],
                ..Table::default()
            }))
    }

    async fn act(visit: &Visit, typed: &Typed) -> Result<Outcome, Refusal> {
        require_system_administrator(visit)?;
        if typed.one("form") == "delete" {
            visit.api.delete(&path(visit)).await?;
            return Ok(Done::new(HERE, "deleted").into());
        }
        let mut body = profile_body(typed);
        body["active"] = json!(typed.ticked("active"));
        body["offers"] = json!(typed.all("offers"));
        body["people"] = json!(visit.several("people", typed.one("people"))?);
        visit.api.put(&path(visit), body, typed.one("tag")).await?;
        Ok(Done::new(visit.frame.here.clone(), "saved").into())
    }
}

fn at(name: &str) -> String {
    format!("{HERE}/{}", part(name))
}

fn path(visit: &Visit) -> String {
    format!("/templates/{}", part(visit.path("name")))
}

fn table(visit: &Visit, templates: &[Value]) -> Table {
    let row = |template: &Value| {
        let (name, status) = (text(template, "name"), text(template, "status"));
        let active = flag(template, "active");
        let mut offers: Vec<String> = texts(template, "offers")
            .iter()
            .map(|scope| scope_name(visit, scope))
            .collect();
        let people = template
            .get("people")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        if people > 0 {
            offers.push(visit.words.with("board-people", "count", people));
        }
        Row {
            key: name.to_owned(),
            cells: vec![
                Cell::Link(at(name), name.to_owned()),
                Cell::Status(status.to_owned(), visit.status(status)),
                Cell::Text(visit.forwarding(template)),
                Cell::Mark(
                    active,
                    visit.say(if active {
                        "profile-active"
                    } else {
                        "profile-inactive"
                    }),
                ),
                Cell::Text(offers.join(", ")),
                Cell::Buttons(movers(visit, name).to_vec()),
            ],
        }
    };
    Table {
        id: "templates",
        caption: visit.say("nav-templates"),
        head: [
            "board-name",
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
        order: Some("/api/v1/templates".into()),
    }
}

/// What keeps a template from being deleted.
fn uses(visit: &Visit, template: &Value) -> Table {
    let rows = texts(template, "uses").into_iter().map(|what| Row {
        key: what.clone(),
        cells: vec![Cell::Text(what)],
    });
    Table {
        id: "uses",
        caption: visit.say("template-uses"),
        head: vec![visit.say("template-use")],
        rows: rows.collect(),
        empty: visit.say("template-no-uses"),
        order: None,
    }
}
