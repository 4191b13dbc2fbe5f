//! Delta queries of people: the first round lists all people, later rounds the changed ones.

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Call, Reply,
    directory::{filter, selected, show},
    error::GraphError,
};
use crate::{
    duration::Milliseconds,
    guid::Guid,
    knobs::{self, DeltaItems, ExpiredDelta},
    permissions::Caller,
    shell::Shell,
    user::User,
    world::World,
};

/// The most ids of a filter.
const IDS_MAX: usize = 50;

/// Position of a round; the opaque part of its links.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Token {
    /// Revision after which changes are listed; `None` lists all people.
    since: Option<u64>,
    /// Revision at which the round began; the next round continues there.
    until: u64,
    /// Index of the next person.
    start: usize,
    /// Time at which the link was issued.
    given: Milliseconds,
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// `GET /users/delta`
pub(super) fn users(shell: &Shell, caller: &Caller, call: &Call<'_>) -> Result<Reply, GraphError> {
    let fields = selected(caller, &call.query)?;
    if let Some(name) = call
        .query
        .other_than(&["select", "filter", "deltatoken", "skiptoken"])
    {
        let name: String = name.chars().take(64).collect();
        return Err(GraphError::query(format!(
            "The query option '${name}' is not supported for delta."
        )));
    }
    let only = match filter(call)? {
        None => None,
        Some(filter) => {
            let ids = filter.ids().filter(|ids| ids.len() <= IDS_MAX);
            let message = || {
                GraphError::query(format!(
                    "A delta can be filtered by up to {IDS_MAX} ids only."
                ))
            };
            Some(ids.ok_or_else(message)?)
        }
    };
    let minimal = call.headers.get_all("prefer").iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|value| value.to_ascii_lowercase().contains("return=minimal"))
    });
    shell.with(|world, now| {
        let minimal = minimal || world.knobs.delta_items == DeltaItems::Changed;
        let revision = world.tenant.revision;
        let fresh = Token {
            since: None,
            until: revision,
            start: 0,
            given: now,
        };
        let token = match (call.query.get("deltatoken"), call.query.get("skiptoken")) {
            (Some(text), _) if text.eq_ignore_ascii_case("latest") => {
                return Ok(finish(call, Vec::new(), &fresh));
            }
            (Some(text), _) => {
                let old = check(world, call, text, now)?;
                Token {
                    since: Some(old.until),
                    ..fresh
                }
            }
            (None, Some(text)) => check(world, call, text, now)?,
            (None, None) => fresh,
        };
        Ok(page(world, call, &fields, only.as_deref(), minimal, &token))
    })
}

fn check(
    world: &World,
    call: &Call<'_>,
    text: &str,
    now: Milliseconds,
) -> Result<Token, GraphError> {
    let unusable = || {
        let message = "The sync state is not known: start over without a token.";
        GraphError::new(StatusCode::BAD_REQUEST, "syncStateNotFound", message)
    };
    let token = Token::parse(text).ok_or_else(unusable)?;
    if token.until > world.tenant.revision {
        return Err(unusable());
    }
    if now.saturating_sub(token.given) > knobs::milliseconds(world.knobs.delta_lifetime) {
        return Err(expired(world.knobs.expired_delta, call));
    }
    Ok(token)
}

/// The error of an expired link.
fn expired(how: ExpiredDelta, call: &Call<'_>) -> GraphError {
    match how {
        ExpiredDelta::Gone => {
            let message = "The delta token has expired: start over at the given location.";
            let error = GraphError::new(StatusCode::GONE, "syncStateNotFound", message);
            error.location(link(call, None))
        }
        ExpiredDelta::BadRequest => {
            let message = "The page token has expired.";
            let code = "Directory_ExpiredPageToken";
            GraphError::new(StatusCode::BAD_REQUEST, code, message)
        }
        ExpiredDelta::NotFound => {
            let message = "The sync state generation is not found.";
            GraphError::new(StatusCode::NOT_FOUND, "syncStateNotFound", message)
        }
    }
}

/// One page of a round.
fn page(
    world: &World,
    call: &Call<'_>,
    fields: &[&'static str],
    only: Option<&[String]>,
    minimal: bool,
    token: &Token,
) -> Reply {
    let size = usize::from(world.knobs.page_size);
    let wanted = |user: &User| {
        only.is_none_or(|ids| ids.iter().any(|id| id.parse::<Guid>() == Ok(user.guid)))
    };
    let people = world.tenant.users.iter().enumerate().skip(token.start);
    let mut changed = people
        .filter(|(_, user)| wanted(user))
        .filter_map(|(index, user)| Some((index, entry(user, fields, minimal, token)?)));
    let value: Vec<_> = changed
        .by_ref()
        .take(size)
        .map(|(_, entry)| entry)
        .collect();
    match changed.next() {
        None => finish(call, value, token),
        Some((index, _)) => {
            let next = Token {
                start: index,
                ..token.clone()
            };
            let body = json!({
                "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
                "@odata.nextLink": link(call, Some(("skiptoken", &next.text()))),
                "value": value,
            });
            Reply::json(StatusCode::OK, &body)
        }
    }
}

/// The last page of a round.
fn finish(call: &Call<'_>, value: Vec<Value>, token: &Token) -> Reply {
    let next = Token {
        since: None,
        start: 0,
        ..token.clone()
    };
    let body = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
        "@odata.deltaLink": link(call, Some(("deltatoken", &next.text()))),
        "value": value,
    });
    Reply::json(StatusCode::OK, &body)
}

/// The element of a person in a round; `None` if the person is not listed.
fn entry(user: &User, fields: &[&'static str], minimal: bool, token: &Token) -> Option<Value> {
    if let Some(removal) = user.removed {
        // The first round lists present people; a later one also those who were deleted since.
        let since = token.since?;
        let reason = if removal.for_good {
            "deleted"
        } else {
            "changed"
        };
        return (removal.revision > since)
            .then(|| json!({ "id": user.id, "@removed": { "reason": reason } }));
    }
    let since = match token.since {
        Some(since) if user.profile.created <= since => since,
        _ => return Some(Value::Object(show(user, fields))),
    };
    let changed = user.profile.changed_since(fields, since);
    if changed.is_empty() {
        return None;
    }
    let shown: Map<String, Value> = show(user, if minimal { &changed } else { fields });
    Some(Value::Object(shown))
}

fn link(call: &Call<'_>, token: Option<(&str, &str)>) -> String {
    let mut parts = Vec::new();
    for name in ["select", "filter"] {
        if let Some(value) = call.query.get(name) {
            parts.push(format!(
                "${name}={}",
                utf8_percent_encode(value, NON_ALPHANUMERIC)
            ));
        }
    }
    parts.extend(token.map(|(name, text)| format!("${name}={text}")));
    let query = if parts.is_empty() {
        String::new()
    } else {
        format!("?{}", parts.join("&"))
    };
    format!("{}{}{query}", call.base, call.path)
}
