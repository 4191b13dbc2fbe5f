//! Answers of configured faults, in place of Graph's own.

use std::time::Duration;

use axum::http::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{
    Call, Identity, Reply,
    error::GraphError,
    route::{Operation, Route, Target},
};
use crate::{
    duration::Milliseconds,
    faults::{Form, GraphFault, MatchedRequest, NextLink},
    shell::Shell,
    tenant::Tenant,
    world::World,
};

/// The fault that matches a call. Waits for the configured delay first.
pub(super) async fn hit(shell: &Shell, call: &Call<'_>, route: &Route<'_>) -> Option<GraphFault> {
    let (delay, fault) = shell.with(|world, _| {
        let World {
            faults,
            tenant,
            random,
            ..
        } = world;
        let asked = MatchedRequest {
            operation: route.operation(),
            batched: call.batched,
            about: &|user| is_about(user, tenant, call, route),
            has_option: &|name| call.query.get(&name.to_ascii_lowercase()).is_some(),
        };
        let delay = faults.delay_milliseconds;
        (delay, faults.hit_graph(&asked, random))
    });
    if let Some(delay) = delay {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    fault
}

/// Returns true if a call names a person, given by object id or user principal name, in its path or in its list of ids.
fn is_about(user: &str, tenant: &Tenant, call: &Call<'_>, route: &Route<'_>) -> bool {
    let index = tenant.find_any(user).ok();
    let same = |named: &str| {
        named.eq_ignore_ascii_case(user) || index.is_some() && tenant.find_any(named).ok() == index
    };
    match route {
        Route::Call(Operation::GetPresencesByUserId, _) => {
            let body: Value = serde_json::from_slice(call.body).unwrap_or_default();
            let mut ids = body["ids"].as_array().into_iter().flatten();
            ids.any(|id| id.as_str().is_some_and(same))
        }
        Route::Call(_, Target::Id(id)) => same(&percent_decode_str(id).decode_utf8_lossy()),
        Route::Call(_, Target::Me | Target::Nobody)
        | Route::WrongMethod { .. }
        | Route::Unknown => false,
    }
}

/// Applies the configured changes to a successful answer.
pub(super) fn spoil(reply: Reply, shell: &Shell, call: &Call<'_>, route: &Route<'_>) -> Reply {
    shell.with(|world, _| {
        let World {
            faults,
            tenant,
            random,
            ..
        } = world;
        if faults.replies.is_empty() || !reply.status.is_success() {
            return reply;
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else {
            return reply;
        };
        let is = |id: &str, user: &str| {
            let found = tenant.find_any(id).ok();
            found.is_some() && found == tenant.find_any(user).ok()
        };
        let link = |to| next_link(to, call);
        let names =
            faults.spoil(|fault| fault.apply(route.operation(), &mut body, is, link, random));
        Reply {
            spoilt: (!names.is_empty()).then_some(names),
            body: body.to_string().into_bytes(),
            ..reply
        }
    })
}

/// The link to the same page or to the first one.
fn next_link(to: NextLink, call: &Call<'_>) -> String {
    let further = |part: &&str| {
        let name = part.split('=').next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        name.ends_with("skiptoken") || name.ends_with("deltatoken")
    };
    let query: Vec<&str> = match to {
        NextLink::Itself => call.query_text.split('&').collect(),
        NextLink::First => {
            let parts = call.query_text.split('&');
            parts.filter(|part| !further(part)).collect()
        }
    };
    let link = format!("{}{}?{}", call.base, call.path, query.join("&"));
    link.trim_end_matches('?').to_owned()
}

/// The answer of a fault. `carried_out` is the original answer, if the request was carried out.
pub(super) fn reply(
    fault: &GraphFault,
    carried_out: Option<Reply>,
    identity: &Identity,
    now: Milliseconds,
) -> Reply {
    let status = fault
        .status
        .and_then(|status| StatusCode::from_u16(status).ok());
    // A closed connection has no status, but the journal needs one.
    let status = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let reply = if fault.answer == Form::Envelope {
        refusal(status, fault.code.as_deref()).into_reply(identity, now)
    } else {
        let (body, content_type) = fault.answer.body(status);
        Reply {
            content_type,
            closed: fault.answer == Form::Closed,
            ..Reply::new(status, body.into_bytes())
        }
    };
    let (app, user, count) = carried_out.map_or((None, None, None), |reply| {
        (reply.app, reply.user, reply.count)
    });
    Reply {
        spoilt: Some(fault.name()),
        retry_after: fault.retry_after.clone(),
        location: fault.location.clone(),
        app,
        user,
        count,
        ..reply
    }
}

/// The error of a fault, with Graph's code and text.
fn refusal(status: StatusCode, code: Option<&str>) -> GraphError {
    let (usual, message) = match status.as_u16() {
        400 => ("BadRequest", "Bad request."),
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("Forbidden", "Forbidden"),
        404 => ("NotFound", "Not found."),
        408 => ("RequestTimeout", "The request has timed out."),
        409 => ("Conflict", "Conflict."),
        410 => ("ResourceGone", "The resource is no longer there."),
        423 => ("Locked", "The resource is locked."),
        429 => ("TooManyRequests", "Please retry again later."),
        500 => ("InternalServerError", "Internal server error."),
        502 => ("BadGateway", "Bad gateway."),
        503 => ("ServiceUnavailable", "Service unavailable."),
        504 => ("GatewayTimeout", "Gateway timeout."),
        _ => (
            "UnknownError",
            "The emulator was asked to fail with this status.",
        ),
    };
    GraphError::new(status, code.unwrap_or(usual).to_owned(), message)
}
