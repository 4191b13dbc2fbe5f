//! What owners let viewers see: of the defaults of scopes, workgroups and the owner's own word.

use presence::{OwnerPolicy, PersonId, Relationship, SettingsGroup, Value, relationship};

use super::{Membership, Snapshot};

impl Snapshot {
    /// What the owner lets the viewer see.
    pub fn relationship(&self, owner: PersonId, viewer: PersonId) -> Relationship {
        let nowhere = Membership::default();
        let membership = self.memberships.get(&owner).unwrap_or(&nowhere);
        self.relationship_at(membership, owner, viewer)
    }

    /// The default relationship of viewers to the people at a place, and how far these may change it.
    pub fn default_visibility(&self, membership: &Membership) -> (Relationship, OwnerPolicy) {
        // Asked for each change and each viewer: both are the scopes' alone to say, so that nothing need be put together.
        let way = self.scope_chain(membership, SettingsGroup::Presence);
        let level = match way.value_of(SettingsGroup::Presence, "relationship") {
            Some(Value::Level(level)) => *level,
            _ => Relationship::Unknown,
        };
        let policy = match way.value_of(SettingsGroup::Presence, "owner_policy") {
            Some(Value::Policy(policy)) => *policy,
            _ => OwnerPolicy::default(),
        };
        (level, policy)
    }

    /// What the owner would let the viewer see at a place.
    pub fn relationship_at(
        &self,
        membership: &Membership,
        owner: PersonId,
        viewer: PersonId,
    ) -> Relationship {
        let own = self.relationships.get(&(owner, viewer)).copied();
        self.with_word(membership, (owner, viewer), own)
    }

    /// What the viewer is shown of what they may do: a viewer whom the owner blocks is shown what anybody in their position
    /// is, so that they do not notice it. For display only, never to decide.
    pub fn shown_relationship(&self, owner: PersonId, viewer: PersonId) -> Relationship {
        let own = self.relationships.get(&(owner, viewer)).copied();
        let own = own.filter(|own| *own != Relationship::Blocked);
        self.with_word(&self.membership(owner), (owner, viewer), own)
    }

    fn with_word(
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
