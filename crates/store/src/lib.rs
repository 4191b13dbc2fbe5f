//! The database of Offhook: people and their chosen profiles, scopes and their settings, accounts, keys, the audit log,
//! and every write to Teams that is still in force.
//!
//! A change by a person survives a power failure before it is acknowledged, together with its row in the audit log. A
//! write to Teams is committed before it is sent. Signals are not stored: their sources deliver them again after a start.
//!
//! [`Database`] is the file, for all organisations: opening, schema, damage check, checkpoints, backup, the server's
//! clock, and sealing with a new key. [`Store`] is the data of one organisation in that file. It is bound to an
//! [`OrganisationId`] when it is opened, so that every read and every change names its organisation without a parameter
//! of each function.
#![doc = include_str!("../README.md")]

mod accounts;
mod api_keys;
mod appointments;
mod audit;
mod backup;
mod clock;
mod damage_check;
mod database;
mod devices;
mod difference;
mod directory;
mod error;
mod files;
mod history;
mod idempotency;
mod import;
mod left_writes;
mod organisation;
mod people;
mod person_edits;
mod profiles;
mod progress;
mod records;
mod relationships;
mod scope_id;
mod scopes;
mod scrub;
mod secrets;
mod sessions;
mod settings;
mod table;
mod teams_account_names;
mod templates;
mod unique_fields;
mod values;

pub use accounts::{Account, Role, account_key};
pub use api_keys::{API_KEY_SCOPES, ApiKey};
pub use audit::{AuditFilter, AuditRow, Change, Concern};
pub use backup::{PreparedRestore, UNFINISHED_PREFIX};
pub use damage_check::DamageCheck;
pub use database::{Database, Durability};
pub use devices::{DEVICES_MAX, Device, DeviceId};
pub use difference::Difference;
pub use directory::{DirectoryChange, DirectoryPerson, DirectoryTarget, GonePerson, RefusedChange};
pub use error::{StoreError, Subject, UniqueField};
pub use files::{is_database_file, is_open_database};
pub use idempotency::{Attempt, Outcome, StoredAnswer, StoredRequest};
pub use import::{ImportChange, ImportConflict, ImportSummary};
pub use left_writes::{LeftWrite, Owner};
pub use organisation::{OrganisationId, Store};
pub use people::{PeopleChanges, StoredPerson};
pub use person_edits::PersonChange;
pub use progress::Progress;
pub use relationships::Workgroup;
pub use scope_id::{ORGANISATION, ScopeId};
pub use scopes::{ScopeKind, StoredScope};
pub use secrets::SealedSecret;
pub use sessions::{SecretHash, Session};
pub use table::{
    Column, ColumnUse, CsvProblem, DecodedTable, ImportPerson, PeopleTable, decode_table, is_guid,
    read_people_csv, separator_name,
};
pub use teams_account_names::NamedAccount;
pub use templates::{Audience, Template};
