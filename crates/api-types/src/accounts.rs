//! Accounts (`/accounts`).

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::closed_list::closed_list;

closed_list! {
    /// The permissions of an account.
    Role {
        /// Changes to the account's own person.
        Person = "person",
        /// Administration of one location.
        LocationAdmin = "location_admin",
        /// Administration of the organisation.
        SystemAdmin = "system_admin",
    }
}

/// A page of the accounts, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accounts {
    /// The accounts.
    pub items: Vec<Account>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// An account that can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Number, never reused.
    pub id: String,
    /// Sign-in name, unique regardless of case.
    pub name: String,
    /// Permissions.
    #[schema(value_type = String)]
    pub role: Role,
    /// Id of the account's person.
    pub person: Option<String>,
    /// The location that the account administers.
    pub location: Option<String>,
    /// Whether the account can sign in by password.
    pub has_password: bool,
    /// Time of creation.
    pub created_at: String,
}

/// An account to add.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Sign-in name, unique regardless of case.
    pub name: String,
    /// Permissions, as entered: the server explains a word that is no [`Role`].
    pub role: String,
    /// Id of the account's person.
    pub person: Option<String>,
    /// The location that the account administers.
    pub location: Option<String>,
    /// Null: the account cannot sign in by password.
    pub password: Option<String>,
}

/// Changes of an account. Absent fields stay; null clears a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// Permissions, as entered: the server explains a word that is no [`Role`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Id of the account's person.
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub person: Option<Option<String>>,
    /// The location that the account administers.
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub location: Option<Option<String>>,
}

/// Distinguishes null from an absent field.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A password to set.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The present password; required for one's own account if that has one.
    pub old_password: Option<String>,
    /// The new password.
    pub password: String,
}

#[cfg(test)]
mod tests {
    use super::AccountChange;

    #[test]
    fn null_and_an_absent_field_differ_in_a_change() {
        for (json, person) in [
            ("{}", None),
            (r#"{"person":null}"#, Some(None)),
            (r#"{"person":"7"}"#, Some(Some("7".to_owned()))),
        ] {
            let change: AccountChange = serde_json::from_str(json).unwrap();
            assert_eq!(change.person, person, "{json}");
            assert_eq!(serde_json::to_string(&change).unwrap(), json);
        }
    }
}
