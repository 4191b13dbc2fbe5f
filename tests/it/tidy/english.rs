//! Plain English: how many words of comments, documents and the interface stand for a thing that has a name.
//!
//! A low figure proves nothing; a high one means that readers must guess. CONTRIBUTING.md says how to write instead.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use end_to_end::repository;
use regex::Regex;

use super::tracked_files;

/// The most indirect words among 10,000 of a kind of text in a crate. Model code bases of the field have 2.6 to 4.9.
const INDIRECT_MAX: usize = 15;

/// Words that stand for a person, a system or a value that has a name.
const INDIRECT: &str = r"(?i)\b(?:whoever|whom|whose|whatever|anew|meanwhile|somebody|nobody|everybody|everyone else|told|tells|tell|says|said|say|looked|by itself|by themselves|so long|so many|so much|for ever|what is|what was|what becomes|what became|how it is|how it stands|hears|heard|hear of|wish|wishes|it is told|is nobody's|is somebody's|that is all|besides,|unhandy|look again|looks again|deed|deeds)\b";

/// A placeable of a Fluent message.
static PLACEABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{[^}]*\}").unwrap());
/// The beginning of a line of a Fluent file: a key, a variant or an attribute.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:[a-zA-Z][\w-]*\s*=|\*?\[[\w-]+\]|\.\w+\s*=)?\s*").unwrap()
});
/// Code in a document.
static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`[^`]*`").unwrap());

/// A kind of text, and how its lines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Comments,
    Documents,
    Interface,
}

impl Kind {
    /// The kind of text in a file; German is not counted.
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        match path.extension()?.to_str()? {
            "rs" => Some(Self::Comments),
            "md" => Some(Self::Documents),
            "ftl" if !name.starts_with("de") => Some(Self::Interface),
            _ => None,
        }
    }

    /// The lines of prose in a file, with their numbers.
    fn prose(self, text: &str) -> Vec<(usize, String)> {
        let mut fenced = false;
        let mut prose = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let found = match self {
                Self::Comments => {
                    let comment = line.trim_start().strip_prefix("//");
                    comment.map(|text| text.trim_start_matches(['/', '!']).to_owned())
                }
                Self::Interface if line.starts_with('#') => None,
                Self::Interface => Some(
                    PLACEABLE
                        .replace_all(&KEY.replace(line, ""), " ")
                        .into_owned(),
                ),
                Self::Documents if line.trim_start().starts_with("```") => {
                    fenced = !fenced;
                    None
                }
                Self::Documents => (!fenced).then(|| CODE.replace_all(line, " ").into_owned()),
            };
            prose.extend(found.map(|text| (number, text)));
        }
        prose
    }
}

/// What a file belongs to: its crate, or its first folder.
fn group(path: &Path) -> String {
    let path = path.strip_prefix(repository()).unwrap();
    let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
    match parts[..] {
        ["crates", name, ..] | [name, ..] => name.to_owned(),
        [] => String::new(),
    }
}

fn files() -> impl Iterator<Item = (Kind, PathBuf)> {
    let files = tracked_files().into_iter();
    files.filter_map(|path| Kind::of(&path).map(|kind| (kind, path)))
}

#[test]
fn texts_name_what_they_are_about() {
    let indirect = Regex::new(INDIRECT).unwrap();
    let word = Regex::new(r"[A-Za-z][A-Za-z'’-]*").unwrap();
    let mut counts: BTreeMap<(Kind, String), (usize, Vec<String>)> = BTreeMap::new();
    for (kind, path) in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let (words, places) = counts.entry((kind, group(&path))).or_default();
        for (number, line) in kind.prose(&text) {
            *words += word.find_iter(&line).count();
            let found = indirect.find_iter(&line);
            let short = path.strip_prefix(repository()).unwrap().display();
            places.extend(found.map(|found| format!("  {short}:{number}: {}", found.as_str())));
        }
    }
    let mut problems = Vec::new();
    for ((kind, group), (words, places)) in counts {
        if places.len() * 10_000 > INDIRECT_MAX * words {
            let rate = places.len() * 10_000 / words.max(1);
            problems.push(format!(
                "{kind:?} of {group}: {rate} of 10,000 words, at most {INDIRECT_MAX}:\n{}",
                places.join("\n")
            ));
        }
    }
    assert!(
        problems.is_empty(),
        "name the person, the system or the value instead (CONTRIBUTING.md, \"How we write English\"):\n{}",
        problems.join("\n")
    );
}

#[test]
fn indirect_words_are_found_in_each_kind_of_text() {
    let indirect = Regex::new(INDIRECT).unwrap();
    let cases = [
        (
            Kind::Comments,
            "    /// Tells whoever asks.\nlet nobody = 1;",
            2,
        ),
        (Kind::Documents, "Somebody `told`\n```\nnobody\n```\n", 1),
        (
            Kind::Interface,
            "# whose\nnobody-key = For { $whoever }, everybody\n",
            1,
        ),
    ];
    for (kind, text, expected) in cases {
        let prose = kind.prose(text);
        let found: usize = prose
            .iter()
            .map(|(_, line)| indirect.find_iter(line).count())
            .sum();
        assert_eq!(found, expected, "{text}");
    }
}
