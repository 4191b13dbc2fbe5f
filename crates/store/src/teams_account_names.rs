//! Names of linked Teams accounts, for display. They may differ from the person's names in Offhook.

use presence::{PersonId, TeamsUserId};
use sqlx::{Row, SqliteExecutor};

use crate::{Store, StoreError};

/// A Teams account with its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedAccount {
    /// Entra object id.
    pub object_id: TeamsUserId,
    /// Sign-in name (UPN); `None` if Microsoft did not return it.
    pub sign_in_name: Option<String>,
    /// Display name; `None` if Microsoft did not return it.
    pub display_name: Option<String>,
}

impl Store {
    /// Stores the names of a person's linked Teams account.
    ///
    /// # Errors
    /// The database refused.
    pub async fn set_teams_account_names(
        &self,
        person: PersonId,
        account: &NamedAccount,
    ) -> Result<(), StoreError> {
        set_account_names(&self.database.pool, person, account).await
    }

    /// The names of a person's linked Teams account; `None` if they are unknown.
    ///
    /// # Errors
    /// The database refused.
    pub async fn teams_account_names(
        &self,
        person: PersonId,
    ) -> Result<Option<NamedAccount>, StoreError> {
        let row = sqlx::query(
            "SELECT account, sign_in_name, display_name FROM teams_account_names
             JOIN people ON people.id = person AND teams_id = account COLLATE NOCASE WHERE person = ?1",
        )
        .bind(person.0.cast_signed())
        .fetch_optional(&self.database.pool)
        .await?;
        Ok(row.map(|row| NamedAccount {
            object_id: TeamsUserId::new(row.get(0)),
            sign_in_name: row.get(1),
            display_name: row.get(2),
        }))
    }
}

/// Stores the names of a person's linked Teams account.
pub(crate) async fn set_account_names(
    executor: impl SqliteExecutor<'_>,
    person: PersonId,
    account: &NamedAccount,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO teams_account_names (person, account, sign_in_name, display_name) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (person) DO UPDATE SET account = excluded.account, sign_in_name = excluded.sign_in_name,
             display_name = excluded.display_name",
    )
    .bind(person.0.cast_signed())
    .bind(account.object_id.as_str())
    .bind(&account.sign_in_name)
    .bind(&account.display_name)
    .execute(executor)
    .await?;
    Ok(())
}
