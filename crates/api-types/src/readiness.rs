//! Readiness of the server (`/readyz`).

use serde::{Deserialize, Serialize};

/// Readiness of the server. Parts and warnings are for system administrators and keys with the scope `read`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether no part has a problem.
    pub ready: bool,
    /// The parts of the server, and operations in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<Part>>,
    /// Problems that do not stop the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<Warning>>,
}

/// A part of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Name of the part.
    pub part: String,
    /// Whether the part works.
    pub ready: bool,
    /// The problem, or the operation in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Remedy of a problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// A problem that does not stop the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Name of the part.
    pub part: String,
    /// The problem.
    pub what: String,
    /// Remedy.
    pub remedy: String,
}
