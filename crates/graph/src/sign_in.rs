//! Refusals of Microsoft's sign-in service (Entra), for the application and for people: party that can help, remedy, and
//! whether the refusal is temporary. Entra's error number decides if [`codes`] contains it, else OAuth's error code.

mod answer;
mod codes;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use answer::{Answer, Token, read, seconds};

use crate::{
    error::{GraphError, SignInFault},
    wire::bounded,
};

/// Pause after "too many requests in a loop" (AADSTS50196), for about which time Entra blocks the application.
const LOOP_PAUSE: Duration = Duration::from_secs(120);
/// Remedy for unknown errors.
const CHECK_REGISTRATION: &str =
    "check tenant, client_id and secret or certificate in the configuration";
/// Maximum length of Entra's description in our error texts, in characters. Longer than other values (60), because the
/// names of the application and the tenant are at its end.
pub(crate) const DESCRIPTION_MAX: usize = 200;
/// Maximum length of other values in our error texts, such as OAuth's error code, in characters.
pub(crate) const WORD_MAX: usize = 60;
/// Maximum number of error numbers read of one answer.
const CODES_MAX: usize = 16;

/// A refusal with its judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// OAuth's error code; empty if there is none.
    pub(crate) error: String,
    description: String,
    codes: Vec<u32>,
    judgement: Judgement,
    retry_after: Option<Duration>,
}

/// Fault of a refusal, with the remedies for the application and for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Judgement {
    fault: SignInFault,
    application: &'static str,
    person: &'static str,
}

impl Refusal {
    /// Judges a refusal by OAuth's error code, Entra's description and its numbers, including numbers in the description
    /// only.
    pub(crate) fn new(
        error: &str,
        description: &str,
        listed: impl IntoIterator<Item = u32>,
        retry_after: Option<Duration>,
    ) -> Self {
        let mut codes = Vec::new();
        for code in listed.into_iter().chain(codes_in(description)) {
            if !codes.contains(&code) && codes.len() < CODES_MAX {
                codes.push(code);
            }
        }
        let known = codes.iter().find_map(|code| codes::find(*code));
        let judgement = known.unwrap_or_else(|| by_word(error));
        let pause = (judgement.fault == SignInFault::Loop).then_some(LOOP_PAUSE);
        Self {
            error: bounded(error, WORD_MAX),
            description: bounded(first_line(description), DESCRIPTION_MAX),
            codes,
            judgement,
            retry_after: retry_after.max(pause),
        }
    }

    /// True if the refusal has this error number.
    pub(crate) fn has(&self, code: u32) -> bool {
        self.codes.contains(&code)
    }

    /// First of Entra's numbers that the table contains.
    fn known_code(&self) -> Option<u32> {
        let mut codes = self.codes.iter().copied();
        codes.find(|code| codes::find(*code).is_some())
    }

    /// Converts the refusal to the error of the application's sign-in.
    pub(crate) fn of_application(self, client_id: &str) -> GraphError {
        GraphError::SignIn {
            client_id: client_id.to_owned(),
            code: self.known_code().or(self.codes.first().copied()),
            description: self.full_description(),
            remedy: self.judgement.application,
            fault: self.judgement.fault,
            retry_after: self.retry_after,
        }
    }

    /// Converts the refusal to the error of a person's sign-in.
    pub(crate) fn of_person(self) -> GraphError {
        GraphError::UserSignIn {
            description: self.full_description(),
            remedy: self.judgement.person,
            fault: self.judgement.fault,
            retry_after: self.retry_after,
            error: self.error,
        }
    }

    /// OAuth's error code and Entra's description, or its number if there is no description.
    fn full_description(&self) -> String {
        let mut words = vec![self.error.clone()];
        match (&*self.description, self.codes.first()) {
            ("", Some(code)) => words.push(format!("AADSTS{code}")),
            (description, _) => words.push(description.to_owned()),
        }
        words.retain(|word| !word.is_empty());
        words.join(" ")
    }
}

/// First line of Entra's description; trace ids follow it.
fn first_line(description: &str) -> &str {
    let line = description.lines().next().unwrap_or_default();
    line.split(" Trace ID").next().unwrap_or_default()
}

/// Error numbers in Entra's description, written as `AADSTS700016: …`.
fn codes_in(description: &str) -> impl Iterator<Item = u32> + '_ {
    description.split("AADSTS").skip(1).filter_map(|rest| {
        let end = rest.find(|character: char| !character.is_ascii_digit());
        rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
    })
}

/// Judgement by OAuth's error code: RFC 6749 (4.1.2.1, 5.2), RFC 8628 (3.5), RFC 8707 (2), OpenID Connect Core (3.1.2.6),
/// and Entra's page of error codes (`codes::PAGE`), section "Handling error codes in your application".
fn by_word(error: &str) -> Judgement {
    let same = |fault, remedy| Judgement {
        fault,
        application: remedy,
        person: remedy,
    };
    match error {
        "temporarily_unavailable" | "server_error" | "slow_down" => {
            same(SignInFault::Microsoft, codes::TEMPORARY)
        }
        "invalid_client" => same(
            SignInFault::Credential,
            "check the application's registration: its platform, its client id and its secret or certificate",
        ),
        "unauthorized_client" => same(
            SignInFault::Configuration,
            "check the application's registration in this tenant: its client id, its platform, its redirect address and its secret or certificate",
        ),
        "invalid_scope" | "invalid_resource" | "invalid_target" => {
            same(SignInFault::Configuration, codes::ONE_CLOUD)
        }
        // Error code of a tenant's public documents.
        "invalid_tenant" => same(SignInFault::Configuration, codes::TENANT),
        "consent_required" => codes::CONSENT,
        // A refresh asks no person: there it comes from a proxy or a policy.
        "access_denied" => same(SignInFault::Policy, codes::DECLINED),
        "authorization_declined" => same(SignInFault::Person, codes::DECLINED),
        "invalid_grant" | "interaction_required" | "login_required" => Judgement {
            fault: SignInFault::Person,
            application: CHECK_REGISTRATION,
            person: "the stored login is not valid any more: sign in again",
        },
        _ => Judgement {
            fault: SignInFault::Configuration,
            application: CHECK_REGISTRATION,
            person: "start the sign-in again",
        },
    }
}
