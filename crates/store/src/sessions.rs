//! Sign-in links and sessions. The database holds hashes only, which cannot be used to sign in.

use presence::Timestamp;
use sqlx::{Row, SqliteConnection};

use crate::{
    Store, StoreError, Subject,
    accounts::{ACCOUNT, Account, account},
    database::IMMEDIATE,
};

/// SHA-256 of a secret with at least 128 random bits. Such a secret cannot be guessed, so that no slow hash is needed.
pub type SecretHash = [u8; 32];

/// The most sessions of one account.
pub const SESSIONS_MAX: u32 = 50;

/// Ends the oldest sessions of the new session's account beyond [`SESSIONS_MAX`].
async fn keep_newest(
    connection: &mut SqliteConnection,
    new: &SecretHash,
) -> Result<(), StoreError> {
    // All sessions last equally long: the one that expires first is the oldest.
    sqlx::query(
        "DELETE FROM sessions WHERE hash IN (
             SELECT other.hash FROM sessions AS new JOIN sessions AS other ON other.account = new.account
             WHERE new.hash = ?1 AND other.hash <> ?1
             ORDER BY other.expires_at DESC, other.hash LIMIT -1 OFFSET ?2)",
    )
    .bind(new.as_slice())
    .bind(SESSIONS_MAX - 1)
    .execute(connection)
    .await?;
    Ok(())
}

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The account; `None` for the installation's administrator, who signs in by a link from the command line.
    pub account: Option<Account>,
}

impl Store {
    /// Adds a one-time link that signs in to an account, or as the installation's administrator with `None`.
    ///
    /// # Errors
    /// There is no such account; the database refused.
    pub async fn add_sign_in_link(
        &self,
        hash: &SecretHash,
        account: Option<u64>,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.require_account(account).await?;
        sqlx::query("INSERT INTO sign_in_links (hash, account, expires_at) VALUES (?1, ?2, ?3)")
            .bind(hash.as_slice())
            .bind(account.map(u64::cast_signed))
            .bind(expires_at.milliseconds())
            .execute(&self.database.pool)
            .await?;
        Ok(())
    }

    /// Exchanges a link for a session of the link's account. Returns false if the link does not exist, was used, or has
    /// expired.
    ///
    /// # Errors
    /// The database refused; the link stays valid.
    pub async fn exchange_link(
        &self,
        link: &SecretHash,
        session: &SecretHash,
        session_expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.database.pool.begin_with(IMMEDIATE).await?;
        let used = sqlx::query(
            "DELETE FROM sign_in_links WHERE hash = ?1 AND expires_at > ?2 RETURNING account",
        )
        .bind(link.as_slice())
        .bind(now.milliseconds())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(used) = used else {
            return Ok(false);
        };
        sqlx::query("INSERT INTO sessions (hash, account, expires_at) VALUES (?1, ?2, ?3)")
            .bind(session.as_slice())
            .bind(used.get::<Option<i64>, _>(0))
            .bind(session_expires_at.milliseconds())
            .execute(&mut *transaction)
            .await?;
        keep_newest(&mut transaction, session).await?;
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

    /// Begins a session of an authenticated account. An account has at most 50 sessions; the oldest ones end.
    ///
    /// # Errors
    /// There is no such account; the database refused.
    pub async fn add_session(
        &self,
        hash: &SecretHash,
        account: Option<u64>,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.require_account(account).await?;
        let mut transaction = self.database.pool.begin_with(IMMEDIATE).await?;
        sqlx::query("INSERT INTO sessions (hash, account, expires_at) VALUES (?1, ?2, ?3)")
            .bind(hash.as_slice())
            .bind(account.map(u64::cast_signed))
            .bind(expires_at.milliseconds())
            .execute(&mut *transaction)
            .await?;
        keep_newest(&mut transaction, hash).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The session with a hash, with the present state of its account; `None` if there is none or it has expired.
    ///
    /// # Errors
    /// The database refused.
    pub async fn session(
        &self,
        hash: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let statement = format!(
            "SELECT sessions.account IS NULL, {ACCOUNT} FROM sessions LEFT JOIN accounts ON accounts.id = account
             WHERE hash = ?1 AND expires_at > ?2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(hash.as_slice())
            .bind(now.milliseconds())
            .fetch_optional(&self.database.pool)
            .await?;
        Ok(row.map(|row| Session {
            account: (row.get::<i64, _>(0) == 0).then(|| account(&row, 1)),
        }))
    }

    /// Ends the session with a hash, if there is one.
    ///
    /// # Errors
    /// The database refused.
    pub async fn delete_session(&self, hash: &SecretHash) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE hash = ?1")
            .bind(hash.as_slice())
            .execute(&self.database.pool)
            .await?;
        Ok(())
    }

    /// Ends every session of an account and deletes its sign-in links.
    ///
    /// # Errors
    /// The database refused; the sessions stay.
    pub async fn delete_sessions_of(&self, account: u64) -> Result<(), StoreError> {
        let mut transaction = self.database.pool.begin_with(IMMEDIATE).await?;
        for statement in [
            "DELETE FROM sessions WHERE account = ?1",
            "DELETE FROM sign_in_links WHERE account = ?1",
        ] {
            sqlx::query(statement)
                .bind(account.cast_signed())
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn require_account(&self, account: Option<u64>) -> Result<(), StoreError> {
        match account {
            Some(id) if self.account(id).await?.is_none() => {
                Err(StoreError::not_found(Subject::Account, id))
            }
            _ => Ok(()),
        }
    }
}
