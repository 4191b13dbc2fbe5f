//! The audit log (`/audit`).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A page of the audit log, the newest entry first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// The entries.
    pub items: Vec<AuditRow>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditRow {
    /// Number, in the order of the log.
    pub id: String,
    /// Time of the change.
    pub at: String,
    /// Name of the caller.
    pub who: String,
    /// Kind of the change, for example `scope.add`.
    pub what: String,
    /// The changed resource.
    pub target: String,
    /// The value before the change.
    pub before: Option<Value>,
    /// The value after the change.
    pub after: Option<Value>,
    /// Whether the person or an assistant changed the person's own data: recorded without values.
    pub own: bool,
}
