//! Fields of settings, by kind of value, for scopes and people.

use presence::{OwnerPolicy, Relationship, Setting, SettingsGroup, SyncMode, Value as Kept};
use runtime::organisation::{ORGANISATION, PRODUCT};
use serde_json::{Value, json};

use super::{
    components::{Choice, Field, Kind, text},
    page_context::PageContext,
    yes_or_no,
};

/// Names of profiles to choose from.
#[derive(Clone, Debug, Default)]
pub(super) struct Profiles(Vec<String>);

impl Profiles {
    /// The names in a list of profiles.
    pub(super) fn of(profiles: &[Value]) -> Self {
        let names = profiles.iter().map(|profile| text(profile, "name"));
        Self::named(names.map(str::to_owned))
    }

    /// These names.
    pub(super) fn named(names: impl Iterator<Item = String>) -> Self {
        Self(names.collect())
    }
}

/// The label of a setting.
pub(super) fn label(request: &PageContext, setting: &Setting) -> String {
    request.say(&format!("setting-{}-{}", setting.group.name(), setting.key))
}

/// The name of a scope.
pub(super) fn scope_name(request: &PageContext, scope: &str) -> String {
    match scope {
        PRODUCT => request.say("scope-product"),
        ORGANISATION => request.say("scope-organisation"),
        id => request.context.organisation.read(|snapshot| {
            let known = snapshot.scopes.get(id);
            known.map_or_else(|| id.to_owned(), |scope| scope.name.clone())
        }),
    }
}

/// A value as text.
pub(super) fn shown(request: &PageContext, setting: &Setting, value: &Value) -> String {
    match (&setting.default, value) {
        (Kept::Flag(_), Value::Bool(yes)) => yes_or_no(request.words, *yes),
        (Kept::Mode(_), Value::String(mode)) => request.say(&format!("mode-{mode}")),
        (Kept::Level(_), Value::String(level)) => request.say(&format!("level-{level}")),
        (Kept::Policy(_), Value::String(policy)) => request.say(&format!("policy-{policy}")),
        (Kept::Duration(_), Value::Number(seconds)) => {
            request
                .words
                .with("seconds", "count", seconds.as_u64().unwrap_or_default())
        }
        (_, Value::String(text)) => text.clone(),
        _ => request.say("card-nothing"),
    }
}

/// The field of a setting.
pub(super) fn field(
    request: &PageContext,
    setting: &'static Setting,
    value: &Value,
    profiles: &Profiles,
) -> Field {
    let label = label(request, setting);
    let choices = |names: &[&str], kind: &str| {
        let choices = names
            .iter()
            .map(|name| Choice::new(*name, request.say(&format!("{kind}-{name}"))));
        Kind::Select(choices.collect())
    };
    let kind = match &setting.default {
        Kept::Flag(_) => return Field::check(setting.key, label, value == &json!(true)),
        Kept::Duration(_) => Kind::Number(setting.range.0, setting.range.1),
        Kept::Mode(_) => choices(&SyncMode::ALL.map(SyncMode::name), "mode"),
        Kept::Level(_) => choices(&Relationship::ALL.map(Relationship::name), "level"),
        Kept::Policy(_) => choices(&OwnerPolicy::ALL.map(OwnerPolicy::name), "policy"),
        Kept::ProfileName(_) => {
            let mut names = profiles.0.clone();
            // Names of statuses are valid without a profile.
            if let (Kept::ProfileName(Some(name)), true) =
                (&setting.default, setting.group == SettingsGroup::Automatic)
            {
                names.push(name.to_string());
            }
            if let Some(name) = value.as_str() {
                names.push(name.to_owned());
            }
            let mut choices = vec![Choice::new("", request.say("card-nothing"))];
            for name in names {
                if choices.iter().all(|known| known.value != name) {
                    choices.push(Choice::new(name.clone(), name));
                }
            }
            Kind::Select(choices)
        }
        Kept::TimeZone(_) | Kept::FeedAddress(_) => Kind::Text,
    };
    let field = Field::new(setting.key, label, kind);
    let field = match &setting.default {
        Kept::Duration(_) => field.help(request.say("seconds-help")),
        Kept::TimeZone(_) | Kept::FeedAddress(_) => field.help(request.say(&format!(
            "setting-{}-{}-help",
            setting.group.name(),
            setting.key
        ))),
        _ => field,
    };
    match value {
        Value::Null => field.value(""),
        Value::String(text) => field.value(text.as_str()),
        other => field.value(other.to_string()),
    }
}

/// The entered value of a setting for the API. An invalid value is sent as it is: the API explains the refusal.
pub(super) fn read(setting: &Setting, typed: &str) -> Value {
    match setting.default {
        Kept::Flag(_) => match typed {
            "true" | "on" => json!(true),
            "false" => json!(false),
            other => json!(other),
        },
        Kept::Duration(_) => typed
            .parse::<u64>()
            .map_or_else(|_| json!(typed), |seconds| json!(seconds)),
        _ => json!(typed),
    }
}
