//! Search for the Teams accounts of people without one (`/teams-accounts/search`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Result of a search for Teams accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountSearch {
    /// Whether the search continues because it takes longer than 20 seconds.
    pub running: bool,
    /// Found accounts of people in the caller's administration.
    pub found: Vec<FoundAccount>,
    /// Number of people of the caller's administration without a Teams account.
    pub without_account: usize,
    /// Reasons why the search in a tenant stopped early; for system administrators.
    pub troubles: Vec<String>,
}

/// A person whose Teams account was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundAccount {
    /// Id of the person.
    pub person: String,
    /// Name of the person.
    pub name: String,
    /// Entra object id.
    pub account: Option<String>,
}
