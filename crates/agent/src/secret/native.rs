//! Credential Manager of Windows and Keychain of macOS. They may ask the person, so each request has a thread of its own
//! that may be abandoned.

use std::{collections::HashMap, sync::Arc};

use keyring_core::{Entry, api::CredentialStoreApi};
use tokio::sync::oneshot;

use super::{SERVICE, SecretError};

/// Stores a secret.
pub(super) async fn store(name: &str, secret: &str) -> Result<(), SecretError> {
    let secret = secret.to_owned();
    ask(name, move |entry| entry.set_password(&secret)).await
}

/// Returns the secret with this name.
pub(super) async fn get(name: &str) -> Result<String, SecretError> {
    ask(name, Entry::get_password).await
}

/// Removes a secret.
pub(super) async fn delete(name: &str) -> Result<(), SecretError> {
    ask(name, Entry::delete_credential).await
}

async fn ask<T: Send + 'static>(
    name: &str,
    what: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
) -> Result<T, SecretError> {
    let (answer, wait) = oneshot::channel();
    let name = name.to_owned();
    let work = move || {
        let entry = open_store().and_then(|store| store.build(SERVICE, &name, Some(&modifiers())));
        let _ = answer.send(entry.and_then(|entry| what(&entry)));
    };
    let thread = std::thread::Builder::new().name("keyring".into());
    let started = thread.spawn(work);
    started.map_err(|error| SecretError::Refused(error.to_string()))?;
    match wait.await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(keyring_core::Error::NoEntry)) => Err(SecretError::Gone),
        // The Keychain returns the same error for a cancelled request.
        Ok(Err(_)) if cfg!(target_os = "macos") => Err(SecretError::Locked),
        Ok(Err(refused)) => Err(SecretError::Refused(refused.to_string())),
        Err(_) => Err(SecretError::Silent),
    }
}

#[cfg(windows)]
fn open_store() -> keyring_core::Result<Arc<windows_native_keyring_store::Store>> {
    windows_native_keyring_store::Store::new()
}

#[cfg(target_os = "macos")]
fn open_store() -> keyring_core::Result<Arc<apple_native_keyring_store::keychain::Store>> {
    apple_native_keyring_store::keychain::Store::new()
}

/// The secret belongs to this computer and must not roam with the person.
fn modifiers() -> HashMap<&'static str, &'static str> {
    match cfg!(windows) {
        true => HashMap::from([("persistence", "Local")]),
        false => HashMap::new(),
    }
}
