//! Workgroups as lists of resources: a phone watches all colleagues of its person with one subscription (RFC 4662).

use presence::PersonId;
use runtime::context::Context;
use sip::agent::{ListId, Member, Watcher};

use super::{
    options::PhonesOptions,
    resources::{resource, viewer},
};

/// The members of a list without the watcher. `None`: there is no such workgroup, or the watcher is not a member.
pub(super) fn members(
    context: &Context,
    options: &PhonesOptions,
    list: ListId,
    watcher: Option<Watcher>,
) -> Option<Vec<Member>> {
    let id = u64::from(list.0);
    let watcher = viewer(watcher?);
    let people = context.organisation.read(|snapshot| {
        let group = snapshot.workgroups.iter().find(|group| group.id == id)?;
        // Only members see the members of a workgroup.
        let is_in = group.members.contains(&watcher);
        is_in.then(|| group.members.clone())
    })?;
    let member = |id: PersonId| {
        let person = context.people.person(id)?;
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
