//! Secrets that the server must be able to read again, sealed by it. The store sees neither the secrets nor the key.

use sqlx::Row;

use crate::{Store, StoreError};

/// A sealed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// What it is.
    pub name: String,
    /// Names the key it is sealed with.
    pub key: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

impl Store {
    /// Every sealed secret whose name begins so.
    ///
    /// # Errors
    /// The database refused.
    pub async fn sealed_secrets(&self, prefix: &str) -> Result<Vec<SealedSecret>, StoreError> {
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

    /// Keeps secrets, all or none; each in the place of the one of its name.
    ///
    /// # Errors
    /// The database refused; nothing was written.
    pub async fn seal_secrets(&self, secrets: &[SealedSecret]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with(crate::IMMEDIATE).await?;
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

    /// Forgets a secret; whether there was one.
    ///
    /// # Errors
    /// The database refused.
    pub async fn forget_secret(&self, name: &str) -> Result<bool, StoreError> {
        let deleted = sqlx::query("DELETE FROM sealed_secrets WHERE name = ?1")
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(deleted.rows_affected() > 0)
    }
}
