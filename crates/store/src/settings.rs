//! Settings of scopes. So far: the organisation's sync mode.

use presence::SyncMode;
use sqlx::Row;

use crate::{Store, StoreError};

impl Store {
    /// The organisation's sync mode; `None` on a fresh installation.
    ///
    /// # Errors
    /// The database refused.
    pub async fn organisation_mode(&self) -> Result<SyncMode, StoreError> {
        let row = sqlx::query(
            "SELECT value FROM settings WHERE scope = 'organisation' AND name = 'teams.mode'",
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row
            .and_then(|row| SyncMode::from_name(row.get::<&str, _>(0)))
            .unwrap_or_default())
    }

    /// Stores the organisation's sync mode.
    ///
    /// # Errors
    /// The database refused; the mode is as before.
    pub async fn set_organisation_mode(&self, mode: SyncMode) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO settings (scope, name, value) VALUES ('organisation', 'teams.mode', ?1)
             ON CONFLICT (scope, name) DO UPDATE SET value = excluded.value",
        )
        .bind(mode.name())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
