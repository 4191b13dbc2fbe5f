//! The place of a person in the tree of scopes.

use super::{ORGANISATION, ScopeId};

/// The location and configuration group of a person: a path in the tree of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Membership {
    /// The location's id.
    pub location: Option<ScopeId>,
    /// The configuration group's id.
    pub group: Option<ScopeId>,
}

impl Membership {
    /// The id of the lowest scope: group, location or organisation.
    pub fn scope(&self) -> &ScopeId {
        let scope = self.group.as_ref().or(self.location.as_ref());
        scope.unwrap_or(ORGANISATION)
    }

    /// The membership one scope higher; `None` for the organisation.
    pub fn above(&self) -> Option<Self> {
        match (&self.location, &self.group) {
            (None, _) => None,
            (Some(_), None) => Some(Self::default()),
            (location, Some(_)) => Some(Self {
                location: location.clone(),
                group: None,
            }),
        }
    }
}
