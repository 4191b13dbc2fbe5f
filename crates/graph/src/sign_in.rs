//! Answers of Microsoft's sign-in service (Entra), for the application and for people alike: who can end a refusal, what
//! helps, and whether it passes by itself. By Entra's number where [`codes`] has it, else by OAuth's word.

mod answer;
mod codes;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use answer::{Answer, Token, read, seconds};

use crate::{Blame, GraphError, wire::bounded};

/// The pause after "too many requests in a loop" (AADSTS50196): Entra blocks the application for about this long.
const LOOP_PAUSE: Duration = Duration::from_secs(120);
/// The remedy where nothing more is known.
const CHECK: &str = "check tenant, client_id and secret or certificate in the configuration";
/// The longest part of Entra's words that is repeated, in characters. More than of values (60): its sentences name the
/// application and the tenant, and without these an administrator cannot look for them.
pub(crate) const DESCRIPTION_MAX: usize = 200;
/// The longest value that is repeated, such as OAuth's word.
pub(crate) const WORD_MAX: usize = 60;
/// The most numbers that are read of one answer.
const CODES_MAX: usize = 16;

/// The party that can end a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInFault {
    /// This server's clock.
    Clock,
    /// The configuration or the registration: tenant, client id, addresses, platform.
    Configuration,
    /// The application's secret or certificate.
    Credential,
    /// The application, or Graph itself, is disabled in the tenant.
    Disabled,
    /// The permissions lack consent.
    Consent,
    /// A policy or an assignment of the tenant, or a restriction of the network.
    Policy,
    /// The person's account: unknown, disabled, or of another tenant.
    Account,
    /// The person's account is locked for some minutes: it passes.
    Locked,
    /// The person must sign in again.
    Person,
    /// Too many sign-ins in a short time: it passes after a pause.
    Loop,
    /// Microsoft: it passes.
    Microsoft,
}

impl SignInFault {
    /// Blame for the retry policy.
    pub fn blame(self) -> Blame {
        match self {
            Self::Loop | Self::Microsoft => Blame::Service,
            Self::Clock
            | Self::Configuration
            | Self::Credential
            | Self::Disabled
            | Self::Consent
            | Self::Policy
            | Self::Account
            | Self::Locked
            | Self::Person => Blame::Administrator,
        }
    }

    /// Returns true if a person's login has ended with it: only the person can go on. All other faults leave the login as it
    /// is, because it works again once the administrator has granted, allowed or corrected something, or time has passed.
    fn ends_login(self) -> bool {
        match self {
            Self::Account | Self::Person => true,
            Self::Clock
            | Self::Configuration
            | Self::Credential
            | Self::Disabled
            | Self::Consent
            | Self::Policy
            | Self::Locked
            | Self::Loop
            | Self::Microsoft => false,
        }
    }
}

impl GraphError {
    /// Returns true if only a new sign-in of this one person helps.
    pub fn needs_person(&self) -> bool {
        matches!(self, Self::UserSignIn { fault, .. } if fault.ends_login())
    }

    /// The remedy of a refused sign-in.
    pub fn sign_in_remedy(&self) -> Option<&'static str> {
        if let Self::SignIn { remedy, .. } | Self::UserSignIn { remedy, .. } = self {
            return Some(remedy);
        }
        None
    }
}

/// A refusal, read and judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// OAuth's word; empty if there is none.
    pub(crate) error: String,
    description: String,
    codes: Vec<u32>,
    judgement: Judgement,
    retry_after: Option<Duration>,
}

/// The fault of a refusal, and the remedy for the application's sign-in and for a person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Judgement {
    fault: SignInFault,
    application: &'static str,
    person: &'static str,
}

impl Refusal {
    /// Judges OAuth's word with Entra's words and numbers. Numbers that are only in the words count too.
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

    /// Returns true if one of Entra's numbers is this.
    pub(crate) fn has(&self, code: u32) -> bool {
        self.codes.contains(&code)
    }

    /// The first of Entra's numbers that says more than the word.
    fn known_code(&self) -> Option<u32> {
        let mut codes = self.codes.iter().copied();
        codes.find(|code| codes::find(*code).is_some())
    }

    /// The error of the application's own sign-in.
    pub(crate) fn of_application(self, client_id: &str) -> GraphError {
        GraphError::SignIn {
            client_id: client_id.to_owned(),
            code: self.known_code().or(self.codes.first().copied()),
            description: self.words(),
            remedy: self.judgement.application,
            fault: self.judgement.fault,
            retry_after: self.retry_after,
        }
    }

    /// The error of a person's sign-in.
    pub(crate) fn of_person(self) -> GraphError {
        GraphError::UserSignIn {
            description: self.words(),
            remedy: self.judgement.person,
            fault: self.judgement.fault,
            retry_after: self.retry_after,
            error: self.error,
        }
    }

    /// OAuth's word, then Entra's own words, or its numbers where there are none.
    fn words(&self) -> String {
        let mut words = vec![self.error.clone()];
        match (&*self.description, self.codes.first()) {
            ("", Some(code)) => words.push(format!("AADSTS{code}")),
            (description, _) => words.push(description.to_owned()),
        }
        words.retain(|word| !word.is_empty());
        words.join(" ")
    }
}

/// Entra's text goes on with trace ids over several lines; the first says it.
fn first_line(description: &str) -> &str {
    let line = description.lines().next().unwrap_or_default();
    line.split(" Trace ID").next().unwrap_or_default()
}

/// The numbers in Entra's words, each written as `AADSTS700016: …`.
fn codes_in(description: &str) -> impl Iterator<Item = u32> + '_ {
    description.split("AADSTS").skip(1).filter_map(|rest| {
        let end = rest.find(|character: char| !character.is_ascii_digit());
        rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
    })
}

/// By OAuth's word: RFC 6749 (4.1.2.1, 5.2), RFC 8628 (3.5), RFC 8707 (2), OpenID Connect Core (3.1.2.6), and Entra's own
/// page of error codes (`codes::PAGE`), section "Handling error codes in your application".
fn by_word(error: &str) -> Judgement {
    let same = |fault, remedy| Judgement {
        fault,
        application: remedy,
        person: remedy,
    };
    match error {
        "temporarily_unavailable" | "server_error" | "slow_down" => {
            same(SignInFault::Microsoft, codes::PASSES)
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
        // Of the public documents of a tenant.
        "invalid_tenant" => same(SignInFault::Configuration, codes::TENANT),
        "consent_required" => codes::CONSENT,
        // A refresh asks nobody: there it is a proxy's or a policy's.
        "access_denied" => same(SignInFault::Policy, codes::DECLINED),
        "authorization_declined" => same(SignInFault::Person, codes::DECLINED),
        "invalid_grant" | "interaction_required" | "login_required" => Judgement {
            fault: SignInFault::Person,
            application: CHECK,
            person: "the stored login is not valid any more: sign in again",
        },
        _ => Judgement {
            fault: SignInFault::Configuration,
            application: CHECK,
            person: "begin the sign-in anew",
        },
    }
}
