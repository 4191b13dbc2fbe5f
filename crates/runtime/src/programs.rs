//! Microphone Sync's process tables: the programs that are shown while they use the microphone, and their aliases
//! (docs/presence-rules.md, "Microphone Sync").

use agent_protocol::{base_name, same_program};
use serde::{Deserialize, Serialize};

/// The process table of a new installation: alias, process, other names.
const PREFILLED: [(&str, &str, &[&str]); 17] = [
    ("Amazon Chime", "Amazon Chime", &["com.amazon.Amazon-Chime"]),
    ("BlueJeans", "BlueJeans", &["com.bluejeansnet.Blue"]),
    ("Circuit", "Circuit", &[]),
    (
        "Cisco Webex",
        "CiscoCollabHost",
        &["Webex", "Cisco-Systems.Spark"],
    ),
    ("Discord", "Discord", &["com.hnc.Discord"]),
    (
        "Google Chrome",
        "chrome",
        &["Google Chrome", "google-chrome", "com.google.Chrome"],
    ),
    (
        "GoTo Meeting",
        "g2mcomm",
        &["GoToMeeting", "com.logmein.GoToMeeting"],
    ),
    (
        "Mozilla Firefox",
        "firefox",
        &["firefox-bin", "firefox-esr", "org.mozilla.firefox"],
    ),
    (
        "Microsoft Edge",
        "msedge",
        &["Microsoft Edge", "microsoft-edge", "com.microsoft.edgemac"],
    ),
    ("Internet Explorer", "iexplore", &[]),
    (
        "Microsoft Teams (V1)",
        "teams",
        &["Microsoft Teams classic", "com.microsoft.teams"],
    ),
    (
        "Microsoft Teams (V2)",
        "ms-teams",
        &["MSTeams", "com.microsoft.teams2"],
    ),
    ("RingCentral App", "RingCentral", &["com.ringcentral.glip"]),
    (
        "Slack",
        "Slack",
        &["com.tinyspeck.slackmacgap", "com.slack.Slack"],
    ),
    ("TeamViewer Meeting", "TeamViewerMeeting", &[]),
    ("Unify Office", "Unify Office", &[]),
    ("Zoom Meeting", "Zoom", &["zoom.us", "us.zoom.xos"]),
];

/// The longest name, in characters.
pub const NAME_MAX: usize = 255;
/// The most other names of a program.
pub const ALSO_MAX: usize = 20;
/// The most programs of a table.
pub const PROGRAMS_MAX: usize = 10_000;
/// The longest time after which a microphone may be ignored: a week.
pub const HOURS_MAX: u32 = 7 * 24;

/// A row of a process table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Base name of the process without `.exe`; case does not matter.
    pub process: String,
    /// Names of the process on other systems, of its bundle or package. One match is enough.
    #[serde(default)]
    pub also: Vec<String>,
    /// The name that viewers see; empty: the process's.
    #[serde(default)]
    pub alias: String,
    /// Whether agents report the program.
    #[serde(default)]
    pub active: bool,
    /// The PBX's own client, which agents never report: the line's state is more exact.
    #[serde(default)]
    pub softphone: bool,
    /// Hours of use of the microphone after which the program is ignored; null: never.
    #[serde(default)]
    pub ignore_after_hours: Option<u32>,
}

/// A row that cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The wrong field.
    pub field: &'static str,
    /// The reason and the remedy.
    pub detail: String,
}

impl Program {
    /// The name that viewers see.
    pub fn shown(&self) -> &str {
        if self.alias.is_empty() {
            &self.process
        } else {
            &self.alias
        }
    }

    /// Whether it is the row of a process.
    pub fn is_of(&self, process: &str) -> bool {
        same_program(&self.process, process)
    }

    /// The row as it is kept: without spaces around names, without `.exe`.
    pub fn checked(self) -> Result<Self, Refused> {
        let process = base_name(self.process.trim()).to_owned();
        let alias = self.alias.trim().to_owned();
        let refused = |field, detail: String| Err(Refused { field, detail });
        let also = self
            .also
            .iter()
            .map(|name| base_name(name.trim()).to_owned());
        let also: Vec<String> = also.filter(|name| !name.is_empty()).collect();
        if also.len() > ALSO_MAX {
            return refused("also", format!("must be at most {ALSO_MAX} names"));
        }
        let texts = [("process", &process), ("alias", &alias)];
        for (field, text) in texts
            .into_iter()
            .chain(also.iter().map(|name| ("also", name)))
        {
            if text.chars().count() > NAME_MAX || text.chars().any(char::is_control) {
                return refused(
                    field,
                    format!("must be one line of at most {NAME_MAX} characters"),
                );
            }
        }
        if process.is_empty() {
            let detail =
                "is empty; write the name of the program's file without .exe, for example Zoom";
            return refused("process", detail.into());
        }
        if process.contains(['/', '\\']) {
            let detail = format!(
                "{process:?} is a path; write only the name of the program's file, without folders"
            );
            return refused("process", detail);
        }
        if self
            .ignore_after_hours
            .is_some_and(|hours| !(1..=HOURS_MAX).contains(&hours))
        {
            return refused(
                "ignore_after_hours",
                format!("must be from 1 to {HOURS_MAX}, or nothing"),
            );
        }
        Ok(Self {
            process,
            also,
            alias,
            ..self
        })
    }
}

/// The table that the product brings along: all active.
pub fn prefilled() -> Vec<Program> {
    let row = |(alias, process, also): (&str, &str, &[&str])| Program {
        process: process.to_owned(),
        also: also.iter().map(|name| (*name).to_owned()).collect(),
        alias: alias.to_owned(),
        active: true,
        ..Program::default()
    };
    PREFILLED.map(row).to_vec()
}

/// A table as the store keeps it; what cannot be read is left out.
pub fn stored(json: &str) -> Vec<Program> {
    serde_json::from_str(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(process: &str) -> Program {
        Program {
            process: process.into(),
            ..Program::default()
        }
    }

    #[test]
    fn without_an_alias_the_process_is_shown() {
        assert_eq!(program("Zoom").shown(), "Zoom");
        let named = Program {
            alias: "Zoom Meeting".into(),
            ..program("Zoom")
        };
        assert_eq!(named.shown(), "Zoom Meeting");
    }

    #[test]
    fn a_process_is_compared_by_its_whole_base_name_whatever_its_case() {
        let zoom = program("Zoom");
        assert!(zoom.is_of("zoom") && zoom.is_of("ZOOM.EXE"));
        assert!(!zoom.is_of("zoomshare") && !zoom.is_of(".exe"));
        assert!(program("Zoöm").is_of("ZOÖM"));
    }

    #[test]
    fn what_the_product_brings_is_active_and_a_new_row_is_not() {
        let all = prefilled();
        assert_eq!(all.len(), 17);
        assert!(
            all.iter()
                .all(|program| program.active && !program.softphone)
        );
        let new: Program = serde_json::from_str(r#"{"process":"Acme Meet"}"#).unwrap();
        assert!(!new.active);
        assert_eq!(stored(&serde_json::to_string(&all).unwrap()), all);
    }

    #[test]
    fn a_row_that_could_never_match_is_refused() {
        assert_eq!(
            program(" Acme Meet.exe ").checked().unwrap().process,
            "Acme Meet"
        );
        let long = "x".repeat(NAME_MAX + 1);
        for process in ["", "  ", ".exe", "C:\\x\\zoom", "bin/zoom", "a\nb", &long] {
            assert_eq!(
                program(process).checked().unwrap_err().field,
                "process",
                "{process}"
            );
        }
        let never = Program {
            ignore_after_hours: Some(0),
            ..program("x")
        };
        assert_eq!(never.checked().unwrap_err().field, "ignore_after_hours");
    }
}
