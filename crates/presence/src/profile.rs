//! Profiles: named presets of a status, and the order in which a person has them (*My Profiles*).

use std::sync::Arc;

use crate::{Forwarding, Status, Timestamp};

/// The name of the profile that a Teams call takes first (domain rule 2.4).
pub const TEAMS_PROFILE: &str = "MS Teams";
/// The name of the profile that a Teams call takes otherwise, and a calendar's busy time.
pub const APPOINTMENT_PROFILE: &str = "Appointment";

/// Where a profile comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The person made it.
    Personal,
    /// A central template that is offered to the person.
    Central,
}

/// A named preset. The name never changes once it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name people see and choose by.
    pub name: Arc<str>,
    /// The status that the profile gives.
    pub status: Status,
    /// What happens to calls.
    pub forwarding: Forwarding,
    /// A remark of whoever made it.
    pub text: Option<Arc<str>>,
    /// Personal or central.
    pub origin: Origin,
    /// An inactive profile is kept but counts as missing.
    pub active: bool,
}

impl Profile {
    /// A central, active template without forwarding.
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

    /// Whether it can be chosen and looked up.
    pub const fn is_usable(&self) -> bool {
        self.active
    }
}

/// How names of profiles are compared: without case and surrounding blanks.
pub fn same_name(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    // Asked for every name of the list again and again: the common case must not allocate.
    one.eq_ignore_ascii_case(other)
        || !(one.is_ascii() && other.is_ascii()) && one.to_lowercase() == other.to_lowercase()
}

/// A person's ordered list of profiles, and what is looked up in it again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyProfiles {
    profiles: Arc<[Profile]>,
    first_do_not_disturb: Option<usize>,
    teams_call: Option<usize>,
    available: Option<usize>,
}

impl MyProfiles {
    /// The list in the person's order.
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

    /// Central templates in the administrator's order, then personal ones; what `order` names comes first, in its
    /// order.
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

    /// All profiles in order, inactive ones among them.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter()
    }

    /// The usable profile called `name`, compared without case and surrounding blanks; a personal one before a central
    /// one.
    pub fn named(&self, name: &str) -> Option<&Profile> {
        self.profiles.get(position(&self.profiles, name)?)
    }

    /// The first usable profile whose status is Do not disturb (domain rule 2.3).
    pub fn first_do_not_disturb(&self) -> Option<&Profile> {
        self.profiles.get(self.first_do_not_disturb?)
    }

    /// The profile of a Teams call: `MS Teams` if there is one, else `Appointment` (domain rule 2.4).
    pub fn teams_call(&self) -> Option<&Profile> {
        self.profiles.get(self.teams_call?)
    }

    /// The profile where nothing else applies (domain rule 2.8): the one that `started` names, else `Available`.
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
    /// What a fresh installation offers.
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

/// The person's own choice of a profile, and how long it holds. The profile is looked up by its name whenever it is
/// needed, so that a change of the profile counts at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The chosen profile's name.
    pub profile: Arc<str>,
    /// When it was chosen.
    pub since: Timestamp,
    /// When it ends by itself; `None`: when the person ends it.
    pub until: Option<Timestamp>,
}
