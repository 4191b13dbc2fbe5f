//! Who may see what of me: what holds for everybody, and for single people.

use serde_json::{Value, json};

use crate::pages::{
    Done, Outcome, Page, Place,
    client::Refusal,
    kit::{Back, Button, Cell, Field, Form, Kind, Row, Table, text},
    visit::{Typed, Visit},
};

const HERE: &str = "/me/sharing";

/// Who may see what of me.
pub(super) struct Sharing;

impl Place for Sharing {
    async fn show(visit: &Visit, back: Option<&Back>) -> Result<Page, Refusal> {
        let settings = visit.api.get(&visit.mine("settings/presence")?).await?;
        let others = visit.api.items(&visit.mine("relationships")?).await?;
        let level = visit.say(&format!("level-{}", text(&settings, "relationship")));
        let policy = visit.say(&format!("policy-{}", text(&settings, "owner_policy")));
        let form = Form::new(visit.words, "set", visit.say("sharing-add"))
            .field(
                Field::text("viewer", visit.say("sharing-viewer"))
                    .required()
                    .help(visit.say("somebody-help")),
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
        Ok(Page::new(visit, visit.say("nav-sharing"))
            .text(
                visit
                    .words
                    .of_two("sharing-everybody", ("level", &level), ("policy", &policy)),
            )
            .table(table(visit, &others))
            .form(form, back)
            .heading(visit.say("levels-heading"))
            .table(levels(visit)))
    }

    async fn act(visit: &Visit, typed: &Typed) -> Result<Outcome, Refusal> {
        let path = visit.mine("relationships")?;
        if typed.one("form") == "delete" {
            visit
                .api
                .delete(&format!("{path}/{}", typed.one("key")))
                .await?;
            return Ok(Done::new(HERE, "deleted").into());
        }
        let viewer = visit.somebody("viewer", typed.one("viewer"))?;
        let body = json!({"level": typed.one("level")});
        visit.api.put(&format!("{path}/{viewer}"), body, "").await?;
        Ok(Done::new(HERE, "saved").into())
    }
}

fn table(visit: &Visit, others: &[Value]) -> Table {
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
    Table {
        id: "relationships",
        caption: visit.say("sharing-people"),
        head: ["board-name", "sharing-own", "sharing-holds", "actions"]
            .map(|key| visit.say(key))
            .to_vec(),
        rows: others.iter().map(row).collect(),
        empty: visit.say("sharing-none"),
        order: None,
    }
}

/// What each relationship lets somebody see and do.
pub(in crate::pages) fn levels(visit: &Visit) -> Table {
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
