//! The difference between a tenant's directory and the known people: changes to write, and actions with reasons.

use std::collections::{BTreeSet, HashMap};

use presence::PersonId;
use store::{DirectoryChange, DirectoryPerson};

use super::{
    matching::{EntraAccount, KnownPerson, Plan},
    outcome::{ActionKind, SyncAction},
};

/// The changes to write, each with the position of its action, and the actions.
pub(super) fn difference(
    plan: &Plan,
    accounts: &[EntraAccount],
    people: &[KnownPerson],
    absent: &BTreeSet<PersonId>,
    of_directory: &BTreeSet<PersonId>,
) -> (Vec<(usize, DirectoryChange)>, Vec<SyncAction>) {
    let by_id: HashMap<PersonId, &KnownPerson> =
        people.iter().map(|known| (known.id, known)).collect();
    let name = |id: &PersonId| {
        by_id
            .get(id)
            .map_or_else(String::new, |known| known.name.clone())
    };
    let (mut changes, mut actions) = (Vec::new(), Vec::new());
    for (at, (person, key)) in &plan.matched {
        let (Some(account), Some(known)) = (accounts.get(*at), by_id.get(person)) else {
            continue;
        };
        let wanted = names(account, Some(known));
        let same = !absent.contains(person)
            && known.teams_id.as_ref() == Some(&wanted.teams_id)
            && known.name == wanted.name
            && known.mail == wanted.mail
            && known.user_principal_name == wanted.user_principal_name;
        if same {
            continue;
        }
        changes.push((
            actions.len(),
            DirectoryChange::Update(*person, wanted.clone()),
        ));
        actions.push(SyncAction {
            kind: ActionKind::Updated,
            person: Some(*person),
            name: wanted.name,
            reason: format!("found by {}", key.name()),
        });
    }
    let new = plan.new.iter().filter_map(|at| accounts.get(*at));
    // Guests are at home in another tenant.
    for account in new.filter(|account| !account.is_guest) {
        let (action, change) = addition(account);
        changes.extend(change.map(|change| (actions.len(), change)));
        actions.push(action);
    }
    for (at, reason) in &plan.ambiguous {
        actions.push(SyncAction {
            kind: ActionKind::Ambiguous,
            person: None,
            name: accounts
                .get(*at)
                .map_or_else(String::new, |account| account.label().to_owned()),
            reason: reason.clone(),
        });
    }
    for (person, reason) in plan
        .gone
        .iter()
        .filter(|(person, _)| !absent.contains(person))
    {
        let leaves = of_directory.contains(person);
        let stays = if leaves {
            ""
        } else {
            "; entered here, so it stays"
        };
        if leaves {
            changes.push((actions.len(), DirectoryChange::Gone(*person)));
        }
        actions.push(SyncAction {
            kind: if leaves {
                ActionKind::Gone
            } else {
                ActionKind::Unmatched
            },
            person: Some(*person),
            name: name(person),
            reason: format!("{reason}{stays}"),
        });
    }
    for person in plan
        .unmatched
        .iter()
        .filter(|person| !absent.contains(person))
    {
        actions.push(SyncAction {
            kind: ActionKind::Unmatched,
            person: Some(*person),
            name: name(person),
            reason: "no account has this sign-in name, mail or number".into(),
        });
    }
    (changes, actions)
}

/// The action and the change for an enabled account without a person. An account without any name makes no person.
fn addition(account: &EntraAccount) -> (SyncAction, Option<DirectoryChange>) {
    let action = |kind, name: &str, reason: &str| SyncAction {
        kind,
        person: None,
        name: name.into(),
        reason: reason.into(),
    };
    match account.label() {
        "" => {
            let reason = "the account has neither a name nor a sign-in name nor a mail address";
            (
                action(ActionKind::Refused, account.id.as_str(), reason),
                None,
            )
        }
        name => (
            action(ActionKind::Added, name, "no person has this account"),
            Some(DirectoryChange::Add(names(account, None))),
        ),
    }
}

/// The stored values of a person with this account. A value that Graph left out stays, and an account without a name never
/// replaces a name.
fn names(account: &EntraAccount, known: Option<&KnownPerson>) -> DirectoryPerson {
    let kept = |value: &Option<String>, known: Option<&String>| match value {
        Some(value) => value.clone(),
        None => known.cloned().unwrap_or_default(),
    };
    let named = [Some(&account.name), known.map(|known| &known.name)];
    let name = named.into_iter().flatten().find(|name| !name.is_empty());
    DirectoryPerson {
        teams_id: account.id.clone(),
        name: name.cloned().unwrap_or_else(|| account.label().to_owned()),
        mail: kept(&account.mail, known.map(|known| &known.mail)),
        user_principal_name: kept(
            &account.user_principal_name,
            known.map(|known| &known.user_principal_name),
        ),
    }
}

#[cfg(test)]
mod tests {
    use presence::PersonId;

    use super::{DirectoryPerson, EntraAccount, KnownPerson, names};

    fn anna() -> KnownPerson {
        KnownPerson {
            id: PersonId(1),
            name: "Anna Becker".into(),
            mail: "anna@x".into(),
            user_principal_name: "a@x".into(),
            teams_id: Some("a".into()),
            extensions: Vec::new(),
            administers: false,
        }
    }

    fn stored(name: &str, mail: &str, user_principal_name: &str) -> DirectoryPerson {
        DirectoryPerson {
            teams_id: "a".into(),
            name: name.into(),
            mail: mail.into(),
            user_principal_name: user_principal_name.into(),
        }
    }

    #[test]
    fn an_account_without_a_name_replaces_no_name_and_silence_replaces_nothing() {
        let known = anna();
        let only_an_id = EntraAccount {
            id: "a".into(),
            name: String::new(),
            user_principal_name: None,
            mail: None,
            numbers: Vec::new(),
            enabled: true,
            is_guest: false,
        };
        let kept = stored("Anna Becker", "anna@x", "a@x");
        assert_eq!(names(&only_an_id, Some(&known)), kept);
        let cleared = EntraAccount {
            user_principal_name: Some("new@x".into()),
            mail: Some(String::new()),
            ..only_an_id.clone()
        };
        let expected = stored("Anna Becker", "", "new@x");
        assert_eq!(names(&cleared, Some(&known)), expected);
        // A new person has the first name that is not empty.
        assert_eq!(names(&cleared, None), stored("new@x", "", "new@x"));
        let renamed = EntraAccount {
            name: "Anna Maier".into(),
            ..only_an_id
        };
        assert_eq!(names(&renamed, Some(&known)).name, "Anna Maier");
    }
}
