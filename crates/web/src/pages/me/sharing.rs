//! Sharing: relationships of viewers to the person.

use serde_json::{Value, json};

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Button, Cell, Field, Form, Kind, RefusedForm, Row, Table, text},
    page_context::{EnteredForm, PageContext},
};

/// The person's own page.
pub(super) struct Sharing;

/// The page of an administrator for a person.
pub(in crate::pages) struct SharingOf;

impl PageHandler for Sharing {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        shown(visit, &visit.mine("")?, None, back).await
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        said(visit, &visit.mine("")?, typed).await
    }
}

impl PageHandler for SharingOf {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let name = visit.name_of(visit.path("person"));
        shown(visit, &theirs(visit)?, Some(&name), back).await
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        said(visit, &theirs(visit)?, typed).await
    }
}

/// Path of the person in the API. Refuses location administrators: relationships are the person's own.
fn theirs(visit: &PageContext) -> Result<String, Refusal> {
    visit.require_system_administrator()?;
    Ok(format!("/people/{}/", visit.path("person")))
}

/// `owner`: path of the person in the API; `name`: name of the person, if not the viewer.
async fn shown(
    visit: &PageContext,
    owner: &str,
    name: Option<&str>,
    back: Option<&RefusedForm>,
) -> Result<Page, Refusal> {
    let settings = visit.api.get(&format!("{owner}settings/presence")).await?;
    let others = visit.api.items(&format!("{owner}relationships")).await?;
    let level = visit.say(&format!("level-{}", text(&settings, "relationship")));
    let policy = visit.say(&format!("policy-{}", text(&settings, "owner_policy")));
    let form = Form::new(visit.words, "set", visit.say("sharing-add"))
        .field(
            Field::text("viewer", visit.say("sharing-viewer"))
                .required()
                .help(visit.say("person-text-help")),
        )
        .field(
            Field::new(
                "level",
                visit.say("sharing-level"),
                Kind::Select(visit.levels()),
            )
            .value("TeamColleague"),
        )
        .button(visit.say("save"));
    let (title, everybody) = match name {
        None => (visit.say("nav-sharing"), "sharing-default"),
        Some(name) => (
            visit.words.with("sharing-of", "name", name),
            "sharing-default-of",
        ),
    };
    Ok(Page::new(visit, title)
        .text(
            visit
                .words
                .of_two(everybody, ("level", &level), ("policy", &policy)),
        )
        .table(table(visit, &others, name.is_none()))
        .form(form, back)
        .heading(visit.say("levels-heading"))
        .table(levels(visit)))
}

async fn said(visit: &PageContext, owner: &str, typed: &EnteredForm) -> Result<Outcome, Refusal> {
    let here = visit.layout.here.clone();
    let path = format!("{owner}relationships");
    if typed.one("form") == "delete" {
        visit
            .api
            .delete(&format!("{path}/{}", typed.one("key")))
            .await?;
        return Ok(Done::new(here, "deleted").into());
    }
    let viewer = visit.person_named("viewer", typed.one("viewer"))?;
    let body = json!({"level": typed.one("level")});
    visit.api.put(&format!("{path}/{viewer}"), body, "").await?;
    Ok(Done::new(here, "saved").into())
}

fn table(visit: &PageContext, others: &[Value], mine: bool) -> Table {
    let row =
        |other: &Value| {
            let viewer = text(other, "viewer");
            let name = visit.name_of(viewer);
            let delete = Button::new("delete", viewer, visit.say("delete"))
                .label(visit.words.with("delete-of", "name", name.as_str()));
            Row {
                key: viewer.to_owned(),
                cells: vec![
                    Cell::Text(name),
                    Cell::Text(visit.say(&format!("level-{}", text(other, "own")))),
                    Cell::Text(visit.say(&format!("level-{}", text(other, "level")))),
                    Cell::Buttons(vec![delete]),
                ],
            }
        };
    let [caption, own, empty] = if mine {
        ["sharing-people", "sharing-own", "sharing-none"]
    } else {
        ["sharing-people-of", "sharing-own-of", "sharing-none-of"]
    };
    Table {
        id: "relationships",
        caption: visit.say(caption),
        head: ["board-name", own, "sharing-holds", "actions"]
            .map(|key| visit.say(key))
            .to_vec(),
        rows: others.iter().map(row).collect(),
        empty: visit.say(empty),
        order: None,
    }
}

/// Permissions of each relationship.
pub(in crate::pages) fn levels(visit: &PageContext) -> Table {
    let rows = visit.levels().into_iter().map(|level| Row {
        cells: vec![
            Cell::Text(level.text),
            Cell::Text(visit.say(&format!("level-{}-may", level.value))),
        ],
        key: level.value,
    });
    Table {
        id: "levels",
        caption: visit.say("levels-caption"),
        head: ["sharing-level", "levels-may"]
            .map(|key| visit.say(key))
            .to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}
