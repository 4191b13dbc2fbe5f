//! Ids of scopes.

use std::{borrow::Cow, fmt};

use serde::Serialize;

/// Id of a scope, which never changes: `organisation`, or one made of the name of a location or group. An entered text may be
/// the id of no scope.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ScopeId(Cow<'static, str>);

/// Id of the organisation's scope, the root of the tree, which always exists.
pub const ORGANISATION: &ScopeId = &ScopeId(Cow::Borrowed("organisation"));

impl ScopeId {
    /// The id as text, as in the API and in the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ScopeId {
    fn from(id: String) -> Self {
        Self(Cow::Owned(id))
    }
}

impl From<&str> for ScopeId {
    fn from(id: &str) -> Self {
        Self::from(id.to_owned())
    }
}

impl From<ScopeId> for String {
    fn from(id: ScopeId) -> Self {
        id.0.into_owned()
    }
}

impl fmt::Debug for ScopeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for ScopeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
