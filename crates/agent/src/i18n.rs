//! Texts of the tray icon in the language of the desktop.

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use unic_langid::langid;

/// Texts in one language.
pub struct Texts(FluentBundle<FluentResource>);

const ENGLISH: &str = include_str!("../locales/en.ftl");
const GERMAN: &str = include_str!("../locales/de.ftl");

impl Texts {
    /// Texts in the first available language of the desktop, else in English.
    pub fn of_this_system() -> Self {
        let mut wanted = sys_locale::get_locales();
        Self::in_language(&wanted.find(|code| is_known(code)).unwrap_or_default())
    }

    /// Texts in the language of a code such as `de-AT`, else in English.
    pub fn in_language(code: &str) -> Self {
        let (id, text) = match primary(code).as_str() {
            "de" => (langid!("de"), GERMAN),
            _ => (langid!("en"), ENGLISH),
        };
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        bundle.set_use_isolating(false);
        // Unreadable lines are left out; a test reads every key.
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(read, _)| read);
        let _ = bundle.add_resource(resource);
        Self(bundle)
    }

    /// Text of a key; `None` for unknown keys.
    pub fn find(&self, key: &str) -> Option<String> {
        self.0.has_message(key).then(|| self.with(key, &[]))
    }

    /// Text of a key; the key itself if it is unknown, which a test excludes.
    pub fn text(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// Text of a key with arguments.
    pub fn with(&self, key: &str, texts: &[(&'static str, &str)]) -> String {
        let message = self.0.get_message(key);
        let Some(pattern) = message.and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let mut arguments = FluentArgs::new();
        for (name, text) in texts {
            arguments.set(*name, (*text).to_owned());
        }
        let text = self
            .0
            .format_pattern(pattern, Some(&arguments), &mut Vec::new());
        text.into_owned()
    }
}

/// Language of `de-AT` or `de_AT.UTF-8`.
fn primary(code: &str) -> String {
    let primary = code.split(['-', '_', '.']).next();
    primary.unwrap_or_default().to_ascii_lowercase()
}

fn is_known(code: &str) -> bool {
    ["de", "en"].contains(&primary(code).as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn keys(text: &str) -> BTreeSet<&str> {
        let pairs = text.lines().filter_map(|line| line.split_once(" = "));
        pairs.map(|(key, _)| key).collect()
    }

    #[test]
    fn every_language_has_the_same_words() {
        assert_eq!(keys(ENGLISH), keys(GERMAN));
        for code in ["en", "de"] {
            let texts = Texts::in_language(code);
            for key in keys(ENGLISH) {
                assert!(texts.find(key).is_some(), "{key} in {code}");
            }
        }
    }

    #[test]
    fn a_desktop_in_another_language_is_spoken_to_in_english() {
        let text = |code| Texts::in_language(code).text("status-Busy");
        assert_eq!(text("de_AT.UTF-8"), "Beschäftigt");
        assert_eq!(text("DE"), "Beschäftigt");
        for code in ["en-GB", "fr", "", "-", "deu"] {
            assert_eq!(text(code), "Busy", "{code:?}");
        }
    }
}
