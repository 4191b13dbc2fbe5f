//! Check of the installation (`/doctor`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::closed_list::closed_list;

closed_list! {
    /// Verdict of a check.
    Verdict {
        /// No fault.
        Fine = "fine",
        /// It works, with a restriction.
        Warning = "warning",
        /// A fault.
        Failed = "failed",
        /// Not checked, because an earlier check failed or it was not requested.
        Skipped = "skipped",
    }
}

/// The results of all checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Findings {
    /// The results, in the order of the checks.
    pub items: Vec<Finding>,
}

/// Result of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// Name of the check.
    pub check: String,
    /// `fine`, `warning`, `failed`, `skipped`.
    #[schema(value_type = String)]
    pub verdict: Verdict,
    /// Names and values of this installation.
    pub what: String,
    /// Code of the fault, listed in `docs/doctor.md`.
    pub fault: Option<String>,
    /// Meaning of the fault.
    pub means: Option<String>,
    /// Remedy.
    pub remedy: Option<String>,
}
