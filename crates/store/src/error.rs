//! What can go wrong in the store. Each error names the thing, the value and the remedy.

use std::path::{Path, PathBuf};

/// Something went wrong in the store. Nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database file could not be opened or brought up to date.
    #[error(
        "cannot open the database {path}: {cause}; check that the folder exists, is writable by this user and has free space"
    )]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the database said.
        cause: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error(
        "cannot bring the database {path} up to date: {cause}; restore a backup or use the version that wrote it"
    )]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// What the database said.
        cause: sqlx::migrate::MigrateError,
    },
    /// The file is damaged or no database.
    #[error(
        "the database {path} is damaged: {damage}; restore a backup with `offhook restore FILE --force`, which keeps the damaged file beside it"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What SQLite found.
        damage: String,
    },
    /// A statement failed.
    #[error("the database refused: {0}; {remedy}", remedy = remedy(.0))]
    Database(#[source] sqlx::Error),
    /// Another change came between the check of a change and its statement, or a check is missing.
    #[error(
        "it contradicts another change ({cause}); look at the present list, then repeat or correct yours"
    )]
    Contradicted {
        /// The constraint of the database that it would break.
        cause: sqlx::Error,
    },
    /// Two people claim the same thing.
    #[error("{what} {value} belongs to {owner} already; remove it there first")]
    Taken {
        /// The kind of thing.
        what: &'static str,
        /// The field that names it in the API.
        field: &'static str,
        /// The thing.
        value: String,
        /// Who has it.
        owner: String,
    },
    /// A new thing has the name of another.
    #[error("there is a {what} called {value} already; choose another name or change that one")]
    Exists {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        value: String,
    },
    /// What is to be changed or referred to is not there.
    #[error("there is no {what} {value}; it may have been removed, so look at the present list")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// Its name or number.
        value: String,
    },
    /// What is to be removed is used.
    #[error("the {what} {value} is used by {}; change or remove these first", uses.join(", "))]
    InUse {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        value: String,
        /// Who or what uses it, by name; the first few and how many more.
        uses: Vec<String>,
    },
    /// What was asked for contradicts itself or what is stored.
    #[error("{what} {value}: {problem}")]
    Conflict {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        value: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A request with the same idempotency key was carried out already.
    #[error(
        "a request with the Idempotency-Key {key} was carried out already; look at what it did, and use a new key for another change"
    )]
    Repeated {
        /// The key.
        key: String,
    },
    /// The file was deleted or replaced while it was open.
    #[error(
        "the database {path}, or its log, was deleted or replaced while the server runs; put the file back or restore a backup, then start the server again"
    )]
    Replaced {
        /// Which file.
        path: PathBuf,
    },
    /// The file has tables, and none of Offhook's.
    #[error(
        "{path} is a database of another program; move it away, or set another folder (`data` or OFFHOOK_DATA)"
    )]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// Whoever waited for it cancelled it.
    #[error("it was cancelled before its end; nothing was changed")]
    Cancelled,
    /// A backup could not be made or restored.
    #[error("{path}: {problem}")]
    Backup {
        /// Which file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
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
    pub(crate) fn not_found(what: &'static str, value: impl ToString) -> Self {
        Self::NotFound {
            what,
            value: value.to_string(),
        }
    }

    pub(crate) fn exists(what: &'static str, value: &str) -> Self {
        Self::Exists {
            what,
            value: value.to_owned(),
        }
    }

    pub(crate) fn conflict(
        what: &'static str,
        value: impl ToString,
        problem: impl Into<String>,
    ) -> Self {
        Self::Conflict {
            what,
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

/// Primary result codes of SQLite for a damaged file and for a file that is no database.
const DAMAGE_CODES: [u32; 2] = [11, 26];

/// Returns true if SQLite came upon damage in the file.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    has_code(error, &DAMAGE_CODES)
}

fn has_code(error: &sqlx::Error, codes: &[u32]) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<u32>().ok());
    // The lowest byte of an extended code is the primary one.
    code.is_some_and(|code| codes.contains(&(code & 0xff)))
}

/// Primary result codes of SQLite for a read-only file, a failing disk and a full one.
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

    // P18
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
