//! Which Graph call a method and a path stand for. Path segments other than ids are read without regard to case, as
//! Graph does.

use axum::http::Method;

/// The presence calls that are emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Find one person in the directory by id or sign-in name.
    GetUser,
    /// Read one person.
    GetPresence,
    /// Read up to 650 people.
    GetPresencesByUserId,
    /// Write an application's session.
    SetPresence,
    /// Remove an application's session.
    ClearPresence,
    /// Write the preferred slot.
    SetUserPreferredPresence,
    /// Empty the preferred slot.
    ClearUserPreferredPresence,
}

/// The name of what is not emulated, for faults.
const UNKNOWN: &str = "unknown";

/// All names a fault may mention.
pub(crate) const OPERATIONS: [&str; 8] = [
    Operation::GetUser.name(),
    Operation::GetPresence.name(),
    Operation::GetPresencesByUserId.name(),
    Operation::SetPresence.name(),
    Operation::ClearPresence.name(),
    Operation::SetUserPreferredPresence.name(),
    Operation::ClearUserPreferredPresence.name(),
    UNKNOWN,
];

impl Operation {
    /// The name as in Graph's documentation.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GetUser => "getUser",
            Self::GetPresence => "getPresence",
            Self::GetPresencesByUserId => "getPresencesByUserId",
            Self::SetPresence => "setPresence",
            Self::ClearPresence => "clearPresence",
            Self::SetUserPreferredPresence => "setUserPreferredPresence",
            Self::ClearUserPreferredPresence => "clearUserPreferredPresence",
        }
    }

    const fn method(self) -> Method {
        match self {
            Self::GetUser | Self::GetPresence => Method::GET,
            _ => Method::POST,
        }
    }

    fn action(segment: &str) -> Option<Self> {
        let name = match segment.split_at_checked("microsoft.graph.".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("microsoft.graph.") => rest,
            _ => segment,
        };
        let actions = [
            Self::SetPresence,
            Self::ClearPresence,
            Self::SetUserPreferredPresence,
            Self::ClearUserPreferredPresence,
        ];
        actions
            .into_iter()
            .find(|action| action.name().eq_ignore_ascii_case(name))
    }
}

/// Whom a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// The user with the id in the path.
    User(&'a str),
    /// The signed-in user.
    Me,
    /// Nobody in the path.
    Nobody,
}

/// What a request stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// An emulated call.
    Call(Operation, Target<'a>),
    /// An emulated path with the wrong method.
    WrongMethod {
        /// The call.
        operation: Operation,
        /// The right method.
        allow: &'static str,
    },
    /// Anything else.
    Unknown,
}

impl<'a> Route<'a> {
    /// Reads a request line; the path includes the version segment.
    pub(crate) fn parse(method: &Method, path: &'a str) -> Self {
        let mut segments = [""; 6];
        let mut count = 0;
        for segment in path.trim_matches('/').split('/').skip(1) {
            let Some(place) = segments.get_mut(count) else {
                return Self::Unknown;
            };
            *place = segment;
            count += 1;
        }
        let Some((operation, target)) = recognise(segments.get(..count).unwrap_or_default()) else {
            return Self::Unknown;
        };
        if *method == operation.method() {
            return Self::Call(operation, target);
        }
        let allow = if operation.method() == Method::GET {
            "GET"
        } else {
            "POST"
        };
        Self::WrongMethod { operation, allow }
    }

    /// The name by which faults select the call.
    pub(crate) const fn operation(&self) -> &'static str {
        match self {
            Self::Call(operation, _) | Self::WrongMethod { operation, .. } => operation.name(),
            Self::Unknown => UNKNOWN,
        }
    }
}

fn recognise<'a>(segments: &[&'a str]) -> Option<(Operation, Target<'a>)> {
    let is = |segment: &str, word: &str| segment.eq_ignore_ascii_case(word);
    let (target, rest) = match segments {
        [me, presence, rest @ ..] if is(me, "me") && is(presence, "presence") => (Target::Me, rest),
        [users, id] if is(users, "users") => return Some((Operation::GetUser, Target::User(id))),
        [users, id, presence, rest @ ..] if is(users, "users") && is(presence, "presence") => {
            (Target::User(id), rest)
        }
        [communications, presences, id, rest @ ..]
            if is(communications, "communications") && is(presences, "presences") =>
        {
            (Target::User(id), rest)
        }
        [communications, bulk] if is(communications, "communications") => {
            let bulk = bulk.strip_prefix("microsoft.graph.").unwrap_or(bulk);
            return is(bulk, Operation::GetPresencesByUserId.name())
                .then_some((Operation::GetPresencesByUserId, Target::Nobody));
        }
        _ => return None,
    };
    match rest {
        [] => Some((Operation::GetPresence, target)),
        [action] => Some((Operation::action(action)?, target)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_emulated_calls_are_recognised() {
        use Operation::{ClearPresence, GetPresence, GetPresencesByUserId, SetPresence};
        for (method, path, expected) in [
            (
                Method::GET,
                "/v1.0/users/x/presence",
                Route::Call(GetPresence, Target::User("x")),
            ),
            (
                Method::GET,
                "/v1.0/Users/x/Presence/",
                Route::Call(GetPresence, Target::User("x")),
            ),
            (
                Method::GET,
                "/beta/communications/presences/x",
                Route::Call(GetPresence, Target::User("x")),
            ),
            (
                Method::GET,
                "/v1.0/me/presence",
                Route::Call(GetPresence, Target::Me),
            ),
            (
                Method::POST,
                "/v1.0/me/presence/clearPresence",
                Route::Call(ClearPresence, Target::Me),
            ),
            (
                Method::POST,
                "/v1.0/users/x/presence/setpresence",
                Route::Call(SetPresence, Target::User("x")),
            ),
            (
                Method::POST,
                "/v1.0/communications/presences/x/microsoft.graph.setPresence",
                Route::Call(SetPresence, Target::User("x")),
            ),
            (
                Method::POST,
                "/v1.0/communications/getPresencesByUserId",
                Route::Call(GetPresencesByUserId, Target::Nobody),
            ),
            (
                Method::GET,
                "/v1.0/users/x/presence/setPresence",
                Route::WrongMethod {
                    operation: SetPresence,
                    allow: "POST",
                },
            ),
            (
                Method::GET,
                "/v1.0/users/x",
                Route::Call(Operation::GetUser, Target::User("x")),
            ),
            (Method::GET, "/v1.0/groups/x", Route::Unknown),
            (
                Method::GET,
                "/v1.0/users/x/presence/a/b/c/d/e/f",
                Route::Unknown,
            ),
            (
                Method::POST,
                "/v1.0/users/x/presence/setStatusMessage",
                Route::Unknown,
            ),
        ] {
            assert_eq!(Route::parse(&method, path), expected, "{method} {path}");
        }
    }
}
