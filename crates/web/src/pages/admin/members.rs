//! Members of a location or group: add and remove.

use api_types::scopes::Place;
use presence::PersonId;
use runtime::{organisation::Membership, people_index::Person};

use super::scopes::{at, is_in};
use crate::pages::{
    Done, Outcome, Page,
    client::Refusal,
    components::{Block, Button, Cell, Field, Form, Link, Row, Table},
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
};

/// Largest number of listed people.
const NAMED_MAX: usize = 50;

/// The members of a scope, or the first of many by name.
pub(super) fn table(request: &PageContext, scope: &str) -> Table {
    let mut people = request.context.organisation.read(|snapshot| {
        let is_here = |person: &Person| is_in(&snapshot.membership(person.id), scope);
        request.context.people.people(is_here)
    });
    people.sort_by_cached_key(|person| person.name.to_lowercase());
    let count = people.len();
    let parent = parent_place(request, scope);
    // An administrator of this location alone could not add removed people again.
    let location = parent.location.as_ref();
    let may_remove = request
        .caller
        .require_admin_at(&request.context.organisation, location);
    let parent = place_name(request, &parent);
    let here = scope_name(request, scope);
    let rows = people.iter().take(NAMED_MAX).map(|person| {
        let id = person.id.to_string();
        let sure = request.words.with("scope-remove-sure", "scope", &*parent);
        let label =
            request
                .words
                .of_two("scope-remove-of", ("name", &person.name), ("scope", &here));
        let remove = Button::new("take", &id, request.say("scope-remove"))
            .label(label)
            .sure(format!("{}: {sure}", person.name));
        Row {
            cells: vec![
                Cell::Link(format!("/admin/people/{id}"), person.name.clone()),
                Cell::Text(person.mail.clone()),
                Cell::Buttons(may_remove.is_ok().then_some(remove).into_iter().collect()),
            ],
            key: id,
        }
    });
    Table {
        id: "members",
        caption: request.words.with("scope-members", "count", count),
        head: ["board-name", "person-mail", "actions"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: rows.collect(),
        empty: request.say("scope-empty"),
        order: None,
    }
}

/// The form to add a person.
pub(super) fn add_form(request: &PageContext) -> Form {
    Form::new(request.words, "put", request.say("scope-add-person"))
        .field(
            Field::text("person", request.say("account-person"))
                .required()
                .help(request.say("person-text-help")),
        )
        .button(request.say("scope-add-person-now"))
}

/// Adds a person. Moves a person from elsewhere only after confirmation.
pub(super) async fn add(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
    let person = request.person_named("person", typed.one("person"))?;
    let scope = request.path("scope");
    let (from, place) = (
        place_of(request, person),
        membership_of_scope(request, scope),
    );
    // The person would leave a group of this location.
    let is_elsewhere = from != Membership::default() && from != place;
    if is_elsewhere && !typed.ticked("sure") {
        let known = request.context.people.person(person);
        let name = known.map(|person| person.name.clone()).unwrap_or_default();
        let from = place_name(request, &from);
        let to = scope_name(request, scope);
        let confirm = Form::new(request.words, "put", String::new())
            .hidden("person", request.person_as_text(person))
            .submit("sure", "yes", request.say("scope-move-now"));
        let back = Link::new(request.layout.here.clone(), request.say("preview-back"));
        let page = Page::new(request, request.words.with("scope-move", "name", name))
            .text(
                request
                    .words
                    .of_two("scope-move-about", ("scope", &from), ("target", &to)),
            )
            .form(confirm, None)
            .add(Block::Links(request.say("preview-back"), vec![back]));
        return Ok(Outcome::Shown(Box::new(page)));
    }
    move_to(request, person, place).await
}

/// Removes a person: from a group to its location, from a location to the organisation.
pub(super) async fn remove(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
    let scope = request.path("scope");
    match typed.one("key").parse().map(PersonId) {
        Ok(person) if is_in(&place_of(request, person), scope) => {
            move_to(request, person, parent_place(request, scope)).await
        }
        // Another administrator may have moved the person since.
        _ => Ok(Done::new(at(scope), "place").into()),
    }
}

async fn move_to(
    request: &PageContext,
    person: PersonId,
    place: Membership,
) -> Result<Outcome, Refusal> {
    let Membership { location, group } = place;
    let body = Place {
        location: location.map(Into::into),
        group: group.map(Into::into),
    };
    let path = format!("/people/{person}/place");
    request.api.put(&path, body, "").await?;
    Ok(Done::new(at(request.path("scope")), "place").into())
}

fn place_of(request: &PageContext, person: PersonId) -> Membership {
    let organisation = &request.context.organisation;
    organisation.read(|snapshot| snapshot.membership(person))
}

fn membership_of_scope(request: &PageContext, scope: &str) -> Membership {
    let organisation = &request.context.organisation;
    let place = organisation.read(|snapshot| snapshot.membership_of_scope(&scope.into()));
    place.unwrap_or_default()
}

/// The place of people who leave a scope.
fn parent_place(request: &PageContext, scope: &str) -> Membership {
    match membership_of_scope(request, scope) {
        Membership {
            location,
            group: Some(_),
        } => Membership {
            location,
            group: None,
        },
        _ => Membership::default(),
    }
}

fn place_name(request: &PageContext, place: &Membership) -> String {
    let names = [&place.location, &place.group];
    let names: Vec<String> = names
        .into_iter()
        .flatten()
        .map(|scope| scope_name(request, scope.as_str()))
        .collect();
    match names.is_empty() {
        true => request.say("scope-organisation"),
        false => names.join(" / "),
    }
}
