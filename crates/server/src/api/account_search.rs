//! Searching now for the Teams accounts of people without one.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    caller::Caller,
    context::Context,
    problem::Problem,
    teams::{TeamsHandle, TooSoon},
};

/// A search for Teams accounts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountSearch)]
pub(crate) struct SearchBody {
    /// Whether it goes on, because it takes longer than 20 seconds.
    running: bool,
    /// People whose account was found, as far as the caller administers them.
    found: Vec<FoundBody>,
    /// How many people that the caller administers have no Teams account now.
    without_account: usize,
    /// Why the search of a tenant stopped before its end; for system administrators.
    troubles: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundAccount)]
pub(crate) struct FoundBody {
    person: String,
    name: String,
    /// Entra object id.
    account: Option<String>,
}

/// Searches now for the Teams accounts of people without one, in all tenants. A search that is under way is joined; 429 within
/// ten seconds after the last one.
#[utoipa::path(
    post,
    path = "/teams-accounts/search",
    tag = "Administration",
    responses((status = OK, description = "What was found.", body = SearchBody)),
)]
pub(crate) async fn search(
    State(context): State<Context>,
    State(teams): State<TeamsHandle>,
    caller: Caller,
) -> Result<axum::Json<SearchBody>, Problem> {
    if !caller.administers() {
        let detail = "accounts are searched for by administrators; ask one";
        return Err(Problem::forbidden(detail));
    }
    let tenants: Vec<_> = teams.clients.all().cloned().collect();
    let searches = tenants.iter().map(|tenant| tenant.search.now());
    let mut body = SearchBody {
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
                body.found.extend(mine.map(|person| FoundBody {
                    person: person.id.to_string(),
                    name: person.name.clone(),
                    account: person.teams_id.as_deref().map(str::to_owned),
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
