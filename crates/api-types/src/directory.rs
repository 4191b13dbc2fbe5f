//! Synchronisation of people with Entra (`/directory`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::closed_list::closed_list;

closed_list! {
    /// Kind of an action of a synchronisation.
    DirectoryActionKind {
        /// A person was added.
        Added = "added",
        /// A person was updated.
        Updated = "updated",
        /// A person was removed: the account is gone.
        Gone = "gone",
        /// A person without an account was left alone.
        Unmatched = "unmatched",
        /// An account that several people may have was left alone.
        Ambiguous = "ambiguous",
        /// The database refused the change.
        Refused = "refused",
    }
}

/// Result or preview of a synchronisation. Matched, unchanged accounts are not listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Directory {
    /// Time of the synchronisation.
    pub at: String,
    /// Whether the synchronisation was only previewed.
    pub dry_run: bool,
    /// Accounts in the directory.
    pub accounts: usize,
    /// The actions.
    pub items: Vec<DirectoryAction>,
    /// Possible problems: unreadable elements of the directory, refused changes, misleading names.
    pub warnings: Vec<String>,
}

/// An action of a synchronisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DirectoryDeed)]
pub struct DirectoryAction {
    /// `added`, `updated`, `gone`, `unmatched` (a person without an account), `ambiguous` (an account that several people
    /// match), `refused`.
    #[schema(value_type = String)]
    pub what: DirectoryActionKind,
    /// Id of the person.
    pub person: Option<String>,
    /// Name of the person or account.
    pub name: String,
    /// Reason of the action.
    pub reason: String,
}

/// Request for a synchronisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DirectoryWish)]
pub struct DirectorySynchronisation {
    /// Whether the synchronisation is only previewed.
    #[serde(default)]
    pub dry_run: bool,
    /// Name of the tenant; optional if only one has a directory.
    pub tenant: Option<String>,
}
