//! Service accounts: people's or robots' accounts that signed in once, so that Graph lets us subscribe to presences. Of each
//! only a refresh token is kept, sealed.

use std::{collections::HashMap, sync::Arc};

use graph::{
    Client, GraphError, Secret,
    delegated::{ClientKind, Need, UserSession, UserToken, scope},
};
use presence::Timestamp;
use store::Store;
use tokio::sync::Mutex;

use crate::vault::{Vault, VaultError};

/// What the names of their sealed refresh tokens begin with; the object id follows.
const PREFIX: &str = "service-account/";
/// What a subscription to presences needs (Graph, delegated).
const PERMISSIONS: [&str; 1] = ["Presence.Read.All"];

/// What to ask for when a service account signs in.
pub fn service_account_scope(client: &Client) -> String {
    scope(&client.config().graph, &PERMISSIONS, true)
}

/// Keeps the refresh token of a service account that has just signed in; returns its name.
///
/// # Errors
/// It cannot be sealed or stored, or Entra gave no refresh token or did not say who signed in: then `Ok(None)`.
pub async fn keep_service_account(
    store: &Store,
    vault: &Vault,
    token: &UserToken,
) -> Result<Option<String>, VaultError> {
    let (Some(user), Some(refresh)) = (&token.user, &token.refresh) else {
        return Ok(None);
    };
    keep_refresh(store, vault, &user.object_id, refresh).await?;
    let name = user.name.clone();
    Ok(Some(name.unwrap_or_else(|| user.object_id.clone())))
}

async fn keep_refresh(
    store: &Store,
    vault: &Vault,
    account: &str,
    refresh: &Secret,
) -> Result<(), VaultError> {
    let sealed = vault.seal(&format!("{PREFIX}{account}"), refresh.reveal().as_bytes())?;
    Ok(store.seal_secrets(&[sealed]).await?)
}

/// The object ids of the service accounts.
///
/// # Errors
/// The store refused.
pub async fn service_accounts(store: &Store) -> Result<Vec<String>, VaultError> {
    let sealed = store.sealed_secrets(PREFIX).await?;
    let name = |sealed: store::SealedSecret| sealed.name.strip_prefix(PREFIX).map(str::to_owned);
    Ok(sealed.into_iter().filter_map(name).collect())
}

/// Forgets a service account; whether there was one.
///
/// # Errors
/// The store refused.
pub async fn forget_service_account(store: &Store, id: &str) -> Result<bool, VaultError> {
    Ok(store.forget_secret(&format!("{PREFIX}{id}")).await?)
}

#[derive(Debug)]
struct Login {
    /// The refresh token as the store has it, to notice another sign-in.
    stored: Secret,
    session: UserSession,
}

/// The logins of all service accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct ServiceAccounts {
    client: Arc<Client>,
    store: Store,
    vault: Arc<Vault>,
    logins: Arc<Mutex<HashMap<String, Login>>>,
}

impl ServiceAccounts {
    pub(super) fn new(client: Arc<Client>, store: Store, vault: Arc<Vault>) -> Self {
        Self {
            client,
            store,
            vault,
            logins: Arc::default(),
        }
    }

    /// Looks which accounts there are: another process may have let one sign in. Whoever does not open is told.
    pub(super) async fn look(&self) -> (Vec<String>, Option<String>) {
        let sealed = match self.store.sealed_secrets(PREFIX).await {
            Ok(sealed) => sealed,
            Err(error) => return (Vec::new(), Some(error.to_string())),
        };
        let (mut names, mut trouble) = (Vec::new(), None);
        let mut logins = self.logins.lock().await;
        for secret in sealed {
            let Some(name) = secret.name.strip_prefix(PREFIX).map(str::to_owned) else {
                continue;
            };
            match self.vault.open(&secret) {
                Ok(refresh) => {
                    let stored = Secret::new(String::from_utf8_lossy(&refresh).into_owned());
                    let known = logins.get(&name);
                    if known.is_none_or(|known| known.stored != stored) {
                        let refresh = Some(stored.clone());
                        let session = UserSession::remembered(ClientKind::Public, refresh);
                        logins.insert(name.clone(), Login { stored, session });
                    }
                    names.push(name);
                }
                Err(error) => trouble = Some(error.to_string()),
            }
        }
        logins.retain(|name, _| names.contains(name));
        (names, trouble)
    }

    /// An access token of the account; `fresh`: not the one that is at hand.
    pub(super) async fn token(
        &self,
        account: &str,
        fresh: bool,
        now: Timestamp,
    ) -> Result<Secret, GraphError> {
        let gone = || GraphError::UserSignIn {
            error: "not signed in".into(),
            description: format!("the service account {account} is not signed in any more"),
            remedy: "sign in again: offhook service-account add",
        };
        let mut logins = self.logins.lock().await;
        let login = logins.get_mut(account).ok_or_else(gone)?;
        let now = now.milliseconds();
        if fresh && let Need::Nothing(access) = login.session.need(now) {
            login.session.forget(&access);
        }
        let (kind, refresh) = match login.session.need(now) {
            Need::Nothing(access) => return Ok(access),
            Need::Patience(_, error) | Need::SignIn(error) => return Err(error),
            Need::Refresh(kind, refresh) => (kind, refresh),
        };
        let wanted = service_account_scope(&self.client);
        let answer = self.client.refresh(kind, &refresh, &wanted).await;
        let access = answer.as_ref().map(|token| token.access.clone());
        let access = access.map_err(Clone::clone);
        if let Some(refresh) = login.session.refreshed(now, answer) {
            match keep_refresh(&self.store, &self.vault, account, &refresh).await {
                Ok(()) => login.stored = refresh,
                // The one that is stored still works.
                Err(error) => {
                    tracing::warn!(account, %error, "a renewed sign-in could not be kept")
                }
            }
        }
        access
    }
}
