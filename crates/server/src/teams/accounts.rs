//! People connect their Teams account themselves: they sign in at Microsoft, by a code or in this browser, and what comes
//! back says whose account it is. Where everybody signs in by themselves, the login is what their presence is read and
//! written with; else it is forgotten at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use graph::{
    GraphError, Secret,
    delegated::{
        Authorization, CallbackError, ClientKind, DeviceCode, DeviceFlow, DeviceState, UserToken,
        scope,
    },
};
use presence::{Fact, PersonId, Timestamp};
use store::StoreError;

use super::{doors::Door, network_time};
use crate::{api::Own, app::Core, directory::Person, vault::VaultError};

/// How long a browser may be away at Microsoft.
const BROWSER: Duration = Duration::from_secs(600);

/// Why an account was not connected, in words for the person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// No such tenant.
    #[error(
        "the tenant {0} of this person's location is not configured; name another for the location, or add it to the configuration"
    )]
    NoTenant(String),
    /// Not offered.
    #[error(
        "{0} signs in at another identity provider (federated): such logins are not kept; an administrator can connect the whole tenant instead"
    )]
    Federated(String),
    /// Who signs in by themselves is not linked by others.
    #[error(
        "people of the tenant {0} sign in by themselves: ask the person to connect the account under \"Teams account\""
    )]
    SignsIn(String),
    /// No such account.
    #[error(
        "the tenant {1} has no account {0}; give the object id or the sign-in name as Entra shows it under Users"
    )]
    NoAccount(String, String),
    /// Somebody of another tenant.
    #[error("{0} is an account of another tenant; sign in with that of {1}")]
    OtherTenant(String, String),
    /// Entra did not say who it was.
    #[error("Microsoft did not say who signed in; try again")]
    Nobody,
    /// No sign-in is under way, or another.
    #[error("this is not the answer to a sign-in that was begun here; begin it anew")]
    NotBegun,
    /// Microsoft refused.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The browser came back without a code.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The login cannot be kept.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Somebody else has the account, or the database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A sign-in by code that waits for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// What to type.
    pub(crate) user_code: String,
    /// Where.
    pub(crate) verification_uri: String,
    /// Until when.
    pub(crate) until: Timestamp,
}

#[derive(Debug)]
enum Attempt {
    Code {
        waiting: Waiting,
        task: tokio::task::AbortHandle,
    },
    Browser {
        authorization: Box<Authorization>,
        until: Timestamp,
    },
    Failed(String),
}

/// The sign-ins that are under way. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts(Arc<Mutex<HashMap<PersonId, Attempt>>>);

impl Attempts {
    fn lock(&self) -> MutexGuard<'_, HashMap<PersonId, Attempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The code that the person is to type, if one waits.
    pub(crate) fn waiting(&self, person: PersonId) -> Option<Waiting> {
        match self.lock().get(&person) {
            Some(Attempt::Code { waiting, .. }) => Some(waiting.clone()),
            _ => None,
        }
    }

    /// Why the last sign-in did not succeed.
    pub(crate) fn failed(&self, person: PersonId) -> Option<String> {
        match self.lock().get(&person) {
            Some(Attempt::Failed(what)) => Some(what.clone()),
            _ => None,
        }
    }

    /// One sign-in at a time for each person: a new one ends the one before.
    fn replace(&self, person: PersonId, attempt: Option<Attempt>) {
        let before = match attempt {
            Some(attempt) => self.lock().insert(person, attempt),
            None => self.lock().remove(&person),
        };
        if let Some(Attempt::Code { task, .. }) = before {
            task.abort();
        }
    }
}

/// Begins a sign-in by a code that the person types at Microsoft, in any browser.
pub(crate) async fn begin_code(
    core: &Core,
    person: &Person,
    remember: bool,
) -> Result<Waiting, AccountError> {
    let door = door(core, person.id)?;
    refuse_federated(&door, &person.user_principal_name).await?;
    let code = door
        .client
        .begin_device_code(&wanted(&door, remember))
        .await?;
    let waiting = Waiting {
        user_code: code.user_code.clone(),
        verification_uri: code.verification_uri.clone(),
        until: core.clock.now() + code.lifetime,
    };
    let id = person.id;
    // The attempt must be known before it can end.
    let (known, begin) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn({
        let core = core.clone();
        async move {
            let _ = begin.await;
            let done = match poll(&door, &code).await {
                Ok(token) => complete(&core, &door, id, ClientKind::Public, &token).await,
                Err(error) => Err(error.into()),
            };
            finish(&core, id, &done);
        }
    });
    let attempt = Attempt::Code {
        waiting: waiting.clone(),
        task: task.abort_handle(),
    };
    core.attempts.replace(id, Some(attempt));
    let _ = known.send(());
    Ok(waiting)
}

/// Begins a sign-in in this browser and returns where to send it. `redirect_uri` is where it comes back to.
pub(crate) async fn begin_browser(
    core: &Core,
    person: &Person,
    remember: bool,
    redirect_uri: &str,
) -> Result<String, AccountError> {
    let door = door(core, person.id)?;
    let hint = Some(person.user_principal_name.as_str()).filter(|hint| !hint.is_empty());
    refuse_federated(&door, hint.unwrap_or_default()).await?;
    let config = door.client.config();
    let authorization = Authorization::begin(config, redirect_uri, &wanted(&door, remember), hint)?;
    let url = authorization.url.clone();
    let attempt = Attempt::Browser {
        authorization: Box::new(authorization),
        until: core.clock.now() + BROWSER,
    };
    core.attempts.replace(person.id, Some(attempt));
    Ok(url)
}

/// The browser came back with this query.
pub(crate) async fn finish_browser(
    core: &Core,
    person: &Person,
    query: &str,
) -> Result<(), AccountError> {
    let now = core.clock.now();
    let attempt = {
        let mut attempts = core.attempts.lock();
        match attempts.get(&person.id) {
            Some(Attempt::Browser { until, .. }) if *until > now => attempts.remove(&person.id),
            _ => None,
        }
    };
    let Some(Attempt::Browser { authorization, .. }) = attempt else {
        return Err(AccountError::NotBegun);
    };
    let done = redeem(core, person.id, &authorization, query).await;
    finish(core, person.id, &done);
    done
}

/// Links the account that an administrator names, by object id or sign-in name. Returns its object id.
pub(crate) async fn link_named(
    core: &Core,
    person: &Person,
    named: &str,
) -> Result<String, AccountError> {
    let door = door(core, person.id)?;
    if door.logins.is_some() {
        return Err(AccountError::SignsIn(door.name.to_string()));
    }
    let found = door.client.find_user(named).await?;
    let missing = || AccountError::NoAccount(named.to_owned(), door.name.to_string());
    let account = found.ok_or_else(missing)?;
    core.attempts.replace(person.id, None);
    link(core, &door, person, &account.id, None).await?;
    Ok(account.id)
}

/// The account is the person's from now on, and no other; with the login that it is read by, where there is one.
async fn link(
    core: &Core,
    door: &Door,
    person: &Person,
    account: &str,
    login: Option<(ClientKind, &UserToken)>,
) -> Result<(), AccountError> {
    // Before the account that they have is given up for one that they cannot have.
    core.store.may_link_teams(person.id, account).await?;
    let known = person.teams_id.as_deref();
    if known.is_some_and(|known| !known.eq_ignore_ascii_case(account)) {
        core.unlink(person).await?;
    }
    let _one_at_a_time = core.settings_change.lock().await;
    core.store
        .link_teams(person.id, account, &door.name)
        .await?;
    if let (Some(logins), Some((kind, token))) = (&door.logins, login) {
        logins.begin(&person.id.to_string(), kind, token).await?;
    }
    core.directory.set_teams_id(person.id, account, &door.name);
    core.shard.fact(person.id, Fact::LinkedTeams).await;
    Ok(())
}

/// Forgets the person's login and account. Where the application reads everybody, an account with the person's name is found
/// again by itself.
pub(crate) async fn disconnect(core: &Core, person: &Person) -> Result<(), AccountError> {
    core.attempts.replace(person.id, None);
    if person.teams_id.is_some() {
        core.unlink(person).await?;
    }
    if let Some(logins) = door(core, person.id)?.logins {
        logins.forget(&person.id.to_string()).await?;
    }
    Ok(())
}

async fn redeem(
    core: &Core,
    person: PersonId,
    authorization: &Authorization,
    query: &str,
) -> Result<(), AccountError> {
    let code: Secret = authorization.returned(query)?;
    let door = door(core, person)?;
    let token = door.client.redeem_code(authorization, &code).await?;
    complete(core, &door, person, ClientKind::Confidential, &token).await
}

fn finish(core: &Core, person: PersonId, done: &Result<(), AccountError>) {
    let attempt = done
        .as_ref()
        .err()
        .map(|error| Attempt::Failed(error.to_string()));
    // Not `replace`: the task that is running is the one that would be ended.
    let mut attempts = core.attempts.lock();
    match attempt {
        Some(attempt) => {
            tracing::warn!(%person, error = %done.as_ref().err().map_or_else(String::new, ToString::to_string),
                "a person's sign-in at Microsoft did not succeed");
            attempts.insert(person, attempt);
        }
        None => {
            attempts.remove(&person);
        }
    }
}

async fn poll(door: &Door, code: &DeviceCode) -> Result<UserToken, GraphError> {
    let (mut flow, mut state) = DeviceFlow::new(network_time(), code);
    loop {
        match state {
            DeviceState::AskAt(at) => {
                let wait = at.saturating_sub(network_time()).max(0).unsigned_abs();
                tokio::time::sleep(Duration::from_millis(wait)).await;
                let answer = door.client.poll_device_code(code).await;
                state = flow.answered(network_time(), answer);
            }
            DeviceState::Done(token) => return Ok(*token),
            DeviceState::Failed(error) => return Err(error),
        }
    }
}

/// Somebody signed in: checks who, keeps the login where it is needed, and links the account.
async fn complete(
    core: &Core,
    door: &Door,
    id: PersonId,
    kind: ClientKind,
    token: &UserToken,
) -> Result<(), AccountError> {
    let user = token.user.as_ref().ok_or(AccountError::Nobody)?;
    let name = user.name.clone().unwrap_or_else(|| user.object_id.clone());
    let wanted = &door.client.config().tenant;
    if !user.tenant_id.eq_ignore_ascii_case(wanted)
        && !user
            .tenant_id
            .eq_ignore_ascii_case(&door.client.tenant_id().await?)
    {
        return Err(AccountError::OtherTenant(name, wanted.clone()));
    }
    refuse_federated(door, user.name.as_deref().unwrap_or_default()).await?;
    let Some(person) = core.directory.person(id) else {
        // Gone meanwhile.
        return Err(AccountError::NotBegun);
    };
    link(core, door, &person, &user.object_id, Some((kind, token))).await?;
    let now = core.clock.now();
    let owner = id.to_string();
    let change = Own::TeamsAccountSignIn.change(now, "the person, at Microsoft", &owner);
    core.store.note(&change).await?;
    Ok(())
}

fn door(core: &Core, person: PersonId) -> Result<Door, AccountError> {
    let name = core.organisation.tenant(person);
    let door = core.doors.get(&name).cloned();
    door.ok_or(AccountError::NoTenant(name))
}

/// What is asked for: permissions and a login to keep where presence is read with it, else only who it is.
fn wanted(door: &Door, remember: bool) -> String {
    match &door.logins {
        Some(logins) => logins.scope(remember),
        None => scope(&door.client.config().graph, &[], false),
    }
}

/// Federated accounts are not offered (domain 3.5). Where Microsoft does not say, the sign-in itself will.
async fn refuse_federated(door: &Door, name: &str) -> Result<(), AccountError> {
    if name.is_empty() {
        return Ok(());
    }
    match door.client.is_federated(name).await {
        Ok(true) => Err(AccountError::Federated(name.to_owned())),
        Ok(false) => Ok(()),
        Err(error) => {
            tracing::debug!(%error, "whether an account is federated is not known");
            Ok(())
        }
    }
}
