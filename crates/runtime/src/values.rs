//! Settings as JSON, the same on the wire and in the store: a flat object of keys and values, with `user_may_change` beside them
//! if it is set.

use std::{borrow::Cow, time::Duration};

use presence::{
    OwnerPolicy, Relationship, Setting, SettingValues, SettingsGroup, SyncMode, UserOverride, Value,
};
use serde_json::{Map, Value as Json, json};

use crate::limits::{ADDRESS_MAX, NAME_MAX};

/// Key of the object that names the settings which people may change.
pub const USER_MAY_CHANGE: &str = "user_may_change";

/// A value that a setting cannot have.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The key.
    pub key: String,
    /// The reason and the remedy.
    pub detail: String,
}

/// A value in JSON.
pub fn json(value: &Value) -> Json {
    match value {
        Value::Flag(flag) => json!(flag),
        Value::Duration(duration) => json!(duration.as_secs()),
        Value::Mode(mode) => json!(mode.name()),
        Value::Level(level) => json!(level.name()),
        Value::Policy(policy) => json!(policy.name()),
        Value::ProfileName(text) | Value::TimeZone(text) | Value::FeedAddress(text) => json!(text),
    }
}

/// A group of settings for the store: only the values that are set.
pub fn page_json(values: &SettingValues) -> Json {
    let mut object: Map<String, Json> = values
        .values
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json(value)))
        .collect();
    if !values.user_may_change.is_empty() {
        object.insert(USER_MAY_CHANGE.into(), json!(values.user_may_change));
    }
    Json::Object(object)
}

/// A group of settings from the store, without the keys and values that this version does not know.
pub fn stored(page: SettingsGroup, text: &str) -> SettingValues {
    let mut values = SettingValues::default();
    if let Ok(Json::Object(object)) = serde_json::from_str(text) {
        for (key, value) in object {
            // One by one: an unknown value does not discard the others.
            let _ = merge(page, Map::from_iter([(key, value)]), &mut values);
        }
    }
    values
}

/// Applies a request to a group of settings. Null restores the default.
///
/// # Errors
/// The first unknown key or impossible value; the settings are not to be used then.
pub fn merge(
    page: SettingsGroup,
    body: Map<String, Json>,
    values: &mut SettingValues,
) -> Result<(), Refusal> {
    for (key, value) in body {
        if key == USER_MAY_CHANGE {
            merge_user_may_change(page, value, values)?;
            continue;
        }
        let setting = setting(page, &key)?;
        if value.is_null() && !setting.default.is_optional() {
            values.values.remove(setting.key);
        } else {
            let value = read(setting, &value).map_err(|detail| Refusal { key, detail })?;
            values.values.insert(setting.key, value);
        }
    }
    Ok(())
}

fn setting(page: SettingsGroup, key: &str) -> Result<&'static Setting, Refusal> {
    page.setting(key).ok_or_else(|| {
        let known: Vec<&str> = page.settings().map(|setting| setting.key).collect();
        let (page, known) = (page.name(), known.join(", "));
        Refusal {
            key: key.into(),
            detail: format!("the page {page} has no setting {key:?}; it has {known}"),
        }
    })
}

fn merge_user_may_change(
    page: SettingsGroup,
    body: Json,
    values: &mut SettingValues,
) -> Result<(), Refusal> {
    let refusal = |key: &str, detail: String| Refusal {
        key: format!("{USER_MAY_CHANGE}.{key}"),
        detail,
    };
    let Json::Object(object) = body else {
        let detail = "must be an object like {\"mode\": true}".to_owned();
        return Err(Refusal {
            key: USER_MAY_CHANGE.into(),
            detail,
        });
    };
    for (key, value) in object {
        let setting = setting(page, &key)?;
        if setting.user_override == UserOverride::Never {
            let detail = format!("{key} is the administrator's alone; leave it out");
            return Err(refusal(&key, detail));
        }
        let Some(may) = value.as_bool() else {
            return Err(refusal(&key, format!("{value} is neither true nor false")));
        };
        values.user_may_change.insert(setting.key, may);
    }
    Ok(())
}

fn read(setting: &Setting, json: &Json) -> Result<Value, String> {
    let name = json.as_str();
    let one_of = |names: &[&str]| format!("{json} is none of {}", names.join(", "));
    match setting.default {
        Value::Flag(_) => json
            .as_bool()
            .map(Value::Flag)
            .ok_or_else(|| format!("{json} is neither true nor false")),
        Value::Duration(_) => {
            let (least, most) = setting.range;
            json.as_u64()
                .filter(|number| (least.into()..=most.into()).contains(number))
                .map(|seconds| Value::Duration(Duration::from_secs(seconds)))
                .ok_or_else(|| format!("{json} is no number of seconds from {least} to {most}"))
        }
        Value::Mode(_) => name
            .and_then(SyncMode::from_name)
            .map(Value::Mode)
            .ok_or_else(|| one_of(&SyncMode::ALL.map(SyncMode::name))),
        Value::Level(_) => name
            .and_then(Relationship::from_name)
            .map(Value::Level)
            .ok_or_else(|| one_of(&Relationship::ALL.map(Relationship::name))),
        Value::Policy(_) => name
            .and_then(OwnerPolicy::from_name)
            .map(Value::Policy)
            .ok_or_else(|| one_of(&OwnerPolicy::ALL.map(OwnerPolicy::name))),
        Value::ProfileName(_) => text(json, NAME_MAX).map(Value::ProfileName),
        Value::TimeZone(_) => text(json, NAME_MAX)
            .and_then(|zone| match &zone {
                Some(name) if !calendar::is_zone(name) => {
                    let expected = "expected for example \"Europe/Berlin\"";
                    Err(format!("{name:?} is no time zone; {expected}"))
                }
                _ => Ok(zone),
            })
            .map(Value::TimeZone),
        Value::FeedAddress(_) => text(json, ADDRESS_MAX).map(Value::FeedAddress),
    }
}

fn text(json: &Json, most: usize) -> Result<Option<Cow<'static, str>>, String> {
    match json {
        Json::Null => Ok(None),
        Json::String(text) if text.len() > most => Err(format!(
            "a text of {} bytes is too long; at most {most} are allowed",
            text.len()
        )),
        Json::String(text) if text.trim().is_empty() => Ok(None),
        Json::String(text) if text.trim().chars().any(char::is_control) => {
            Err("has line breaks or other control characters; write one line".into())
        }
        Json::String(text) => Ok(Some(Cow::Owned(text.trim().to_owned()))),
        _ => Err(format!(
            "{json} is no text; write it in quotes, or null for none"
        )),
    }
}

#[cfg(test)]
mod tests {
    use presence::{SETTINGS, SettingValues, SettingsGroup, SyncMode, setting_keys};
    use serde_json::{Map, json};

    use super::{json as write, merge, page_json, stored};

    #[test]
    fn every_default_is_read_as_it_is_written() {
        for setting in SETTINGS {
            let mut values = SettingValues::default();
            let body = Map::from_iter([(setting.key.to_owned(), write(&setting.default))]);
            merge(setting.group, body, &mut values).unwrap();
            assert_eq!(values.value(setting), &setting.default, "{}", setting.key);
        }
    }

    #[test]
    fn a_page_comes_back_from_the_store_as_it_was() {
        let mut values = SettingValues::default();
        let body = json!({"mode": "telephony_only", "renew_dnd": true, "user_may_change": {"mode": false}});
        merge(
            SettingsGroup::Teams,
            body.as_object().unwrap().clone(),
            &mut values,
        )
        .unwrap();
        assert_eq!(values.get(setting_keys::SYNC_MODE), SyncMode::TelephonyOnly);
        assert_eq!(
            stored(SettingsGroup::Teams, &page_json(&values).to_string()),
            values
        );
    }

    #[test]
    fn refusals_name_the_key_and_the_remedy() {
        for (page, body, key, remedy) in [
            (
                SettingsGroup::Teams,
                json!({"mode": "all"}),
                "mode",
                "telephony_only",
            ),
            (
                SettingsGroup::Teams,
                json!({"nonsense": 1}),
                "nonsense",
                "base_from_teams",
            ),
            (
                SettingsGroup::Automatic,
                json!({"inactivity_after": 5}),
                "inactivity_after",
                "from 60",
            ),
            (
                SettingsGroup::Automatic,
                json!({"locked": 5}),
                "locked",
                "in quotes",
            ),
            (
                SettingsGroup::Presence,
                json!({"relationship": "Friend"}),
                "relationship",
                "Employee",
            ),
            (
                SettingsGroup::Teams,
                json!({"user_may_change": {"renew_dnd": true}}),
                "user_may_change.renew_dnd",
                "leave it out",
            ),
        ] {
            let body = body.as_object().unwrap().clone();
            let refusal = merge(page, body, &mut SettingValues::default()).unwrap_err();
            assert_eq!(refusal.key, key);
            assert!(refusal.detail.contains(remedy), "{}", refusal.detail);
        }
    }
}
