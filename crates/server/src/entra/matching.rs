//! Matches Entra accounts to people by object id, else by user principal name, else by mail address, else by phone number
//! (docs/presence-rules.md, "Matching people and accounts"). Pure: returns a plan; an ambiguous account is not matched.

use std::collections::{BTreeMap, BTreeSet};

use presence::PersonId;

/// An account of the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntraAccount {
    /// Object id.
    pub id: String,
    /// The name people see, or empty.
    pub name: String,
    /// Sign-in name; `None` if Graph did not say it, empty if it has none.
    pub user_principal_name: Option<String>,
    /// Mail address; `None` if Graph did not say it, empty if it has none.
    pub mail: Option<String>,
    /// Business and mobile numbers.
    pub numbers: Vec<String>,
    /// It may sign in.
    pub enabled: bool,
    /// It is at home in another tenant.
    pub is_guest: bool,
}

impl EntraAccount {
    /// What the account is called here: by its name, else by its sign-in name or mail address; empty if it has none.
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

/// A person as far as matching looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name, or empty.
    pub user_principal_name: String,
    /// Object id, if linked.
    pub teams_id: Option<String>,
    /// Extensions.
    pub extensions: Vec<String>,
    /// Whether an account of the person administers anything. Such a person is not found by a telephone number: in many
    /// tenants people write theirs themselves, and sign-ins follow the account.
    pub administers: bool,
}

/// By what an account was found to be somebody's. The first is the surest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Object id.
    Id,
    /// Sign-in name.
    SignInName,
    /// Mail.
    Mail,
    /// Telephone number.
    Number,
}

impl By {
    const ALL: [Self; 4] = [Self::Id, Self::SignInName, Self::Mail, Self::Number];

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Id => "object id",
            Self::SignInName => "sign-in name",
            Self::Mail => "mail",
            Self::Number => "number",
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Accounts that are somebody's: the number of the account, who, and by what.
    pub matched: BTreeMap<usize, (PersonId, By)>,
    /// Enabled accounts that are nobody's.
    pub new: Vec<usize>,
    /// Accounts that could be several people's, or claim one whom another claims too.
    pub ambiguous: BTreeMap<usize, String>,
    /// People whose account is gone or may no longer sign in.
    pub gone: BTreeMap<PersonId, &'static str>,
    /// People without any account.
    pub unmatched: BTreeSet<PersonId>,
}

/// Fewer digits are the end of far too many numbers.
const DIGITS_MIN: usize = 3;

/// Makes the plan. `whole`: the accounts are all there are, so that who is not among them is gone.
pub fn plan(accounts: &[EntraAccount], people: &[Known], whole: bool) -> Plan {
    let mut plan = Plan::default();
    let mut free: BTreeSet<PersonId> = people.iter().map(|person| person.id).collect();
    let administrators = people.iter().filter(|person| person.administers);
    let administrators: BTreeSet<PersonId> = administrators.map(|person| person.id).collect();
    for by in By::ALL {
        let index = Index::new(people.iter().filter(|person| free.contains(&person.id)), by);
        let mut claims: BTreeMap<PersonId, Vec<usize>> = BTreeMap::new();
        for (at, account) in accounts.iter().enumerate() {
            if plan.matched.contains_key(&at) || plan.ambiguous.contains_key(&at) {
                continue;
            }
            let candidates = index.find(account, by);
            match candidates.iter().next() {
                Some(person) if candidates.len() == 1 => {
                    claims.entry(*person).or_default().push(at)
                }
                Some(_) => {
                    let who: Vec<String> = candidates.iter().map(ToString::to_string).collect();
                    let (by, who) = (by.words(), who.join(", "));
                    let reason = format!("the {by} fits several people: {who}");
                    plan.ambiguous.insert(at, reason);
                }
                None => {}
            }
        }
        for (person, claimants) in claims {
            match claimants.as_slice() {
                [at] if by == By::Number && administrators.contains(&person) => {
                    let reason = format!(
                        "the number is that of person {person}, who administers: a system administrator links the account by hand"
                    );
                    plan.ambiguous.insert(*at, reason);
                }
                [at] => {
                    plan.matched.insert(*at, (person, by));
                    free.remove(&person);
                }
                several => {
                    for at in several {
                        let by = by.words();
                        let reason = format!("several accounts have the {by} of person {person}");
                        plan.ambiguous.insert(*at, reason);
                    }
                }
            }
        }
    }
    leftovers(accounts, people, whole, &free, &mut plan);
    plan
}

fn leftovers(
    accounts: &[EntraAccount],
    people: &[Known],
    whole: bool,
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
        if person.teams_id.is_some() && whole {
            plan.gone
                .insert(person.id, "the account is no longer in the directory");
        } else if person.teams_id.is_none() {
            plan.unmatched.insert(person.id);
        }
    }
}

/// People by one of their names.
struct Index(BTreeMap<String, BTreeSet<PersonId>>);

impl Index {
    fn new<'a>(people: impl Iterator<Item = &'a Known>, by: By) -> Self {
        let mut index: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
        for person in people {
            // Who is linked is known by the id alone, or an account that was renamed would be taken for another's.
            if by != By::Id && person.teams_id.is_some() {
                continue;
            }
            for name in names(person, by) {
                index.entry(name).or_default().insert(person.id);
            }
        }
        Self(index)
    }

    fn find(&self, account: &EntraAccount, by: By) -> BTreeSet<PersonId> {
        let of = |name: &str| self.0.get(&fold(name)).into_iter().flatten();
        match by {
            By::Id => of(&account.id).copied().collect(),
            By::SignInName => account
                .user_principal_name
                .iter()
                .flat_map(|name| of(name))
                .copied()
                .collect(),
            By::Mail => [&account.mail, &account.user_principal_name]
                .into_iter()
                .flatten()
                .flat_map(|name| of(name))
                .copied()
                .collect(),
            By::Number => {
                let endings = account.numbers.iter().map(|number| digits(number));
                let fits = endings.flat_map(|number| {
                    let longest = number.len();
                    let starts = (0..longest).filter(move |start| longest - start >= DIGITS_MIN);
                    // The longest ending that is anybody's number counts.
                    let mut found =
                        starts.map(|start| of(&number[start..]).copied().collect::<BTreeSet<_>>());
                    found.find(|found| !found.is_empty()).unwrap_or_default()
                });
                fits.collect()
            }
        }
    }
}

/// The names by which a person may be found; empty ones are nobody's.
fn names(person: &Known, by: By) -> Vec<String> {
    let names: Vec<String> = match by {
        By::Id => person.teams_id.iter().map(|id| fold(id)).collect(),
        By::SignInName => vec![fold(&person.user_principal_name)],
        By::Mail => vec![fold(&person.mail)],
        By::Number => {
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

    use super::{By, EntraAccount, Known, PersonId, plan};

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

    fn known(id: u64, linked: Option<&str>, upn: &str, mail: &str, extension: &str) -> Known {
        Known {
            id: PersonId(id),
            name: format!("person {id}"),
            mail: mail.into(),
            user_principal_name: upn.into(),
            teams_id: linked.map(str::to_owned),
            extensions: vec![extension.into()],
            administers: false,
        }
    }

    /// S3: an account whose number is an administrator's extension is not matched to the administrator.
    #[test]
    fn an_administrator_is_not_found_by_a_number() {
        let admin = Known {
            administers: true,
            ..known(1, None, "", "ada@x", "1004")
        };
        let people = [admin, known(2, None, "", "", "1005")];
        let by_number = [
            account("a", "a@x", "", "+49301004"),
            account("b", "b@x", "", "+49301005"),
        ];
        let made = plan(&by_number, &people, true);
        assert_eq!(made.matched[&1], (PersonId(2), By::Number));
        assert!(made.ambiguous[&0].contains("administers"), "{made:?}");
        assert!(made.new.is_empty());
        // Mail and sign-in name match as for other people.
        let by_mail = plan(&[account("a", "ada@x", "", "1004")], &people, true);
        assert_eq!(by_mail.matched[&0], (PersonId(1), By::Mail));
    }

    #[test]
    fn the_surest_name_decides() {
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
        let plan = plan(&accounts, &people, true);
        let found: Vec<_> = plan.matched.values().copied().collect();
        let expected = [
            (1, By::Id),
            (2, By::SignInName),
            (3, By::Mail),
            (4, By::Number),
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
        let plan = plan(&accounts, &people, true);
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
            "whoever may be somebody is not added again"
        );
    }

    #[test]
    fn who_is_gone_is_told_from_who_is_not_in_a_part() {
        let people = [
            known(1, Some("a"), "", "", ""),
            known(2, Some("b"), "", "", ""),
        ];
        let disabled = EntraAccount {
            enabled: false,
            ..account("a", "a@x", "", "")
        };
        let whole = plan(std::slice::from_ref(&disabled), &people, true);
        assert_eq!(whole.gone.len(), 2);
        let part = plan(&[disabled], &people, false);
        assert_eq!(part.gone.keys().copied().collect::<Vec<_>>(), [PersonId(1)]);
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

    fn some_people() -> impl Strategy<Value = Vec<Known>> {
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
        fn everybody_and_every_account_has_one_place(
            accounts in some_accounts(), people in some_people(), whole: bool,
        ) {
            let made = plan(&accounts, &people, whole);
            let mut owners: Vec<PersonId> = made.matched.values().map(|(id, _)| *id).collect();
            owners.extend(made.gone.keys());
            owners.extend(&made.unmatched);
            let all = owners.len();
            owners.sort();
            owners.dedup();
            prop_assert_eq!(owners.len(), all, "somebody twice");
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
                let made = plan(accounts, &people, true);
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
