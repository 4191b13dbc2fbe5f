//! Profiles: named presets of a status, and each person's ordered list of them, *My Profiles*
//! (docs/presence-rules.md, "Profiles").

use std::sync::Arc;

use crate::{Forwarding, Status, Timestamp};

/// Name of the first choice of profile for a Teams call (docs/presence-rules.md, "Profile of a Teams call").
pub const TEAMS_PROFILE: &str = "MS Teams";
/// Name of the second choice of profile for a Teams call, and of the profile for a calendar's busy time.
pub const APPOINTMENT_PROFILE: &str = "Appointment";

/// Origin of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Made by the person.
    Personal,
    /// A central template that is offered to the person.
    Central,
}

/// A named preset. The name never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Name that people see and choose by.
    pub name: Arc<str>,
    /// Status.
    pub status: Status,
    /// Call forwarding.
    pub forwarding: Forwarding,
    /// Remark of the author.
    pub text: Option<Arc<str>>,
    /// Personal or central.
    pub origin: Origin,
    /// Whether the profile is active. An inactive profile stays in the list and counts as missing.
    pub active: bool,
}

impl Profile {
    /// An active central template without forwarding.
    pub fn central(name: &str, status: Status) -> Self {
        Self {
            name: name.into(),
            status,
            forwarding: Forwarding::Off,
            text: None,
            origin: Origin::Central,
            active: true,
        }
    }

    /// Whether the profile can be chosen and found by its name.
    pub const fn is_usable(&self) -> bool {
        self.active
    }
}

/// Whether two names of profiles are the same: without case and surrounding blanks.
pub fn same_name(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    // Compares every name of a list often: the common case must not allocate.
    one.eq_ignore_ascii_case(other)
        || !(one.is_ascii() && other.is_ascii()) && one.to_lowercase() == other.to_lowercase()
}

/// A person's ordered list of profiles, with the positions that the rules look up often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyProfiles {
    profiles: Arc<[Profile]>,
    first_do_not_disturb: Option<usize>,
    teams_call: Option<usize>,
    available: Option<usize>,
}

impl MyProfiles {
    /// Builds the list in the person's order.
    pub fn new(profiles: impl IntoIterator<Item = Profile>) -> Self {
        let profiles: Arc<[Profile]> = profiles.into_iter().collect();
        let first_do_not_disturb = profiles
            .iter()
            .position(|profile| profile.is_usable() && profile.status == Status::DoNotDisturb);
        let teams_call =
            position(&profiles, TEAMS_PROFILE).or_else(|| position(&profiles, APPOINTMENT_PROFILE));
        let available = position(&profiles, "Available");
        Self {
            profiles,
            first_do_not_disturb,
            teams_call,
            available,
        }
    }

    /// Builds the list from central templates in the administrator's order, then personal profiles; profiles
    /// that `order` names come first, in its order.
    pub fn arrange(
        templates: impl IntoIterator<Item = Profile>,
        personal: impl IntoIterator<Item = Profile>,
        order: &[impl AsRef<str>],
    ) -> Self {
        let mut profiles: Vec<Profile> = templates.into_iter().chain(personal).collect();
        let place = |profile: &Profile| {
            order
                .iter()
                .position(|name| same_name(name.as_ref(), &profile.name))
                .unwrap_or(order.len())
        };
        profiles.sort_by_cached_key(place);
        Self::new(profiles)
    }

    /// All profiles in order, with the inactive ones.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter()
    }

    /// The usable profile called `name`, compared without case and surrounding blanks; a personal one
    /// precedes a central one.
    pub fn named(&self, name: &str) -> Option<&Profile> {
        self.profiles.get(position(&self.profiles, name)?)
    }

    /// The first usable profile with the status Do not disturb (docs/presence-rules.md, "First Do not disturb
    /// profile").
    pub fn first_do_not_disturb(&self) -> Option<&Profile> {
        self.profiles.get(self.first_do_not_disturb?)
    }

    /// Profile of a Teams call: `MS Teams`, else `Appointment` (docs/presence-rules.md, "Profile of a Teams
    /// call").
    pub fn teams_call(&self) -> Option<&Profile> {
        self.profiles.get(self.teams_call?)
    }

    /// Profile of the last profile rule: the one called `started`, else `Available`.
    pub fn at_rest(&self, started: Option<&str>) -> Option<&Profile> {
        started
            .and_then(|name| self.named(name))
            .or_else(|| self.profiles.get(self.available?))
    }
}

fn position(profiles: &[Profile], name: &str) -> Option<usize> {
    let matches = |profile: &Profile| profile.is_usable() && same_name(&profile.name, name);
    let personal = |profile: &Profile| profile.origin == Origin::Personal && matches(profile);
    profiles
        .iter()
        .position(personal)
        .or_else(|| profiles.iter().position(matches))
}

impl Default for MyProfiles {
    /// The list of a fresh installation.
    fn default() -> Self {
        let do_not_disturb = Profile {
            forwarding: Forwarding::DoNotDisturb,
            ..Profile::central("Do not disturb", Status::DoNotDisturb)
        };
        Self::new([
            Profile::central("Available", Status::Available),
            Profile::central("Busy", Status::Busy),
            Profile::central("Be right back", Status::BeRightBack),
            do_not_disturb,
            Profile::central("Absent", Status::Absent),
            Profile::central(APPOINTMENT_PROFILE, Status::Busy),
        ])
    }
}

/// The person's own choice of a profile. Each evaluation finds the profile by its name: a change of the
/// profile counts at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Name of the chosen profile.
    pub profile: Arc<str>,
    /// Start of the choice.
    pub since: Timestamp,
    /// End of the choice; `None`: the person ends it.
    pub until: Option<Timestamp>,
}
