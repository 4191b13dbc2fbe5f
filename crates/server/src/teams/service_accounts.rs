//! Service accounts: people's or robots' accounts that signed in once, so that Graph lets us subscribe to presences. Of each
//! only a refresh token is kept, sealed.

use std::{collections::HashMap, sync::Arc};

use graph::{
    Client, GraphError, Secret,
    delegated::{ClientKind, UserToken, scope},
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
    let sealed = vault.seal(
        &format!("{PREFIX}{}", user.object_id),
        refresh.reveal().as_bytes(),
    )?;
    store.seal_secrets(&[sealed]).await?;
    let name = user.name.clone();
    Ok(Some(name.unwrap_or_else(|| user.object_id.clone())))
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
struct Tokens {
    refresh: Secret,
    access: Option<UserToken>,
}

/// The tokens of all service accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct ServiceAccounts {
    client: Arc<Client>,
    store: Store,
    vault: Arc<Vault>,
    tokens: Arc<Mutex<HashMap<String, Tokens>>>,
}

impl ServiceAccounts {
    pub(super) fn new(client: Arc<Client>, store: Store, vault: Arc<Vault>) -> Self {
        Self {
            client,
            store,
            vault,
            tokens: Arc::default(),
        }
    }

    /// Looks which accounts there are: another process may have let one sign in. Whoever does not open is told.
    pub(super) async fn look(&self) -> (Vec<String>, Option<String>) {
        let sealed = match self.store.sealed_secrets(PREFIX).await {
            Ok(sealed) => sealed,
            Err(error) => return (Vec::new(), Some(error.to_string())),
        };
        let (mut names, mut trouble) = (Vec::new(), None);
        let mut tokens = self.tokens.lock().await;
        for secret in sealed {
            let Some(name) = secret.name.strip_prefix(PREFIX).map(str::to_owned) else {
                continue;
            };
            match self.vault.open(&secret) {
                Ok(refresh) => {
                    let refresh = Secret::new(String::from_utf8_lossy(&refresh).into_owned());
                    let known = tokens.entry(name.clone()).or_insert_with(|| Tokens {
                        refresh: refresh.clone(),
                        access: None,
                    });
                    if known.refresh != refresh {
                        *known = Tokens {
                            refresh,
                            access: None,
                        };
                    }
                    names.push(name);
                }
                Err(error) => trouble = Some(error.to_string()),
            }
        }
        tokens.retain(|name, _| names.contains(name));
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
        let mut tokens = self.tokens.lock().await;
        let known = tokens.get_mut(account).ok_or_else(gone)?;
        if let Some(access) = &known.access
            && !fresh
            && access.usable(now.milliseconds())
        {
            return Ok(access.access.clone());
        }
        let wanted = service_account_scope(&self.client);
        let token = self
            .client
            .refresh(ClientKind::Public, &known.refresh, &wanted)
            .await?;
        let access = token.access.clone();
        if let Some(refresh) = token.refresh.clone().filter(|new| *new != known.refresh) {
            // Stored before the old one is forgotten. Where that fails the old one still works.
            let name = format!("{PREFIX}{account}");
            let kept = match self.vault.seal(&name, refresh.reveal().as_bytes()) {
                Ok(sealed) => self.store.seal_secrets(&[sealed]).await.map_err(Into::into),
                Err(error) => Err(error),
            };
            match kept {
                Ok(()) => known.refresh = refresh,
                Err(error) => {
                    tracing::warn!(account, %error, "a renewed sign-in could not be kept")
                }
            }
        }
        known.access = Some(token);
        Ok(access)
    }
}
