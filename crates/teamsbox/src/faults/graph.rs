//! Faults of Graph's answers: the requests that they match, and the answers that replace Graph's own.

use serde::{Deserialize, Serialize};

use super::spent;
use crate::{error::ControlError, random::Random};

/// A fault of Graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GraphFault {
    /// HTTP status: an error or a redirection, and also a success unless the form is Graph's envelope. Required unless the
    /// connection is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// The form of the answer.
    #[serde(default, skip_serializing_if = "Form::is_envelope")]
    pub(crate) answer: Form,
    /// True if the request is carried out before its answer is replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) carried_out: bool,
    /// The code in Graph's envelope; `None` for the one that belongs to the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// Value of the header `Location`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    /// Value of the header `Retry-After`.
    pub(crate) retry_after: Option<String>,
    /// Number of requests that it still matches; `None` for all.
    pub(crate) remaining: Option<u64>,
    /// Operations that it matches; `None` for all.
    pub(crate) operations: Option<Vec<String>>,
    /// True: it matches items of batches only; false: only other requests; `None`: both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) batched: Option<bool>,
    /// People by object id or user principal name: it matches requests that name one in the path, and bulk reads that list
    /// one; `None` for all requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) users: Option<Vec<String>>,
    /// A query option that the request must have, without the dollar sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) option: Option<String>,
    /// Percentage of the requests that it matches, at random; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) percent: Option<u8>,
}

/// The form of a fault's answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Form {
    /// Graph's error envelope.
    #[default]
    Envelope,
    /// No body.
    Empty,
    /// An HTML page, as proxies and gateways send.
    Html,
    /// A JSON object without `error`.
    Object,
    /// No answer: the connection is closed. An item of a batch is missing among the answers.
    Closed,
}

impl Form {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    pub(super) fn is_envelope(&self) -> bool {
        *self == Self::Envelope
    }

    /// A short description of the answer, for the journal.
    pub(crate) fn name(self, status: Option<u16>) -> String {
        let form = match self {
            Self::Envelope => "envelope",
            Self::Empty => "empty",
            Self::Html => "html",
            Self::Object => "object",
            Self::Closed => "closed",
        };
        let status = status.map(|status| format!("{status} "));
        status.unwrap_or_default() + form
    }

    /// The body and its content type, for forms other than the envelope.
    pub(crate) fn body(self, status: impl std::fmt::Display) -> (String, Option<&'static str>) {
        match self {
            Self::Envelope | Self::Empty | Self::Closed => (String::new(), None),
            Self::Html => (
                format!(
                    "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
                ),
                Some("text/html; charset=utf-8"),
            ),
            Self::Object => (
                "{\"message\":\"Try again later.\"}".to_owned(),
                Some("application/json"),
            ),
        }
    }
}

/// The properties of a request that faults match.
pub(crate) struct MatchedRequest<'a> {
    /// Name of the operation.
    pub(crate) operation: &'a str,
    /// True if it is an item of a batch.
    pub(crate) batched: bool,
    /// Returns true if the request names the given person.
    pub(crate) about: &'a dyn Fn(&str) -> bool,
    /// Returns true if the query has the given option.
    pub(crate) has_option: &'a dyn Fn(&str) -> bool,
}

impl GraphFault {
    /// Validates the fault, given the names of Graph's operations.
    ///
    /// # Errors
    /// A value is invalid.
    pub(super) fn check(&self, operations: &[&str]) -> Result<(), ControlError> {
        let invalid = |field, value: &str, problem, remedy| {
            Err(ControlError::invalid(field, value, problem, remedy))
        };
        let (usable, remedy) = match (self.answer, self.status) {
            (Form::Envelope, status) => (
                status.is_some_and(|status| (300..=599).contains(&status)),
                "give a status between 300 and 599",
            ),
            (Form::Empty | Form::Html | Form::Object, status) => (
                status.is_some_and(|status| (200..=599).contains(&status)),
                "give a status between 200 and 599",
            ),
            (Form::Closed, status) => (status.is_none(), "leave it out: nothing is answered"),
        };
        if !usable {
            let status = self.status.map(|status| status.to_string());
            let status = status.as_deref().unwrap_or("none");
            return invalid("graph.status", status, "cannot be answered so", remedy);
        }
        check_operations("graph.operations", self.operations.as_ref(), operations)?;
        check_percent("graph.percent", self.percent)?;
        for (field, text) in [
            ("graph.retryAfter", &self.retry_after),
            ("graph.code", &self.code),
        ] {
            if let Some(text) = text.as_ref().filter(|text| !printable(text, 64)) {
                let remedy = "give at most 64 printable ASCII characters";
                return invalid(field, text, "does not fit into a header", remedy);
            }
        }
        if let Some(text) = self
            .location
            .as_ref()
            .filter(|text| !printable(text, 2_048))
        {
            let remedy = "give at most 2048 printable ASCII characters";
            return invalid("graph.location", text, "does not fit into a header", remedy);
        }
        Ok(())
    }

    /// Returns true if the fault matches this request; counts it then.
    fn hits(&mut self, asked: &MatchedRequest<'_>, random: &mut Random) -> bool {
        let about_them = |users: &Vec<String>| users.iter().any(|user| (asked.about)(user));
        selects(self.operations.as_ref(), asked.operation)
            && self.batched.is_none_or(|batched| batched == asked.batched)
            && self.users.as_ref().is_none_or(about_them)
            && self.option.as_deref().is_none_or(asked.has_option)
            && by_chance(self.percent, random)
            && spent(&mut self.remaining).is_some()
    }

    /// A short description of the answer, for the journal.
    pub(crate) fn name(&self) -> String {
        let after = if self.carried_out {
            ", carried out"
        } else {
            ""
        };
        self.answer.name(self.status) + after
    }

    /// Returns true if the fault is used up.
    fn is_over(&self) -> bool {
        self.remaining == Some(0)
    }
}

/// The first fault that matches a request; drops those that are used up.
pub(super) fn first_hit(
    faults: &mut Vec<GraphFault>,
    asked: &MatchedRequest<'_>,
    random: &mut Random,
) -> Option<GraphFault> {
    let hit = faults.iter_mut().find_map(|fault| {
        let before = fault.clone();
        fault.hits(asked, random).then_some(before)
    });
    faults.retain(|fault| !fault.is_over());
    hit
}

/// Returns true if an operation is listed, or no list is given.
pub(super) fn selects(operations: Option<&Vec<String>>, operation: &str) -> bool {
    operations.is_none_or(|names| names.iter().any(|name| name == operation))
}

/// Returns true with the given probability in percent; always without one.
pub(super) fn by_chance(percent: Option<u8>, random: &mut Random) -> bool {
    percent.is_none_or(|percent| random.below(100) < u64::from(percent))
}

/// Refuses unknown names of operations.
pub(super) fn check_operations(
    field: &'static str,
    asked: Option<&Vec<String>>,
    operations: &[&str],
) -> Result<(), ControlError> {
    let mut names = asked.into_iter().flatten();
    let Some(unknown) = names.find(|name| !operations.contains(&name.as_str())) else {
        return Ok(());
    };
    let remedy = format!("choose from {}", operations.join(", "));
    let problem = "is not an operation";
    Err(ControlError::invalid(field, unknown, problem, &remedy))
}

/// Refuses percentages other than 1 to 100.
pub(super) fn check_percent(field: &'static str, percent: Option<u8>) -> Result<(), ControlError> {
    let Some(percent) = percent.filter(|percent| !(1..=100).contains(percent)) else {
        return Ok(());
    };
    let (percent, remedy) = (percent.to_string(), "give a number from 1 to 100");
    let problem = "is no percentage";
    Err(ControlError::invalid(field, &percent, problem, remedy))
}

fn printable(text: &str, longest: usize) -> bool {
    text.len() <= longest && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}
