//! Storage of the device's secret: in the system's keyring, or in a file of this user if there is no keyring.

#[cfg_attr(target_os = "linux", path = "secret/service.rs")]
#[cfg_attr(not(target_os = "linux"), path = "secret/native.rs")]
mod keyring;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Name of the program in the keyring.
const SERVICE: &str = "Offhook agent";
/// Time to wait for the person to unlock the keyring for a new secret; afterwards the secret is stored in the file.
const UNLOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Secret of the device, or its name in the keyring.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// The secret itself.
    Token(String),
    /// Name of the secret in the system's keyring.
    Keyring(String),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(_) => formatter.write_str("Token"),
            Self::Keyring(name) => formatter.debug_tuple("Keyring").field(name).finish(),
        }
    }
}

/// Failure of the keyring.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The keyring is missing or refuses.
    #[error("the system's keyring did not return this device's secret ({0}); retrying")]
    Refused(String),
    /// The keyring is locked.
    #[error("the system's keyring is locked; unlock it, the agent retries within ten minutes")]
    Locked,
    /// The keyring does not have the secret.
    #[error("this device's secret is not in the system's keyring any more; pair the device again")]
    Gone,
    /// The keyring waits for the person.
    #[error("the system's keyring does not answer; unlock it")]
    Silent,
    /// The system returned no random bytes.
    #[error("the operating system returned no random bytes: {0}")]
    NoName(#[from] getrandom::Error),
}

impl Secret {
    /// Stores a secret in the keyring, and verifies that it can be read.
    ///
    /// # Errors
    /// There is no keyring, or it stays locked.
    pub async fn in_keyring(token: &str, server: &str) -> Result<Self, SecretError> {
        let mut random = [0; 4];
        getrandom::fill(&mut random)?;
        // Several agents of one person may have several devices at one server.
        let name = format!("{server} #{:08x}", u32::from_ne_bytes(random));
        let put = async {
            keyring::store(&name, token).await?;
            match keyring::get(&name).await? == token {
                true => Ok(()),
                false => Err(SecretError::Gone),
            }
        };
        let put = tokio::time::timeout(UNLOCK_TIMEOUT, put).await;
        put.unwrap_or(Err(SecretError::Silent))?;
        Ok(Self::Keyring(name))
    }

    /// Returns the secret. Waits for the person to unlock the keyring.
    ///
    /// # Errors
    /// The keyring does not return the secret.
    pub async fn token(&self) -> Result<String, SecretError> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::Keyring(name) => keyring::get(name).await,
        }
    }

    /// Removes the secret from the keyring.
    ///
    /// # Errors
    /// The keyring refuses.
    pub async fn forget(&self) -> Result<(), SecretError> {
        let Self::Keyring(name) = self else {
            return Ok(());
        };
        let forgotten = tokio::time::timeout(UNLOCK_TIMEOUT, keyring::delete(name)).await;
        match forgotten.unwrap_or(Err(SecretError::Silent)) {
            Err(SecretError::Gone) => Ok(()),
            done => done,
        }
    }
}
