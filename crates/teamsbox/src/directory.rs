//! The directory: Entra's data about people and groups, with the revision of each change.
//!
//! Pure. Every change takes the next revision of the tenant. A delta link holds the revision up to which it was read.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value, json};

use crate::{error::ControlError, guid::Guid};

/// The fields that `$select` accepts; unknown ones are refused.
pub(crate) const FIELDS: [&str; 32] = [
    "id",
    "displayName",
    "userPrincipalName",
    "mail",
    "givenName",
    "surname",
    "jobTitle",
    "department",
    "companyName",
    "officeLocation",
    "preferredLanguage",
    "businessPhones",
    "mobilePhone",
    "faxNumber",
    "accountEnabled",
    "userType",
    "proxyAddresses",
    "imAddresses",
    "otherMails",
    "assignedPlans",
    "assignedLicenses",
    "employeeId",
    "onPremisesSamAccountName",
    "onPremisesUserPrincipalName",
    "onPremisesImmutableId",
    "onPremisesSecurityIdentifier",
    "onPremisesExtensionAttributes",
    "onPremisesSyncEnabled",
    "usageLocation",
    "country",
    "city",
    "externalUserState",
];

/// The fields of a list without `$select`.
pub(crate) const DEFAULT_FIELDS: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// The fields that `User.ReadBasic.All` permits. All others need `User.Read.All`.
pub(crate) const BASIC_FIELDS: [&str; 7] = [
    "id",
    "displayName",
    "givenName",
    "surname",
    "userPrincipalName",
    "mail",
    "userType",
];

/// Directory fields of a person other than the names.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    fields: Map<String, Value>,
    /// The revision at which each field last changed.
    changed: BTreeMap<Box<str>, u64>,
    /// The revision at which the person was added.
    pub(crate) created: u64,
}

impl Profile {
    /// The value of a field: as set, else derived from the names, else `null`.
    pub(crate) fn field(&self, name: &str, user: &Names<'_>) -> Value {
        if let Some(value) = self.fields.get(name) {
            return value.clone();
        }
        let mail = user.mail();
        let mail = mail.as_ref();
        match name {
            "id" => json!(user.id),
            "displayName" => json!(user.display_name),
            "userPrincipalName" => json!(user.user_principal_name),
            "mail" => json!(mail),
            "givenName" => json!(user.display_name.split_whitespace().next()),
            "surname" => json!(user.display_name.split_once(' ').map(|(_, rest)| rest)),
            "businessPhones" | "otherMails" | "assignedLicenses" => json!([]),
            "proxyAddresses" => json!([format!("SMTP:{mail}")]),
            "imAddresses" => json!([mail]),
            "accountEnabled" => json!(true),
            "userType" => json!(if user.is_guest() { "Guest" } else { "Member" }),
            "externalUserState" => json!(user.is_guest().then_some("Accepted")),
            "assignedPlans" if user.is_guest() => json!([]),
            "assignedPlans" => json!([{
                "assignedDateTime": "2026-01-01T00:00:00Z",
                "capabilityStatus": "Enabled",
                "service": "TeamspaceAPI",
                "servicePlanId": "57ff2da0-773e-42df-b2af-ffb7a2317929",
            }]),
            _ => Value::Null,
        }
    }

    /// Returns true if the person is a guest of the tenant.
    pub(crate) fn is_guest(&self, user: &Names<'_>) -> bool {
        self.field("userType", user) == "Guest"
    }

    /// Returns true if the person has a licence for Teams.
    pub(crate) fn is_licensed(&self, user: &Names<'_>) -> bool {
        let plans = self.field("assignedPlans", user);
        let teams = |plan: &Value| {
            plan["service"] == "TeamspaceAPI" && plan["capabilityStatus"] == "Enabled"
        };
        plans
            .as_array()
            .is_some_and(|plans| plans.iter().any(teams))
    }

    /// Checks fields before they are set.
    ///
    /// # Errors
    /// A field is unknown, or belongs to another call.
    pub(crate) fn check(fields: &Map<String, Value>) -> Result<(), ControlError> {
        for (name, value) in fields {
            if name == "id" || !FIELDS.contains(&name.as_str()) {
                let remedy = format!(
                    "give some of {}",
                    FIELDS.get(1..).unwrap_or_default().join(", ")
                );
                return Err(ControlError::invalid(
                    "profile",
                    name,
                    "is not a field that can be set",
                    &remedy,
                ));
            }
            let right = match name.as_str() {
                "businessPhones" => value.as_array().is_some_and(|list| list.len() <= 1),
                "proxyAddresses" | "imAddresses" | "otherMails" | "assignedPlans"
                | "assignedLicenses" => value.is_array(),
                "accountEnabled" | "onPremisesSyncEnabled" => value.is_boolean() || value.is_null(),
                "onPremisesExtensionAttributes" => value.is_object() || value.is_null(),
                _ => value.is_string() || value.is_null(),
            };
            if !right {
                let remedy =
                    "give the type Graph has for it; businessPhones lists at most one number";
                return Err(ControlError::invalid(
                    "profile",
                    name,
                    "has a value of the wrong type",
                    remedy,
                ));
            }
        }
        Ok(())
    }

    /// Sets checked fields at a revision.
    pub(crate) fn set(&mut self, fields: &Map<String, Value>, revision: u64) {
        for (name, value) in fields {
            self.fields.insert(name.clone(), value.clone());
            self.touch(name, revision);
        }
    }

    /// Records the revision of a field's change.
    pub(crate) fn touch(&mut self, name: &str, revision: u64) {
        self.changed.insert(name.into(), revision);
    }

    /// The fields that changed after a revision.
    pub(crate) fn changed_since<'a>(&self, fields: &[&'a str], revision: u64) -> Vec<&'a str> {
        let later = |name: &&'a str| self.changed.get(*name).is_some_and(|at| *at > revision);
        fields.iter().copied().filter(later).collect()
    }
}

/// The names of a person, for fields that are derived from them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) id: &'a str,
    pub(crate) display_name: &'a str,
    pub(crate) user_principal_name: &'a str,
}

impl<'a> Names<'a> {
    /// The local part of a guest's user principal name, by Entra's convention:
    /// `anna_fabrikam.example#EXT#@contoso.example`; `None` for other people.
    fn guest(&self) -> Option<&'a str> {
        let name = self.user_principal_name;
        let at = name.to_ascii_uppercase().find("#EXT#@")?;
        name.get(..at)
    }

    fn is_guest(&self) -> bool {
        self.guest().is_some()
    }

    /// The mail address: the user principal name; for a guest, the address from which it was derived.
    fn mail(&self) -> Cow<'a, str> {
        match self.guest().and_then(|name| name.rsplit_once('_')) {
            Some((name, domain)) => Cow::Owned(format!("{name}@{domain}")),
            None => Cow::Borrowed(self.user_principal_name),
        }
    }
}

/// The deletion of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Removal {
    /// Revision of the deletion.
    pub(crate) revision: u64,
    /// True if the person was deleted permanently; else restorable for 30 days.
    pub(crate) for_good: bool,
}

/// Sign-in data of a person.
#[derive(Clone, Default)]
pub(crate) struct Account {
    /// The password; `None` if the person cannot sign in with one.
    pub(crate) password: Option<Box<str>>,
    /// True if the person signs in at another identity provider, so that Entra accepts no password.
    pub(crate) federated: bool,
    /// True if a second factor is required in addition to the password.
    pub(crate) second_factor: bool,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password stays out of logs.
        formatter
            .debug_struct("Account")
            .field("federated", &self.federated)
            .finish_non_exhaustive()
    }
}

/// A group of people and of other groups.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: Guid,
    pub(crate) display_name: Box<str>,
    /// Indices of member people.
    pub(crate) members: BTreeSet<usize>,
    /// Indices of member groups.
    pub(crate) groups: BTreeSet<usize>,
}

/// All people in a group and its member groups, each once. Circular membership is allowed.
pub(crate) fn transitive_members(groups: &[Group], start: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::from([start]);
    let mut todo = vec![start];
    let mut members = BTreeSet::new();
    while let Some(index) = todo.pop() {
        let Some(group) = groups.get(index) else {
            continue;
        };
        members.extend(&group.members);
        todo.extend(
            group
                .groups
                .iter()
                .copied()
                .filter(|inner| seen.insert(*inner)),
        );
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: Names<'_> = Names {
        id: "1",
        display_name: "Anna Maria Bauer",
        user_principal_name: "anna@contoso.example",
    };

    #[test]
    fn fields_follow_from_the_names_until_they_are_set() {
        let mut profile = Profile::default();
        assert_eq!(profile.field("surname", &ANNA), "Maria Bauer");
        assert_eq!(profile.field("mobilePhone", &ANNA), Value::Null);
        let fields = json!({ "mobilePhone": "+49 30 1", "mail": "a@b.example" });
        profile.set(fields.as_object().unwrap(), 7);
        assert_eq!(profile.field("mail", &ANNA), "a@b.example");
        assert_eq!(profile.changed_since(&["mail", "displayName"], 6), ["mail"]);
        assert!(profile.changed_since(&["mail"], 7).is_empty());
    }

    #[test]
    fn guests_are_known_by_their_name() {
        let guest = Names {
            user_principal_name: "cleo_li_fabrikam.example#EXT#@contoso.example",
            ..ANNA
        };
        let mut profile = Profile::default();
        assert!(profile.is_guest(&guest) && !profile.is_licensed(&guest));
        assert!(!profile.is_guest(&ANNA) && profile.is_licensed(&ANNA));
        assert_eq!(profile.field("mail", &guest), "cleo_li@fabrikam.example");
        assert_eq!(
            profile.field("userPrincipalName", &guest),
            guest.user_principal_name
        );
        let fields = json!({ "userType": "Guest", "assignedPlans": [] });
        profile.set(fields.as_object().unwrap(), 7);
        assert!(profile.is_guest(&ANNA) && !profile.is_licensed(&ANNA));
    }

    #[test]
    fn unknown_fields_and_wrong_types_are_refused() {
        for fields in [
            json!({ "id": "2" }),
            json!({ "shoeSize": "44" }),
            json!({ "businessPhones": ["1", "2"] }),
            json!({ "accountEnabled": "yes" }),
            json!({ "jobTitle": 7 }),
        ] {
            assert!(
                Profile::check(fields.as_object().unwrap()).is_err(),
                "{fields}"
            );
        }
    }

    #[test]
    fn groups_within_groups_count_once() {
        let group = |members: &[usize], groups: &[usize]| Group {
            id: "a11ce000-0000-4000-8000-000000000001".parse().unwrap(),
            display_name: "G".into(),
            members: members.iter().copied().collect(),
            groups: groups.iter().copied().collect(),
        };
        let groups = [group(&[1], &[1]), group(&[1, 2], &[0, 2]), group(&[3], &[])];
        assert_eq!(transitive_members(&groups, 0), BTreeSet::from([1, 2, 3]));
    }
}
