//! What the desktop agent and the server say to each other (domain section 4): JSON messages in the text frames of a
//! WebSocket at [`PATH`], with the device's token as bearer and [`SUBPROTOCOL`] as the version. Times are told as
//! durations up to now, so that clocks need not agree.
//!
//! ```
//! use agent_protocol::{Attention, FromAgent, ProgramInUse, Report, ToAgent};
//!
//! let report = FromAgent::Report(Report {
//!     number: 7,
//!     programs: vec![ProgramInUse { process: "Zoom".into(), milliseconds: 3_000 }],
//!     attention: Attention::Active,
//!     attention_milliseconds: 60_000,
//!     paused_milliseconds: None,
//! });
//! let json = serde_json::to_string(&report)?;
//! assert!(json.starts_with(r#"{"type":"report","number":7,"#));
//! assert_eq!(serde_json::from_str::<FromAgent>(&json)?, report);
//!
//! let answer: ToAgent = serde_json::from_str(r#"{"type":"heard","number":7}"#)?;
//! assert_eq!(answer, ToAgent::Received { number: 7 });
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

mod matching;

pub use matching::{base_name, program_key, same_program};

/// Where agents connect.
pub const PATH: &str = "/agent/v1";
/// Where a short code is exchanged for a device's token.
pub const PAIR_PATH: &str = "/agent/v1/pair";
/// This version of the protocol, as WebSockets negotiate it (RFC 6455, 1.9).
pub const SUBPROTOCOL: &str = "offhook.agent.1";
/// How often an agent reports when nothing happens.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a report holds.
pub const LEASE: Duration = Duration::from_secs(30);
/// No message of an agent is longer, in bytes.
pub const REPORT_MAX: usize = 64 * 1024;
/// No message of a server is longer, in bytes: a table of 10,000 rows fits.
pub const TABLE_MAX: usize = 16 * 1024 * 1024;
/// Programs in a report; nobody uses more at once.
pub const PROGRAMS_MAX: usize = 32;

/// What an agent says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromAgent {
    /// First: who it is.
    Hello {
        /// Its version.
        version: String,
        /// `linux`, `macos` or `windows`.
        system: String,
    },
    /// What is used now; replaces what was said before.
    Report(Report),
    /// The person chooses a profile.
    Choose {
        /// Its name; none: back to automatic.
        profile: Option<String>,
    },
}

/// What an agent reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The server answers with it.
    pub number: u64,
    /// Listed programs at the microphone, the first to start first.
    pub programs: Vec<ProgramInUse>,
    /// Whether somebody is there.
    pub attention: Attention,
    /// For how long it has been so.
    pub attention_milliseconds: u64,
    /// For how long nothing will be reported because the person wants so.
    pub paused_milliseconds: Option<u64>,
}

/// A program at the microphone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramInUse {
    /// The row's process, as the table writes it.
    pub process: String,
    /// For how long.
    pub milliseconds: u64,
}

/// Whether somebody is at the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Somebody uses keyboard or mouse.
    Active,
    /// Nobody has touched them for a while.
    Idle,
    /// The screen is locked.
    Locked,
    /// The system does not tell.
    #[default]
    Unknown,
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToAgent {
    /// What to look for, at the beginning and whenever it changes.
    Table(Table),
    /// How the person is shown, for them to see.
    Presence(VisibleState),
    /// What the person may choose, at the beginning and whenever it changes.
    Profiles(Profiles),
    /// What the person chose is not possible.
    Refused {
        /// Why, and what to do.
        detail: String,
    },
    /// A report has arrived.
    #[serde(rename = "heard")]
    Received {
        /// Its number.
        number: u64,
    },
    /// The person wants nothing to be reported for so long; 0 ends it.
    Pause {
        /// For how long.
        milliseconds: u64,
    },
}

/// What an agent looks for. What is not in it never leaves the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// A program counts after so long.
    pub on_after_milliseconds: u64,
    /// It still counts for so long after its end.
    pub off_after_milliseconds: u64,
    /// The programs; none where Microphone Sync is off.
    pub rows: Vec<Row>,
}

/// A program to look for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Base name of the process.
    pub process: String,
    /// Other names of it: on other systems, of its bundle or package.
    #[serde(default)]
    pub also: Vec<String>,
    /// What colleagues see.
    pub alias: String,
    /// Ignored when it has held the microphone for longer.
    #[serde(default)]
    pub ignore_after_hours: Option<u32>,
}

/// How a person is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisibleState {
    /// The status.
    pub status: String,
    /// The activity, in words; empty if there is none.
    pub activity: String,
    /// The profile in force.
    pub profile: String,
}

/// The profiles that a person may choose, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profiles {
    /// My Profiles, without those that are not active.
    pub items: Vec<Profile>,
    /// The one that the person chose; none: it follows from everything else.
    pub chosen: Option<String>,
}

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: String,
}

/// A code and what it is exchanged for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairRequest {
    /// The code that the web application showed.
    pub code: String,
    /// What the machine is called.
    pub name: String,
    /// `linux`, `macos` or `windows`.
    pub system: String,
}

/// What a code was exchanged for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairResponse {
    /// The device's secret.
    pub token: String,
    /// Whose device it is.
    pub person: String,
}

impl Row {
    /// For how long its use of the microphone counts at most.
    pub fn max_use(&self) -> Option<Duration> {
        let hours = self.ignore_after_hours?;
        Some(Duration::from_secs(u64::from(hours) * 3600))
    }

    /// Whether one of these names is its, whatever their case.
    pub fn matches_any<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        names.into_iter().any(|name| {
            let own = std::iter::once(&self.process).chain(&self.also);
            own.into_iter().any(|own| same_program(own, name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_as_they_are_written() {
        let report = FromAgent::Report(Report {
            number: 7,
            programs: vec![ProgramInUse {
                process: "Zoom".into(),
                milliseconds: 3_000,
            }],
            attention: Attention::Locked,
            attention_milliseconds: 5,
            paused_milliseconds: None,
        });
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<FromAgent>(&text).unwrap(), report);
        assert!(
            text.starts_with(r#"{"type":"report","number":7,"#),
            "{text}"
        );
        let pause: ToAgent = serde_json::from_str(r#"{"type":"pause","milliseconds":0}"#).unwrap();
        assert_eq!(pause, ToAgent::Pause { milliseconds: 0 });
    }

    #[test]
    fn a_row_knows_its_other_names() {
        let row = Row {
            process: "Zoom".into(),
            also: vec!["zoom.us".into(), "us.zoom.xos".into()],
            ..Row::default()
        };
        assert!(row.matches_any(["ZOOM.exe"]) && row.matches_any(["bash", "zoom.us"]));
        assert!(!row.matches_any(["zoomshare"]) && !row.matches_any([]));
    }
}
