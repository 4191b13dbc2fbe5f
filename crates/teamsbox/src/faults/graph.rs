//! Refusals of Graph: the requests that they hit, and the answers in place of Graph's own.

use serde::{Deserialize, Serialize};

use super::spent;
use crate::error::ControlError;
use crate::random::Random;

/// A refusal from Graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GraphFault {
    /// HTTP status: an error or a redirection; with another form than Graph's envelope also a success. Needed unless
    /// nothing is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// The form of the answer.
    #[serde(default, skip_serializing_if = "Form::is_envelope")]
    pub(crate) answer: Form,
    /// Whether the request is carried out before its answer is replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) carried_out: bool,
    /// The code in Graph's envelope; the one that goes with the status if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// The header `Location`, literally; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    /// The header `Retry-After`, literally; none if left out.
    pub(crate) retry_after: Option<String>,
    /// How many requests it still hits; all if left out.
    pub(crate) remaining: Option<u64>,
    /// Which operations it hits; all if left out.
    pub(crate) operations: Option<Vec<String>>,
    /// Whether it hits items of batches only, or everything but them; both if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) batched: Option<bool>,
    /// The people whose requests it hits, by object id or user principal name: a request that names one in its path, or
    /// a bulk read that lists one; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) users: Option<Vec<String>>,
    /// The query option that hit requests have, without the dollar sign; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) option: Option<String>,
    /// How many of a hundred requests it hits, by chance; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) percent: Option<u8>,
}

/// The form of an answer that is not Graph's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Form {
    /// Graph's error envelope.
    #[default]
    Envelope,
    /// No body at all.
    Empty,
    /// A page, as proxies and gateways send.
    Html,
    /// A JSON object without `error`.
    Object,
    /// Nothing: the connection is closed. An item of a batch has no answer among the others.
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

    /// The answer in a few words, for the journal.
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

    /// The body and its type where it is not an envelope.
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

/// A request as far as faults select by it.
pub(crate) struct Asked<'a> {
    /// The name of the operation.
    pub(crate) operation: &'a str,
    /// Whether it is an item of a batch.
    pub(crate) batched: bool,
    /// Whether it is about a person.
    pub(crate) about: &'a dyn Fn(&str) -> bool,
    /// Whether its query has an option.
    pub(crate) has_option: &'a dyn Fn(&str) -> bool,
}

impl GraphFault {
    /// Checks one refusal, given the names of Graph's operations.
    ///
    /// # Errors
    /// When a value makes no sense.
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

    /// Whether it hits this request now; counts it if so.
    fn hits(&mut self, asked: &Asked<'_>, random: &mut Random) -> bool {
        let about_them = |users: &Vec<String>| users.iter().any(|user| (asked.about)(user));
        selects(self.operations.as_ref(), asked.operation)
            && self.batched.is_none_or(|batched| batched == asked.batched)
            && self.users.as_ref().is_none_or(about_them)
            && self.option.as_deref().is_none_or(asked.has_option)
            && by_chance(self.percent, random)
            && spent(&mut self.remaining).is_some()
    }

    /// The answer in a few words, for the journal.
    pub(crate) fn name(&self) -> String {
        let after = if self.carried_out {
            ", carried out"
        } else {
            ""
        };
        self.answer.name(self.status) + after
    }

    /// Whether it has hit as often as it was to.
    fn is_over(&self) -> bool {
        self.remaining == Some(0)
    }
}

/// The first of several refusals that hits a request; those that are over go away.
pub(super) fn first_hit(
    faults: &mut Vec<GraphFault>,
    asked: &Asked<'_>,
    random: &mut Random,
) -> Option<GraphFault> {
    let hit = faults.iter_mut().find_map(|fault| {
        let before = fault.clone();
        fault.hits(asked, random).then_some(before)
    });
    faults.retain(|fault| !fault.is_over());
    hit
}

/// Whether an operation is among those listed; all are if none is.
pub(super) fn selects(operations: Option<&Vec<String>>, operation: &str) -> bool {
    operations.is_none_or(|names| names.iter().any(|name| name == operation))
}

/// Whether chance has it that one of a hundred requests is hit.
pub(super) fn by_chance(percent: Option<u8>, random: &mut Random) -> bool {
    percent.is_none_or(|percent| random.below(100) < u64::from(percent))
}

/// Checks that operations are known by name.
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

/// Checks that a chance can be met.
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
