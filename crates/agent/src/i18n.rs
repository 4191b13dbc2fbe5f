//! The words of the tray icon, in the language of the person's desktop.

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use unic_langid::langid;

/// Words in one language.
pub struct Words(FluentBundle<FluentResource>);

const ENGLISH: &str = include_str!("../locales/en.ftl");
const GERMAN: &str = include_str!("../locales/de.ftl");

impl Words {
    /// In the first language of the desktop that there is, else in English.
    pub fn of_this_system() -> Self {
        let mut wanted = sys_locale::get_locales();
        Self::in_language(&wanted.find(|code| is_known(code)).unwrap_or_default())
    }

    /// In the language of a code like `de-AT`, else in English.
    pub fn in_language(code: &str) -> Self {
        let (id, text) = match primary(code).as_str() {
            "de" => (langid!("de"), GERMAN),
            _ => (langid!("en"), ENGLISH),
        };
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        bundle.set_use_isolating(false);
        // What could not be read is left out; a test reads every key.
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(read, _)| read);
        let _ = bundle.add_resource(resource);
        Self(bundle)
    }

    /// The words of this key; nothing where there are none.
    pub fn known(&self, key: &str) -> Option<String> {
        self.0.has_message(key).then(|| self.with(key, &[]))
    }

    /// The words of this key; the key itself where there are none, which a test makes impossible.
    pub fn say(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// The words of this key with texts in them.
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

/// The language of `de-AT`, or of `de_AT.UTF-8`.
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
            let words = Words::in_language(code);
            for key in keys(ENGLISH) {
                assert!(words.known(key).is_some(), "{key} in {code}");
            }
        }
    }

    #[test]
    fn a_desktop_in_another_language_is_spoken_to_in_english() {
        let say = |code| Words::in_language(code).say("status-Busy");
        assert_eq!(say("de_AT.UTF-8"), "Beschäftigt");
        assert_eq!(say("DE"), "Beschäftigt");
        for code in ["en-GB", "fr", "", "-", "deu"] {
            assert_eq!(say(code), "Busy", "{code:?}");
        }
    }
}
