//! Backups of the database (`/backups`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The backups, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Backups {
    /// Folder of the backups, on the server's machine.
    pub folder: String,
    /// The backups.
    pub items: Vec<Backup>,
}

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// Name of the file.
    pub name: String,
    /// Time of the last change of the file.
    pub at: String,
    /// Size of the file.
    pub bytes: u64,
}
