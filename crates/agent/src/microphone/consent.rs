//! Evidence in the consent store of Windows, which records the start and the end of microphone use by program. After a
//! crash the end is missing forever, so an entry counts only after it was seen at rest, and while the program runs.

use std::collections::BTreeSet;

use agent_windows::ConsentEntry;

use super::Capture;

fn is_in_use(entry: &ConsentEntry) -> bool {
    entry.start != 0 && entry.stop == Some(0)
}

/// Entries that count: those that were seen at rest since the agent started, and had a process ever since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedEntries(BTreeSet<String>);

impl TrustedEntries {
    /// Records the current entries, and returns the proven uses. `running` returns a process of an entry's program.
    pub fn captures(
        &mut self,
        entries: &[ConsentEntry],
        running: impl Fn(&ConsentEntry) -> Option<u32>,
    ) -> Vec<Capture> {
        let mut captures = Vec::new();
        for entry in entries {
            if !is_in_use(entry) {
                self.0.insert(entry.name.clone());
                continue;
            }
            if !self.0.contains(&entry.name) {
                continue;
            }
            match running(entry) {
                Some(pid) => captures.push(Capture {
                    pid,
                    names: names(entry),
                }),
                // The program crashed: its entry remains in use when it runs again.
                None => {
                    self.0.remove(&entry.name);
                }
            }
        }
        captures
    }
}

fn names(entry: &ConsentEntry) -> Vec<String> {
    if entry.is_packaged {
        // The part of the family name before the publisher's hash is the name of the package.
        let own = entry.name.split('_').next().unwrap_or_default();
        return vec![entry.name.clone(), own.to_owned()];
    }
    let file = entry.name.rsplit(['\\', '/']).next();
    file.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZOOM: &str = r"C:\Program Files\Zoom\bin\Zoom.exe";

    fn entry(name: &str, start: u64, stop: Option<u64>) -> ConsentEntry {
        ConsentEntry {
            name: name.into(),
            is_packaged: !name.contains('\\'),
            start,
            stop,
        }
    }

    fn names_with(trust: &mut TrustedEntries, entries: &[ConsentEntry], runs: bool) -> Vec<String> {
        let captures = trust.captures(entries, |_| runs.then_some(7));
        captures
            .into_iter()
            .flat_map(|capture| capture.names)
            .collect()
    }

    fn names(trust: &mut TrustedEntries, entries: &[ConsentEntry]) -> Vec<String> {
        names_with(trust, entries, true)
    }

    #[test]
    fn a_program_that_begins_and_ends_is_seen() {
        let mut trust = TrustedEntries::default();
        assert!(names(&mut trust, &[entry(ZOOM, 5, Some(6))]).is_empty());
        assert_eq!(names(&mut trust, &[entry(ZOOM, 7, Some(0))]), ["Zoom.exe"]);
        assert!(names(&mut trust, &[entry(ZOOM, 7, Some(8))]).is_empty());
        let teams = "MSTeams_8wekyb3d8bbwe";
        assert!(names(&mut trust, &[entry(teams, 0, Some(0))]).is_empty());
        let used = [entry(teams, 9, Some(0))];
        assert_eq!(names(&mut trust, &used), [teams, "MSTeams"]);
    }

    #[test]
    fn entries_of_a_crash_before_the_start_do_not_count() {
        let mut trust = TrustedEntries::default();
        assert!(names(&mut trust, &[entry(ZOOM, 5, Some(0))]).is_empty());
    }

    #[test]
    fn a_program_that_crashed_and_is_opened_again_counts_only_from_its_next_use() {
        for program in [ZOOM, "MSTeams_8wekyb3d8bbwe"] {
            let mut trust = TrustedEntries::default();
            assert!(names(&mut trust, &[entry(program, 5, Some(6))]).is_empty());
            let left = [entry(program, 7, Some(0))];
            assert!(!names(&mut trust, &left).is_empty());
            assert!(names_with(&mut trust, &left, false).is_empty());
            assert!(names(&mut trust, &left).is_empty(), "it only runs again");
            assert!(names(&mut trust, &[entry(program, 8, Some(9))]).is_empty());
            assert!(!names(&mut trust, &[entry(program, 10, Some(0))]).is_empty());
        }
    }

    #[test]
    fn a_new_program_is_not_in_use_until_both_times_are_written() {
        let mut trust = TrustedEntries::default();
        assert!(names(&mut trust, &[entry(ZOOM, 5, None)]).is_empty());
        assert_eq!(names(&mut trust, &[entry(ZOOM, 5, Some(0))]), ["Zoom.exe"]);
    }
}
