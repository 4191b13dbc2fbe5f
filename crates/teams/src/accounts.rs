//! Connecting of Teams accounts by their people: a person signs in at Microsoft, by a code or in the browser, and Microsoft's
//! answer names the account. An account that is not obviously the person's own is linked when the person confirms it. In tenants
//! where each person signs in, the login is used to read and write the presence; else it is dropped at once.

use std::time::Duration;

use graph::{
    GraphError,
    delegated::{
        Authorization, CallbackError, ClientKind, DeviceCode, DeviceFlow, DeviceState, UserToken,
        scope,
    },
};
use presence::{Fact, PersonId, TeamsUserId, TenantName};
use runtime::{
    audit::{Entry, Own},
    people_index::Person,
    secrets,
    vault::VaultError,
};
use secrecy::SecretString;
use store::{Change, NamedAccount, StoreError};

use super::{
    attempts::{Attempt, AttemptNumber, Returned, Waiting},
    confirmation::{ANSWER_TIME, Question, is_obvious, named},
    handle::TeamsHandle,
    logins::Keep,
    network_time,
    tenant_clients::TenantClient,
};

/// Time for a sign-in in the browser.
const BROWSER_TIMEOUT: Duration = Duration::from_secs(600);

/// The reason why an account was not connected, in words for the person.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The location names a tenant that is not configured.
    #[error(
        "the tenant {0} of this person's location is not configured; name another for the location, or add it to the configuration"
    )]
    NoTenant(TenantName),
    /// The login is federated and cannot be remembered.
    #[error(
        "{0} signs in at another identity provider (federated): such a login cannot be remembered; sign in without remembering it, or ask an administrator to connect the whole tenant"
    )]
    Federated(String),
    /// In this tenant each person signs in: administrators cannot link accounts.
    #[error(
        "people of the tenant {0} sign in by themselves: ask the person to connect the account under \"Teams account\""
    )]
    SignsIn(TenantName),
    /// The tenant has no such account.
    #[error(
        "the tenant {1} has no account {0}; give the object id or the sign-in name as Entra shows it under Users"
    )]
    NoAccount(String, TenantName),
    /// The account belongs to another tenant.
    #[error("{0} is an account of another tenant; sign in with that of {1}")]
    OtherTenant(String, String),
    /// Entra did not name the account.
    #[error("Microsoft did not say who signed in; try again")]
    Nobody,
    /// No sign-in of this session is in progress.
    #[error("this is not the answer to a sign-in that was started here; start the sign-in again")]
    NotBegun,
    /// The question is not open in this session.
    #[error(
        "this question is not open here: it was answered, it has expired after 10 minutes, or another session showed it; read the page again"
    )]
    NotAsked,
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    Random(#[from] getrandom::Error),
    /// Microsoft refused the sign-in or does not answer.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The browser came back without a code.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The login cannot be stored.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Another person has the account, or the database fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Begins a sign-in by a code that the person types at Microsoft, in any browser.
///
/// # Errors
/// See [`AccountError`].
pub async fn begin_code(
    teams: &TeamsHandle,
    person: &Person,
    keep: Keep,
) -> Result<Waiting, AccountError> {
    let tenant = tenant(teams, person.id)?;
    refuse_to_remember(&tenant, &person.user_principal_name, keep).await?;
    let code = tenant.client.begin_device_code(&wanted(&tenant)).await?;
    let waiting = Waiting {
        user_code: code.user_code.clone(),
        verification_uri: code.verification_uri.clone(),
        until: teams.context.clock.now() + code.lifetime,
    };
    let id = person.id;
    // The attempt must be known before it can end.
    let (known, begin) = tokio::sync::oneshot::channel::<AttemptNumber>();
    let task = tokio::spawn({
        let teams = teams.clone();
        async move {
            let Ok(number) = begin.await else { return };
            let own = (id, number);
            let done = match poll(&tenant, &code).await {
                Ok(token) => {
                    complete(&teams, &tenant, own, (ClientKind::Public, token), keep).await
                }
                Err(error) => Err(error.into()),
            };
            // A failure is shown to the person as the state of the attempt.
            let _ = finish(&teams, own, done);
        }
    });
    let attempt = Attempt::Code {
        waiting: waiting.clone(),
        task: task.abort_handle(),
    };
    let number = teams.attempts.begin(id, attempt, teams.context.clock.now());
    let _ = known.send(number);
    Ok(waiting)
}

/// Begins a sign-in in the browser of a session and returns the address at Microsoft. The browser comes back to `redirect_uri`.
///
/// # Errors
/// See [`AccountError`].
pub async fn begin_browser(
    teams: &TeamsHandle,
    person: &Person,
    keep: Keep,
    redirect_uri: &str,
    session: &str,
) -> Result<String, AccountError> {
    let tenant = tenant(teams, person.id)?;
    let hint = Some(person.user_principal_name.as_str()).filter(|hint| !hint.is_empty());
    refuse_to_remember(&tenant, hint.unwrap_or_default(), keep).await?;
    let config = tenant.client.config();
    let authorization = Authorization::begin(config, redirect_uri, &wanted(&tenant), hint)?;
    let url = authorization.url.clone();
    let attempt = Attempt::Browser {
        authorization: Box::new(authorization),
        keep,
        session: session.to_owned(),
        until: teams.context.clock.now() + BROWSER_TIMEOUT,
    };
    teams
        .attempts
        .begin(person.id, attempt, teams.context.clock.now());
    Ok(url)
}

/// Completes a sign-in in the browser, with the query of its return from Microsoft, in the session that began it.
///
/// # Errors
/// See [`AccountError`].
pub async fn finish_browser(
    teams: &TeamsHandle,
    person: &Person,
    query: &str,
    here: &str,
) -> Result<(), AccountError> {
    let returned = teams
        .attempts
        .returned(person.id, here, teams.context.clock.now());
    let returned = returned.ok_or(AccountError::NotBegun)?;
    let own = (person.id, returned.number);
    let done = redeem(teams, person.id, returned, query).await;
    finish(teams, own, done)
}

/// Answer to the question whether an account is the person's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Link the account.
    Link,
    /// Drop the sign-in.
    Discard,
}

/// Answers the open question of a person, with the value that the session received.
///
/// # Errors
/// See [`AccountError`].
pub async fn confirm(
    teams: &TeamsHandle,
    person: &Person,
    (confirmation, session): (&str, &str),
    answer: Answer,
) -> Result<(), AccountError> {
    let now = teams.context.clock.now();
    let shown = (confirmation, session);
    let question = teams.attempts.answered(person.id, shown, now);
    let question = question.ok_or(AccountError::NotAsked)?;
    let tenant = tenant(teams, person.id)?;
    match answer {
        Answer::Discard => Ok(()),
        // The person has moved to another tenant since.
        Answer::Link if tenant.name != question.tenant => Err(AccountError::NotAsked),
        Answer::Link => {
            let login = (question.kind, &question.token, question.keep);
            link_own(teams, &tenant, person, &question.account, login).await
        }
    }
}

/// Links the account that an administrator names, by object id or sign-in name, with the audit entry that `entry_of` makes
/// for the found account.
///
/// # Errors
/// See [`AccountError`].
pub async fn link_named(
    teams: &TeamsHandle,
    person: &Person,
    named: &str,
    entry_of: impl FnOnce(&TeamsUserId) -> Entry,
) -> Result<(), AccountError> {
    let tenant = tenant(teams, person.id)?;
    if tenant.logins.is_some() {
        return Err(AccountError::SignsIn(tenant.name));
    }
    let found = tenant.client.find_user(named).await?;
    let missing = || AccountError::NoAccount(named.to_owned(), tenant.name.clone());
    let account = found.ok_or_else(missing)?;
    teams.attempts.cancel(person.id);
    let account = NamedAccount {
        object_id: TeamsUserId::new(&account.id),
        sign_in_name: account.user_principal_name,
        display_name: account.display_name,
    };
    let entry = entry_of(&account.object_id);
    link(teams, &tenant, person, &account, None, &entry.change()).await
}

/// Links an account to the person, in place of an earlier one, with the login that reads it, if there is one, and the audit
/// row.
async fn link(
    teams: &TeamsHandle,
    tenant: &TenantClient,
    person: &Person,
    account: &NamedAccount,
    login: Option<(ClientKind, &UserToken, Keep)>,
    change: &Change<'_>,
) -> Result<(), AccountError> {
    // Checked before the earlier account is unlinked.
    teams
        .context
        .store
        .may_link_teams(person.id, &account.object_id)
        .await?;
    let known = person.teams_id.as_ref();
    if known.is_some_and(|known| *known != account.object_id) {
        teams.context.unlink(person.id, None).await?;
    }
    let _one_at_a_time = teams.context.settings_lock.lock().await;
    // If the login cannot be stored, nothing is linked: database and index of people stay alike.
    let name = person.id.to_string();
    let begun = match (&tenant.logins, login) {
        (Some(logins), Some((kind, token, keep))) => {
            logins.begin(&name, kind, token, keep).await?;
            Some(logins)
        }
        (None | Some(_), _) => None,
    };
    let linked = teams
        .context
        .store
        .link_named_account(person.id, account, &tenant.name, change)
        .await;
    if let Err(error) = linked {
        // A login without its account would read another person's presence.
        if let Some(logins) = begun {
            logins.forget(&name).await?;
        }
        return Err(error.into());
    }
    teams
        .context
        .people
        .set_teams_id(person.id, &account.object_id, &tenant.name);
    let engine = &teams.context.engine;
    engine.fact(person.id, Fact::TeamsLinked).await;
    Ok(())
}

/// Ends the person's login and unlinks the account, with the audit row. In tenants where the application signs in, the search
/// links an account with the person's name again.
///
/// # Errors
/// See [`AccountError`].
pub async fn disconnect(
    teams: &TeamsHandle,
    person: &Person,
    change: &Change<'_>,
) -> Result<(), AccountError> {
    let context = &teams.context;
    teams.attempts.cancel(person.id);
    let is_linked = person.teams_id.is_some();
    if is_linked {
        // With the login, which clears Offhook's presence.
        context.leave_account(person.id).await;
    }
    // Before the audit row: a request with the same key is not carried out again.
    // The location may name a tenant that is not configured any more.
    let client = teams.clients.get(&context.organisation.tenant(person.id));
    if let Some(logins) = client.and_then(|client| client.logins.as_ref())
        && let Err(error) = logins.forget(&person.id.to_string()).await
    {
        if is_linked {
            context.engine.fact(person.id, Fact::TeamsLinked).await;
        }
        return Err(error.into());
    }
    match is_linked {
        true => context.unlink(person.id, Some(change)).await?,
        false => context.store.record_change(change).await?,
    }
    Ok(())
}

async fn redeem(
    teams: &TeamsHandle,
    person: PersonId,
    Returned {
        number,
        authorization,
        keep,
    }: Returned,
    query: &str,
) -> Result<Completed, AccountError> {
    let code: SecretString = authorization.code_from_callback(query)?;
    let tenant = tenant(teams, person)?;
    let token = tenant.client.redeem_code(&authorization, &code).await?;
    let login = (ClientKind::Confidential, token);
    complete(teams, &tenant, (person, number), login, keep).await
}

/// Result of a successful sign-in at Microsoft.
#[derive(Debug)]
enum Completed {
    /// The account is linked.
    Linked,
    /// The person must confirm the account.
    Asked(Box<Question>),
}

/// Ends this sign-in, unless a later one has replaced it.
fn finish(
    teams: &TeamsHandle,
    (person, number): (PersonId, AttemptNumber),
    done: Result<Completed, AccountError>,
) -> Result<(), AccountError> {
    let (next, result) = match done {
        Ok(Completed::Linked) => (None, Ok(())),
        Ok(Completed::Asked(question)) => (Some(Attempt::Question(question)), Ok(())),
        Err(error) => {
            tracing::warn!(%person, %error, "a person's sign-in at Microsoft did not succeed");
            (Some(Attempt::Failed(error.to_string())), Err(error))
        }
    };
    teams.attempts.end(person, number, next);
    result
}

async fn poll(tenant: &TenantClient, code: &DeviceCode) -> Result<UserToken, GraphError> {
    let (mut flow, mut state) = DeviceFlow::new(network_time(), code);
    loop {
        match state {
            DeviceState::PollAt(at) => {
                let wait = at.saturating_sub(network_time()).max(0).unsigned_abs();
                tokio::time::sleep(Duration::from_millis(wait)).await;
                let answer = tenant.client.poll_device_code(code).await;
                state = flow.on_answer(network_time(), answer);
            }
            DeviceState::Done(token) => return Ok(*token),
            DeviceState::Failed(error) => return Err(error),
        }
    }
}

/// Completes a sign-in: checks the account, and links it or asks the person.
async fn complete(
    teams: &TeamsHandle,
    tenant: &TenantClient,
    (id, number): (PersonId, AttemptNumber),
    (kind, token): (ClientKind, UserToken),
    keep: Keep,
) -> Result<Completed, AccountError> {
    let user = token.user.as_ref().ok_or(AccountError::Nobody)?;
    let name = user.name.clone().unwrap_or_else(|| user.object_id.clone());
    let wanted = &tenant.client.config().tenant;
    if !user.tenant_id.eq_ignore_ascii_case(wanted)
        && !user
            .tenant_id
            .eq_ignore_ascii_case(&tenant.client.tenant_id().await?)
    {
        return Err(AccountError::OtherTenant(name, wanted.clone()));
    }
    let keep = match is_federated(tenant, user.name.as_deref().unwrap_or_default()).await {
        true => Keep::UntilRestart,
        false => keep,
    };
    let Some(person) = teams.context.people.person(id) else {
        // The person was removed.
        return Err(AccountError::NotBegun);
    };
    let account = named(user);
    // An account of another person is refused without a question.
    teams
        .context
        .store
        .may_link_teams(person.id, &account.object_id)
        .await?;
    // Cancelled, or replaced by a later sign-in, while Microsoft answered.
    if !teams.attempts.is_current(id, number) {
        return Err(AccountError::NotBegun);
    }
    if is_obvious(&person, &account) {
        let login = (kind, &token, keep);
        link_own(teams, tenant, &person, &account, login).await?;
        return Ok(Completed::Linked);
    }
    Ok(Completed::Asked(Box::new(Question {
        tenant: tenant.name.clone(),
        account,
        kind,
        token,
        keep,
        until: teams.context.clock.now() + ANSWER_TIME,
        secret: secrets::new_secret()?,
    })))
}

/// Links the account that the person signed in to, with an audit entry.
async fn link_own(
    teams: &TeamsHandle,
    tenant: &TenantClient,
    person: &Person,
    account: &NamedAccount,
    login: (ClientKind, &UserToken, Keep),
) -> Result<(), AccountError> {
    let now = teams.context.clock.now();
    let owner = person.id.to_string();
    let change = Own::TeamsAccountSignIn.change(now, "the person, at Microsoft", &owner);
    link(teams, tenant, person, account, Some(login), &change).await
}

fn tenant(teams: &TeamsHandle, person: PersonId) -> Result<TenantClient, AccountError> {
    let name = teams.context.organisation.tenant(person);
    let tenant = teams.clients.get(&name).cloned();
    tenant.ok_or(AccountError::NoTenant(name))
}

/// The OAuth scope of a sign-in: with permissions and a refresh token where presence is read with it, else only the identity.
fn wanted(tenant: &TenantClient) -> String {
    match &tenant.logins {
        Some(logins) => logins.scope(),
        None => scope(&tenant.client.config().graph, &[], false),
    }
}

/// Refuses to remember the login of a federated account. Without being remembered the login works until the restart.
async fn refuse_to_remember(
    tenant: &TenantClient,
    name: &str,
    keep: Keep,
) -> Result<(), AccountError> {
    match keep {
        Keep::Sealed if is_federated(tenant, name).await => {
            Err(AccountError::Federated(name.to_owned()))
        }
        Keep::Sealed | Keep::UntilRestart => Ok(()),
    }
}

/// Whether an account signs in at another identity provider. If Microsoft does not answer, the sign-in itself shows it.
async fn is_federated(tenant: &TenantClient, name: &str) -> bool {
    if name.is_empty() {
        return false;
    }
    tenant
        .client
        .is_federated(name)
        .await
        .unwrap_or_else(|error| {
            tracing::debug!(%error, "whether an account is federated is not known");
            false
        })
}
