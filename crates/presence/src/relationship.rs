//! Relationships: what one person lets another see and do (domain section 7).

use std::fmt;

/// What the owner lets the viewer see and do. Each level may all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relationship {
    /// Nothing, and must not notice it.
    Blocked,
    /// Nothing yet.
    Unknown,
    /// Somebody of another company.
    External,
    /// A colleague.
    Employee,
    /// A colleague of the same team.
    TeamColleague,
    /// May act for the owner.
    Assistant,
    /// May act for the owner, with forwarding and appointments.
    AssistantPlus,
}

/// Something a viewer wants to do or see. The table of domain section 7, one row each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the status.
    SeeStatus,
    /// See the name of a profile that the owner chose.
    SeeChosenProfile,
    /// See the name of the profile in force, whatever decided it.
    SeeProfile,
    /// See calls, Teams and meetings.
    SeeActivity,
    /// See that there is an appointment.
    SeeAppointment,
    /// See the program that uses the microphone.
    SeeMicrophone,
    /// See what an appointment that is not private is about.
    SeeAppointmentText,
    /// See what a private appointment is about.
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
    /// The least relationship that has it.
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
    /// Every level, from the least.
    pub const ALL: [Self; 7] = [
        Self::Blocked,
        Self::Unknown,
        Self::External,
        Self::Employee,
        Self::TeamColleague,
        Self::Assistant,
        Self::AssistantPlus,
    ];

    /// The name that API and store use.
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

    /// Whether the viewer may.
    pub fn may(self, permission: Permission) -> bool {
        self >= permission.least()
    }
}

impl fmt::Display for Relationship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far the owner's own setting goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OwnerPolicy {
    /// It beats everything, also downwards.
    #[default]
    ExtendAndRestrict,
    /// It can only give more than the other sources give.
    ExtendOnly,
}

impl OwnerPolicy {
    /// Every policy.
    pub const ALL: [Self; 2] = [Self::ExtendAndRestrict, Self::ExtendOnly];

    /// The name that API and store use.
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

/// The relationship that holds: the broadest of the default of the owner's scope and of what common workgroups give,
/// unless the owner said otherwise.
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
