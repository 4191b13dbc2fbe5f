//! The section `[directory]`.

use runtime::config::{ConfigError, ConfigReader};
use serde::Deserialize;

use crate::options::{DirectoryOptions, PeopleFrom};

/// The section `[directory]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectorySection {
    entra: Option<bool>,
    group: Option<String>,
    location: Option<String>,
}

/// The options of the section; `None`: people are not taken from Entra. `keys`: the section's name and a dot.
///
/// # Errors
/// The first invalid value.
pub fn directory(
    reader: &ConfigReader<'_>,
    keys: &str,
    raw: DirectorySection,
) -> Result<Option<DirectoryOptions>, ConfigError> {
    let key = |name: &str| format!("{keys}{name}");
    if !raw.entra.unwrap_or(false) {
        for (name, given) in [("group", &raw.group), ("location", &raw.location)] {
            if given.is_some() {
                let problem = format!(
                    "selects people of Entra or their location, but {} is not true",
                    key("entra")
                );
                return Err(reader.error(&key(name), problem));
            }
        }
        return Ok(None);
    }
    let from = match raw.group {
        None => PeopleFrom::Everybody,
        group => PeopleFrom::Group(reader.segment(&key("group"), group)?),
    };
    let location = raw.location.filter(|name| !name.trim().is_empty());
    if location.is_none() && keys.starts_with("tenants.") {
        let problem = "is missing: people of a further tenant need a location, which names it";
        return Err(reader.error(&key("location"), problem));
    }
    Ok(Some(DirectoryOptions { from, location }))
}
