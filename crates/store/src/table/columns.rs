//! Detection of the separator and of the columns of a table.

use super::{
    CsvProblem, quoted,
    records::{Record, Records},
};

/// The use of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnUse {
    /// Display name.
    Name,
    /// Mail address.
    Mail,
    /// Sign-in name (UPN).
    SignInName,
    /// Extension.
    Extension,
    /// Entra object id.
    ObjectId,
    /// Name of the location.
    Location,
}

impl ColumnUse {
    /// All uses, in the order of messages.
    pub const ALL: [Self; 6] = [
        Self::Name,
        Self::Mail,
        Self::SignInName,
        Self::Extension,
        Self::ObjectId,
        Self::Location,
    ];

    /// The title of a column with this use.
    pub fn title(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Mail => "mail",
            Self::SignInName => "UPN",
            Self::Extension => "extension",
            Self::ObjectId => "objectId",
            Self::Location => "location",
        }
    }

    /// Returns true if a table without such a column is refused.
    pub fn is_required(self) -> bool {
        match self {
            Self::Name | Self::Mail | Self::SignInName | Self::Extension => true,
            Self::ObjectId | Self::Location => false,
        }
    }

    /// The accepted titles, in lower case, reduced to letters and digits.
    fn titles(self) -> &'static [&'static str] {
        match self {
            Self::Name => &[
                "name",
                "displayname",
                "fullname",
                "anzeigename",
                "vollständigername",
            ],
            Self::Mail => &[
                "mail",
                "email",
                "mailaddress",
                "emailaddress",
                "mailadresse",
                "emailadresse",
            ],
            Self::SignInName => &[
                "upn",
                "userprincipalname",
                "signinname",
                "anmeldename",
                "benutzerprinzipalname",
            ],
            Self::Extension => &["extension", "phone", "durchwahl", "nebenstelle"],
            Self::ObjectId => &["objectid", "id", "objektid"],
            Self::Location => &["location", "standort"],
        }
    }

    fn of_title(title: &str) -> Option<Self> {
        let title: String = title
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        Self::ALL
            .into_iter()
            .find(|column| column.titles().contains(&title.as_str()))
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Title in the file.
    pub title: String,
    /// The use; `None` if the column is ignored.
    pub used_for: Option<ColumnUse>,
}

/// The detected separators, the most likely first.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// The most columns of a table.
const COLUMNS_MAX: usize = 1_000;

/// The head of a table.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) separator: char,
    pub(super) columns: Vec<Column>,
    /// Line of the header.
    pub(super) line: u64,
    /// Lines before it that were skipped as comments.
    pub(super) comments: usize,
}

impl Head {
    /// Index of the column with a use.
    pub(super) fn place(&self, wanted: ColumnUse) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.used_for == Some(wanted))
    }

    fn uses(&self) -> usize {
        self.columns
            .iter()
            .filter(|column| column.used_for.is_some())
            .count()
    }

    /// Refuses a head that lacks a column or has one twice.
    fn checked(self, encoding: &str) -> Result<Self, CsvProblem> {
        let count = self.columns.len();
        if count > COLUMNS_MAX {
            let problem = format!(
                "it has {count} columns; at most {COLUMNS_MAX} are read, so delete what is not needed"
            );
            return Err(CsvProblem::at(self.line, problem));
        }
        let missing = ColumnUse::ALL
            .into_iter()
            .filter(|column| column.is_required() && self.place(*column).is_none());
        let missing: Vec<&str> = missing.map(ColumnUse::title).collect();
        if !missing.is_empty() {
            let columns = match missing.as_slice() {
                [only] => format!("the column {only} is missing"),
                several => format!("the columns {} are missing", several.join(", ")),
            };
            let titles: Vec<String> = self
                .columns
                .iter()
                .map(|column| quoted(&column.title))
                .take(20)
                .collect();
            let problem = format!(
                "{columns}; the first line must name the columns name, mail, UPN and extension. \
                 It was read as {encoding}, separated by {}: {}",
                separator_name(self.separator),
                titles.join(", ")
            );
            return Err(CsvProblem::at(self.line, problem));
        }
        for wanted in ColumnUse::ALL {
            let same = self
                .columns
                .iter()
                .filter(|column| column.used_for == Some(wanted));
            let titles: Vec<String> = same.map(|column| quoted(&column.title)).collect();
            if titles.len() > 1 {
                let problem = format!(
                    "the columns {} are all taken for {}; delete or rename all but one",
                    titles.join(", "),
                    wanted.title()
                );
                return Err(CsvProblem::at(self.line, problem));
            }
        }
        Ok(self)
    }
}

/// The name of a separator.
pub fn separator_name(separator: char) -> String {
    match separator {
        ',' => "commas".into(),
        ';' => "semicolons".into(),
        '\t' => "tabs".into(),
        other => format!("{other:?}"),
    }
}

/// The head of a table and the records after it.
pub(super) fn read_head<'a>(
    text: &'a str,
    encoding: &str,
) -> Result<(Head, Records<'a>), CsvProblem> {
    let named = named_separator(text)?;
    let candidates = match &named.separator {
        Some(separator) => std::slice::from_ref(separator),
        None => &SEPARATORS[..],
    };
    let mut best: Option<(Head, Records<'a>)> = None;
    let mut unreadable = None;
    for separator in candidates {
        let mut records = Records::new(named.rest, named.line, *separator);
        match head(&mut records, *separator) {
            Ok(None) => {}
            Ok(Some(head)) => {
                let rank = |head: &Head| (head.uses(), head.columns.len());
                if best
                    .as_ref()
                    .is_none_or(|(best, _)| rank(best) < rank(&head))
                {
                    best = Some((head, records));
                }
            }
            Err(problem) => unreadable = unreadable.or(Some(problem)),
        }
    }
    match (best, unreadable) {
        (Some((mut head, records)), _) => {
            head.comments += named.comments;
            Ok((head.checked(encoding)?, records))
        }
        (None, Some(problem)) => Err(problem),
        (None, None) => Err(CsvProblem::of_file(
            "the file is empty; its first line must name the columns name, mail, UPN and extension",
        )),
    }
}

/// The separator from a line `sep=;` before the header, if there is one, and the text after that line.
struct Named<'a> {
    separator: Option<char>,
    rest: &'a str,
    /// Number of the first line of `rest`.
    line: u64,
    /// Number of comment lines before it, such as PowerShell's `#TYPE`.
    comments: usize,
}

/// Searches for a line `sep=;`: the first line, or the first after blank lines and comments.
fn named_separator(text: &str) -> Result<Named<'_>, CsvProblem> {
    let (mut rest, mut line, mut comments) = (text, 1, 0);
    loop {
        let (first, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let content = first.trim_matches(|c: char| c == '"' || c == ' ');
        let is_named = content
            .get(..4)
            .is_some_and(|name| name.eq_ignore_ascii_case("sep="));
        if is_named {
            return Ok(Named {
                separator: Some(separator_of(content, line)?),
                rest: after,
                line: line + 1,
                comments,
            });
        }
        let is_comment = content.starts_with('#');
        if after.is_empty() || !(is_comment || content.trim().is_empty()) {
            return Ok(Named {
                separator: None,
                rest: text,
                line: 1,
                comments: 0,
            });
        }
        comments += usize::from(is_comment);
        (rest, line) = (after, line + 1);
    }
}

fn separator_of(content: &str, line: u64) -> Result<char, CsvProblem> {
    let separator = content.chars().nth(4);
    separator
        .filter(|separator| SEPARATORS.contains(separator))
        .ok_or_else(|| {
            let problem = format!(
                "{} names none of the separators , ; tab and |; write sep=; or delete the line",
                quoted(content)
            );
            CsvProblem::at(line, problem)
        })
}

/// The first record that is neither blank nor a comment.
fn head(records: &mut Records<'_>, separator: char) -> Result<Option<Head>, CsvProblem> {
    let mut comments = 0;
    for record in records {
        let Record { line, fields, .. } = record?;
        let columns = fields.into_iter().map(|title| Column {
            used_for: ColumnUse::of_title(&title),
            title,
        });
        let head = Head {
            separator,
            columns: columns.collect(),
            line,
            comments,
        };
        let first = head.columns.first().map_or("", |column| &column.title);
        let is_blank = head.columns.iter().all(|column| column.title.is_empty());
        // A column of row numbers may have the title `#`.
        let is_comment = first.starts_with('#') && head.uses() < 2;
        if !is_blank && !is_comment {
            return Ok(Some(head));
        }
        comments += usize::from(is_comment);
    }
    Ok(None)
}
