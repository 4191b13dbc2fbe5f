//! Sign-ins of people at Microsoft in progress: by a code, by a browser, or with an open question.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use graph::delegated::Authorization;
use presence::{PersonId, Timestamp};

use super::{
    confirmation::{OpenQuestion, Question},
    logins::Keep,
};

/// A sign-in by code that waits for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The code that the person types.
    pub user_code: String,
    /// Page at Microsoft where the code is typed.
    pub verification_uri: String,
    /// End of the code's validity.
    pub until: Timestamp,
}

#[derive(Debug)]
pub(super) enum Attempt {
    Code {
        waiting: Waiting,
        task: tokio::task::AbortHandle,
    },
    Browser {
        authorization: Box<Authorization>,
        keep: Keep,
        /// The session that began the sign-in: no other session may complete it.
        session: String,
        until: Timestamp,
    },
    /// The browser has come back, and its code is being redeemed.
    Redeeming {
        until: Timestamp,
    },
    /// The person is asked whether the account is theirs.
    Question(Box<Question>),
    Failed(String),
}

impl Attempt {
    /// Whether the sign-in can no longer be completed. A code ends with its task, and a failure is shown until the next sign-in.
    fn has_expired(&self, now: Timestamp) -> bool {
        match self {
            Self::Browser { until, .. } | Self::Redeeming { until } => *until <= now,
            Self::Question(question) => question.until <= now,
            Self::Code { .. } | Self::Failed(_) => false,
        }
    }
}

/// Number of a sign-in: a later one has a higher number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AttemptNumber(u64);

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    attempts: HashMap<PersonId, (AttemptNumber, Attempt)>,
}

impl Inner {
    fn get(&self, person: PersonId) -> Option<&Attempt> {
        self.attempts.get(&person).map(|(_, attempt)| attempt)
    }

    /// Drops expired sign-ins of all people: questions hold logins at Microsoft.
    fn purge(&mut self, now: Timestamp) {
        let attempts = &mut self.attempts;
        attempts.retain(|_, (_, attempt)| !attempt.has_expired(now));
    }
}

/// A sign-in after the return of its browser from Microsoft.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) number: AttemptNumber,
    pub(super) authorization: Box<Authorization>,
    pub(super) keep: Keep,
}

/// The sign-ins in progress, at most one for each person. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<Mutex<Inner>>);

impl Attempts {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The code that waits for the person.
    pub fn waiting(&self, person: PersonId) -> Option<Waiting> {
        match self.lock().get(person) {
            Some(Attempt::Code { waiting, .. }) => Some(waiting.clone()),
            _ => None,
        }
    }

    /// The open question of the person, with the value that confirms it in this session.
    pub fn question(
        &self,
        person: PersonId,
        session: &str,
        now: Timestamp,
    ) -> Option<OpenQuestion> {
        let mut inner = self.lock();
        inner.purge(now);
        match inner.get(person) {
            Some(Attempt::Question(question)) => Some(OpenQuestion {
                account: question.account.clone(),
                confirmation: question.confirmation(session),
                until: question.until,
            }),
            _ => None,
        }
    }

    /// Removes and returns the open question, if the value confirms it in this session: a question is answered once.
    pub(super) fn answered(
        &self,
        person: PersonId,
        (confirmation, session): (&str, &str),
        now: Timestamp,
    ) -> Option<Box<Question>> {
        let mut inner = self.lock();
        inner.purge(now);
        match inner.get(person) {
            Some(Attempt::Question(question)) if question.confirmation(session) == confirmation => {
            }
            _ => return None,
        }
        match inner.attempts.remove(&person) {
            Some((_, Attempt::Question(question))) => Some(question),
            _ => None,
        }
    }

    /// Returns the sign-in that this session began in a browser: a browser comes back once.
    pub(super) fn returned(
        &self,
        person: PersonId,
        session: &str,
        now: Timestamp,
    ) -> Option<Returned> {
        let mut inner = self.lock();
        inner.purge(now);
        let (number, attempt) = inner.attempts.get_mut(&person)?;
        let until = match attempt {
            Attempt::Browser {
                until,
                session: began,
                ..
            } if began == session => *until,
            _ => return None,
        };
        match std::mem::replace(attempt, Attempt::Redeeming { until }) {
            Attempt::Browser {
                authorization,
                keep,
                ..
            } => Some(Returned {
                number: *number,
                authorization,
                keep,
            }),
            _ => None,
        }
    }

    /// The reason why the last sign-in failed.
    pub fn failed(&self, person: PersonId) -> Option<String> {
        match self.lock().get(person) {
            Some(Attempt::Failed(what)) => Some(what.clone()),
            _ => None,
        }
    }

    /// Begins a sign-in. It ends the person's earlier one.
    pub(super) fn begin(
        &self,
        person: PersonId,
        attempt: Attempt,
        now: Timestamp,
    ) -> AttemptNumber {
        let mut inner = self.lock();
        inner.purge(now);
        inner.last += 1;
        let number = AttemptNumber(inner.last);
        abort(inner.attempts.insert(person, (number, attempt)));
        number
    }

    /// Ends the person's sign-in.
    pub(super) fn cancel(&self, person: PersonId) {
        abort(self.lock().attempts.remove(&person));
    }

    /// Whether a sign-in is still in progress: neither cancelled nor replaced by a later one.
    pub(super) fn is_current(&self, person: PersonId, number: AttemptNumber) -> bool {
        let inner = self.lock();
        let current = inner.attempts.get(&person);
        current.is_some_and(|(current, _)| *current == number)
    }

    /// Replaces a sign-in by the next stage, or ends it (`None`). Has no effect if the sign-in is no longer current.
    pub(super) fn end(&self, person: PersonId, number: AttemptNumber, next: Option<Attempt>) {
        let mut inner = self.lock();
        match inner.attempts.get_mut(&person) {
            Some((current, attempt)) if *current == number => match next {
                // The task of a code calls this: it is not aborted.
                Some(next) => *attempt = next,
                None => {
                    inner.attempts.remove(&person);
                }
            },
            Some(_) | None => {}
        }
    }
}

fn abort(before: Option<(AttemptNumber, Attempt)>) {
    if let Some((_, Attempt::Code { task, .. })) = before {
        task.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use graph::delegated::{ClientKind, UserToken};
    use secrecy::SecretString;
    use store::NamedAccount;

    use super::*;

    const ANNA: PersonId = PersonId(1);
    const BEN: PersonId = PersonId(2);
    const START: Timestamp = Timestamp::from_milliseconds(1_000);
    const LIFETIME: Duration = Duration::from_secs(600);

    fn browser() -> Attempt {
        Attempt::Browser {
            authorization: Box::new(Authorization {
                url: String::new(),
                state: SecretString::from("state"),
                verifier: SecretString::from("verifier"),
                redirect_uri: String::new(),
            }),
            keep: Keep::UntilRestart,
            session: "here".into(),
            until: START + LIFETIME,
        }
    }

    fn question() -> Attempt {
        Attempt::Question(Box::new(Question {
            tenant: "main".into(),
            account: NamedAccount {
                object_id: "a-1".into(),
                sign_in_name: None,
                display_name: None,
            },
            kind: ClientKind::Public,
            token: UserToken {
                access: SecretString::from("access"),
                refresh: Some(SecretString::from("refresh")),
                expires: 0,
                scope: String::new(),
                user: None,
            },
            keep: Keep::Sealed,
            until: START + LIFETIME,
            secret: "secret".into(),
        }))
    }

    #[test]
    fn a_sign_in_that_ends_late_does_not_replace_a_newer_one() {
        let attempts = Attempts::default();
        let first = attempts.begin(ANNA, browser(), START);
        assert!(attempts.returned(ANNA, "elsewhere", START).is_none());
        let returned = attempts.returned(ANNA, "here", START).unwrap();
        assert_eq!(returned.number, first);
        assert!(attempts.returned(ANNA, "here", START).is_none(), "once");
        assert!(attempts.is_current(ANNA, first));
        let second = attempts.begin(ANNA, browser(), START);
        for late in [Some(Attempt::Failed("late".into())), None] {
            attempts.end(ANNA, first, late);
            assert!(attempts.is_current(ANNA, second) && !attempts.is_current(ANNA, first));
            assert_eq!(attempts.failed(ANNA), None);
        }
        attempts.end(ANNA, second, Some(Attempt::Failed("own".into())));
        assert_eq!(attempts.failed(ANNA), Some("own".into()));
    }

    #[test]
    fn a_sign_in_that_was_cancelled_leaves_nothing() {
        let attempts = Attempts::default();
        let number = attempts.begin(ANNA, browser(), START);
        attempts.returned(ANNA, "here", START).unwrap();
        attempts.cancel(ANNA);
        attempts.end(ANNA, number, Some(question()));
        assert_eq!(attempts.question(ANNA, "here", START), None);
    }

    #[test]
    fn the_login_of_a_question_is_dropped_when_its_time_is_over() {
        let attempts = Attempts::default();
        let is_kept = |person| attempts.lock().get(person).is_some();
        for person in [ANNA, BEN] {
            attempts.begin(person, question(), START);
        }
        assert!(attempts.question(ANNA, "here", START).is_some());
        let late = START + LIFETIME;
        assert_eq!(attempts.question(ANNA, "here", late), None);
        assert!(!is_kept(ANNA) && !is_kept(BEN));
        // A sign-in of another person is enough.
        attempts.begin(ANNA, question(), START);
        attempts.begin(BEN, browser(), late);
        assert!(!is_kept(ANNA));
    }
}
