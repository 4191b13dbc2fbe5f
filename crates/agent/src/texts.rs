//! Texts of the tray icon in the language of the desktop.

use i18n::{Language, Messages};

const ENGLISH: &str = include_str!("../locales/en.ftl");
const GERMAN: &str = include_str!("../locales/de.ftl");

/// Texts in the first available language of the desktop, else in English.
pub fn of_this_system() -> Messages {
    let known = |code: &String| Language::of_code(code).is_some();
    in_language(&sys_locale::get_locales().find(known).unwrap_or_default())
}

/// Texts in the language of a code such as `de-AT`, else in English.
pub fn in_language(code: &str) -> Messages {
    let language = Language::of_code(code).unwrap_or(Language::English);
    let file = match language {
        Language::English => ENGLISH,
        Language::German => GERMAN,
    };
    Messages::new(language, [file])
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
            let texts = in_language(code);
            for key in keys(ENGLISH) {
                assert!(texts.find(key).is_some(), "{key} in {code}");
            }
        }
    }

    #[test]
    fn a_desktop_in_another_language_is_spoken_to_in_english() {
        let text = |code| in_language(code).text("status-Busy");
        assert_eq!(text("de_AT.UTF-8"), "Beschäftigt");
        assert_eq!(text("DE"), "Beschäftigt");
        for code in ["en-GB", "fr", "", "-", "deu"] {
            assert_eq!(text(code), "Busy", "{code:?}");
        }
    }
}
