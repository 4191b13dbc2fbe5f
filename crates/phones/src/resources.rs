//! People and workgroups by the numbers of the presence agent: resources and watchers are people, lists (RFC 4662) workgroups.

use presence::PersonId;
use sip::agent::{ListId, Resource, Watcher};

/// `sip:workgroup-7@domain` is the list of workgroup 7.
const PREFIX: &str = "workgroup-";

/// The subject of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Person(Resource),
    Workgroup(ListId),
}

/// The list that a user part names.
pub(super) fn list(user: &str) -> Option<ListId> {
    let number = user.strip_prefix(PREFIX)?;
    number.parse().ok().map(ListId)
}

/// The resource of a person. `None`: the id is too large for a resource.
pub(super) fn resource(person: PersonId) -> Option<Resource> {
    u32::try_from(person.0).ok().map(Resource)
}

/// The person of a resource.
pub(super) fn person(resource: Resource) -> PersonId {
    PersonId(resource.0.into())
}

/// The person as a watcher. `None`: the id is no number of a watcher.
pub(super) fn watcher(person: PersonId) -> Option<Watcher> {
    Watcher::new(u32::try_from(person.0).ok()?)
}

/// The person who watches.
pub(super) fn viewer(watcher: Watcher) -> PersonId {
    PersonId(watcher.number().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_workgroups_name_lists() {
        assert_eq!(list("workgroup-7"), Some(ListId(7)));
        for other in [
            "7",
            "workgroup-",
            "workgroup--7",
            "workgroup-4294967296",
            "1001",
        ] {
            assert_eq!(list(other), None, "{other}");
        }
    }
}
