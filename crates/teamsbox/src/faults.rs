//! Faults that a test asks for: refusals from Graph or Entra, slow replies, and reads that lag behind writes.

mod graph;
mod replies;
mod token;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use self::graph::{Asked, Form, GraphFault};
pub(crate) use self::replies::{NextLink, ReplyFault};
pub(crate) use self::token::TokenFault;
use crate::duration::{self, MINUTE, Milliseconds};
use crate::error::ControlError;
use crate::random::Random;

/// The longest delay of a reply. Longer ones would only look like a hung emulator.
const DELAY_MAX: u64 = 60_000;
/// The longest lag of reads.
const READ_LAG_MAX: Milliseconds = 10 * MINUTE;

/// The faults in force, in the form in which they are asked for and shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Faults {
    /// Refusals from Graph: one, or several of which the first that hits a request is answered.
    #[serde(with = "one_or_more")]
    pub(crate) graph: Vec<GraphFault>,
    /// Odd shapes in Graph's answers: one, or several that are all applied.
    #[serde(with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub(crate) replies: Vec<ReplyFault>,
    /// Refusals from the token endpoint: one, or several of which the first that hits a request is answered.
    #[serde(with = "one_or_more")]
    pub(crate) token: Vec<TokenFault>,
    /// Delay before each reply of Graph and Entra, in real time: it stands for a slow network, not for the tenant.
    pub(crate) delay_milliseconds: Option<u64>,
    /// How old the state is that Graph reads show.
    pub(crate) read_lag: Option<String>,
    /// What is wrong with notifications.
    pub(crate) notifications: Option<NotificationFault>,
}

/// What is wrong with notifications.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct NotificationFault {
    /// Nothing is delivered, and nobody is told.
    pub(crate) silent_outage: bool,
    /// The client state is another.
    pub(crate) wrong_client_state: bool,
    /// Validation tokens are signed by somebody else.
    pub(crate) forged_token: bool,
    /// The id of the certificate is another.
    pub(crate) wrong_certificate_id: bool,
    /// The signature does not fit the data.
    pub(crate) bad_signature: bool,
    /// How many requests it still spoils; all if left out.
    pub(crate) remaining: Option<u64>,
}

impl Faults {
    /// Checks what was asked for, given the names of Graph's operations.
    ///
    /// # Errors
    /// When a value makes no sense.
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

    /// Whether some close connections.
    pub(crate) fn closes(&self) -> bool {
        let graph = self.graph.iter().map(|fault| fault.answer);
        let mut answers = graph.chain(self.token.iter().map(|fault| fault.answer));
        answers.any(|answer| answer == Form::Closed)
    }

    /// The refusal that hits this request now, if any; counts it.
    pub(crate) fn hit_graph(
        &mut self,
        asked: &Asked<'_>,
        random: &mut Random,
    ) -> Option<GraphFault> {
        graph::first_hit(&mut self.graph, asked, random)
    }

    /// Has each fault of answers change what it is to change, drops those that are over, and names those that did.
    pub(crate) fn spoil(&mut self, mut apply: impl FnMut(&mut ReplyFault) -> bool) -> String {
        let changed = self.replies.iter_mut().filter_map(|fault| {
            let changed = apply(fault);
            changed.then(|| fault.name())
        });
        let names = changed.collect::<Vec<_>>().join(", ");
        self.replies.retain(|fault| !fault.is_over());
        names
    }

    /// The refusal that hits a token request now, if any; counts it.
    pub(crate) fn hit_token(&mut self, random: &mut Random) -> Option<TokenFault> {
        token::first_hit(&mut self.token, random)
    }

    /// Whether notifications vanish.
    pub(crate) fn silent_outage(&self) -> bool {
        self.notifications
            .as_ref()
            .is_some_and(|fault| fault.silent_outage)
    }

    /// What spoils the notification that is sent now; counts it.
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

    /// How old the state is that Graph reads show.
    pub(crate) fn lag(&self) -> Option<Milliseconds> {
        self.read_lag
            .as_deref()
            .and_then(duration::parse)
            .filter(|lag| *lag > 0)
    }
}

/// Counts one hit: whether it was the last, or `None` if there was none left.
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

/// A list that is `null` when empty and stands alone when there is one.
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

    /// By way of a value, so that an error names the member that is wrong.
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

    fn asked(operation: &str) -> Asked<'_> {
        Asked {
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
