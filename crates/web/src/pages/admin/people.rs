//! People: search, and a form to add one.

use std::sync::Arc;

use runtime::{organisation::Snapshot, people_index::Person};
use serde_json::{Value, json};

use super::{import, require_administrator};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, Field, Form, Kind, Link, RefusedForm, Row, Table, text},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/people";
/// People per page.
const PAGE: usize = 100;

/// The page of people.
pub(super) struct People;

impl PageHandler for People {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(visit)?;
        let wanted = visit.query("q").unwrap_or_default().to_lowercase();
        let offset: usize = visit
            .query("after")
            .and_then(|after| after.parse().ok())
            .unwrap_or(0);
        let found = found(visit, &wanted);
        let page = Page::new(visit, visit.say("nav-people"))
            .add(Block::Search(
                visit.say("people-search"),
                visit.query("q").unwrap_or_default().to_owned(),
            ))
            .text(import::skipped(visit))
            .text(visit.words.with("board-people", "count", found.len()))
            .table(table(visit, found.iter().skip(offset).take(PAGE)))
            .add(pages(visit, found.len(), offset))
            .text(visit.say("accounts-search-about"))
            .form(search_form(visit), back);
        if !visit.caller.is_admin() {
            return Ok(page);
        }
        let mut form = Form::new(visit.words, "add", visit.say("person-add"));
        form.fields.extend(fields(visit, &Value::Null));
        Ok(page
            .folded(visit.say("person-add"), form.button(visit.say("add")), back)
            .folded(visit.say("import-heading"), import::form(visit), back))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(visit)?;
        match typed.one("form") {
            "import" => return import::act(visit, typed).await,
            "search" => return search(visit).await,
            _ => {}
        }
        let made = visit.api.post("/people", body(visit, typed)).await?;
        Ok(Done::new(format!("{HERE}/{}", text(&made, "id")), "added").into())
    }
}

/// Form that searches for missing Teams accounts.
fn search_form(visit: &PageContext) -> Form {
    Form::new(visit.words, "search", visit.say("accounts-search"))
        .button(visit.say("accounts-search-now"))
}

async fn search(visit: &PageContext) -> Result<Outcome, Refusal> {
    let done = visit.api.post("/teams-accounts/search", json!({})).await?;
    let list = |key: &str| {
        done.get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let rows = list("found").map(|found| {
        let id = text(found, "person");
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Link(format!("{HERE}/{id}"), text(found, "name").to_owned()),
                Cell::Code(text(found, "account").to_owned()),
            ],
        }
    });
    let without = done.get("without_account").and_then(Value::as_u64);
    let mut page = Page::new(visit, visit.say("accounts-search"));
    for trouble in list("troubles").filter_map(Value::as_str) {
        page = page.add(Block::Alert(trouble.to_owned()));
    }
    if done.get("running") == Some(&json!(true)) {
        page = page.text(visit.say("accounts-search-running"));
    }
    let missing = visit
        .words
        .with("accounts-without", "count", without.unwrap_or_default());
    let table = Table {
        id: "found",
        caption: visit.say("accounts-found"),
        head: ["board-name", "person-object-id"]
            .map(|key| visit.say(key))
            .to_vec(),
        rows: rows.collect(),
        empty: visit.say("accounts-found-none"),
        order: None,
    };
    let page = page.table(table).text(missing);
    Ok(Outcome::Shown(Box::new(page)))
}

/// The fields of a person. Identifying fields are read-only for administrators who may not change them.
pub(super) fn fields(visit: &PageContext, now: &Value) -> [Field; 4] {
    let identity = |name: &str, label: String, help: String| match visit.caller.may_identify() {
        true => Field::text(name, label).help(help),
        false => Field::new(name, label, Kind::Shown).help(visit.say("person-identity-help")),
    };
    let lines = now.get("lines").and_then(Value::as_array);
    let lines = lines
        .into_iter()
        .flatten()
        .map(|line| text(line, "extension"));
    let lines: Vec<&str> = lines.collect();
    [
        Field::text("name", visit.say("board-name"))
            .value(text(now, "name"))
            .required(),
        identity("mail", visit.say("person-mail"), String::new()).value(text(now, "mail")),
        identity(
            "userPrincipalName",
            visit.say("person-upn"),
            visit.say("person-upn-help"),
        )
        .value(text(now, "userPrincipalName")),
        identity(
            "lines",
            visit.say("person-lines"),
            visit.say("person-lines-help"),
        )
        .value(lines.join(", ")),
    ]
}

/// The entered person for the API, without read-only fields.
pub(super) fn body(visit: &PageContext, typed: &EnteredForm) -> Value {
    if !visit.caller.may_identify() {
        return json!({"name": typed.one("name")});
    }
    let lines = typed.one("lines").split([',', ';', ' ']).map(str::trim);
    let lines = lines.filter(|line| !line.is_empty());
    let lines: Vec<Value> = lines.map(|line| json!({"extension": line})).collect();
    json!({
        "name": typed.one("name"),
        "mail": typed.one("mail"),
        "userPrincipalName": typed.one("userPrincipalName"),
        "lines": lines,
    })
}

fn found(visit: &PageContext, wanted: &str) -> Vec<Arc<Person>> {
    let has = |person: &Person| {
        let words = [&person.name, &person.mail, &person.user_principal_name];
        words
            .iter()
            .any(|word| word.to_lowercase().contains(wanted))
            || person
                .lines
                .iter()
                .any(|(_, extension)| extension.contains(wanted))
    };
    let mut found = visit.context.people.people(has);
    if let Some(location) = visit.caller.location() {
        visit.context.organisation.read(|tables| {
            found.retain(|person| {
                tables.membership(person.id).location.as_deref() == Some(location)
            });
        });
    }
    found.sort_by_cached_key(|person| person.name.to_lowercase());
    found
}

/// Names of a person's location and group.
fn place_of(tables: &Snapshot, person: &Person) -> String {
    let place = tables.membership(person.id);
    let names = [place.location, place.group];
    let names = names
        .iter()
        .flatten()
        .filter_map(|id| tables.scopes.get(id));
    names
        .map(|scope| scope.name.clone())
        .collect::<Vec<_>>()
        .join(" / ")
}

fn table<'a>(visit: &PageContext, people: impl Iterator<Item = &'a Arc<Person>>) -> Table {
    let row = |person: &Arc<Person>| {
        let lines: Vec<&str> = person
            .lines
            .iter()
            .map(|(_, extension)| &**extension)
            .collect();
        let linked = person.teams_id.is_some();
        let place = visit
            .context
            .organisation
            .read(|tables| place_of(tables, person));
        Row {
            key: person.id.to_string(),
            cells: vec![
                Cell::Link(format!("{HERE}/{}", person.id), person.name.clone()),
                Cell::Text(person.mail.clone()),
                Cell::Text(lines.join(", ")),
                Cell::Text(place),
                Cell::Mark(
                    linked,
                    visit.say(if linked {
                        "person-linked"
                    } else {
                        "person-unlinked"
                    }),
                ),
            ],
        }
    };
    Table {
        id: "people",
        caption: visit.say("nav-people"),
        head: [
            "board-name",
            "person-mail",
            "person-lines",
            "person-place",
            "nav-my-teams",
        ]
        .map(|key| visit.say(key))
        .to_vec(),
        rows: people.map(row).collect(),
        empty: visit.say("people-none"),
        order: None,
    }
}

/// Links to the other pages of a long list.
fn pages(visit: &PageContext, count: usize, offset: usize) -> Block {
    let q = super::super::client::part(visit.query("q").unwrap_or_default());
    let link =
        |after: usize, key: &str| Link::new(format!("{HERE}?q={q}&after={after}"), visit.say(key));
    let before = (offset > 0).then(|| link(offset.saturating_sub(PAGE), "list-before"));
    let after = (offset + PAGE < count).then(|| link(offset + PAGE, "list-after"));
    Block::Links(
        visit.say("list-pages"),
        before.into_iter().chain(after).collect(),
    )
}
