//! Profiles: named presets of a status, in a person's order (*My Profiles*).

use std::sync::Arc;

use crate::Status;

/// A named preset. The name never changes once it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name people see and choose by.
    pub name: Arc<str>,
    /// The status that the profile gives.
    pub status: Status,
}

/// A person's ordered list of profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyProfiles(Arc<[Profile]>);

impl MyProfiles {
    /// The list in the person's order.
    pub fn new(profiles: impl IntoIterator<Item = Profile>) -> Self {
        Self(profiles.into_iter().collect())
    }

    /// All profiles in order.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.0.iter()
    }

    /// The profile called `name`, compared without case and surrounding blanks.
    pub fn named(&self, name: &str) -> Option<&Profile> {
        let name = name.trim();
        self.iter()
            .find(|profile| profile.name.trim().to_lowercase() == name.to_lowercase())
    }

    /// The first profile whose status is Do not disturb (domain rule 2.3).
    pub fn first_do_not_disturb(&self) -> Option<&Profile> {
        self.iter()
            .find(|profile| profile.status == Status::DoNotDisturb)
    }

    /// The profile of a Teams call: `MS Teams` if there is one, else `Appointment` (domain rule 2.4).
    pub fn teams_call(&self) -> Option<&Profile> {
        self.named("MS Teams").or_else(|| self.named("Appointment"))
    }
}

impl Default for MyProfiles {
    /// What a fresh installation offers.
    fn default() -> Self {
        Self::new(
            [
                ("Available", Status::Available),
                ("Busy", Status::Busy),
                ("Do not disturb", Status::DoNotDisturb),
                ("Appointment", Status::Busy),
            ]
            .map(|(name, status)| Profile {
                name: name.into(),
                status,
            }),
        )
    }
}

/// The person's own choice of a profile, and how long it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The chosen profile.
    pub profile: Profile,
    /// When it was chosen.
    pub since: crate::Timestamp,
    /// When it ends by itself; `None`: when the person ends it.
    pub until: Option<crate::Timestamp>,
}
