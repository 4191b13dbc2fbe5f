//! Workgroups as lists of resources: a telephone watches all its colleagues with one subscription (RFC 4662).

use presence::PersonId;
use sip::agent::{Member, Resource, Watcher};

use super::{PhonesOptions, watcher_policy::resource};
use crate::app::Core;

/// Numbers of lists; those of people are below.
const LISTS: u32 = 0x8000_0000;
/// `sip:workgroup-7@domain` is the list of the workgroup with the number 7.
const PREFIX: &str = "workgroup-";

/// The list that a user part names.
pub(super) fn list(user: &str) -> Option<Resource> {
    let number: u32 = user.strip_prefix(PREFIX)?.parse().ok()?;
    (number < LISTS).then_some(Resource(LISTS | number))
}

/// Whether this is no person.
pub(super) fn is_list(resource: Resource) -> bool {
    resource.0 >= LISTS
}

/// Who is on a list, without the watcher; `None`: it is none, or not the watcher's.
pub(super) fn members(
    context: &Context,
    options: &PhonesOptions,
    list: Resource,
    watcher: Watcher,
) -> Option<Vec<Member>> {
    let id = u64::from(list.0 & !LISTS);
    let watcher = PersonId(watcher.0.into());
    let people = context.organisation.read(|tables| {
        let group = tables.workgroups.iter().find(|group| group.id == id)?;
        // Who is in a workgroup is known to those who are.
        let is_in = group.members.contains(&watcher);
        is_in.then(|| group.members.clone())
    })?;
    let member = |id: PersonId| {
        let person = context.directory.person(id)?;
        let (_, extension) = person.lines.first()?;
        Some(Member {
            resource: resource(id)?,
            uri: format!("sip:{extension}@{}", options.domain).into(),
            name: person.name.as_str().into(),
        })
    };
    let others = people.into_iter().filter(|person| *person != watcher);
    Some(others.filter_map(member).collect())
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
