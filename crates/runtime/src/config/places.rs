//! Lines and keys of the configuration file, by the spans of the TOML parser. A path names a key with its sections; a
//! number is an index in an array of tables: `pbx.1.server`.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The parsed file with the span of each key; keys that the parser cannot read are absent.
pub(super) struct Places<'a> {
    text: &'a str,
    document: Spanned<DeTable<'a>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let (document, _) = DeTable::parse_recoverable(text);
        Self { text, document }
    }

    /// The line of a key, from 1; the line of its table if the key is missing.
    pub(super) fn line(&self, path: &str) -> Option<usize> {
        let mut place = None;
        let mut table = Some(self.document.get_ref());
        let mut list = None;
        for part in path.split('.') {
            let value = match (list, table) {
                (Some(items), _) => {
                    let items: &[Spanned<DeValue<'_>>] = items;
                    let value = items.get(part.parse::<usize>().ok()?)?;
                    place = Some(value.span());
                    value.get_ref()
                }
                (None, Some(table)) => {
                    let known = table.iter().find(|(key, _)| key.get_ref() == part);
                    let Some((key, value)) = known else {
                        break;
                    };
                    place = Some(key.span());
                    value.get_ref()
                }
                (None, None) => break,
            };
            (table, list) = (value.as_table(), value.as_array().map(|list| &**list));
        }
        place.map(|span| self.line_at(span.start))
    }

    /// The line of a byte offset in the text, from 1.
    pub(super) fn line_at(&self, at: usize) -> usize {
        let before = self.text.get(..at.min(self.text.len()));
        before.unwrap_or_default().matches('\n').count() + 1
    }

    /// The key, with its sections, at a byte offset in its name or value; empty if there is none.
    pub(super) fn key_at(&self, at: usize) -> String {
        let mut found = Vec::new();
        in_table(self.document.get_ref(), at, &mut found);
        found.join(".")
    }
}

fn in_table(table: &DeTable<'_>, at: usize, found: &mut Vec<String>) -> bool {
    table.iter().any(|(key, value)| {
        found.push(key.get_ref().to_string());
        let is_here = in_value(value, at, found) || holds(&key.span(), at);
        if !is_here {
            found.pop();
        }
        is_here
    })
}

fn in_value(value: &Spanned<DeValue<'_>>, at: usize, found: &mut Vec<String>) -> bool {
    let inside = match value.get_ref() {
        DeValue::Table(table) => in_table(table, at, found),
        DeValue::Array(items) => items.iter().any(|item| in_value(item, at, found)),
        _ => false,
    };
    inside || holds(&value.span(), at)
}

fn holds(span: &Range<usize>, at: usize) -> bool {
    span.contains(&at)
}

/// A path as shown beside a line: without the indexes of tables.
pub(super) fn shown(path: &str) -> String {
    let (path, rest) = path
        .split_once(' ')
        .map_or((path, None), |(path, rest)| (path, Some(rest)));
    let names = path
        .split('.')
        .filter(|part| part.parse::<usize>().is_err());
    let names = names.collect::<Vec<_>>().join(".");
    rest.map_or(names.clone(), |rest| format!("{names} {rest}"))
}
