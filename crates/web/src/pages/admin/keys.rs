//! API keys. The page shows a key once.

use api_types::keys::{Key, NewKey};
use store::API_KEY_SCOPES;

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Block, Button, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/keys";

/// The page of API keys.
pub(super) struct Keys;

impl PageHandler for Keys {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let keys = request.api.items("/keys").await?;
        let scopes = API_KEY_SCOPES
            .iter()
            .map(|scope| Choice::new(*scope, request.say(&format!("key-scope-{scope}"))));
        let form = Form::new(request.words, "add", request.say("key-add"))
            .field(
                Field::text("name", request.say("board-name"))
                    .required()
                    .help(request.say("key-name-help")),
            )
            .field(Field::new(
                "scopes",
                request.say("key-scopes"),
                Kind::Checks(scopes.collect()),
            ))
            .button(request.say("add"));
        Ok(Page::new(request, request.say("nav-keys"))
            .text(request.say("keys-about"))
            .table(table(request, &keys))
            .form(form, back))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        request.require_system_administrator()?;
        if typed.one("form") == "delete" {
            request
                .api
                .delete(&format!("/keys/{}", part(typed.one("key"))))
                .await?;
            return Ok(Done::new(HERE, "key-deleted").into());
        }
        let body = NewKey {
            name: typed.one("name").to_owned(),
            scopes: typed.all("scopes"),
        };
        let made: Key = request.api.post("/keys", body).await?.json()?;
        let all = Link::new(HERE, request.say("nav-keys"));
        let key = Cell::Code(made.key.unwrap_or_default());
        let shown = Page::new(request, request.say("key-made"))
            .text(request.say("key-made-about"))
            .add(Block::Facts(vec![(made.name, key)]))
            .add(Block::Links(request.say("nav-keys"), vec![all]));
        Ok(Outcome::Shown(Box::new(shown)))
    }
}

fn table(request: &PageContext, keys: &[Key]) -> Table {
    let row = |key: &Key| {
        let (id, name) = (&*key.id, &*key.name);
        let delete = Button::new("delete", id, request.say("delete"))
            .label(request.words.with("delete-of", "name", name))
            .sure(request.words.with("key-delete-sure", "name", name));
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Text(name.to_owned()),
                Cell::Text(key.scopes.join(", ")),
                Cell::Time(key.created_at.clone()),
                Cell::Buttons(vec![delete]),
            ],
        }
    };
    Table {
        id: "keys",
        caption: request.say("nav-keys"),
        head: ["board-name", "key-scopes", "board-since", "actions"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: keys.iter().map(row).collect(),
        empty: request.say("keys-none"),
        order: None,
    }
}
