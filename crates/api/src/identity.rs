//! Fields that identify a person: sign-ins with OpenID Connect, Teams accounts and phones are assigned to people by them. A
//! change of such a field transfers rights between people, and is therefore reserved to system administrators and API keys
//! with the scope `admin`.

use runtime::people_index::Person;
use store::ImportPerson;

use crate::{caller::Caller, problem::Problem};

/// An identifying field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityField {
    /// Matched with the claim of OpenID Connect, and with mail addresses in Entra.
    Mail,
    /// Matched with the claim of OpenID Connect, and with sign-in names in Entra.
    UserPrincipalName,
    /// Matched with the claim `oid`; its calls and presence become the person's.
    TeamsAccount,
    /// The SIP identity of phones that register here, and of lines at the PBX.
    Extensions,
}

impl IdentityField {
    /// The name of the field in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::UserPrincipalName => "userPrincipalName",
            Self::TeamsAccount => "account",
            Self::Extensions => "lines",
        }
    }
}

/// Identifying fields in which the form of a person differs from the stored person.
fn changed(before: &Person, after: &ImportPerson) -> impl Iterator<Item = IdentityField> {
    let differs = [
        (IdentityField::Mail, before.mail != after.mail),
        (
            IdentityField::UserPrincipalName,
            before.user_principal_name != after.user_principal_name,
        ),
        (
            IdentityField::Extensions,
            !before.has_extensions(&after.extensions),
        ),
    ];
    differs
        .into_iter()
        .filter_map(|(field, differs)| differs.then_some(field))
}

impl Caller {
    /// Whether the caller may change identifying fields.
    pub fn may_identify(&self) -> bool {
        self.is_admin()
    }

    /// Refuses a change of an identifying field by callers other than system administrators.
    pub fn require_to_identify(&self, field: IdentityField) -> Result<(), Problem> {
        if self.may_identify() {
            return Ok(());
        }
        let name = field.name();
        let detail = format!(
            "{name} identifies the person, so that only system administrators and keys with the scope `admin` change it; ask a system administrator, or leave {name} out"
        );
        Err(Problem::forbidden_field(name, detail))
    }

    /// Refuses a change of a person that changes an identifying field, unless the caller may change it. A field sent back
    /// as it was read is no change.
    pub fn require_same_identity(
        &self,
        before: &Person,
        after: &ImportPerson,
    ) -> Result<(), Problem> {
        changed(before, after).try_for_each(|field| self.require_to_identify(field))
    }
}

#[cfg(test)]
mod tests {
    use presence::{Extension, LineId, PersonId};

    use super::*;

    fn before() -> Person {
        Person {
            id: PersonId(1),
            name: "Anna".into(),
            mail: "anna@contoso.example".into(),
            user_principal_name: "anna@contoso.example".into(),
            teams_id: None,
            tenant: "main".into(),
            lines: vec![
                (LineId::Watched(1), Extension::stored("1001")),
                (LineId::Watched(2), Extension::stored("1002")),
            ],
        }
    }

    fn after() -> ImportPerson {
        ImportPerson {
            name: "Anna Becker".into(),
            mail: "anna@contoso.example".into(),
            user_principal_name: "anna@contoso.example".into(),
            extensions: ["1001", "1002"].map(Extension::stored).into(),
            ..ImportPerson::default()
        }
    }

    #[test]
    fn a_name_identifies_nobody_and_all_else_does() {
        let fields = |after: ImportPerson| changed(&before(), &after).collect::<Vec<_>>();
        assert_eq!(fields(after()), []);
        let mail = "Anna@contoso.example".to_owned();
        let changes = [
            (
                IdentityField::Mail,
                ImportPerson {
                    mail: mail.clone(),
                    ..after()
                },
            ),
            (
                IdentityField::UserPrincipalName,
                ImportPerson {
                    user_principal_name: mail,
                    ..after()
                },
            ),
            (
                IdentityField::Extensions,
                ImportPerson {
                    extensions: vec![Extension::stored("1001")],
                    ..after()
                },
            ),
        ];
        for (field, after) in changes {
            assert_eq!(fields(after), [field]);
        }
    }
}
