//! The words of the pages, in the language of whoever looks: what they chose, else what their browser asks for.

use std::sync::LazyLock;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::langid;

use crate::cookies;

/// Name of the cookie with a chosen language.
pub(crate) const COOKIE: &str = "offhook_language";

/// A language that the pages are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::German];

    /// As in the `lang` attribute.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Its own name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    pub(crate) fn of_code(code: &str) -> Option<Self> {
        let primary = code.split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// Its words: those of all pages, of people's own, of administrators'.
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

    /// The words of this key; the key itself where there are none, which a test makes impossible.
    pub(crate) fn text(self, key: &str) -> String {
        self.format(key, None)
    }

    /// The words of this key with one value in them.
    pub(crate) fn with<'a>(
        self,
        key: &str,
        name: &'a str,
        value: impl Into<FluentValue<'a>>,
    ) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set(name, value);
        self.format(key, Some(&arguments))
    }

    /// The words of this key with two texts in them.
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

    /// The words that a script needs, as they are: it puts in the values itself. JSON.
    pub(crate) fn for_script(self, keys: &[&str]) -> String {
        let words = keys.iter().map(|key| {
            // What the script fills in stands in braces, as in Fluent itself.
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

/// What may stand in the words for scripts.
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
    // Names of people in a right-to-left script are set apart by the page's own elements.
    bundle.set_use_isolating(false);
    for text in language.texts() {
        // What could not be read is left out; a test reads every key.
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(read, _)| read);
        let _ = bundle.add_resource(resource);
    }
    bundle
}

/// The first language of `Accept-Language` that there is, by weight.
fn accepted(headers: &HeaderMap) -> Option<Language> {
    let value = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut offers: Vec<(f32, Language)> = value
        .split(',')
        .filter_map(|offer| {
            let mut parts = offer.split(';');
            let language = Language::of_code(parts.next()?.trim())?;
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok());
            Some((weight.unwrap_or(1.0), language))
        })
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    offers.sort_by(|one, other| other.0.total_cmp(&one.0));
    offers.first().map(|(_, language)| *language)
}

fn chosen(headers: &HeaderMap) -> Option<Language> {
    cookies::cookie(headers, COOKIE).and_then(Language::of_code)
}

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let headers = &parts.headers;
        Ok(chosen(headers)
            .or_else(|| accepted(headers))
            .unwrap_or(Self::English))
    }
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
    fn all_languages_have_the_same_words_and_each_can_be_said() {
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

    /// The files in a folder and below.
    fn files(folder: &str, into: &mut Vec<String>) {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                files(path.to_str().unwrap(), into);
            } else {
                into.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn pages_say_only_what_there_are_words_for() {
        let english = keys(Language::English);
        let mut texts = Vec::new();
        files(
            concat!(env!("CARGO_MANIFEST_DIR"), "/templates"),
            &mut texts,
        );
        files(
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages"),
            &mut texts,
        );
        let mut found = 0;
        for text in texts {
            for call in ["words.text(\"", "words.with(\"", ".say(\"", ".of_two(\""] {
                for part in text.split(call).skip(1) {
                    let key = part.split('"').next().unwrap();
                    assert!(english.contains(key), "{key}");
                    found += 1;
                }
            }
        }
        assert!(found > 200, "{found}");
    }

    #[test]
    fn there_are_words_for_whatever_has_a_name_in_the_api() {
        use presence::{Forwarding, OwnerPolicy, Relationship, SETTINGS, SettingsGroup, SyncMode};

        let english = keys(Language::English);
        let mut wanted: Vec<String> = Vec::new();
        wanted.extend(
            SETTINGS
                .iter()
                .map(|setting| format!("setting-{}-{}", setting.group.name(), setting.key)),
        );
        wanted.extend(SettingsGroup::ALL.map(|page| format!("page-{}", page.name())));
        wanted.extend(SyncMode::ALL.map(|mode| format!("mode-{}", mode.name())));
        wanted.extend(OwnerPolicy::ALL.map(|policy| format!("policy-{}", policy.name())));
        wanted.extend(Relationship::ALL.map(|level| format!("level-{}-may", level.name())));
        wanted.extend(Relationship::ALL.map(|level| format!("level-{}", level.name())));
        wanted.extend(Forwarding::KINDS.map(|kind| format!("forwarding-{kind}")));
        wanted.extend(store::Role::ALL.map(|role| format!("role-{}", role.name())));
        wanted.extend(store::API_KEY_SCOPES.map(|scope| format!("key-scope-{scope}")));
        wanted.extend(calendar::Fault::CODES.map(|code| format!("feed-unread-{code}")));
        for key in wanted {
            assert!(english.contains(key.as_str()), "{key}");
        }
    }

    #[test]
    fn numbers_and_names_stand_in_the_words() {
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
    fn the_browser_is_asked_unless_somebody_has_chosen() {
        let language = |accept: &str, cookie: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            chosen(&headers).or_else(|| accepted(&headers))
        };
        use Language::{English, German};
        assert_eq!(language("de-AT,de;q=0.9,en;q=0.8", ""), Some(German));
        assert_eq!(language("fr, en;q=0.5, de;q=0.7", ""), Some(German));
        assert_eq!(language("de;q=0, en;q=0.1", ""), Some(English));
        assert_eq!(language("de", "a=b; offhook_language=en"), Some(English));
        assert_eq!(language("fr", "offhook_language=xx"), None);
    }
}
