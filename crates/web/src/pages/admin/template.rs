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
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let read = read(request).await?;
        let template = &read.value;
        let (name, scope) = (text(template, "name"), text(template, "scope"));
        let people = template.get("people").and_then(Value::as_array);
        let mut form =
            Form::new(request.words, "save", request.say("template-edit")).tag(&read.tag);
        form.fields.extend(request.profile_fields(template));
        let form = form
            .field(Field::check(
                "active",
                request.say("template-active"),
                flag(template, "active"),
            ))
            .field(scope_field(request).await?.value(scope))
            .field(
                Field::check(
                    "everyone",
                    request.say("template-for-everyone"),
                    !texts(template, "offers").is_empty(),
                )
                .help(request.say("template-for-everyone-help")),
            )
            .field(
                Field::new("people", request.say("template-people"), Kind::Area)
                    .value(request.as_text(people.into_iter().flatten().filter_map(Value::as_str)))
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
        let scope = typed.given("scope").unwrap_or(text(&template, "scope"));
        let mut body = profile_body(typed);
        body["active"] = json!(typed.ticked("active"));
        body["scope"] = json!(scope);
        body["offers"] = match typed.ticked("everyone") {
            true => json!([scope]),
            false => json!([]),
        };
        body["people"] = json!(request.people_named("people", typed.one("people"))?);
        if typed.ticked("preview") {
            let told = preview(request, &template, json!({"change": body})).await?;
            let mut form = Form::new(request.words, "save", String::new()).tag(typed.one("tag"));
            for (name, value) in typed.pairs() {
                if !["form", "tag", "preview"].contains(&name) {
                    form = form.hidden(name, value);
                }
            }
            let page = told.form(form.button(request.say("save")), None);
            return Ok(Outcome::Shown(Box::new(with_way_back(request, page))));
        }
        request.api.put(&path, body, typed.one("tag")).await?;
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
async fn read(request: &PageContext) -> Result<Read<Value>, Refusal> {
    require_administrator(request)?;
    let name = part(request.path("name"));
    let path = match request.path("scope") {
        "" => format!("/templates/{name}"),
        scope => format!("/scopes/{}/templates/{name}", part(scope)),
    };
    let read = request.api.read::<Value>(&path).await?;
    let scope = text(&read.value, "scope");
    request
        .caller
        .require_admin(&request.context.organisation, scope)?;
    Ok(read)
}

fn delete_button(request: &PageContext, name: &str) -> Button {
    Button::new("delete", name, request.say("delete"))
        .label(request.words.with("delete-of", "name", name))
        .sure(request.words.with("delete-sure", "name", name))
}

/// The states in Teams that use the template, as text.
fn teams_uses(request: &PageContext, template: &Value) -> Vec<String> {
    let uses = template.get("teams_uses").and_then(Value::as_array);
    let mut told = Vec::new();
    for used in uses.into_iter().flatten() {
        let what = text(used, "use");
        let scopes: Vec<String> = texts(used, "scopes")
            .iter()
            .map(|scope| scope_name(request, scope))
            .collect();
        if !scopes.is_empty() {
            let key = format!("template-teams-{what}");
            told.push(request.words.with(&key, "scope", scopes.join(", ")));
        }
        let people = used.get("people").and_then(Value::as_u64).unwrap_or(0);
        if people > 0 {
            let key = format!("template-teams-{what}-people");
            told.push(request.words.with(&key, "count", people));
        }
    }
    told
}

/// The uses that prevent the deletion unless another template has the name.
fn uses(request: &PageContext, template: &Value, has_teams: bool) -> Table {
    let rows = texts(template, "uses").into_iter().map(|what| Row {
        cells: vec![Cell::Text(use_in_words(request, &what))],
        key: what,
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
fn use_in_words(request: &PageContext, told: &str) -> String {
    let Some((setting, whose)) = told.split_once(" of ") else {
        return told.to_owned();
    };
    let label = request.say_or(&format!("setting-{}", setting.replace('.', "-")), setting);
    let whose = match whose.strip_prefix("person ") {
        Some(person) => request.name_of(person),
        None if whose == ELSEWHERE => request.say("template-use-elsewhere"),
        None => scope_name(request, whose),
    };
    let words = request.words;
    words.of_two("scope-page", ("name", &label), ("scope", &whose))
}

/// Preview of an edit: affected people and lost uses.
async fn preview(request: &PageContext, template: &Value, edit: Value) -> Result<Page, Refusal> {
    let path = format!("{}/preview", path(template));
    let told: Value = request.api.post(&path, edit).await?.json()?;
    let count = told.get("people").and_then(Value::as_u64).unwrap_or(0);
    let row = |name: String| Row {
        key: name.clone(),
        cells: vec![Cell::Text(name)],
    };
    let lost = texts(&told, "lost_uses");
    let lost: Vec<String> = lost
        .iter()
        .map(|what| use_in_words(request, what))
        .collect();
    let page = Page::new(request, request.say("preview-title"))
        .text(request.words.with("preview-about", "count", count))
        .table(Table {
            id: "affected",
            caption: request.words.with("preview-caption", "count", count),
            head: vec![request.say("board-name")],
            rows: texts(&told, "names").into_iter().map(row).collect(),
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

async fn preview_deletion(request: &PageContext, template: &Value) -> Result<Outcome, Refusal> {
    let told = preview(request, template, json!({"delete": true})).await?;
    let name = text(template, "name");
    let form = Form::new(request.words, "delete", String::new())
        .hidden("key", name)
        .button(request.words.with("delete-of", "name", name));
    let page = with_way_back(request, told.form(form, None));
    Ok(Outcome::Shown(Box::new(page)))
}

fn with_way_back(request: &PageContext, page: Page) -> Page {
    let back = Link::new(request.layout.here.clone(), request.say("preview-back"));
    page.add(Block::Links(request.say("preview-back"), vec![back]))
}
