//! People of the directory as Graph tells them, page by page (reference 8).

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What is asked for: enough to match people by id, sign-in name, mail and number.
pub(crate) const SELECT: &str =
    "id,userPrincipalName,mail,displayName,businessPhones,mobilePhone,accountEnabled";

/// A user of the directory. What was not asked for, is not set or may not be read is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryUser {
    /// Entra object id: the only key for presence.
    pub id: String,
    /// Sign-in name.
    #[serde(default)]
    pub user_principal_name: Option<String>,
    /// Primary address.
    #[serde(default)]
    pub mail: Option<String>,
    /// Name to show.
    #[serde(default)]
    pub display_name: Option<String>,
    /// At most one, free text.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub business_phones: Vec<String>,
    /// Free text.
    #[serde(default)]
    pub mobile_phone: Option<String>,
    /// `Some(false)` if the person may not sign in.
    #[serde(default)]
    pub account_enabled: Option<bool>,
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A page of people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPage {
    /// The people.
    pub users: Vec<DirectoryUser>,
    /// For the next page; `None`: that was all. A page may be empty and not the last.
    pub next: Option<String>,
}

/// A change since the last time. The same one may come again, and so may what is known already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserChange {
    /// New or changed, with all that was asked for.
    Present(DirectoryUser),
    /// Deleted.
    Removed {
        /// Entra object id.
        id: String,
        /// False if the account can be restored for thirty days (`changed`), true if it is gone (`deleted`).
        forever: bool,
    },
}

/// What [`crate::Client::users_delta`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// Changes, and there are more: ask with `next`.
    Page {
        /// The changes.
        changes: Vec<UserChange>,
        /// The link of the next page.
        next: String,
    },
    /// Changes, and that was all: keep `link` for the next time, seven days at most.
    End {
        /// The changes.
        changes: Vec<UserChange>,
        /// The link of the next time.
        link: String,
    },
    /// The link is too old (410 or `syncStateNotFound`): begin without one, and take who does not come for deleted.
    Resync,
}

#[derive(Deserialize)]
pub(crate) struct PageWire {
    value: Vec<Value>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(default, rename = "@odata.deltaLink")]
    delta: Option<String>,
}

#[derive(Deserialize)]
struct RemovedWire {
    id: String,
    #[serde(rename = "@removed")]
    removed: Reason,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

impl PageWire {
    /// The people; what has no id is left out.
    pub(crate) fn users(self) -> UserPage {
        let users = self.value.into_iter();
        UserPage {
            users: users
                .filter_map(|user| serde_json::from_value(user).ok())
                .collect(),
            next: self.next,
        }
    }

    /// The changes; `Err` if the page leads nowhere.
    pub(crate) fn delta(self) -> Result<Delta, &'static str> {
        let changes = self.value.into_iter().filter_map(change).collect();
        match (self.next, self.delta) {
            (Some(next), _) => Ok(Delta::Page { changes, next }),
            (None, Some(link)) => Ok(Delta::End { changes, link }),
            (None, None) => Err("neither a nextLink nor a deltaLink in it"),
        }
    }
}

fn change(value: Value) -> Option<UserChange> {
    if value.get("@removed").is_some() {
        let removed: RemovedWire = serde_json::from_value(value).ok()?;
        return Some(UserChange::Removed {
            id: removed.id,
            forever: removed.removed.reason == "deleted",
        });
    }
    serde_json::from_value(value).ok().map(UserChange::Present)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(value: Value) -> PageWire {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn people_are_read_with_whatever_they_have() {
        let page = page(json!({ "value": [
            { "id": "a", "userPrincipalName": "a@x", "mail": null, "displayName": "A",
              "businessPhones": ["+49 30 1"], "mobilePhone": null, "accountEnabled": false, "new": 1 },
            { "id": "b", "businessPhones": null },
            { "displayName": "nobody" },
        ], "@odata.nextLink": "https://g/next" }));
        let page = page.users();
        assert_eq!(
            (page.users.len(), page.next.as_deref()),
            (2, Some("https://g/next"))
        );
        assert_eq!(page.users[0].business_phones, ["+49 30 1"]);
        assert_eq!(page.users[0].account_enabled, Some(false));
        assert_eq!(
            page.users[1],
            DirectoryUser {
                id: "b".into(),
                ..DirectoryUser::default()
            }
        );
    }

    #[test]
    fn row_102_removed_people_are_told_from_changed_ones() {
        let value = json!([
            { "id": "a", "@removed": { "reason": "changed" } },
            { "id": "b", "@removed": { "reason": "deleted" } },
            { "id": "c", "mail": "c@x" },
            { "@removed": {} },
        ]);
        let delta = page(json!({ "value": value, "@odata.deltaLink": "https://g/delta" })).delta();
        let Ok(Delta::End { changes, link }) = delta else {
            panic!("{delta:?}");
        };
        let removed = |id: &str, forever| UserChange::Removed {
            id: id.into(),
            forever,
        };
        assert_eq!(link, "https://g/delta");
        assert_eq!(changes.len(), 3);
        assert_eq!(changes[..2], [removed("a", false), removed("b", true)]);
        assert!(matches!(&changes[2], UserChange::Present(user) if user.id == "c"));
        let empty = page(json!({ "value": [], "@odata.nextLink": "https://g/next" }));
        assert!(matches!(empty.delta(), Ok(Delta::Page { .. })));
        assert!(page(json!({ "value": [] })).delta().is_err());
    }
}
