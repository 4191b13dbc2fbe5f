//! Sharing: relationships of viewers to the person.

use api_types::{
    relationships::{LevelBody, RelationshipBody},
    settings::PersonSettings,
};
use presence::{Relationship, setting_keys};
use serde_json::Value;

use super::preview::preview;
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Button, Cell, Field, Form, Kind, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
};

/// Id of the form that hides the person from a colleague.
const HIDE: &str = "hide";

/// The person's own page.
pub(super) struct Sharing;

/// The page of an administrator for a person.
pub(in crate::pages) struct SharingOf;

impl PageHandler for Sharing {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        shown(request, &request.mine("")?, None, back).await
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        save_level(request, &request.mine("")?, typed).await
    }
}

impl PageHandler for SharingOf {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let name = request.name_of(request.path("person"));
        shown(request, &theirs(request)?, Some(&name), back).await
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        save_level(request, &theirs(request)?, typed).await
    }
}

/// Path of the person in the API. Refuses location administrators: relationships are the person's own.
fn theirs(request: &PageContext) -> Result<String, Refusal> {
    request.require_system_administrator()?;
    Ok(format!("/people/{}/", request.path("person")))
}

/// `owner`: path of the person in the API; `name`: name of the person, if not the viewer.
async fn shown(
    request: &PageContext,
    owner: &str,
    name: Option<&str>,
    back: Option<&RefusedForm>,
) -> Result<Page, Refusal> {
    let settings = request
        .api
        .get::<PersonSettings>(&format!("{owner}settings/presence"))
        .await?;
    let others = request
        .api
        .items::<RelationshipBody>(&format!("{owner}relationships"))
        .await?;
    let word = |key: &str| {
        let value = settings.values.get(key).and_then(Value::as_str);
        value.unwrap_or_default()
    };
    let level = request.say(&format!("level-{}", word(setting_keys::RELATIONSHIP.name)));
    let policy = request.say(&format!("policy-{}", word(setting_keys::OWNER_POLICY.name)));
    let form = Form::new(request.words, "set", request.say("sharing-add"))
        .field(
            Field::text("viewer", request.say("sharing-viewer"))
                .required()
                .help(request.say("person-text-help")),
        )
        .field(
            Field::new(
                "level",
                request.say("sharing-level"),
                Kind::Select(request.levels()),
            )
            .value("TeamColleague"),
        )
        .button(request.say("save"));
    let (title, everybody) = match name {
        None => (request.say("nav-sharing"), "sharing-default"),
        Some(name) => (
            request.words.with("sharing-of", "name", name),
            "sharing-default-of",
        ),
    };
    let mut page = Page::new(request, title);
    if name.is_none() {
        page.blocks.extend(preview(request).await?);
        page = page.form(hide(request), back);
    }
    Ok(page
        .text(
            request
                .words
                .of_two(everybody, ("level", &level), ("policy", &policy)),
        )
        .table(table(request, &others, name.is_none()))
        .form(form, back)
        .heading(request.say("levels-heading"))
        .table(levels(request)))
}

async fn save_level(
    request: &PageContext,
    owner: &str,
    typed: &EnteredForm,
) -> Result<Outcome, Refusal> {
    let here = request.layout.here.clone();
    let path = format!("{owner}relationships");
    if typed.one("form") == "delete" {
        request
            .api
            .delete(&format!("{path}/{}", typed.one("key")))
            .await?;
        return Ok(Done::new(here, "deleted").into());
    }
    let viewer = request.person_named("viewer", typed.one("viewer"))?;
    let level = match typed.one("form") {
        HIDE => Relationship::Blocked.name(),
        _ => typed.one("level"),
    };
    let body = LevelBody {
        level: level.to_owned(),
    };
    request
        .api
        .put(&format!("{path}/{viewer}"), body, "")
        .await?;
    Ok(Done::new(here, "saved").into())
}

/// The form that hides the person from a colleague.
fn hide(request: &PageContext) -> Form {
    let viewer = Field::text("viewer", request.say("sharing-viewer")).required();
    Form::new(request.words, HIDE, request.say("own-hide"))
        .field(viewer.help(request.say("own-hide-help")))
        .button(request.say("own-hide-button"))
}

fn table(request: &PageContext, others: &[RelationshipBody], mine: bool) -> Table {
    let row = |other: &RelationshipBody| {
        let viewer = &*other.viewer;
        let level = |level: Relationship| request.say(&format!("level-{level}"));
        let name = request.name_of(viewer);
        let delete = Button::new("delete", viewer, request.say("delete"))
            .label(request.words.with("delete-of", "name", name.as_str()));
        Row {
            key: viewer.to_owned(),
            cells: vec![
                Cell::Text(name),
                Cell::Text(other.own.map(level).unwrap_or_default()),
                Cell::Text(level(other.level)),
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
        caption: request.say(caption),
        head: ["board-name", own, "sharing-holds", "actions"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: others.iter().map(row).collect(),
        empty: request.say(empty),
        order: None,
    }
}

/// Permissions of each relationship.
pub(in crate::pages) fn levels(request: &PageContext) -> Table {
    let rows = request.levels().into_iter().map(|level| Row {
        cells: vec![
            Cell::Text(level.text),
            Cell::Text(request.say(&format!("level-{}-may", level.value))),
        ],
        key: level.value,
    });
    Table {
        id: "levels",
        caption: request.say("levels-caption"),
        head: ["sharing-level", "levels-may"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}
