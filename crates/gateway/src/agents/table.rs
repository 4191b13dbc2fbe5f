//! Programs that a person's agents watch: the active ones of the person's scope, without those that another source reports
//! better.

use std::time::Duration;

use agent_protocol::{Report, Row, Table, same_program};
use presence::{Key, PersonId, SettingsGroup, Timestamp, setting_keys};
use runtime::organisation::Snapshot;

/// Processes of Teams: Teams itself reports more for people who are synchronised.
const TEAMS: [&str; 2] = ["teams", "ms-teams"];

/// The programs for a person's agents.
pub(super) fn table(snapshot: &Snapshot, person: PersonId) -> Table {
    let settings = snapshot.resolve(person, SettingsGroup::Microphone);
    let milliseconds = |key: Key<Duration>| settings.get(key).as_secs() * 1000;
    let mut table = Table {
        on_after_milliseconds: milliseconds(setting_keys::MICROPHONE_ON_AFTER),
        off_after_milliseconds: milliseconds(setting_keys::MICROPHONE_OFF_AFTER),
        rows: Vec::new(),
    };
    if !settings.get(setting_keys::MICROPHONE_ENABLED) {
        return table;
    }
    let mode = snapshot
        .resolve(person, SettingsGroup::Teams)
        .get(setting_keys::SYNC_MODE);
    let is_teams = |process: &str| TEAMS.iter().any(|teams| same_program(teams, process));
    let place = snapshot.membership(person);
    let programs = snapshot.programs(&place).1.into_iter();
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

/// The programs of a report that count: those in the table, by alias, with their beginning.
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
    use runtime::{organisation::ORGANISATION, programs::Program, values};

    use super::*;

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
    fn an_agent_watches_active_programs_that_no_other_source_reports() {
        let person = PersonId(1);
        let processes = |snapshot: &Snapshot| -> Vec<String> {
            let rows = table(snapshot, person).rows.into_iter();
            rows.map(|row| row.process).collect()
        };
        let page = |page: SettingsGroup, text: &str| Some(values::stored(page, text));
        let mut snapshot = Snapshot::default();
        assert!(
            processes(&snapshot).is_empty(),
            "off unless an administrator wants it"
        );
        let enabled = page(SettingsGroup::Microphone, r#"{"enabled":true}"#);
        snapshot.set_overrides(ORGANISATION, SettingsGroup::Microphone, enabled);
        assert_eq!(processes(&snapshot).len(), 17);
        let mode = page(SettingsGroup::Teams, r#"{"mode":"telephony_only"}"#);
        snapshot.set_overrides(ORGANISATION, SettingsGroup::Teams, mode);
        assert_eq!(processes(&snapshot).len(), 15, "Teams reports itself");
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
        snapshot.programs.insert(ORGANISATION.into(), own);
        assert_eq!(processes(&snapshot), ["Zoom"]);
    }

    #[test]
    fn only_programs_of_the_table_count() {
        assert_eq!(
            aliases(&report(&[("zoom", 5), ("secret-tool", 5)])),
            ["Zoom Meeting"]
        );
    }

    #[test]
    fn a_program_that_has_held_the_microphone_for_too_long_is_ignored() {
        assert_eq!(
            aliases(&report(&[("CiscoCollabHost", 3_599)])),
            ["Cisco Webex"]
        );
        assert!(aliases(&report(&[("CiscoCollabHost", 3_600)])).is_empty());
    }

    #[test]
    fn nothing_counts_during_a_pause() {
        let paused = Report {
            paused_milliseconds: Some(1),
            ..report(&[("Zoom", 5)])
        };
        assert!(aliases(&paused).is_empty());
    }

    #[test]
    fn the_beginning_is_counted_back_from_now() {
        let now = Timestamp::from_milliseconds(100_000);
        let counted = counted(&two(), &report(&[("Zoom", 5)]), now);
        assert_eq!(counted[0].1, Timestamp::from_milliseconds(95_000));
        // An absurd duration neither panics nor gives a time in the future.
        let mut absurd = report(&[("Zoom", 5)]);
        absurd.programs[0].milliseconds = u64::MAX;
        assert!(super::counted(&two(), &absurd, now)[0].1 <= now);
    }
}
