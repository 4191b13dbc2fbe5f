//! Scopes: locations and configuration groups.

use presence::SettingsGroup;
use runtime::organisation::{Membership as At, ORGANISATION};
use serde_json::{Map, Value, json};

use super::{members, require_administrator, settings_at};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{
        Block, Button, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table, flag, text,
    },
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
};

const HERE: &str = "/admin/scopes";

/// The tree of scopes that the caller administers.
pub(super) struct Scopes;

impl PageHandler for Scopes {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(visit)?;
        let scopes = visit.api.items("/scopes").await?;
        let mine: Vec<&Value> = in_order(&scopes)
            .into_iter()
            .filter(|scope| administers(visit, text(scope, "id")))
            .collect();
        let parents = mine
            .iter()
            .filter(|scope| text(scope, "kind") != "group")
            .map(|scope| {
                let id = text(scope, "id");
                let makes = if id == ORGANISATION {
                    "scope-new-location"
                } else {
                    "scope-new-group"
                };
                Choice::new(id, visit.words.with(makes, "name", scope_name(visit, id)))
            });
        let form = Form::new(visit.words, "add", visit.say("scope-add"))
            .field(Field::text("name", visit.say("board-name")).required())
            .field(Field::new(
                "parent",
                visit.say("scope-kind"),
                Kind::Select(parents.collect()),
            ))
            .button(visit.say("add"));
        Ok(Page::new(visit, visit.say("nav-scopes"))
            .text(visit.say("scopes-about"))
            .table(table(visit, &mine))
            .form(form, back))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(visit)?;
        let parent = typed.one("parent");
        let kind = if parent == ORGANISATION {
            "location"
        } else {
            "group"
        };
        let body = json!({"kind": kind, "parent": parent, "name": typed.one("name")});
        let made = visit.api.post("/scopes", body).await?;
        Ok(Done::new(at(text(&made, "id")), "added").into())
    }
}

/// A scope: name, settings, members.
pub(super) struct Scope;

impl PageHandler for Scope {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(visit)?;
        let id = visit.path("scope");
        let read = visit.api.read(&format!("/scopes/{}", part(id))).await?;
        let mut pages = Vec::new();
        for page in SettingsGroup::ALL {
            let path = format!("/scopes/{}/settings/{}", part(id), page.name());
            pages.push((page, visit.api.get(&path).await?));
        }
        let up = match text(&read.value, "parent") {
            "" => Link::new(HERE, visit.say("nav-scopes")),
            parent => Link::new(at(parent), scope_name(visit, parent)),
        };
        let mut shown = Page::new(visit, full_name(visit, &read.value))
            .add(Block::Links(visit.say("nav-scopes"), vec![up]));
        // Location administrators do not see numbers of other locations.
        if administers(visit, id) {
            shown = shown.text(visit.words.with("board-people", "count", people(visit, id)));
        }
        shown = shown.table(functions(visit, id, &pages));
        if id == ORGANISATION || !administers(visit, id) {
            return Ok(shown);
        }
        let is_location = text(&read.value, "kind") == "location";
        shown = shown
            .table(members::table(visit, id))
            .form(members::put_form(visit), back);
        let mut form = Form::new(visit.words, "save", visit.say("scope-edit"))
            .tag(&read.tag)
            .field(
                Field::text("name", visit.say("board-name"))
                    .required()
                    .value(text(&read.value, "name")),
            );
        if is_location && visit.caller.is_admin() {
            let tenant = Field::text("tenant", visit.say("scope-tenant"));
            form = form.field(
                tenant
                    .value(text(&read.value, "tenant"))
                    .help(visit.say("scope-tenant-help")),
            );
        }
        shown = shown.form(form.button(visit.say("save")), back);
        let name = text(&read.value, "name");
        let delete = Button::new("delete", id, visit.say("delete"))
            .label(visit.words.with("delete-of", "name", name))
            .sure(visit.words.with("scope-delete-sure", "name", name));
        Ok(shown.table(Table {
            id: "danger",
            caption: visit.say("scope-delete"),
            head: ["board-name", "actions"].map(|key| visit.say(key)).to_vec(),
            rows: vec![Row {
                key: id.to_owned(),
                cells: vec![Cell::Text(name.to_owned()), Cell::Buttons(vec![delete])],
            }],
            ..Table::default()
        }))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(visit)?;
        let path = format!("/scopes/{}", part(visit.path("scope")));
        if typed.one("form") == "delete" {
            visit.api.delete(&path).await?;
            return Ok(Done::new(HERE, "deleted").into());
        }
        match typed.one("form") {
            "put" => return members::put(visit, typed).await,
            "take" => return members::take(visit, typed).await,
            _ => {}
        }
        let mut body = Map::new();
        body.insert("name".into(), json!(typed.one("name")));
        if typed.ticked("tenant") {
            body.insert("tenant".into(), json!(typed.one("tenant").trim()));
        }
        visit
            .api
            .patch(&path, json!(body), typed.one("tag"))
            .await?;
        Ok(Done::new(visit.layout.here.clone(), "saved").into())
    }
}

/// Path of a scope's page.
pub(super) fn at(scope: &str) -> String {
    format!("{HERE}/{}", part(scope))
}

/// Whether the caller may change a scope.
pub(super) fn administers(visit: &PageContext, scope: &str) -> bool {
    visit
        .caller
        .require_admin(&visit.context.organisation, scope)
        .is_ok()
}

/// Whether a place is in a scope.
pub(super) fn is_in(place: &At, scope: &str) -> bool {
    let is = |id: &Option<String>| id.as_deref() == Some(scope);
    scope == ORGANISATION || is(&place.location) || is(&place.group)
}

/// Number of people in a scope.
fn people(visit: &PageContext, scope: &str) -> usize {
    if scope == ORGANISATION {
        return visit.context.people.count();
    }
    visit.context.organisation.read(|tables| {
        let places = tables.memberships.values();
        places.filter(|place| is_in(place, scope)).count()
    })
}

/// Name of a scope in a list: that of a group includes its location.
pub(super) fn full_name(visit: &PageContext, scope: &Value) -> String {
    let name = scope_name(visit, text(scope, "id"));
    match text(scope, "kind") {
        "group" => format!("{} / {name}", scope_name(visit, text(scope, "parent"))),
        _ => name,
    }
}

/// The organisation, then each location followed by its groups.
pub(super) fn in_order(scopes: &[Value]) -> Vec<&Value> {
    let below = |parent: &str| {
        let parent = parent.to_owned();
        scopes
            .iter()
            .filter(move |scope| text(scope, "parent") == parent)
    };
    let top = scopes
        .iter()
        .filter(|scope| text(scope, "parent").is_empty());
    top.flat_map(|top| {
        let locations = below(text(top, "id"));
        let locations = locations
            .flat_map(|location| std::iter::once(location).chain(below(text(location, "id"))));
        std::iter::once(top).chain(locations)
    })
    .collect()
}

fn table(visit: &PageContext, scopes: &[&Value]) -> Table {
    let row = |scope: &&Value| {
        let (id, kind) = (text(scope, "id"), text(scope, "kind"));
        let name = full_name(visit, scope);
        let individual: Vec<String> = visit.context.organisation.read(|tables| {
            let pages = SettingsGroup::ALL.into_iter();
            let own = pages.filter(|page| tables.page(id, *page).is_some());
            own.map(|page| visit.say(&format!("page-{}", page.name())))
                .collect()
        });
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Link(at(id), name),
                Cell::Text(visit.say(&format!("kind-{kind}"))),
                Cell::Text(tenant_of(visit, scope)),
                Cell::Text(people(visit, id).to_string()),
                Cell::Text(individual.join(", ")),
            ],
        }
    };
    Table {
        id: "scopes",
        caption: visit.say("nav-scopes"),
        head: [
            "board-name",
            "scope-kind",
            "tenant",
            "nav-people",
            "scope-individual",
        ]
        .map(|key| visit.say(key))
        .to_vec(),
        rows: scopes.iter().map(row).collect(),
        ..Table::default()
    }
}

/// The tenant of a scope: its own, or the inherited one in brackets.
fn tenant_of(visit: &PageContext, scope: &Value) -> String {
    let own = text(scope, "tenant");
    if !own.is_empty() || text(scope, "kind") == ORGANISATION {
        return own.to_owned();
    }
    let inherited = visit.context.organisation.read(|tables| {
        let place = tables.membership_of_scope(text(scope, "id"));
        tables.tenant_of(&place.unwrap_or_default()).to_owned()
    });
    format!("({inherited})")
}

/// Links to the settings of a scope, with the scope that decides.
fn functions(visit: &PageContext, scope: &str, pages: &[(SettingsGroup, Value)]) -> Table {
    let row = |(page, read): &(SettingsGroup, Value)| {
        let state = if flag(read, "individual") {
            "page-individual"
        } else {
            "page-default"
        };
        Row {
            key: page.name().to_owned(),
            cells: vec![
                Cell::Link(
                    settings_at(scope, *page),
                    visit.say(&format!("page-{}", page.name())),
                ),
                Cell::Text(visit.say(state)),
                Cell::Text(scope_name(visit, text(read, "decided_by"))),
            ],
        }
    };
    Table {
        id: "functions",
        caption: visit.say("scope-functions"),
        head: ["scope-function", "health-state", "scope-decided-by"]
            .map(|key| visit.say(key))
            .to_vec(),
        rows: pages.iter().map(row).collect(),
        ..Table::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stand_below_their_location() {
        let scope = |id: &str, parent: Option<&str>| json!({"id": id, "parent": parent});
        let scopes = [
            scope("organisation", None),
            scope("berlin", Some("organisation")),
            scope("paris", Some("organisation")),
            scope("sales", Some("berlin")),
            scope("sales-paris", Some("paris")),
        ];
        let order: Vec<&str> = in_order(&scopes)
            .into_iter()
            .map(|scope| text(scope, "id"))
            .collect();
        assert_eq!(
            order,
            ["organisation", "berlin", "sales", "paris", "sales-paris"]
        );
    }

    #[test]
    fn who_is_in_a_group_is_in_its_location_and_the_organisation() {
        let place = At {
            location: Some("berlin".into()),
            group: Some("sales".into()),
        };
        let inside = ["organisation", "berlin", "sales", "paris"].map(|scope| is_in(&place, scope));
        assert_eq!(inside, [true, true, true, false]);
    }
}
