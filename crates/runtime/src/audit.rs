//! Entries of the audit log, and how much of a change each records: changes by administrators with the values before and after;
//! people's own changes, also through an assistant, without values.

use std::sync::Arc;

use presence::{Permission, PersonId, Timestamp};
use serde_json::Value;
use store::{Attempt, Change, Concern};

macro_rules! kinds {
    ($(#[doc = $doc:literal])* $kind:ident { $($(#[doc = $means:literal])* $change:ident $name:literal)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind {
            $($(#[doc = $means])* $change,)*
        }

        impl $kind {
            /// Every change.
            pub const ALL: &[Self] = &[$(Self::$change,)*];

            /// The name in the log.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$change => $name,)* }
            }
        }
    };
}

kinds! {
    /// A change that only administrators make.
    Administration {
        /// Adds an account.
        AccountAdd "account.add"
        /// Changes role or person of an account.
        AccountChange "account.change"
        /// Deletes an account.
        AccountDelete "account.delete"
        /// Sets the password of an account.
        AccountPassword "account.password"
        /// Makes an API key.
        ApiKeyAdd "api_key.add"
        /// Deletes an API key.
        ApiKeyDelete "api_key.delete"
        /// Deletes a backup.
        BackupDelete "backup.delete"
        /// Makes a backup.
        BackupMake "backup.make"
        /// Asks for a backup to be restored.
        BackupRestore "backup.restore"
        /// Confirms the server's clock after a jump.
        ClockConfirm "clock.confirm"
        /// Checks the installation.
        DoctorExamine "doctor.examine"
        /// Imports people from a table.
        PeopleImport "people.import"
        /// Adds a person.
        PersonAdd "person.add"
        /// Changes name, addresses or lines of a person.
        PersonChange "person.change"
        /// Deletes a person.
        PersonDelete "person.delete"
        /// Moves a person to another location or configuration group.
        PersonPlace "person.place"
        /// Adds a program to a scope's process table.
        ProgramsAdd "programs.add"
        /// Changes a program of a scope's process table.
        ProgramsChange "programs.change"
        /// Deletes a program from a scope's process table.
        ProgramsDelete "programs.delete"
        /// Gives a scope a process table of its own, or removes it.
        ProgramsSet "programs.set"
        /// Adds a location or configuration group.
        ScopeAdd "scope.add"
        /// Changes name or tenant of a scope.
        ScopeChange "scope.change"
        /// Deletes a location or configuration group.
        ScopeDelete "scope.delete"
        /// Changes the settings of a scope.
        SettingsSet "settings.set"
        /// Deletes a central template.
        TemplateDelete "template.delete"
        /// Changes the order of central templates.
        TemplateOrder "template.order"
        /// Adds or changes a central template.
        TemplateSet "template.set"
        /// Cancels a job.
        WorkCancel "work.cancel"
        /// Deletes a workgroup.
        WorkgroupDelete "workgroup.delete"
        /// Adds or changes a workgroup.
        WorkgroupSet "workgroup.set"
    }
}

kinds! {
    /// A change of a person's own: profiles, appointments, relationships, devices.
    Own {
        /// Adds an appointment.
        AppointmentAdd "appointment.add"
        /// Changes an appointment.
        AppointmentSet "appointment.set"
        /// Deletes an appointment.
        AppointmentDelete "appointment.delete"
        /// Adds or changes a profile.
        ProfileSet "profile.set"
        /// Deletes a profile.
        ProfileDelete "profile.delete"
        /// Changes the order of My Profiles.
        ProfileOrder "profile.order"
        /// Chooses a profile.
        ProfileChoose "profile.choose"
        /// Goes back to the automatic profile.
        ProfileAutomatic "profile.automatic"
        /// Sets or removes the relationship of a viewer.
        RelationshipSet "relationship.set"
        /// Sets the favourites.
        FavouritesSet "favourites.set"
        /// Changes personal settings.
        SettingsSet "settings.set_own"
        /// Connects a Teams account by signing in at Microsoft.
        TeamsAccountSignIn "person.teams_account"
        /// Links a Teams account by its name.
        TeamsAccountLink "person.teams_account.link"
        /// Disconnects the Teams account.
        TeamsAccountForget "person.teams_account.forget"
        /// Pairs a desktop agent.
        DeviceAdd "device.add"
        /// Asks for a pairing code.
        DeviceCode "device.code"
        /// Pauses a desktop agent.
        DevicePause "device.pause"
        /// Removes a desktop agent.
        DeviceDelete "device.delete"
    }
}

impl Own {
    /// Whether the change replaces a decision of the person: an administrator's entry does not record that decision.
    const fn is_decision(self) -> bool {
        matches!(
            self,
            Self::ProfileOrder
                | Self::ProfileChoose
                | Self::ProfileAutomatic
                | Self::RelationshipSet
                | Self::FavouritesSet
        )
    }

    /// The permission with which assistants make the change for the person; `None` if they cannot.
    pub const fn permission(self) -> Option<Permission> {
        match self {
            Self::AppointmentAdd | Self::AppointmentSet | Self::AppointmentDelete => {
                Some(Permission::ChangeAppointments)
            }
            Self::ProfileOrder | Self::ProfileChoose | Self::ProfileAutomatic => {
                Some(Permission::ChangeProfile)
            }
            Self::ProfileSet | Self::ProfileDelete => Some(Permission::ChangeForwarding),
            Self::RelationshipSet
            | Self::FavouritesSet
            | Self::SettingsSet
            | Self::TeamsAccountSignIn
            | Self::TeamsAccountLink
            | Self::TeamsAccountForget
            | Self::DeviceAdd
            | Self::DeviceCode
            | Self::DevicePause
            | Self::DeviceDelete => None,
        }
    }

    /// The audit row of a change that the person makes outside the API: at Microsoft, or by a pairing code.
    pub const fn change<'a>(self, at: Timestamp, who: &'a str, person: &'a str) -> Change<'a> {
        Change {
            at,
            who,
            what: self.name(),
            target: person,
            before: None,
            after: None,
            concern: Concern::Own,
            attempt: None,
        }
    }
}

/// The run of the synchronisation with a tenant's directory.
pub const DIRECTORY_RUN: &str = "directory.synchronise";
/// The arrangement of the demo's sample data.
pub const DEMO_ARRANGED: &str = "demo.arrange";
/// A sign-in.
pub const SIGNED_IN: &str = "session.begin";
/// A sign-in with a wrong credential.
pub const SIGN_IN_FAILED: &str = "session.fail";
/// A sign-in that was not checked, after too many wrong ones.
pub const SIGN_IN_REFUSED: &str = "session.refuse";

/// The names of all kinds of entries.
pub fn names() -> impl Iterator<Item = &'static str> {
    let administration = Administration::ALL.iter().map(|change| change.name());
    let own = Own::ALL.iter().map(|change| change.name());
    let others = [
        DIRECTORY_RUN,
        DEMO_ARRANGED,
        SIGNED_IN,
        SIGN_IN_FAILED,
        SIGN_IN_REFUSED,
    ];
    administration.chain(own).chain(others)
}

/// Values of a person's own change, recorded only if an administrator makes it. Holds no text of an appointment and no
/// address of a feed.
#[derive(Debug, Default)]
pub struct Details {
    part: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Details {
    /// Details about a named part: a profile, an appointment, a device.
    pub fn part(part: impl ToString) -> Self {
        Self {
            part: Some(part.to_string()),
            ..Self::default()
        }
    }

    /// Adds the value before the change.
    pub fn before(self, before: Option<Value>) -> Self {
        Self { before, ..self }
    }

    /// Adds the value after the change.
    pub fn after(self, after: Option<Value>) -> Self {
        Self { after, ..self }
    }
}

/// An entry that is not in the log yet.
#[derive(Clone, Debug)]
pub struct Entry {
    at: Timestamp,
    who: String,
    what: &'static str,
    target: String,
    before: Option<String>,
    after: Option<String>,
    concern: Concern,
    attempt: Option<Arc<Attempt>>,
}

/// The caller who makes a change, as entries name it.
#[derive(Clone, Debug)]
pub struct Author {
    /// Name of the person, account, key or command.
    pub name: String,
    /// The request with an idempotency key that the change is part of.
    pub attempt: Option<Arc<Attempt>>,
}

impl Entry {
    /// The entry of a change that only administrators make.
    pub fn administration(
        at: Timestamp,
        author: Author,
        what: Administration,
        target: impl ToString,
    ) -> Self {
        Self {
            at,
            who: author.name,
            what: what.name(),
            target: target.to_string(),
            before: None,
            after: None,
            concern: Concern::Administration,
            attempt: author.attempt,
        }
    }

    /// The entry of a change of a person's own, by the person or an assistant: without details.
    pub fn own(at: Timestamp, author: Author, what: Own, person: PersonId) -> Self {
        Self {
            at,
            who: author.name,
            what: what.name(),
            target: person.to_string(),
            before: None,
            after: None,
            concern: Concern::Own,
            attempt: author.attempt,
        }
    }

    /// The entry of a change of a person's own by an administrator who is neither the person nor an assistant: with details.
    pub fn own_by_administrator(
        at: Timestamp,
        author: Author,
        what: Own,
        person: PersonId,
        details: Details,
    ) -> Self {
        let entry = Self::own(at, author, what, person);
        let target = match details.part {
            None => entry.target,
            Some(part) => format!("{}/{part}", entry.target),
        };
        Self {
            target,
            concern: Concern::Administration,
            ..entry
        }
        .before(details.before.filter(|_| !what.is_decision()))
        .after(details.after)
    }

    /// Adds the value before the change.
    pub fn before(self, before: Option<Value>) -> Self {
        let before = before.map(|before| before.to_string());
        Self { before, ..self }
    }

    /// Adds the value after the change.
    pub fn after(self, after: Option<Value>) -> Self {
        let after = after.map(|after| after.to_string());
        Self { after, ..self }
    }

    /// The row for the store.
    pub fn change(&self) -> Change<'_> {
        Change {
            at: self.at,
            who: &self.who,
            what: self.what,
            target: &self.target,
            before: self.before.clone(),
            after: self.after.clone(),
            concern: self.concern,
            attempt: self.attempt.as_deref(),
        }
    }

    /// The row without its request: the recorded step is not yet the effect that the request asks for.
    pub fn outside_request(&self) -> Change<'_> {
        Change {
            attempt: None,
            ..self.change()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const MIGRATION: &str =
        include_str!("../../store/migrations/sqlite/0008_audit_of_own_changes.sql");

    #[test]
    fn each_kind_of_entry_has_a_name_of_its_own() {
        let all: Vec<&str> = names().collect();
        let distinct: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn the_migration_removes_what_people_changed_of_their_own() {
        let names: Vec<&str> = Own::ALL.iter().map(|change| change.name()).collect();
        assert_eq!(
            names.iter().collect::<BTreeSet<_>>().len(),
            Own::ALL.len(),
            "each has a name"
        );
        for name in names {
            assert!(MIGRATION.contains(&format!("'{name}'")), "{name}");
        }
    }
}
