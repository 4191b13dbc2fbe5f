//! Result of a synchronisation: the action for each person or account, the warnings, and errors.

use graph::GraphError;
use presence::{PersonId, Timestamp};
use runtime::health::{DirectoryPart, Trouble};
use store::StoreError;

/// Result of a synchronisation, or of a dry run.
#[derive(Clone, Debug, Default)]
pub struct SyncOutcome {
    /// Time of the synchronisation.
    pub at: Timestamp,
    /// Whether this is a dry run, which changed nothing.
    pub dry_run: bool,
    /// Number of accounts in the directory.
    pub accounts: usize,
    /// The actions.
    pub actions: Vec<SyncAction>,
    /// Warnings, by the part of the synchronisation.
    pub(super) warnings: Vec<(DirectoryPart, Option<Trouble>)>,
}

impl SyncOutcome {
    /// The warnings, each with its remedy.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = self
            .warnings
            .iter()
            .filter_map(|(_, warning)| warning.as_ref());
        warnings
            .map(|warning| format!("{}; {}", warning.what, warning.remedy))
            .collect()
    }
}

/// An action for one person or account, with its reason.
#[derive(Clone, Debug)]
pub struct SyncAction {
    /// Kind of the action.
    pub kind: ActionKind,
    /// The person; `None`: there is none yet.
    pub person: Option<PersonId>,
    /// Name of the person or account.
    pub name: String,
    /// The reason.
    pub reason: String,
}

/// Kind of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// A person was added.
    Added,
    /// A person was updated.
    Updated,
    /// A person was removed: the account is gone.
    Gone,
    /// A person without an account was left alone.
    Unmatched,
    /// An account that several people may have was left alone.
    Ambiguous,
    /// The database refused the change.
    Refused,
}

impl ActionKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Added,
        Self::Updated,
        Self::Gone,
        Self::Unmatched,
        Self::Ambiguous,
        Self::Refused,
    ];

    /// Name of the kind in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Gone => "gone",
            Self::Unmatched => "unmatched",
            Self::Ambiguous => "ambiguous",
            Self::Refused => "refused",
        }
    }
}

/// A synchronisation that did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The directory could not be read.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The people could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The administrator cancelled it.
    #[error("it was cancelled")]
    Cancelled,
}
