//! The sections `[outside]` and `[calendar]`: which addresses and files the server reads when a person enters them.

use std::path::Path;

use gateway::external_fetch::OutsideOptions;
use reqwest::Url;

use super::{
    Check, ConfigError,
    raw::{RawCalendar, RawOutside},
};

impl Check<'_> {
    pub(super) fn outside(
        &self,
        outside: RawOutside,
        calendar: RawCalendar,
        data: &Path,
    ) -> Result<OutsideOptions, ConfigError> {
        let base = self.path.parent().unwrap_or(Path::new("."));
        let calendar_folder = calendar.folder.map(|folder| base.join(folder));
        if let Some(folder) = &calendar_folder
            && (folder.starts_with(data) || data.starts_with(folder))
        {
            let problem = format!(
                "{} holds the data folder or is in it; expected a folder of its own with nothing but calendars",
                folder.display()
            );
            return Err(self.error("calendar.folder", problem));
        }
        let proxy = outside.proxy.map(|text| {
            let url = Url::parse(&text).ok();
            let url = url.filter(|url| {
                ["http", "https"].contains(&url.scheme()) && url.username().is_empty() && url.password().is_none()
            });
            // The address may hold a password: the message does not repeat it.
            url.ok_or_else(|| {
                let problem = "is no address of an HTTP proxy; expected for example \"http://proxy.example.com:3128\", without a user";
                self.error("outside.proxy", problem)
            })
        });
        Ok(OutsideOptions {
            allow: self.networks("outside.allow", &outside.allow)?,
            proxy: proxy.transpose()?,
            calendar_folder,
            data: data.to_owned(),
        })
    }
}
