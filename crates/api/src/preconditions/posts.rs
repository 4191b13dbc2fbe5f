//! Answers to repeated POST requests with an `Idempotency-Key`, by route.

/// Treatment of a repeated request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Adds a resource. Without a stored answer, the resource is read below the path by the id stored with the key.
    ById,
    /// Adds a resource that is read below the path by this field of the request.
    ByField(&'static str),
    /// Adds a resource of the scope in the request, which is read below the scope by this field of the request.
    ByScope(&'static str),
    /// Adds a personal resource, read by its id. The answer holds a person's texts and is never stored: a repeated request
    /// is answered with the present resource.
    OwnById,
    /// Adds a personal resource, read by this field of the request.
    OwnByField(&'static str),
    /// Changes many resources in one transaction: an answer that was not stored cannot be made again.
    Once,
    /// Carried out once; the answer is never stored. The text names the remedy for a client without it.
    Unstored(&'static str),
    /// Repeatable without harm: repeated unless the answer was stored.
    Harmless,
    /// Answers with a code that expires in minutes: each request gets a new one, none is stored.
    Code,
}

impl Repeat {
    /// Whether a key has an effect.
    pub(super) fn takes_key(self) -> bool {
        self.is_recorded() || self.stores_answer()
    }

    /// Whether the key is committed with the change.
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

    /// Whether the answer may be stored.
    pub(super) fn stores_answer(self) -> bool {
        match self {
            Self::ById | Self::ByField(_) | Self::ByScope(_) | Self::Once | Self::Harmless => true,
            Self::OwnById | Self::OwnByField(_) | Self::Unstored(_) | Self::Code => false,
        }
    }
}

/// All routes with POST; a test fails if one is missing.
const POSTS: [(&str, Repeat); 22] = [
    ("/people", Repeat::ById),
    ("/people/import", Repeat::Once),
    ("/people/{id}/appointments", Repeat::OwnById),
    ("/people/{id}/devices", Repeat::Code),
    ("/people/{id}/profiles", Repeat::OwnByField("name")),
    // A question can be answered once, with any key.
    ("/people/{id}/teams-account/confirm", Repeat::Code),
    ("/people/{id}/teams-account/sign-in", Repeat::Code),
    ("/scopes", Repeat::ById),
    ("/scopes/{scope}/programs", Repeat::ByField("process")),
    ("/scopes/{scope}/templates/teams", Repeat::Harmless),
    ("/scopes/{scope}/templates/{name}/preview", Repeat::Harmless),
    ("/templates", Repeat::ByScope("name")),
    // Adds one template, even if repeated.
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
    // Recorded in the restored database.
    (
        "/backups/{name}/restore",
        Repeat::Unstored("the server runs with this backup since then"),
    ),
];

/// The treatment of repeated requests to a path; `None` for unknown routes.
pub(super) fn repeat(path: &str) -> Option<Repeat> {
    let found = POSTS.iter().find(|(route, _)| is_of(route, path));
    found.map(|(_, repeat)| *repeat)
}

/// Whether a path matches a route.
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

    #[test]
    fn every_route_with_post_says_how_it_is_repeated() {
        let document: Value = serde_json::from_str(&crate::routes().1.text()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let posts = paths
            .iter()
            .filter(|(_, methods)| methods["post"].is_object());
        let mut posts: BTreeSet<&str> = posts.map(|(path, _)| path.as_str()).collect();
        // Outside the middleware: sign-in has no caller.
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
