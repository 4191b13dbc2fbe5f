//! Errors of the store. Each names the thing, the value and the remedy.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// An error of the store. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database file could not be opened.
    #[error(
        "cannot open the database {path}: {cause}; check that the folder exists, is writable by this user and has free space"
    )]
    Open {
        /// Path of the file.
        path: PathBuf,
        /// The error of SQLite.
        cause: sqlx::Error,
    },
    /// The schema could not be updated.
    #[error(
        "cannot update the schema of the database {path}: {cause}; restore a backup or use the version that wrote it"
    )]
    Migrate {
        /// Path of the file.
        path: PathBuf,
        /// The error of SQLite.
        cause: sqlx::migrate::MigrateError,
    },
    /// The file is damaged or is not a database.
    #[error(
        "the database {path} is damaged: {damage}; restore a backup with `offhook restore FILE --force`, which keeps the damaged file beside it"
    )]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// The damage that SQLite found.
        damage: String,
    },
    /// A statement failed.
    #[error("the database refused: {0}; {remedy}", remedy = remedy(.0))]
    Database(#[source] sqlx::Error),
    /// A change breaks a constraint of the schema: another change was committed between its check and its statement.
    #[error(
        "the change conflicts with another one ({cause}); reload the list, then repeat or correct the change"
    )]
    Contradicted {
        /// The broken constraint.
        cause: sqlx::Error,
    },
    /// A value that only one person can have belongs to another person.
    #[error("{field} {value} belongs to {owner} already; remove it there first")]
    Taken {
        /// The kind of value.
        field: UniqueField,
        /// The value.
        value: String,
        /// Name of the person who has it.
        owner: String,
    },
    /// The name of a new or renamed thing is taken.
    #[error(
        "there is a {subject} called {value} already; choose another name, or change the existing one"
    )]
    Exists {
        /// The kind of thing.
        subject: Subject,
        /// Name of the thing.
        value: String,
    },
    /// A thing that a change names does not exist.
    #[error("there is no {subject} {value}; it may have been deleted: reload the list")]
    NotFound {
        /// The kind of thing.
        subject: Subject,
        /// Name or number of the thing.
        value: String,
    },
    /// A thing cannot be deleted because others use it.
    #[error("the {subject} {value} is used by {}; change or remove these first", uses.join(", "))]
    InUse {
        /// The kind of thing.
        subject: Subject,
        /// Name of the thing.
        value: String,
        /// Names of the users: the first few, and the number of the others.
        uses: Vec<String>,
    },
    /// A change contradicts itself or the stored data.
    #[error("{subject} {value}: {problem}")]
    Conflict {
        /// The kind of thing.
        subject: Subject,
        /// Name of the thing.
        value: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// A request with the same idempotency key was carried out before.
    #[error(
        "a request with the Idempotency-Key {key} was carried out already; check its result, and use a new key for another change"
    )]
    Repeated {
        /// The key.
        key: String,
    },
    /// Another program deleted or replaced the file while it was open.
    #[error(
        "the database {path}, or its log, was deleted or replaced while the server runs; put the file back or restore a backup, then start the server again"
    )]
    Replaced {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file is a database of another program.
    #[error(
        "{path} is a database of another program; move it away, or set another folder (`data` or OFFHOOK_DATA)"
    )]
    Foreign {
        /// Path of the file.
        path: PathBuf,
    },
    /// The caller cancelled the operation.
    #[error("cancelled; nothing was changed")]
    Cancelled,
    /// A backup could not be made or restored.
    #[error("{path}: {problem}")]
    Backup {
        /// Path of the file.
        path: PathBuf,
        /// The problem and its remedy.
        problem: String,
    },
}

/// The kind of thing that an error names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An account with which a person or an administrator signs in.
    Account,
    /// An API key.
    ApiKey,
    /// An appointment of a person.
    Appointment,
    /// The call forwarding of a profile.
    CallForwarding,
    /// A machine with a desktop agent.
    Device,
    /// A configuration group of a location.
    Group,
    /// A line of an imported table.
    ImportLine,
    /// A location.
    Location,
    /// A location or a configuration group, where the caller named a scope that may be either.
    LocationOrGroup,
    /// A person.
    Person,
    /// A personal profile.
    PersonalProfile,
    /// A profile, central or personal.
    Profile,
    /// The access level of a viewer.
    Relationship,
    /// A scope: the organisation, a location, or a configuration group.
    Scope,
    /// A group of settings.
    SettingsPage,
    /// A status of a profile or an appointment.
    Status,
    /// A central profile template.
    Template,
    /// A workgroup.
    Workgroup,
}

impl Subject {
    /// The term in error texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::ApiKey => "API key",
            Self::Appointment => "appointment",
            Self::CallForwarding => "call forwarding",
            Self::Device => "device",
            Self::Group => "configuration group",
            Self::ImportLine => "line",
            Self::Location => "location",
            Self::LocationOrGroup => "location or group",
            Self::Person => "person",
            Self::PersonalProfile => "personal profile",
            Self::Profile => "profile",
            Self::Relationship => "relationship",
            Self::Scope => "scope",
            Self::SettingsPage => "settings page",
            Self::Status => "status",
            Self::Template => "template",
            Self::Workgroup => "workgroup",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind of value that at most one person has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UniqueField {
    /// Entra object id of the linked Teams account.
    TeamsAccount,
    /// Sign-in name (UPN).
    SignInName,
    /// Mail address.
    MailAddress,
    /// Extension of a line.
    Extension,
}

impl fmt::Display for UniqueField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TeamsAccount => "the Teams account",
            Self::SignInName => "the sign-in name",
            Self::MailAddress => "the mail address",
            Self::Extension => "extension",
        })
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let contradicts = error.as_database_error().is_some_and(|refusal| {
            refusal.is_unique_violation() || refusal.is_foreign_key_violation()
        });
        if contradicts {
            Self::Contradicted { cause: error }
        } else {
            Self::Database(error)
        }
    }
}

impl StoreError {
    pub(crate) fn not_found(subject: Subject, value: impl ToString) -> Self {
        Self::NotFound {
            subject,
            value: value.to_string(),
        }
    }

    pub(crate) fn exists(subject: Subject, value: &str) -> Self {
        Self::Exists {
            subject,
            value: value.to_owned(),
        }
    }

    pub(crate) fn conflict(
        subject: Subject,
        value: impl ToString,
        problem: impl Into<String>,
    ) -> Self {
        Self::Conflict {
            subject,
            value: value.to_string(),
            problem: problem.into(),
        }
    }
}

pub(crate) fn damaged(path: &Path, damage: impl ToString) -> StoreError {
    StoreError::Damaged {
        path: path.into(),
        // SQLite writes several lines.
        damage: damage.to_string().lines().collect::<Vec<_>>().join(" "),
    }
}

/// Primary result codes of SQLite: `SQLITE_CORRUPT` and `SQLITE_NOTADB`.
const DAMAGE_CODES: [u32; 2] = [11, 26];

/// Returns true if SQLite found damage in the file.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    has_code(error, &DAMAGE_CODES)
}

fn has_code(error: &sqlx::Error, codes: &[u32]) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<u32>().ok());
    // The lowest byte of an extended code is the primary one.
    code.is_some_and(|code| codes.contains(&(code & 0xff)))
}

/// Primary result codes of SQLite: `SQLITE_READONLY`, `SQLITE_IOERR` and `SQLITE_FULL`.
const DISK_CODES: [u32; 3] = [8, 10, 13];

/// Returns true if the disk or its permissions keep SQLite from writing.
pub(crate) fn is_of_disk(error: &sqlx::Error) -> bool {
    has_code(error, &DISK_CODES)
}

fn remedy(error: &sqlx::Error) -> &'static str {
    if is_damage(error) {
        "the file is damaged: restore a backup"
    } else {
        "check free space and permissions"
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, SqliteConnection};

    use super::StoreError;

    #[tokio::test]
    async fn a_broken_constraint_is_a_contradiction_and_no_trouble_of_the_database() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let schema = "CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
                      CREATE TABLE b (a INTEGER REFERENCES a (id)); INSERT INTO a (name) VALUES ('x');
                      PRAGMA foreign_keys = ON";
        sqlx::raw_sql(schema)
            .execute(&mut connection)
            .await
            .unwrap();
        for (statement, contradicts) in [
            ("INSERT INTO a (name) VALUES ('x')", true),
            ("INSERT INTO b (a) VALUES (9)", true),
            ("INSERT INTO c (a) VALUES (9)", false),
        ] {
            let refusal = sqlx::query(statement).execute(&mut connection).await;
            let error = StoreError::from(refusal.unwrap_err());
            let is = matches!(error, StoreError::Contradicted { .. });
            assert_eq!(is, contradicts, "{error}");
        }
    }
}
