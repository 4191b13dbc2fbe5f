//! Profiles of states in Teams in a scope, with their origin: a part of the Teams settings.

use runtime::organisation::{Snapshot, TeamsUse};

use super::{scopes::administers, template};
use crate::pages::{
    Page,
    components::{Block, Form, Link, RefusedForm},
    page_context::PageContext,
    setting::scope_name,
};

/// Name of the form that adds the template for calls in Teams.
pub(super) const MAKE: &str = "teams-template";

/// Adds the part to the page of a scope.
pub(super) fn add(
    request: &PageContext,
    scope: &str,
    page: Page,
    back: Option<&RefusedForm>,
) -> Page {
    let (taken, has_own) = request.context.organisation.read(|snapshot| {
        let has_own = snapshot.templates.get(scope, presence::TEAMS_PROFILE);
        (taken(snapshot, scope), has_own.is_some())
    });
    let mut page = page;
    let mut links = Vec::new();
    for (what, template) in taken {
        let key = format!("teams-{}-takes", what.name());
        page = match template {
            None => page.text(request.say(&format!("{key}-none"))),
            Some((of, name)) => {
                if administers(request, &of) {
                    links.push(Link::new(template::at(&of, &name), name.clone()));
                }
                let of = scope_name(request, &of);
                let words = request.words;
                page.text(words.of_two(&key, ("name", &name), ("scope", &of)))
            }
        };
    }
    page = page.text(request.say("teams-own-first"));
    if !links.is_empty() {
        page = page.add(Block::Links(request.say("nav-templates"), links));
    }
    if has_own || !administers(request, scope) {
        return page;
    }
    let make = Form::new(request.words, MAKE, request.say("template-teams"));
    page.form(make.button(request.say("template-teams-here")), back)
}

/// Template of each state: scope and name.
fn taken(snapshot: &Snapshot, scope: &str) -> [(TeamsUse, Option<(String, String)>); 2] {
    let place = snapshot.membership_of_scope(scope).unwrap_or_default();
    TeamsUse::ALL.map(|what| {
        let template = snapshot.templates.for_teams(what, &place, None);
        let named = template.map(|one| (one.scope.clone(), one.profile.name.to_string()));
        (what, named)
    })
}
