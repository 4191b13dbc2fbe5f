//! Numbers of resources: the ids of people, and those of workgroups as lists (RFC 4662) with the highest bit set.

use presence::PersonId;
use sip::agent::Resource;

/// The bit of lists.
pub(super) const LISTS: u32 = 0x8000_0000;
/// `sip:workgroup-7@domain` is the list of workgroup 7.
const PREFIX: &str = "workgroup-";

/// The list that a user part names.
pub(super) fn list(user: &str) -> Option<Resource> {
    let number: u32 = user.strip_prefix(PREFIX)?.parse().ok()?;
    (number < LISTS).then_some(Resource(LISTS | number))
}

/// Whether a resource is a list.
pub(super) fn is_list(resource: Resource) -> bool {
    resource.0 >= LISTS
}

/// The resource of a person. `None`: the id is too large for a resource.
pub(super) fn resource(person: PersonId) -> Option<Resource> {
    let number = u32::try_from(person.0).ok().map(Resource);
    number.filter(|number| !is_list(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_workgroups_name_lists() {
        assert_eq!(list("workgroup-7"), Some(Resource(LISTS + 7)));
        for other in [
            "7",
            "workgroup-",
            "workgroup--7",
            "workgroup-2147483648",
            "1001",
        ] {
            assert_eq!(list(other), None, "{other}");
        }
    }
}
