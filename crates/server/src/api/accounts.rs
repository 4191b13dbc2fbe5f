//! Local accounts: who may sign in, as whom, and with which role.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use presence::PersonId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Account, Role};
use utoipa::ToSchema;

use super::{Json, audit::Entry, paging::Paging};
use crate::{
    app::{Shared, SharedState},
    caller::Caller,
    clock::rfc3339,
    limits::{self, NAME_MAX},
    organisation::ORGANISATION,
    password,
    problem::Problem,
};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accounts {
    items: Vec<AccountBody>,
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountBody {
    id: String,
    name: String,
    role: &'static str,
    person: Option<String>,
    location: Option<String>,
    has_password: bool,
    created_at: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    name: String,
    role: String,
    person: Option<String>,
    location: Option<String>,
    password: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    password: String,
}

impl From<&Account> for AccountBody {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            name: account.name.clone(),
            role: account.role.name(),
            person: account.person.map(|person| person.to_string()),
            location: account.location.clone(),
            has_password: account.password_hash.is_some(),
            created_at: rfc3339(account.created_at),
        }
    }
}

/// Who may sign in.
#[utoipa::path(
    get,
    path = "/accounts",
    tag = "Access",
    params(Paging),
    responses((status = OK, description = "What was asked for.", body = Accounts)),
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    paging: Paging,
) -> Result<axum::Json<Accounts>, Problem> {
    caller.require_admin_to_read(&shared, ORGANISATION)?;
    let accounts = shared.store.accounts().await?;
    let rows = accounts.iter();
    let rows = rows.map(|account| (account.name.to_lowercase(), AccountBody::from(account)));
    let (items, next) = paging.page(rows)?;
    Ok(axum::Json(Accounts { items, next }))
}

/// One of them.
#[utoipa::path(
    get,
    path = "/accounts/{id}",
    tag = "Access",
    responses((status = OK, description = "What was asked for.", body = AccountBody)),
)]
pub(crate) async fn read(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<AccountBody>, Problem> {
    caller.require_admin_to_read(&shared, ORGANISATION)?;
    Ok(axum::Json(AccountBody::from(&found(&shared, &id).await?)))
}

/// What is to change of an account; what is left out stays, null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChange {
    role: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    person: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    location: Option<Option<String>>,
}

/// Tells null from what is left out.
fn given<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// Changes what an account may do, or whose it is. It holds for those who are signed in at once.
#[utoipa::path(
    patch,
    path = "/accounts/{id}",
    tag = "Access",
    responses((status = OK, description = "What was asked for.", body = AccountBody)),
)]
pub(crate) async fn change(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<AccountChange>,
) -> Result<axum::Json<AccountBody>, Problem> {
    caller.require_admin(&shared, ORGANISATION)?;
    let before = found(&shared, &id).await?;
    let person = match body.person {
        None => before.person,
        Some(None) => None,
        Some(Some(id)) => Some(super::person(&shared, &id)?.id),
    };
    let account = Account {
        role: body.role.map_or(Ok(before.role), |name| role(&name))?,
        person,
        location: body.location.unwrap_or_else(|| before.location.clone()),
        ..before.clone()
    };
    let entry = Entry::new(&shared, &caller, "account.change", &account.name)
        .before(Some(json!(AccountBody::from(&before))))
        .after(Some(json!(AccountBody::from(&account))));
    shared.store.put_account(&account, &entry.change()).await?;
    shared.revoke();
    Ok(axum::Json(AccountBody::from(&account)))
}

fn role(name: &str) -> Result<Role, Problem> {
    Role::from_name(name).ok_or_else(|| {
        let names = Role::ALL.map(Role::name).join(", ");
        Problem::invalid("role", format!("{name:?} is none of {names}"))
    })
}

/// Lets somebody sign in.
#[utoipa::path(
    post,
    path = "/accounts",
    tag = "Access",
    responses((status = CREATED, description = "It is made.", body = AccountBody)),
)]
pub(crate) async fn add(
    State(shared): State<Shared>,
    caller: Caller,
    Json(new): Json<NewAccount>,
) -> Result<(StatusCode, axum::Json<AccountBody>), Problem> {
    caller.require_admin(&shared, ORGANISATION)?;
    limits::text("name", &new.name, NAME_MAX)?;
    let role = role(&new.role)?;
    let person = new
        .person
        .map(|id| super::person(&shared, &id).map(|person| person.id))
        .transpose()?;
    let password_hash = match new.password {
        Some(password) => Some(hashed(password).await?),
        None => None,
    };
    let account = Account {
        id: 0,
        name: new.name,
        password_hash,
        person,
        role,
        location: new.location,
        created_at: shared.clock.now(),
    };
    let entry = Entry::new(&shared, &caller, "account.add", &account.name).after(Some(
        json!({"role": role.name(), "person": person.map(|person: PersonId| person.to_string()), "location": account.location}),
    ));
    let id = shared.store.add_account(&account, &entry.change()).await?;
    let account = Account { id, ..account };
    Ok((StatusCode::CREATED, axum::Json(AccountBody::from(&account))))
}

async fn hashed(password: String) -> Result<String, Problem> {
    let (least, most) = (password::LENGTH_MIN, password::LENGTH_MAX);
    if !(least..=most).contains(&password.len()) {
        let detail = format!("must have {least} to {most} bytes");
        return Err(Problem::invalid("password", detail));
    }
    password::hash(password)
        .await
        .map_err(|error| Problem::unavailable(&error.to_string()))
}

async fn found(shared: &SharedState, id: &str) -> Result<Account, Problem> {
    let not_found = || Problem::not_found("account", id, "GET /api/v1/accounts lists them");
    let number = id.parse().map_err(|_| not_found())?;
    shared.store.account(number).await?.ok_or_else(not_found)
}

/// Sets a password: by an administrator, or by whoever is signed in to the account. Everybody else who is signed in to
/// it is signed out.
#[utoipa::path(
    put,
    path = "/accounts/{id}/password",
    tag = "Access",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn set_password(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Json(new): Json<NewPassword>,
) -> Result<StatusCode, Problem> {
    if caller.account.map(|own| own.to_string()).as_ref() != Some(&id) {
        caller.require_admin(&shared, ORGANISATION)?;
    }
    let account = found(&shared, &id).await?;
    let hash = hashed(new.password).await?;
    let entry = Entry::new(&shared, &caller, "account.password", &account.name);
    let stored = shared
        .store
        .set_password(account.id, Some(&hash), &entry.change())
        .await;
    stored?;
    shared.store.delete_sessions_of(account.id).await?;
    shared.revoke();
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes an account with its sessions.
#[utoipa::path(
    delete,
    path = "/accounts/{id}",
    tag = "Access",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(&shared, ORGANISATION)?;
    let account = found(&shared, &id).await?;
    let entry = Entry::new(&shared, &caller, "account.delete", &account.name)
        .before(Some(json!(AccountBody::from(&account))));
    let change = entry.change();
    shared.store.delete_account(account.id, &change).await?;
    shared.revoke();
    Ok(StatusCode::NO_CONTENT)
}
