//! A person: names, lines, place, Teams account, presence with explanation.

use presence::PersonId;
use serde_json::{Value, json};

use super::{
    people::{body, fields},
    require_administrator,
    scopes::administers,
};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{
        Block, Button, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table, text,
    },
    page_context::{EnteredForm, PageContext},
};

/// The page of a person.
pub(super) struct Person;

impl PageHandler for Person {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(visit)?;
        let id = visit.path("person");
        require_administered(visit, id)?;
        let read = visit.api.read(&format!("/people/{id}")).await?;
        let name = text(&read.value, "name").to_owned();
        let explanation = visit.api.get(&format!("/people/{id}/explanation")).await?;
        let presence = explanation.get("presence").unwrap_or(&Value::Null);
        let mut form = Form::new(visit.words, "save", visit.say("person-edit")).tag(&read.tag);
        form.fields.extend(fields(visit, &read.value));
        let mut page = Page::new(visit, name)
            .add(Block::Facts(vec![(
                visit.say("board-status"),
                visit.presence(presence),
            )]))
            .form(form.button(visit.say("save")), back)
            .form(place(visit, id).await?, back)
            .table(account(visit, id).await);
        let is_admin = visit.caller.is_admin();
        if is_admin {
            page = page.folded(visit.say("person-link"), link(visit), back);
            let sharing = Link::new(
                format!("/admin/people/{id}/sharing"),
                visit.say("person-sharing"),
            );
            page = page.add(Block::Links(visit.say("person-sharing"), vec![sharing]));
        }
        page = page
            .heading(visit.say("me-why"))
            .table(visit.reasons(&explanation));
        if is_admin {
            page = page.table(danger(visit, &read.value));
        }
        Ok(page)
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(visit)?;
        let path = format!("/people/{}", visit.path("person"));
        let here = visit.layout.here.clone();
        match typed.one("form") {
            "save" => {
                visit
                    .api
                    .patch(&path, body(visit, typed), typed.one("tag"))
                    .await?;
                Ok(Done::new(here, "saved").into())
            }
            "place" => {
                let (location, group) = typed.one("place").split_once('/').unwrap_or_default();
                let given = |id: &str| Some(id.to_owned()).filter(|id| !id.is_empty());
                let body = json!({"location": given(location), "group": given(group)});
                visit
                    .api
                    .put(&format!("{path}/place"), body, typed.one("tag"))
                    .await?;
                Ok(Done::new(here, "saved").into())
            }
            "link" => {
                let body = json!({"account": typed.one("account")});
                visit
                    .api
                    .put(&format!("{path}/teams-account"), body, "")
                    .await?;
                Ok(Done::new(here, "saved").into())
            }
            "forget" => {
                visit.api.delete(&format!("{path}/teams-account")).await?;
                Ok(Done::new(here, "deleted").into())
            }
            "delete" => {
                visit.api.delete(&path).await?;
                Ok(Done::new("/admin/people", "deleted").into())
            }
            other => Err(Refusal::no_page(other)),
        }
    }
}

/// Refuses administrators of other locations.
fn require_administered(visit: &PageContext, id: &str) -> Result<(), Refusal> {
    let person = id.parse().map(PersonId);
    // The API answers 404 for unknown people.
    let person = person.ok().and_then(|id| visit.context.people.person(id));
    let Some(person) = person else {
        return Ok(());
    };
    let administered = visit
        .caller
        .require_admin_of(&visit.context.organisation, person.id);
    Ok(administered?)
}

/// Form for the person's place, among those that the caller administers.
async fn place(visit: &PageContext, id: &str) -> Result<Form, Refusal> {
    let read = visit.api.read(&format!("/people/{id}/place")).await?;
    let mut scopes = visit.api.items("/scopes").await?;
    scopes.retain(|scope| administers(visit, text(scope, "id")));
    let mut choices = Vec::new();
    if visit.caller.is_admin() {
        choices.push(Choice::new("/", visit.say("scope-organisation")));
    }
    for location in scopes
        .iter()
        .filter(|scope| text(scope, "kind") == "location")
    {
        let (id, name) = (text(location, "id"), text(location, "name"));
        choices.push(Choice::new(format!("{id}/"), name));
        for group in scopes
            .iter()
            .filter(|scope| text(scope, "kind") == "group" && text(scope, "parent") == id)
        {
            let value = format!("{id}/{}", text(group, "id"));
            choices.push(Choice::new(
                value,
                format!("{name} / {}", text(group, "name")),
            ));
        }
    }
    let now = format!(
        "{}/{}",
        text(&read.value, "location"),
        text(&read.value, "group")
    );
    let field = Field::new("place", visit.say("person-place"), Kind::Select(choices)).value(now);
    Ok(Form::new(visit.words, "place", visit.say("person-place"))
        .tag(&read.tag)
        .field(field)
        .button(visit.say("save")))
}

async fn account(visit: &PageContext, id: &str) -> Table {
    let account = visit.api.get(&format!("/people/{id}/teams-account")).await;
    let rows = account.ok().map(|account| {
        let object = text(&account, "account").to_owned();
        let forget = Button::new("forget", id, visit.say("teams-disconnect"))
            .sure(visit.say("teams-disconnect-sure"));
        Row {
            key: object.clone(),
            cells: vec![
                Cell::Text(text(&account, "tenant").to_owned()),
                if object.is_empty() {
                    Cell::Text(visit.say("teams-not-connected"))
                } else {
                    Cell::Code(object.clone())
                },
                Cell::Text(text(&account, "trouble").to_owned()),
                Cell::Buttons(if object.is_empty() || !visit.caller.may_identify() {
                    Vec::new()
                } else {
                    vec![forget]
                }),
            ],
        }
    });
    Table {
        id: "account",
        caption: visit.say("nav-my-teams"),
        head: ["tenant", "person-object-id", "health-what", "actions"]
            .map(|key| visit.say(key))
            .to_vec(),
        rows: rows.into_iter().collect(),
        empty: visit.say("person-account-hidden"),
        order: None,
    }
}

/// Form to link an account.
fn link(visit: &PageContext) -> Form {
    Form::new(visit.words, "link", String::new())
        .field(
            Field::text("account", visit.say("person-object-id"))
                .required()
                .help(visit.say("person-link-help")),
        )
        .button(visit.say("person-link"))
}

fn danger(visit: &PageContext, person: &Value) -> Table {
    let name = text(person, "name");
    let delete = Button::new("delete", text(person, "id"), visit.say("delete"))
        .label(visit.words.with("delete-of", "name", name))
        .sure(visit.words.with("person-delete-sure", "name", name));
    Table {
        id: "danger",
        caption: visit.say("person-delete"),
        head: ["board-name", "actions"].map(|key| visit.say(key)).to_vec(),
        rows: vec![Row {
            key: name.to_owned(),
            cells: vec![Cell::Text(name.to_owned()), Cell::Buttons(vec![delete])],
        }],
        ..Table::default()
    }
}
