//! Confirmation of accounts: an account that is not obviously the person's own is linked only when the person confirms it. The
//! question names the account; a confirmation holds for one question, in one session, for ten minutes.

use std::time::Duration;

use graph::delegated::{ClientKind, SignedInUser, UserToken};
use presence::{TeamsUserId, TenantName, Timestamp};
use runtime::{people_index::Person, secrets};
use store::NamedAccount;

use super::logins::Keep;

/// Time for the answer to a question.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(600);

/// A sign-in at Microsoft that is to be confirmed before its account is linked.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) tenant: TenantName,
    pub(super) account: NamedAccount,
    pub(super) kind: ClientKind,
    pub(super) token: UserToken,
    pub(super) keep: Keep,
    pub(super) until: Timestamp,
    pub(super) secret: String,
}

impl Question {
    /// The value that confirms this question in one session. It is invalid in any other session.
    pub(super) fn confirmation(&self, session: &str) -> String {
        let text = format!("{} {session}", self.secret);
        secrets::fingerprint(text.as_bytes(), 16)
    }
}

/// A question as the person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenQuestion {
    /// The account at Microsoft.
    pub account: NamedAccount,
    /// The value that confirms the account.
    pub confirmation: String,
    /// End of the time for the answer.
    pub until: Timestamp,
}

/// The account that signed in, with its names.
pub(super) fn named(user: &SignedInUser) -> NamedAccount {
    NamedAccount {
        object_id: TeamsUserId::new(&user.object_id),
        sign_in_name: user.name.clone(),
        display_name: user.display_name.clone(),
    }
}

/// Whether an account that signed in is the person's without a question: the linked one, or, where none is linked, one with
/// the person's sign-in name or mail address.
pub(super) fn is_obvious(person: &Person, account: &NamedAccount) -> bool {
    if let Some(linked) = &person.teams_id {
        return *linked == account.object_id;
    }
    let name = account.sign_in_name.as_deref().unwrap_or_default();
    let own = [&person.user_principal_name, &person.mail];
    !name.is_empty()
        && own
            .iter()
            .any(|own| own.to_lowercase() == name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use presence::PersonId;

    use super::*;

    fn person(teams_id: Option<&str>) -> Person {
        Person {
            id: PersonId(7),
            name: "Ben".into(),
            mail: "ben@contoso.example".into(),
            user_principal_name: "b.smith@contoso.example".into(),
            teams_id: teams_id.map(Into::into),
            tenant: "main".into(),
            lines: Vec::new(),
        }
    }

    fn account(name: Option<&str>) -> NamedAccount {
        NamedAccount {
            object_id: "A-1".into(),
            sign_in_name: name.map(str::to_owned),
            display_name: None,
        }
    }

    #[test]
    fn only_the_persons_own_account_needs_no_question() {
        let unlinked = person(None);
        for own in ["BEN@contoso.example", "b.smith@Contoso.example"] {
            assert!(is_obvious(&unlinked, &account(Some(own))), "{own}");
        }
        for other in [Some("chiara@contoso.example"), Some(""), None] {
            assert!(!is_obvious(&unlinked, &account(other)), "{other:?}");
        }
        let nameless = Person {
            mail: String::new(),
            user_principal_name: String::new(),
            ..person(None)
        };
        assert!(!is_obvious(&nameless, &account(Some(""))));
        assert!(is_obvious(&person(Some("a-1")), &account(None)), "linked");
        let own_name = account(Some("ben@contoso.example"));
        assert!(
            !is_obvious(&person(Some("a-2")), &own_name),
            "replaces another"
        );
    }
}
