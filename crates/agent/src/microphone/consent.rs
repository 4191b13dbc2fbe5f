//! What the consent store of Windows proves. It remembers who began to use the microphone and who ended; of a program that
//! crashed it says for ever that it still does. So an entry counts only once it was seen at rest, and while the program runs.

use std::collections::BTreeSet;

use super::Capture;

/// What is remembered of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path of its file, or the family name of its package.
    pub name: String,
    /// Whether it is a package.
    pub is_packaged: bool,
    /// When it began; 0: never.
    pub start: u64,
    /// When it ended; 0: not yet. It is written after `start`.
    pub stop: Option<u64>,
}

impl Entry {
    fn is_in_use(&self) -> bool {
        self.start != 0 && self.stop == Some(0)
    }
}

/// Which entries were seen at rest since the agent started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust(BTreeSet<String>);

impl Trust {
    /// Who uses the microphone, as far as that is proven. `running` tells the process that runs a file.
    pub fn captures(
        &mut self,
        entries: &[Entry],
        running: impl Fn(&str) -> Option<u32>,
    ) -> Vec<Capture> {
        let at_rest = entries.iter().filter(|entry| !entry.is_in_use());
        self.0.extend(at_rest.map(|entry| entry.name.clone()));
        let in_use = entries
            .iter()
            .filter(|entry| entry.is_in_use() && self.0.contains(&entry.name));
        in_use
            .filter_map(|entry| {
                if entry.is_packaged {
                    // The part before the publisher's mark is the package's own name.
                    let own = entry.name.split('_').next().unwrap_or_default();
                    let names = vec![entry.name.clone(), own.to_owned()];
                    return Some(Capture { pid: 0, names });
                }
                let pid = running(&entry.name)?;
                let file = entry.name.rsplit(['\\', '/']).next()?;
                let names = vec![file.to_owned()];
                Some(Capture { pid, names })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZOOM: &str = r"C:\Program Files\Zoom\bin\Zoom.exe";

    fn entry(name: &str, start: u64, stop: Option<u64>) -> Entry {
        Entry {
            name: name.into(),
            is_packaged: !name.contains('\\'),
            start,
            stop,
        }
    }

    fn names(trust: &mut Trust, entries: &[Entry]) -> Vec<String> {
        let captures = trust.captures(entries, |path| (path == ZOOM).then_some(7));
        captures
            .into_iter()
            .flat_map(|capture| capture.names)
            .collect()
    }

    #[test]
    fn a_program_that_begins_and_ends_is_seen() {
        let mut trust = Trust::default();
        assert!(names(&mut trust, &[entry(ZOOM, 5, Some(6))]).is_empty());
        assert_eq!(names(&mut trust, &[entry(ZOOM, 7, Some(0))]), ["Zoom.exe"]);
        assert!(names(&mut trust, &[entry(ZOOM, 7, Some(8))]).is_empty());
        let teams = "MSTeams_8wekyb3d8bbwe";
        assert!(names(&mut trust, &[entry(teams, 0, Some(0))]).is_empty());
        let used = [entry(teams, 9, Some(0))];
        assert_eq!(names(&mut trust, &used), [teams, "MSTeams"]);
    }

    #[test]
    fn what_a_crash_left_behind_proves_nothing() {
        let mut trust = Trust::default();
        assert!(names(&mut trust, &[entry(ZOOM, 5, Some(0))]).is_empty());
        // It was at rest once; but the program does not run.
        let other = r"C:\Acme\Meet.exe";
        assert!(names(&mut trust, &[entry(other, 5, Some(6))]).is_empty());
        assert!(names(&mut trust, &[entry(other, 7, Some(0))]).is_empty());
    }

    #[test]
    fn a_new_program_is_not_in_use_until_both_times_are_written() {
        let mut trust = Trust::default();
        assert!(names(&mut trust, &[entry(ZOOM, 5, None)]).is_empty());
        assert_eq!(names(&mut trust, &[entry(ZOOM, 5, Some(0))]), ["Zoom.exe"]);
    }
}
