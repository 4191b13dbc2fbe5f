//! Recognition of Graph calls by method and path. The case of path segments other than ids is ignored, as in Graph.

use axum::http::Method;

/// Declares the emulated calls, with their method and their name in Graph's documentation.
macro_rules! operations {
    ($($(#[$meta:meta])* $variant:ident => $method:ident $name:literal),+ $(,)?) => {
        /// An emulated call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Operation { $($(#[$meta])* $variant),+ }

        /// The names that a fault can select.
        pub(crate) const OPERATIONS: &[&str] = &[$($name,)+ UNKNOWN];

        impl Operation {
            /// The name in Graph's documentation.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            const fn method(self) -> Method {
                match self { $(Self::$variant => Method::$method),+ }
            }
        }
    };
}

operations! {
    /// List people.
    ListUsers => GET "listUsers",
    /// List changes of people.
    UsersDelta => GET "usersDelta",
    /// Find one person in the directory by id or sign-in name.
    GetUser => GET "getUser",
    /// List groups.
    ListGroups => GET "listGroups",
    /// Find a group.
    GetGroup => GET "getGroup",
    /// List a group's own members.
    ListMembers => GET "listMembers",
    /// List the members of a group and of its member groups.
    ListTransitiveMembers => GET "listTransitiveMembers",
    /// Read one person.
    GetPresence => GET "getPresence",
    /// Read up to 650 people.
    GetPresencesByUserId => POST "getPresencesByUserId",
    /// Write an application's session.
    SetPresence => POST "setPresence",
    /// Remove an application's session.
    ClearPresence => POST "clearPresence",
    /// Write the preferred slot.
    SetUserPreferredPresence => POST "setUserPreferredPresence",
    /// Empty the preferred slot.
    ClearUserPreferredPresence => POST "clearUserPreferredPresence",
    /// Write the status message.
    SetStatusMessage => POST "setStatusMessage",
    /// Set the manual work location of today.
    SetManualLocation => POST "setManualLocation",
    /// Set the sensed work location of today.
    SetAutomaticLocation => POST "setAutomaticLocation",
    /// Clear the sensed work location.
    ClearAutomaticLocation => POST "clearAutomaticLocation",
    /// Clear both work locations.
    ClearLocation => POST "clearLocation",
    /// Create a subscription.
    CreateSubscription => POST "createSubscription",
    /// List subscriptions.
    ListSubscriptions => GET "listSubscriptions",
    /// Read a subscription.
    GetSubscription => GET "getSubscription",
    /// Extend a subscription.
    UpdateSubscription => PATCH "updateSubscription",
    /// End a subscription.
    DeleteSubscription => DELETE "deleteSubscription",
    /// Reauthorize a subscription.
    Reauthorize => POST "reauthorize",
    /// Run several calls in one request.
    Batch => POST "batch",
}

/// The name of all calls that are not emulated, for faults.
const UNKNOWN: &str = "unknown";

impl Operation {
    /// Returns true if the call reads or writes presence.
    pub(crate) const fn is_presence(self) -> bool {
        matches!(
            self,
            Self::GetPresence
                | Self::GetPresencesByUserId
                | Self::SetPresence
                | Self::ClearPresence
                | Self::SetUserPreferredPresence
                | Self::ClearUserPreferredPresence
                | Self::SetStatusMessage
                | Self::SetManualLocation
                | Self::SetAutomaticLocation
                | Self::ClearAutomaticLocation
                | Self::ClearLocation
        )
    }

    fn action(segment: &str) -> Option<Self> {
        let name = bare(segment);
        let actions = [
            Self::SetPresence,
            Self::ClearPresence,
            Self::SetUserPreferredPresence,
            Self::ClearUserPreferredPresence,
            Self::SetStatusMessage,
            Self::SetManualLocation,
            Self::SetAutomaticLocation,
            Self::ClearAutomaticLocation,
            Self::ClearLocation,
        ];
        actions
            .into_iter()
            .find(|action| action.name().eq_ignore_ascii_case(name))
    }
}

/// The target of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// The user, group or subscription with the id in the path.
    Id(&'a str),
    /// The signed-in user.
    Me,
    /// No id in the path.
    Nobody,
}

/// The meaning of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// An emulated call.
    Call(Operation, Target<'a>),
    /// An emulated path with the wrong method.
    WrongMethod {
        /// A call with this path.
        operation: Operation,
        /// The permitted methods.
        allow: String,
    },
    /// Anything else.
    Unknown,
}

impl<'a> Route<'a> {
    /// Parses method and path, which includes the version segment.
    pub(crate) fn parse(method: &Method, path: &'a str) -> Self {
        // Keys can also be in brackets: users('id') is users/id.
        let segments: Vec<&str> = path
            .trim_matches('/')
            .split('/')
            .skip(1)
            .take(8)
            .flat_map(|segment| match segment.split_once("('") {
                Some((name, rest)) => [name, rest.strip_suffix("')").unwrap_or(rest)],
                None => [segment.strip_suffix("()").unwrap_or(segment), ""],
            })
            .filter(|segment| !segment.is_empty())
            .collect();
        let Some((operations, target)) = recognise(&segments) else {
            return Self::Unknown;
        };
        if let Some(operation) = operations
            .iter()
            .find(|operation| operation.method() == *method)
        {
            return Self::Call(*operation, target);
        }
        let Some(operation) = operations.first() else {
            return Self::Unknown;
        };
        let methods: Vec<_> = operations
            .iter()
            .map(|operation| operation.method().to_string())
            .collect();
        Self::WrongMethod {
            operation: *operation,
            allow: methods.join(", "),
        }
    }

    /// The name with which faults select the call.
    pub(crate) const fn operation(&self) -> &'static str {
        match self {
            Self::Call(operation, _) | Self::WrongMethod { operation, .. } => operation.name(),
            Self::Unknown => UNKNOWN,
        }
    }
}

/// The calls of a path.
fn recognise<'a>(segments: &[&'a str]) -> Option<(Vec<Operation>, Target<'a>)> {
    use Operation::{
        Batch, CreateSubscription, DeleteSubscription, GetGroup, GetPresence, GetPresencesByUserId,
        GetSubscription, GetUser, ListGroups, ListMembers, ListSubscriptions,
        ListTransitiveMembers, ListUsers, Reauthorize, UpdateSubscription, UsersDelta,
    };
    let lower: Vec<String> = segments
        .iter()
        .map(|segment| segment.to_ascii_lowercase())
        .collect();
    let words: Vec<&str> = lower.iter().map(String::as_str).collect();
    let id = Target::Id(segments.get(1).copied().unwrap_or_default());
    let (operations, target) = match words.as_slice() {
        ["$batch"] => (vec![Batch], Target::Nobody),
        ["me"] => (vec![GetUser], Target::Me),
        ["users"] => (vec![ListUsers], Target::Nobody),
        ["users", delta] if bare(delta) == "delta" => (vec![UsersDelta], Target::Nobody),
        ["users", _] => (vec![GetUser], id),
        ["groups"] => (vec![ListGroups], Target::Nobody),
        ["groups", _] => (vec![GetGroup], id),
        ["groups", _, "members"] | ["groups", _, "members", "microsoft.graph.user"] => {
            (vec![ListMembers], id)
        }
        ["groups", _, "transitivemembers"]
        | ["groups", _, "transitivemembers", "microsoft.graph.user"] => {
            (vec![ListTransitiveMembers], id)
        }
        ["subscriptions"] => (vec![CreateSubscription, ListSubscriptions], Target::Nobody),
        ["subscriptions", _] => (
            vec![GetSubscription, UpdateSubscription, DeleteSubscription],
            id,
        ),
        ["subscriptions", _, action] if bare(action) == "reauthorize" => (vec![Reauthorize], id),
        ["me", "presence"] => (vec![GetPresence], Target::Me),
        ["me", "presence", action] => (vec![Operation::action(action)?], Target::Me),
        ["users", _, "presence"] => (vec![GetPresence], id),
        ["users", _, "presence", action] => (vec![Operation::action(action)?], id),
        ["communications", "presences", _] => (
            vec![GetPresence],
            Target::Id(segments.get(2).copied().unwrap_or_default()),
        ),
        ["communications", "presences", _, action] => (
            vec![Operation::action(action)?],
            Target::Id(segments.get(2).copied().unwrap_or_default()),
        ),
        ["communications", bulk] if bare(bulk) == "getpresencesbyuserid" => {
            (vec![GetPresencesByUserId], Target::Nobody)
        }
        _ => return None,
    };
    Some((operations, target))
}

/// An action or function without its namespace.
fn bare(segment: &str) -> &str {
    match segment.split_at_checked("microsoft.graph.".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("microsoft.graph.") => rest,
        _ => segment,
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
                Route::Call(GetPresence, Target::Id("x")),
            ),
            (
                Method::GET,
                "/v1.0/Users/x/Presence/",
                Route::Call(GetPresence, Target::Id("x")),
            ),
            (
                Method::GET,
                "/beta/communications/presences/x",
                Route::Call(GetPresence, Target::Id("x")),
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
                Route::Call(SetPresence, Target::Id("x")),
            ),
            (
                Method::POST,
                "/v1.0/communications/presences/x/microsoft.graph.setPresence",
                Route::Call(SetPresence, Target::Id("x")),
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
                    allow: "POST".to_owned(),
                },
            ),
            (
                Method::GET,
                "/v1.0/users/x",
                Route::Call(Operation::GetUser, Target::Id("x")),
            ),
            (
                Method::GET,
                "/v1.0/users('x')/presence",
                Route::Call(GetPresence, Target::Id("x")),
            ),
            (
                Method::GET,
                "/v1.0/users/microsoft.graph.delta()",
                Route::Call(Operation::UsersDelta, Target::Nobody),
            ),
            (
                Method::PATCH,
                "/v1.0/subscriptions/x",
                Route::Call(Operation::UpdateSubscription, Target::Id("x")),
            ),
            (
                Method::PUT,
                "/v1.0/subscriptions",
                Route::WrongMethod {
                    operation: Operation::CreateSubscription,
                    allow: "POST, GET".to_owned(),
                },
            ),
            (Method::GET, "/v1.0/teams/x", Route::Unknown),
            (
                Method::GET,
                "/v1.0/users/x/presence/a/b/c/d/e/f",
                Route::Unknown,
            ),
            (Method::POST, "/v1.0/users/x/presence/fly", Route::Unknown),
        ] {
            assert_eq!(Route::parse(&method, path), expected, "{method} {path}");
        }
    }
}
