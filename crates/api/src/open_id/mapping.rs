//! Maps an identity of the provider to an account. Pure. An identity that fits several people, or accounts with different
//! rights, signs in to none of them: an edit that makes an identity ambiguous must not choose the rights of a sign-in.

use std::sync::Arc;

use presence::{PersonId, TeamsUserId};
use runtime::people_index::Person;
use store::{Account, Role};

use super::{OpenIdError, shown};

/// What the claim of the provider is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// Sign-in names and mail addresses.
    Names,
    /// Teams accounts, by object id.
    TeamsAccounts,
}

/// The account that the identity signs in to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MappedAccount {
    /// It is there already.
    Account(u64),
    /// The person has none yet.
    New(PersonId),
}

/// Whether two names are the same. Only ASCII letters are compared without case: `to_lowercase` would take a Kelvin sign
/// for a k, and so another mailbox for the person's. The store compares in the same way.
fn is_same(name: &str, other: &str) -> bool {
    !other.is_empty() && other.eq_ignore_ascii_case(name)
}

/// Whether the identity is this person's.
pub(super) fn is_of(identity: &str, compared: Compared, person: &Person) -> bool {
    match compared {
        Compared::Names => [&person.user_principal_name, &person.mail]
            .into_iter()
            .any(|name| is_same(identity, name)),
        Compared::TeamsAccounts => {
            !identity.is_empty() && person.teams_id == Some(TeamsUserId::new(identity))
        }
    }
}

/// Maps an identity to an account. `people`: the matches of [`is_of`].
pub(super) fn mapped(
    identity: &str,
    people: &[Arc<Person>],
    accounts: &[Account],
) -> Result<MappedAccount, OpenIdError> {
    // The name of an account that is a person's is not enough: it was not chosen at the provider.
    let mut named = accounts
        .iter()
        .filter(|account| account.person.is_none() && is_same(identity, &account.name));
    let ambiguous = |fits: String| OpenIdError::Ambiguous(shown::plain(identity), fits);
    match (people, named.next()) {
        ([], None) => Err(OpenIdError::Unknown(shown::plain(identity))),
        ([], Some(account)) => Ok(MappedAccount::Account(account.id)),
        ([person], None) => of_person(person, accounts).map_err(ambiguous),
        ([person], Some(account)) => Err(ambiguous(format!(
            "the person {} and the account {}",
            person.name, account.name
        ))),
        (several, _) => {
            let names: Vec<&str> = several.iter().map(|person| person.name.as_str()).collect();
            Err(ambiguous(format!("several people: {}", names.join(", "))))
        }
    }
}

/// The account of a person with the least rights: an account for administration beside it is signed in to by its password.
fn of_person(person: &Person, accounts: &[Account]) -> Result<MappedAccount, String> {
    let of_person = || {
        accounts
            .iter()
            .filter(|account| account.person == Some(person.id))
    };
    let rank = |role: Role| Role::ALL.iter().position(|known| *known == role);
    let Some(least) = of_person().min_by_key(|account| (rank(account.role), account.id)) else {
        return Ok(MappedAccount::New(person.id));
    };
    let other = of_person()
        .find(|account| account.role == least.role && account.location != least.location);
    match other {
        None => Ok(MappedAccount::Account(least.id)),
        Some(other) => Err(format!(
            "the accounts {} and {}, which administer different locations",
            least.name, other.name
        )),
    }
}

#[cfg(test)]
mod tests {
    use presence::Timestamp;

    use super::*;

    const ADA: &str = "ada@contoso.example";

    fn person(id: u64, mail: &str, upn: &str) -> Arc<Person> {
        Arc::new(Person {
            id: PersonId(id),
            name: format!("person {id}"),
            mail: mail.into(),
            user_principal_name: upn.into(),
            teams_id: Some(TeamsUserId::new(&format!("object-{id}"))),
            tenant: "main".into(),
            lines: Vec::new(),
        })
    }

    fn account(id: u64, name: &str, person: Option<u64>, role: Role) -> Account {
        Account {
            id,
            name: name.into(),
            password_hash: None,
            person: person.map(PersonId),
            role,
            location: None,
            created_at: Timestamp::default(),
        }
    }

    fn sign_in(
        identity: &str,
        compared: Compared,
        people: &[Arc<Person>],
        accounts: &[Account],
    ) -> Result<MappedAccount, String> {
        let fits = people
            .iter()
            .filter(|known| is_of(identity, compared, known));
        let fits: Vec<Arc<Person>> = fits.cloned().collect();
        mapped(identity, &fits, accounts).map_err(|error| error.to_string())
    }

    fn by_name(
        identity: &str,
        people: &[Arc<Person>],
        accounts: &[Account],
    ) -> Result<MappedAccount, String> {
        sign_in(identity, Compared::Names, people, accounts)
    }

    /// Every identity has one account or none.
    #[test]
    fn one_person_with_one_account_is_signed_in() {
        let people = [person(1, ADA, ""), person(2, "", "ben@contoso.example")];
        let accounts = [
            account(7, "ada", Some(1), Role::SystemAdmin),
            account(8, "guest@contoso.example", None, Role::LocationAdmin),
        ];
        let mapped = |identity| by_name(identity, &people, &accounts);
        assert_eq!(mapped("ADA@contoso.example"), Ok(MappedAccount::Account(7)));
        assert_eq!(
            mapped("ben@contoso.example"),
            Ok(MappedAccount::New(PersonId(2)))
        );
        assert_eq!(
            mapped("Guest@contoso.example"),
            Ok(MappedAccount::Account(8))
        );
        assert!(mapped("zoe@contoso.example").is_err());
        // The account's own name was chosen by an administrator of Offhook, not by the provider.
        assert!(mapped("ada").is_err());
        assert!(mapped("").is_err(), "an empty field is nobody's");
    }

    /// The same address as mail of one person and as sign-in name of another, or beside an account of that name.
    #[test]
    fn what_fits_several_signs_in_to_none() {
        let admin = account(7, "ada", Some(1), Role::SystemAdmin);
        let people = [person(1, ADA, ""), person(2, "", ADA)];
        let refused = by_name(ADA, &people, std::slice::from_ref(&admin)).unwrap_err();
        assert!(refused.contains("person 1, person 2"), "{refused}");
        // Not by way of an account of that name either.
        let named = account(9, ADA, None, Role::SystemAdmin);
        assert!(by_name(ADA, &people, &[admin, named.clone()]).is_err());
        assert!(by_name(ADA, &people[..1], &[named]).is_err());
    }

    /// Of a person's accounts the least counts, so that no edit of the person reaches more than the person has.
    #[test]
    fn of_several_accounts_the_one_with_the_least_rights_counts() {
        let people = [person(1, ADA, "")];
        let admin = account(1, "a", Some(1), Role::SystemAdmin);
        let own = account(2, "b", Some(1), Role::Person);
        let at = |id, location: &str| Account {
            location: Some(location.into()),
            ..account(id, location, Some(1), Role::LocationAdmin)
        };
        let mapped = |accounts: &[Account]| by_name(ADA, &people, accounts);
        assert_eq!(mapped(&[admin.clone(), own]), Ok(MappedAccount::Account(2)));
        let least = mapped(&[admin.clone(), at(3, "lyon")]);
        assert_eq!(least, Ok(MappedAccount::Account(3)));
        let refused = mapped(&[admin, at(3, "lyon"), at(4, "berlin")]).unwrap_err();
        assert!(refused.contains("different locations"), "{refused}");
    }

    /// Other letters that a language writes alike are other names.
    #[test]
    fn letters_that_only_look_alike_are_others() {
        let people = [person(1, "mark@contoso.example", "")];
        let accounts = [account(7, "irk", None, Role::SystemAdmin)];
        for identity in ["mar\u{212A}@contoso.example", "ir\u{212A}", "\u{130}rk"] {
            assert!(by_name(identity, &people, &accounts).is_err(), "{identity}");
        }
    }

    // An identity is repeated in part, without control characters.
    #[test]
    fn a_refusal_shows_the_begin_of_an_identity() {
        let identity = format!("\u{1b}[31m{}@contoso.example", "é".repeat(280_000));
        let named = account(7, &identity, None, Role::Person);
        let unknown = by_name(&identity, &[], &[]).unwrap_err();
        let two = [person(1, &identity, ""), person(2, "", &identity)];
        let ambiguous = by_name(&identity, &two, &[named]).unwrap_err();
        for refused in [unknown, ambiguous] {
            assert!(refused.len() < 400, "{}", refused.len());
            assert!(!refused.contains('\u{1b}'), "{refused}");
        }
    }

    /// With the claim `oid` only the Teams account counts.
    #[test]
    fn an_object_id_is_compared_with_teams_accounts_only() {
        let people = [person(1, "object-2", "object-2"), person(2, ADA, ADA)];
        let mapped = |identity| sign_in(identity, Compared::TeamsAccounts, &people, &[]);
        assert_eq!(mapped("OBJECT-2"), Ok(MappedAccount::New(PersonId(2))));
        assert!(mapped(ADA).is_err());
    }
}
