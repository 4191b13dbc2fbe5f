//! Records sign-ins and refusals: a log line that fail2ban can read, a row of the audit log, and a metric. Strangers cause these,
//! so each network has a budget of entries, and all networks together have one; the next entry has the number of those left out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::json;
use store::{Change, Concern, Store};
use tokio::time::Instant;

use crate::{audit, clock::Clock, metrics::Metrics, rate_limit::RateLimit};

/// Entries about one network at once, and then one in [`SECONDS_EACH`].
const OF_NETWORK: f64 = 20.0;
const SECONDS_EACH: f64 = 6.0;
/// Entries about all networks together at once, and then [`ALL_PER_SECOND`].
const OF_ALL: f64 = 300.0;
const ALL_PER_SECOND: f64 = 1.0;
/// Networks with a count of left-out entries; beyond that, only the metric counts them.
const LEFT_OUT_MAX: usize = 4_096;
/// Characters of a name that are logged.
const NAME_MAX: usize = 64;

/// The credential with which a person or a device signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Name and password, by the page or the API.
    Password,
    /// The current password, to set a new one.
    PresentPassword,
    /// A one-time link.
    Link,
    /// OpenID Connect.
    OpenId,
    /// The code that pairs a desktop agent.
    AgentCode,
    /// A phone's password (SIP digest).
    Sip,
    /// An API key.
    ApiKey,
    /// A session's cookie.
    Session,
    /// The secret of a desktop agent.
    Agent,
}

/// Outcome of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The credential is right.
    SignedIn,
    /// The password, code, link, key or cookie is wrong, unknown or expired.
    Wrong,
    /// Not checked, after too many wrong attempts.
    TooMany,
}

impl Way {
    /// Its name in the log, the audit log and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PresentPassword => "present_password",
            Self::Link => "link",
            Self::OpenId => "open_id_connect",
            Self::AgentCode => "agent_code",
            Self::Sip => "sip",
            Self::ApiKey => "api_key",
            Self::Session => "session",
            Self::Agent => "agent",
        }
    }
}

impl Outcome {
    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::Wrong => "wrong",
            Self::TooMany => "too_many",
        }
    }
}

/// Budgets of log lines and audit rows about sign-ins.
#[derive(Debug)]
pub struct Record {
    began: Instant,
    budgets: Mutex<Budgets>,
}

#[derive(Debug)]
struct Budgets {
    refused: Budget,
    /// Separate, so that refusals never keep a successful sign-in out of the logs.
    signed_in: Budget,
}

/// The number of entries that may be made.
#[derive(Debug)]
struct Budget {
    of_network: RateLimit<IpAddr>,
    of_all: RateLimit<()>,
    left_out: HashMap<IpAddr, u64>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            budgets: Mutex::new(Budgets {
                refused: Budget::new(),
                signed_in: Budget::new(),
            }),
        }
    }
}

impl Budget {
    fn new() -> Self {
        Self {
            of_network: RateLimit::new(OF_NETWORK, 1.0 / SECONDS_EACH),
            of_all: RateLimit::new(OF_ALL, ALL_PER_SECOND),
            left_out: HashMap::new(),
        }
    }

    /// Takes one entry. Returns the number of this network's entries that were left out before; `None` if this one is left out.
    fn take(&mut self, now: Duration, network: IpAddr) -> Option<u64> {
        let may = self.of_network.has_left(now, &network) && self.of_all.has_left(now, &());
        if may {
            self.of_network.take(now, network, 1.0);
            self.of_all.take(now, (), 1.0);
            return Some(self.left_out.remove(&network).unwrap_or_default());
        }
        if self.left_out.len() < LEFT_OUT_MAX || self.left_out.contains_key(&network) {
            *self.left_out.entry(network).or_default() += 1;
        }
        None
    }
}

/// A sign-in, or an attempt.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// The kind of credential.
    pub way: Way,
    /// The outcome.
    pub outcome: Outcome,
    /// The address of the client.
    pub address: IpAddr,
    /// The account, or the name that was entered; empty if there is none.
    pub name: &'a str,
}

impl SignIn<'_> {
    /// The line of the log. Its form is documented: programs read it.
    fn line(&self, left_out: u64) -> String {
        let what = match self.outcome {
            Outcome::SignedIn => "signed in",
            Outcome::Wrong => "sign-in failed",
            Outcome::TooMany => "sign-in refused",
        };
        let (address, way, name) = (
            self.address.to_canonical(),
            self.way.name(),
            quoted(self.name),
        );
        format!("{what}: address={address} way={way} left_out={left_out} name=\"{name}\"")
    }
}

/// A name as the log shows it between quotation marks.
fn quoted(name: &str) -> String {
    let is_plain = |letter: &char| letter.is_alphanumeric() || " .,:;@_+-/()'".contains(*letter);
    let mut letters = name.trim().chars();
    let mut quoted: String = letters
        .by_ref()
        .take(NAME_MAX)
        .map(|letter| if is_plain(&letter) { letter } else { '?' })
        .collect();
    if letters.next().is_some() {
        quoted.push('…');
    }
    quoted
}

impl Record {
    fn budgets(&self) -> MutexGuard<'_, Budgets> {
        self.budgets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a sign-in to the log and the metrics. Returns the number of entries that were left out before it; `None`: this
    /// one is left out itself.
    pub fn log(&self, metrics: &Metrics, sign_in: SignIn<'_>) -> Option<u64> {
        metrics.count_sign_in(sign_in.way.name(), sign_in.outcome.name());
        let now = self.began.elapsed();
        let network = sip::network(sign_in.address);
        let mut budgets = self.budgets();
        let left_out = match sign_in.outcome {
            Outcome::SignedIn => budgets.signed_in.take(now, network),
            Outcome::Wrong | Outcome::TooMany => budgets.refused.take(now, network),
        };
        drop(budgets);
        let left_out = left_out?;
        let line = sign_in.line(left_out);
        // The target is documented too, and stays where the code moves.
        match sign_in.outcome {
            Outcome::SignedIn => tracing::info!(target: "server::sign_in", "{line}"),
            Outcome::Wrong | Outcome::TooMany => {
                tracing::warn!(target: "server::sign_in", "{line}");
            }
        }
        Some(left_out)
    }

    /// Writes a sign-in to the log, the metrics and the audit log.
    pub async fn record(
        &self,
        (store, clock, metrics): (&Store, &Clock, &Metrics),
        sign_in: SignIn<'_>,
    ) {
        let Some(left_out) = self.log(metrics, sign_in) else {
            return;
        };
        let name = quoted(sign_in.name);
        let address = sign_in.address.to_canonical().to_string();
        let (what, who) = match sign_in.outcome {
            Outcome::SignedIn => (audit::SIGNED_IN, name.as_str()),
            Outcome::Wrong => (audit::SIGN_IN_FAILED, "not signed in"),
            Outcome::TooMany => (audit::SIGN_IN_REFUSED, "not signed in"),
        };
        let change = Change {
            at: clock.now(),
            who,
            what,
            target: &name,
            before: None,
            after: Some(
                json!({"way": sign_in.way.name(), "address": address, "left_out": left_out})
                    .to_string(),
            ),
            concern: Concern::Administration,
            attempt: None,
        };
        // An audit log that cannot be written keeps no person out; the log has the line.
        if let Err(error) = store.record_change(&change).await {
            tracing::warn!(%error, "a sign-in could not be added to the audit log; check the data folder");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(name: &str) -> SignIn<'_> {
        SignIn {
            way: Way::Password,
            outcome: Outcome::Wrong,
            address: IpAddr::from([192, 0, 2, 7]),
            name,
        }
    }

    #[test]
    fn a_line_is_one_line_and_says_no_more_of_a_name_than_fits() {
        assert_eq!(
            wrong("bob").line(0),
            "sign-in failed: address=192.0.2.7 way=password left_out=0 name=\"bob\""
        );
        let evil = "x\"\nsign-in failed: address=198.51.100.1 way=password\u{1b}[2J\u{202e}";
        let line = wrong(evil).line(3);
        assert!(!line.contains(char::is_control) && !line.contains('\u{202e}'));
        assert_eq!(line.matches('"').count(), 2, "{line}");
        assert_eq!(line.matches('=').count(), 4, "{line}");
        assert!(wrong(&"ü".repeat(9_000)).line(0).len() < 250);
    }

    #[test]
    fn entries_are_limited_by_network_and_in_all_and_what_is_left_out_is_counted() {
        let mut budget = Budget::new();
        let network = |number: u32| IpAddr::from(number.to_be_bytes());
        let now = Duration::ZERO;
        let taken = (0..100).filter(|_| budget.take(now, network(1)).is_some());
        assert_eq!(taken.count(), 20);
        assert_eq!(budget.take(Duration::from_secs(7), network(1)), Some(80));
        let taken = (2..100_000).filter(|number| budget.take(now, network(*number)).is_some());
        assert!(taken.count() <= 300);
        assert!(budget.left_out.len() <= LEFT_OUT_MAX);
    }
}
