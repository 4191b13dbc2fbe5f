//! What a person's agents look for: what the person's scope lists and has active, and nothing that another source tells
//! better.

use std::time::Duration;

use agent_protocol::{Report, Row, Table, same_program};
use presence::{PersonId, SettingsGroup, Timestamp};

use crate::organisation::Tables;

/// Teams' own rows: Teams itself says more where a person's presence is synchronised.
const TEAMS: [&str; 2] = ["teams", "ms-teams"];

/// The table for a person.
pub(super) fn table(tables: &Tables, person: PersonId) -> Table {
    let settings = tables.resolve(person, SettingsGroup::Microphone);
    let milliseconds = |key: &str| u64::from(settings.seconds(key)) * 1000;
    let mut table = Table {
        on_after_milliseconds: milliseconds("on_after"),
        off_after_milliseconds: milliseconds("off_after"),
        rows: Vec::new(),
    };
    if !settings.flag("enabled") {
        return table;
    }
    let mode = tables.resolve(person, SettingsGroup::Teams).mode("mode");
    let is_teams = |process: &str| TEAMS.iter().any(|teams| same_program(teams, process));
    let place = tables.place(person);
    let programs = tables.programs(&place).1.into_iter();
    let rows = programs
        .filter(|program| program.active && !program.softphone)
        .filter(|program| !(mode.telephony() && is_teams(&program.process)));
    table.rows = rows
        .map(|program| Row {
            alias: program.shown().to_owned(),
            process: program.process,
            also: program.also,
            ignore_after_hours: program.ignore_after_hours,
        })
        .collect();
    table
}

/// What of a report counts: only what the table has, by alias, each since when.
pub(super) fn counted(table: &Table, report: &Report, now: Timestamp) -> Vec<(String, Timestamp)> {
    if report.paused_milliseconds.is_some() {
        return Vec::new();
    }
    let used = report.programs.iter().filter_map(|used| {
        let row = table
            .rows
            .iter()
            .find(|row| same_program(&row.process, &used.process))?;
        let lasting = Duration::from_millis(used.milliseconds);
        let is_ignored = row.max_use().is_some_and(|most| lasting >= most);
        (!is_ignored).then(|| (row.alias.clone(), now - lasting))
    });
    used.collect()
}

#[cfg(test)]
mod tests {
    use agent_protocol::ProgramInUse;

    use super::*;
    use crate::{organisation::ORGANISATION, programs::Program, values};

    fn report(programs: &[(&str, u64)]) -> Report {
        let used = |(process, seconds): &(&str, u64)| ProgramInUse {
            process: (*process).to_owned(),
            milliseconds: seconds * 1000,
        };
        Report {
            programs: programs.iter().map(used).collect(),
            ..Report::default()
        }
    }

    fn two() -> Table {
        let row = |process: &str, alias: &str, ignore_after_hours| Row {
            process: process.into(),
            alias: alias.into(),
            ignore_after_hours,
            also: Vec::new(),
        };
        Table {
            rows: vec![
                row("Zoom", "Zoom Meeting", None),
                row("CiscoCollabHost", "Cisco Webex", Some(1)),
            ],
            ..Table::default()
        }
    }

    fn aliases(report: &Report) -> Vec<String> {
        let now = Timestamp::from_milliseconds(100_000_000);
        let counted = counted(&two(), report, now).into_iter();
        counted.map(|(alias, _)| alias).collect()
    }

    #[test]
    fn an_agent_looks_for_what_is_active_and_told_by_nobody_else() {
        let person = PersonId(1);
        let processes = |tables: &Tables| -> Vec<String> {
            let rows = table(tables, person).rows.into_iter();
            rows.map(|row| row.process).collect()
        };
        let page = |page: SettingsGroup, text: &str| Some(values::stored(page, text));
        let mut tables = Tables::default();
        assert!(
            processes(&tables).is_empty(),
            "off unless an administrator wants it"
        );
        let enabled = page(SettingsGroup::Microphone, r#"{"enabled":true}"#);
        tables.set_page(ORGANISATION, SettingsGroup::Microphone, enabled);
        assert_eq!(processes(&tables).len(), 17);
        let mode = page(SettingsGroup::Teams, r#"{"mode":"telephony_only"}"#);
        tables.set_page(ORGANISATION, SettingsGroup::Teams, mode);
        assert_eq!(processes(&tables).len(), 15, "Teams tells of itself");
        let program = |process: &str, active, softphone| Program {
            process: process.into(),
            active,
            softphone,
            ..Program::default()
        };
        let own = vec![
            program("Zoom", true, false),
            program("Slack", false, false),
            program("Softphone", true, true),
            program("MS-Teams", true, false),
        ];
        tables.programs.insert(ORGANISATION.into(), own);
        assert_eq!(processes(&tables), ["Zoom"]);
    }

    #[test]
    fn only_what_the_table_has_counts_whatever_an_agent_says() {
        assert_eq!(
            aliases(&report(&[("zoom", 5), ("secret-tool", 5)])),
            ["Zoom Meeting"]
        );
    }

    #[test]
    fn what_has_held_the_microphone_for_too_long_is_ignored() {
        assert_eq!(
            aliases(&report(&[("CiscoCollabHost", 3_599)])),
            ["Cisco Webex"]
        );
        assert!(aliases(&report(&[("CiscoCollabHost", 3_600)])).is_empty());
    }

    #[test]
    fn a_pause_is_a_pause() {
        let paused = Report {
            paused_milliseconds: Some(1),
            ..report(&[("Zoom", 5)])
        };
        assert!(aliases(&paused).is_empty());
    }

    #[test]
    fn since_when_is_told_from_now_back() {
        let now = Timestamp::from_milliseconds(100_000);
        let counted = counted(&two(), &report(&[("Zoom", 5)]), now);
        assert_eq!(counted[0].1, Timestamp::from_milliseconds(95_000));
        // A clock of nonsense neither panics nor lies in the future.
        let mut absurd = report(&[("Zoom", 5)]);
        absurd.programs[0].milliseconds = u64::MAX;
        assert!(super::counted(&two(), &absurd, now)[0].1 <= now);
    }
}
