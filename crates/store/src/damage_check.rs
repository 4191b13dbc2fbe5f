//! The damage check: finds pages that a disk, a file system or another program overwrote.
//!
//! SQLite has no checksums. `PRAGMA quick_check` and `PRAGMA integrity_check` read every page and find a broken
//! structure; the latter also compares each index with its table. Neither finds overwritten content of overflow pages
//! (long texts).

use std::path::Path;

use sqlx::Row;

use crate::{
    Database, StoreError,
    error::{damaged, is_damage},
    scrub::scrub,
};

/// Size in bytes up to which `PRAGMA integrity_check` takes about a second.
const THOROUGH_MAX: u64 = 32 * 1024 * 1024;

/// Result of the damage check at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageCheck {
    /// No damage was found.
    Passed,
    /// The database is too large for a check at the start: call [`Database::check`] while it is in use.
    Postponed,
}

impl Database {
    /// [`Self::open`] for a server: searches for damage first if the file has at most `size_max` bytes, and removes
    /// deleted content that earlier versions left in the file.
    ///
    /// # Errors
    /// As of [`Self::open`]; [`StoreError::Damaged`] for any damage that was found.
    pub async fn open_checked(
        path: &Path,
        size_max: u64,
    ) -> Result<(Self, DamageCheck), StoreError> {
        let database = Self::connect(path).await?;
        let checked = database.check_up_to(size_max).await?;
        database.migrate().await?;
        if checked == DamageCheck::Passed {
            scrub(&database.pool).await;
        }
        Ok((database, checked))
    }

    /// Searches for damage. Takes about a second for 200 MB and does not block changes.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], or the database refused.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.search_for_damage("PRAGMA quick_check(1)").await
    }

    async fn check_up_to(&self, size_max: u64) -> Result<DamageCheck, StoreError> {
        let size = self.size().await.map_err(|error| self.with_path(error))?;
        if size > size_max {
            return Ok(DamageCheck::Postponed);
        }
        let check = if size > THOROUGH_MAX {
            "PRAGMA quick_check(1)"
        } else {
            "PRAGMA integrity_check(1)"
        };
        self.search_for_damage(check).await?;
        Ok(DamageCheck::Passed)
    }

    async fn search_for_damage(&self, check: &'static str) -> Result<(), StoreError> {
        let found = sqlx::query(check).fetch_one(&self.pool).await;
        let found = found.map_err(|error| self.with_path(error))?;
        match found.get::<String, _>(0) {
            found if found == "ok" => Ok(()),
            damage => Err(damaged(self.file(), damage)),
        }
    }

    /// Size of the database in bytes.
    async fn size(&self) -> Result<u64, sqlx::Error> {
        let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let size = sqlx::query(size).fetch_one(&self.pool).await?;
        Ok(size.get::<i64, _>(0).cast_unsigned())
    }

    fn with_path(&self, error: sqlx::Error) -> StoreError {
        if is_damage(&error) {
            damaged(self.file(), error)
        } else {
            error.into()
        }
    }
}
