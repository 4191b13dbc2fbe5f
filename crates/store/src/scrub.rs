//! Removal of deleted content that earlier versions left in the database file.

use sqlx::{Row, SqlitePool};

/// The `user_version` of a file that is free of deleted content.
const SCRUBBED: i64 = 1;

/// Rewrites the file once: earlier versions left deleted content in free pages and in the log. A failure, for example
/// because the disk has no room for a second copy, is logged, and the next start tries again.
pub(crate) async fn scrub(pool: &SqlitePool) {
    let scrubbed = async {
        let row = sqlx::query("PRAGMA user_version").fetch_one(pool).await?;
        if row.get::<i64, _>(0) >= SCRUBBED {
            return Ok(());
        }
        tracing::info!("rewriting the database file once to remove deleted content");
        sqlx::query("VACUUM").execute(pool).await?;
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(pool)
            .await?;
        let is_busy = row.get::<i64, _>(0) != 0;
        if is_busy {
            // Another process reads the database: the next start tries again.
            return Ok(());
        }
        let done = format!("PRAGMA user_version = {SCRUBBED}");
        sqlx::query(sqlx::AssertSqlSafe(done)).execute(pool).await?;
        Ok::<(), sqlx::Error>(())
    };
    if let Err(error) = scrubbed.await {
        tracing::warn!(%error, "deleted content could not be removed from the database file; the next start tries again");
    }
}
