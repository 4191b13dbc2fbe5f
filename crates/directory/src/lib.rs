//! People from Entra: reads a tenant's directory, matches its accounts with the known people, and applies the difference.

pub mod config;
mod difference;
mod directory_reader;
mod matching;
mod options;
mod outcome;
mod sync;

pub use options::{DirectoryOptions, PeopleFrom};
pub use outcome::{ActionKind, SyncError, SyncOutcome};
pub use sync::{DirectorySync, run};
