//! Jobs (`/work`).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::closed_list::closed_list;

closed_list! {
    /// Kind of a job.
    WorkKind {
        /// An import of people.
        Import = "import",
        /// A synchronisation with a directory.
        Directory = "directory",
        /// A backup.
        Backup = "backup",
    }
}

closed_list! {
    /// State of a job.
    WorkState {
        /// In progress.
        Running = "running",
        /// Finished.
        Done = "done",
        /// Failed.
        Failed = "failed",
        /// Cancelled.
        Cancelled = "cancelled",
    }
}

/// Running and recently finished jobs, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkList {
    /// The jobs, without their results.
    pub items: Vec<Work>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Work {
    /// Number of the job.
    pub id: String,
    /// `import`, `directory` or `backup`.
    #[schema(value_type = String)]
    pub what: WorkKind,
    /// Name of the caller who started the job.
    pub who: String,
    /// Time of the start.
    pub begun: String,
    /// `running`, `done`, `failed` or `cancelled`. Failed and cancelled jobs have changed nothing, unless `problem`
    /// reports changes.
    #[schema(value_type = String)]
    pub state: WorkState,
    /// Steps done: people, accounts or bytes.
    pub done: u64,
    /// Steps in total; 0 if unknown.
    pub total: u64,
    /// Body of the answer of a finished job; not in the list.
    pub result: Option<Value>,
    /// Reason of a failure, and remedy.
    pub problem: Option<String>,
}
