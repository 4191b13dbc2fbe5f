//! The supported part of `$filter`: comparisons, all joined by `and` or all by `or`.

use serde_json::Value;

/// A comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Clause {
    /// The field has one of these values.
    In(String, Vec<Literal>),
    StartsWith(String, String),
    EndsWith(String, String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Literal {
    Text(String),
    Flag(bool),
}

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    clauses: Vec<Clause>,
    any: bool,
}

impl Filter {
    /// Parses a filter; `None` if it is not supported.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (by_or, by_and) = (split(text, " or "), split(text, " and "));
        let any = by_or.len() > 1;
        if any && by_and.len() > 1 {
            return None;
        }
        let parts = if any { by_or } else { by_and };
        let clauses = parts.into_iter().map(clause).collect::<Option<_>>()?;
        Some(Self { clauses, any })
    }

    /// Returns true if an object with the given fields passes.
    pub(super) fn passes(&self, field: impl Fn(&str) -> Value) -> bool {
        let holds = |clause: &Clause| match clause {
            Clause::In(name, literals) => {
                let value = field(name);
                literals.iter().any(|literal| literal.is(&value))
            }
            Clause::StartsWith(name, start) => text(&field(name)).starts_with(start),
            Clause::EndsWith(name, end) => text(&field(name)).ends_with(end),
        };
        if self.any {
            self.clauses.iter().any(holds)
        } else {
            self.clauses.iter().all(holds)
        }
    }

    /// The compared fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.clauses.iter().map(|clause| match clause {
            Clause::In(name, _) | Clause::StartsWith(name, _) | Clause::EndsWith(name, _) => {
                name.as_str()
            }
        })
    }

    /// Returns true if the filter needs `ConsistencyLevel: eventual` and `$count=true`.
    pub(super) fn is_advanced(&self) -> bool {
        self.clauses
            .iter()
            .any(|clause| matches!(clause, Clause::EndsWith(..)))
    }

    /// The ids, if the filter is a list of ids only.
    pub(super) fn ids(&self) -> Option<Vec<String>> {
        let mut ids = Vec::new();
        for clause in &self.clauses {
            let Clause::In(name, literals) = clause else {
                return None;
            };
            if name != "id" || !(self.any || self.clauses.len() == 1) {
                return None;
            }
            for literal in literals {
                match literal {
                    Literal::Text(text) => ids.push(text.clone()),
                    Literal::Flag(_) => return None,
                }
            }
        }
        Some(ids)
    }
}

impl Literal {
    fn is(&self, value: &Value) -> bool {
        match self {
            Self::Text(text) => value
                .as_str()
                .is_some_and(|value| value.to_lowercase() == *text),
            Self::Flag(flag) => value.as_bool() == Some(*flag),
        }
    }
}

/// A value in the form in which texts are compared: in lower case.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_lowercase()
}

/// Splits at a word outside quotes.
fn split<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, letter) in text.char_indices() {
        if letter == '\'' {
            quoted = !quoted;
        }
        let here = text.get(at..at + word.len());
        if !quoted && at >= start && here.is_some_and(|here| here.eq_ignore_ascii_case(word)) {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + word.len();
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

fn clause(text: &str) -> Option<Clause> {
    let text = text.trim();
    for (name, starts) in [("startswith(", true), ("endswith(", false)] {
        if let Some((head, rest)) = text.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name)
        {
            let (field, value) = rest.strip_suffix(')')?.split_once(',')?;
            let Literal::Text(value) = literal(value)? else {
                return None;
            };
            let field = field.trim().to_owned();
            return Some(if starts {
                Clause::StartsWith(field, value)
            } else {
                Clause::EndsWith(field, value)
            });
        }
    }
    let (field, rest) = text.split_once(' ')?;
    let (operator, rest) = rest.trim_start().split_once([' ', '('])?;
    let field = field.to_owned();
    if operator.eq_ignore_ascii_case("eq") {
        return Some(Clause::In(field, vec![literal(rest)?]));
    }
    if operator.eq_ignore_ascii_case("in") {
        let list = rest.trim().trim_start_matches('(').strip_suffix(')')?;
        let literals = split(list, ",")
            .into_iter()
            .map(literal)
            .collect::<Option<_>>()?;
        return Some(Clause::In(field, literals));
    }
    None
}

fn literal(text: &str) -> Option<Literal> {
    let text = text.trim();
    match text {
        "true" => return Some(Literal::Flag(true)),
        "false" => return Some(Literal::Flag(false)),
        _ => {}
    }
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(Literal::Text(inner.replace("''", "'").to_lowercase()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn passes(filter: &str) -> bool {
        let person = json!({ "mail": "anna@contoso.example", "displayName": "Anna O'Neill", "accountEnabled": true });
        Filter::parse(filter)
            .unwrap()
            .passes(|name| person[name].clone())
    }

    #[test]
    fn comparisons_are_understood() {
        for (filter, expected) in [
            ("mail eq 'ANNA@contoso.example'", true),
            ("mail eq 'ben@contoso.example'", false),
            ("startswith(displayName,'anna')", true),
            ("startsWith(displayName, 'O')", false),
            ("endswith(mail,'contoso.example')", true),
            (
                "accountEnabled eq true and displayName eq 'Anna O''Neill'",
                true,
            ),
            (
                "accountEnabled eq false or mail in ('x','anna@contoso.example')",
                true,
            ),
            (
                "accountEnabled eq false and mail in ('x','anna@contoso.example')",
                false,
            ),
        ] {
            assert_eq!(passes(filter), expected, "{filter}");
        }
        assert_eq!(
            Filter::parse("id eq 'a' or id eq 'b'")
                .unwrap()
                .ids()
                .unwrap(),
            ["a", "b"]
        );
    }

    #[test]
    fn other_filters_are_not() {
        for filter in [
            "",
            "mail",
            "mail ne 'x'",
            "mail eq x",
            "a eq 'b' and c eq 'd' or e eq 'f'",
            "mail eq 'x",
        ] {
            assert_eq!(Filter::parse(filter), None, "{filter}");
        }
    }

    proptest! {
        #[test]
        fn nonsense_never_panics(text in ".{0,80}", tail in "[a-z'(), é]{0,60}") {
            let _ = Filter::parse(&text);
            let _ = Filter::parse(&format!("mail in ({tail}"));
        }
    }
}
