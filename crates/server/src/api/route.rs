//! Where a call goes, for telephone systems that ask by HTTP before they let one ring.

use axum::extract::{Query, State};
use presence::{Forwarding, Permission};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::Shared,
    caller::Caller,
    phones::{origin, route},
    problem::Problem,
};

/// Which call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallQuery {
    to: String,
    #[serde(default)]
    from: String,
}

/// What is to be done with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Route)]
pub(crate) struct RouteBody {
    /// `none`: it rings; `forward`: it goes to the target; `refuse`: the caller hears that the person is busy.
    action: &'static str,
    /// A number, a SIP address, or `voicemail`.
    target: Option<String>,
    /// The person who is called.
    person: String,
}

/// Where a call to an extension goes at this moment: by the profile in force. A call from an extension is internal.
#[utoipa::path(
    get,
    path = "/route",
    tag = "Telephony",
    params(
        ("to" = String, Query, description = "The extension that is called."),
        ("from" = Option<String>, Query, description = "The caller's number or extension."),
    ),
    responses((status = OK, description = "What is to be done.", body = RouteBody)),
)]
pub(crate) async fn read(
    State(shared): State<Shared>,
    caller: Caller,
    Query(call): Query<CallQuery>,
) -> Result<axum::Json<RouteBody>, Problem> {
    let found = shared.directory.by_extension(&call.to);
    let (person, _) = found.ok_or_else(|| {
        let remedy = "it is nobody's; GET /api/v1/people lists everybody's extensions";
        Problem::not_found("extension", &call.to, remedy)
    })?;
    // Who forwards to whom is told to the telephone system, and to those who may change it.
    let level = caller.level(&shared, person);
    if !level.may(Permission::ChangeForwarding) {
        let detail = "who forwards to whom is told to keys with the scope `read` only";
        return Err(Problem::forbidden(detail));
    }
    let forwarding = route(&shared, person, origin(&shared, &call.from));
    let action = match &forwarding {
        Forwarding::Off => "none",
        Forwarding::DoNotDisturb => "refuse",
        Forwarding::All(_) | Forwarding::InternalOnly(_) | Forwarding::ExternalOnly(_) => "forward",
    };
    Ok(axum::Json(RouteBody {
        action,
        target: forwarding.target().map(|target| target.name().to_owned()),
        person: person.to_string(),
    }))
}
