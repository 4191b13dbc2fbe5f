//! Entries of the audit log, and the one place that decides how much of a change each records: what administrators change is
//! recorded in full; of what people change of their own, themselves or by an assistant, only that it changed.

use std::sync::Arc;

use presence::{Permission, PersonId, Timestamp};
use serde_json::Value;
use store::{Attempt, Change, Concern};

/// What administrators change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Administration {
    AccountAdd,
    AccountChange,
    AccountDelete,
    AccountPassword,
    ApiKeyAdd,
    ApiKeyDelete,
    BackupDelete,
    BackupMake,
    BackupRestore,
    ClockConfirm,
    DoctorExamine,
    PeopleImport,
    PersonAdd,
    PersonChange,
    PersonDelete,
    PersonPlace,
    ProgramsAdd,
    ProgramsChange,
    ProgramsDelete,
    ProgramsSet,
    ScopeAdd,
    ScopeChange,
    ScopeDelete,
    SettingsSet,
    TemplateDelete,
    TemplateOrder,
    TemplateSet,
    WorkCancel,
    WorkgroupDelete,
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

/// What people change of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    AppointmentAdd,
    AppointmentSet,
    AppointmentDelete,
    ProfileSet,
    ProfileDelete,
    ProfileOrder,
    ProfileChoose,
    ProfileAutomatic,
    RelationshipSet,
    FavouritesSet,
    SettingsSet,
    TeamsAccountSignIn,
    TeamsAccountLink,
    TeamsAccountForget,
    DeviceAdd,
    DeviceCode,
    DevicePause,
    DeviceDelete,
}

impl Own {
    /// Whether it replaces the person's own word about others, or a choice: that is not an administrator's action, and is
    /// not recorded with one.
    const fn is_word(self) -> bool {
        matches!(
            self,
            Self::ProfileOrder
                | Self::ProfileChoose
                | Self::ProfileAutomatic
                | Self::RelationshipSet
                | Self::FavouritesSet
        )
    }

    /// All of them.
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
    pub(crate) const fn name(self) -> &'static str {
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

    /// The permission by which assistants make the change for the person; `None`: they cannot.
    pub(crate) const fn permission(self) -> Option<Permission> {
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

    /// The change, made by the person outside the API: at Microsoft, or by a code.
    pub(crate) const fn change<'a>(
        self,
        at: Timestamp,
        who: &'a str,
        person: &'a str,
    ) -> Change<'a> {
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

/// Content of a person's own change, recorded only if an administrator makes it. Holds no text of an appointment and no
/// address of a feed.
#[derive(Debug, Default)]
pub(crate) struct Details {
    part: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Details {
    /// The part of the person's own that changed.
    pub(crate) fn part(part: impl ToString) -> Self {
        Self {
            part: Some(part.to_string()),
            ..Self::default()
        }
    }

    pub(crate) fn before(self, before: Option<Value>) -> Self {
        Self { before, ..self }
    }

    pub(crate) fn after(self, after: Option<Value>) -> Self {
        Self { after, ..self }
    }
}

/// One change on its way into the log.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
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
pub(crate) struct Author {
    /// Name of the person, account, key or command.
    pub(crate) name: String,
    /// The request with an idempotency key that the change is part of.
    pub(crate) attempt: Option<Arc<Attempt>>,
}

impl Entry {
    /// A change that only administrators make.
    pub(crate) fn administration(
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

    /// A change of a person's own, by the person or an assistant: without details.
    pub(crate) fn own(at: Timestamp, author: Author, what: Own, person: PersonId) -> Self {
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

    /// A change of a person's own by an administrator who is neither the person nor an assistant: with details.
    pub(crate) fn own_by_administrator(
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
        .before(details.before.filter(|_| !what.is_word()))
        .after(details.after)
    }

    pub(crate) fn before(self, before: Option<Value>) -> Self {
        let before = before.map(|before| before.to_string());
        Self { before, ..self }
    }

    pub(crate) fn after(self, after: Option<Value>) -> Self {
        let after = after.map(|after| after.to_string());
        Self { after, ..self }
    }

    pub(crate) fn change(&self) -> Change<'_> {
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

    /// The same entry as part of no request: what it records is not yet what the request asks for.
    pub(crate) fn outside_request(&self) -> Change<'_> {
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
