//! Languages of the interface, and the loader of their messages (Project Fluent), for the pages and the desktop agent.
//!
//! ```
//! use i18n::{Language, Messages};
//!
//! let messages = Messages::new(Language::German, ["greeting = Guten Tag, { $name }"]);
//! assert_eq!(messages.with("greeting", &[("name", "Anna")]), "Guten Tag, Anna");
//! assert_eq!(messages.text("unknown"), "unknown");
//! ```

pub use fluent_bundle::{FluentArgs, FluentValue};
use fluent_bundle::{FluentResource, concurrent::FluentBundle};
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

    /// The language of a BCP 47 tag (`de-AT`) or of a POSIX locale (`de_AT.UTF-8`) by its primary part; `None` if the
    /// interface has no such language.
    pub fn of_code(code: &str) -> Option<Self> {
        let primary = code.split(['-', '_', '.']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
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
}

/// The messages of a program in one language.
pub struct Messages(FluentBundle<FluentResource>);

impl Messages {
    /// Loads the contents of Fluent files. Messages with syntax errors are left out: a test of each program reads every key.
    pub fn new<'a>(language: Language, files: impl IntoIterator<Item = &'a str>) -> Self {
        let id = match language {
            Language::English => langid!("en"),
            Language::German => langid!("de"),
        };
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        // Pages isolate names in right-to-left scripts by elements of their own (`<bdi>`).
        bundle.set_use_isolating(false);
        for text in files {
            let resource =
                FluentResource::try_new(text.to_owned()).unwrap_or_else(|(read, _)| read);
            let _ = bundle.add_resource(resource);
        }
        Self(bundle)
    }

    /// Whether a message with this key exists.
    pub fn has(&self, key: &str) -> bool {
        self.0.has_message(key)
    }

    /// The message of `key`; `None` if no such message exists.
    pub fn find(&self, key: &str) -> Option<String> {
        self.has(key).then(|| self.text(key))
    }

    /// The message of `key`; `key` itself if no such message exists.
    pub fn text(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The message of `key` with arguments, each as (name, value).
    pub fn with(&self, key: &str, arguments: &[(&str, &str)]) -> String {
        let mut values = FluentArgs::new();
        for (name, value) in arguments {
            values.set((*name).to_owned(), (*value).to_owned());
        }
        self.format(key, Some(&values))
    }

    /// The message of `key` with arguments of any kind, such as numbers for plurals.
    pub fn format(&self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let message = self.0.get_message(key);
        let Some(pattern) = message.and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let text = self.0.format_pattern(pattern, arguments, &mut Vec::new());
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn the_weights_of_the_browser_decide() {
        use Language::{English, German};
        let accepted = Language::accepted;
        assert_eq!(accepted("de-AT,de;q=0.9,en;q=0.8"), Some(German));
        assert_eq!(accepted("fr, en;q=0.5, de;q=0.7"), Some(German));
        assert_eq!(accepted("de;q=0, en;q=0.1"), Some(English));
        assert_eq!(accepted("fr"), None);
    }

    #[test]
    fn tags_and_locales_name_a_language() {
        for code in ["de", "DE", "de-AT", "de_AT.UTF-8"] {
            assert_eq!(Language::of_code(code), Some(Language::German), "{code}");
        }
        for code in ["fr", "", "-", "deu"] {
            assert_eq!(Language::of_code(code), None, "{code}");
        }
    }
}
