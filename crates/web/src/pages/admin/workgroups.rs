//! Workgroups: people with a higher access level among one another.

use serde_json::{Value, json};

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Button, Cell, Field, Form, Kind, RefusedForm, Row, Table, text},
    me::levels,
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/workgroups";

/// The page of workgroups.
pub(super) struct Workgroups;

impl PageHandler for Workgroups {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        visit.require_system_administrator()?;
        let groups = visit.api.items("/workgroups").await?;
        let mut page = Page::new(visit, visit.say("nav-workgroups"))
            .text(visit.say("workgroups-about"))
            .table(table(visit, &groups));
        let edited = back.map_or_else(|| visit.query("edit"), |back| back.typed.given("key"));
        if let Some(id) = edited {
            let read = visit.api.read(&format!("/workgroups/{id}")).await?;
            let title = visit
                .words
                .with("profile-edit", "name", text(&read.value, "name"));
            let mut form = Form::new(visit.words, "save", title)
                .tag(&read.tag)
                .hidden("key", id);
            form.fields.extend(fields(visit, &read.value));
            page = page.form(form.button(visit.say("save")), back);
        }
        let mut form = Form::new(visit.words, "add", visit.say("workgroup-add"));
        form.fields.extend(fields(visit, &Value::Null));
        Ok(page
            .form(form.button(visit.say("add")), back)
            .heading(visit.say("levels-heading"))
            .table(levels(visit)))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        visit.require_system_administrator()?;
        let one = format!("/workgroups/{}", typed.one("key"));
        if typed.one("form") == "delete" {
            visit.api.delete(&one).await?;
            return Ok(Done::new(HERE, "deleted").into());
        }
        let members = visit.people_named("members", typed.one("members"))?;
        let body =
            json!({"name": typed.one("name"), "level": typed.one("level"), "members": members});
        let said = if typed.one("form") == "add" {
            visit.api.post("/workgroups", body).await?;
            "added"
        } else {
            visit.api.put(&one, body, typed.one("tag")).await?;
            "saved"
        };
        Ok(Done::new(HERE, said).into())
    }
}

fn fields(visit: &PageContext, group: &Value) -> [Field; 3] {
    let level = Some(text(group, "level")).filter(|level| !level.is_empty());
    let members = group.get("members").and_then(Value::as_array);
    [
        Field::text("name", visit.say("board-name"))
            .required()
            .value(text(group, "name")),
        Field::new(
            "level",
            visit.say("workgroup-level"),
            Kind::Select(visit.levels()),
        )
        .value(level.unwrap_or("TeamColleague")),
        Field::new("members", visit.say("workgroup-members"), Kind::Area)
            .value(visit.as_text(members.into_iter().flatten()))
            .help(visit.say("people-text-help")),
    ]
}

fn table(visit: &PageContext, groups: &[Value]) -> Table {
    let row = |group: &Value| {
        let (id, name) = (text(group, "id"), text(group, "name"));
        let members = group
            .get("members")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let delete = Button::new("delete", id, visit.say("delete"))
            .label(visit.words.with("delete-of", "name", name))
            .sure(visit.words.with("delete-sure", "name", name));
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Link(format!("{HERE}?edit={id}"), name.to_owned()),
                Cell::Text(visit.say(&format!("level-{}", text(group, "level")))),
                Cell::Text(members.to_string()),
                Cell::Buttons(vec![delete]),
            ],
        }
    };
    Table {
        id: "workgroups",
        caption: visit.say("nav-workgroups"),
        head: [
            "board-name",
            "workgroup-level",
            "workgroup-members",
            "actions",
        ]
        .map(|key| visit.say(key))
        .to_vec(),
        rows: groups.iter().map(row).collect(),
        empty: visit.say("workgroups-none"),
        order: None,
    }
}
