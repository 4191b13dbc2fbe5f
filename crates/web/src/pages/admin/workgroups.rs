//! Workgroups: people with a higher access level among one another.

use api_types::relationships::{NewWorkgroup, WorkgroupBody};
use presence::Relationship;

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Button, Cell, Field, Form, Kind, RefusedForm, Row, Table},
    me::levels,
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/workgroups";

/// The page of workgroups.
pub(super) struct Workgroups;

impl PageHandler for Workgroups {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let groups = request.api.items("/workgroups").await?;
        let mut page = Page::new(request, request.say("nav-workgroups"))
            .text(request.say("workgroups-about"))
            .table(table(request, &groups));
        let edited = back.map_or_else(|| request.query("edit"), |back| back.typed.given("key"));
        if let Some(id) = edited {
            let read = request
                .api
                .read::<WorkgroupBody>(&format!("/workgroups/{id}"))
                .await?;
            let title = request
                .words
                .with("profile-edit", "name", &*read.value.name);
            let mut form = Form::new(request.words, "save", title)
                .tag(&read.tag)
                .hidden("key", id);
            form.fields.extend(fields(request, Some(&read.value)));
            page = page.form(form.button(request.say("save")), back);
        }
        let mut form = Form::new(request.words, "add", request.say("workgroup-add"));
        form.fields.extend(fields(request, None));
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
            return Ok(Done::new(HERE, "workgroup-deleted").into());
        }
        let body = NewWorkgroup {
            name: typed.one("name").to_owned(),
            level: typed.one("level").to_owned(),
            members: request.people_named("members", typed.one("members"))?,
        };
        let confirmation = if typed.one("form") == "add" {
            request.api.post("/workgroups", body).await?;
            "added"
        } else {
            request.api.put(&one, body, typed.one("tag")).await?;
            "saved"
        };
        Ok(Done::new(HERE, confirmation).into())
    }
}

/// The fields of a workgroup; `None`: a new one.
fn fields(request: &PageContext, group: Option<&WorkgroupBody>) -> [Field; 3] {
    let name = group.map_or("", |group| &group.name);
    let level = group.map_or(Relationship::TeamColleague, |group| group.level);
    let members = group.map_or(&[][..], |group| &group.members);
    [
        Field::text("name", request.say("board-name"))
            .required()
            .value(name),
        Field::new(
            "level",
            request.say("workgroup-level"),
            Kind::Select(request.levels()),
        )
        .value(level.name()),
        Field::new("members", request.say("workgroup-members"), Kind::Area)
            .value(request.as_text(members.iter().map(String::as_str)))
            .help(request.say("people-text-help")),
    ]
}

fn table(request: &PageContext, groups: &[WorkgroupBody]) -> Table {
    let row = |group: &WorkgroupBody| {
        let (id, name) = (&*group.id, &*group.name);
        let delete = Button::new("delete", id, request.say("delete"))
            .label(request.words.with("delete-of", "name", name))
            .sure(request.words.with("delete-sure", "name", name));
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Link(format!("{HERE}?edit={id}"), name.to_owned()),
                Cell::Text(request.say(&format!("level-{}", group.level.name()))),
                Cell::Text(group.members.len().to_string()),
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
