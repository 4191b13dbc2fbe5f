//! Settings of a scope: inherited or own, values, locks, preview.

use std::collections::BTreeMap;

use api_types::{
    scopes::Scope,
    settings::{ScopeSettings, ScopeSettingsChange},
};
use presence::{PersonId, ScopeChain, Setting, SettingValues, SettingsGroup, UserOverride};
use runtime::{
    organisation::{ORGANISATION, Snapshot},
    values::{self, USER_MAY_CHANGE},
};
use serde_json::{Value, json};

use super::{
    require_administrator,
    scopes::{administers, at, in_order, is_in},
    teams_profiles, template, templates,
};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Block, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table, text},
    page_context::{EnteredForm, PageContext},
    setting::{self, Profiles, scope_name},
};

/// Prefix of fields that allow users to change a setting.
const MAY: &str = "may.";
/// Largest number of people listed in a preview.
const NAMED_MAX: usize = 50;

/// The settings page of a scope.
pub(super) struct ScopeSettingsPage;

impl PageHandler for ScopeSettingsPage {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let (scope, page, path) = here(request)?;
        let read = request.api.read::<ScopeSettings>(&path).await?;
        let title = request.words.of_two(
            "scope-page",
            ("name", &request.say(&format!("page-{}", page.name()))),
            ("scope", &scope_name(request, scope)),
        );
        let up = Link::new(at(scope), scope_name(request, scope));
        let mut shown =
            Page::new(request, title).add(Block::Links(request.say("nav-scopes"), vec![up]));
        let individual = read.value.individual;
        let affected = affected(request, scope, page);
        if page == SettingsGroup::Microphone {
            let to = format!("/admin/microphone?scope={}", part(scope));
            let link = Link::new(to, request.say("nav-microphone"));
            shown = shown.add(Block::Links(request.say("nav-microphone"), vec![link]));
        }
        if page == SettingsGroup::Teams {
            shown = teams_profiles::add(request, scope, shown, back);
        }
        if !individual {
            let decided_by = scope_name(request, &read.value.decided_by);
            let facts = page.settings().map(|setting| {
                let value = read.value.values.get(setting.key).unwrap_or(&Value::Null);
                (
                    setting::label(request, setting),
                    Cell::Text(setting::shown(request, setting, value)),
                )
            });
            shown = shown
                .text(
                    request
                        .words
                        .with("page-default-about", "scope", decided_by),
                )
                .add(Block::Facts(facts.collect()));
            if administers(request, scope) {
                shown = shown.form(begin(request, scope).await?.tag(&read.tag), back);
            }
            return Ok(shown);
        }
        shown = shown.text(request.words.with("page-affects", "count", affected));
        let templates = templates(request, scope);
        shown = shown.form(
            form(request, page, &read.value, &templates).tag(&read.tag),
            back,
        );
        let default = Form::new(request.words, "default", request.say("page-to-default"))
            .tag(&read.tag)
            .button(request.say("page-to-default-now"));
        Ok(shown.form(default, back))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let (scope, page, path) = here(request)?;
        let said = match typed.one("form") {
            teams_profiles::MAKE => {
                let made = templates::make_teams(request, scope).await?;
                let made = template::at(scope, text(&made, "name"));
                return Ok(Done::new(made, "added").into());
            }
            "individual" => "own-page",
            _ => "saved",
        };
        let body = match typed.one("form") {
            "individual" => {
                let from = typed.given("copy_from");
                ScopeSettingsChange {
                    individual: Some(true),
                    copy_from: from.map(str::to_owned),
                    ..ScopeSettingsChange::default()
                }
            }
            "default" => ScopeSettingsChange {
                individual: Some(false),
                ..ScopeSettingsChange::default()
            },
            _ => {
                let body = body(page, typed);
                if typed.ticked("preview") {
                    return preview(request, (scope, page), body, typed);
                }
                body
            }
        };
        request.api.put(&path, body, typed.one("tag")).await?;
        Ok(Done::new(request.layout.here.clone(), said).into())
    }
}

/// Templates for people of a scope.
fn templates(request: &PageContext, scope: &str) -> Profiles {
    request.context.organisation.read(|snapshot| {
        let place = snapshot.membership_of_scope(scope).unwrap_or_default();
        let templates = snapshot.templates.at(&place, None).into_iter();
        Profiles::named(templates.map(|template| template.profile.name.to_string()))
    })
}

/// Scope, settings group, and path of the settings in the API.
fn here(request: &PageContext) -> Result<(&str, SettingsGroup, String), Refusal> {
    require_administrator(request)?;
    let (scope, name) = (request.path("scope"), request.path("page"));
    let page =
        SettingsGroup::from_name(name).ok_or_else(|| Refusal::no_page(&request.layout.here))?;
    // Only administrators of the scope may see its values.
    request
        .caller
        .require_admin(&request.context.organisation, scope)?;
    Ok((
        scope,
        page,
        format!("/scopes/{}/settings/{name}", part(scope)),
    ))
}

/// Form that overrides the settings here, with a scope to copy.
async fn begin(request: &PageContext, scope: &str) -> Result<Form, Refusal> {
    let scopes: Vec<Scope> = request.api.items("/scopes").await?;
    let mut choices = vec![Choice::new("", request.say("copy-product"))];
    for other in in_order(&scopes) {
        let id = &*other.id;
        if id != scope && (id == ORGANISATION || administers(request, id)) {
            let text = request
                .words
                .with("copy-from", "scope", scope_name(request, id));
            choices.push(Choice::new(id, text));
        }
    }
    // Default: the settings inherited now.
    let here = scopes.iter().find(|other| other.id == scope);
    let parent = here.and_then(|scope| scope.parent.as_deref());
    let parent = parent.unwrap_or_default();
    Ok(Form::new(
        request.words,
        "individual",
        request.say("page-to-individual"),
    )
    .field(
        Field::new(
            "copy_from",
            request.say("copy-label"),
            Kind::Select(choices),
        )
        .value(parent),
    )
    .button(request.say("page-to-individual-now")))
}

fn form(
    request: &PageContext,
    page: SettingsGroup,
    settings: &ScopeSettings,
    profiles: &Profiles,
) -> Form {
    let mut form = Form::new(request.words, "save", request.say("page-values"));
    for setting in page.settings().filter(|setting| is_of_scopes(setting)) {
        let value = settings.values.get(setting.key).unwrap_or(&Value::Null);
        let may_change = settings.user_may_change.get(setting.key);
        form = form.field(setting::field(request, setting, value, profiles));
        if setting.user_override != UserOverride::Never {
            let label =
                request
                    .words
                    .with("user-may-change", "name", setting::label(request, setting));
            form = form.field(Field::check(
                &format!("{MAY}{}", setting.key),
                label,
                may_change.copied().unwrap_or_default(),
            ));
        }
    }
    form.button(request.say("save"))
        .submit("preview", "yes", request.say("preview"))
}

/// Whether a scope can have the setting: calendar feeds belong to people.
fn is_of_scopes(setting: &Setting) -> bool {
    !matches!(setting.default, presence::Value::FeedAddress(_))
}

/// The entered values for the API.
fn body(page: SettingsGroup, typed: &EnteredForm) -> ScopeSettingsChange {
    let mut body = ScopeSettingsChange::default();
    for setting in page.settings().filter(|setting| is_of_scopes(setting)) {
        let value = match setting.default {
            presence::Value::Flag(_) => json!(typed.ticked(setting.key)),
            _ if setting.default.is_optional() => json!(typed.given(setting.key)),
            _ => setting::read(setting, typed.one(setting.key)),
        };
        body.values.insert(setting.key.into(), value);
        if setting.user_override != UserOverride::Never {
            let ticked = typed.ticked(&format!("{MAY}{}", setting.key));
            body.user_may_change.insert(setting.key.into(), ticked);
        }
    }
    body
}

/// Number of people with values from this scope, now or after overriding.
fn affected(request: &PageContext, scope: &str, page: SettingsGroup) -> usize {
    let people = request.context.people.page(None, usize::MAX);
    request.context.organisation.read(|snapshot| {
        let from_here = |person: PersonId| {
            let place = snapshot.membership(person);
            is_in(&place, scope) && snapshot.decided_by(&place, page) == scope
        };
        people.iter().filter(|person| from_here(person.id)).count()
    })
}

/// Preview: differences by person.
fn preview(
    request: &PageContext,
    (scope, page): (&str, SettingsGroup),
    change: ScopeSettingsChange,
    typed: &EnteredForm,
) -> Result<Outcome, Refusal> {
    let mut changed_values = change.values;
    changed_values.insert(USER_MAY_CHANGE.into(), json!(change.user_may_change));
    let people = request.context.people.page(None, usize::MAX);
    let (locks, changed) = request.context.organisation.read(|snapshot| {
        let before = snapshot.overrides(scope, page).cloned().unwrap_or_default();
        let mut after = before.clone();
        values::merge(page, changed_values, &mut after)
            .map_err(|refusal| Refusal::of_field(&refusal.key, refusal.detail))?;
        let differences = people.iter().filter_map(|person| {
            let difference = difference(request, snapshot, (scope, page), person.id, &after);
            (!difference.is_empty()).then(|| (person.name.clone(), difference))
        });
        let differences: Vec<_> = differences.collect();
        Ok::<_, Refusal>((locks(request, page, &before, &after), differences))
    })?;
    let row = |(name, difference): &(String, String)| Row {
        key: name.clone(),
        cells: vec![Cell::Text(name.clone()), Cell::Text(difference.clone())],
    };
    let table = Table {
        id: "affected",
        caption: request
            .words
            .with("preview-caption", "count", changed.len()),
        head: ["board-name", "change-difference"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: changed.iter().take(NAMED_MAX).map(row).collect(),
        empty: request.say("preview-none"),
        order: None,
    };
    let mut form = Form::new(request.words, "save", String::new()).tag(typed.one("tag"));
    for (name, value) in typed.pairs() {
        if !["form", "tag", "preview"].contains(&name) {
            form = form.hidden(name, value);
        }
    }
    let back = Link::new(request.layout.here.clone(), request.say("preview-back"));
    let shown = Page::new(request, request.say("preview-title")).text(request.words.with(
        "preview-about",
        "count",
        changed.len(),
    ));
    let affected = affected(request, scope, page);
    let shown = locks
        .into_iter()
        .fold(shown, |shown, (key, name)| {
            let count = affected.to_string();
            let words = request.words;
            shown.text(words.of_two(key, ("name", &name), ("count", &count)))
        })
        .table(table)
        .form(form.button(request.say("save")), None)
        .add(Block::Links(request.say("preview-back"), vec![back]));
    Ok(Outcome::Shown(Box::new(shown)))
}

/// Settings that become locked or unlocked for people: key of the message, and setting.
fn locks(
    request: &PageContext,
    page: SettingsGroup,
    before: &SettingValues,
    after: &SettingValues,
) -> Vec<(&'static str, String)> {
    let changed = page.settings().filter_map(|setting| {
        let (was, is) = (
            before.user_may_change(setting),
            after.user_may_change(setting),
        );
        let key = match is {
            true => "preview-unlocks",
            false => "preview-locks",
        };
        (was != is).then(|| (key, setting::label(request, setting)))
    });
    changed.collect()
}

/// Differences for a person if the scope had the settings `after`; empty if none.
fn difference(
    request: &PageContext,
    snapshot: &Snapshot,
    (scope, page): (&str, SettingsGroup),
    person: PersonId,
    after: &SettingValues,
) -> String {
    let place = snapshot.membership(person);
    if !is_in(&place, scope) {
        return String::new();
    }
    let way = snapshot.scope_chain(&place, page);
    let with = Some(after);
    let changed = if scope == ORGANISATION {
        ScopeChain {
            organisation: with,
            ..way
        }
    } else if place.group.as_deref() == Some(scope) {
        ScopeChain { group: with, ..way }
    } else {
        ScopeChain {
            location: with,
            ..way
        }
    };
    let own = snapshot.personal_settings.get(&(person, page));
    let (before, after) = (way.resolve(page, own), changed.resolve(page, own));
    let before: BTreeMap<_, _> = before.values.into_iter().collect();
    let differences = after.values.into_iter().filter_map(|(key, now)| {
        let setting = page.setting(key)?;
        let was = before.get(key)?;
        if *was == now {
            return None;
        }
        let say = |value| setting::shown(request, setting, &values::json(value));
        Some(format!(
            "{}: {} → {}",
            setting::label(request, setting),
            say(was),
            say(&now)
        ))
    });
    differences.collect::<Vec<_>>().join("; ")
}
