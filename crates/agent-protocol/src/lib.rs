//! Messages between the desktop agent and the server: JSON in the text frames of a WebSocket at [`PATH`], authenticated by
//! the device's token as bearer, with [`SUBPROTOCOL`] as the version. Times are durations up to now, so that the clocks
//! need not agree.
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
//! let pause: ToAgent = serde_json::from_str(r#"{"type":"pause","milliseconds":60000}"#)?;
//! assert_eq!(pause, ToAgent::Pause { milliseconds: 60_000 });
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

mod matching;

pub use matching::{base_name, program_key, same_program};

/// Path of the WebSocket.
pub const PATH: &str = "/agent/v1";
/// Path at which a code is exchanged for the token of a device.
pub const PAIR_PATH: &str = "/agent/v1/pair";
/// Version of the protocol, as a WebSocket subprotocol (RFC 6455, 1.9).
pub const SUBPROTOCOL: &str = "offhook.agent.1";
/// Interval between reports without changes.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// Validity of a report.
pub const LEASE: Duration = Duration::from_secs(30);
/// Maximum length of an agent's message in bytes.
pub const REPORT_MAX: usize = 64 * 1024;
/// Maximum length of a server's message in bytes, enough for a table of 10,000 rows.
pub const TABLE_MAX: usize = 16 * 1024 * 1024;
/// Maximum number of programs in a report.
pub const PROGRAMS_MAX: usize = 32;

/// Message from an agent to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromAgent {
    /// First message of a connection.
    Hello {
        /// Version of the agent.
        version: String,
        /// Operating system: `linux`, `macos` or `windows`.
        system: String,
    },
    /// Current state; replaces the previous report.
    Report(Report),
    /// Choice of a profile by the person.
    Choose {
        /// Name of the profile; `None`: back to automatic.
        profile: Option<String>,
    },
}

/// Report of an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Number of the report, which the server repeats in [`ToAgent::Received`].
    pub number: u64,
    /// Listed programs that use the microphone, ordered by start.
    pub programs: Vec<ProgramInUse>,
    /// Presence of a person at the computer.
    pub attention: Attention,
    /// Duration of this attention in milliseconds.
    pub attention_milliseconds: u64,
    /// Remaining time in milliseconds for which the person has paused reports.
    pub paused_milliseconds: Option<u64>,
}

/// A program that uses the microphone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramInUse {
    /// Process of the row, spelled like in the table.
    pub process: String,
    /// Duration of the use in milliseconds.
    pub milliseconds: u64,
}

/// Presence of a person at the computer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Keyboard or mouse are in use.
    Active,
    /// Keyboard and mouse have not been used for a while.
    Idle,
    /// The screen is locked.
    Locked,
    /// The system does not report it.
    #[default]
    Unknown,
}

/// Message from the server to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToAgent {
    /// Programs to detect; sent at the start and after each change.
    Table(Table),
    /// Visible state of the person, for display.
    Presence(VisibleState),
    /// Profiles that the person may choose; sent at the start and after each change.
    Profiles(Profiles),
    /// Refusal of the person's choice.
    Refused {
        /// Reason and remedy.
        detail: String,
    },
    /// Acknowledgement of a report.
    #[serde(rename = "heard")]
    Received {
        /// Number of the report.
        number: u64,
    },
    /// Pause of reports that the person started elsewhere; 0 ends it.
    Pause {
        /// Duration in milliseconds.
        milliseconds: u64,
    },
}

/// Programs to detect. Programs that are not in the table never leave the computer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Time of use in milliseconds after which a program counts.
    pub on_after_milliseconds: u64,
    /// Time in milliseconds after the end of the use until a program counts no longer.
    pub off_after_milliseconds: u64,
    /// Programs; empty if Microphone Sync is off.
    pub rows: Vec<Row>,
}

/// A program to detect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Base name of the process.
    pub process: String,
    /// Other names of the program: on other systems, of its bundle or package.
    #[serde(default)]
    pub also: Vec<String>,
    /// Name that colleagues see.
    pub alias: String,
    /// Hours of continuous use after which the program is ignored.
    #[serde(default)]
    pub ignore_after_hours: Option<u32>,
}

/// State of the person that colleagues see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisibleState {
    /// Status.
    pub status: String,
    /// Label of the activity; empty without one.
    pub activity: String,
    /// Name of the active profile.
    pub profile: String,
}

/// Profiles that the person may choose, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profiles {
    /// My Profiles without inactive ones.
    pub items: Vec<Profile>,
    /// Name of the chosen profile; `None`: automatic.
    pub chosen: Option<String>,
}

/// Profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Name.
    pub name: String,
    /// Status of the profile.
    pub status: String,
}

/// Request to pair a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairRequest {
    /// Code that the web application showed.
    pub code: String,
    /// Name of the computer.
    pub name: String,
    /// Operating system: `linux`, `macos` or `windows`.
    pub system: String,
}

/// Response to a successful pairing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairResponse {
    /// Token of the device.
    pub token: String,
    /// Person who owns the device.
    pub person: String,
}

impl Row {
    /// Maximum duration of a use that counts.
    pub fn max_use(&self) -> Option<Duration> {
        let hours = self.ignore_after_hours?;
        Some(Duration::from_secs(u64::from(hours) * 3600))
    }

    /// True if one of the names belongs to the program; the comparison ignores case.
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
        let received: ToAgent = serde_json::from_str(r#"{"type":"heard","number":7}"#).unwrap();
        assert_eq!(received, ToAgent::Received { number: 7 });
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
