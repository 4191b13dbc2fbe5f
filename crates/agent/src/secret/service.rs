//! Linux: the Secret Service of GNOME, KDE and others over the session bus
//! (<https://specifications.freedesktop.org/secret-service/latest/>). Needs no thread of its own.

use std::collections::HashMap;

use secret_service::{EncryptionType, Error, Item, SecretService};

use super::{SERVICE, SecretError};

fn attributes(name: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", SERVICE), ("username", name)])
}

/// Stores a secret; asks the person if the keyring is locked.
pub(super) async fn store(name: &str, secret: &str) -> Result<(), SecretError> {
    let service = SecretService::connect(EncryptionType::Dh).await?;
    let collection = service.get_default_collection().await?;
    if collection.is_locked().await? {
        collection.unlock().await?;
    }
    let item = collection.create_item(
        SERVICE,
        attributes(name),
        secret.as_bytes(),
        true,
        "text/plain",
    );
    item.await?;
    Ok(())
}

/// Returns the secret with this name; asks the person if the keyring is locked.
pub(super) async fn get(name: &str) -> Result<String, SecretError> {
    let service = SecretService::connect(EncryptionType::Dh).await?;
    let secret = found(&service, name).await?.get_secret().await?;
    String::from_utf8(secret).map_err(|_| SecretError::Gone)
}

/// Removes a secret.
pub(super) async fn delete(name: &str) -> Result<(), SecretError> {
    let service = SecretService::connect(EncryptionType::Dh).await?;
    found(&service, name).await?.delete().await?;
    Ok(())
}

async fn found<'a>(service: &'a SecretService<'_>, name: &str) -> Result<Item<'a>, SecretError> {
    let mut found = service.search_items(attributes(name)).await?;
    if let Some(item) = found.unlocked.pop() {
        return Ok(item);
    }
    let item = found.locked.pop().ok_or(SecretError::Gone)?;
    item.unlock().await?;
    Ok(item)
}

impl From<Error> for SecretError {
    fn from(error: Error) -> Self {
        match error {
            Error::Locked | Error::Prompt => Self::Locked,
            Error::NoResult => Self::Gone,
            other => Self::Refused(other.to_string()),
        }
    }
}
