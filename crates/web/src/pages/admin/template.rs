//! A central template: content, uses, preview.

use api::templates::ELSEWHERE;
use api_types::templates::{
    Template as TemplateBody, TemplateChange, TemplateEdit, TemplatePreview,
};

use super::{
    require_administrator,
    templates::{HERE, scope_field},
};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Read, Refusal, part},
    components::{Block, Button, Cell, Field, Form, Kind, Link, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
    words::new_profile,
};

/// The page of a template.
pub(super) struct Template;

impl PageHandler for Template {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let read = read(request).await?;
        let template = &read.value;
        let (name, scope) = (&*template.profile.name, &*template.scope);
        let people = template.people.iter().flatten().map(String::as_str);
        let mut form =
            Form::new(request.words, "save", request.say("template-edit")).tag(&read.tag);
        form.fields
            .extend(request.profile_fields(Some(&template.profile)));
        let form = form
            .field(Field::check(
                "active",
                request.say("template-active"),
                template.profile.active,
            ))
            .field(scope_field(request).await?.value(scope))
            .field(
                Field::check(
                    "everyone",
                    request.say("template-for-everyone"),
                    !template.offers.is_empty(),
                )
                .help(request.say("template-for-everyone-help")),
            )
            .field(
                Field::new("people", request.say("template-people"), Kind::Area)
                    .value(request.as_text(people))
                    .help(request.say("people-text-help")),
            )
            .button(request.say("save"))
            .submit("preview", "yes", request.say("preview"));
        let all = Link::new(HERE, request.say("nav-templates"));
        let title = request.words.of_two(
            "scope-page",
            ("name", name),
            ("scope", &scope_name(request, scope)),
        );
        let page = Page::new(request, title)
            .add(Block::Links(request.say("nav-templates"), vec![all]))
            .form(form, back);
        let teams = teams_uses(request, template);
        let has_teams = !teams.is_empty();
        let page = teams.into_iter().fold(page, Page::text);
        let preview = Button::new("preview-delete", name, request.say("preview"));
        Ok(page.table(uses(request, template, has_teams)).table(Table {
            id: "danger",
            caption: request.say("template-delete"),
            head: ["board-name", "actions"]
                .map(|key| request.say(key))
                .to_vec(),
            rows: vec![Row {
                key: name.to_owned(),
                cells: vec![
                    Cell::Text(name.to_owned()),
                    Cell::Buttons(vec![preview, delete_button(request, name)]),
                ],
            }],
            ..Table::default()
        }))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let template = read(request).await?.value;
        let path = path(&template);
        match typed.one("form") {
            "delete" => {
                request.api.delete(&path).await?;
                return Ok(Done::new(HERE, "deleted").into());
            }
            "preview-delete" => return preview_deletion(request, &template).await,
            _ => {}
        }
        let scope = typed.given("scope").unwrap_or(&template.scope);
        let profile = new_profile(typed);
        let offers = typed.ticked("everyone").then(|| scope.to_owned());
        let change = TemplateChange {
            status: Some(profile.status),
            forwarding: Some(profile.forwarding),
            text: Some(profile.text),
            active: Some(typed.ticked("active")),
            scope: Some(scope.to_owned()),
            offers: Some(offers.into_iter().collect()),
            people: Some(request.people_named("people", typed.one("people"))?),
        };
        if typed.ticked("preview") {
            let edit = TemplateEdit {
                change: Some(change),
                ..TemplateEdit::default()
            };
            let preview = preview(request, &template, edit).await?;
            let mut form = Form::new(request.words, "save", String::new()).tag(typed.one("tag"));
            for (name, value) in typed.pairs() {
                if !["form", "tag", "preview"].contains(&name) {
                    form = form.hidden(name, value);
                }
            }
            let page = preview.form(form.button(request.say("save")), None);
            return Ok(Outcome::Shown(Box::new(with_way_back(request, page))));
        }
        request.api.patch(&path, change, typed.one("tag")).await?;
        Ok(Done::new(at(scope, &template.profile.name), "saved").into())
    }
}

/// Path of a template's page.
pub(super) fn at(scope: &str, name: &str) -> String {
    format!("{HERE}/{}/{}", part(scope), part(name))
}

/// Path of a template in the API.
fn path(template: &TemplateBody) -> String {
    let (scope, name) = (&template.scope, &template.profile.name);
    format!("/scopes/{}/templates/{}", part(scope), part(name))
}

/// The template of the path, by scope and name, or, as in earlier versions, by name. Refuses callers who do not administer
/// its scope.
async fn read(request: &PageContext) -> Result<Read<TemplateBody>, Refusal> {
    require_administrator(request)?;
    let name = part(request.path("name"));
    let path = match request.path("scope") {
        "" => format!("/templates/{name}"),
        scope => format!("/scopes/{}/templates/{name}", part(scope)),
    };
    let read = request.api.read::<TemplateBody>(&path).await?;
    let scope = &read.value.scope;
    request
        .caller
        .require_admin(&request.context.organisation, &scope.as_str().into())?;
    Ok(read)
}

fn delete_button(request: &PageContext, name: &str) -> Button {
    Button::new("delete", name, request.say("delete"))
        .label(request.words.with("delete-of", "name", name))
        .sure(request.words.with("delete-sure", "name", name))
}

/// The states in Teams that use the template, as text.
fn teams_uses(request: &PageContext, template: &TemplateBody) -> Vec<String> {
    let mut sentences = Vec::new();
    for used in template.teams_uses.iter().flatten() {
        let key = format!("template-teams-{}", used.state.name());
        let scopes = used.scopes.iter().map(|scope| scope_name(request, scope));
        let scopes: Vec<String> = scopes.collect();
        if !scopes.is_empty() {
            sentences.push(request.words.with(&key, "scope", scopes.join(", ")));
        }
        if used.people > 0 {
            let key = format!("{key}-people");
            sentences.push(request.words.with(&key, "count", used.people));
        }
    }
    sentences
}

/// The uses that prevent the deletion unless another template has the name.
fn uses(request: &PageContext, template: &TemplateBody, has_teams: bool) -> Table {
    let rows = template.uses.iter().flatten().map(|used| Row {
        cells: vec![Cell::Text(use_in_words(request, used))],
        key: used.clone(),
    });
    let empty = if has_teams {
        "template-no-settings"
    } else {
        "template-no-uses"
    };
    Table {
        id: "uses",
        caption: request.say("template-uses"),
        head: vec![request.say("template-use")],
        rows: rows.collect(),
        empty: request.say(empty),
        order: None,
    }
}

/// A use (`group.key of scope`) as text.
fn use_in_words(request: &PageContext, used: &str) -> String {
    let Some((setting, owner)) = used.split_once(" of ") else {
        return used.to_owned();
    };
    let label = request.say_or(&format!("setting-{}", setting.replace('.', "-")), setting);
    let owner = match owner.strip_prefix("person ") {
        Some(person) => request.name_of(person),
        None if owner == ELSEWHERE => request.say("template-use-elsewhere"),
        None => scope_name(request, owner),
    };
    let words = request.words;
    words.of_two("scope-page", ("name", &label), ("scope", &owner))
}

/// Preview of an edit: affected people and lost uses.
async fn preview(
    request: &PageContext,
    template: &TemplateBody,
    edit: TemplateEdit,
) -> Result<Page, Refusal> {
    let path = format!("{}/preview", path(template));
    let preview: TemplatePreview = request.api.post(&path, edit).await?.json()?;
    let count = preview.people;
    let row = |name: String| Row {
        key: name.clone(),
        cells: vec![Cell::Text(name)],
    };
    let lost = preview.lost_uses.iter();
    let lost: Vec<String> = lost.map(|used| use_in_words(request, used)).collect();
    let page = Page::new(request, request.say("preview-title"))
        .text(request.words.with("preview-about", "count", count))
        .table(Table {
            id: "affected",
            caption: request.words.with("preview-caption", "count", count),
            head: vec![request.say("board-name")],
            rows: preview.names.into_iter().map(row).collect(),
            empty: request.say("preview-none"),
            order: None,
        });
    Ok(match lost.is_empty() {
        true => page,
        false => page.add(Block::Alert(request.words.with(
            "template-lost-uses",
            "name",
            lost.join(", "),
        ))),
    })
}

async fn preview_deletion(
    request: &PageContext,
    template: &TemplateBody,
) -> Result<Outcome, Refusal> {
    let edit = TemplateEdit {
        delete: true,
        ..TemplateEdit::default()
    };
    let preview = preview(request, template, edit).await?;
    let name = &*template.profile.name;
    let form = Form::new(request.words, "delete", String::new())
        .hidden("key", name)
        .button(request.words.with("delete-of", "name", name));
    let page = with_way_back(request, preview.form(form, None));
    Ok(Outcome::Shown(Box::new(page)))
}

fn with_way_back(request: &PageContext, page: Page) -> Page {
    let back = Link::new(request.layout.here.clone(), request.say("preview-back"));
    page.add(Block::Links(request.say("preview-back"), vec![back]))
}
