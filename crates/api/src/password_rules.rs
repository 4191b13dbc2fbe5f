//! Rules for new passwords (NIST SP 800-63B, section 5.1.1.2): refuses short, long and common passwords, and those made of
//! the account's names.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use zxcvbn::zxcvbn;

use crate::{
    password::{LENGTH_MAX, LENGTH_MIN},
    problem::ProblemCode,
};

/// Least number of guesses that a password must withstand.
const GUESSES_MIN: u64 = 100_000_000;
/// Guesses for a random character, as the estimator counts them.
const GUESSES_EACH: u64 = 10;
/// Words with which guesses begin, besides the account's names: the product's, and frequent choices, also German ones,
/// which the estimator does not know.
const HERE: [&str; 32] = [
    "offhook",
    "presence",
    "password",
    "passwort",
    "kennwort",
    "changeme",
    "welcome",
    "willkommen",
    "hallo",
    "schatz",
    "qwertz",
    "qwertzuiop",
    "geheim",
    "sommer",
    "winter",
    "frühling",
    "herbst",
    "summer",
    "spring",
    "autumn",
    "januar",
    "februar",
    "oktober",
    "dezember",
    "montag",
    "freitag",
    "sonntag",
    "firma",
    "telefon",
    "berlin",
    "deutschland",
    "fussball",
];

/// Reason for refusing a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short or too long.
    #[error("must have {LENGTH_MIN} to {LENGTH_MAX} bytes")]
    Length,
    /// Common, a repetition, a sequence, or made of the account's names.
    #[error(
        "is too easy to guess: it is a common password, a repetition, a sequence, or made of the account's name; take several words that do not belong together"
    )]
    Guessable,
}

impl WeakPassword {
    /// Code of the problem.
    pub fn code(self) -> ProblemCode {
        match self {
            Self::Length => ProblemCode::new("password-length")
                .with("least", LENGTH_MIN)
                .with("most", LENGTH_MAX),
            Self::Guessable => ProblemCode::new("password-guessable"),
        }
    }
}

/// Refuses a password that is easy to guess. `about`: names and addresses of the account.
///
/// # Errors
/// See [`WeakPassword`].
pub fn check(password: &str, about: &[&str]) -> Result<(), WeakPassword> {
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&password.len()) {
        return Err(WeakPassword::Length);
    }
    let words = words(about);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // As entered, and without the spaces and signs that join and end guesses: "Summer2026!" is guessed after "Summer2026".
    let written = latin(password);
    let bare: String = written
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let signs = written.chars().count() - bare.chars().count();
    let signs = u32::try_from(signs).unwrap_or(u32::MAX);
    let bare = zxcvbn(&bare, &words).guesses();
    let bare = bare.saturating_mul(GUESSES_EACH.saturating_pow(signs));
    match zxcvbn(&written, &words).guesses().min(bare) {
        guesses if guesses < GUESSES_MIN => Err(WeakPassword::Guessable),
        _ => Ok(()),
    }
}

/// Beginnings of guesses at an account's password: its names and addresses, their parts, domains and their parts, and names
/// without separators, in either order.
fn words(about: &[&str]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let texts = about.iter().flat_map(|text| text.split('@').chain([*text]));
    for text in texts.chain(HERE) {
        for spelling in [latin(text), without_marks(text)] {
            let spelling = spelling.trim().to_lowercase();
            let is_divider = |letter: char| !letter.is_alphanumeric();
            let parts = spelling.split(is_divider).map(str::to_owned);
            let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
            words.insert(parts.concat());
            words.insert(parts.iter().rev().map(String::as_str).collect());
            words.extend(parts);
            words.insert(spelling);
        }
    }
    words.remove("");
    words
}

/// A text in Latin letters without marks, with one form of each letter and Latin letters for look-alikes.
fn latin(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.nfkc() {
        match letter {
            'ä' => written.push_str("ae"),
            'ö' => written.push_str("oe"),
            'ü' => written.push_str("ue"),
            'Ä' => written.push_str("Ae"),
            'Ö' => written.push_str("Oe"),
            'Ü' => written.push_str("Ue"),
            'ß' | 'ẞ' => written.push_str("ss"),
            other => written.push(look_alike(other)),
        }
    }
    written
}

/// Letters without diacritics: "Müller" is also written "Muller".
fn without_marks(text: &str) -> String {
    let letters = text.nfkd().filter(|letter| !is_combining_mark(*letter));
    letters.map(look_alike).collect()
}

/// The Latin letter that a Cyrillic or Greek letter looks like.
fn look_alike(letter: char) -> char {
    match letter {
        'а' | 'А' | 'α' | 'Α' => 'a',
        'в' | 'В' | 'Β' => 'b',
        'с' | 'С' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'Е' | 'ё' | 'Ё' | 'ε' | 'Ε' => 'e',
        'н' | 'Н' | 'һ' | 'Η' => 'h',
        'і' | 'І' | 'ї' | 'ι' | 'Ι' => 'i',
        'ј' | 'Ј' => 'j',
        'к' | 'К' | 'κ' | 'Κ' => 'k',
        'ӏ' | 'Ӏ' => 'l',
        'м' | 'М' | 'Μ' => 'm',
        'Ν' | 'η' => 'n',
        'о' | 'О' | 'ο' | 'Ο' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' | 'Ѕ' => 's',
        'т' | 'Т' | 'τ' | 'Τ' => 't',
        'υ' => 'u',
        'ѵ' | 'ν' => 'v',
        'ԝ' | 'ω' | 'ѡ' => 'w',
        'х' | 'Х' | 'χ' | 'Χ' => 'x',
        'у' | 'У' | 'Υ' => 'y',
        'Ζ' => 'z',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: [&str; 3] = ["anna.becker", "Anna Becker", "anna@contoso.example"];

    #[test]
    fn what_everybody_tries_is_refused() {
        for weak in [
            "12345678",
            "password1",
            "Password1!",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "abcdefghij",
            "iloveyou",
            "anna.becker",
            "AnnaBecker1",
            "contoso1",
            "offhook1",
            "Offhook2026",
        ] {
            assert_eq!(check(weak, &ABOUT), Err(WeakPassword::Guessable), "{weak}");
        }
        assert_eq!(check("short", &ABOUT), Err(WeakPassword::Length));
        assert_eq!(check(&"a".repeat(257), &ABOUT), Err(WeakPassword::Length));
    }

    #[test]
    fn words_of_here_names_and_other_spellings_are_refused() {
        let about = ["heinz", "Heinz Müller", "heinz.mueller@contoso.example"];
        for weak in [
            "Willkommen1",
            "Summer2026!",
            "Sommer2026!",
            "Frühling2026",
            "Changeme123!",
            "Qwertz123!",
            "contoso.example",
            "Contoso.Example1",
            "müller heinz",
            "Mu\u{308}ller Heinz",
            "HeinzMueller1",
            "MuellerHeinz1!",
            "MullerHeinz",
            "relleumznieh",
            "ｐａｓｓｗｏｒｄ",
            "раѕѕwоrd",
            "раssword1",
        ] {
            assert_eq!(check(weak, &about), Err(WeakPassword::Guessable), "{weak}");
        }
    }

    #[test]
    fn what_nobody_guesses_is_accepted() {
        for good in [
            "correct horse battery",
            "another horse battery",
            "gW7#kq2L",
            "gW7kq2L!",
            "secret horse battery",
            "Nordlicht Ziegel Teekanne",
            "пароль лошадь батарея",
        ] {
            assert_eq!(check(good, &ABOUT), Ok(()), "{good}");
        }
    }
}
