//! Rules for new passwords (NIST SP 800-63B, 5.1.1.2): refuses those that are too short, too long, common, or made of the account's
//! names.

use zxcvbn::zxcvbn;

use crate::password::{LENGTH_MAX, LENGTH_MIN};

/// A password that takes fewer guesses is refused.
const GUESSES_MIN: u64 = 1_000_000;
/// Words that guesses begin with here, besides those of the account.
const HERE: [&str; 2] = ["offhook", "presence"];

/// Why a password was refused.
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

/// Refuses a password that is guessed easily. `about`: the names and addresses that belong to the account.
///
/// # Errors
/// See [`WeakPassword`].
pub fn check(password: &str, about: &[&str]) -> Result<(), WeakPassword> {
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&password.len()) {
        return Err(WeakPassword::Length);
    }
    let parts = about
        .iter()
        .flat_map(|text| text.split(|letter: char| !letter.is_alphanumeric()));
    let whole = about.iter().map(|text| text.trim());
    // "Anna Becker" is guessed as "annabecker" too.
    let joined = about.iter().map(|text| {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric());
        letters.collect::<String>()
    });
    let words: Vec<String> = whole
        .chain(parts)
        .chain(HERE)
        .map(str::to_owned)
        .chain(joined)
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match zxcvbn(password, &words).guesses() {
        guesses if guesses < GUESSES_MIN => Err(WeakPassword::Guessable),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: [&str; 3] = ["anna.becker", "Anna Becker", "anna@contoso.example"];

    // S16
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

    // S16
    #[test]
    fn what_nobody_guesses_is_accepted() {
        for good in [
            "correct horse battery",
            "another horse battery",
            "gW7#kq2L",
            "Nordlicht Ziegel Teekanne",
            "пароль лошадь батарея",
        ] {
            assert_eq!(check(good, &ABOUT), Ok(()), "{good}");
        }
    }
}
