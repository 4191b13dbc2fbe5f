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
    let (templates, has_own) = request.context.organisation.read(|snapshot| {
        let has_own = snapshot
            .templates
            .get(&scope.into(), presence::TEAMS_PROFILE);
        (templates_in_effect(snapshot, scope), has_own.is_some())
    });
    let mut page = page;
    let mut links = Vec::new();
    for (state, template) in templates {
        let key = format!("teams-{}-takes", state.name());
        page = match template {
            None => page.text(request.say(&format!("{key}-none"))),
            Some(TemplateAddress { scope, name }) => {
                if administers(request, &scope) {
                    links.push(Link::new(template::at(&scope, &name), name.clone()));
                }
                let scope = scope_name(request, &scope);
                let words = request.words;
                page.text(words.of_two(&key, ("name", &name), ("scope", &scope)))
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
    let form = Form::new(request.words, MAKE, request.say("template-teams"));
    page.form(form.button(request.say("template-teams-here")), back)
}

/// Scope and name of a template.
struct TemplateAddress {
    scope: String,
    name: String,
}

/// The template of each state in Teams.
fn templates_in_effect(
    snapshot: &Snapshot,
    scope: &str,
) -> [(TeamsUse, Option<TemplateAddress>); 2] {
    let place = snapshot
        .membership_of_scope(&scope.into())
        .unwrap_or_default();
    TeamsUse::ALL.map(|state| {
        let template = snapshot.templates.for_teams(state, &place, None);
        let address = template.map(|template| TemplateAddress {
            scope: template.scope.to_string(),
            name: template.profile.name.to_string(),
        });
        (state, address)
    })
}
