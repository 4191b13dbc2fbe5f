//! Logins at Microsoft: of service accounts, and of people in tenants where each person signs in. A remembered login has its
//! refresh token in the database, sealed; access tokens are in memory and renewed as long as Entra allows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use graph::{
    Blame, Client, GraphError, SignInFault,
    delegated::{ClientKind, SessionState, UserSession, UserToken, scope},
};
use presence::{PersonId, TenantName};
use runtime::{
    clock::Clock,
    vault::{Vault, VaultError},
};
use secrecy::{ExposeSecret, SecretString};
use store::Store;

/// Prefix of the sealed text of logins that the web application began with its secret, and that are refreshed with it. A refresh
/// token has no line break.
const CONFIDENTIAL: &str = "confidential\n";

/// Kind of logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginsOf {
    /// Accounts for subscriptions to changes.
    ServiceAccounts,
    /// People of tenants where each person signs in.
    People,
}

impl LoginsOf {
    /// Prefix of the names of sealed refresh tokens of a tenant; the account or person follows.
    pub fn prefix(self, tenant: &TenantName) -> String {
        let word = match self {
            Self::ServiceAccounts => "service-account",
            Self::People => "person",
        };
        if tenant.is_main() {
            format!("{word}/")
        } else {
            format!("{word}@{tenant}/")
        }
    }

    /// Delegated permissions of Graph: to subscribe to presences, or to read and write the own presence.
    pub(super) const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::ServiceAccounts => &["Presence.Read.All"],
            Self::People => &["Presence.Read", "Presence.ReadWrite"],
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::ServiceAccounts => "sign in again: offhook service-account add",
            Self::People => "the person signs in again under My Teams account",
        }
    }
}

/// Lifetime of a login here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Sealed in the database ("Stay signed in").
    Sealed,
    /// In memory only: it ends with the restart.
    UntilRestart,
}

impl Keep {
    /// The lifetime that the person chose with "Stay signed in".
    pub fn chosen(remember: bool) -> Self {
        match remember {
            true => Self::Sealed,
            false => Self::UntilRestart,
        }
    }
}

#[derive(Debug)]
struct Login {
    /// The refresh token as the database has it; `None`: the login is not remembered.
    stored: Option<SecretString>,
    session: UserSession,
}

#[derive(Debug)]
struct Inner {
    of: LoginsOf,
    prefix: String,
    client: Arc<Client>,
    store: Store,
    vault: Option<Arc<Vault>>,
    clock: Clock,
    /// Each login has a lock of its own: a wait for Entra delays no other login.
    logins: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Login>>>>,
}

/// Logins that are in memory and not in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InMemory {
    /// They continue.
    Keep,
    /// They end.
    Drop,
}

/// Age of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAge {
    /// The token in memory, while it is valid.
    Any,
    /// A new token.
    New,
}

/// The logins of one kind at one tenant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Logins(Arc<Inner>);

impl Logins {
    /// No logins yet. Without a vault no login is remembered.
    pub fn new(
        of: LoginsOf,
        tenant: &TenantName,
        client: Arc<Client>,
        store: Store,
        vault: Option<Arc<Vault>>,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Inner {
            of,
            prefix: of.prefix(tenant),
            client,
            store,
            vault,
            clock,
            logins: Mutex::default(),
        }))
    }

    /// The OAuth scope of a sign-in, always with a refresh token: an access token alone ends after about an hour.
    pub fn scope(&self) -> String {
        scope(&self.0.client.config().graph, self.0.of.permissions(), true)
    }

    /// Reads the remembered logins from the database, where another process may have added or removed one. Returns their names,
    /// and the error of one that does not open.
    pub async fn refresh(&self, in_memory: InMemory) -> (Vec<String>, Option<String>) {
        let Some(vault) = &self.0.vault else {
            return (Vec::new(), None);
        };
        let sealed = match self.0.store.sealed_secrets(&self.0.prefix).await {
            Ok(sealed) => sealed,
            Err(error) => return (Vec::new(), Some(error.to_string())),
        };
        let (mut names, mut trouble) = (Vec::new(), None);
        for secret in sealed {
            let Some(name) = secret.name.strip_prefix(&self.0.prefix) else {
                continue;
            };
            match vault.open(&secret) {
                Ok(refresh) => {
                    self.remembered(name, &String::from_utf8_lossy(refresh.expose_secret()))
                        .await;
                    names.push(name.to_owned());
                }
                Err(error) => trouble = Some(error.to_string()),
            }
        }
        match in_memory {
            InMemory::Keep => {}
            InMemory::Drop => self.logins().retain(|name, _| names.contains(name)),
        }
        (names, trouble)
    }

    async fn remembered(&self, name: &str, text: &str) {
        let (kind, refresh) = match text.strip_prefix(CONFIDENTIAL) {
            Some(refresh) => (ClientKind::Confidential, refresh),
            None => (ClientKind::Public, text),
        };
        let stored = SecretString::from(refresh);
        let known = self.logins().get(name).cloned();
        if let Some(known) = known
            && let Some(known) = &known.lock().await.stored
            && known.expose_secret() == stored.expose_secret()
        {
            return;
        }
        let session = UserSession::from_refresh_token(kind, Some(stored.clone()));
        let login = Login {
            stored: Some(stored),
            session,
        };
        self.insert(name, login);
    }

    /// Begins a login after a sign-in. Its refresh token is stored only if it is to be remembered.
    ///
    /// # Errors
    /// The token cannot be sealed or stored; the login does not begin.
    pub async fn begin(
        &self,
        name: &str,
        kind: ClientKind,
        token: &UserToken,
        keep: Keep,
    ) -> Result<(), VaultError> {
        let stored = match keep {
            Keep::Sealed => token.refresh.clone().filter(|_| self.0.vault.is_some()),
            Keep::UntilRestart => None,
        };
        match &stored {
            Some(refresh) => self.keep(name, kind, refresh).await?,
            None => {
                self.0.store.forget_secret(&self.sealed_name(name)).await?;
            }
        }
        let login = Login {
            stored,
            session: UserSession::new(kind, token),
        };
        self.insert(name, login);
        Ok(())
    }

    /// Ends a login; returns false if there is none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn forget(&self, name: &str) -> Result<bool, VaultError> {
        let stored = self.0.store.forget_secret(&self.sealed_name(name)).await?;
        Ok(self.logins().remove(name).is_some() || stored)
    }

    /// Whether the person is signed in, as far as Entra has answered.
    pub fn signed_in(&self, person: PersonId) -> bool {
        self.state(&person.to_string())
            .is_some_and(|state| state.is_signed_in)
    }

    /// The state of a login; `None`: there is none.
    pub fn state(&self, name: &str) -> Option<LoginState> {
        let login = self.logins().get(name).cloned()?;
        // Locked: it is being renewed, and was valid a moment ago.
        let Ok(login) = login.try_lock() else {
            return Some(LoginState {
                is_signed_in: true,
                remembered: true,
                trouble: None,
            });
        };
        let need = login.session.state(self.now());
        Some(LoginState::of(&need, login.stored.is_some()))
    }

    /// Makes a request with the person's access token; with another one if Graph refuses the first with 401, as often as
    /// [`UserSession::replace`] allows.
    pub async fn with<T, R>(
        &self,
        person: PersonId,
        request: impl Fn(SecretString) -> R,
    ) -> Result<T, GraphError>
    where
        R: Future<Output = Result<T, GraphError>>,
    {
        let name = person.to_string();
        let token = self.token(&name, TokenAge::Any).await?;
        match request(token.clone()).await {
            Err(GraphError::Unauthorized { .. }) if self.replace(&name, &token).await => {
                request(self.token(&name, TokenAge::Any).await?).await
            }
            done => done,
        }
    }

    /// Graph refused this access token with 401. Returns true if there is another one, or one may be asked for.
    pub async fn replace(&self, name: &str, refused: &SecretString) -> bool {
        let login = self.logins().get(name).cloned();
        let Some(login) = login else { return false };
        let now = self.now();
        login.lock().await.session.replace(refused, now)
    }

    /// An access token of a login.
    ///
    /// # Errors
    /// The login has ended, or Entra gives no token.
    pub async fn token(&self, name: &str, age: TokenAge) -> Result<SecretString, GraphError> {
        let login = self.logins().get(name).cloned();
        let login = login.ok_or_else(|| GraphError::UserSignIn {
            error: "login_required".into(),
            description: format!("{name} is not signed in"),
            remedy: self.0.of.remedy(),
            fault: SignInFault::Person,
            retry_after: None,
        })?;
        let mut login = login.lock().await;
        let now = self.now();
        if age == TokenAge::New
            && let SessionState::Ready(access) = login.session.state(now)
        {
            login.session.forget(&access);
        }
        let (kind, refresh) = match login.session.state(now) {
            SessionState::Ready(access) => return Ok(access),
            SessionState::Resting(_, error) | SessionState::SignIn(error) => return Err(error),
            SessionState::Refresh(kind, refresh) => (kind, refresh),
        };
        let wanted = self.scope();
        let answer = self.0.client.refresh(kind, &refresh, &wanted).await;
        let access = answer.as_ref().map(|token| token.access.clone());
        let access = access.map_err(Clone::clone);
        let new = login.session.on_refresh(now, answer);
        if let Some(refresh) = new.filter(|_| login.stored.is_some()) {
            match self.keep(name, kind, &refresh).await {
                Ok(()) => login.stored = Some(refresh),
                // The stored one still works.
                Err(error) => tracing::warn!(name, %error, "a renewed sign-in could not be kept"),
            }
        }
        match (access, login.session.state(now)) {
            // The old token may still be valid.
            (Err(_), SessionState::Ready(access)) => Ok(access),
            (access, _) => access,
        }
    }

    async fn keep(
        &self,
        name: &str,
        kind: ClientKind,
        refresh: &SecretString,
    ) -> Result<(), VaultError> {
        let name = self.sealed_name(name);
        match &self.0.vault {
            Some(vault) => keep(&self.0.store, vault, &name, kind, refresh).await,
            None => Ok(()),
        }
    }

    fn sealed_name(&self, name: &str) -> String {
        format!("{}{name}", self.0.prefix)
    }

    fn insert(&self, name: &str, login: Login) {
        let login = Arc::new(tokio::sync::Mutex::new(login));
        self.logins().insert(name.to_owned(), login);
    }

    fn logins(&self) -> MutexGuard<'_, HashMap<String, Arc<tokio::sync::Mutex<Login>>>> {
        self.0.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tokens end by the server's clock.
    fn now(&self) -> i64 {
        self.0.clock.now().milliseconds()
    }
}

/// State of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginState {
    /// Whether Entra accepts the login without the person.
    pub is_signed_in: bool,
    /// Whether the login outlives a restart.
    pub remembered: bool,
    /// The reason why the person must sign in again, or the remedy for an administrator.
    pub trouble: Option<String>,
}

impl LoginState {
    fn of(need: &SessionState, remembered: bool) -> Self {
        let trouble = match need {
            SessionState::SignIn(error) => Some(error),
            SessionState::Resting(_, error) => match error.blame() {
                Blame::Administrator => Some(error),
                // A passing failure.
                Blame::Service | Blame::Request => None,
            },
            SessionState::Ready(_) | SessionState::Refresh(..) => None,
        };
        Self {
            is_signed_in: !matches!(need, SessionState::SignIn(_)),
            remembered,
            trouble: trouble.map(GraphError::to_string),
        }
    }
}

/// Seals and stores a refresh token.
pub(super) async fn keep(
    store: &Store,
    vault: &Vault,
    name: &str,
    kind: ClientKind,
    refresh: &SecretString,
) -> Result<(), VaultError> {
    let text = match kind {
        ClientKind::Public => refresh.clone(),
        ClientKind::Confidential => {
            SecretString::from(format!("{CONFIDENTIAL}{}", refresh.expose_secret()))
        }
    };
    let sealed = vault.seal(name, text.expose_secret().as_bytes())?;
    Ok(store.seal_secrets(&[sealed]).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(fault: SignInFault) -> GraphError {
        GraphError::UserSignIn {
            error: "invalid_grant".into(),
            description: "no".into(),
            remedy: "a remedy",
            fault,
            retry_after: None,
        }
    }

    // A login that waits for an administrator has not ended, and the person sees why it does not work.
    #[test]
    fn a_login_that_waits_for_an_administrator_says_so_and_has_not_ended() {
        for (need, is_signed_in, has_trouble) in [
            (
                SessionState::Resting(1, refused(SignInFault::Consent)),
                true,
                true,
            ),
            (
                SessionState::Resting(1, refused(SignInFault::Microsoft)),
                true,
                false,
            ),
            (
                SessionState::SignIn(refused(SignInFault::Person)),
                false,
                true,
            ),
            (SessionState::Ready(SecretString::from("a")), true, false),
        ] {
            let state = LoginState::of(&need, true);
            assert_eq!(state.is_signed_in, is_signed_in, "{need:?}");
            assert_eq!(state.trouble.is_some(), has_trouble, "{need:?}");
        }
    }
}
