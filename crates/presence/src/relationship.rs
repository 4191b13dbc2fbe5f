//! Relationships: what an owner lets a viewer see and do (docs/presence-rules.md, "Relationships").

use std::fmt;

/// Relationship of an owner to a viewer. Each level includes the ones before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relationship {
    /// Sees nothing, and cannot notice it.
    Blocked,
    /// Sees nothing.
    #[default]
    Unknown,
    /// A person of another company.
    External,
    /// A colleague.
    Employee,
    /// A colleague of the same team.
    TeamColleague,
    /// May act for the owner.
    Assistant,
    /// May act for the owner, also for forwarding and appointments.
    AssistantPlus,
}

/// A permission of a viewer: the rows of docs/presence-rules.md, "What a viewer may see".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the status.
    SeeStatus,
    /// See the name of a profile that the owner chose.
    SeeChosenProfile,
    /// See the name of the profile in force, whichever rule decided it.
    SeeProfile,
    /// See calls, Teams and meetings.
    SeeActivity,
    /// See that there is an appointment.
    SeeAppointment,
    /// See the program that uses the microphone.
    SeeMicrophone,
    /// Read the subject of an appointment that is not private.
    SeeAppointmentText,
    /// Read the subject of a private appointment.
    SeePrivateText,
    /// See the number of the other party of a call.
    SeeOtherParty,
    /// Pick up calls.
    PickUp,
    /// Choose a profile.
    ChangeProfile,
    /// Change forwarding.
    ChangeForwarding,
    /// Change the appointment list.
    ChangeAppointments,
}

impl Permission {
    /// Lowest relationship with the permission.
    pub const fn least(self) -> Relationship {
        match self {
            Self::SeeStatus | Self::SeeChosenProfile => Relationship::External,
            Self::SeeProfile | Self::SeeActivity | Self::SeeAppointment => Relationship::Employee,
            Self::SeeMicrophone | Self::SeeAppointmentText | Self::PickUp => {
                Relationship::TeamColleague
            }
            Self::SeePrivateText | Self::SeeOtherParty | Self::ChangeProfile => {
                Relationship::Assistant
            }
            Self::ChangeForwarding | Self::ChangeAppointments => Relationship::AssistantPlus,
        }
    }
}

impl Relationship {
    /// Every level, the lowest first.
    pub const ALL: [Self; 7] = [
        Self::Blocked,
        Self::Unknown,
        Self::External,
        Self::Employee,
        Self::TeamColleague,
        Self::Assistant,
        Self::AssistantPlus,
    ];

    /// Name in the API and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blocked => "Blocked",
            Self::Unknown => "Unknown",
            Self::External => "External",
            Self::Employee => "Employee",
            Self::TeamColleague => "TeamColleague",
            Self::Assistant => "Assistant",
            Self::AssistantPlus => "AssistantPlus",
        }
    }

    /// The level called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// Whether the level includes the permission.
    pub fn may(self, permission: Permission) -> bool {
        self >= permission.least()
    }
}

impl fmt::Display for Relationship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Policy of a scope for its owners' own relationships.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OwnerPolicy {
    /// The owner's own setting replaces the others, also downwards.
    #[default]
    ExtendAndRestrict,
    /// The owner's own setting can only give more.
    ExtendOnly,
}

impl OwnerPolicy {
    /// Every policy.
    pub const ALL: [Self; 2] = [Self::ExtendAndRestrict, Self::ExtendOnly];

    /// Name in the API and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExtendAndRestrict => "extend_and_restrict",
            Self::ExtendOnly => "extend_only",
        }
    }

    /// The policy called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

/// Relationship in effect: the broadest of the default of the owner's scope and of shared workgroups, unless the
/// owner's own setting replaces it.
pub fn relationship(
    default: Relationship,
    workgroups: impl IntoIterator<Item = Relationship>,
    own: Option<Relationship>,
    policy: OwnerPolicy,
) -> Relationship {
    let given = workgroups.into_iter().fold(default, Relationship::max);
    match (own, policy) {
        (None, _) => given,
        (Some(own), OwnerPolicy::ExtendAndRestrict) => own,
        (Some(own), OwnerPolicy::ExtendOnly) => own.max(given),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        OwnerPolicy::{ExtendAndRestrict, ExtendOnly},
        Relationship::{Assistant, Blocked, Employee, External, TeamColleague, Unknown},
        relationship,
    };

    #[test]
    fn of_several_sources_the_broadest_wins() {
        let given = relationship(
            External,
            [Employee, TeamColleague, Unknown],
            None,
            ExtendOnly,
        );
        assert_eq!(given, TeamColleague);
        assert_eq!(relationship(Employee, [], None, ExtendOnly), Employee);
    }

    #[test]
    fn the_owners_own_setting_beats_all_also_downwards() {
        for own in [Blocked, External, Assistant] {
            let level = relationship(Employee, [TeamColleague], Some(own), ExtendAndRestrict);
            assert_eq!(level, own);
        }
    }

    #[test]
    fn under_extend_only_the_owner_cannot_give_less() {
        let level = |own| relationship(Employee, [TeamColleague], Some(own), ExtendOnly);
        assert_eq!(level(Blocked), TeamColleague);
        assert_eq!(level(Assistant), Assistant);
    }
}
