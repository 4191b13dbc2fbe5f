//! My Teams account: the page on which people link their account by a code or in this browser. It works without scripts.
//! The way to Microsoft is a link, because the content security policy confines forms to this server.

use std::sync::Arc;

use api::{caller::Caller, forget_account, problem::Problem, public_url::PublicUrl, teams_account};
use api_types::teams_account::{TeamsAccount, TenantSignIn};
use askama::Template;
use axum::{
    extract::{Form, Query, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use runtime::{context::Context, people_index::Person};
use serde::Deserialize;
use teams::{
    AccountError, Answer, Keep, TeamsHandle, begin_browser, begin_code, confirm, finish_browser,
};

use crate::layout::{self, Layout};

/// Path of the page.
const PAGE: &str = "/me/teams";
/// Path of the redirect URI, to be registered for the application at Microsoft.
const RETURN: &str = "/me/teams/return";

#[derive(Template)]
#[template(path = "my_account.html")]
struct MyAccountPage {
    layout: Layout,
    who: String,
    account: TeamsAccount,
    /// Names of the linked account.
    linked: Option<String>,
    /// Names of the account to confirm.
    asked: Option<String>,
    /// The person with that account's sign-in name in Offhook.
    name_of: Option<String>,
    problem: Option<String>,
}

/// Options of the sign-in forms and the sign-in link.
#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct SignInOptions {
    remember: Option<String>,
}

fn me(context: &Context, caller: &Caller) -> Result<Arc<Person>, Problem> {
    let person = caller
        .person
        .and_then(|person| context.people.person(person));
    person.ok_or_else(|| {
        Problem::forbidden("this page is for people: sign in to an account that belongs to one")
    })
}

/// Form that answers a question.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AnswerForm {
    confirmation: String,
    answer: String,
}

/// Names of an account at Microsoft in one line.
fn names(sign_in_name: Option<&str>, display_name: Option<&str>) -> Option<String> {
    match (sign_in_name, display_name) {
        (Some(sign_in), Some(shown)) => Some(format!("{shown} ({sign_in})")),
        (Some(name), None) | (None, Some(name)) => Some(name.to_owned()),
        (None, None) => None,
    }
}

async fn render(
    (context, teams): (&Context, &TeamsHandle),
    layout: Layout,
    (person, caller): (&Person, &Caller),
    problem: Option<&AccountError>,
) -> Result<Response, Problem> {
    let account = teams_account((context, teams), person, caller.session_mark()).await?;
    // The answer to a form has the address of the form: links lead to the page.
    let layout = Layout {
        here: PAGE.into(),
        ..layout
    };
    let who = layout.words.of_two(
        "teams-who",
        ("name", &person.name),
        ("tenant", &account.tenant),
    );
    let linked = names(
        account.sign_in_name.as_deref(),
        account.display_name.as_deref(),
    )
    .or_else(|| account.account.clone())
    .map(|name| layout.words.with("teams-linked", "name", &name));
    let question = account.question.as_ref();
    let asked = question.map(|question| {
        let names = names(
            question.sign_in_name.as_deref(),
            question.display_name.as_deref(),
        );
        let name = names.unwrap_or_else(|| question.account.clone());
        layout.words.with("teams-question", "name", &name)
    });
    let name_of = question.and_then(|question| question.name_of.as_deref());
    let name_of = name_of.map(|name| layout.words.with("teams-question-of", "name", name));
    let page = MyAccountPage {
        layout,
        who,
        account,
        linked,
        asked,
        name_of,
        problem: problem.map(ToString::to_string),
    };
    let status = match problem {
        Some(_) => StatusCode::CONFLICT,
        None => StatusCode::OK,
    };
    layout::render(status, &page)
}

/// Shows the page after an action, or the error.
async fn answer(
    (context, teams): (&Context, &TeamsHandle),
    layout: Layout,
    of: (&Person, &Caller),
    done: Result<(), AccountError>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(Redirect::to(PAGE).into_response()),
        Err(error) => render((context, teams), layout, of, Some(&error)).await,
    }
}

/// `GET /me/teams`: the page.
pub async fn page(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    layout: Layout,
) -> Result<Response, Problem> {
    let person = me(&context, &caller)?;
    render((&context, &teams), layout, (&person, &caller), None).await
}

/// `POST /me/teams/code`: begins a sign-in by code.
pub async fn code(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    layout: Layout,
    Form(options): Form<SignInOptions>,
) -> Result<Response, Problem> {
    let person = me(&context, &caller)?;
    let keep = Keep::chosen(options.remember.is_some());
    let begun = begin_code(&teams, &person, keep).await;
    answer(
        (&context, &teams),
        layout,
        (&person, &caller),
        begun.map(|_| ()),
    )
    .await
}

/// `GET /me/teams/browser`: redirects the browser to Microsoft.
pub async fn browser(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    State(public_url): State<PublicUrl>,
    caller: Caller,
    layout: Layout,
    Query(options): Query<SignInOptions>,
) -> Result<Response, Problem> {
    let person = me(&context, &caller)?;
    let redirect_uri = format!("{}{RETURN}", public_url);
    let keep = Keep::chosen(options.remember.is_some());
    match begin_browser(&teams, &person, keep, &redirect_uri, caller.session_mark()).await {
        Ok(url) => Ok(Redirect::to(&url).into_response()),
        Err(error) => render((&context, &teams), layout, (&person, &caller), Some(&error)).await,
    }
}

/// `GET /me/teams/return`: Microsoft has redirected the browser back.
pub async fn returned(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    layout: Layout,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let person = me(&context, &caller)?;
    let query = query.unwrap_or_default();
    let done = finish_browser(&teams, &person, &query, caller.session_mark()).await;
    answer((&context, &teams), layout, (&person, &caller), done).await
}

/// `POST /me/teams/forget`: unlinks the account and deletes the login.
pub async fn forget(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    layout: Layout,
) -> Result<Response, Problem> {
    let person = me(&context, &caller)?;
    let done = forget_account((&context, &teams), &caller, &person).await;
    answer((&context, &teams), layout, (&person, &caller), done).await
}

/// `POST /me/teams/confirm`: links or discards the account that signed in.
pub async fn confirmed(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
    layout: Layout,
    Form(form): Form<AnswerForm>,
) -> Result<Response, Problem> {
    let person = me(&context, &caller)?;
    let options = match form.answer.as_str() {
        "link" => Answer::Link,
        "discard" => Answer::Discard,
        other => {
            let detail = format!("{other:?} is neither \"link\" nor \"discard\"");
            return Err(Problem::invalid("answer", detail));
        }
    };
    let shown = (form.confirmation.as_str(), caller.session_mark());
    let done = confirm(&teams, &person, shown, options).await;
    answer((&context, &teams), layout, (&person, &caller), done).await
}
