//! Search for the Teams accounts of people without one.

use api_types::account_search::{AccountSearch, FoundAccount};
use axum::extract::State;
use runtime::context::Context;
use teams::{TeamsHandle, TooSoon};

use crate::{caller::Caller, problem::Problem};

/// Searches for the Teams accounts of people without one in all tenants. Joins a running search; answers 429 within ten
/// seconds after the last one.
#[utoipa::path(
    post,
    path = "/teams-accounts/search",
    tag = "Administration",
    responses((status = OK, description = "The result.", body = AccountSearch)),
)]
pub async fn search(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
) -> Result<axum::Json<AccountSearch>, Problem> {
    if !caller.administers() {
        let detail = "accounts are searched for by administrators; ask one";
        return Err(Problem::forbidden(detail));
    }
    let tenants: Vec<_> = teams.clients.all().cloned().collect();
    let searches = tenants.iter().map(|tenant| tenant.search.now());
    let mut body = AccountSearch {
        running: false,
        found: Vec::new(),
        without_account: 0,
        troubles: Vec::new(),
    };
    let mut too_soon = None;
    let mut searched = tenants.is_empty();
    for (tenant, result) in tenants
        .iter()
        .zip(futures_util::future::join_all(searches).await)
    {
        match result {
            Ok(done) => {
                searched = true;
                body.running |= done.is_running;
                let known = done.found.into_iter();
                let known = known.filter_map(|person| context.people.person(person));
                let mine = known.filter(|person| {
                    caller
                        .require_admin_of(&context.organisation, person.id)
                        .is_ok()
                });
                body.found.extend(mine.map(|person| FoundAccount {
                    person: person.id.to_string(),
                    name: person.name.clone(),
                    account: person.teams_id.as_ref().map(ToString::to_string),
                }));
                let trouble = done.trouble.filter(|_| caller.is_admin());
                let named = trouble.map(|trouble| format!("{}: {trouble}", tenant.name));
                body.troubles.extend(named);
            }
            Err(TooSoon(seconds)) => too_soon = Some(seconds),
        }
    }
    if let (false, Some(seconds)) = (searched, too_soon) {
        return Err(Problem::searched_already(seconds));
    }
    let without = context.people.people(|person| person.teams_id.is_none());
    let mine = without.iter().filter(|person| {
        caller
            .require_admin_of(&context.organisation, person.id)
            .is_ok()
    });
    body.without_account = mine.count();
    Ok(axum::Json(body))
}
