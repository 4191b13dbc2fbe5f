//! People: search, and a form to add one.

use std::sync::Arc;

use api_types::{
    account_search::AccountSearch,
    people::{NewLine, NewPerson, PersonBody},
};
use runtime::{organisation::Snapshot, people_index::Person};
use serde_json::json;

use super::{import, require_administrator};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, Field, Form, Kind, Link, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/people";
/// People per page.
const PAGE: usize = 100;

/// The page of people.
pub(super) struct People;

impl PageHandler for People {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(request)?;
        let wanted = request.query("q").unwrap_or_default().to_lowercase();
        let offset: usize = request
            .query("after")
            .and_then(|after| after.parse().ok())
            .unwrap_or(0);
        let found = found(request, &wanted);
        let page = Page::new(request, request.say("nav-people"))
            .add(Block::Search(
                request.say("people-search"),
                request.query("q").unwrap_or_default().to_owned(),
            ))
            .text(import::skipped(request))
            .text(request.words.with("board-people", "count", found.len()))
            .table(table(request, found.iter().skip(offset).take(PAGE)))
            .add(pages(request, found.len(), offset))
            .text(request.say("accounts-search-about"))
            .form(search_form(request), back);
        if !request.caller.is_admin() {
            return Ok(page);
        }
        let mut form = Form::new(request.words, "add", request.say("person-add"));
        form.fields.extend(fields(request, None));
        Ok(page
            .folded(
                request.say("person-add"),
                form.button(request.say("add")),
                back,
            )
            .folded(request.say("import-heading"), import::form(request), back))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(request)?;
        match typed.one("form") {
            "import" => return import::act(request, typed).await,
            "search" => return search(request).await,
            _ => {}
        }
        let made: PersonBody = request
            .api
            .post("/people", body(request, typed))
            .await?
            .json()?;
        Ok(Done::new(format!("{HERE}/{}", made.id), "person-added").into())
    }
}

/// Form that searches for missing Teams accounts.
fn search_form(request: &PageContext) -> Form {
    Form::new(request.words, "search", request.say("accounts-search"))
        .button(request.say("accounts-search-now"))
}

async fn search(request: &PageContext) -> Result<Outcome, Refusal> {
    let search = request.api.post("/teams-accounts/search", json!({}));
    let search: AccountSearch = search.await?.json()?;
    let rows = search.found.into_iter().map(|found| Row {
        cells: vec![
            Cell::Link(format!("{HERE}/{}", found.person), found.name),
            Cell::Code(found.account.unwrap_or_default()),
        ],
        key: found.person,
    });
    let mut page = Page::new(request, request.say("accounts-search"));
    page.blocks
        .extend(search.troubles.into_iter().map(Block::Alert));
    if search.running {
        page = page.text(request.say("accounts-search-running"));
    }
    let words = request.words;
    let missing = words.with("accounts-without", "count", search.without_account);
    let table = Table {
        id: "found",
        caption: request.say("accounts-found"),
        head: ["board-name", "person-object-id"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: rows.collect(),
        empty: request.say("accounts-found-none"),
        order: None,
    };
    let page = page.table(table).text(missing);
    Ok(Outcome::Shown(Box::new(page)))
}

/// The fields of a person; `None`: a new one. Identifying fields are read-only for administrators who may not change them.
pub(super) fn fields(request: &PageContext, person: Option<&PersonBody>) -> [Field; 4] {
    let identity = |name: &str, label: String, help: String| match request.caller.may_identify() {
        true => Field::text(name, label).help(help),
        false => Field::new(name, label, Kind::Shown).help(request.say("person-identity-help")),
    };
    let text = |of: fn(&PersonBody) -> &String| person.map_or("", |person| of(person));
    let lines = person.map_or(&[][..], |person| &person.lines);
    let lines: Vec<&str> = lines.iter().map(|line| &*line.extension).collect();
    [
        Field::text("name", request.say("board-name"))
            .value(text(|person| &person.name))
            .required(),
        identity("mail", request.say("person-mail"), String::new())
            .value(text(|person| &person.mail)),
        identity(
            "userPrincipalName",
            request.say("person-upn"),
            request.say("person-upn-help"),
        )
        .value(text(|person| &person.user_principal_name)),
        identity(
            "lines",
            request.say("person-lines"),
            request.say("person-lines-help"),
        )
        .value(lines.join(", ")),
    ]
}

/// The entered person for the API, without read-only fields.
pub(super) fn body(request: &PageContext, typed: &EnteredForm) -> NewPerson {
    let name = Some(typed.one("name").to_owned());
    if !request.caller.may_identify() {
        return NewPerson {
            name,
            ..NewPerson::default()
        };
    }
    let lines = typed.one("lines").split([',', ';', ' ']).map(str::trim);
    let lines = lines.filter(|line| !line.is_empty());
    let lines = lines.map(|line| NewLine {
        extension: line.to_owned(),
    });
    NewPerson {
        name,
        mail: Some(typed.one("mail").to_owned()),
        user_principal_name: Some(typed.one("userPrincipalName").to_owned()),
        lines: Some(lines.collect()),
    }
}

fn found(request: &PageContext, wanted: &str) -> Vec<Arc<Person>> {
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
    let mut found = request.context.people.people(has);
    if let Some(location) = request.caller.location() {
        request.context.organisation.read(|snapshot| {
            found.retain(|person| {
                snapshot.membership(person.id).location.as_ref() == Some(location)
            });
        });
    }
    found.sort_by_cached_key(|person| person.name.to_lowercase());
    found
}

/// Names of a person's location and group.
fn place_of(snapshot: &Snapshot, person: &Person) -> String {
    let place = snapshot.membership(person.id);
    let names = [place.location, place.group];
    let names = names
        .iter()
        .flatten()
        .filter_map(|id| snapshot.scopes.get(id));
    names
        .map(|scope| scope.name.clone())
        .collect::<Vec<_>>()
        .join(" / ")
}

fn table<'a>(request: &PageContext, people: impl Iterator<Item = &'a Arc<Person>>) -> Table {
    let row = |person: &Arc<Person>| {
        let lines: Vec<&str> = person
            .lines
            .iter()
            .map(|(_, extension)| &**extension)
            .collect();
        let linked = person.teams_id.is_some();
        let place = request
            .context
            .organisation
            .read(|snapshot| place_of(snapshot, person));
        Row {
            key: person.id.to_string(),
            cells: vec![
                Cell::Link(format!("{HERE}/{}", person.id), person.name.clone()),
                Cell::Text(person.mail.clone()),
                Cell::Text(lines.join(", ")),
                Cell::Text(place),
                Cell::Mark(
                    linked,
                    request.say(if linked {
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
        caption: request.say("nav-people"),
        head: [
            "board-name",
            "person-mail",
            "person-lines",
            "person-place",
            "nav-my-teams",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: people.map(row).collect(),
        empty: request.say("people-none"),
        order: None,
    }
}

/// Links to the other pages of a long list.
fn pages(request: &PageContext, count: usize, offset: usize) -> Block {
    let q = super::super::client::part(request.query("q").unwrap_or_default());
    let link = |after: usize, key: &str| {
        Link::new(format!("{HERE}?q={q}&after={after}"), request.say(key))
    };
    let before = (offset > 0).then(|| link(offset.saturating_sub(PAGE), "list-before"));
    let after = (offset + PAGE < count).then(|| link(offset + PAGE, "list-after"));
    Block::Links(
        request.say("list-pages"),
        before.into_iter().chain(after).collect(),
    )
}
