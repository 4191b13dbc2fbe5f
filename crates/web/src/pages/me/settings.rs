//! My settings: own values, and values of the administrator.

use gateway::calendars::Unread;
use presence::{Setting, SettingsGroup};
use serde_json::{Map, Value, json};

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, Choice, Field, Form, Kind, RefusedForm, text},
    page_context::{EnteredForm, PageContext},
    setting::{self, Profiles},
};

const HERE: &str = "/me/settings";

/// My settings.
pub(super) struct Settings;

impl PageHandler for Settings {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let mut page =
            Page::new(request, request.say("nav-settings")).text(request.say("settings-about"));
        let profiles = Profiles::of(
            &request
                .api
                .items::<Value>(&request.mine("profiles")?)
                .await?,
        );
        for settings in SettingsGroup::ALL {
            let read = request
                .api
                .read::<Value>(&request.mine(&format!("settings/{}", settings.name()))?)
                .await?;
            let form = form(request, settings, &read.value, &profiles).tag(&read.tag);
            if let Some(code) = read.value.get("trouble_code").and_then(Value::as_str) {
                let trouble = request.say(&format!("feed-trouble-{code}"));
                page = page.add(Block::Alert(trouble));
                if code == Unread::CODE {
                    page = page.add(Block::Facts(unread(request, &read.value)));
                }
            }
            page = page.form(form, back);
        }
        Ok(page)
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let name = typed.one("form");
        let settings = SettingsGroup::from_name(name).ok_or_else(|| Refusal::no_page(name))?;
        let mut body = Map::new();
        for setting in settings
            .settings()
            .filter(|setting| typed.ticked(setting.key))
        {
            let value = match typed.given(setting.key) {
                None => Value::Null,
                Some(value) => setting::read(setting, value),
            };
            body.insert(setting.key.to_owned(), value);
        }
        let path = request.mine(&format!("settings/{name}"))?;
        request
            .api
            .put(&path, json!(body), typed.one("tag"))
            .await?;
        Ok(Done::new(HERE, "saved").into())
    }
}

/// Unreadable parts of the calendar feed, each with its line.
fn unread(request: &PageContext, read: &Value) -> Vec<(String, Cell)> {
    let problems = read.get("unread").and_then(Value::as_array);
    let problems = problems.into_iter().flatten();
    problems
        .map(|problem| {
            let line = problem.get("line").and_then(Value::as_u64);
            let place = match line {
                Some(line) => request
                    .words
                    .with("feed-unread-line", "value", line.to_string()),
                None => request.say("feed-unread-calendar"),
            };
            let key = format!("feed-unread-{}", text(problem, "code"));
            let property = text(problem, "property").to_owned();
            (
                place,
                Cell::Text(request.words.with(&key, "name", property)),
            )
        })
        .collect()
}

fn form(request: &PageContext, page: SettingsGroup, read: &Value, profiles: &Profiles) -> Form {
    let may = read.get("user_may_change").unwrap_or(&Value::Null);
    let own = read.get("own").unwrap_or(&Value::Null);
    let scope = setting::scope_name(request, text(read, "decided_by"));
    let mut form = Form::new(
        request.words,
        page.name(),
        request.say(&format!("page-{}", page.name())),
    );
    let mut any = false;
    for setting in page.settings() {
        let held = read.get(setting.key).unwrap_or(&Value::Null);
        let is_mine = may.get(setting.key) == Some(&json!(true));
        any |= is_mine;
        let field = if is_mine {
            field(request, setting, held, own.get(setting.key), profiles)
        } else {
            let locked = request.words.with("card-locked", "scope", scope.as_str());
            Field::new(setting.key, setting::label(request, setting), Kind::Shown)
                .value(setting::shown(request, setting, held))
                .help(format!("\u{1F512} {locked}"))
        };
        form = form.field(field);
    }
    if any {
        form.button(request.say("save"))
    } else {
        form
    }
}

/// The field of a setting, with an option to inherit the administrator's value.
fn field(
    request: &PageContext,
    setting: &'static Setting,
    held: &Value,
    own: Option<&Value>,
    profiles: &Profiles,
) -> Field {
    let mut field = setting::field(request, setting, own.unwrap_or(&Value::Null), profiles);
    let given = match own {
        None => request.words.with(
            "setting-given",
            "value",
            setting::shown(request, setting, held),
        ),
        Some(_) => request.say("setting-given-none"),
    };
    if matches!(field.kind, Kind::Check) {
        let choices = [true, false]
            .map(|yes| Choice::new(yes.to_string(), crate::pages::yes_or_no(request.words, yes)));
        field.values = own.into_iter().map(Value::to_string).collect();
        field.kind = Kind::Select(choices.to_vec());
    }
    match &mut field.kind {
        Kind::Select(choices) => {
            choices.retain(|choice| !choice.value.is_empty());
            choices.insert(0, Choice::new("", given));
        }
        _ => field.help = format!("{} {given}", field.help),
    }
    field
}
