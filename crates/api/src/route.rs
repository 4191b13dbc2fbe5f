//! Routing of a call, for PBXs that ask by HTTP before a phone rings.

use std::borrow::Cow;

use axum::extract::State;
use phones::{origin, route};
use presence::{Forwarding, Permission};
use runtime::context::Context;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Query, caller::Caller, problem::Problem};

/// Query: the call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallQuery {
    to: String,
    #[serde(default)]
    from: String,
}

/// Routing of the call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Route)]
pub(crate) struct RouteBody {
    /// `none`: the phone rings; `forward`: the call goes to the target; `refuse`: the caller gets the busy tone.
    action: &'static str,
    /// A number, a SIP address, or `voicemail`.
    target: Option<String>,
    /// The called person.
    person: String,
}

/// The number as the PBX means it: an unencoded `+` arrives as a blank, and no number begins with a blank.
fn dialled(number: &str) -> Cow<'_, str> {
    match number.strip_prefix(' ') {
        Some(rest) if rest.starts_with(|first: char| first.is_ascii_digit()) => {
            format!("+{rest}").into()
        }
        _ => number.into(),
    }
}

/// The present routing of a call to an extension, by the profile in effect. A call from an extension is internal.
#[utoipa::path(
    get,
    path = "/route",
    tag = "Telephony",
    params(
        ("to" = String, Query, description = "The called extension."),
        ("from" = Option<String>, Query, description = "The caller's number or extension, percent-encoded; a call without one is external."),
    ),
    responses((status = OK, description = "The routing of the call.", body = RouteBody)),
)]
pub async fn read(
    State(context): State<Context>,
    caller: Caller,
    Query(call): Query<CallQuery>,
) -> Result<axum::Json<RouteBody>, Problem> {
    let (to, from) = (dialled(&call.to), dialled(&call.from));
    let found = context.people.by_extension(&to);
    let (person, _) = found.ok_or_else(|| {
        let remedy = "no person has it; GET /api/v1/people lists the extensions";
        Problem::not_found("extension", &to, remedy)
    })?;
    // Forwarding targets are visible to the PBX, and to callers who may change them.
    let may_change = || {
        caller
            .level(&context.organisation, person)
            .may(Permission::ChangeForwarding)
    };
    if !caller.may_route() && !may_change() {
        let detail = "only keys with the scope `route` or `read` may see forwarding";
        return Err(Problem::forbidden(detail));
    }
    let forwarding = route(&context, person, origin(&context, &from));
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
