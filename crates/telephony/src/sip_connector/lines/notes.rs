//! Log lines about lines of the PBX: one for each kind of trouble, however many lines have it. Pure.

use std::{collections::BTreeMap, mem, sync::Arc};

use super::Trouble;

/// A log line about several lines of the PBX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sip_connector) enum Note {
    /// The number of lines in trouble of one kind, and the first trouble.
    Trouble { lines: usize, first: Trouble },
    /// The number of recovered lines, and the first of them.
    Well { lines: usize, first: Arc<str> },
}

/// Notes for the log. Each kind of trouble has a remedy of its own, and there are few kinds.
#[derive(Debug, Default)]
pub(super) struct Notes {
    troubles: BTreeMap<String, (usize, Trouble)>,
    well: Option<(usize, Arc<str>)>,
}

impl Notes {
    pub(super) fn trouble(&mut self, trouble: &Trouble) {
        match self.troubles.get_mut(&trouble.remedy) {
            Some((lines, _)) => *lines += 1,
            None => {
                let remedy = trouble.remedy.clone();
                self.troubles.insert(remedy, (1, trouble.clone()));
            }
        }
    }

    pub(super) fn well(&mut self, extension: &Arc<str>) {
        match &mut self.well {
            Some((lines, _)) => *lines += 1,
            None => self.well = Some((1, extension.clone())),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.troubles.is_empty() && self.well.is_none()
    }

    pub(super) fn take(&mut self) -> Vec<Note> {
        let troubles = mem::take(&mut self.troubles).into_values();
        let troubles = troubles.map(|(lines, first)| Note::Trouble { lines, first });
        let well = self.well.take();
        let well = well.map(|(lines, first)| Note::Well { lines, first });
        troubles.chain(well).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lines_with_one_kind_of_trouble_are_one_note() {
        let mut notes = Notes::default();
        let trouble = |what: &str, remedy: &str| Trouble {
            what: what.into(),
            remedy: remedy.into(),
        };
        for line in 0..300 {
            notes.trouble(&trouble(
                &format!("no answer for {line}"),
                "Check the network.",
            ));
        }
        notes.trouble(&trouble("404 for 7", "Create it."));
        notes.well(&"8".into());
        notes.well(&"9".into());
        let taken = notes.take();
        let (first, lines) = (trouble("no answer for 0", "Check the network."), 300);
        assert!(taken.contains(&Note::Trouble { lines, first }));
        let (first, lines) = ("8".into(), 2);
        assert!(taken.contains(&Note::Well { lines, first }));
        assert_eq!((taken.len(), notes.is_empty()), (3, true));
    }
}
