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
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let groups = request.api.items::<Value>("/workgroups").await?;
        let mut page = Page::new(request, request.say("nav-workgroups"))
            .text(request.say("workgroups-about"))
            .table(table(request, &groups));
        let edited = back.map_or_else(|| request.query("edit"), |back| back.typed.given("key"));
        if let Some(id) = edited {
            let read = request
                .api
                .read::<Value>(&format!("/workgroups/{id}"))
                .await?;
            let title = request
                .words
                .with("profile-edit", "name", text(&read.value, "name"));
            let mut form = Form::new(request.words, "save", title)
                .tag(&read.tag)
                .hidden("key", id);
            form.fields.extend(fields(request, &read.value));
            page = page.form(form.button(request.say("save")), back);
        }
        let mut form = Form::new(request.words, "add", request.say("workgroup-add"));
        form.fields.extend(fields(request, &Value::Null));
        Ok(page
            .form(form.button(request.say("add")), back)
            .heading(request.say("levels-heading"))
            .table(levels(request)))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        request.require_system_administrator()?;
        let one = format!("/workgroups/{}", typed.one("key"));
        if typed.one("form") == "delete" {
            request.api.delete(&one).await?;
            return Ok(Done::new(HERE, "deleted").into());
        }
        let members = request.people_named("members", typed.one("members"))?;
        let body =
            json!({"name": typed.one("name"), "level": typed.one("level"), "members": members});
        let said = if typed.one("form") == "add" {
            request.api.post("/workgroups", body).await?;
            "added"
        } else {
            request.api.put(&one, body, typed.one("tag")).await?;
            "saved"
        };
        Ok(Done::new(HERE, said).into())
    }
}

fn fields(request: &PageContext, group: &Value) -> [Field; 3] {
    let level = Some(text(group, "level")).filter(|level| !level.is_empty());
    let members = group.get("members").and_then(Value::as_array);
    [
        Field::text("name", request.say("board-name"))
            .required()
            .value(text(group, "name")),
        Field::new(
            "level",
            request.say("workgroup-level"),
            Kind::Select(request.levels()),
        )
        .value(level.unwrap_or("TeamColleague")),
        Field::new("members", request.say("workgroup-members"), Kind::Area)
            .value(request.as_text(members.into_iter().flatten().filter_map(Value::as_str)))
            .help(request.say("people-text-help")),
    ]
}

fn table(request: &PageContext, groups: &[Value]) -> Table {
    let row = |group: &Value| {
        let (id, name) = (text(group, "id"), text(group, "name"));
        let members = group
            .get("members")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let delete = Button::new("delete", id, request.say("delete"))
            .label(request.words.with("delete-of", "name", name))
            .sure(request.words.with("delete-sure", "name", name));
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Link(format!("{HERE}?edit={id}"), name.to_owned()),
                Cell::Text(request.say(&format!("level-{}", text(group, "level")))),
                Cell::Text(members.to_string()),
                Cell::Buttons(vec![delete]),
            ],
        }
    };
    Table {
        id: "workgroups",
        caption: request.say("nav-workgroups"),
        head: [
            "board-name",
            "workgroup-level",
            "workgroup-members",
            "actions",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: groups.iter().map(row).collect(),
        empty: request.say("workgroups-none"),
        order: None,
    }
}
