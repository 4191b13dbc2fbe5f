//! The query of a request, decoded.

use percent_encoding::percent_decode_str;

/// Options of a query, names in lower case without the dollar sign.
#[derive(Debug, Default)]
pub(super) struct Query {
    options: Vec<(String, String)>,
}

impl Query {
    /// Parses the part of a URL after the question mark.
    pub(super) fn parse(text: &str) -> Self {
        let decode = |part: &str| {
            let blanks = part.replace('+', " ");
            percent_decode_str(&blanks).decode_utf8_lossy().into_owned()
        };
        let options = text.split('&').filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name).trim_start_matches('$').to_ascii_lowercase();
            (name, decode(value))
        });
        Self {
            options: options.collect(),
        }
    }

    /// The value of an option.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.options
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first option that is not among those listed.
    pub(super) fn other_than(&self, known: &[&str]) -> Option<&str> {
        let stranger = self
            .options
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()));
        stranger.map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn options_are_decoded() {
        let query = Query::parse("$select=id,mail&%24top=5&$filter=id+eq+%27x%27&flag");
        assert_eq!(query.get("select"), Some("id,mail"));
        assert_eq!(query.get("top"), Some("5"));
        assert_eq!(query.get("filter"), Some("id eq 'x'"));
        assert_eq!(query.other_than(&["select", "top", "filter"]), Some("flag"));
    }

    proptest! {
        #[test]
        fn nonsense_never_panics(text in ".{0,100}") {
            let _ = Query::parse(&text);
        }
    }
}
