//! The sections `[outside]` and `[calendar]`: which addresses and files the server reads when a person enters them.

use std::path::PathBuf;

use reqwest::Url;
use runtime::config::{ConfigError, ConfigReader};
use serde::Deserialize;

use crate::external_fetch::OutsideOptions;

/// The section `[outside]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideSection {
    #[serde(default)]
    allow: Vec<String>,
    proxy: Option<String>,
}

/// The section `[calendar]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarSection {
    folder: Option<PathBuf>,
}

/// The options of both sections.
///
/// # Errors
/// The first invalid value.
pub fn outside(
    reader: &ConfigReader<'_>,
    outside: OutsideSection,
    calendar: CalendarSection,
) -> Result<OutsideOptions, ConfigError> {
    let data = reader.data();
    let calendar_folder = calendar.folder.map(|folder| reader.beside(&folder));
    if let Some(folder) = &calendar_folder
        && (folder.starts_with(data) || data.starts_with(folder))
    {
        let problem = format!(
            "{} holds the data folder or is in it; expected a folder of its own with nothing but calendars",
            folder.display()
        );
        return Err(reader.error("calendar.folder", problem));
    }
    let proxy = outside.proxy.map(|text| {
        let url = Url::parse(&text).ok();
        let url = url.filter(|url| {
            ["http", "https"].contains(&url.scheme()) && url.username().is_empty() && url.password().is_none()
        });
        // The address may hold a password: the message does not repeat it.
        url.ok_or_else(|| {
            let problem = "is no address of an HTTP proxy; expected for example \"http://proxy.example.com:3128\", without a user";
            reader.error("outside.proxy", problem)
        })
    });
    Ok(OutsideOptions {
        allow: reader.networks("outside.allow", &outside.allow)?,
        proxy: proxy.transpose()?,
        calendar_folder,
        data: data.to_owned(),
    })
}
