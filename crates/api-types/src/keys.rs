//! API keys (`/keys`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The API keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keys {
    /// The keys, without their secrets.
    pub items: Vec<Key>,
}

/// An API key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// Id of the key, which is no secret.
    pub id: String,
    /// Name of the program that uses the key.
    pub name: String,
    /// Permissions.
    pub scopes: Vec<String>,
    /// Time of creation.
    pub created_at: String,
    /// The key itself; only in the answer to POST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// An API key to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Name of the program that uses the key.
    pub name: String,
    /// Permissions, as entered: the server explains unknown ones.
    pub scopes: Vec<String>,
}
