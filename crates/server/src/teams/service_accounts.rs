//! Service accounts: people's or robots' accounts that signed in once by device code, so that Graph lets us subscribe to
//! presences. Of each only a refresh token is kept, sealed.

use graph::{
    Client,
    delegated::{ClientKind, UserToken, scope},
};
use store::Store;

use super::logins::{LoginsOf, keep};
use crate::vault::{Vault, VaultError};

/// What to ask for when a service account signs in.
pub fn service_account_scope(client: &Client) -> String {
    let permissions = LoginsOf::ServiceAccounts.permissions();
    scope(&client.config().graph, permissions, true)
}

/// Keeps the refresh token of a tenant's service account that has just signed in; returns its name.
///
/// # Errors
/// It cannot be sealed or stored, or Entra gave no refresh token or did not say who signed in: then `Ok(None)`.
pub async fn keep_service_account(
    store: &Store,
    vault: &Vault,
    tenant: &str,
    token: &UserToken,
) -> Result<Option<String>, VaultError> {
    let (Some(user), Some(refresh)) = (&token.user, &token.refresh) else {
        return Ok(None);
    };
    let sealed = format!(
        "{}{}",
        LoginsOf::ServiceAccounts.prefix(tenant),
        user.object_id
    );
    keep(store, vault, &sealed, ClientKind::Public, refresh).await?;
    let name = user.name.clone();
    Ok(Some(name.unwrap_or_else(|| user.object_id.clone())))
}

/// The object ids of a tenant's service accounts.
///
/// # Errors
/// The store refused.
pub async fn service_accounts(store: &Store, tenant: &str) -> Result<Vec<String>, VaultError> {
    let prefix = LoginsOf::ServiceAccounts.prefix(tenant);
    let sealed = store.sealed_secrets(&prefix).await?;
    let name = |sealed: store::SealedSecret| sealed.name.strip_prefix(&prefix).map(str::to_owned);
    Ok(sealed.into_iter().filter_map(name).collect())
}

/// Forgets a service account; whether there was one.
///
/// # Errors
/// The store refused.
pub async fn forget_service_account(
    store: &Store,
    tenant: &str,
    id: &str,
) -> Result<bool, VaultError> {
    Ok(store
        .forget_secret(&format!("{}{id}", LoginsOf::ServiceAccounts.prefix(tenant)))
        .await?)
}
