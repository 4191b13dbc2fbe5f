//! The files in `tests/recordings`: the messages of a PBX, step by step, and the state of each line afterwards. The
//! README.md there describes the format.

use std::time::Duration;

use presence::LineState;

/// One step.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The step's line in the file, from 1.
    pub(super) number: usize,
    pub(super) words: Vec<String>,
    /// The indented lines below the step, without indentation.
    pub(super) block: Vec<String>,
}

impl Step {
    /// The word at this position.
    pub(super) fn word(&self, at: usize) -> &str {
        let word = self.words.get(at).map(String::as_str);
        word.unwrap_or_else(|| panic!("line {}: a word is missing", self.number))
    }

    /// All words from this position on.
    pub(super) fn rest(&self, from: usize) -> String {
        self.words.get(from..).unwrap_or_default().join(" ")
    }

    /// The value of `key=value` among the words.
    pub(super) fn option(&self, key: &str) -> Option<&str> {
        let values = self.words.iter().filter_map(|word| word.split_once('='));
        values
            .filter(|(name, _)| *name == key)
            .map(|(_, value)| value)
            .next_back()
    }

    /// The block as text.
    pub(super) fn text(&self) -> String {
        self.block.join("\n")
    }

    /// The block as headers.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let lines = self.block.iter().filter_map(|line| line.split_once(':'));
        lines
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect()
    }
}

/// The steps of a file.
pub(super) fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(inner) = line.strip_prefix("  ") {
            let step = steps.last_mut();
            step.unwrap_or_else(|| panic!("line {}: indented, but below no step", index + 1))
                .block
                .push(inner.to_owned());
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            steps.push(Step {
                number: index + 1,
                words: line.split_whitespace().map(str::to_owned).collect(),
                block: Vec::new(),
            });
        }
    }
    steps
}

/// A state as written in the files; `Unknown` is `None`.
pub(super) fn state(word: &str) -> Option<LineState> {
    match word {
        "Idle" => Some(LineState::Idle),
        "Ringing" => Some(LineState::Ringing),
        "Held" => Some(LineState::Held),
        "Connected" => Some(LineState::Connected),
        "Unknown" => None,
        other => panic!("{other:?} is no state of a line"),
    }
}

/// A time such as `20s`, `10m` or `250ms`.
pub(super) fn time(word: &str) -> Duration {
    let split = word
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(word.len());
    let (number, unit) = word.split_at(split);
    let number = number
        .parse()
        .unwrap_or_else(|_| panic!("{word:?} is no time"));
    match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number * 60),
        other => panic!("{other:?} is no unit of time"),
    }
}
