//! Settings of scopes (`/scopes/{scope}/settings/{page}`) and of people (`/people/{id}/settings/{page}`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The settings of a group in a scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScopeSettings {
    /// The values in effect, by the keys of [`presence::SETTINGS`].
    #[serde(flatten)]
    pub values: Map<String, Value>,
    /// Whether people may change a setting, by key.
    pub user_may_change: BTreeMap<String, bool>,
    /// Whether the scope has its own settings in this group.
    pub individual: bool,
    /// The scope of the values; `product`: the defaults.
    pub decided_by: String,
}

/// Changes of the settings of a group in a scope. Absent values stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScopeSettingsChange {
    /// The values to set, by the keys of [`presence::SETTINGS`]; null restores the default.
    #[serde(flatten)]
    pub values: Map<String, Value>,
    /// Whether people may change a setting, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user_may_change: BTreeMap<String, bool>,
    /// False: the scope inherits its settings again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub individual: Option<bool>,
    /// The scope to copy when a scope gets its own settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_from: Option<String>,
}

/// The settings of a group for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonSettings {
    /// State of the person's calendar feed; only in the group `calendar`.
    #[serde(flatten)]
    pub feed_state: Option<FeedState>,
    /// The values in effect, by the keys of [`presence::SETTINGS`].
    #[serde(flatten)]
    pub values: Map<String, Value>,
    /// Whether the person may change a setting, by key.
    pub user_may_change: BTreeMap<String, bool>,
    /// The person's own values, by key.
    pub own: Map<String, Value>,
    /// The scope of the inherited values; `product`: the defaults.
    pub decided_by: String,
}

/// State of a person's calendar feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedState {
    /// Reason why the feed could not be read, with the remedy.
    pub trouble: Option<String>,
    /// The same for programs.
    pub trouble_code: Option<String>,
    /// Parts of the feed that could not be read, at most 20.
    pub unread: Vec<UnreadPart>,
}

/// A part of a feed that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadPart {
    /// Name of the fault.
    pub code: String,
    /// Number of the event in the feed.
    pub event: Option<usize>,
    /// Line of the feed.
    pub line: Option<u32>,
    /// The property at fault.
    pub property: Option<String>,
    /// The fault as a sentence.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{PersonSettings, ScopeSettings};

    #[test]
    fn values_and_fields_beside_them_are_kept_apart() {
        let body = json!({
            "mode": "none", "user_may_change": {"mode": true}, "individual": false, "decided_by": "product",
        });
        let settings: ScopeSettings = serde_json::from_value(body.clone()).unwrap();
        assert_eq!(settings.values.len(), 1);
        assert_eq!(serde_json::to_value(&settings).unwrap(), body);
    }

    #[test]
    fn only_the_calendar_has_the_state_of_a_feed() {
        let mut body = json!({
            "feed": null, "user_may_change": {}, "own": {}, "decided_by": "product",
        });
        let settings: PersonSettings = serde_json::from_value(body.clone()).unwrap();
        assert_eq!(settings.feed_state, None);
        assert_eq!(serde_json::to_value(&settings).unwrap(), body);
        body["trouble"] = Value::Null;
        body["trouble_code"] = Value::Null;
        body["unread"] = json!([]);
        let settings: PersonSettings = serde_json::from_value(body.clone()).unwrap();
        assert!(settings.feed_state.is_some());
        assert_eq!(settings.values.len(), 1);
        assert_eq!(serde_json::to_value(&settings).unwrap(), body);
    }
}
