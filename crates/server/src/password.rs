//! Passwords of local accounts: Argon2id with the parameters that the crate's authors recommend (OWASP's second choice:
//! 19 MiB, two passes). Hashing takes a core for tens of milliseconds, so it runs aside and few at once.

use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{PasswordHash, SaltString},
};
use tokio::sync::Semaphore;

/// Hashes at once: more would take the cores from the calls.
static AT_ONCE: Semaphore = Semaphore::const_new(2);
/// The least length, as NIST SP 800-63B wants it.
pub const LENGTH_MIN: usize = 8;
/// A longer one is no password.
pub const LENGTH_MAX: usize = 256;

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}; try again")]
pub struct HashError(String);

/// The hash to store.
///
/// # Errors
/// No random numbers or no memory.
pub async fn hash(password: String) -> Result<String, HashError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| HashError(error.to_string()))?;
    aside(move || {
        let salt = SaltString::encode_b64(&salt).map_err(|error| HashError(error.to_string()))?;
        let hash = Argon2::default()
            .hash_password(password.as_bytes(), &salt)
            .map_err(|error| HashError(error.to_string()))?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether the password belongs to the hash. Without a hash it takes as long and is wrong, so that nobody learns from
/// the time which accounts exist.
///
/// # Errors
/// The hash is none of ours.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool, HashError> {
    let Some(stored) = hash else {
        self::hash(password).await?;
        return Ok(false);
    };
    aside(move || {
        let parsed = PasswordHash::new(&stored).map_err(|error| HashError(error.to_string()))?;
        Ok(Argon2::default()
            .verify_password(password.as_bytes(), &parsed)
            .is_ok())
    })
    .await
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
) -> Result<T, HashError> {
    // The semaphore is never closed; if it were, working at once is better than not at all.
    let _turn = AT_ONCE.acquire().await;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| HashError(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::{hash, verify};

    #[tokio::test]
    async fn only_the_right_password_opens() {
        let stored = hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(!stored.contains("correct"));
        assert!(
            verify("correct horse".into(), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(!verify("wrong horse".into(), Some(stored)).await.unwrap());
        assert!(!verify("correct horse".into(), None).await.unwrap());
        assert!(verify("x".into(), Some("nonsense".into())).await.is_err());
    }
}
