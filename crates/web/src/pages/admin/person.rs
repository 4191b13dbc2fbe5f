//! A person: names, lines, place, Teams account, presence with explanation.

use api_types::{
    people::PersonBody,
    presence::Explanation,
    scopes::{Place, Scope, ScopeKind},
    teams_account::{TeamsAccount, TeamsAccountLink},
};
use presence::PersonId;

use super::{
    people::{body, fields},
    require_administrator,
    scopes::administers,
};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Block, Button, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
};

/// The page of a person.
pub(super) struct Person;

impl PageHandler for Person {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(request)?;
        let id = request.path("person");
        require_administered(request, id)?;
        let read = request
            .api
            .read::<PersonBody>(&format!("/people/{id}"))
            .await?;
        let name = read.value.name.clone();
        let explanation = request
            .api
            .get::<Explanation>(&format!("/people/{id}/explanation"))
            .await?;
        let mut form = Form::new(request.words, "save", request.say("person-edit")).tag(&read.tag);
        form.fields.extend(fields(request, Some(&read.value)));
        let mut page = Page::new(request, name)
            .add(Block::Facts(vec![(
                request.say("board-status"),
                request.presence(&explanation.presence),
            )]))
            .form(form.button(request.say("save")), back)
            .form(place(request, id).await?, back)
            .table(account(request, id).await);
        let is_admin = request.caller.is_admin();
        if is_admin {
            page = page.folded(request.say("person-link"), link(request), back);
            let sharing = Link::new(
                format!("/admin/people/{id}/sharing"),
                request.say("person-sharing"),
            );
            page = page.add(Block::Links(request.say("person-sharing"), vec![sharing]));
        }
        page = page
            .heading(request.say("me-why"))
            .table(request.reasons(&explanation));
        if is_admin {
            page = page.table(danger(request, &read.value));
        }
        Ok(page)
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(request)?;
        let path = format!("/people/{}", request.path("person"));
        let here = request.layout.here.clone();
        match typed.one("form") {
            "save" => {
                request
                    .api
                    .patch(&path, body(request, typed), typed.one("tag"))
                    .await?;
                Ok(Done::new(here, "saved").into())
            }
            "place" => {
                let (location, group) = typed.one("place").split_once('/').unwrap_or_default();
                let given = |id: &str| Some(id.to_owned()).filter(|id| !id.is_empty());
                let body = Place {
                    location: given(location),
                    group: given(group),
                };
                request
                    .api
                    .put(&format!("{path}/place"), body, typed.one("tag"))
                    .await?;
                Ok(Done::new(here, "saved").into())
            }
            "link" => {
                let body = TeamsAccountLink {
                    account: Some(typed.one("account").to_owned()),
                };
                request
                    .api
                    .put(&format!("{path}/teams-account"), body, "")
                    .await?;
                Ok(Done::new(here, "saved").into())
            }
            "forget" => {
                request.api.delete(&format!("{path}/teams-account")).await?;
                Ok(Done::new(here, "deleted").into())
            }
            "delete" => {
                request.api.delete(&path).await?;
                Ok(Done::new("/admin/people", "person-deleted").into())
            }
            other => Err(Refusal::no_page(other)),
        }
    }
}

/// Refuses administrators of other locations.
fn require_administered(request: &PageContext, id: &str) -> Result<(), Refusal> {
    let person = id.parse().map(PersonId);
    // The API answers 404 for unknown people.
    let person = person.ok().and_then(|id| request.context.people.person(id));
    let Some(person) = person else {
        return Ok(());
    };
    let administered = request
        .caller
        .require_admin_of(&request.context.organisation, person.id);
    Ok(administered?)
}

/// Form for the person's place, among those that the caller administers.
async fn place(request: &PageContext, id: &str) -> Result<Form, Refusal> {
    let read = request
        .api
        .read::<Place>(&format!("/people/{id}/place"))
        .await?;
    let mut scopes: Vec<Scope> = request.api.items("/scopes").await?;
    scopes.retain(|scope| administers(request, &scope.id));
    let mut choices = Vec::new();
    if request.caller.is_admin() {
        choices.push(Choice::new("/", request.say("scope-organisation")));
    }
    let of_kind = |kind| scopes.iter().filter(move |scope| scope.kind == kind);
    for location in of_kind(ScopeKind::Location) {
        let Scope { id, name, .. } = location;
        choices.push(Choice::new(format!("{id}/"), name));
        let groups = of_kind(ScopeKind::Group);
        let groups = groups.filter(|group| group.parent.as_ref() == Some(id));
        choices.extend(groups.map(|group| {
            let text = format!("{name} / {}", group.name);
            Choice::new(format!("{id}/{}", group.id), text)
        }));
    }
    let Place { location, group } = read.value;
    let now = format!(
        "{}/{}",
        location.unwrap_or_default(),
        group.unwrap_or_default()
    );
    let field = Field::new("place", request.say("person-place"), Kind::Select(choices)).value(now);
    Ok(
        Form::new(request.words, "place", request.say("person-place"))
            .tag(&read.tag)
            .field(field)
            .button(request.say("save")),
    )
}

async fn account(request: &PageContext, id: &str) -> Table {
    let account = request
        .api
        .get::<TeamsAccount>(&format!("/people/{id}/teams-account"))
        .await;
    let rows = account.ok().map(|account| {
        let forget = account.account.is_some() && request.caller.may_identify();
        let forget = forget.then(|| {
            Button::new("forget", id, request.say("teams-disconnect"))
                .sure(request.say("teams-disconnect-sure"))
        });
        let object_id = match account.account.clone() {
            None => Cell::Text(request.say("teams-not-connected")),
            Some(object_id) => Cell::Code(object_id),
        };
        Row {
            key: account.account.unwrap_or_default(),
            cells: vec![
                Cell::Text(account.tenant),
                object_id,
                Cell::Text(account.trouble.unwrap_or_default()),
                Cell::Buttons(forget.into_iter().collect()),
            ],
        }
    });
    Table {
        id: "account",
        caption: request.say("nav-my-teams"),
        head: ["tenant", "person-object-id", "health-what", "actions"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: rows.into_iter().collect(),
        empty: request.say("person-account-hidden"),
        order: None,
    }
}

/// Form to link an account.
fn link(request: &PageContext) -> Form {
    Form::new(request.words, "link", String::new())
        .field(
            Field::text("account", request.say("person-object-id"))
                .required()
                .help(request.say("person-link-help")),
        )
        .button(request.say("person-link"))
}

fn danger(request: &PageContext, person: &PersonBody) -> Table {
    let name = &*person.name;
    let delete = Button::new("delete", &person.id, request.say("delete"))
        .label(request.words.with("delete-of", "name", name))
        .sure(request.words.with("person-delete-sure", "name", name));
    Table {
        id: "danger",
        caption: request.say("person-delete"),
        head: ["board-name", "actions"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: vec![Row {
            key: name.to_owned(),
            cells: vec![Cell::Text(name.to_owned()), Cell::Buttons(vec![delete])],
        }],
        ..Table::default()
    }
}
