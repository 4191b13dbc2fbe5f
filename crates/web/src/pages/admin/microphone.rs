//! Microphone Sync: programs that colleagues see at the microphone, by scope.

use api::problem::ProblemCode;
use api_types::{
    programs::{NewProgram, Program, Programs, ProgramsChange},
    scopes::Scope,
    settings::{ScopeSettings, ScopeSettingsChange},
};
use presence::setting_keys;
use runtime::{
    organisation::{ORGANISATION, PRODUCT},
    programs::HOURS_MAX,
};
use serde_json::{Map, Value};

use super::{
    require_administrator,
    scopes::{administers, full_name, in_order},
    settings_at,
};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Block, Button, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
    yes_or_no,
};

const HERE: &str = "/admin/microphone";
/// Field with the hours after which a program is ignored.
const HOURS: &str = "ignore_after_hours";

/// The process table of a scope.
pub(super) struct Microphone;

impl PageHandler for Microphone {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(request)?;
        let scope = scope(request);
        let read = request.api.read::<Programs>(&table_path(&scope)).await?;
        let settings: ScopeSettings = request.api.get(&settings_path(&scope)).await?;
        let enabled =
            settings.values.get(setting_keys::MICROPHONE_ENABLED.name) == Some(&Value::Bool(true));
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
        let decided_by = scope_name(request, &read.value.decided_by);
        let individual = read.value.individual;
        let origin = if individual {
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
            .text(origin)
            .table(table(request, &scope, &read.value.items));
        let edited = match back {
            None => request.query("edit"),
            Some(back) if back.typed.one("form") == "save" => back.typed.given("key"),
            Some(_) => None,
        };
        if let Some(process) = edited {
            let read = request
                .api
                .read::<Program>(&program_path(&scope, process))
                .await?;
            let mut form = Form::new(
                request.words,
                "save",
                request.words.with("profile-edit", "name", process),
            )
            .tag(&read.tag)
            .hidden("key", process);
            form.fields.extend(fields(request, Some(&read.value)));
            let active = request.say("program-active");
            form = form.field(Field::check("active", active, read.value.active));
            page = page.form(form.button(request.say("save")), back);
        }
        let mut form = Form::new(request.words, "add", request.say("program-add"));
        form.fields.extend(fields(request, None));
        page = page.form(form.button(request.say("add")), back);
        Ok(page.form(
            copy_form(request, &scope, individual).await?.tag(&read.tag),
            back,
        ))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(request)?;
        let scope = scope(request);
        let here = format!("{HERE}?scope={}", part(&scope));
        let key = typed.one("key");
        let confirmation = match typed.one("form") {
            "enable" => {
                let on = ScopeSettingsChange {
                    individual: Some(true),
                    values: Map::from_iter([(
                        setting_keys::MICROPHONE_ENABLED.name.to_owned(),
                        Value::Bool(true),
                    )]),
                    ..ScopeSettingsChange::default()
                };
                request.api.put(&settings_path(&scope), on, "").await?;
                "saved"
            }
            "add" => {
                let program = entered(typed)?;
                let body = NewProgram {
                    process: program.process,
                    also: program.also,
                    alias: Some(program.alias),
                    softphone: Some(program.softphone),
                    ignore_after_hours: program.ignore_after_hours,
                };
                request.api.post(&table_path(&scope), body).await?;
                "program-added"
            }
            "save" => {
                request
                    .api
                    .put(
                        &program_path(&scope, key),
                        entered(typed)?,
                        typed.one("tag"),
                    )
                    .await?;
                "saved"
            }
            "delete" => {
                request.api.delete(&program_path(&scope, key)).await?;
                "deleted"
            }
            "table" => {
                let body = match typed.given("from") {
                    None => ProgramsChange {
                        individual: Some(false),
                        copy_from: None,
                    },
                    Some(from) => ProgramsChange {
                        individual: None,
                        copy_from: Some(from.to_owned()),
                    },
                };
                request
                    .api
                    .put(&table_path(&scope), body, typed.one("tag"))
                    .await?;
                "saved"
            }
            switch => {
                let read = request
                    .api
                    .read::<Program>(&program_path(&scope, key))
                    .await?;
                let body = Program {
                    active: switch == "activate",
                    ..read.value
                };
                request
                    .api
                    .put(&program_path(&scope, key), body, &read.tag)
                    .await?;
                "saved"
            }
        };
        Ok(Done::new(here, confirmation).into())
    }
}

/// The shown scope; for a location administrator first the location.
fn scope(request: &PageContext) -> String {
    let own = request.caller.location().unwrap_or(ORGANISATION);
    request.query("scope").unwrap_or(own.as_str()).to_owned()
}

fn table_path(scope: &str) -> String {
    format!("/scopes/{}/programs", part(scope))
}

fn settings_path(scope: &str) -> String {
    format!("/scopes/{}/settings/microphone", part(scope))
}

fn program_path(scope: &str, process: &str) -> String {
    format!("{}/{}", table_path(scope), part(process))
}

/// Links to the tables of other scopes.
async fn scopes(request: &PageContext, here: &str) -> Result<Block, Refusal> {
    let all: Vec<Scope> = request.api.items("/scopes").await?;
    let administered = in_order(&all).into_iter();
    let administered = administered.filter(|scope| administers(request, &scope.id));
    let links = administered.map(|scope| Link {
        is_here: scope.id == here,
        ..Link::new(
            format!("{HERE}?scope={}", part(&scope.id)),
            full_name(request, scope),
        )
    });
    Ok(Block::Links(request.say("nav-scopes"), links.collect()))
}

/// The fields of a program; `None`: a new one.
fn fields(request: &PageContext, program: Option<&Program>) -> [Field; 5] {
    let text = |of: fn(&Program) -> &String| program.map(of).cloned().unwrap_or_default();
    let also = program.map(|program| program.also.join(", "));
    let hours = program.and_then(|program| program.ignore_after_hours);
    [
        Field::text("process", request.say("program-process"))
            .required()
            .value(text(|program| &program.process))
            .help(request.say("program-process-help")),
        Field::text("alias", request.say("program-alias"))
            .value(text(|program| &program.alias))
            .help(request.say("program-alias-help")),
        Field::text("also", request.say("program-also"))
            .value(also.unwrap_or_default())
            .help(request.say("program-also-help")),
        Field::check(
            "softphone",
            request.say("program-softphone"),
            program.is_some_and(|program| program.softphone),
        ),
        Field::text(HOURS, request.say("program-ignore"))
            .value(hours.map(|hours| hours.to_string()).unwrap_or_default())
            .help(request.say("program-ignore-help")),
    ]
}

/// The entered program.
fn entered(typed: &EnteredForm) -> Result<Program, Refusal> {
    let hours = typed.given(HOURS).map(|hours| {
        hours.parse().map_err(|_| {
            let code = ProblemCode::new("not-hours").with("most", HOURS_MAX);
            Refusal::of_code(HOURS, code)
        })
    });
    let also = typed.one("also").split(',').map(str::trim);
    let also = also.filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(Program {
        process: typed.one("process").to_owned(),
        also: also.collect(),
        alias: typed.one("alias").to_owned(),
        active: typed.ticked("active"),
        softphone: typed.ticked("softphone"),
        ignore_after_hours: hours.transpose()?,
    })
}

/// The form that copies another table or inherits that of the scope above.
async fn copy_form(request: &PageContext, scope: &str, individual: bool) -> Result<Form, Refusal> {
    let mut choices = Vec::new();
    if individual {
        choices.push(Choice::new("", request.say("programs-as-above")));
    }
    choices.push(Choice::new(PRODUCT, request.say("copy-product")));
    let scopes: Vec<Scope> = request.api.items("/scopes").await?;
    for other in in_order(&scopes) {
        let id = &*other.id;
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

fn table(request: &PageContext, scope: &str, programs: &[Program]) -> Table {
    let row = |program: &Program| {
        let process = &*program.process;
        let shown = match &*program.alias {
            "" => process,
            alias => alias,
        };
        let (switch, label) = if program.active {
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
        let hours = program.ignore_after_hours;
        let edit = format!("{HERE}?scope={}&edit={}", part(scope), part(process));
        Row {
            key: process.to_owned(),
            cells: vec![
                Cell::Link(edit, shown.to_owned()),
                Cell::Code(process.to_owned()),
                Cell::Mark(
                    program.active,
                    request.say(if program.active {
                        "profile-active"
                    } else {
                        "profile-inactive"
                    }),
                ),
                Cell::Text(yes_or_no(request.words, program.softphone)),
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
        rows: programs.iter().map(row).collect(),
        empty: request.say("programs-none"),
        order: None,
    }
}
