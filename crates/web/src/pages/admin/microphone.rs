//! Microphone Sync: programs that colleagues see at the microphone, by scope.

use runtime::organisation::{ORGANISATION, PRODUCT};
use serde_json::{Value, json};

use super::{
    require_administrator,
    scopes::{administers, full_name, in_order},
    settings_at,
};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{
        Block, Button, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table, flag, text,
        texts,
    },
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
    yes_or_no,
};

const HERE: &str = "/admin/microphone";

/// The process table of a scope.
pub(super) struct Microphone;

impl PageHandler for Microphone {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(visit)?;
        let scope = scope(visit);
        let read = visit.api.read(&path(&scope)).await?;
        let enabled = flag(&visit.api.get(&settings(&scope)).await?, "enabled");
        let state = visit.say(if enabled {
            "microphone-on"
        } else {
            "microphone-off"
        });
        let facts = vec![
            (
                visit.say("microphone-for"),
                Cell::Text(scope_name(visit, &scope)),
            ),
            (
                visit.say("nav-microphone"),
                Cell::Link(
                    settings_at(&scope, presence::SettingsGroup::Microphone),
                    state,
                ),
            ),
        ];
        let decided_by = scope_name(visit, text(&read.value, "decided_by"));
        let individual = flag(&read.value, "individual");
        let whose = if individual {
            visit.say("programs-own")
        } else {
            visit.words.with("programs-default", "scope", decided_by)
        };
        let mut page =
            Page::new(visit, visit.say("nav-microphone")).text(visit.say("microphone-about"));
        if !enabled {
            // Buttons of active rows look pressed.
            let on = Form::new(visit.words, "enable", String::new());
            page = page
                .text(visit.say("microphone-off-about"))
                .form(on.button(visit.say("microphone-enable")), back);
        }
        page = page
            .add(scopes(visit, &scope).await?)
            .add(Block::Facts(facts))
            .text(whose)
            .table(table(visit, &scope, &read.value));
        let edited = match back {
            None => visit.query("edit"),
            Some(back) if back.typed.one("form") == "save" => back.typed.given("key"),
            Some(_) => None,
        };
        if let Some(process) = edited {
            let read = visit.api.read(&one(&scope, process)).await?;
            let mut form = Form::new(
                visit.words,
                "save",
                visit.words.with("profile-edit", "name", process),
            )
            .tag(&read.tag)
            .hidden("key", process);
            form.fields.extend(fields(visit, &read.value));
            let active = flag(&read.value, "active");
            form = form.field(Field::check("active", visit.say("program-active"), active));
            page = page.form(form.button(visit.say("save")), back);
        }
        let mut form = Form::new(visit.words, "add", visit.say("program-add"));
        form.fields.extend(fields(visit, &Value::Null));
        page = page.form(form.button(visit.say("add")), back);
        Ok(page.form(begin(visit, &scope, individual).await?.tag(&read.tag), back))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(visit)?;
        let scope = scope(visit);
        let here = format!("{HERE}?scope={}", part(&scope));
        let key = typed.one("key");
        let said = match typed.one("form") {
            "enable" => {
                let on = json!({"individual": true, "enabled": true});
                visit.api.put(&settings(&scope), on, "").await?;
                "saved"
            }
            "add" => {
                let mut body = body(typed);
                body["process"] = json!(typed.one("process"));
                visit.api.post(&path(&scope), body).await?;
                "program-added"
            }
            "save" => {
                let mut body = body(typed);
                body["process"] = json!(typed.one("process"));
                body["active"] = json!(typed.ticked("active"));
                visit
                    .api
                    .put(&one(&scope, key), body, typed.one("tag"))
                    .await?;
                "saved"
            }
            "delete" => {
                visit.api.delete(&one(&scope, key)).await?;
                "deleted"
            }
            "table" => {
                let body = match typed.one("from") {
                    "" => json!({"individual": false}),
                    from => json!({"copy_from": from}),
                };
                visit.api.put(&path(&scope), body, typed.one("tag")).await?;
                "saved"
            }
            switch => {
                let read = visit.api.read(&one(&scope, key)).await?;
                let mut body = read.value;
                body["active"] = json!(switch == "activate");
                visit.api.put(&one(&scope, key), body, &read.tag).await?;
                "saved"
            }
        };
        Ok(Done::new(here, said).into())
    }
}

/// The shown scope; for a location administrator first the location.
fn scope(visit: &PageContext) -> String {
    let own = visit.caller.location().unwrap_or(ORGANISATION);
    visit.query("scope").unwrap_or(own).to_owned()
}

fn path(scope: &str) -> String {
    format!("/scopes/{}/programs", part(scope))
}

fn settings(scope: &str) -> String {
    format!("/scopes/{}/settings/microphone", part(scope))
}

fn one(scope: &str, process: &str) -> String {
    format!("{}/{}", path(scope), part(process))
}

/// Links to the tables of other scopes.
async fn scopes(visit: &PageContext, here: &str) -> Result<Block, Refusal> {
    let all = visit.api.items("/scopes").await?;
    let mine = in_order(&all).into_iter();
    let mine = mine.filter(|scope| administers(visit, text(scope, "id")));
    let links = mine.map(|scope| {
        let id = text(scope, "id");
        Link {
            to: format!("{HERE}?scope={}", part(id)),
            text: full_name(visit, scope),
            is_here: id == here,
        }
    });
    Ok(Block::Links(visit.say("nav-scopes"), links.collect()))
}

fn fields(visit: &PageContext, program: &Value) -> [Field; 5] {
    let hours = program.get("ignore_after_hours").and_then(Value::as_u64);
    [
        Field::text("process", visit.say("program-process"))
            .required()
            .value(text(program, "process"))
            .help(visit.say("program-process-help")),
        Field::text("alias", visit.say("program-alias"))
            .value(text(program, "alias"))
            .help(visit.say("program-alias-help")),
        Field::text("also", visit.say("program-also"))
            .value(texts(program, "also").join(", "))
            .help(visit.say("program-also-help")),
        Field::check(
            "softphone",
            visit.say("program-softphone"),
            flag(program, "softphone"),
        ),
        Field::text("ignore_after_hours", visit.say("program-ignore"))
            .value(hours.map(|hours| hours.to_string()).unwrap_or_default())
            .help(visit.say("program-ignore-help")),
    ]
}

/// An entered row for the API, without process and state.
fn body(typed: &EnteredForm) -> Value {
    let hours = typed.given("ignore_after_hours").map(|hours| {
        // An invalid number is sent as it is: the API explains the refusal.
        hours
            .parse::<u32>()
            .map_or_else(|_| json!(hours), |hours| json!(hours))
    });
    let also = typed.one("also").split(',').map(str::trim);
    let also: Vec<&str> = also.filter(|name| !name.is_empty()).collect();
    json!({
        "alias": typed.one("alias"),
        "also": also,
        "softphone": typed.ticked("softphone"),
        "ignore_after_hours": hours,
    })
}

/// The form that copies another table or inherits that of the scope above.
async fn begin(visit: &PageContext, scope: &str, individual: bool) -> Result<Form, Refusal> {
    let mut choices = Vec::new();
    if individual {
        choices.push(Choice::new("", visit.say("programs-as-above")));
    }
    choices.push(Choice::new(PRODUCT, visit.say("copy-product")));
    let scopes = visit.api.items("/scopes").await?;
    for other in in_order(&scopes) {
        let id = text(other, "id");
        if id != scope && administers(visit, id) {
            let text = visit
                .words
                .with("copy-from", "scope", scope_name(visit, id));
            choices.push(Choice::new(id, text));
        }
    }
    Ok(Form::new(visit.words, "table", visit.say("programs-again"))
        .field(Field::new(
            "from",
            visit.say("copy-label"),
            Kind::Select(choices),
        ))
        .button(visit.say("programs-again-now")))
}

fn table(visit: &PageContext, scope: &str, read: &Value) -> Table {
    let items = read.get("items").and_then(Value::as_array);
    let row = |program: &Value| {
        let process = text(program, "process");
        let shown = match text(program, "alias") {
            "" => process,
            alias => alias,
        };
        let active = flag(program, "active");
        let (switch, label) = if active {
            ("deactivate", "program-deactivate-of")
        } else {
            ("activate", "program-activate-of")
        };
        let buttons = vec![
            Button::new(switch, process, visit.say(&format!("program-{switch}")))
                .label(visit.words.with(label, "name", shown)),
            Button::new("delete", process, visit.say("delete"))
                .label(visit.words.with("delete-of", "name", shown))
                .sure(visit.words.with("delete-sure", "name", shown)),
        ];
        let hours = program.get("ignore_after_hours").and_then(Value::as_u64);
        let edit = format!("{HERE}?scope={}&edit={}", part(scope), part(process));
        Row {
            key: process.to_owned(),
            cells: vec![
                Cell::Link(edit, shown.to_owned()),
                Cell::Code(process.to_owned()),
                Cell::Mark(
                    active,
                    visit.say(if active {
                        "profile-active"
                    } else {
                        "profile-inactive"
                    }),
                ),
                Cell::Text(yes_or_no(visit.words, flag(program, "softphone"))),
                Cell::Text(hours.map(|hours| format!("{hours} h")).unwrap_or_default()),
                Cell::Buttons(buttons),
            ],
        }
    };
    Table {
        id: "programs",
        caption: visit.say("programs"),
        head: [
            "program-alias",
            "program-process",
            "health-state",
            "program-is-softphone",
            "program-ignore",
            "actions",
        ]
        .map(|key| visit.say(key))
        .to_vec(),
        rows: items.into_iter().flatten().map(row).collect(),
        empty: visit.say("programs-none"),
        order: None,
    }
}
