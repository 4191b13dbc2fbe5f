//! Matches Entra accounts to people by object id, else by user principal name, else by mail address, else by phone number
//! (docs/presence-rules.md, "Matching people and accounts"). Pure: returns a plan; an ambiguous account is not matched.

use std::collections::{BTreeMap, BTreeSet};

use presence::{Extension, PersonId, TeamsUserId};

/// An account of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraAccount {
    /// Object id.
    pub id: TeamsUserId,
    /// Display name, or empty.
    pub name: String,
    /// Sign-in name; `None`: Graph left it out; empty: the account has none.
    pub user_principal_name: Option<String>,
    /// Mail address; `None`: Graph left it out; empty: the account has none.
    pub mail: Option<String>,
    /// Business and mobile numbers.
    pub numbers: Vec<String>,
    /// Whether the account may sign in.
    pub enabled: bool,
    /// Whether the account is a guest, of another tenant.
    pub is_guest: bool,
}

impl EntraAccount {
    /// The display name, else the sign-in name, else the mail address; empty if the account has none.
    pub fn label(&self) -> &str {
        let names = [
            Some(&self.name),
            self.user_principal_name.as_ref(),
            self.mail.as_ref(),
        ];
        let mut named = names.into_iter().flatten().map(|name| name.trim());
        named.find(|name| !name.is_empty()).unwrap_or_default()
    }
}

/// A person, as matching needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPerson {
    /// The person.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name, or empty.
    pub user_principal_name: String,
    /// The linked account.
    pub teams_id: Option<TeamsUserId>,
    /// Extensions.
    pub extensions: Vec<Extension>,
    /// Whether an account of the person here administers anything. Administrators are not found by a phone number: in many
    /// tenants people can change their own number, and signing in follows the linked account.
    pub administers: bool,
}

/// The value by which an account and a person match. The first is the most reliable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchKey {
    /// Object id.
    Id,
    /// Sign-in name.
    SignInName,
    /// Mail.
    Mail,
    /// Phone number.
    Number,
}

impl MatchKey {
    const ALL: [Self; 4] = [Self::Id, Self::SignInName, Self::Mail, Self::Number];

    /// Name of the value in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "object id",
            Self::SignInName => "sign-in name",
            Self::Mail => "mail",
            Self::Number => "number",
        }
    }
}

/// The result of matching.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Matched accounts, by their position: the person, and the value that matched.
    pub matched: BTreeMap<usize, (PersonId, MatchKey)>,
    /// Positions of enabled accounts without a person.
    pub new: Vec<usize>,
    /// Accounts that match several people, or one person together with other accounts, with the reason.
    pub ambiguous: BTreeMap<usize, String>,
    /// People with an account that is gone or may no longer sign in, with the reason.
    pub gone: BTreeMap<PersonId, &'static str>,
    /// People without an account.
    pub unmatched: BTreeSet<PersonId>,
}

/// Fewest digits of an extension that matches the end of a number.
const DIGITS_MIN: usize = 3;

/// Whether a list of accounts is the whole directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// The whole directory: an account that is missing is gone.
    Whole,
    /// A part of the directory: an account that is missing may exist.
    Partial,
}

/// Matches accounts with people.
pub fn plan(accounts: &[EntraAccount], people: &[KnownPerson], completeness: Completeness) -> Plan {
    let mut plan = Plan::default();
    let mut free: BTreeSet<PersonId> = people.iter().map(|person| person.id).collect();
    let administrators = people.iter().filter(|person| person.administers);
    let administrators: BTreeSet<PersonId> = administrators.map(|person| person.id).collect();
    for key in MatchKey::ALL {
        let index = Index::new(
            people.iter().filter(|person| free.contains(&person.id)),
            key,
        );
        let mut claims: BTreeMap<PersonId, Vec<usize>> = BTreeMap::new();
        for (at, account) in accounts.iter().enumerate() {
            if plan.matched.contains_key(&at) || plan.ambiguous.contains_key(&at) {
                continue;
            }
            let candidates = index.find(account, key);
            match candidates.iter().next() {
                Some(person) if candidates.len() == 1 => {
                    claims.entry(*person).or_default().push(at)
                }
                Some(_) => {
                    let who: Vec<String> = candidates.iter().map(ToString::to_string).collect();
                    let (key, who) = (key.name(), who.join(", "));
                    let reason = format!("the {key} fits several people: {who}");
                    plan.ambiguous.insert(at, reason);
                }
                None => {}
            }
        }
        for (person, claimants) in claims {
            match claimants.as_slice() {
                [at] if key == MatchKey::Number && administrators.contains(&person) => {
                    let reason = format!(
                        "the number is that of person {person}, who administers: a system administrator links the account by hand"
                    );
                    plan.ambiguous.insert(*at, reason);
                }
                [at] => {
                    plan.matched.insert(*at, (person, key));
                    free.remove(&person);
                }
                several => {
                    for at in several {
                        let key = key.name();
                        let reason = format!("several accounts have the {key} of person {person}");
                        plan.ambiguous.insert(*at, reason);
                    }
                }
            }
        }
    }
    leftovers(accounts, people, completeness, &free, &mut plan);
    plan
}

fn leftovers(
    accounts: &[EntraAccount],
    people: &[KnownPerson],
    completeness: Completeness,
    free: &BTreeSet<PersonId>,
    plan: &mut Plan,
) {
    for (at, account) in accounts.iter().enumerate() {
        match plan.matched.get(&at) {
            Some((person, _)) if !account.enabled => {
                plan.gone
                    .insert(*person, "the account may no longer sign in");
                plan.matched.remove(&at);
            }
            None if account.enabled && !plan.ambiguous.contains_key(&at) => plan.new.push(at),
            _ => {}
        }
    }
    for person in people.iter().filter(|person| free.contains(&person.id)) {
        if person.teams_id.is_some() && completeness == Completeness::Whole {
            plan.gone
                .insert(person.id, "the account is no longer in the directory");
        } else if person.teams_id.is_none() {
            plan.unmatched.insert(person.id);
        }
    }
}

/// People by one kind of value.
struct Index(BTreeMap<String, BTreeSet<PersonId>>);

impl Index {
    fn new<'a>(people: impl Iterator<Item = &'a KnownPerson>, key: MatchKey) -> Self {
        let mut index: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
        for person in people {
            // A linked person matches by the id alone: a renamed account could match another person.
            if key != MatchKey::Id && person.teams_id.is_some() {
                continue;
            }
            for name in names(person, key) {
                index.entry(name).or_default().insert(person.id);
            }
        }
        Self(index)
    }

    fn find(&self, account: &EntraAccount, key: MatchKey) -> BTreeSet<PersonId> {
        let of = |name: &str| self.0.get(&fold(name)).into_iter().flatten();
        match key {
            MatchKey::Id => {
                let people = self.0.get(account.id.as_str()).into_iter().flatten();
                people.copied().collect()
            }
            MatchKey::SignInName => account
                .user_principal_name
                .iter()
                .flat_map(|name| of(name))
                .copied()
                .collect(),
            MatchKey::Mail => [&account.mail, &account.user_principal_name]
                .into_iter()
                .flatten()
                .flat_map(|name| of(name))
                .copied()
                .collect(),
            MatchKey::Number => {
                let endings = account.numbers.iter().map(|number| digits(number));
                let fits = endings.flat_map(|number| {
                    let longest = number.len();
                    let starts = (0..longest).filter(move |start| longest - start >= DIGITS_MIN);
                    // The longest ending that is the number of a person counts.
                    let mut found =
                        starts.map(|start| of(&number[start..]).copied().collect::<BTreeSet<_>>());
                    found.find(|found| !found.is_empty()).unwrap_or_default()
                });
                fits.collect()
            }
        }
    }
}

/// The values of a person, without empty ones.
fn names(person: &KnownPerson, key: MatchKey) -> Vec<String> {
    let names: Vec<String> = match key {
        MatchKey::Id => person.teams_id.iter().map(ToString::to_string).collect(),
        MatchKey::SignInName => vec![fold(&person.user_principal_name)],
        MatchKey::Mail => vec![fold(&person.mail)],
        MatchKey::Number => {
            let numbers = person.extensions.iter().map(|extension| digits(extension));
            numbers
                .filter(|number| number.len() >= DIGITS_MIN)
                .collect()
        }
    };
    names.into_iter().filter(|name| !name.is_empty()).collect()
}

fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        Completeness, EntraAccount, Extension, KnownPerson, MatchKey, PersonId, TeamsUserId, plan,
    };

    fn account(id: &str, upn: &str, mail: &str, number: &str) -> EntraAccount {
        EntraAccount {
            id: id.into(),
            name: id.into(),
            user_principal_name: Some(upn.into()),
            mail: Some(mail.into()),
            numbers: vec![number.into()],
            enabled: true,
            is_guest: false,
        }
    }

    fn known(id: u64, linked: Option<&str>, upn: &str, mail: &str, extension: &str) -> KnownPerson {
        KnownPerson {
            id: PersonId(id),
            name: format!("person {id}"),
            mail: mail.into(),
            user_principal_name: upn.into(),
            teams_id: linked.map(TeamsUserId::new),
            extensions: vec![Extension::stored(extension)],
            administers: false,
        }
    }

    /// An account with the number of an administrator is not matched with the administrator.
    #[test]
    fn an_administrator_is_not_found_by_a_number() {
        let admin = KnownPerson {
            administers: true,
            ..known(1, None, "", "ada@x", "1004")
        };
        let people = [admin, known(2, None, "", "", "1005")];
        let by_number = [
            account("a", "a@x", "", "+49301004"),
            account("b", "b@x", "", "+49301005"),
        ];
        let made = plan(&by_number, &people, Completeness::Whole);
        assert_eq!(made.matched[&1], (PersonId(2), MatchKey::Number));
        assert!(made.ambiguous[&0].contains("administers"), "{made:?}");
        assert!(made.new.is_empty());
        // Mail and sign-in name match as for other people.
        let by_mail = plan(
            &[account("a", "ada@x", "", "1004")],
            &people,
            Completeness::Whole,
        );
        assert_eq!(by_mail.matched[&0], (PersonId(1), MatchKey::Mail));
    }

    #[test]
    fn the_most_reliable_value_decides() {
        let people = [
            known(1, Some("A"), "old@x", "", ""),
            known(2, None, "b@x", "", ""),
            known(3, None, "", "C@x", ""),
            known(4, None, "", "", "1004"),
            known(5, None, "", "", "04"),
        ];
        let accounts = [
            account("a", "b2@x", "", ""),
            account("b", "B@x", "", ""),
            account("c", "c@x", "", ""),
            account("d", "d@x", "d@x", "+49 (30) 123-1004"),
        ];
        let plan = plan(&accounts, &people, Completeness::Whole);
        let found: Vec<_> = plan.matched.values().copied().collect();
        let expected = [
            (1, MatchKey::Id),
            (2, MatchKey::SignInName),
            (3, MatchKey::Mail),
            (4, MatchKey::Number),
        ];
        assert_eq!(found, expected.map(|(id, by)| (PersonId(id), by)));
        assert_eq!(
            plan.unmatched,
            [PersonId(5)].into(),
            "two digits are too few"
        );
        assert!(plan.new.is_empty() && plan.ambiguous.is_empty() && plan.gone.is_empty());
    }

    #[test]
    fn nothing_is_guessed() {
        let people = [
            known(1, None, "", "sales@x", ""),
            known(2, None, "", "sales@x", ""),
            known(3, None, "", "", "1004"),
        ];
        let accounts = [
            account("a", "a@x", "sales@x", ""),
            account("b", "b@x", "", "1004"),
            account("c", "c@x", "", "+49301004"),
        ];
        let plan = plan(&accounts, &people, Completeness::Whole);
        assert!(plan.matched.is_empty());
        assert_eq!(plan.ambiguous[&0], "the mail fits several people: 1, 2");
        for at in [1, 2] {
            assert_eq!(
                plan.ambiguous[&at],
                "several accounts have the number of person 3"
            );
        }
        assert!(
            plan.new.is_empty(),
            "an account that may be a known person's adds no person"
        );
    }

    #[test]
    fn people_are_gone_only_if_the_whole_directory_is_known() {
        let people = [
            known(1, Some("a"), "", "", ""),
            known(2, Some("b"), "", "", ""),
        ];
        let disabled = EntraAccount {
            enabled: false,
            ..account("a", "a@x", "", "")
        };
        let whole = plan(
            std::slice::from_ref(&disabled),
            &people,
            Completeness::Whole,
        );
        assert_eq!(whole.gone.len(), 2);
        let part = plan(&[disabled], &people, Completeness::Partial);
        assert_eq!(part.gone.keys().copied().collect::<Vec<_>>(), [PersonId(1)]);
    }

    fn completeness(whole: bool) -> Completeness {
        match whole {
            true => Completeness::Whole,
            false => Completeness::Partial,
        }
    }

    fn some_accounts() -> impl Strategy<Value = Vec<EntraAccount>> {
        let name = prop::sample::select(vec!["", "a@x", "b@x", "C@x"]);
        let number = prop::sample::select(vec!["", "1001", "+4930 1001", "2001", "12"]);
        let one = (name.clone(), name, number, any::<bool>());
        prop::collection::vec(one, 0..8).prop_map(|all| {
            let made = all
                .into_iter()
                .enumerate()
                .map(|(at, (upn, mail, number, enabled))| EntraAccount {
                    enabled,
                    ..account(&format!("id{at}"), upn, mail, number)
                });
            made.collect()
        })
    }

    fn some_people() -> impl Strategy<Value = Vec<KnownPerson>> {
        let name = prop::sample::select(vec!["", "a@x", "b@x", "c@x"]);
        let number = prop::sample::select(vec!["", "1001", "2001", "1002", "12"]);
        let linked = prop::option::of(prop::sample::select(vec!["id0", "id1", "elsewhere"]));
        let one = (linked, name.clone(), name, number);
        prop::collection::vec(one, 0..8).prop_map(|all| {
            let made = all
                .into_iter()
                .enumerate()
                .map(|(at, (linked, upn, mail, number))| {
                    known(at as u64, linked, upn, mail, number)
                });
            made.collect()
        })
    }

    proptest! {
        #[test]
        fn each_person_and_each_account_has_one_result(
            accounts in some_accounts(), people in some_people(), whole: bool,
        ) {
            let made = plan(&accounts, &people, completeness(whole));
            let mut owners: Vec<PersonId> = made.matched.values().map(|(id, _)| *id).collect();
            owners.extend(made.gone.keys());
            owners.extend(&made.unmatched);
            let all = owners.len();
            owners.sort();
            owners.dedup();
            prop_assert_eq!(owners.len(), all, "a person twice");
            for (at, account) in accounts.iter().enumerate() {
                let places = usize::from(made.matched.contains_key(&at))
                    + usize::from(made.new.contains(&at))
                    + usize::from(made.ambiguous.contains_key(&at));
                prop_assert!(places <= 1);
                prop_assert!(places == 1 || !account.enabled);
            }
        }

        #[test]
        fn the_order_of_the_accounts_does_not_matter(
            accounts in some_accounts(), people in some_people(),
        ) {
            let ids = |accounts: &[EntraAccount]| {
                let made = plan(accounts, &people, Completeness::Whole);
                let mut found: Vec<_> = made
                    .matched
                    .iter()
                    .map(|(at, (person, by))| (accounts[*at].id.clone(), *person, *by))
                    .collect();
                found.sort();
                found
            };
            let mut turned = accounts.clone();
            turned.reverse();
            prop_assert_eq!(ids(&accounts), ids(&turned));
        }
    }
}
