//! Process tables of Microphone Sync (`/scopes/{scope}/programs`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The process table in effect in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Programs {
    /// Whether the scope has its own table.
    pub individual: bool,
    /// The scope of the table; `product`: the default table.
    pub decided_by: String,
    /// The programs.
    pub items: Vec<Program>,
}

/// A row of a process table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Base name of the process without `.exe`; case does not matter.
    pub process: String,
    /// Names of the process on other systems, of its bundle or package. One match is enough.
    #[serde(default)]
    pub also: Vec<String>,
    /// The name that viewers see; empty: the process's.
    #[serde(default)]
    pub alias: String,
    /// Whether agents report the program.
    #[serde(default)]
    pub active: bool,
    /// The PBX's own client, which agents never report: the line's state is more exact.
    #[serde(default)]
    pub softphone: bool,
    /// Hours of use of the microphone after which the program is ignored; null: never.
    #[serde(default)]
    pub ignore_after_hours: Option<u32>,
}

/// A program to add. It is not reported until it is active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProgram {
    /// Base name of the process; `.exe` is removed.
    pub process: String,
    /// Names of the process on other systems, of its bundle or package.
    #[serde(default)]
    pub also: Vec<String>,
    /// The name that viewers see. Default: the process's.
    pub alias: Option<String>,
    /// Whether it is the PBX's own client. Default: no.
    pub softphone: Option<bool>,
    /// Hours of use of the microphone after which the program is ignored; null: never.
    pub ignore_after_hours: Option<u32>,
}

/// A table to copy or to inherit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProgramsWish)]
pub struct ProgramsChange {
    /// False: inherit the table of the scope above again.
    pub individual: Option<bool>,
    /// The scope of the table to copy; `product`: the default table.
    pub copy_from: Option<String>,
}
