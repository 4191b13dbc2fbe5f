//! Import of people from a table (`/people/import`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::closed_list::closed_list;

closed_list! {
    /// Effect of a row of the table.
    ImportEffect {
        /// The person is new.
        Added = "added",
        /// The person exists and differs.
        Updated = "updated",
        /// The row contradicts existing people.
        Conflict = "conflict",
    }
}

closed_list! {
    /// Use of a column.
    ColumnUse {
        /// The person's name.
        Name = "name",
        /// The mail address.
        Mail = "mail",
        /// The sign-in name (UPN).
        SignInName = "UPN",
        /// Extensions of the person's lines.
        Extension = "extension",
        /// The object id in Entra.
        ObjectId = "objectId",
        /// The location.
        Location = "location",
    }
}

/// A table to import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The table. Its first line names the columns `name`, `mail`, `UPN`, `extension`, and optionally `location` and
    /// `objectId`.
    pub csv: String,
    /// Whether the import is only previewed.
    #[serde(default)]
    pub dry_run: bool,
}

/// Result or preview of an import. Unchanged people are counted, but not listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// Whether the import was only previewed.
    pub dry_run: bool,
    /// Number of added people.
    pub added: usize,
    /// Number of existing people, changed or not.
    pub updated: usize,
    /// Number of existing people without changes.
    pub unchanged: usize,
    /// Number of rows that contradict existing people; an import with such rows is refused.
    pub conflicts: usize,
    /// The rows with an effect, conflicts first.
    pub items: Vec<ImportedRow>,
    /// Names that look like an address or an extension of another person, with the remedy.
    pub warnings: Vec<String>,
    /// Format of the table.
    pub table: ImportTable,
}

/// Format of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportTable {
    /// The encoding: `UTF-8`, `UTF-16LE`, `UTF-16BE`, `windows-1252`, or the charset of `Content-Type`.
    pub encoding: String,
    /// Separator of the columns.
    pub separator: char,
    /// The columns, in the order of the table.
    pub columns: Vec<ImportColumn>,
    /// Known columns that the table lacks: these values stay unchanged.
    #[schema(value_type = Vec<String>)]
    pub missing: Vec<ColumnUse>,
    /// Number of lines that were skipped as comments (`#`).
    pub comments: usize,
}

/// Use of a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportColumn {
    /// Title of the column in the table.
    pub title: String,
    /// `name`, `mail`, `UPN`, `extension`, `objectId` or `location`; null: the column is ignored.
    #[schema(value_type = Option<String>)]
    pub used_for: Option<ColumnUse>,
}

/// A row of the table with an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportDeed)]
pub struct ImportedRow {
    /// Line of the table.
    pub line: Option<u64>,
    /// `added`, `updated` or `conflict`.
    #[schema(value_type = String)]
    pub what: ImportEffect,
    /// Name of the person.
    pub name: String,
    /// The differences, as `field: before → after`; for a conflict, the problem and its remedy.
    pub difference: String,
}
