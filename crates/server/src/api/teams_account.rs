//! A person's Teams account: how it stands, connecting it by signing in at Microsoft, forgetting it.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::StoreError;
use utoipa::ToSchema;

use super::{Json, audit::own_entry};
use crate::{
    audit::{Details, Own},
    caller::{Access, Caller},
    clock::rfc3339,
    context::Context,
    identity::IdentityField,
    people_index::Person,
    preconditions::Comparison,
    problem::Problem,
    teams::{AccountError, Answer, Keep, TeamsHandle, begin_code, confirm, disconnect, link_named},
};

/// Longer is no sign-in name (Entra allows 113 characters).
pub(super) const ACCOUNT_MAX: usize = 256;

/// How it stands with a person's Teams account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TeamsAccount)]
pub struct TeamsAccountBody {
    /// The tenant that the person's location names.
    pub(crate) tenant: String,
    /// Who signs in there: `application` or `people`; null where the tenant is not configured.
    pub(crate) sign_in: Option<&'static str>,
    /// Entra object id, once an account is linked.
    pub(crate) account: Option<String>,
    /// The linked account's sign-in name (UPN) at Microsoft, where it is known.
    pub(crate) sign_in_name: Option<String>,
    /// The linked account's display name at Microsoft, where it is known.
    pub(crate) display_name: Option<String>,
    /// Whether the person's own login is good; null where none is needed, or none was made.
    pub(crate) signed_in: Option<bool>,
    /// Whether the login outlives a restart.
    pub(crate) remembered: Option<bool>,
    /// What is wrong, and what to do.
    pub(crate) trouble: Option<String>,
    /// A sign-in by code that waits for the person.
    pub(crate) waiting: Option<WaitingBody>,
    /// An account that signed in and is linked once it is confirmed.
    pub(crate) question: Option<QuestionBody>,
}

/// What to type, and where.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TeamsAccountCode)]
pub(crate) struct WaitingBody {
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    pub(crate) until: String,
}

/// An account that signed in at Microsoft and is not obviously the person's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TeamsAccountQuestion)]
pub(crate) struct QuestionBody {
    /// Entra object id.
    pub(crate) account: String,
    pub(crate) sign_in_name: Option<String>,
    pub(crate) display_name: Option<String>,
    /// Name of another person who has the account's sign-in name in Offhook.
    pub(crate) name_of: Option<String>,
    pub(crate) until: String,
    /// The value to answer with, in this session only.
    pub(crate) confirmation: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TeamsAccountAnswer)]
pub(crate) struct AnswerBody {
    /// `confirmation` of the question.
    confirmation: String,
    /// True: the account is the person's, and is linked; false: the sign-in is forgotten.
    link: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TeamsAccountSignIn)]
pub(crate) struct SignInBody {
    /// Whether the login is to outlive a restart ("Remember login data"): it is kept sealed.
    #[serde(default)]
    remember: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TeamsAccountLink)]
pub(crate) struct LinkBody {
    /// The account's object id or sign-in name in Entra; null only where no account is linked: DELETE forgets one.
    account: Option<String>,
}

impl TeamsAccountBody {
    /// As it is shown in a session.
    pub(crate) async fn of(
        (context, teams): (&Context, &TeamsHandle),
        person: &Person,
        session: &str,
    ) -> Result<Self, StoreError> {
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
        Ok(Self {
            sign_in: tenant_client.map(|tenant_client| match tenant_client.logins {
                Some(_) => "people",
                None => "application",
            }),
            account: person.teams_id.as_deref().map(str::to_owned),
            sign_in_name,
            display_name,
            signed_in: login.as_ref().map(|login| login.is_signed_in),
            remembered: login.as_ref().map(|login| login.remembered),
            trouble: teams
                .attempts
                .failed(person.id)
                .or(login.and_then(|login| login.trouble)),
            waiting: waiting.map(|waiting| WaitingBody {
                user_code: waiting.user_code,
                verification_uri: waiting.verification_uri,
                until: rfc3339(waiting.until),
            }),
            question: question.map(|question| {
                let name = question.account.sign_in_name.as_deref().unwrap_or_default();
                let others = context.people.identified(name);
                let other = others.iter().find(|known| known.id != person.id);
                QuestionBody {
                    name_of: other.map(|other| other.name.clone()),
                    account: question.account.object_id,
                    sign_in_name: question.account.sign_in_name,
                    display_name: question.account.display_name,
                    until: rfc3339(question.until),
                    confirmation: question.confirmation,
                }
            }),
            tenant,
        })
    }
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

/// A person's Teams account and login.
#[utoipa::path(
    get,
    path = "/people/{id}/teams-account",
    tag = "People",
    responses((status = OK, description = "What was asked for.", body = TeamsAccountBody)),
)]
pub(crate) async fn read(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<TeamsAccountBody>, Problem> {
    let person = super::person(&context.people, &id)?;
    caller.require_self_or_admin(&context.organisation, person.id, Access::Read)?;
    super::schedule_account_search(&teams, &context.organisation, &person);
    let body = TeamsAccountBody::of((&context, &teams), &person, caller.session_mark()).await?;
    // The code links the account of the human who types it, and so does the answer to a question.
    let may_type = require_to_link(&caller, &person).is_ok();
    Ok(axum::Json(TeamsAccountBody {
        waiting: body.waiting.filter(|_| may_type),
        question: body.question.filter(|_| may_type),
        ..body
    }))
}

/// Refuses a change of a person's Teams account to all but the person, who proves at Microsoft that it is theirs, and
/// system administrators.
fn require_to_link(caller: &Caller, person: &Person) -> Result<(), Problem> {
    match caller.person == Some(person.id) {
        true => Ok(()),
        false => caller.require_to_identify(IdentityField::TeamsAccount),
    }
}

/// Begins a sign-in at Microsoft: the person opens the address, in any browser, and types the code.
#[utoipa::path(
    post,
    path = "/people/{id}/teams-account/sign-in",
    tag = "People",
    responses((status = CREATED, description = "It has begun.", body = WaitingBody)),
)]
pub(crate) async fn sign_in(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<SignInBody>,
) -> Result<(StatusCode, axum::Json<WaitingBody>), Problem> {
    let person = super::person(&context.people, &id)?;
    require_to_link(&caller, &person)?;
    let waiting = begin_code(&teams, &person, Keep::chosen(body.remember)).await?;
    let body = WaitingBody {
        user_code: waiting.user_code,
        verification_uri: waiting.verification_uri,
        until: rfc3339(waiting.until),
    };
    Ok((StatusCode::CREATED, axum::Json(body)))
}

/// Answers the question whether the account that signed in at Microsoft is the person's. Each question is answered once, within ten
/// minutes and in the session that read it.
#[utoipa::path(
    post,
    path = "/people/{id}/teams-account/confirm",
    tag = "People",
    responses((status = OK, description = "As it is now.", body = TeamsAccountBody)),
)]
pub(crate) async fn answer(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<AnswerBody>,
) -> Result<axum::Json<TeamsAccountBody>, Problem> {
    let person = super::person(&context.people, &id)?;
    require_to_link(&caller, &person)?;
    let answer = match body.link {
        true => Answer::Link,
        false => Answer::Discard,
    };
    let shown = (body.confirmation.as_str(), caller.session_mark());
    confirm(&teams, &person, shown, answer).await?;
    let person = super::person(&context.people, &id)?;
    let body = TeamsAccountBody::of((&context, &teams), &person, caller.session_mark()).await?;
    Ok(axum::Json(body))
}

/// Links the account that an administrator names, where it cannot be found by sign-in name or mail.
#[utoipa::path(
    put,
    path = "/people/{id}/teams-account",
    tag = "People",
    responses((status = OK, description = "It is linked.", body = TeamsAccountBody)),
)]
pub(crate) async fn link(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    Path(id): Path<String>,
    comparison: Comparison,
    Json(body): Json<LinkBody>,
) -> Result<axum::Json<TeamsAccountBody>, Problem> {
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
    let account = link_named(&teams, &person, wanted).await?;
    let details = Details::default()
        .before(Some(json!({"account": person.teams_id.as_deref()})))
        .after(Some(json!({"account": account})));
    let entry = own_entry(&context, &caller, Own::TeamsAccountLink, person.id, details);
    context.store.record_change(&entry.change()).await?;
    read(State(context), State(teams), caller, Path(id)).await
}

/// Forgets the account and the login. Where the application signs in, an account of the person's name is found again.
#[utoipa::path(
    delete,
    path = "/people/{id}/teams-account",
    tag = "People",
    responses((status = NO_CONTENT, description = "Done.")),
)]
pub(crate) async fn forget(
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

/// Forgets a person's account and login, and notes who wanted it.
pub async fn forget_account(
    (context, teams): (&Context, &TeamsHandle),
    caller: &Caller,
    person: &Person,
) -> Result<(), AccountError> {
    disconnect(teams, person).await?;
    let details = Details::default().before(Some(json!({"account": person.teams_id.as_deref()})));
    let entry = own_entry(context, caller, Own::TeamsAccountForget, person.id, details);
    context.store.record_change(&entry.change()).await?;
    Ok(())
}
