//! Entries of the audit log, and how much of a change each records: changes by administrators with the values before and after;
//! people's own changes, also through an assistant, without values.

use std::sync::Arc;

use presence::{Permission, PersonId, Timestamp};
use serde_json::Value;
use store::{Attempt, Change, Concern};

/// A change that only administrators make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Administration {
    /// Adds an account.
    AccountAdd,
    /// Changes role or person of an account.
    AccountChange,
    /// Deletes an account.
    AccountDelete,
    /// Sets the password of an account.
    AccountPassword,
    /// Makes an API key.
    ApiKeyAdd,
    /// Deletes an API key.
    ApiKeyDelete,
    /// Deletes a backup.
    BackupDelete,
    /// Makes a backup.
    BackupMake,
    /// Asks for a backup to be restored.
    BackupRestore,
    /// Confirms the server's clock after a jump.
    ClockConfirm,
    /// Checks the installation.
    DoctorExamine,
    /// Imports people from a table.
    PeopleImport,
    /// Adds a person.
    PersonAdd,
    /// Changes name, addresses or lines of a person.
    PersonChange,
    /// Deletes a person.
    PersonDelete,
    /// Moves a person to another location or configuration group.
    PersonPlace,
    /// Adds a program to a scope's process table.
    ProgramsAdd,
    /// Changes a program of a scope's process table.
    ProgramsChange,
    /// Deletes a program from a scope's process table.
    ProgramsDelete,
    /// Gives a scope a process table of its own, or removes it.
    ProgramsSet,
    /// Adds a location or configuration group.
    ScopeAdd,
    /// Changes name or tenant of a scope.
    ScopeChange,
    /// Deletes a location or configuration group.
    ScopeDelete,
    /// Changes the settings of a scope.
    SettingsSet,
    /// Deletes a central template.
    TemplateDelete,
    /// Changes the order of central templates.
    TemplateOrder,
    /// Adds or changes a central template.
    TemplateSet,
    /// Cancels a job.
    WorkCancel,
    /// Deletes a workgroup.
    WorkgroupDelete,
    /// Adds or changes a workgroup.
    WorkgroupSet,
}

impl Administration {
    /// The name in the log.
    const fn name(self) -> &'static str {
        match self {
            Self::AccountAdd => "account.add",
            Self::AccountChange => "account.change",
            Self::AccountDelete => "account.delete",
            Self::AccountPassword => "account.password",
            Self::ApiKeyAdd => "api_key.add",
            Self::ApiKeyDelete => "api_key.delete",
            Self::BackupDelete => "backup.delete",
            Self::BackupMake => "backup.make",
            Self::BackupRestore => "backup.restore",
            Self::ClockConfirm => "clock.confirm",
            Self::DoctorExamine => "doctor.examine",
            Self::PeopleImport => "people.import",
            Self::PersonAdd => "person.add",
            Self::PersonChange => "person.change",
            Self::PersonDelete => "person.delete",
            Self::PersonPlace => "person.place",
            Self::ProgramsAdd => "programs.add",
            Self::ProgramsChange => "programs.change",
            Self::ProgramsDelete => "programs.delete",
            Self::ProgramsSet => "programs.set",
            Self::ScopeAdd => "scope.add",
            Self::ScopeChange => "scope.change",
            Self::ScopeDelete => "scope.delete",
            Self::SettingsSet => "settings.set",
            Self::TemplateDelete => "template.delete",
            Self::TemplateOrder => "template.order",
            Self::TemplateSet => "template.set",
            Self::WorkCancel => "work.cancel",
            Self::WorkgroupDelete => "workgroup.delete",
            Self::WorkgroupSet => "workgroup.set",
        }
    }
}

/// A change of a person's own: profiles, appointments, relationships, devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Adds an appointment.
    AppointmentAdd,
    /// Changes an appointment.
    AppointmentSet,
    /// Deletes an appointment.
    AppointmentDelete,
    /// Adds or changes a profile.
    ProfileSet,
    /// Deletes a profile.
    ProfileDelete,
    /// Changes the order of My Profiles.
    ProfileOrder,
    /// Chooses a profile.
    ProfileChoose,
    /// Goes back to the automatic profile.
    ProfileAutomatic,
    /// Sets or removes the relationship of a viewer.
    RelationshipSet,
    /// Sets the favourites.
    FavouritesSet,
    /// Changes personal settings.
    SettingsSet,
    /// Connects a Teams account by signing in at Microsoft.
    TeamsAccountSignIn,
    /// Links a Teams account by its name.
    TeamsAccountLink,
    /// Disconnects the Teams account.
    TeamsAccountForget,
    /// Pairs a desktop agent.
    DeviceAdd,
    /// Asks for a pairing code.
    DeviceCode,
    /// Pauses a desktop agent.
    DevicePause,
    /// Removes a desktop agent.
    DeviceDelete,
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

    /// Every change.
    #[cfg(test)]
    const ALL: [Self; 18] = [
        Self::AppointmentAdd,
        Self::AppointmentSet,
        Self::AppointmentDelete,
        Self::ProfileSet,
        Self::ProfileDelete,
        Self::ProfileOrder,
        Self::ProfileChoose,
        Self::ProfileAutomatic,
        Self::RelationshipSet,
        Self::FavouritesSet,
        Self::SettingsSet,
        Self::TeamsAccountSignIn,
        Self::TeamsAccountLink,
        Self::TeamsAccountForget,
        Self::DeviceAdd,
        Self::DeviceCode,
        Self::DevicePause,
        Self::DeviceDelete,
    ];

    /// The name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AppointmentAdd => "appointment.add",
            Self::AppointmentSet => "appointment.set",
            Self::AppointmentDelete => "appointment.delete",
            Self::ProfileSet => "profile.set",
            Self::ProfileDelete => "profile.delete",
            Self::ProfileOrder => "profile.order",
            Self::ProfileChoose => "profile.choose",
            Self::ProfileAutomatic => "profile.automatic",
            Self::RelationshipSet => "relationship.set",
            Self::FavouritesSet => "favourites.set",
            Self::SettingsSet => "settings.set_own",
            Self::TeamsAccountSignIn => "person.teams_account",
            Self::TeamsAccountLink => "person.teams_account.link",
            Self::TeamsAccountForget => "person.teams_account.forget",
            Self::DeviceAdd => "device.add",
            Self::DeviceCode => "device.code",
            Self::DevicePause => "device.pause",
            Self::DeviceDelete => "device.delete",
        }
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
    fn the_migration_removes_what_people_changed_of_their_own() {
        let names = Own::ALL.map(Own::name);
        assert_eq!(
            BTreeSet::from(names).len(),
            Own::ALL.len(),
            "each has a name"
        );
        for name in names {
            assert!(MIGRATION.contains(&format!("'{name}'")), "{name}");
        }
    }
}
