//! Accounts: sign-in name, password hash, person and role. The server computes the hash; the store never sees a password.

use std::fmt;

use presence::{PersonId, Timestamp};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Change, Store, StoreError, Subject,
    idempotency::record_made,
    values::{checked_name, commit_found, key, moment, number, require_people},
};

/// The permissions of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Changes to the account's own person.
    Person,
    /// Administration of one location.
    LocationAdmin,
    /// Administration of the organisation.
    SystemAdmin,
}

impl Role {
    /// Every role, in ascending order of permissions.
    pub const ALL: [Self; 3] = [Self::Person, Self::LocationAdmin, Self::SystemAdmin];

    /// The name in API and database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::LocationAdmin => "location_admin",
            Self::SystemAdmin => "system_admin",
        }
    }

    /// The role called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// An account that can sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Number, never reused.
    pub id: u64,
    /// Sign-in name, unique regardless of case.
    pub name: String,
    /// The server's hash of the password; `None` if the account cannot sign in by password.
    pub password_hash: Option<String>,
    /// The account's person; `None` for an account without presence of its own.
    pub person: Option<PersonId>,
    /// Permissions.
    pub role: Role,
    /// The administered location; only with [`Role::LocationAdmin`].
    pub location: Option<String>,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl fmt::Debug for Account {
    /// Leaves the hash out: with the hash, passwords could be guessed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("has_password", &self.password_hash.is_some())
            .field("person", &self.person)
            .field("role", &self.role)
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

/// The columns of an account, in the order in which [`account`] reads them.
pub(crate) const ACCOUNT: &str = "accounts.id, accounts.name, accounts.password_hash, accounts.person, \
     accounts.role, accounts.location, accounts.created_at";

/// An account from the columns [`ACCOUNT`], the first of which is `first`.
pub(crate) fn account(row: &SqliteRow, first: usize) -> Account {
    let person: Option<i64> = row.get(first + 3);
    Account {
        id: number(row, first),
        name: row.get(first + 1),
        password_hash: row.get(first + 2),
        person: person.map(|id| PersonId(id.unsigned_abs())),
        // The schema allows the three names only. Any other one gets the fewest permissions.
        role: Role::from_name(row.get(first + 4)).unwrap_or(Role::Person),
        location: row.get(first + 5),
        created_at: moment(row, first + 6),
    }
}

/// The form in which names of accounts are compared: trimmed and in lower case.
pub fn account_key(name: &str) -> String {
    key(name)
}

impl Store {
    /// Every account, by name.
    ///
    /// # Errors
    /// The database refused.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let statement = format!("SELECT {ACCOUNT} FROM accounts ORDER BY key");
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .fetch_all(&self.database.pool)
            .await?;
        Ok(rows.iter().map(|row| account(row, 0)).collect())
    }

    /// The account with a number; `None` if there is none.
    ///
    /// # Errors
    /// The database refused.
    pub async fn account(&self, id: u64) -> Result<Option<Account>, StoreError> {
        let statement = format!("SELECT {ACCOUNT} FROM accounts WHERE id = ?1");
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(id.cast_signed())
            .fetch_optional(&self.database.pool)
            .await?;
        Ok(row.map(|row| account(&row, 0)))
    }

    /// The account with a name, compared regardless of case and surrounding blanks; `None` if there is none.
    ///
    /// # Errors
    /// The database refused.
    pub async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let statement = format!("SELECT {ACCOUNT} FROM accounts WHERE key = ?1");
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(key(name))
            .fetch_optional(&self.database.pool)
            .await?;
        Ok(row.map(|row| account(&row, 0)))
    }

    /// Adds an account; returns its number. `id` and `created_at` of `account` are ignored.
    ///
    /// # Errors
    /// Another account has the name; the person or location does not exist; the location is missing for
    /// [`Role::LocationAdmin`] or given for another role; the database refused.
    pub async fn add_account(
        &self,
        account: &Account,
        change: &Change<'_>,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked_name(Subject::Account, &account.name)?;
        check(&mut transaction, account, None).await?;
        let added = sqlx::query(
            "INSERT INTO accounts (name, key, password_hash, person, role, location, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(name)
        .bind(key(name))
        .bind(&account.password_hash)
        .bind(account.person.map(|person| person.0.cast_signed()))
        .bind(account.role.name())
        .bind(&account.location)
        .bind(change.at.milliseconds())
        .execute(&mut *transaction)
        .await?;
        let id = added.last_insert_rowid().unsigned_abs();
        record_made(&mut transaction, change.attempt, id).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Changes name, person, role and location of the account with the number `account.id`. The password stays.
    ///
    /// # Errors
    /// As of [`Self::add_account`]; there is no such account.
    pub async fn change_account(
        &self,
        account: &Account,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked_name(Subject::Account, &account.name)?;
        check(&mut transaction, account, Some(account.id)).await?;
        let changed = sqlx::query(
            "UPDATE accounts SET name = ?2, key = ?3, person = ?4, role = ?5, location = ?6 WHERE id = ?1",
        )
        .bind(account.id.cast_signed())
        .bind(name)
        .bind(key(name))
        .bind(account.person.map(|person| person.0.cast_signed()))
        .bind(account.role.name())
        .bind(&account.location)
        .execute(&mut *transaction)
        .await?;
        commit_found(
            transaction,
            changed.rows_affected(),
            Subject::Account,
            &account.name,
        )
        .await
    }

    /// Sets an account's password, or removes it with `None`. Sessions stay; [`Self::delete_sessions_of`] ends them.
    ///
    /// # Errors
    /// There is no such account; the database refused.
    pub async fn set_password(
        &self,
        account: u64,
        password_hash: Option<&str>,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let changed = sqlx::query("UPDATE accounts SET password_hash = ?2 WHERE id = ?1")
            .bind(account.cast_signed())
            .bind(password_hash)
            .execute(&mut *transaction)
            .await?;
        commit_found(
            transaction,
            changed.rows_affected(),
            Subject::Account,
            account,
        )
        .await
    }

    /// Deletes an account and its sessions.
    ///
    /// # Errors
    /// There is no such account; the database refused.
    pub async fn delete_account(&self, id: u64, change: &Change<'_>) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let deleted = sqlx::query("DELETE FROM accounts WHERE id = ?1")
            .bind(id.cast_signed())
            .execute(&mut *transaction)
            .await?;
        commit_found(transaction, deleted.rows_affected(), Subject::Account, id).await
    }
}

async fn check(
    connection: &mut SqliteConnection,
    account: &Account,
    id: Option<u64>,
) -> Result<(), StoreError> {
    let same = sqlx::query("SELECT 1 FROM accounts WHERE key = ?1 AND id IS NOT ?2")
        .bind(key(&account.name))
        .bind(id.map(u64::cast_signed))
        .fetch_optional(&mut *connection)
        .await?;
    if same.is_some() {
        return Err(StoreError::exists(Subject::Account, account.name.trim()));
    }
    if let Some(person) = account.person {
        require_people(connection, &[person]).await?;
    }
    let problem = match (account.role, &account.location) {
        (Role::LocationAdmin, None) => {
            "a location's administrator needs a location; name one, or choose another role"
        }
        (Role::LocationAdmin, Some(location)) => {
            let found = sqlx::query("SELECT 1 FROM scopes WHERE id = ?1 AND kind = 'location'")
                .bind(location)
                .fetch_optional(connection)
                .await?;
            return match found {
                Some(_) => Ok(()),
                None => Err(StoreError::not_found(Subject::Location, location)),
            };
        }
        (Role::Person | Role::SystemAdmin, Some(_)) => {
            "only a location's administrator has a location; leave it out, or choose that role"
        }
        (Role::Person | Role::SystemAdmin, None) => return Ok(()),
    };
    Err(StoreError::conflict(
        Subject::Account,
        &account.name,
        problem,
    ))
}
