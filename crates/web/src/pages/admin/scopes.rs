//! Scopes: locations and configuration groups.

use api_types::{
    scopes::{NewScope, Scope as ScopeBody, ScopeChange, ScopeKind},
    settings::ScopeSettings,
};
use presence::SettingsGroup;
use runtime::organisation::{Membership, ORGANISATION, ScopeId};

use super::{members, require_administrator, settings_at};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Block, Button, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
};

const HERE: &str = "/admin/scopes";

/// The tree of scopes that the caller administers.
pub(super) struct Scopes;

impl PageHandler for Scopes {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(request)?;
        let scopes: Vec<ScopeBody> = request.api.items("/scopes").await?;
        let mut administered = in_order(&scopes);
        administered.retain(|scope| administers(request, &scope.id));
        let parents = administered.iter().filter_map(|scope| {
            let makes = match scope.kind {
                ScopeKind::Organisation => "scope-new-location",
                ScopeKind::Location => "scope-new-group",
                ScopeKind::Group => return None,
            };
            let name = scope_name(request, &scope.id);
            Some(Choice::new(
                &*scope.id,
                request.words.with(makes, "name", name),
            ))
        });
        let form = Form::new(request.words, "add", request.say("scope-add"))
            .field(Field::text("name", request.say("board-name")).required())
            .field(Field::new(
                "parent",
                request.say("scope-kind"),
                Kind::Select(parents.collect()),
            ))
            .button(request.say("add"));
        Ok(Page::new(request, request.say("nav-scopes"))
            .text(request.say("scopes-about"))
            .table(table(request, &administered))
            .form(form, back))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(request)?;
        let parent = typed.one("parent");
        let kind = if parent == ORGANISATION.as_str() {
            ScopeKind::Location
        } else {
            ScopeKind::Group
        };
        let body = NewScope {
            kind: kind.name().to_owned(),
            parent: Some(parent.to_owned()),
            name: typed.one("name").to_owned(),
        };
        let made: ScopeBody = request.api.post("/scopes", body).await?.json()?;
        Ok(Done::new(at(&made.id), "scope-added").into())
    }
}

/// A scope: name, settings, members.
pub(super) struct Scope;

impl PageHandler for Scope {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(request)?;
        let id = request.path("scope");
        let read = request
            .api
            .read::<ScopeBody>(&format!("/scopes/{}", part(id)))
            .await?;
        let mut pages: Vec<(SettingsGroup, ScopeSettings)> = Vec::new();
        for page in SettingsGroup::ALL {
            let path = format!("/scopes/{}/settings/{}", part(id), page.name());
            pages.push((page, request.api.get(&path).await?));
        }
        let up = match &read.value.parent {
            None => Link::new(HERE, request.say("nav-scopes")),
            Some(parent) => Link::new(at(parent), scope_name(request, parent)),
        };
        let mut shown = Page::new(request, full_name(request, &read.value))
            .add(Block::Links(request.say("nav-scopes"), vec![up]));
        // Location administrators do not see numbers of other locations.
        if administers(request, id) {
            shown = shown.text(
                request
                    .words
                    .with("board-people", "count", people(request, id)),
            );
        }
        shown = shown.table(functions(request, id, &pages));
        if id == ORGANISATION.as_str() || !administers(request, id) {
            return Ok(shown);
        }
        let is_location = read.value.kind == ScopeKind::Location;
        shown = shown
            .table(members::table(request, id))
            .form(members::add_form(request), back);
        let mut form = Form::new(request.words, "save", request.say("scope-edit"))
            .tag(&read.tag)
            .field(
                Field::text("name", request.say("board-name"))
                    .required()
                    .value(&*read.value.name),
            );
        if is_location && request.caller.is_admin() {
            let tenant = Field::text("tenant", request.say("scope-tenant"));
            form = form.field(
                tenant
                    .value(read.value.tenant.as_deref().unwrap_or_default())
                    .help(request.say("scope-tenant-help")),
            );
        }
        shown = shown.form(form.button(request.say("save")), back);
        let name = &*read.value.name;
        let delete = Button::new("delete", id, request.say("delete"))
            .label(request.words.with("delete-of", "name", name))
            .sure(request.words.with("scope-delete-sure", "name", name));
        Ok(shown.table(Table {
            id: "danger",
            caption: request.say("scope-delete"),
            head: ["board-name", "actions"]
                .map(|key| request.say(key))
                .to_vec(),
            rows: vec![Row {
                key: id.to_owned(),
                cells: vec![Cell::Text(name.to_owned()), Cell::Buttons(vec![delete])],
            }],
            ..Table::default()
        }))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(request)?;
        let path = format!("/scopes/{}", part(request.path("scope")));
        if typed.one("form") == "delete" {
            request.api.delete(&path).await?;
            return Ok(Done::new(HERE, "scope-deleted").into());
        }
        match typed.one("form") {
            "put" => return members::add(request, typed).await,
            "take" => return members::remove(request, typed).await,
            _ => {}
        }
        // Forms without the field leave the tenant as it is.
        let tenant = typed.ticked("tenant");
        let body = ScopeChange {
            name: Some(typed.one("name").to_owned()),
            tenant: tenant.then(|| typed.one("tenant").trim().to_owned()),
        };
        request.api.patch(&path, body, typed.one("tag")).await?;
        Ok(Done::new(request.layout.here.clone(), "scope-changed").into())
    }
}

/// Path of a scope's page.
pub(super) fn at(scope: &str) -> String {
    format!("{HERE}/{}", part(scope))
}

/// Whether the caller may change a scope.
pub(super) fn administers(request: &PageContext, scope: &str) -> bool {
    request
        .caller
        .require_admin(&request.context.organisation, &scope.into())
        .is_ok()
}

/// Whether a place is in a scope.
pub(super) fn is_in(place: &Membership, scope: &str) -> bool {
    let is = |id: &Option<ScopeId>| id.as_ref().map(ScopeId::as_str) == Some(scope);
    scope == ORGANISATION.as_str() || is(&place.location) || is(&place.group)
}

/// Number of people in a scope.
fn people(request: &PageContext, scope: &str) -> usize {
    if scope == ORGANISATION.as_str() {
        return request.context.people.count();
    }
    request.context.organisation.read(|snapshot| {
        let places = snapshot.memberships.values();
        places.filter(|place| is_in(place, scope)).count()
    })
}

/// Name of a scope in a list: that of a group includes its location.
pub(super) fn full_name(request: &PageContext, scope: &ScopeBody) -> String {
    let name = scope_name(request, &scope.id);
    match (scope.kind, &scope.parent) {
        (ScopeKind::Group, Some(parent)) => format!("{} / {name}", scope_name(request, parent)),
        _ => name,
    }
}

/// The organisation, then each location followed by its groups.
pub(super) fn in_order(scopes: &[ScopeBody]) -> Vec<&ScopeBody> {
    let below = |parent: Option<&str>| {
        let parent = parent.map(str::to_owned);
        scopes.iter().filter(move |scope| scope.parent == parent)
    };
    below(None)
        .flat_map(|top| {
            let locations = below(Some(&top.id));
            let locations = locations
                .flat_map(|location| std::iter::once(location).chain(below(Some(&location.id))));
            std::iter::once(top).chain(locations)
        })
        .collect()
}

fn table(request: &PageContext, scopes: &[&ScopeBody]) -> Table {
    let row = |scope: &&ScopeBody| {
        let (id, kind) = (&*scope.id, scope.kind.name());
        let name = full_name(request, scope);
        let individual: Vec<String> = request.context.organisation.read(|snapshot| {
            let pages = SettingsGroup::ALL.into_iter();
            let own = pages.filter(|page| snapshot.overrides(&id.into(), *page).is_some());
            own.map(|page| request.say(&format!("page-{}", page.name())))
                .collect()
        });
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Link(at(id), name),
                Cell::Text(request.say(&format!("kind-{kind}"))),
                Cell::Text(tenant_of(request, scope)),
                Cell::Text(people(request, id).to_string()),
                Cell::Text(individual.join(", ")),
            ],
        }
    };
    Table {
        id: "scopes",
        caption: request.say("nav-scopes"),
        head: [
            "board-name",
            "scope-kind",
            "tenant",
            "nav-people",
            "scope-individual",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: scopes.iter().map(row).collect(),
        ..Table::default()
    }
}

/// The tenant of a scope: its own, or the inherited one in brackets.
fn tenant_of(request: &PageContext, scope: &ScopeBody) -> String {
    match (&scope.tenant, scope.kind) {
        (Some(own), _) => return own.clone(),
        (None, ScopeKind::Organisation) => return String::new(),
        (None, ScopeKind::Location | ScopeKind::Group) => {}
    }
    let inherited = request.context.organisation.read(|snapshot| {
        let place = snapshot.membership_of_scope(&scope.id.as_str().into());
        snapshot.tenant_of(&place.unwrap_or_default()).clone()
    });
    format!("({inherited})")
}

/// Links to the settings of a scope, with the scope that decides.
fn functions(
    request: &PageContext,
    scope: &str,
    pages: &[(SettingsGroup, ScopeSettings)],
) -> Table {
    let row = |(page, settings): &(SettingsGroup, ScopeSettings)| {
        let state = if settings.individual {
            "page-individual"
        } else {
            "page-default"
        };
        Row {
            key: page.name().to_owned(),
            cells: vec![
                Cell::Link(
                    settings_at(scope, *page),
                    request.say(&format!("page-{}", page.name())),
                ),
                Cell::Text(request.say(state)),
                Cell::Text(scope_name(request, &settings.decided_by)),
            ],
        }
    };
    Table {
        id: "functions",
        caption: request.say("scope-functions"),
        head: ["scope-function", "health-state", "scope-decided-by"]
            .map(|key| request.say(key))
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
        let scope = |id: &str, parent: Option<&str>| ScopeBody {
            id: id.to_owned(),
            kind: ScopeKind::Group,
            parent: parent.map(str::to_owned),
            name: String::new(),
            tenant: None,
        };
        let scopes = [
            scope("organisation", None),
            scope("berlin", Some("organisation")),
            scope("paris", Some("organisation")),
            scope("sales", Some("berlin")),
            scope("sales-paris", Some("paris")),
        ];
        let order: Vec<&str> = in_order(&scopes)
            .into_iter()
            .map(|scope| &*scope.id)
            .collect();
        assert_eq!(
            order,
            ["organisation", "berlin", "sales", "paris", "sales-paris"]
        );
    }

    #[test]
    fn who_is_in_a_group_is_in_its_location_and_the_organisation() {
        let place = Membership {
            location: Some("berlin".into()),
            group: Some("sales".into()),
        };
        let inside = ["organisation", "berlin", "sales", "paris"].map(|scope| is_in(&place, scope));
        assert_eq!(inside, [true, true, true, false]);
    }
}
