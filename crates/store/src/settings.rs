//! Settings of scopes and people, as a JSON object for each group of settings. The store does not interpret them.

use presence::PersonId;
use sqlx::Row;

use crate::{
    Change, ScopeId, Store, StoreError, Subject,
    values::{person_id, require_people, require_scopes},
};

impl Store {
    /// A scope's own values in a group of settings; `None` if the scope inherits all of them.
    ///
    /// # Errors
    /// The database refused.
    pub async fn settings(
        &self,
        scope: &ScopeId,
        page: &str,
    ) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT value FROM pages WHERE scope = ?1 AND page = ?2")
            .bind(scope.as_str())
            .bind(page)
            .fetch_optional(&self.database.pool)
            .await?;
        Ok(row.map(|row| row.get(0)))
    }

    /// All scopes' own values, each as scope, group of settings, and values.
    ///
    /// # Errors
    /// The database refused.
    pub async fn all_settings(&self) -> Result<Vec<(ScopeId, String, String)>, StoreError> {
        let rows = sqlx::query("SELECT scope, page, value FROM pages ORDER BY scope, page")
            .fetch_all(&self.database.pool)
            .await?;
        Ok(rows
            .iter()
            .map(|row| (row.get::<&str, _>(0).into(), row.get(1), row.get(2)))
            .collect())
    }

    /// Sets a scope's own values in a group of settings, or removes them with `None`.
    ///
    /// # Errors
    /// The scope does not exist; the values are not JSON; the database refused.
    pub async fn set_settings(
        &self,
        scope: &ScopeId,
        page: &str,
        value: Option<&str>,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        require_scopes(&mut transaction, &[scope]).await?;
        let statement = match value {
            None => sqlx::query("DELETE FROM pages WHERE scope = ?1 AND page = ?2"),
            Some(_) => sqlx::query(
                "INSERT INTO pages (scope, page, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (scope, page) DO UPDATE SET value = excluded.value",
            ),
        };
        bound(statement.bind(scope.as_str()).bind(page), page, value)?
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// All people's own values, each as person, group of settings, and values.
    ///
    /// # Errors
    /// The database refused.
    pub async fn all_personal_settings(
        &self,
    ) -> Result<Vec<(PersonId, String, String)>, StoreError> {
        let rows = sqlx::query("SELECT person, page, value FROM own_values ORDER BY person, page")
            .fetch_all(&self.database.pool)
            .await?;
        Ok(rows
            .iter()
            .map(|row| (person_id(row, 0), row.get(1), row.get(2)))
            .collect())
    }

    /// Sets a person's own values in a group of settings, or removes them with `None`.
    ///
    /// # Errors
    /// The person does not exist; the values are not JSON; the database refused.
    pub async fn set_personal_settings(
        &self,
        person: PersonId,
        page: &str,
        value: Option<&str>,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        require_people(&mut transaction, &[person]).await?;
        let statement = match value {
            None => sqlx::query("DELETE FROM own_values WHERE person = ?1 AND page = ?2"),
            Some(_) => sqlx::query(
                "INSERT INTO own_values (person, page, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (person, page) DO UPDATE SET value = excluded.value",
            ),
        };
        bound(
            statement.bind(person.0.cast_signed()).bind(page),
            page,
            value,
        )?
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// Checks that `value` is JSON and binds it as the third parameter; does nothing with `None`.
fn bound<'q>(
    statement: Query<'q>,
    page: &str,
    value: Option<&'q str>,
) -> Result<Query<'q>, StoreError> {
    let Some(value) = value else {
        return Ok(statement);
    };
    if let Err(error) = serde_json::from_str::<serde_json::Value>(value) {
        let problem = format!("the values are not JSON: {error}; send an object of settings");
        return Err(StoreError::conflict(Subject::SettingsPage, page, problem));
    }
    Ok(statement.bind(value))
}
