//! Faults that a test configures: errors of Graph or Entra, slow answers, and reads that lag behind writes.

mod graph;
mod replies;
mod token;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use self::{
    graph::{Form, GraphFault, MatchedRequest},
    replies::{NextLink, ReplyFault},
    token::TokenFault,
};
use crate::{
    duration::{self, MINUTE, Milliseconds},
    error::ControlError,
    random::Random,
};

/// The longest delay of an answer, in milliseconds. A longer one would look like a hung emulator.
const DELAY_MAX: u64 = 60_000;
/// The longest lag of reads.
const READ_LAG_MAX: Milliseconds = 10 * MINUTE;

/// The configured faults, as in `/box/v1/faults`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Faults {
    /// Errors of Graph: one, or several; a request gets the first one that matches it.
    #[serde(with = "one_or_more")]
    pub(crate) graph: Vec<GraphFault>,
    /// Malformed elements in Graph's answers: one, or several that are all applied.
    #[serde(with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub(crate) replies: Vec<ReplyFault>,
    /// Errors of the token endpoint: one, or several; a request gets the first one that matches it.
    #[serde(with = "one_or_more")]
    pub(crate) token: Vec<TokenFault>,
    /// Delay before each answer of Graph and Entra, in milliseconds of real time: it emulates a slow network.
    pub(crate) delay_milliseconds: Option<u64>,
    /// Age of the state that Graph reads return, as an ISO 8601 duration.
    pub(crate) read_lag: Option<String>,
    /// Faults of notifications.
    pub(crate) notifications: Option<NotificationFault>,
}

/// Faults of notifications.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct NotificationFault {
    /// Notifications are dropped without a lifecycle notification.
    pub(crate) silent_outage: bool,
    /// The client state is wrong.
    pub(crate) wrong_client_state: bool,
    /// Validation tokens are signed with a foreign key.
    pub(crate) forged_token: bool,
    /// The id of the certificate is wrong.
    pub(crate) wrong_certificate_id: bool,
    /// The signature does not match the data.
    pub(crate) bad_signature: bool,
    /// Number of requests that it still affects; `None` for all.
    pub(crate) remaining: Option<u64>,
}

impl Faults {
    /// Validates the faults, given the names of Graph's operations.
    ///
    /// # Errors
    /// A value is invalid.
    pub(crate) fn check(&self, operations: &[&str]) -> Result<(), ControlError> {
        for fault in &self.graph {
            fault.check(operations)?;
        }
        for fault in &self.replies {
            fault.check(operations)?;
        }
        for fault in &self.token {
            fault.check()?;
        }
        if let Some(delay) = self.delay_milliseconds.filter(|delay| *delay > DELAY_MAX) {
            let remedy = "give at most 60000";
            return Err(ControlError::invalid(
                "delayMilliseconds",
                &delay.to_string(),
                "is too long",
                remedy,
            ));
        }
        if let Some(lag) = &self.read_lag {
            let parsed = duration::parse(lag).filter(|lag| (0..=READ_LAG_MAX).contains(lag));
            if parsed.is_none() {
                let remedy = "give an ISO 8601 duration between PT0S and PT10M, such as PT5S";
                return Err(ControlError::invalid(
                    "readLag",
                    lag,
                    "is not a usable duration",
                    remedy,
                ));
            }
        }
        Ok(())
    }

    /// Returns true if a fault closes connections.
    pub(crate) fn closes(&self) -> bool {
        let graph = self.graph.iter().map(|fault| fault.answer);
        let mut answers = graph.chain(self.token.iter().map(|fault| fault.answer));
        answers.any(|answer| answer == Form::Closed)
    }

    /// The fault of this request, if one matches; counts it.
    pub(crate) fn hit_graph(
        &mut self,
        asked: &MatchedRequest<'_>,
        random: &mut Random,
    ) -> Option<GraphFault> {
        graph::first_hit(&mut self.graph, asked, random)
    }

    /// Applies each fault of answers and drops those that are used up; returns the names of those that changed the answer.
    pub(crate) fn spoil(&mut self, mut apply: impl FnMut(&mut ReplyFault) -> bool) -> String {
        let changed = self.replies.iter_mut().filter_map(|fault| {
            let changed = apply(fault);
            changed.then(|| fault.name())
        });
        let names = changed.collect::<Vec<_>>().join(", ");
        self.replies.retain(|fault| !fault.is_over());
        names
    }

    /// The fault of this token request, if one matches; counts it.
    pub(crate) fn hit_token(&mut self, random: &mut Random) -> Option<TokenFault> {
        token::first_hit(&mut self.token, random)
    }

    /// Returns true if notifications are dropped.
    pub(crate) fn silent_outage(&self) -> bool {
        self.notifications
            .as_ref()
            .is_some_and(|fault| fault.silent_outage)
    }

    /// The fault of this notification; counts it.
    pub(crate) fn hit_notification(&mut self) -> NotificationFault {
        let Some(fault) = self.notifications.as_mut() else {
            return NotificationFault::default();
        };
        let hit = fault.clone();
        match spent(&mut fault.remaining) {
            Some(true) => self.notifications = None,
            Some(false) => {}
            None => return NotificationFault::default(),
        }
        hit
    }

    /// Age of the state that Graph reads return.
    pub(crate) fn lag(&self) -> Option<Milliseconds> {
        self.read_lag
            .as_deref()
            .and_then(duration::parse)
            .filter(|lag| *lag > 0)
    }
}

/// Counts one match; returns true if it was the last, or `None` if none was left.
fn spent(remaining: &mut Option<u64>) -> Option<bool> {
    match remaining {
        None => Some(false),
        Some(0) => None,
        Some(left) => {
            *left -= 1;
            Some(*left == 0)
        }
    }
}

/// Serialisation of a list: `null` if it is empty, the element itself if it has one.
mod one_or_more {
    use serde::de::{DeserializeOwned, Error};
    use serde_json::Value;

    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer, T: Serialize>(
        list: &[T],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match list {
            [] => to.serialize_none(),
            [one] => one.serialize(to),
            more => more.serialize(to),
        }
    }

    /// Deserialises by way of a JSON value, so that an error names the invalid member.
    pub(super) fn deserialize<'de, D: Deserializer<'de>, T: DeserializeOwned>(
        from: D,
    ) -> Result<Vec<T>, D::Error> {
        let list = match Value::deserialize(from)? {
            Value::Null => Ok(Vec::new()),
            list @ Value::Array(_) => serde_json::from_value(list),
            one => serde_json::from_value(one).map(|one| vec![one]),
        };
        list.map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(operation: &str) -> MatchedRequest<'_> {
        MatchedRequest {
            operation,
            batched: false,
            about: &|_| false,
            has_option: &|_| false,
        }
    }

    #[test]
    fn a_counted_fault_goes_away_by_itself_and_minds_its_operations() {
        let text = r#"{"graph":{"status":429,"retryAfter":"2.128","remaining":2,"operations":["setPresence"]}}"#;
        let mut faults: Faults = serde_json::from_str(text).unwrap();
        let mut random = Random::new(1);
        faults.check(&["setPresence"]).unwrap();
        assert!(
            faults
                .hit_graph(&asked("getPresence"), &mut random)
                .is_none()
        );
        assert_eq!(
            faults
                .hit_graph(&asked("setPresence"), &mut random)
                .unwrap()
                .status,
            Some(429)
        );
        assert!(
            faults
                .hit_graph(&asked("setPresence"), &mut random)
                .is_some()
        );
        assert!(
            faults
                .hit_graph(&asked("setPresence"), &mut random)
                .is_none()
        );
        assert_eq!(faults, Faults::default());
    }

    #[test]
    fn a_fault_by_chance_hits_its_share() {
        let mut faults: Faults =
            serde_json::from_str(r#"{"graph":{"status":401,"percent":20}}"#).unwrap();
        let mut random = Random::new(1);
        let hits = (0..1_000)
            .filter(|_| {
                faults
                    .hit_graph(&asked("getPresence"), &mut random)
                    .is_some()
            })
            .count();
        assert!((150..250).contains(&hits), "{hits}");
    }

    #[test]
    fn nonsense_is_named() {
        for (text, field) in [
            (r#"{"graph":{"status":200}}"#, "graph.status"),
            (r#"{"token":{"status":99}}"#, "token.status"),
            (
                r#"{"graph":{"status":503,"operations":["fly"]}}"#,
                "graph.operations",
            ),
            (
                r#"{"graph":{"status":503,"retryAfter":"a\nb"}}"#,
                "graph.retryAfter",
            ),
            (r#"{"graph":{"status":401,"percent":0}}"#, "graph.percent"),
            (r#"{"delayMilliseconds":60001}"#, "delayMilliseconds"),
            (r#"{"readLag":"5s"}"#, "readLag"),
            (r#"{"readLag":"PT10M1S"}"#, "readLag"),
        ] {
            let faults: Faults = serde_json::from_str(text).unwrap();
            assert_eq!(
                faults.check(&["setPresence"]).unwrap_err().field,
                field,
                "{text}"
            );
        }
    }
}
