//! What a POST with an `Idempotency-Key` that is sent again is answered with, route by route.

/// How a route treats a request that it may have carried out already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Makes a thing. If its answer was not stored, the thing is read below the path by the id that is stored with it.
    ById,
    /// Makes a thing that is read below the path by this field of the request.
    ByField(&'static str),
    /// Makes a thing of the scope that the request names. It is read by this field of the request below the scope.
    ByScope(&'static str),
    /// The same of a thing of a person's own. Its answer holds texts of the person, and is never stored: a repetition gets
    /// the thing as it is now.
    OwnById,
    /// The same by a field of the request.
    OwnByField(&'static str),
    /// Changes many things in one transaction: an answer that was not stored cannot be made again.
    Once,
    /// Carried out once, and its answer is never stored. The text tells a client without it what to do.
    Unstored(&'static str),
    /// Does no harm when it is done again: done again unless its answer was stored.
    Harmless,
    /// Answers with a code that is good for minutes: each request gets another one, and none is stored.
    Code,
}

impl Repeat {
    /// Whether a key has any effect.
    pub(super) fn takes_key(self) -> bool {
        self.is_recorded() || self.stores_answer()
    }

    /// Whether the request is recorded in the transaction of its change.
    pub(super) fn is_recorded(self) -> bool {
        match self {
            Self::ById
            | Self::ByField(_)
            | Self::ByScope(_)
            | Self::OwnById
            | Self::OwnByField(_)
            | Self::Once
            | Self::Unstored(_) => true,
            Self::Harmless | Self::Code => false,
        }
    }

    /// Whether its answer may be stored.
    pub(super) fn stores_answer(self) -> bool {
        match self {
            Self::ById | Self::ByField(_) | Self::ByScope(_) | Self::Once | Self::Harmless => true,
            Self::OwnById | Self::OwnByField(_) | Self::Unstored(_) | Self::Code => false,
        }
    }
}

/// Every route with POST; a test fails where one is missing.
const POSTS: [(&str, Repeat); 22] = [
    ("/people", Repeat::ById),
    ("/people/import", Repeat::Once),
    ("/people/{id}/appointments", Repeat::OwnById),
    ("/people/{id}/devices", Repeat::Code),
    ("/people/{id}/profiles", Repeat::OwnByField("name")),
    // A question is answered once, whatever key the request has.
    ("/people/{id}/teams-account/confirm", Repeat::Code),
    ("/people/{id}/teams-account/sign-in", Repeat::Code),
    ("/scopes", Repeat::ById),
    ("/scopes/{scope}/programs", Repeat::ByField("process")),
    ("/scopes/{scope}/templates/teams", Repeat::Harmless),
    ("/scopes/{scope}/templates/{name}/preview", Repeat::Harmless),
    ("/templates", Repeat::ByScope("name")),
    // Makes one template, once however often it is sent.
    ("/templates/teams", Repeat::Harmless),
    ("/workgroups", Repeat::ById),
    ("/accounts", Repeat::ById),
    (
        "/keys",
        Repeat::Unstored(
            "its secret was shown once; delete the key (GET /api/v1/keys lists it) and make another under a new Idempotency-Key",
        ),
    ),
    ("/directory/synchronise", Repeat::Harmless),
    ("/teams-accounts/search", Repeat::Harmless),
    ("/clock/confirm", Repeat::Harmless),
    ("/doctor", Repeat::Harmless),
    ("/backups", Repeat::Once),
    // Recorded in the database that was put in place.
    (
        "/backups/{name}/restore",
        Repeat::Unstored("the server runs with this backup since then"),
    ),
];

/// How the route at a path treats a request that is sent again; `None` if there is no such route.
pub(super) fn repeat(path: &str) -> Option<Repeat> {
    let found = POSTS.iter().find(|(route, _)| is_of(route, path));
    found.map(|(_, repeat)| *repeat)
}

/// Whether a path is one of a route.
pub(super) fn is_of(route: &str, path: &str) -> bool {
    let wanted: Vec<&str> = route.split('/').collect();
    let given: Vec<&str> = path.split('/').collect();
    let mut parts = wanted.iter().zip(&given);
    wanted.len() == given.len()
        && parts.all(|(wanted, given)| {
            wanted == given || (wanted.starts_with('{') && !given.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::api;

    #[test]
    fn every_route_with_post_says_how_it_is_repeated() {
        let document: Value = serde_json::from_str(&api::routes().1.text()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let posts = paths
            .iter()
            .filter(|(_, methods)| methods["post"].is_object());
        let mut posts: BTreeSet<&str> = posts.map(|(path, _)| path.as_str()).collect();
        // It lies outside: who signs in has no name yet.
        assert!(posts.remove("/sign-in"));
        let known: BTreeSet<&str> = POSTS.iter().map(|(path, _)| *path).collect();
        assert_eq!(posts, known);
    }

    #[test]
    fn a_path_is_found_by_its_route() {
        assert_eq!(repeat("/people"), Some(Repeat::ById));
        assert_eq!(repeat("/people/import"), Some(Repeat::Once));
        let profiles = Some(Repeat::OwnByField("name"));
        assert_eq!(repeat("/people/7/profiles"), profiles);
        assert_eq!(repeat("/people/7"), None);
        assert_eq!(repeat("/people/7/profiles/Away"), None);
        assert_eq!(repeat("/people//profiles"), None);
    }
}
