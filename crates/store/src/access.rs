//! Keys, links and sessions. Only hashes are kept: whoever reads the database can open nothing with it.

use presence::Timestamp;

use crate::{IMMEDIATE, Store, StoreError};

/// SHA-256 of a secret that was made with at least 128 random bits, so that no slow hash is needed.
pub type SecretHash = [u8; 32];

impl Store {
    /// Whether an API key with that hash exists.
    ///
    /// # Errors
    /// The database refused.
    pub async fn has_api_key(&self, hash: &SecretHash) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM api_keys WHERE hash = ?1")
            .bind(hash.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Whether any API key exists.
    ///
    /// # Errors
    /// The database refused.
    pub async fn has_any_api_key(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM api_keys LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Adds an API key by its hash.
    ///
    /// # Errors
    /// The database refused.
    pub async fn add_api_key(&self, hash: &SecretHash, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("INSERT OR IGNORE INTO api_keys (hash, created_at) VALUES (?1, ?2)")
            .bind(hash.as_slice())
            .bind(now.milliseconds())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Adds a one-time link.
    ///
    /// # Errors
    /// The database refused.
    pub async fn add_sign_in_link(
        &self,
        hash: &SecretHash,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO sign_in_links (hash, expires_at) VALUES (?1, ?2)")
            .bind(hash.as_slice())
            .bind(expires_at.milliseconds())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Exchanges a link for a session. False if the link does not exist, was used or has expired.
    ///
    /// # Errors
    /// The database refused; the link is as before.
    pub async fn exchange_link(
        &self,
        link: &SecretHash,
        session: &SecretHash,
        session_expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with(IMMEDIATE).await?;
        let used = sqlx::query("DELETE FROM sign_in_links WHERE hash = ?1 AND expires_at > ?2")
            .bind(link.as_slice())
            .bind(now.milliseconds())
            .execute(&mut *transaction)
            .await?;
        if used.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("INSERT INTO sessions (hash, expires_at) VALUES (?1, ?2)")
            .bind(session.as_slice())
            .bind(session_expires_at.milliseconds())
            .execute(&mut *transaction)
            .await?;
        for expired in [
            "DELETE FROM sessions WHERE expires_at <= ?1",
            "DELETE FROM sign_in_links WHERE expires_at <= ?1",
        ] {
            sqlx::query(expired)
                .bind(now.milliseconds())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Whether a session with that hash is alive.
    ///
    /// # Errors
    /// The database refused.
    pub async fn has_session(&self, hash: &SecretHash, now: Timestamp) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM sessions WHERE hash = ?1 AND expires_at > ?2")
            .bind(hash.as_slice())
            .bind(now.milliseconds())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }
}
