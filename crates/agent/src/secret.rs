//! Where the device's secret is kept: in the system's keyring, or, where there is none, in a file of this user's.

use std::{sync::Arc, time::Duration};

use keyring_core::{Entry, api::CredentialStoreApi};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// What the keyring calls the program.
const SERVICE: &str = "Offhook agent";
/// A new secret waits for so long until somebody unlocks the keyring; then it goes into the file.
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
    #[error(
        "the system's keyring does not give this device's secret ({0}); unlock it, or pair the device again"
    )]
    Refused(keyring_core::Error),
    /// It is locked, and nobody wants to unlock it.
    #[error("the system's keyring is locked; unlock it, and it is asked again within ten minutes")]
    Locked,
    /// Somebody took it out.
    #[error("this device's secret is not in the system's keyring any more; pair the device again")]
    Gone,
    /// It asks somebody who does not answer.
    #[error("the system's keyring does not answer; unlock it")]
    Silent,
    /// The system has no room for it.
    #[error("the system's keyring cannot be asked: {0}")]
    NoThread(std::io::Error),
    /// There is no randomness.
    #[error("the system gives no random numbers: {0}")]
    NoName(getrandom::Error),
}

impl Secret {
    /// Keeps a device's secret in the keyring, if there is one that takes it and gives it back; else as it is, and why.
    pub async fn keep(token: String, server: &str) -> (Self, Option<SecretError>) {
        match in_keyring(&token, server).await {
            Ok(name) => (Self::Keyring(name), None),
            Err(why) => (Self::Token(token), Some(why)),
        }
    }

    /// The secret. It takes as long as somebody needs to unlock the keyring.
    ///
    /// # Errors
    /// The keyring does not give it.
    pub async fn token(&self) -> Result<String, SecretError> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::Keyring(name) => ask(name.clone(), Entry::get_password).await,
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
        let forget = ask(name.clone(), Entry::delete_credential);
        let forgotten = tokio::time::timeout(PATIENCE, forget).await;
        match forgotten.unwrap_or(Err(SecretError::Silent)) {
            Err(SecretError::Gone) => Ok(()),
            done => done,
        }
    }
}

/// Puts it into the keyring; under which name.
async fn in_keyring(token: &str, server: &str) -> Result<String, SecretError> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(SecretError::NoName)?;
    // Several agents of one person may have several devices at one server.
    let name = format!("{server} #{:08x}", u32::from_ne_bytes(random));
    let token = token.to_owned();
    let put = ask(name.clone(), move |entry| {
        entry.set_password(&token)?;
        match entry.get_password()? == token {
            true => Ok(()),
            false => Err(keyring_core::Error::NoEntry),
        }
    });
    let put = tokio::time::timeout(PATIENCE, put).await;
    put.unwrap_or(Err(SecretError::Silent)).map(|()| name)
}

/// Asks the keyring, on a thread of its own: it may wait for somebody, and nobody may wait for that thread to end.
async fn ask<T: Send + 'static>(
    name: String,
    what: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
) -> Result<T, SecretError> {
    let (answer, wait) = oneshot::channel();
    let thread = std::thread::Builder::new().name("keyring".into());
    let work = move || {
        let entry = store().and_then(|store| store.build(SERVICE, &name, None));
        let _ = answer.send(entry.and_then(|entry| what(&entry)));
    };
    thread.spawn(work).map_err(SecretError::NoThread)?;
    match wait.await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(keyring_core::Error::NoEntry)) => Err(SecretError::Gone),
        Ok(Err(keyring_core::Error::NoStorageAccess(_))) => Err(SecretError::Locked),
        Ok(Err(refused)) => Err(SecretError::Refused(refused)),
        Err(_) => Err(SecretError::Silent),
    }
}

#[cfg(target_os = "linux")]
fn store() -> keyring_core::Result<Arc<zbus_secret_service_keyring_store::Store>> {
    zbus_secret_service_keyring_store::Store::new()
}

#[cfg(windows)]
fn store() -> keyring_core::Result<Arc<windows_native_keyring_store::Store>> {
    windows_native_keyring_store::Store::new()
}

#[cfg(target_os = "macos")]
fn store() -> keyring_core::Result<Arc<apple_native_keyring_store::keychain::Store>> {
    apple_native_keyring_store::keychain::Store::new()
}
