//! Languages of the interface, and the loader of their messages (Project Fluent, `locales/*.ftl`).

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::langid;

/// A language of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, the default.
    English,
    /// German.
    German,
}

impl Language {
    /// All languages, in the order of the language menu.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// BCP 47 tag, as in the `lang` attribute of HTML.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The name of the language in the language itself.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The language of a BCP 47 tag by its primary subtag (`de-AT` is German); `None` if the interface has no such language.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        let primary = code.split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// Contents of the Fluent files: messages of all pages, of the personal pages, of the administration.
    const fn texts(self) -> [&'static str; 3] {
        match self {
            Self::English => [
                include_str!("../locales/en.ftl"),
                include_str!("../locales/en-me.ftl"),
                include_str!("../locales/en-admin.ftl"),
            ],
            Self::German => [
                include_str!("../locales/de.ftl"),
                include_str!("../locales/de-me.ftl"),
                include_str!("../locales/de-admin.ftl"),
            ],
        }
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        static ENGLISH: LazyLock<FluentBundle<FluentResource>> =
            LazyLock::new(|| bundle(Language::English));
        static GERMAN: LazyLock<FluentBundle<FluentResource>> =
            LazyLock::new(|| bundle(Language::German));
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }

    /// The most preferred language of an `Accept-Language` header (RFC 9110, section 12.5.4) that the interface has.
    pub fn accepted(header: &str) -> Option<Self> {
        let mut offers: Vec<(f32, Self)> = header
            .split(',')
            .filter_map(|offer| {
                let mut parts = offer.split(';');
                let language = Self::of_code(parts.next()?.trim())?;
                let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok());
                Some((weight.unwrap_or(1.0), language))
            })
            .filter(|(weight, _)| *weight > 0.0)
            .collect();
        offers.sort_by(|one, other| other.0.total_cmp(&one.0));
        offers.first().map(|(_, language)| *language)
    }

    /// Whether a message with this key exists.
    #[cfg(test)]
    pub fn has(self, key: &str) -> bool {
        self.bundle().has_message(key)
    }

    /// The message of `key`, or `key` itself if no such message exists (tests check all keys that pages use).
    pub fn text(self, key: &str) -> String {
        self.format(key, None)
    }

    /// The message of `key` with the argument `name`.
    pub fn with<'a>(self, key: &str, name: &'a str, value: impl Into<FluentValue<'a>>) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set(name, value);
        self.format(key, Some(&arguments))
    }

    /// The message of `key` with two arguments, each as (name, value).
    pub(crate) fn of_two(self, key: &str, one: (&str, &str), other: (&str, &str)) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set(one.0, one.1.to_owned());
        arguments.set(other.0, other.1.to_owned());
        self.format(key, Some(&arguments))
    }

    fn format(self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let bundle = self.bundle();
        let pattern = bundle.get_message(key).and_then(|message| message.value());
        let Some(pattern) = pattern else {
            return key.to_owned();
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, arguments, &mut errors);
        text.into_owned()
    }

    /// The messages of `keys` as a JSON object for scripts. Arguments remain as placeholders (`{name}`), which the script
    /// replaces.
    pub(crate) fn for_script(self, keys: &[&str]) -> String {
        let words = keys.iter().map(|key| {
            let mut arguments = FluentArgs::new();
            for name in ARGUMENTS {
                arguments.set(name, format!("{{{name}}}"));
            }
            let text = self.format(key, Some(&arguments));
            ((*key).to_owned(), serde_json::Value::from(text))
        });
        serde_json::Value::Object(words.collect()).to_string()
    }
}

/// Names of the arguments of messages that scripts use.
const ARGUMENTS: [&str; 17] = [
    "name", "tenant", "status", "app", "party", "time", "target", "scope", "shown", "count",
    "seconds", "value", "zone", "profile", "level", "policy", "folder",
];

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let id = match language {
        Language::English => langid!("en"),
        Language::German => langid!("de"),
    };
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // The pages isolate names in right-to-left scripts by elements of their own (`<bdi>`).
    bundle.set_use_isolating(false);
    for text in language.texts() {
        // Messages with syntax errors are left out; a test reads every key.
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(read, _)| read);
        let _ = bundle.add_resource(resource);
    }
    bundle
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn keys(language: Language) -> BTreeSet<&'static str> {
        let lines = language.texts().into_iter().flat_map(str::lines);
        let all: Vec<&str> = lines
            .filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()))
            .filter_map(|line| line.split_once(" ="))
            .map(|(key, _)| key)
            .collect();
        let keys: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(keys.len(), all.len(), "a key is there twice");
        keys
    }

    #[test]
    fn all_languages_have_the_same_messages_and_each_can_be_formatted() {
        let english = keys(Language::English);
        assert_eq!(english, keys(Language::German));
        assert!(english.len() > 40);
        for language in Language::ALL {
            for key in &english {
                let said = language.for_script(&[key]);
                assert!(!said.contains(&format!(":\"{key}\"")), "{said}");
                assert!(!said.contains("{$"), "{said}");
            }
        }
    }

    #[test]
    fn arguments_stand_in_messages() {
        assert_eq!(
            Language::English.with("board-people", "count", 1),
            "1 person"
        );
        assert_eq!(
            Language::German.with("board-people", "count", 3),
            "3 Personen"
        );
        assert_eq!(Language::German.text("status-Busy"), "Beschäftigt");
        let words = Language::English.for_script(&["board-why-of"]);
        assert_eq!(words, r#"{"board-why-of":"Why {status}? {name}"}"#);
    }

    #[test]
    fn the_weights_of_the_browser_decide() {
        use Language::{English, German};
        let accepted = Language::accepted;
        assert_eq!(accepted("de-AT,de;q=0.9,en;q=0.8"), Some(German));
        assert_eq!(accepted("fr, en;q=0.5, de;q=0.7"), Some(German));
        assert_eq!(accepted("de;q=0, en;q=0.1"), Some(English));
        assert_eq!(accepted("fr"), None);
    }
}
