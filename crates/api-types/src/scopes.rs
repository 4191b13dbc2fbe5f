//! Scopes (`/scopes`) and the place of people in them (`/people/{id}/place`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::closed_list::closed_list;

closed_list! {
    /// Kind of a scope.
    ScopeKind {
        /// A location of the organisation.
        Location = "location",
        /// A configuration group of a location.
        Group = "group",
        /// The organisation, which always exists.
        Organisation = "organisation",
    }
}

/// A page of the scopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scopes {
    /// The scopes.
    pub items: Vec<Scope>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// The organisation, a location or a configuration group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scope {
    /// Id of the scope, which never changes.
    pub id: String,
    /// Kind of the scope.
    #[schema(value_type = String)]
    pub kind: ScopeKind,
    /// The organisation of a location, or the location of a group.
    pub parent: Option<String>,
    /// Name of the scope.
    pub name: String,
    /// The tenant of a location; null: the main one.
    pub tenant: Option<String>,
}

/// Changes of a scope. Absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeChange {
    /// Name of the scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The tenant of a location, by its name in the configuration; empty or `main`: that of `[teams]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// A scope to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScope {
    /// `location` or `group`, as entered: the server explains other words.
    pub kind: String,
    /// The location of a group.
    pub parent: Option<String>,
    /// Name of the scope.
    pub name: String,
}

/// Location and configuration group of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Id of the location; null: none.
    pub location: Option<String>,
    /// Id of the group of the location; null: none.
    pub group: Option<String>,
}
