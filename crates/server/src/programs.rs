//! Microphone Sync's process tables (domain section 4): which programs at the microphone are shown, and by which name.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the product brings along: alias and process.
const PREFILLED: [(&str, &str); 17] = [
    ("Amazon Chime", "Amazon Chime"),
    ("BlueJeans", "BlueJeans"),
    ("Circuit", "Circuit"),
    ("Cisco Webex", "CiscoCollabHost"),
    ("Discord", "Discord"),
    ("Google Chrome", "chrome"),
    ("GoTo Meeting", "g2mcomm"),
    ("Mozilla Firefox", "firefox"),
    ("Microsoft Edge", "msedge"),
    ("Internet Explorer", "iexplore"),
    ("Microsoft Teams (V1)", "teams"),
    ("Microsoft Teams (V2)", "ms-teams"),
    ("RingCentral App", "RingCentral"),
    ("Slack", "Slack"),
    ("TeamViewer Meeting", "TeamViewerMeeting"),
    ("Unify Office", "Unify Office"),
    ("Zoom Meeting", "Zoom"),
];

/// The longest name, in characters.
const NAME_MAX: usize = 255;
/// The most programs of a table.
pub(crate) const PROGRAMS_MAX: usize = 10_000;
/// The longest time after which a microphone may be ignored: a week.
const HOURS_MAX: u32 = 7 * 24;

/// A row of a process table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Base name of the process without `.exe`; case does not matter.
    pub process: String,
    /// What is shown; empty: the process itself.
    #[serde(default)]
    pub alias: String,
    /// Whether it is reported at all.
    #[serde(default)]
    pub active: bool,
    /// The telephone system's own client, which is always ignored: the line itself says more.
    #[serde(default)]
    pub softphone: bool,
    /// Ignored when it has held the microphone for longer than so many hours; null: never.
    #[serde(default)]
    pub ignore_after_hours: Option<u32>,
}

/// What is wrong with a row: the field, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) field: &'static str,
    pub(crate) detail: String,
}

impl Program {
    /// What is shown.
    pub(crate) fn shown(&self) -> &str {
        if self.alias.is_empty() {
            &self.process
        } else {
            &self.alias
        }
    }

    /// Whether it is the row of a process.
    pub(crate) fn is_of(&self, process: &str) -> bool {
        base(&self.process).to_lowercase() == base(process).to_lowercase()
    }

    /// The row as it is kept: without spaces around names, without `.exe`.
    pub(crate) fn checked(self) -> Result<Self, Refused> {
        let process = base(self.process.trim()).to_owned();
        let alias = self.alias.trim().to_owned();
        let refused = |field, detail: String| Err(Refused { field, detail });
        for (field, text) in [("process", &process), ("alias", &alias)] {
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
            alias,
            ..self
        })
    }
}

/// A file's name without the ending that Windows gives to programs.
fn base(process: &str) -> &str {
    let at = process.len().saturating_sub(4);
    match (process.get(..at), process.get(at..)) {
        (Some(base), Some(ending)) if ending.eq_ignore_ascii_case(".exe") => base,
        _ => process,
    }
}

/// The table that the product brings along: all active.
pub(crate) fn prefilled() -> Vec<Program> {
    let row = |(alias, process): (&str, &str)| Program {
        process: process.to_owned(),
        alias: alias.to_owned(),
        active: true,
        ..Program::default()
    };
    PREFILLED.map(row).to_vec()
}

/// A table as the store keeps it; what cannot be read is left out.
pub(crate) fn stored(json: &str) -> Vec<Program> {
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
