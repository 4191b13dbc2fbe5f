//! A person's Teams account: state, linking by a sign-in at Microsoft or by an administrator, unlinking.

use api_types::teams_account::{
    TeamsAccount, TeamsAccountAnswer, TeamsAccountCode, TeamsAccountLink, TeamsAccountQuestion,
    TeamsAccountSignIn, TenantSignIn,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::TeamsUserId;
use runtime::{
    audit::{Details, Own},
    clock::rfc3339,
    context::Context,
    people_index::Person,
};
use serde_json::json;
use store::StoreError;
use teams::{AccountError, Answer, Keep, TeamsHandle, begin_code, confirm, disconnect, link_named};

use super::{Json, audit::own_entry};
use crate::{
    caller::{Access, Caller},
    identity::IdentityField,
    preconditions::Comparison,
    problem::Problem,
};

/// Largest length of an account's id or sign-in name (Entra allows 113 characters).
pub(super) const ACCOUNT_MAX: usize = 256;

/// The state of a person's Teams account, as shown in this session.
pub async fn teams_account(
    (context, teams): (&Context, &TeamsHandle),
    person: &Person,
    session: &str,
) -> Result<TeamsAccount, StoreError> {
    let named = context.store.teams_account_names(person.id).await?;
    let (sign_in_name, display_name) = named.map_or((None, None), |named| {
        (named.sign_in_name, named.display_name)
    });
    let tenant = context.organisation.tenant(person.id);
    let tenant_client = teams.clients.get(&tenant);
    let login = tenant_client
        .and_then(|tenant_client| tenant_client.logins.as_ref())
        .and_then(|logins| logins.state(&person.id.to_string()));
    let waiting = teams.attempts.waiting(person.id);
    let now = context.clock.now();
    let question = teams.attempts.question(person.id, session, now);
    Ok(TeamsAccount {
        sign_in: tenant_client.map(|tenant_client| match tenant_client.logins {
            Some(_) => TenantSignIn::People,
            None => TenantSignIn::Application,
        }),
        account: account_of(person).map(str::to_owned),
        sign_in_name,
        display_name,
        signed_in: login.as_ref().map(|login| login.is_signed_in),
        remembered: login.as_ref().map(|login| login.remembered),
        trouble: teams
            .attempts
            .failed(person.id)
            .or(login.and_then(|login| login.trouble)),
        waiting: waiting.map(|waiting| TeamsAccountCode {
            user_code: waiting.user_code,
            verification_uri: waiting.verification_uri,
            until: rfc3339(waiting.until),
        }),
        question: question.map(|question| {
            let name = question.account.sign_in_name.as_deref().unwrap_or_default();
            let others = context.people.identified(name);
            let other = others.iter().find(|known| known.id != person.id);
            TeamsAccountQuestion {
                name_of: other.map(|other| other.name.clone()),
                account: question.account.object_id.to_string(),
                sign_in_name: question.account.sign_in_name,
                display_name: question.account.display_name,
                until: rfc3339(question.until),
                confirmation: question.confirmation,
            }
        }),
        tenant: tenant.to_string(),
    })
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Store(error) => error.into(),
            AccountError::NoAccount(..) => Self::invalid("account", error.to_string()),
            AccountError::Graph(_) | AccountError::Vault(_) | AccountError::Random(_) => {
                Self::unavailable(&error.to_string())
            }
            AccountError::NoTenant(_)
            | AccountError::Federated(_)
            | AccountError::SignsIn(_)
            | AccountError::OtherTenant(..)
            | AccountError::Nobody
            | AccountError::NotBegun
            | AccountError::NotAsked
            | AccountError::Callback(_) => Self::conflict(error.to_string()),
        }
    }
}

/// The Teams account and login of a person.
#[utoipa::path(
    get,
    path = "/people/{id}/teams-account",
    tag = "People",
    responses((status = OK, description = "The requested data.", body = TeamsAccount)),
)]
pub async fn read(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<TeamsAccount>, Problem> {
    let person = super::person(&context.people, &id)?;
    caller.require_self_or_admin(&context.organisation, person.id, Access::Read)?;
    super::schedule_account_search(&teams, &context.organisation, &person);
    let body = teams_account((&context, &teams), &person, caller.session_mark()).await?;
    // The human who enters the code links an account, and so does the answer to the question.
    let may_type = require_to_link(&caller, &person).is_ok();
    Ok(axum::Json(TeamsAccount {
        waiting: body.waiting.filter(|_| may_type),
        question: body.question.filter(|_| may_type),
        ..body
    }))
}

/// Refuses changes of a person's Teams account by callers other than the person, who proves ownership at Microsoft, and
/// system administrators.
fn require_to_link(caller: &Caller, person: &Person) -> Result<(), Problem> {
    match caller.person == Some(person.id) {
        true => Ok(()),
        false => caller.require_to_identify(IdentityField::TeamsAccount),
    }
}

/// Begins a sign-in at Microsoft: the person opens the address in any browser and enters the code.
#[utoipa::path(
    post,
    path = "/people/{id}/teams-account/sign-in",
    tag = "People",
    responses((status = CREATED, description = "The sign-in has begun.", body = TeamsAccountCode)),
)]
pub async fn sign_in(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<TeamsAccountSignIn>,
) -> Result<(StatusCode, axum::Json<TeamsAccountCode>), Problem> {
    let person = super::person(&context.people, &id)?;
    require_to_link(&caller, &person)?;
    let waiting = begin_code(&teams, &person, Keep::chosen(body.remember)).await?;
    let body = TeamsAccountCode {
        user_code: waiting.user_code,
        verification_uri: waiting.verification_uri,
        until: rfc3339(waiting.until),
    };
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// Answers whether the account that signed in at Microsoft belongs to the person. Each question can be answered once,
/// within ten minutes and in the session that read it.
#[utoipa::path(
    post,
    path = "/people/{id}/teams-account/confirm",
    tag = "People",
    responses((status = OK, description = "The present state.", body = TeamsAccount)),
)]
pub async fn answer(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<TeamsAccountAnswer>,
) -> Result<axum::Json<TeamsAccount>, Problem> {
    let person = super::person(&context.people, &id)?;
    require_to_link(&caller, &person)?;
    let answer = match body.link {
        true => Answer::Link,
        false => Answer::Discard,
    };
    let shown = (body.confirmation.as_str(), caller.session_mark());
    confirm(&teams, &person, shown, answer).await?;
    let person = super::person(&context.people, &id)?;
    let body = teams_account((&context, &teams), &person, caller.session_mark()).await?;
    Ok(axum::Json(body))
}

/// Links the account that an administrator names, if it cannot be found by sign-in name or mail.
#[utoipa::path(
    put,
    path = "/people/{id}/teams-account",
    tag = "People",
    responses((status = OK, description = "Linked.", body = TeamsAccount)),
)]
pub async fn link(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(id): Path<String>,
    comparison: Comparison,
    Json(body): Json<TeamsAccountLink>,
) -> Result<axum::Json<TeamsAccount>, Problem> {
    let person = super::person(&context.people, &id)?;
    caller.require_to_identify(IdentityField::TeamsAccount)?;
    if comparison.is_same() {
        return read(State(context), State(teams), caller, Path(id)).await;
    }
    let Some(account) = body.account else {
        let detail = "is missing or null; name an account, or send DELETE to forget the linked one";
        return Err(Problem::invalid("account", detail));
    };
    let wanted = account.trim();
    if wanted.is_empty() || wanted.len() > ACCOUNT_MAX || wanted.contains(char::is_control) {
        let detail = format!(
            "the account {wanted:?} is neither an object id nor a sign-in name; Entra shows both under Users"
        );
        return Err(Problem::invalid("account", detail));
    }
    let entry_of = |account: &TeamsUserId| {
        let details = Details::default()
            .before(Some(json!({"account": account_of(&person)})))
            .after(Some(json!({"account": account.as_str()})));
        own_entry(&context, &caller, Own::TeamsAccountLink, person.id, details)
    };
    link_named(&teams, &person, wanted, entry_of).await?;
    read(State(context), State(teams), caller, Path(id)).await
}

/// Unlinks the account and deletes the login. If the application signs in, a matching account is linked again.
#[utoipa::path(
    delete,
    path = "/people/{id}/teams-account",
    tag = "People",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn forget(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let person = super::person(&context.people, &id)?;
    require_to_link(&caller, &person)?;
    forget_account((&context, &teams), &caller, &person).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unlinks a person's account, deletes the login, and records the author.
pub async fn forget_account(
    (context, teams): (&Context, &TeamsHandle),
    caller: &Caller,
    person: &Person,
) -> Result<(), AccountError> {
    let details = Details::default().before(Some(json!({"account": account_of(person)})));
    let entry = own_entry(context, caller, Own::TeamsAccountForget, person.id, details);
    disconnect(teams, person, &entry.change()).await
}

/// The linked account, as audit rows have it.
fn account_of(person: &Person) -> Option<&str> {
    person.teams_id.as_ref().map(TeamsUserId::as_str)
}
