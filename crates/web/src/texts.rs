//! Texts of the pages in the languages of the interface (`locales/*.ftl`).

use std::sync::LazyLock;

use api::problem::ProblemCode;
use api_types::presence::{ActivityBody, ActivityKind, ActivitySystem};
use i18n::{FluentArgs, FluentValue, Language, Messages};

/// Contents of the Fluent files.
const fn files(language: Language) -> &'static [&'static str] {
    match language {
        Language::English => &[
            include_str!("../locales/en.ftl"),
            include_str!("../locales/en-own.ftl"),
            include_str!("../locales/en-people.ftl"),
            include_str!("../locales/en-demo.ftl"),
            include_str!("../locales/en-person.ftl"),
            include_str!("../locales/en-me.ftl"),
            include_str!("../locales/en-admin.ftl"),
            include_str!("../locales/en-home.ftl"),
            include_str!("../locales/en-problems.ftl"),
        ],
        Language::German => &[
            include_str!("../locales/de.ftl"),
            include_str!("../locales/de-own.ftl"),
            include_str!("../locales/de-people.ftl"),
            include_str!("../locales/de-demo.ftl"),
            include_str!("../locales/de-person.ftl"),
            include_str!("../locales/de-me.ftl"),
            include_str!("../locales/de-admin.ftl"),
            include_str!("../locales/de-home.ftl"),
            include_str!("../locales/de-problems.ftl"),
        ],
    }
}

fn messages(language: Language) -> &'static Messages {
    static ENGLISH: LazyLock<Messages> = LazyLock::new(|| {
        Messages::new(Language::English, files(Language::English).iter().copied())
    });
    static GERMAN: LazyLock<Messages> =
        LazyLock::new(|| Messages::new(Language::German, files(Language::German).iter().copied()));
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    }
}

/// The texts of the pages in a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texts(pub Language);

impl Texts {
    /// BCP 47 tag of the language, as in the `lang` attribute of HTML.
    pub const fn code(self) -> &'static str {
        self.0.code()
    }

    /// The name of the language in the language itself.
    pub const fn name(self) -> &'static str {
        self.0.name()
    }

    /// Whether a message with this key exists.
    #[cfg(test)]
    pub(crate) fn has(self, key: &str) -> bool {
        messages(self.0).has(key)
    }

    /// The message of `key`, or `key` itself if no such message exists (tests check all keys that pages use).
    pub(crate) fn text(self, key: &str) -> String {
        messages(self.0).text(key)
    }

    /// The message of `key` with the argument `name`.
    pub(crate) fn with<'a>(
        self,
        key: &str,
        name: &'a str,
        value: impl Into<FluentValue<'a>>,
    ) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set(name, value);
        messages(self.0).format(key, Some(&arguments))
    }

    /// The message of `key` with arguments of any kind.
    pub(crate) fn of<'a, const COUNT: usize>(
        self,
        key: &str,
        values: [(&'a str, FluentValue<'a>); COUNT],
    ) -> String {
        let mut arguments = FluentArgs::new();
        for (name, value) in values {
            arguments.set(name, value);
        }
        messages(self.0).format(key, Some(&arguments))
    }

    /// The message of `key` with two arguments, each as (name, value).
    pub(crate) fn of_two(self, key: &str, one: (&str, &str), other: (&str, &str)) -> String {
        messages(self.0).with(key, &[one, other])
    }

    /// An activity as text. Names of programs are not translated.
    pub(crate) fn activity(self, activity: &ActivityBody) -> String {
        match (activity.kind, activity.via) {
            (ActivityKind::UsingApp, _) => self.with("activity-UsingApp", "app", &*activity.label),
            (ActivityKind::OnThePhone, ActivitySystem::Teams) => {
                self.text("activity-OnThePhoneTeams")
            }
            (kind, _) => self.text(&format!("activity-{}", kind.name())),
        }
    }

    /// A problem as text. `detail`: its text in English, for problems without a code or without a message.
    pub(crate) fn problem(self, code: Option<&ProblemCode>, detail: &str) -> String {
        let key = code.map(|code| format!("problem-{}", code.code));
        match (code, key.filter(|key| messages(self.0).has(key))) {
            (Some(ProblemCode { values, .. }), Some(key)) => {
                let mut arguments = FluentArgs::new();
                for (name, value) in values {
                    arguments.set(&**name, &**value);
                }
                messages(self.0).format(&key, Some(&arguments))
            }
            // In the page's language already, or a detail of the API.
            _ => detail.to_owned(),
        }
    }

    /// The messages of `keys` as a JSON object for scripts. Arguments remain as placeholders (`{name}`), which the script
    /// replaces.
    pub(crate) fn for_script(self, keys: &[&str]) -> String {
        let mut arguments = FluentArgs::new();
        for name in ARGUMENTS {
            arguments.set(name, format!("{{{name}}}"));
        }
        let texts = keys.iter().map(|key| {
            let text = messages(self.0).format(key, Some(&arguments));
            ((*key).to_owned(), serde_json::Value::from(text))
        });
        serde_json::Value::Object(texts.collect()).to_string()
    }
}

/// Names of the arguments of messages that scripts use.
const ARGUMENTS: [&str; 20] = [
    "name", "tenant", "status", "app", "party", "time", "target", "scope", "shown", "count",
    "seconds", "value", "zone", "profile", "level", "policy", "folder", "most", "least", "uses",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn keys(language: Language) -> BTreeSet<&'static str> {
        let lines = files(language).iter().flat_map(|file| file.lines());
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
        let mut arguments = FluentArgs::new();
        for name in argument_names() {
            arguments.set(name, "value");
        }
        for language in Language::ALL {
            for key in &english {
                let said = messages(language).format(key, Some(&arguments));
                assert_ne!(said, *key);
                assert!(!said.contains("{$"), "{said}");
            }
        }
    }

    /// Names of all arguments in the files.
    fn argument_names() -> BTreeSet<&'static str> {
        let files = Language::ALL.into_iter().flat_map(files);
        let starts = files.flat_map(|file| file.split('$').skip(1));
        let is_of_name =
            |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        starts
            .map(|rest| {
                rest.split(|letter| !is_of_name(letter))
                    .next()
                    .unwrap_or_default()
            })
            .collect()
    }

    /// The codes of problems in the files of a folder, each with its file.
    fn codes(folder: &std::path::Path, into: &mut Vec<(String, String)>) {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                codes(&path, into);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for call in ["ProblemCode::new(\"", "Refusal::forbidden(\""] {
                for part in text.split(call).skip(1) {
                    let code = part.split('"').next().unwrap().to_owned();
                    into.push((code, path.display().to_string()));
                }
            }
        }
    }

    #[test]
    fn each_problem_with_a_code_is_said_in_every_language() {
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        codes(&here.join("src"), &mut found);
        codes(&here.join("../api/src"), &mut found);
        assert!(found.len() > 40, "{}", found.len());
        for (code, file) in found {
            for language in Language::ALL.map(Texts) {
                let key = format!("problem-{code}");
                assert!(language.has(&key), "{} {key}: {file}", language.code());
            }
        }
    }

    #[test]
    fn problems_are_said_with_their_values_and_otherwise_as_the_api_says_them() {
        let german = Texts(Language::German);
        let taken = ProblemCode::new("name-taken").with("value", "Vertrieb");
        let text = german.problem(Some(&taken), "there is a scope called Vertrieb");
        assert!(
            text.starts_with("„Vertrieb“ ist bereits vergeben."),
            "{text}"
        );
        assert_eq!(german.problem(None, "as it is"), "as it is");
        let later = "new-in-a-later-version";
        let unknown = ProblemCode::new(later);
        assert_eq!(german.problem(Some(&unknown), "as it is"), "as it is");
    }

    #[test]
    fn arguments_stand_in_messages() {
        assert_eq!(
            Texts(Language::English).with("board-people", "count", 1),
            "1 person"
        );
        assert_eq!(
            Texts(Language::German).with("board-people", "count", 3),
            "3 Personen"
        );
        assert_eq!(Texts(Language::German).text("status-Busy"), "Beschäftigt");
        let words = Texts(Language::English).for_script(&["board-why-of"]);
        assert_eq!(words, r#"{"board-why-of":"Why {status}? {name}"}"#);
    }
}
