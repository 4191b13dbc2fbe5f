//! People from a table: a CSV file or what a spreadsheet program saves as text. The columns are `name`, `mail`, `UPN` and
//! `extension`, in any order and case, with `objectId` and `location` where they are known. A person with several
//! extensions has several rows.
//!
//! [`read_people_csv`] is the only way from bytes to people: for the page, the API and the command line.

mod columns;
mod decode;
mod letters;
mod people;
mod records;
mod values;

pub use columns::{Column, ColumnUse, separator_name};
pub use decode::{DecodedTable, decode_table};
pub use values::is_guid;

use columns::read_head;
use people::People;

/// A person to import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPerson {
    /// Line of the table in which the person is named first; `None`: from no table.
    pub line: Option<u64>,
    /// The name people see.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name at Microsoft, or empty.
    pub user_principal_name: String,
    /// Entra object id, if it is known; otherwise the account is searched for by sign-in name and mail.
    pub teams_id: Option<String>,
    /// The name of the person's location; `None`: as it is.
    pub location: Option<String>,
    /// Telephone extensions.
    pub extensions: Vec<String>,
    /// Lines of the table that give the extensions, in the same order; empty: from no table.
    pub extension_lines: Vec<u64>,
}

/// A table of people, and how it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleTable {
    /// The people, in the order of the table.
    pub people: Vec<ImportPerson>,
    /// Name of the encoding.
    pub encoding: &'static str,
    /// What separates the columns.
    pub separator: char,
    /// The columns, in the order of the table.
    pub columns: Vec<Column>,
    /// Lines that were skipped as comments.
    pub comments: usize,
}

impl PeopleTable {
    /// The titles of optional columns that the table does not have.
    pub fn missing_columns(&self) -> Vec<&'static str> {
        let has = |wanted| {
            self.columns
                .iter()
                .any(|column| column.used_for == Some(wanted))
        };
        let missing = ColumnUse::ALL.into_iter().filter(|wanted| !has(*wanted));
        missing.map(ColumnUse::title).collect()
    }
}

/// A problem of a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvProblem {
    /// The whole file cannot be read.
    #[error("{0}")]
    File(String),
    /// A row cannot be read.
    #[error("line {line}: {problem}")]
    Row {
        /// Line in the file, from 1, as an editor counts.
        line: u64,
        /// The problem and its remedy.
        problem: String,
    },
}

impl CsvProblem {
    fn at(line: u64, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self::Row { line, problem }
    }

    fn of_file(problem: impl Into<String>) -> Self {
        Self::File(problem.into())
    }
}

/// Reads people from the bytes of a table. Encoding and separator are detected; `declared` is the charset that the sender
/// names, see [`decode_table`].
///
/// # Errors
/// The first problem, with its line. Nothing is imported then.
pub fn read_people_csv(bytes: &[u8], declared: Option<&str>) -> Result<PeopleTable, CsvProblem> {
    let DecodedTable { text, encoding } = decode_table(bytes, declared)?;
    let (head, records) = read_head(&text, encoding)?;
    let mut people = People::new(&head);
    for record in records {
        people.add(&record?)?;
    }
    let (people, comments) = people.done();
    let comments = head.comments + comments;
    Ok(PeopleTable {
        people,
        comments,
        encoding,
        separator: head.separator,
        columns: head.columns,
    })
}

/// Characters of a value that a problem shows at most.
const SHOWN_MAX: usize = 60;

/// A value of the table in quotes, cut, without control characters.
fn quoted(value: &str) -> String {
    let shown: String = value.chars().take(SHOWN_MAX).collect();
    match shown.len() < value.len() {
        true => format!("{shown:?}…"),
        false => format!("{shown:?}"),
    }
}
