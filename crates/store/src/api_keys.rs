//! API keys: hash, name and scopes. The key itself is not stored.

use presence::Timestamp;
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    Change, SecretHash, Store, StoreError, Subject,
    idempotency::record_made,
    values::{checked_name, commit_found, moment},
};

/// An API key without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Public id, not derived from the secret.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Permissions, each one of [`API_KEY_SCOPES`].
    pub scopes: Vec<String>,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// The permissions that an API key can have.
pub const API_KEY_SCOPES: [&str; 4] = ["route", "read", "write", "admin"];

impl Store {
    /// The API key with a hash; `None` if there is none.
    ///
    /// # Errors
    /// The database refused.
    pub async fn api_key(&self, hash: &SecretHash) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query("SELECT id, name, scopes, created_at FROM api_keys WHERE hash = ?1")
            .bind(hash.as_slice())
            .fetch_optional(&self.database.pool)
            .await?;
        Ok(row.as_ref().map(api_key))
    }

    /// Every API key, the oldest first.
    ///
    /// # Errors
    /// The database refused.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, scopes, created_at FROM api_keys ORDER BY created_at, id",
        )
        .fetch_all(&self.database.pool)
        .await?;
        Ok(rows.iter().map(api_key).collect())
    }

    /// Returns true if an API key exists.
    ///
    /// # Errors
    /// The database refused.
    pub async fn has_any_api_key(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM api_keys LIMIT 1")
            .fetch_optional(&self.database.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Adds an API key by its hash; returns its id.
    ///
    /// # Errors
    /// The name is empty or too long, a scope is unknown, the key exists already, or the database refused.
    pub async fn add_api_key(
        &self,
        hash: &SecretHash,
        name: &str,
        scopes: &[&str],
        change: &Change<'_>,
    ) -> Result<String, StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked_name(Subject::ApiKey, name)?;
        let unknown = scopes.iter().find(|scope| !API_KEY_SCOPES.contains(scope));
        if let Some(unknown) = unknown {
            let problem = format!(
                "there is no scope {unknown:?}; the scopes are {}",
                API_KEY_SCOPES.join(", ")
            );
            return Err(StoreError::conflict(Subject::ApiKey, name, problem));
        }
        let row = sqlx::query(
            "INSERT INTO api_keys (id, hash, name, scopes, created_at)
             VALUES (lower(hex(randomblob(8))), ?1, ?2, ?3, ?4) ON CONFLICT (hash) DO NOTHING RETURNING id",
        )
        .bind(hash.as_slice())
        .bind(name)
        .bind(scopes.join(" "))
        .bind(change.at.milliseconds())
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or_else(|| StoreError::exists(Subject::ApiKey, name))?;
        let id: String = row.get(0);
        record_made(&mut transaction, change.attempt, &id).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Deletes an API key.
    ///
    /// # Errors
    /// There is no such key; the database refused.
    pub async fn delete_api_key(&self, id: &str, change: &Change<'_>) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let deleted = sqlx::query("DELETE FROM api_keys WHERE id = ?1")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        commit_found(transaction, deleted.rows_affected(), Subject::ApiKey, id).await
    }
}

fn api_key(row: &SqliteRow) -> ApiKey {
    let scopes: &str = row.get(2);
    ApiKey {
        id: row.get(0),
        name: row.get(1),
        scopes: scopes.split_whitespace().map(Into::into).collect(),
        created_at: moment(row, 3),
    }
}
