//! Microphone Sync: programs that colleagues see at the microphone, by scope.

use presence::setting_keys;
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
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(request)?;
        let scope = scope(request);
        let read = request.api.read::<Value>(&path(&scope)).await?;
        let enabled = flag(
            &request.api.get::<Value>(&settings(&scope)).await?,
            setting_keys::MICROPHONE_ENABLED.name,
        );
        let state = request.say(if enabled {
            "microphone-on"
        } else {
            "microphone-off"
        });
        let facts = vec![
            (
                request.say("microphone-for"),
                Cell::Text(scope_name(request, &scope)),
            ),
            (
                request.say("nav-microphone"),
                Cell::Link(
                    settings_at(&scope, presence::SettingsGroup::Microphone),
                    state,
                ),
            ),
        ];
        let decided_by = scope_name(request, text(&read.value, "decided_by"));
        let individual = flag(&read.value, "individual");
        let whose = if individual {
            request.say("programs-own")
        } else {
            request.words.with("programs-default", "scope", decided_by)
        };
        let mut page =
            Page::new(request, request.say("nav-microphone")).text(request.say("microphone-about"));
        if !enabled {
            // Buttons of active rows look pressed.
            let on = Form::new(request.words, "enable", String::new());
            page = page
                .text(request.say("microphone-off-about"))
                .form(on.button(request.say("microphone-enable")), back);
        }
        page = page
            .add(scopes(request, &scope).await?)
            .add(Block::Facts(facts))
            .text(whose)
            .table(table(request, &scope, &read.value));
        let edited = match back {
            None => request.query("edit"),
            Some(back) if back.typed.one("form") == "save" => back.typed.given("key"),
            Some(_) => None,
        };
        if let Some(process) = edited {
            let read = request.api.read::<Value>(&one(&scope, process)).await?;
            let mut form = Form::new(
                request.words,
                "save",
                request.words.with("profile-edit", "name", process),
            )
            .tag(&read.tag)
            .hidden("key", process);
            form.fields.extend(fields(request, &read.value));
            let active = flag(&read.value, "active");
            form = form.field(Field::check(
                "active",
                request.say("program-active"),
                active,
            ));
            page = page.form(form.button(request.say("save")), back);
        }
        let mut form = Form::new(request.words, "add", request.say("program-add"));
        form.fields.extend(fields(request, &Value::Null));
        page = page.form(form.button(request.say("add")), back);
        Ok(page.form(
            begin(request, &scope, individual).await?.tag(&read.tag),
            back,
        ))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(request)?;
        let scope = scope(request);
        let here = format!("{HERE}?scope={}", part(&scope));
        let key = typed.one("key");
        let said = match typed.one("form") {
            "enable" => {
                let on = json!({"individual": true, (setting_keys::MICROPHONE_ENABLED.name): true});
                request.api.put(&settings(&scope), on, "").await?;
                "saved"
            }
            "add" => {
                let mut body = body(typed);
                body["process"] = json!(typed.one("process"));
                request.api.post(&path(&scope), body).await?;
                "program-added"
            }
            "save" => {
                let mut body = body(typed);
                body["process"] = json!(typed.one("process"));
                body["active"] = json!(typed.ticked("active"));
                request
                    .api
                    .put(&one(&scope, key), body, typed.one("tag"))
                    .await?;
                "saved"
            }
            "delete" => {
                request.api.delete(&one(&scope, key)).await?;
                "deleted"
            }
            "table" => {
                let body = match typed.one("from") {
                    "" => json!({"individual": false}),
                    from => json!({"copy_from": from}),
                };
                request
                    .api
                    .put(&path(&scope), body, typed.one("tag"))
                    .await?;
                "saved"
            }
            switch => {
                let read = request.api.read::<Value>(&one(&scope, key)).await?;
                let mut body = read.value;
                body["active"] = json!(switch == "activate");
                request.api.put(&one(&scope, key), body, &read.tag).await?;
                "saved"
            }
        };
        Ok(Done::new(here, said).into())
    }
}

/// The shown scope; for a location administrator first the location.
fn scope(request: &PageContext) -> String {
    let own = request.caller.location().unwrap_or(ORGANISATION);
    request.query("scope").unwrap_or(own).to_owned()
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
async fn scopes(request: &PageContext, here: &str) -> Result<Block, Refusal> {
    let all = request.api.items::<Value>("/scopes").await?;
    let mine = in_order(&all).into_iter();
    let mine = mine.filter(|scope| administers(request, text(scope, "id")));
    let links = mine.map(|scope| {
        let id = text(scope, "id");
        Link {
            to: format!("{HERE}?scope={}", part(id)),
            text: full_name(request, scope),
            is_here: id == here,
        }
    });
    Ok(Block::Links(request.say("nav-scopes"), links.collect()))
}

fn fields(request: &PageContext, program: &Value) -> [Field; 5] {
    let hours = program.get("ignore_after_hours").and_then(Value::as_u64);
    [
        Field::text("process", request.say("program-process"))
            .required()
            .value(text(program, "process"))
            .help(request.say("program-process-help")),
        Field::text("alias", request.say("program-alias"))
            .value(text(program, "alias"))
            .help(request.say("program-alias-help")),
        Field::text("also", request.say("program-also"))
            .value(texts(program, "also").join(", "))
            .help(request.say("program-also-help")),
        Field::check(
            "softphone",
            request.say("program-softphone"),
            flag(program, "softphone"),
        ),
        Field::text("ignore_after_hours", request.say("program-ignore"))
            .value(hours.map(|hours| hours.to_string()).unwrap_or_default())
            .help(request.say("program-ignore-help")),
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
async fn begin(request: &PageContext, scope: &str, individual: bool) -> Result<Form, Refusal> {
    let mut choices = Vec::new();
    if individual {
        choices.push(Choice::new("", request.say("programs-as-above")));
    }
    choices.push(Choice::new(PRODUCT, request.say("copy-product")));
    let scopes = request.api.items::<Value>("/scopes").await?;
    for other in in_order(&scopes) {
        let id = text(other, "id");
        if id != scope && administers(request, id) {
            let text = request
                .words
                .with("copy-from", "scope", scope_name(request, id));
            choices.push(Choice::new(id, text));
        }
    }
    Ok(
        Form::new(request.words, "table", request.say("programs-again"))
            .field(Field::new(
                "from",
                request.say("copy-label"),
                Kind::Select(choices),
            ))
            .button(request.say("programs-again-now")),
    )
}

fn table(request: &PageContext, scope: &str, read: &Value) -> Table {
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
            Button::new(switch, process, request.say(&format!("program-{switch}")))
                .label(request.words.with(label, "name", shown)),
            Button::new("delete", process, request.say("delete"))
                .label(request.words.with("delete-of", "name", shown))
                .sure(request.words.with("delete-sure", "name", shown)),
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
                    request.say(if active {
                        "profile-active"
                    } else {
                        "profile-inactive"
                    }),
                ),
                Cell::Text(yes_or_no(request.words, flag(program, "softphone"))),
                Cell::Text(hours.map(|hours| format!("{hours} h")).unwrap_or_default()),
                Cell::Buttons(buttons),
            ],
        }
    };
    Table {
        id: "programs",
        caption: request.say("programs"),
        head: [
            "program-alias",
            "program-process",
            "health-state",
            "program-is-softphone",
            "program-ignore",
            "actions",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: items.into_iter().flatten().map(row).collect(),
        empty: request.say("programs-none"),
        order: None,
    }
}
