//! Local accounts: names, roles, people and passwords.

use std::{net::SocketAddr, sync::Arc};

use api_types::accounts::{
    Account as AccountBody, AccountChange, Accounts, NewAccount, NewPassword,
};
use axum::{
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use presence::PersonId;
use runtime::{
    audit::Administration, clock::rfc3339, context::Context, limits::NAME_MAX,
    organisation::ORGANISATION, sign_in_record::Way,
};
use serde_json::json;
use store::{Account, Role};

use super::{Json, audit::new_entry, paging::Paging};
use crate::{
    caller::Caller,
    cookies, limit_checks, password, password_rules,
    preconditions::Comparison,
    problem::{Problem, ProblemCode},
    revocations::Revocations,
    sessions::{SESSION_COOKIE, Sessions},
    sign_in::{Attempt, Refusal, SECONDS_EACH, Target, WrongPasswords},
};

/// The body of an account.
fn body(account: &Account) -> AccountBody {
    AccountBody {
        id: account.id.to_string(),
        name: account.name.clone(),
        role: match account.role {
            Role::Person => api_types::accounts::Role::Person,
            Role::LocationAdmin => api_types::accounts::Role::LocationAdmin,
            Role::SystemAdmin => api_types::accounts::Role::SystemAdmin,
        },
        person: account.person.map(|person| person.to_string()),
        location: account.location.clone(),
        has_password: account.password_hash.is_some(),
        created_at: rfc3339(account.created_at),
    }
}

/// Lists the accounts.
#[utoipa::path(
    get,
    path = "/accounts",
    tag = "Access",
    params(Paging),
    responses((status = OK, description = "The requested data.", body = Accounts)),
)]
pub async fn list(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
) -> Result<axum::Json<Accounts>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    let accounts = context.store.accounts().await?;
    let rows = accounts.iter();
    let rows = rows.map(|account| (account.name.to_lowercase(), body(account)));
    let (items, next) = paging.page(rows)?;
    Ok(axum::Json(Accounts { items, next }))
}

/// An account.
#[utoipa::path(
    get,
    path = "/accounts/{id}",
    tag = "Access",
    responses((status = OK, description = "The requested data.", body = AccountBody)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<AccountBody>, Problem> {
    caller.require_admin_to_read(&context.organisation, ORGANISATION)?;
    Ok(axum::Json(body(&found(&context, &id).await?)))
}

/// Changes the role, location or person of an account, effective at once for its sessions.
#[utoipa::path(
    patch,
    path = "/accounts/{id}",
    tag = "Access",
    responses((status = OK, description = "The requested data.", body = AccountBody)),
)]
pub async fn change(
    State(context): State<Context>,
    State(revocations): State<Revocations>,
    caller: Caller,
    Path(id): Path<String>,
    comparison: Comparison,
    Json(change): Json<AccountChange>,
) -> Result<axum::Json<AccountBody>, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let before = found(&context, &id).await?;
    if comparison.is_same() {
        return Ok(axum::Json(body(&before)));
    }
    let person = match change.person {
        None => before.person,
        Some(None) => None,
        Some(Some(id)) => Some(super::person(&context.people, &id)?.id),
    };
    let account = Account {
        role: change.role.map_or(Ok(before.role), |name| role(&name))?,
        person,
        location: change.location.unwrap_or_else(|| before.location.clone()),
        ..before.clone()
    };
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::AccountChange,
        &account.name,
    )
    .before(Some(json!(body(&before))))
    .after(Some(json!(body(&account))));
    context
        .store
        .change_account(&account, &entry.change())
        .await?;
    revocations.report();
    Ok(axum::Json(body(&account)))
}

fn role(name: &str) -> Result<Role, Problem> {
    Role::from_name(name).ok_or_else(|| {
        let names = Role::ALL.map(Role::name).join(", ");
        Problem::invalid("role", format!("{name:?} is none of {names}"))
    })
}

/// Adds an account.
#[utoipa::path(
    post,
    path = "/accounts",
    tag = "Access",
    responses((status = CREATED, description = "Added.", body = AccountBody)),
)]
pub async fn add(
    State(context): State<Context>,
    caller: Caller,
    Json(new): Json<NewAccount>,
) -> Result<(StatusCode, axum::Json<AccountBody>), Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    limit_checks::text("name", &new.name, NAME_MAX)?;
    let role = role(&new.role)?;
    let person = new
        .person
        .map(|id| super::person(&context.people, &id).map(|person| person.id))
        .transpose()?;
    let password_hash = match new.password {
        Some(password) => Some(hashed(&context, password, &new.name, person).await?),
        None => None,
    };
    let account = Account {
        id: 0,
        name: new.name,
        password_hash,
        person,
        role,
        location: new.location,
        created_at: context.clock.now(),
    };
    let entry = new_entry(&context.clock, &caller, Administration::AccountAdd, &account.name).after(Some(
        json!({"role": role.name(), "person": person.map(|person: PersonId| person.to_string()), "location": account.location}),
    ));
    let id = context.store.add_account(&account, &entry.change()).await?;
    let account = Account { id, ..account };
    Ok((StatusCode::CREATED, axum::Json(body(&account))))
}

/// Hashes a new password. Refuses a password that is easy to guess.
async fn hashed(
    context: &Context,
    password: String,
    name: &str,
    person: Option<PersonId>,
) -> Result<String, Problem> {
    let person = person.and_then(|person| context.people.person(person));
    let of_person = person.as_ref().map(|person| {
        let person = &**person;
        [&*person.name, &*person.mail, &*person.user_principal_name]
    });
    let about: Vec<&str> = of_person.into_iter().flatten().chain([name]).collect();
    password_rules::check(&password, &about)
        .map_err(|weak| Problem::invalid("password", weak.to_string()).with_code(weak.code()))?;
    password::hash(password)
        .await
        .map_err(|error| Problem::unavailable(&error.to_string()))
}

async fn found(context: &Context, id: &str) -> Result<Account, Problem> {
    let not_found = || Problem::not_found("account", id, "GET /api/v1/accounts lists them");
    let number = id.parse().map_err(|_| not_found())?;
    context.store.account(number).await?.ok_or_else(not_found)
}

/// Sets a password. Administrators set those of other accounts; a person changes their own with the old one. Ends all
/// sessions of the account; a change of one's own password begins a new one.
#[utoipa::path(
    put,
    path = "/accounts/{id}/password",
    tag = "Access",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn set_password(
    State(context): State<Context>,
    parts: (State<Sessions>, State<Arc<WrongPasswords>>),
    caller: Caller,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(new): Json<NewPassword>,
) -> Result<Response, Problem> {
    let (State(sessions), State(wrong_passwords)) = parts;
    // Compares numbers: an id can be spelled in several ways.
    let is_own = caller.account.is_some() && caller.account == id.parse().ok();
    if !is_own {
        caller.require_admin(&context.organisation, ORGANISATION)?;
    }
    let account = found(&context, &id).await?;
    if is_own && account.password_hash.is_some() {
        let parts = (&context, &*wrong_passwords);
        require_old(parts, from, &account, new.old_password).await?;
    }
    let hash = hashed(&context, new.password, &account.name, account.person).await?;
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::AccountPassword,
        &account.name,
    );
    let stored = context
        .store
        .set_password(account.id, Some(&hash), &entry.change())
        .await;
    stored?;
    sessions.end_all_of(account.id).await?;
    let has_session = is_own && cookies::cookie(&headers, SESSION_COOKIE).is_some();
    let cookie = match has_session {
        true => Some(sessions.begin(Some(account.id)).await?),
        false => None,
    };
    let cookies = cookie.map(|cookie| [(header::SET_COOKIE, cookie)]);
    Ok((StatusCode::NO_CONTENT, cookies, ()).into_response())
}

/// Checks the present password, because a session may be open on an unattended machine.
async fn require_old(
    (context, wrong_passwords): (&Context, &WrongPasswords),
    from: SocketAddr,
    account: &Account,
    given: Option<String>,
) -> Result<(), Problem> {
    let wrong = |detail: &str| Problem::forbidden(detail).with_field("old_password");
    let missing =
        || wrong("is required to change one's own password").with_code(ProblemCode::new("missing"));
    let given = given.ok_or_else(missing)?;
    let attempt = Attempt {
        way: Way::PresentPassword,
        address: from.ip(),
        target: Target::Account(account.id),
        name: &account.name,
    };
    match attempt
        .check(context, wrong_passwords, Some(account.clone()), given)
        .await
    {
        Ok(_) => Ok(()),
        Err(Refusal::Wrong) => Err(wrong(
            "is not the account's present password; type it again, or ask an administrator to set a new one",
        )
        .with_code(ProblemCode::new("old-password-wrong"))),
        Err(Refusal::TooMany) => Err(Problem::too_many_attempts(SECONDS_EACH)),
        Err(Refusal::Busy) => Err(Problem::busy(password::BUSY_SECONDS)),
        Err(Refusal::Problem(problem)) => Err(problem),
    }
}

/// Deletes an account with its sessions.
#[utoipa::path(
    delete,
    path = "/accounts/{id}",
    tag = "Access",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub async fn delete(
    State(context): State<Context>,
    State(revocations): State<Revocations>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let account = found(&context, &id).await?;
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::AccountDelete,
        &account.name,
    )
    .before(Some(json!(body(&account))));
    let change = entry.change();
    context.store.delete_account(account.id, &change).await?;
    revocations.report();
    Ok(StatusCode::NO_CONTENT)
}
