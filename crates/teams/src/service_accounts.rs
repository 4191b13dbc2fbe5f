//! Service accounts: accounts that signed in once by device code, because Graph's subscriptions to presences need delegated
//! permissions. Only their refresh tokens are stored, sealed.

use graph::{
    Client,
    delegated::{ClientKind, UserToken, scope},
};
use presence::TenantName;
use runtime::vault::{Vault, VaultError};
use store::Store;

use super::logins::{LoginsOf, keep};

/// The OAuth scope of a service account's sign-in.
pub fn service_account_scope(client: &Client) -> String {
    let permissions = LoginsOf::ServiceAccounts.permissions();
    scope(&client.config().graph, permissions, true)
}

/// Seals and stores the refresh token of a tenant's service account that has just signed in. Returns the account's name;
/// `None`: Entra gave no refresh token or named no account.
///
/// # Errors
/// The token cannot be sealed or stored.
pub async fn keep_service_account(
    store: &Store,
    vault: &Vault,
    tenant: &TenantName,
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
/// The database fails.
pub async fn service_accounts(
    store: &Store,
    tenant: &TenantName,
) -> Result<Vec<String>, VaultError> {
    let prefix = LoginsOf::ServiceAccounts.prefix(tenant);
    let sealed = store.sealed_secrets(&prefix).await?;
    let name = |sealed: store::SealedSecret| sealed.name.strip_prefix(&prefix).map(str::to_owned);
    Ok(sealed.into_iter().filter_map(name).collect())
}

/// Deletes the refresh token of a service account; returns false if there is none.
///
/// # Errors
/// The database fails.
pub async fn forget_service_account(
    store: &Store,
    tenant: &TenantName,
    id: &str,
) -> Result<bool, VaultError> {
    Ok(store
        .forget_secret(&format!("{}{id}", LoginsOf::ServiceAccounts.prefix(tenant)))
        .await?)
}
