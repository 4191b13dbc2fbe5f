//! Search in texts: without case and accents, words in any order. The board's script (`assets/search.js`) does the same.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Letters that have no decomposition, as people type them without the letter on their keyboard.
fn spelled(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ı' => "i",
        'ß' => "ss",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}

/// Letters that German spells with a following e.
fn with_e(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ä' => "ae",
        'ö' | 'ø' => "oe",
        'ü' => "ue",
        'å' => "aa",
        _ => return None,
    })
}

/// The text in lower case and without accents.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let letters = text.nfkd().filter(|letter| !is_combining_mark(*letter));
    for letter in letters.flat_map(char::to_lowercase) {
        match spelled(letter) {
            Some(spelled) => folded.push_str(spelled),
            // A capital I with a dot becomes an i and a mark.
            None if is_combining_mark(letter) => {}
            None => folded.push(letter),
        }
    }
    folded
}

/// A text to search in: folded, and once more with the German spelling of its letters if that differs.
pub(crate) fn haystack(text: &str) -> String {
    let composed: String = text.nfc().flat_map(char::to_lowercase).collect();
    let mut folded = fold(text);
    if composed.contains(|letter| with_e(letter).is_some()) {
        let mut german = String::with_capacity(text.len());
        for letter in composed.chars() {
            match with_e(letter) {
                Some(spelled) => german.push_str(spelled),
                None => german.push(letter),
            }
        }
        folded.push('\n');
        folded.push_str(&fold(&german));
    }
    folded
}

/// The words of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words(Vec<String>);

impl Words {
    /// The words of the text of a search field.
    pub(crate) fn new(text: &str) -> Self {
        Self(fold(text).split_whitespace().map(str::to_owned).collect())
    }

    /// Whether there is nothing to search for.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all words occur in a [`haystack`].
    pub(crate) fn are_in(&self, haystack: &str) -> bool {
        self.0.iter().all(|word| haystack.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tests/it/board.rs` types some of these in a browser.
    #[test]
    fn words_are_found_without_accents_and_in_any_order() {
        for (text, search) in [
            ("Elif Yılmaz", "yilmaz"),
            ("ELİF YILMAZ", "elif yilmaz"),
            ("Jürgen Müller", "muller"),
            ("Jürgen Müller", "Mueller"),
            ("Mueller", "mueller"),
            ("Carla Moreno", "moreno carla"),
            ("Søren Ærø", "soren aero"),
            ("Søren", "soeren"),
            ("Łukasz Wójcik", "lukasz wojcik"),
            ("Groß", "gross"),
            ("René", "RENE\u{301}"),
            ("Đorđe", "dorde"),
            ("Anna Becker\n1001\nanna@contoso.example", "1001 ann"),
            ("Anna", "  "),
        ] {
            assert!(
                Words::new(search).are_in(&haystack(text)),
                "{search} in {text}"
            );
        }
        assert!(!Words::new("carla x").are_in(&haystack("Carla Moreno")));
    }

    proptest::proptest! {
        #[test]
        fn every_text_is_found_by_itself_in_any_case(text in "\\PC{0,20}") {
            proptest::prop_assert!(Words::new(&text).are_in(&haystack(&text)));
            proptest::prop_assert!(Words::new(&text.to_lowercase()).are_in(&haystack(&text)));
        }
    }
}
