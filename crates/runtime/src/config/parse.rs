//! Messages for a file that cannot be parsed.

use std::path::Path;

use super::{ConfigError, places::Places};

/// Converts a parser error to a message with line and key. `arrays`: keys that may be arrays of tables.
pub(super) fn explain(
    path: &Path,
    text: &str,
    error: &toml::de::Error,
    arrays: &[&str],
) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start);
    let places = Places::new(text);
    let (line, key) = (places.line_at(at), places.key_at(at));
    let is_single_table = arrays.contains(&&*key) && error.message().contains("type: map");
    let table = key.clone();
    let key = if key.is_empty() {
        key
    } else {
        format!("{key}: ")
    };
    let is_secret = ["secret", "password", "api_key"]
        .iter()
        .any(|word| key.contains(word));
    // The parser's message quotes the value, which may be a secret.
    let problem = match error.message() {
        message if is_secret && message.starts_with("invalid") => {
            "expected text in quotes".to_owned()
        }
        _ if is_single_table => {
            format!("there may be several of these; write [[{table}]], with two brackets each")
        }
        message => message.to_owned(),
    };
    ConfigError::Line {
        path: path.into(),
        line,
        key,
        problem,
    }
}
