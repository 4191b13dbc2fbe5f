//! Where the device's secret is kept: in the system's keyring, or, where there is none, in a file of this user's.

#[cfg_attr(target_os = "linux", path = "secret/service.rs")]
#[cfg_attr(not(target_os = "linux"), path = "secret/native.rs")]
mod keyring;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the keyring calls the program.
const SERVICE: &str = "Offhook agent";
/// A new secret waits for so long until somebody unlocks the keyring; then it stays in the file.
const PATIENCE: Duration = Duration::from_secs(60);

/// The device's secret, or where it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// It is here.
    Token(String),
    /// It is in the system's keyring, under this name.
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

/// Why the keyring does not help.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It is not there, or refuses.
    #[error("the system's keyring does not give this device's secret ({0}); trying again")]
    Refused(String),
    /// It is locked, and nobody wants to unlock it.
    #[error("the system's keyring is locked; unlock it, and it is asked again within ten minutes")]
    Locked,
    /// Somebody took it out.
    #[error("this device's secret is not in the system's keyring any more; pair the device again")]
    Gone,
    /// It asks somebody who does not answer.
    #[error("the system's keyring does not answer; unlock it")]
    Silent,
    /// There is no randomness.
    #[error("the system gives no random numbers: {0}")]
    NoName(#[from] getrandom::Error),
}

impl Secret {
    /// Puts a device's secret into the keyring, if there is one that takes it and gives it back.
    ///
    /// # Errors
    /// There is none, or nobody unlocks it.
    pub async fn in_keyring(token: &str, server: &str) -> Result<Self, SecretError> {
        let mut random = [0; 4];
        getrandom::fill(&mut random)?;
        // Several agents of one person may have several devices at one server.
        let name = format!("{server} #{:08x}", u32::from_ne_bytes(random));
        let put = async {
            keyring::put(&name, token).await?;
            match keyring::get(&name).await? == token {
                true => Ok(()),
                false => Err(SecretError::Gone),
            }
        };
        let put = tokio::time::timeout(PATIENCE, put).await;
        put.unwrap_or(Err(SecretError::Silent))?;
        Ok(Self::Keyring(name))
    }

    /// The secret. It takes as long as somebody needs to unlock the keyring.
    ///
    /// # Errors
    /// The keyring does not give it.
    pub async fn token(&self) -> Result<String, SecretError> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::Keyring(name) => keyring::get(name).await,
        }
    }

    /// Takes it out of the keyring.
    ///
    /// # Errors
    /// The keyring does not do that.
    pub async fn forget(&self) -> Result<(), SecretError> {
        let Self::Keyring(name) = self else {
            return Ok(());
        };
        let forgotten = tokio::time::timeout(PATIENCE, keyring::delete(name)).await;
        match forgotten.unwrap_or(Err(SecretError::Silent)) {
            Err(SecretError::Gone) => Ok(()),
            done => done,
        }
    }
}
