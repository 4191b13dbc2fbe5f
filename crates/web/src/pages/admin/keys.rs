//! API keys. The page shows a key once.

use serde_json::{Value, json};
use store::API_KEY_SCOPES;

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{
        Block, Button, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table, text, texts,
    },
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/keys";

/// The page of API keys.
pub(super) struct Keys;

impl PageHandler for Keys {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        visit.require_system_administrator()?;
        let keys = visit.api.items("/keys").await?;
        let scopes = API_KEY_SCOPES
            .iter()
            .map(|scope| Choice::new(*scope, visit.say(&format!("key-scope-{scope}"))));
        let form = Form::new(visit.words, "add", visit.say("key-add"))
            .field(
                Field::text("name", visit.say("board-name"))
                    .required()
                    .help(visit.say("key-name-help")),
            )
            .field(Field::new(
                "scopes",
                visit.say("key-scopes"),
                Kind::Checks(scopes.collect()),
            ))
            .button(visit.say("add"));
        Ok(Page::new(visit, visit.say("nav-keys"))
            .text(visit.say("keys-about"))
            .table(table(visit, &keys))
            .form(form, back))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        visit.require_system_administrator()?;
        if typed.one("form") == "delete" {
            visit
                .api
                .delete(&format!("/keys/{}", part(typed.one("key"))))
                .await?;
            return Ok(Done::new(HERE, "deleted").into());
        }
        let body = json!({"name": typed.one("name"), "scopes": typed.all("scopes")});
        let made = visit.api.post("/keys", body).await?;
        let all = Link::new(HERE, visit.say("nav-keys"));
        let key = Cell::Code(text(&made, "key").to_owned());
        let shown = Page::new(visit, visit.say("key-made"))
            .text(visit.say("key-made-about"))
            .add(Block::Facts(vec![(text(&made, "name").to_owned(), key)]))
            .add(Block::Links(visit.say("nav-keys"), vec![all]));
        Ok(Outcome::Shown(Box::new(shown)))
    }
}

fn table(visit: &PageContext, keys: &[Value]) -> Table {
    let row = |key: &Value| {
        let (id, name) = (text(key, "id"), text(key, "name"));
        let delete = Button::new("delete", id, visit.say("delete"))
            .label(visit.words.with("delete-of", "name", name))
            .sure(visit.words.with("key-delete-sure", "name", name));
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Text(name.to_owned()),
                Cell::Text(texts(key, "scopes").join(", ")),
                Cell::Time(text(key, "created_at").to_owned()),
                Cell::Buttons(vec![delete]),
            ],
        }
    };
    Table {
        id: "keys",
        caption: visit.say("nav-keys"),
        head: ["board-name", "key-scopes", "board-since", "actions"]
            .map(|key| visit.say(key))
            .to_vec(),
        rows: keys.iter().map(row).collect(),
        empty: visit.say("keys-none"),
        order: None,
    }
}
