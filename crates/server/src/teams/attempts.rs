//! Sign-ins of people at Microsoft that are under way: a code that waits, a browser that is away, a question that is open.

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
pub(crate) struct Waiting {
    /// What to type.
    pub(crate) user_code: String,
    /// Where.
    pub(crate) verification_uri: String,
    /// Until when.
    pub(crate) until: Timestamp,
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
        /// The session that began it: no other one may bring the answer.
        session: String,
        until: Timestamp,
    },
    /// Whether the account is the person's.
    Question(Box<Question>),
    Failed(String),
}

/// The sign-ins that are under way. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts(Arc<Mutex<HashMap<PersonId, Attempt>>>);

impl Attempts {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<PersonId, Attempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The code that the person is to type, if one waits.
    pub(crate) fn waiting(&self, person: PersonId) -> Option<Waiting> {
        match self.lock().get(&person) {
            Some(Attempt::Code { waiting, .. }) => Some(waiting.clone()),
            _ => None,
        }
    }

    /// The question that the person is to answer in this session.
    pub(crate) fn question(
        &self,
        person: PersonId,
        session: &str,
        now: Timestamp,
    ) -> Option<OpenQuestion> {
        match self.lock().get(&person) {
            Some(Attempt::Question(question)) if question.until > now => Some(OpenQuestion {
                account: question.account.clone(),
                confirmation: question.confirmation(session),
                until: question.until,
            }),
            _ => None,
        }
    }

    /// Takes the question that is open in this session: each is answered once.
    pub(super) fn answered(
        &self,
        person: PersonId,
        (confirmation, session): (&str, &str),
        now: Timestamp,
    ) -> Option<Box<Question>> {
        let mut attempts = self.lock();
        let is_open = match attempts.get(&person) {
            Some(Attempt::Question(question)) => {
                question.until > now && question.confirmation(session) == confirmation
            }
            _ => false,
        };
        if !is_open {
            return None;
        }
        match attempts.remove(&person) {
            Some(Attempt::Question(question)) => Some(question),
            _ => None,
        }
    }

    /// Why the last sign-in did not succeed.
    pub(crate) fn failed(&self, person: PersonId) -> Option<String> {
        match self.lock().get(&person) {
            Some(Attempt::Failed(what)) => Some(what.clone()),
            _ => None,
        }
    }

    /// One sign-in at a time for each person: a new one ends the one before.
    pub(super) fn replace(&self, person: PersonId, attempt: Option<Attempt>) {
        let before = match attempt {
            Some(attempt) => self.lock().insert(person, attempt),
            None => self.lock().remove(&person),
        };
        if let Some(Attempt::Code { task, .. }) = before {
            task.abort();
        }
    }
}
