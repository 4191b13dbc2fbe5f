//! Writes of presence: application sessions and the preferred slot.
//!
//! Clients can observe the order of checks: the form of the body and the session id first, then permissions, then the rest.

use axum::{body::Bytes, http::StatusCode};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Reply,
    error::GraphError,
    read,
    route::{Operation, Target},
};
use crate::{
    change::Cause,
    duration::{self, HOUR, MINUTE, Milliseconds},
    journal::{Detail, Write},
    knobs::{self, CalendarPairs, Knobs, Policy},
    permissions::Caller,
    preferred::{Preferred, default_duration},
    session::Statement,
    shell::Shell,
    state::Moment,
    tenant::APP_SESSIONS_MAX,
    value::Shown,
    world::World,
};

/// Default lifetime of a session.
const SESSION_DEFAULT: Milliseconds = 5 * MINUTE;
/// Permitted lifetimes of a session.
const SESSION_RANGE: std::ops::RangeInclusive<Milliseconds> = 5 * MINUTE..=4 * HOUR;
/// The permissions for writes, for error texts.
const WRITE_NEEDS: &str = "Presence.ReadWrite.All, or Presence.ReadWrite for the signed-in user";

/// The most bytes of a session id, which is normally a client id.
const SESSION_ID_BYTES_MAX: usize = 128;

/// The members of the bodies of all four writes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    session_id: Option<String>,
    availability: Option<String>,
    activity: Option<String>,
    expiration_duration: Option<String>,
}

/// `POST /users/{id}/presence/{operation}`
pub(super) fn handle(
    shell: &Shell,
    caller: &Caller,
    operation: Operation,
    id: Target<'_>,
    body: &Bytes,
) -> Result<Reply, GraphError> {
    let body: Body = if body.is_empty() && operation == Operation::ClearUserPreferredPresence {
        Body::default()
    } else {
        parse(body)?
    };
    let session_id = match operation {
        Operation::SetPresence | Operation::ClearPresence => Some(session_id(&body)?),
        _ => None,
    };
    let knobs = shell.with(|world, _| world.knobs.clone());
    if let Some(foreign) = session_id.as_ref().filter(|id| ***id != *caller.app) {
        tracing::warn!(session_id = %foreign, app = %caller.app, "the session id is not the calling application's client id");
        if knobs.foreign_session_id == Policy::Refuse {
            let message =
                "Forbidden: the session id must be the client id of the calling application.";
            return Err(GraphError::new(StatusCode::FORBIDDEN, "Forbidden", message));
        }
    }
    if id == Target::Me && caller.user.is_none() {
        return Err(GraphError::delegated_only());
    }
    if !caller.writes_some() {
        return Err(GraphError::forbidden(WRITE_NEEDS));
    }
    let action = Action::of(operation, session_id, &body, &knobs)?;
    let cause = Cause::Graph {
        operation: operation.name(),
        app: caller.app.clone(),
    };
    shell.with(|world, now| {
        let (index, guid) = read::target(world, caller, id)?;
        if !caller.writes(guid) {
            return Err(GraphError::forbidden(WRITE_NEEDS).of_user(guid));
        }
        action
            .carry_out(world, index, now, cause.clone())
            .map_err(|error| error.of_user(guid))?;
        let write = Detail::Write(action.describe(operation, now));
        world
            .journal
            .push(now, "write", Some(guid), write, Some(cause));
        Ok(Reply::ok(Vec::new()).of_user(guid))
    })
}

/// A write with validated arguments.
enum Action {
    Set {
        session_id: String,
        shown: Shown,
        lasts: Milliseconds,
    },
    Clear {
        session_id: String,
    },
    Prefer {
        shown: Shown,
        lasts: Milliseconds,
    },
    Unprefer,
    /// Accepts and ignores a pair that only calendars set.
    Nothing,
}

impl Action {
    fn of(
        operation: Operation,
        session_id: Option<String>,
        body: &Body,
        knobs: &Knobs,
    ) -> Result<Self, GraphError> {
        match (operation, session_id) {
            (Operation::SetPresence, Some(_))
                if knobs.calendar_pairs == CalendarPairs::Ignore && of_calendar(body) =>
            {
                lasts(body, SESSION_DEFAULT, &SESSION_RANGE)?;
                Ok(Self::Nothing)
            }
            (Operation::SetPresence, Some(session_id)) => {
                let shown = pair(body, &Shown::SESSION_PAIRS)?;
                let lasts = lasts(body, SESSION_DEFAULT, &SESSION_RANGE)?;
                Ok(Self::Set {
                    session_id,
                    shown,
                    lasts,
                })
            }
            (Operation::ClearPresence, Some(session_id)) => Ok(Self::Clear { session_id }),
            (Operation::SetUserPreferredPresence, _) => {
                let shown = pair(body, &Shown::PREFERRED_PAIRS)?;
                let range = knobs::milliseconds(knobs.preferred_shortest)
                    ..=knobs::milliseconds(knobs.preferred_longest);
                Ok(Self::Prefer {
                    shown,
                    lasts: lasts(body, default_duration(shown), &range)?,
                })
            }
            _ => Ok(Self::Unprefer),
        }
    }

    fn carry_out(
        &self,
        world: &mut World,
        index: usize,
        now: Milliseconds,
        cause: Cause,
    ) -> Result<(), GraphError> {
        let tenant = &mut world.tenant;
        match self {
            Self::Set {
                session_id,
                shown,
                lasts,
            } => {
                let statement = Statement {
                    shown: *shown,
                    ends: now.saturating_add(*lasts),
                };
                if !tenant.state(index, session_id, statement, now, cause) {
                    return Err(GraphError::argument(format!(
                        "The user already has {APP_SESSIONS_MAX} application sessions: send the own client id as sessionId."
                    )));
                }
            }
            Self::Clear { session_id } => {
                if !tenant.retract(index, session_id, now, cause) {
                    let message = format!("The user has no presence session '{session_id}'.");
                    return Err(GraphError::new(StatusCode::NOT_FOUND, "NotFound", message));
                }
            }
            Self::Prefer { shown, lasts } => {
                let preferred = Preferred {
                    shown: *shown,
                    ends: now.saturating_add(*lasts),
                };
                tenant.prefer(index, Some(preferred), now, cause);
            }
            Self::Unprefer => {
                let empty = tenant
                    .user(index)
                    .is_none_or(|user| user.preferred.is_none());
                if empty && world.knobs.clear_empty_preferred == Policy::Refuse {
                    let message = "The user has no preferred presence.";
                    return Err(GraphError::new(StatusCode::NOT_FOUND, "NotFound", message));
                }
                tenant.prefer(index, None, now, cause);
            }
            Self::Nothing => {}
        }
        Ok(())
    }

    fn describe(&self, operation: Operation, now: Milliseconds) -> Write {
        let operation = operation.name();
        let until = |lasts: &Milliseconds| Some(Moment(now.saturating_add(*lasts)));
        match self {
            Self::Set {
                session_id,
                shown,
                lasts,
            } => Write {
                operation,
                target: Some(session_id.as_str().into()),
                shown: Some(*shown),
                expires: until(lasts),
            },
            Self::Clear { session_id } => Write {
                operation,
                target: Some(session_id.as_str().into()),
                ..Write::default()
            },
            Self::Prefer { shown, lasts } => Write {
                operation,
                target: None,
                shown: Some(*shown),
                expires: until(lasts),
            },
            Self::Unprefer | Self::Nothing => Write {
                operation,
                ..Write::default()
            },
        }
    }
}

/// Parses a JSON object.
pub(super) fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, GraphError> {
    // serde would accept an array as an object with its members in order.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(GraphError::unreadable(
            "The request body must be a JSON object.",
        ));
    }
    serde_json::from_slice(body).map_err(|error| {
        GraphError::unreadable(format!(
            "The request body cannot be read as JSON with the expected members: {error}."
        ))
    })
}

fn session_id(body: &Body) -> Result<String, GraphError> {
    let given = body
        .session_id
        .as_deref()
        .map(str::trim)
        .filter(|id| !id.is_empty());
    let given = given
        .ok_or_else(|| GraphError::argument("[SessionId]: The SessionId field is required."))?;
    if given.len() > SESSION_ID_BYTES_MAX {
        let message = format!(
            "[SessionId]: longer than {SESSION_ID_BYTES_MAX} bytes; send the application's client id."
        );
        return Err(GraphError::argument(message));
    }
    Ok(given.to_ascii_lowercase())
}

/// Returns true if only calendars set the pair.
fn of_calendar(body: &Body) -> bool {
    let activity = body.activity.as_deref().unwrap_or_default();
    ["InAMeeting", "OutOfOffice"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(activity))
}

fn pair(body: &Body, permitted: &[Shown]) -> Result<Shown, GraphError> {
    let missing =
        |name: &str| GraphError::argument(format!("[{name}]: The {name} field is required."));
    let availability = body
        .availability
        .as_deref()
        .ok_or_else(|| missing("Availability"))?;
    let activity = body
        .activity
        .as_deref()
        .ok_or_else(|| missing("Activity"))?;
    Shown::find(permitted, availability, activity).ok_or_else(|| {
        let list: Vec<_> = permitted.iter().map(Shown::to_string).collect();
        GraphError::argument(format!(
            "The pair of availability and activity is not supported here; supported are {}.",
            list.join(", ")
        ))
    })
}

fn lasts(
    body: &Body,
    default: Milliseconds,
    range: &std::ops::RangeInclusive<Milliseconds>,
) -> Result<Milliseconds, GraphError> {
    let Some(text) = body.expiration_duration.as_deref() else {
        return Ok(default);
    };
    let Some(lasts) = duration::parse(text) else {
        return Err(GraphError::argument(
            "[ExpirationDuration]: not an ISO 8601 duration such as PT1H.",
        ));
    };
    if range.contains(&lasts) {
        Ok(lasts)
    } else {
        Err(GraphError::argument(
            "The provided [ExpirationDuration] is out of range.",
        ))
    }
}

const _: () = assert!(
    read::IDS_MAX * 40 < super::BODY_BYTES_MAX,
    "a full bulk read must fit into a body"
);
