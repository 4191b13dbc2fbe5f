//! Secrets that the server seals, such as refresh tokens. The store sees neither the secrets nor the key.

use sqlx::Row;

use crate::{Database, Store, StoreError, database::IMMEDIATE};

/// A sealed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// Name, unique.
    pub name: String,
    /// Name of the key with which the secret is sealed.
    pub key: String,
    /// Sealed bytes.
    pub sealed: Vec<u8>,
}

impl Database {
    /// Every sealed secret of every organisation, by name.
    ///
    /// # Errors
    /// The database refused.
    pub async fn sealed_secrets(&self) -> Result<Vec<SealedSecret>, StoreError> {
        self.secrets_named("").await
    }

    /// Replaces sealed secrets by name, all or none, when the key changes.
    ///
    /// # Errors
    /// The database refused; nothing was written.
    pub async fn replace_sealed_secrets(&self, secrets: &[SealedSecret]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with(IMMEDIATE).await?;
        for secret in secrets {
            sqlx::query(
                "INSERT INTO sealed_secrets (name, key, sealed) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET key = excluded.key, sealed = excluded.sealed",
            )
            .bind(&secret.name)
            .bind(&secret.key)
            .bind(&secret.sealed)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn secrets_named(&self, prefix: &str) -> Result<Vec<SealedSecret>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, key, sealed FROM sealed_secrets WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name",
        )
        .bind(prefix)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .iter()
            .map(|row| SealedSecret {
                name: row.get(0),
                key: row.get(1),
                sealed: row.get(2),
            })
            .collect())
    }
}

impl Store {
    /// The sealed secrets with names that begin with `prefix`, by name.
    ///
    /// # Errors
    /// The database refused.
    pub async fn sealed_secrets(&self, prefix: &str) -> Result<Vec<SealedSecret>, StoreError> {
        self.database.secrets_named(prefix).await
    }

    /// Stores sealed secrets, all or none; each replaces the one of its name.
    ///
    /// # Errors
    /// The database refused; nothing was written.
    pub async fn seal_secrets(&self, secrets: &[SealedSecret]) -> Result<(), StoreError> {
        self.database.replace_sealed_secrets(secrets).await
    }

    /// Deletes a sealed secret; returns true if there was one of that name.
    ///
    /// # Errors
    /// The database refused.
    pub async fn forget_secret(&self, name: &str) -> Result<bool, StoreError> {
        let deleted = sqlx::query("DELETE FROM sealed_secrets WHERE name = ?1")
            .bind(name)
            .execute(&self.database.pool)
            .await?;
        Ok(deleted.rows_affected() > 0)
    }
}
