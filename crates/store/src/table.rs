//! Reading of people from a table: a CSV file or another text file of a spreadsheet program. The columns are `name`,
//! `mail`, `UPN` and `extension`, in any order and case, and optionally `objectId` and `location`. A person with several
//! extensions has several rows.
//!
//! The page, the API and the command line all use [`read_people_csv`].

mod columns;
mod decode;
mod letters;
mod people;
mod records;
mod values;

use columns::read_head;
pub use columns::{Column, ColumnUse, separator_name};
pub use decode::{DecodedTable, decode_table};
use people::People;
use presence::{Extension, TeamsUserId};
pub use values::is_guid;

/// A person to import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPerson {
    /// Line of the person's first row; `None` if the person does not come from a table.
    pub line: Option<u64>,
    /// Display name.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name (UPN), or empty.
    pub user_principal_name: String,
    /// Entra object id, as the table has it; `None` if the account is to be found by sign-in name or mail address.
    pub teams_id: Option<String>,
    /// Name of the location; `None` keeps the person's present location.
    pub location: Option<String>,
    /// Extensions.
    pub extensions: Vec<Extension>,
    /// Lines of the extensions, in the same order; empty if the person does not come from a table.
    pub extension_lines: Vec<u64>,
}

impl ImportPerson {
    /// The Teams account that the row names.
    pub(crate) fn account(&self) -> Option<TeamsUserId> {
        self.teams_id.as_deref().map(TeamsUserId::new)
    }
}

/// A table of people, with its detected format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleTable {
    /// The people, in the order of the table.
    pub people: Vec<ImportPerson>,
    /// Name of the encoding.
    pub encoding: &'static str,
    /// Separator of the columns.
    pub separator: char,
    /// The columns, in the order of the table.
    pub columns: Vec<Column>,
    /// Number of lines that were skipped as comments.
    pub comments: usize,
}

impl PeopleTable {
    /// The titles of optional columns that the table does not have.
    pub fn missing_columns(&self) -> Vec<ColumnUse> {
        let has = |wanted| {
            self.columns
                .iter()
                .any(|column| column.used_for == Some(wanted))
        };
        let missing = ColumnUse::ALL.into_iter().filter(|wanted| !has(*wanted));
        missing.collect()
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

/// Reads people from the bytes of a table. Detects encoding and separator. `declared` is the charset from the
/// `Content-Type` of the request, see [`decode_table`].
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

/// The most characters of a value in the text of a problem.
const SHOWN_MAX: usize = 60;

/// A value of the table for the text of a problem: in quotes, shortened, control characters escaped.
fn quoted(value: &str) -> String {
    let shown: String = value.chars().take(SHOWN_MAX).collect();
    match shown.len() < value.len() {
        true => format!("{shown:?}…"),
        false => format!("{shown:?}"),
    }
}
