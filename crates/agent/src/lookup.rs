//! Finds the row of the table to which a process belongs.

use std::collections::HashMap;

use agent_protocol::{Row, program_key};

/// Index of the table by name.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    rows: Vec<Row>,
    names: HashMap<String, usize>,
}

impl Lookup {
    /// Indexes the rows. A name in two rows belongs to the first of them.
    pub fn new(rows: Vec<Row>) -> Self {
        let mut names = HashMap::new();
        for (index, row) in rows.iter().enumerate() {
            for name in std::iter::once(&row.process).chain(&row.also) {
                names.entry(program_key(name)).or_insert(index);
            }
        }
        Self { rows, names }
    }

    /// Row of a process with these names: the first name that has a row decides.
    pub fn find<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<&Row> {
        let index = names
            .into_iter()
            .find_map(|name| self.names.get(&program_key(name)))?;
        self.rows.get(*index)
    }

    /// Row of a process, spelled like in the table.
    pub fn row(&self, process: &str) -> Option<&Row> {
        self.find([process])
    }

    /// Rows of the table.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(process: &str, also: &[&str]) -> Row {
        Row {
            process: process.into(),
            also: also.iter().map(|name| (*name).to_owned()).collect(),
            ..Row::default()
        }
    }

    fn found(lookup: &Lookup, names: &[&str]) -> Option<String> {
        lookup
            .find(names.iter().copied())
            .map(|row| row.process.clone())
    }

    #[test]
    fn a_programs_own_name_goes_before_that_of_its_parent() {
        let lookup = Lookup::new(vec![row("Slack", &[]), row("chrome", &["Google Chrome"])]);
        assert_eq!(
            found(&lookup, &["chrome.exe", "slack"]),
            Some("chrome".into())
        );
        assert_eq!(found(&lookup, &["helper", "SLACK"]), Some("Slack".into()));
        assert_eq!(found(&lookup, &["google chrome"]), Some("chrome".into()));
        assert_eq!(found(&lookup, &["chromedriver"]), None);
    }

    proptest! {
        #[test]
        fn lookups_match_a_linear_search(
            rows in proptest::collection::vec("[a-cA-C]{1,2}(.exe)?", 0..8),
            name in "[a-cA-C]{1,2}(.EXE)?",
        ) {
            let rows: Vec<Row> = rows.iter().map(|process| row(process, &[])).collect();
            let slow = rows.iter().find(|row| row.matches_any([name.as_str()])).cloned();
            let lookup = Lookup::new(rows);
            prop_assert_eq!(lookup.row(&name).cloned(), slow);
        }
    }
}
