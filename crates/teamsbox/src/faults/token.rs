//! Faults of the token endpoint.

use serde::{Deserialize, Serialize};

use super::{
    graph::{Form, by_chance, check_percent},
    spent,
};
use crate::{error::ControlError, random::Random};

/// A fault of the token endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TokenFault {
    /// HTTP status; `None` for the one of a known code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// OAuth error code.
    pub(crate) error: Option<String>,
    /// The number after `AADSTS`, such as 53003 for Conditional Access.
    #[serde(default)]
    pub(crate) code: Option<u32>,
    /// The form of the answer; the envelope is Entra's.
    #[serde(default, skip_serializing_if = "Form::is_envelope")]
    pub(crate) answer: Form,
    /// Number of requests that it still matches; `None` for all.
    pub(crate) remaining: Option<u64>,
    /// Percentage of the requests that it matches, at random; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) percent: Option<u8>,
}

/// Entra's answer with a code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownCode {
    /// The number after `AADSTS`.
    pub(crate) code: u32,
    /// HTTP status.
    pub(crate) status: u16,
    /// OAuth error code.
    pub(crate) error: &'static str,
    /// The description behind the code.
    pub(crate) text: &'static str,
}

/// Codes for which a fault may leave out status and text, from Microsoft's page "Microsoft Entra authentication and
/// authorization error codes".
const KNOWN_CODES: [KnownCode; 14] = [
    known(
        50_034,
        400,
        "invalid_grant",
        "The user account does not exist in the directory.",
    ),
    known(
        50_057,
        400,
        "invalid_grant",
        "The user account is disabled.",
    ),
    known(
        50_076,
        400,
        "invalid_grant",
        "You must use multi-factor authentication to access the resource.",
    ),
    known(
        50_196,
        400,
        "invalid_grant",
        "The server terminated an operation because it encountered a client request loop.",
    ),
    known(
        53_003,
        400,
        "invalid_grant",
        "Access has been blocked by Conditional Access policies.",
    ),
    known(
        65_001,
        400,
        "invalid_grant",
        "The user or administrator has not consented to use the application.",
    ),
    known(
        90_002,
        400,
        "invalid_request",
        "Tenant not found. Check to make sure you have the correct tenant ID.",
    ),
    known(
        90_033,
        503,
        "temporarily_unavailable",
        "A transient error has occurred. Please try again.",
    ),
    known(
        700_016,
        400,
        "unauthorized_client",
        "The application was not found in the directory.",
    ),
    known(
        700_024,
        401,
        "invalid_client",
        "Client assertion is not within its valid time range.",
    ),
    known(
        700_027,
        401,
        "invalid_client",
        "The certificate used to sign the client assertion is not registered on the application.",
    ),
    known(
        7_000_112,
        400,
        "unauthorized_client",
        "The application is disabled.",
    ),
    known(
        7_000_215,
        401,
        "invalid_client",
        "Invalid client secret provided.",
    ),
    known(
        7_000_222,
        401,
        "invalid_client",
        "The provided client secret keys are expired.",
    ),
];

const fn known(code: u32, status: u16, error: &'static str, text: &'static str) -> KnownCode {
    KnownCode {
        code,
        status,
        error,
        text,
    }
}

impl TokenFault {
    /// A fault with a status only.
    pub(crate) fn with_status(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// Entra's answer with the code, if the code is a known one.
    pub(crate) fn known_code(&self) -> Option<KnownCode> {
        let code = self.code?;
        KNOWN_CODES.into_iter().find(|known| known.code == code)
    }

    /// Validates the fault.
    ///
    /// # Errors
    /// A value is invalid.
    pub(super) fn check(&self) -> Result<(), ControlError> {
        check_percent("token.percent", self.percent)?;
        let (usable, remedy) = match (self.answer, self.status) {
            (Form::Closed, status) => (status.is_none(), "leave it out: nothing is answered"),
            (Form::Envelope, None) => (
                self.known_code().is_some(),
                "give a status between 400 and 599, or a code of Entra's that is known here",
            ),
            (Form::Envelope, Some(status)) => (
                (400..=599).contains(&status),
                "give a status between 400 and 599",
            ),
            (Form::Empty | Form::Html | Form::Object, status) => (
                status.is_some_and(|status| (200..=599).contains(&status)),
                "give a status between 200 and 599",
            ),
        };
        if usable {
            return Ok(());
        }
        let status = self.status.map(|status| status.to_string());
        let status = status.as_deref().unwrap_or("none");
        let problem = "cannot be answered so";
        Err(ControlError::invalid(
            "token.status",
            status,
            problem,
            remedy,
        ))
    }
}

/// The first fault that matches a request; drops those that are used up.
pub(super) fn first_hit(faults: &mut Vec<TokenFault>, random: &mut Random) -> Option<TokenFault> {
    let hit = faults.iter_mut().find_map(|fault| {
        let before = fault.clone();
        let hits = by_chance(fault.percent, random) && spent(&mut fault.remaining).is_some();
        hits.then_some(before)
    });
    faults.retain(|fault| fault.remaining != Some(0));
    hit
}
