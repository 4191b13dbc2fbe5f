//! The records of a table, each with the line in which it begins (RFC 4180, and other separators).
//!
//! The crate `csv` reads an unclosed quotation to the end of the file without an error, and its line numbers leave out blank
//! lines and lines that end with CR LF: people would be lost silently, and errors would name wrong lines.

use super::CsvProblem;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Line in which it begins, as an editor counts.
    pub(super) line: u64,
    /// The fields, without blanks around them.
    pub(super) fields: Vec<String>,
    /// True if the first field is in quotes.
    pub(super) is_first_quoted: bool,
}

impl Record {
    /// Returns true if no field has a value.
    pub(super) fn is_blank(&self) -> bool {
        self.fields.iter().all(String::is_empty)
    }
}

/// Reads one record after the other. Lines end with `\n`.
#[derive(Clone, Debug)]
pub(super) struct Records<'a> {
    rest: &'a str,
    line: u64,
    separator: char,
}

impl<'a> Records<'a> {
    /// The records of `text`; `line` is the number of its first line.
    pub(super) fn new(text: &'a str, line: u64, separator: char) -> Self {
        Self {
            rest: text,
            line,
            separator,
        }
    }

    fn skip_blanks(&mut self) {
        let separator = self.separator;
        let is_blank = |c: char| c != '\n' && c != separator && is_space(c);
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    /// A field in quotes; the first quote is next.
    fn quoted_field(&mut self) -> Result<String, CsvProblem> {
        let line = self.line;
        let mut value = String::new();
        let mut rest = self.rest.strip_prefix('"').unwrap_or(self.rest);
        loop {
            let Some((part, after)) = rest.split_once('"') else {
                let problem = "a quotation mark opens a value and none closes it; close it, or write \"\" for a quotation mark within a value";
                return Err(CsvProblem::at(line, problem));
            };
            value += part;
            self.line += part.matches('\n').count() as u64;
            rest = after;
            let Some(after) = rest.strip_prefix('"') else {
                break;
            };
            value.push('"');
            rest = after;
        }
        self.rest = rest;
        self.skip_blanks();
        if self.rest.is_empty() || self.rest.starts_with([self.separator, '\n']) {
            return Ok(value);
        }
        let problem = "text follows the quotation mark that closes a value; put the whole value in quotes, with \"\" for each quotation mark within it";
        Err(CsvProblem::at(line, problem))
    }

    fn plain_field(&mut self) -> String {
        let end = self.rest.find([self.separator, '\n']);
        let (value, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        value.to_owned()
    }

    fn record(&mut self) -> Result<Record, CsvProblem> {
        let line = self.line;
        let mut fields = Vec::new();
        let mut is_first_quoted = false;
        loop {
            self.skip_blanks();
            let is_quoted = self.rest.starts_with('"');
            is_first_quoted |= is_quoted && fields.is_empty();
            let value = match is_quoted {
                true => self.quoted_field()?,
                false => self.plain_field(),
            };
            fields.push(value.trim_matches(is_space).to_owned());
            if let Some(rest) = self.rest.strip_prefix(self.separator) {
                self.rest = rest;
                continue;
            }
            if let Some(rest) = self.rest.strip_prefix('\n') {
                self.rest = rest;
                self.line += 1;
            }
            return Ok(Record {
                line,
                fields,
                is_first_quoted,
            });
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, CsvProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            self.rest = "";
        }
        Some(record)
    }
}

/// Blanks and the invisible characters that tables contain around values.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Records;

    fn fields(text: &str, separator: char) -> Result<Vec<(u64, Vec<String>)>, String> {
        Records::new(text, 1, separator)
            .map(|record| record.map(|record| (record.line, record.fields)))
            .collect::<Result<_, _>>()
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn lines_are_those_of_an_editor() {
        let text = "a,b\n\n\"x\ny\", \"say \"\"hi\"\"\" \nlast,\n";
        let records = fields(text, ',').unwrap();
        let record = |line, values: &[&str]| {
            let values = values.iter().map(ToString::to_string).collect();
            (line, values)
        };
        let expected = vec![
            record(1, &["a", "b"]),
            record(2, &[""]),
            record(3, &["x\ny", "say \"hi\""]),
            record(5, &["last", ""]),
        ];
        assert_eq!(records, expected);
        assert_eq!(
            fields("a\t\tb", '\t').unwrap(),
            [record(1, &["a", "", "b"])]
        );
    }

    #[test]
    fn quotes_that_do_not_close_are_refused_where_they_open() {
        for (text, line, word) in [
            ("a,b\n1,\"2\n3,4\n", 2, "none closes it"),
            ("a,b\n\n\"1\" x,2\n", 3, "text follows"),
            ("a,b\n\"1,2\n3,\"x\"\n", 2, "text follows"),
        ] {
            let problem = fields(text, ',').unwrap_err();
            assert!(problem.starts_with(&format!("line {line}: ")), "{problem}");
            assert!(problem.contains(word), "{problem}");
        }
    }

    proptest! {
        // Records that the crate `csv` writes are read back unchanged.
        #[test]
        fn what_another_writer_quotes_is_read(rows in prop::collection::vec(prop::collection::vec("[a,;\"\n]{1,6}", 3), 1..9)) {
            for separator in [',', ';'] {
                let mut writer = csv::WriterBuilder::new().delimiter(separator as u8).from_writer(Vec::new());
                for row in &rows {
                    writer.write_record(row).unwrap();
                }
                let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
                let read: Vec<Vec<String>> = fields(&text, separator).unwrap().into_iter().map(|(_, fields)| fields).collect();
                let trimmed = |row: &Vec<String>| -> Vec<String> { row.iter().map(|value| value.trim().to_owned()).collect() };
                prop_assert_eq!(read, rows.iter().map(trimmed).collect::<Vec<_>>());
            }
        }
    }
}
