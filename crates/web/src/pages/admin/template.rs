//! A central template: content, uses, preview.

use api::templates::ELSEWHERE;
use serde_json::{Value, json};

use super::{
    require_administrator,
    templates::{HERE, scope_field},
};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Read, Refusal, part},
    components::{
        Block, Button, Cell, Field, Form, Kind, Link, RefusedForm, Row, Table, flag, text, texts,
    },
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
    words::profile_body,
};

/// The page of a template.
pub(super) struct Template;

impl PageHandler for Template {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let read = read(visit).await?;
        let template = &read.value;
        let (name, scope) = (text(template, "name"), text(template, "scope"));
        let people = template.get("people").and_then(Value::as_array);
        let mut form = Form::new(visit.words, "save", visit.say("template-edit")).tag(&read.tag);
        form.fields.extend(visit.profile_fields(template));
        let form = form
            .field(Field::check(
                "active",
                visit.say("template-active"),
                flag(template, "active"),
            ))
            .field(scope_field(visit).await?.value(scope))
            .field(
                Field::check(
                    "everyone",
                    visit.say("template-for-everyone"),
                    !texts(template, "offers").is_empty(),
                )
                .help(visit.say("template-for-everyone-help")),
            )
            .field(
                Field::new("people", visit.say("template-people"), Kind::Area)
                    .value(visit.as_text(people.into_iter().flatten()))
                    .help(visit.say("people-text-help")),
            )
            .button(visit.say("save"))
            .submit("preview", "yes", visit.say("preview"));
        let all = Link::new(HERE, visit.say("nav-templates"));
        let title = visit.words.of_two(
            "scope-page",
            ("name", name),
            ("scope", &scope_name(visit, scope)),
        );
        let page = Page::new(visit, title)
            .add(Block::Links(visit.say("nav-templates"), vec![all]))
            .form(form, back);
        let teams = teams_uses(visit, template);
        let has_teams = !teams.is_empty();
        let page = teams.into_iter().fold(page, Page::text);
        let preview = Button::new("preview-delete", name, visit.say("preview"));
        Ok(page.table(uses(visit, template, has_teams)).table(Table {
            id: "danger",
            caption: visit.say("template-delete"),
            head: ["board-name", "actions"].map(|key| visit.say(key)).to_vec(),
            rows: vec![Row {
                key: name.to_owned(),
                cells: vec![
                    Cell::Text(name.to_owned()),
                    Cell::Buttons(vec![preview, delete_button(visit, name)]),
                ],
            }],
            ..Table::default()
        }))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let template = read(visit).await?.value;
        let path = path(&template);
        match typed.one("form") {
            "delete" => {
                visit.api.delete(&path).await?;
                return Ok(Done::new(HERE, "deleted").into());
            }
            "preview-delete" => return preview_deletion(visit, &template).await,
            _ => {}
        }
        let scope = typed.given("scope").unwrap_or(text(&template, "scope"));
        let mut body = profile_body(typed);
        body["active"] = json!(typed.ticked("active"));
        body["scope"] = json!(scope);
        body["offers"] = match typed.ticked("everyone") {
            true => json!([scope]),
            false => json!([]),
        };
        body["people"] = json!(visit.people_named("people", typed.one("people"))?);
        if typed.ticked("preview") {
            let told = preview(visit, &template, json!({"change": body})).await?;
            let mut form = Form::new(visit.words, "save", String::new()).tag(typed.one("tag"));
            for (name, value) in typed.pairs() {
                if !["form", "tag", "preview"].contains(&name) {
                    form = form.hidden(name, value);
                }
            }
            let page = told.form(form.button(visit.say("save")), None);
            return Ok(Outcome::Shown(Box::new(with_way_back(visit, page))));
        }
        visit.api.put(&path, body, typed.one("tag")).await?;
        Ok(Done::new(at(scope, text(&template, "name")), "saved").into())
    }
}

/// Path of a template's page.
pub(super) fn at(scope: &str, name: &str) -> String {
    format!("{HERE}/{}/{}", part(scope), part(name))
}

/// Path of a template in the API.
fn path(template: &Value) -> String {
    let (scope, name) = (text(template, "scope"), text(template, "name"));
    format!("/scopes/{}/templates/{}", part(scope), part(name))
}

/// The template of the path, by scope and name, or, as in earlier versions, by name. Refuses callers who do not administer
/// its scope.
async fn read(visit: &PageContext) -> Result<Read, Refusal> {
    require_administrator(visit)?;
    let name = part(visit.path("name"));
    let path = match visit.path("scope") {
        "" => format!("/templates/{name}"),
        scope => format!("/scopes/{}/templates/{name}", part(scope)),
    };
    let read = visit.api.read(&path).await?;
    let scope = text(&read.value, "scope");
    visit
        .caller
        .require_admin(&visit.context.organisation, scope)?;
    Ok(read)
}

fn delete_button(visit: &PageContext, name: &str) -> Button {
    Button::new("delete", name, visit.say("delete"))
        .label(visit.words.with("delete-of", "name", name))
        .sure(visit.words.with("delete-sure", "name", name))
}

/// The states in Teams that use the template, as text.
fn teams_uses(visit: &PageContext, template: &Value) -> Vec<String> {
    let uses = template.get("teams_uses").and_then(Value::as_array);
    let mut told = Vec::new();
    for used in uses.into_iter().flatten() {
        let what = text(used, "use");
        let scopes: Vec<String> = texts(used, "scopes")
            .iter()
            .map(|scope| scope_name(visit, scope))
            .collect();
        if !scopes.is_empty() {
            let key = format!("template-teams-{what}");
            told.push(visit.words.with(&key, "scope", scopes.join(", ")));
        }
        let people = used.get("people").and_then(Value::as_u64).unwrap_or(0);
        if people > 0 {
            let key = format!("template-teams-{what}-people");
            told.push(visit.words.with(&key, "count", people));
        }
    }
    told
}

/// The uses that prevent the deletion unless another template has the name.
fn uses(visit: &PageContext, template: &Value, has_teams: bool) -> Table {
    let rows = texts(template, "uses").into_iter().map(|what| Row {
        cells: vec![Cell::Text(use_in_words(visit, &what))],
        key: what,
    });
    let empty = if has_teams {
        "template-no-settings"
    } else {
        "template-no-uses"
    };
    Table {
        id: "uses",
        caption: visit.say("template-uses"),
        head: vec![visit.say("template-use")],
        rows: rows.collect(),
        empty: visit.say(empty),
        order: None,
    }
}

/// A use (`group.key of scope`) as text.
fn use_in_words(visit: &PageContext, told: &str) -> String {
    let Some((setting, whose)) = told.split_once(" of ") else {
        return told.to_owned();
    };
    let label = visit.say_or(&format!("setting-{}", setting.replace('.', "-")), setting);
    let whose = match whose.strip_prefix("person ") {
        Some(person) => visit.name_of(person),
        None if whose == ELSEWHERE => visit.say("template-use-elsewhere"),
        None => scope_name(visit, whose),
    };
    let words = visit.words;
    words.of_two("scope-page", ("name", &label), ("scope", &whose))
}

/// Preview of an edit: affected people and lost uses.
async fn preview(visit: &PageContext, template: &Value, edit: Value) -> Result<Page, Refusal> {
    let path = format!("{}/preview", path(template));
    let told = visit.api.post(&path, edit).await?;
    let count = told.get("people").and_then(Value::as_u64).unwrap_or(0);
    let row = |name: String| Row {
        key: name.clone(),
        cells: vec![Cell::Text(name)],
    };
    let lost = texts(&told, "lost_uses");
    let lost: Vec<String> = lost.iter().map(|what| use_in_words(visit, what)).collect();
    let page = Page::new(visit, visit.say("preview-title"))
        .text(visit.words.with("preview-about", "count", count))
        .table(Table {
            id: "affected",
            caption: visit.words.with("preview-caption", "count", count),
            head: vec![visit.say("board-name")],
            rows: texts(&told, "names").into_iter().map(row).collect(),
            empty: visit.say("preview-none"),
            order: None,
        });
    Ok(match lost.is_empty() {
        true => page,
        false => page.add(Block::Alert(visit.words.with(
            "template-lost-uses",
            "name",
            lost.join(", "),
        ))),
    })
}

async fn preview_deletion(visit: &PageContext, template: &Value) -> Result<Outcome, Refusal> {
    let told = preview(visit, template, json!({"delete": true})).await?;
    let name = text(template, "name");
    let form = Form::new(visit.words, "delete", String::new())
        .hidden("key", name)
        .button(visit.words.with("delete-of", "name", name));
    let page = with_way_back(visit, told.form(form, None));
    Ok(Outcome::Shown(Box::new(page)))
}

fn with_way_back(visit: &PageContext, page: Page) -> Page {
    let back = Link::new(visit.layout.here.clone(), visit.say("preview-back"));
    page.add(Block::Links(visit.say("preview-back"), vec![back]))
}
