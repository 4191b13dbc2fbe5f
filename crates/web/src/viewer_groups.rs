//! The viewer's favourites and workgroups, read once for a page, and the places of people that the viewer may see.

use std::collections::BTreeSet;

use api::caller::Caller;
use presence::{Permission, PersonId};
use runtime::context::Context;

/// A workgroup of the viewer's.
pub(crate) struct Workgroup {
    /// Number.
    pub id: String,
    pub name: String,
    pub members: BTreeSet<PersonId>,
}

/// Favourites and workgroups of a viewer; none for callers who are no person.
pub(crate) struct ViewerGroups {
    pub favourites: BTreeSet<PersonId>,
    pub workgroups: Vec<Workgroup>,
}

impl ViewerGroups {
    pub(crate) fn of(context: &Context, caller: &Caller) -> Self {
        context.organisation.read(|snapshot| {
            let viewer = caller.person;
            let favourites = viewer.and_then(|viewer| snapshot.favourites.get(&viewer));
            let all = snapshot.workgroups.iter();
            let own =
                all.filter(|group| viewer.is_some_and(|viewer| group.members.contains(&viewer)));
            let workgroups = own.map(|group| Workgroup {
                id: group.id.to_string(),
                name: group.name.clone(),
                members: group.members.iter().copied().collect(),
            });
            Self {
                favourites: favourites.cloned().unwrap_or_default(),
                workgroups: workgroups.collect(),
            }
        })
    }

    /// Names of the workgroups that a person shares with the viewer, and of the person's location and group; none for
    /// viewers who may not see them.
    pub(crate) fn places(
        &self,
        context: &Context,
        caller: &Caller,
        person: PersonId,
    ) -> Vec<String> {
        // A blocked viewer sees the place as every colleague does, so as not to notice the block.
        let level = caller.shown_level(&context.organisation, person);
        if !level.may(Permission::SeeActivity) {
            return Vec::new();
        }
        let shared = self
            .workgroups
            .iter()
            .filter(|group| group.members.contains(&person));
        let mut names: Vec<String> = shared.map(|group| group.name.clone()).collect();
        context.organisation.read(|snapshot| {
            let membership = snapshot.memberships.get(&person).into_iter();
            let scopes =
                membership.flat_map(|membership| [&membership.location, &membership.group]);
            let known = scopes
                .flatten()
                .filter_map(|scope| snapshot.scopes.get(scope));
            names.extend(known.map(|scope| scope.name.clone()));
        });
        names
    }
}
