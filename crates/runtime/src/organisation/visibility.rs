//! Relationships of viewers to owners: from the defaults of scopes, from workgroups and from owners.

use presence::{OwnerPolicy, PersonId, Relationship, SettingsGroup, relationship, setting_keys};

use super::{Membership, Snapshot};

impl Snapshot {
    /// The relationship of the viewer to the owner.
    pub fn relationship(&self, owner: PersonId, viewer: PersonId) -> Relationship {
        let nowhere = Membership::default();
        let membership = self.memberships.get(&owner).unwrap_or(&nowhere);
        self.relationship_at(membership, owner, viewer)
    }

    /// The viewers to whom the owner has set a relationship.
    pub fn viewers_of(&self, owner: PersonId) -> impl Iterator<Item = PersonId> {
        let from_owner = self.relationships.range((owner, PersonId(0))..);
        let of_owner = from_owner.take_while(move |((known, _), _)| *known == owner);
        of_owner.map(|((_, viewer), _)| *viewer)
    }

    /// The default relationship of viewers to the people at a place, and how far these may change it.
    pub fn default_visibility(&self, membership: &Membership) -> (Relationship, OwnerPolicy) {
        // Computed for each change and each viewer: only scopes set these, so that no settings are merged.
        let scopes = self.scope_chain(membership, SettingsGroup::Presence);
        (
            scopes.get(setting_keys::RELATIONSHIP),
            scopes.get(setting_keys::OWNER_POLICY),
        )
    }

    /// The relationship that the viewer would have with this membership of the owner.
    pub fn relationship_at(
        &self,
        membership: &Membership,
        owner: PersonId,
        viewer: PersonId,
    ) -> Relationship {
        let own = self.relationships.get(&(owner, viewer)).copied();
        self.with_own(membership, (owner, viewer), own)
    }

    /// The relationship for display, never for decisions: a blocked viewer sees the one of an unblocked viewer.
    pub fn shown_relationship(&self, owner: PersonId, viewer: PersonId) -> Relationship {
        let own = self.relationships.get(&(owner, viewer)).copied();
        let own = own.filter(|own| *own != Relationship::Blocked);
        self.with_own(&self.membership(owner), (owner, viewer), own)
    }

    fn with_own(
        &self,
        membership: &Membership,
        (owner, viewer): (PersonId, PersonId),
        own: Option<Relationship>,
    ) -> Relationship {
        let (level, policy) = self.default_visibility(membership);
        let common = self
            .workgroups
            .iter()
            .filter(|group| group.members.contains(&owner) && group.members.contains(&viewer))
            .map(|group| group.level);
        relationship(level, common, own, policy)
    }
}
