//! Detection of words that are not Windows-1252, because their bytes stand for letters of another encoding. A table without a
//! byte order mark does not name its encoding. A wrongly decoded name would stay; a refused table is saved again in a minute.
//!
//! The rules are those of the languages that Windows-1252 is for: where a letter stands in their names, and where the letter
//! that has the same byte elsewhere does.

/// Signs that stand for letters of code page 850 and Mac OS Roman. Apostrophes, dashes and the like also stand in names.
const SIGNS: &str = "€‚ƒ„…†‡ˆ‰‹•“”˜™›Ÿ¡¢£¤¥¦§¨©«¬®¯±¶¸»¼½¾¿×÷";
/// Those of them that no word ends with: `Andr‚`, `Zo‰`.
const ENDING: &str = "‚„ƒ”†‡ˆ‰‹•˜›¡¢£¤¥";
/// Those of them that begin a quotation.
const OPENING: &str = "‚„“«‹»›¡¿•";

/// Letters that stand for other ones of Mac OS Roman: `MŠrz`, `RenŽ`.
const CAPITALS: &str = "ŠŽŒ";
const VOWELS: &str = "aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýÿœ";

/// Returns true if a word has a sign or a letter that no word has there: `Schr”der`, `Andr‚`, `™sterreich`, `Bjšrn`, `Petrauskienë`.
pub(super) fn has_wrong_letter(word: &str) -> bool {
    if word.is_ascii() {
        return false;
    }
    let letters: Vec<char> = word.chars().collect();
    let small: Vec<char> = letters.iter().map(|c| lower(*c)).collect();
    is_of_other_script(&small)
        || (0..letters.len()).any(|index| {
            is_wrong_at(&letters, index)
                || is_wrong_apostrophe(&letters, index)
                || is_wrong_letter(&small, index)
        })
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// A word of letters beyond ASCII only, such as `Èâàí`: Cyrillic, Greek or Hebrew.
fn is_of_other_script(letters: &[char]) -> bool {
    let mut count = 0;
    let letters = letters.iter().filter(|c| c.is_alphabetic());
    letters.inspect(|_| count += 1).all(|c| !c.is_ascii()) && count > 1
}

fn is_letter(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphabetic() && !SIGNS.contains(c))
}

fn is_small(c: Option<char>) -> bool {
    c.is_some_and(char::is_lowercase)
}

fn is_vowel(c: Option<char>) -> bool {
    c.is_some_and(|c| VOWELS.contains(lower(c)))
}

fn is_consonant(c: Option<char>) -> bool {
    is_letter(c) && !is_vowel(c)
}

/// Single letters before an apostrophe: `D’angelo`, `O’neill`, `M’barek`.
const PREFIXES: &str = "ABDKLMNOQST";

/// Apostrophes that stand for `í` and `ë` of Mac OS Roman or `æ` of code page 850: `Garc’a`, `No‘l`, `Zo‘`. Before a capital, and
/// after a vowel as in `Sa’id`, they are apostrophes.
fn is_wrong_apostrophe(letters: &[char], index: usize) -> bool {
    let at = |index: Option<usize>| index.and_then(|index| letters.get(index)).copied();
    let (before, after) = (at(index.checked_sub(1)), at(Some(index + 1)));
    let is_last = |index: usize| !is_letter(at(Some(index + 1)));
    let mut earlier = letters.iter().take(index);
    let closes = earlier.any(|c| "‚‘’'".contains(*c));
    match at(Some(index)) {
        Some('‘') if is_letter(before) => is_small(after) || (!is_letter(after) && !closes),
        Some('’') if is_letter(before) && !is_letter(after) => {
            is_small(before) && is_consonant(before) && before != Some('s') && !closes
        }
        Some('’') if is_letter(before) && is_small(after) => {
            let is_possessive = after == Some('s') && is_last(index + 1);
            let before_that = at(index.checked_sub(2));
            if !is_letter(before_that) {
                // One letter: `D’az` and `R’os` are no names.
                let is_prefix = before.is_some_and(|c| PREFIXES.contains(c.to_ascii_uppercase()));
                return !is_prefix || is_last(index + 1) || is_last(index + 2);
            }
            if is_vowel(before) {
                return is_possessive && before == Some('u');
            }
            // `Dell’orto`, `Sant’anna`.
            let is_elision = matches!(
                (before_that, before),
                (Some('l'), Some('l')) | (Some('n'), Some('t'))
            );
            !(is_possessive || (is_elision && is_vowel(after) && !is_last(index + 1)))
        }
        _ => false,
    }
}

/// Parts of Icelandic and Faroese names with `ð` that have no other letter of these languages. `Aða`, `Uður` and `Yiðit` are
/// Turkish in Windows-1254, `Ðimkus` and `Kalniòð` Baltic in Windows-1257.
const WITH_ETH: [&str; 14] = [
    "guð", "eið", "viða", "frið", "auðu", "auðb", "auðn", "daði", "daða", "eyð", "stöð", "höð",
    "böð", "bryð",
];

/// Letters of Windows-1252 in places where only the letter of another encoding stands: Windows-1250 (Central Europe), 1254
/// (Turkish) and 1257 (Baltic), and Mac OS Roman. `letters` are in lower case.
fn is_wrong_letter(letters: &[char], index: usize) -> bool {
    let at = |index: Option<usize>| index.and_then(|index| letters.get(index)).copied();
    let (before, after) = (at(index.checked_sub(1)), at(Some(index + 1)));
    let before_that = at(index.checked_sub(2));
    let is_one = |c: Option<char>, of: &str| c.is_some_and(|c| of.contains(c));
    match at(Some(index)) {
        // Zieliñski. Spanish has a vowel after it.
        Some('ñ') => !is_vowel(after),
        // Petrauskienë. French, Dutch and Albanian names end with it after a vowel.
        Some('ë') => is_consonant(before) && !is_letter(after),
        // Bçrziòð. Turkish has it after a consonant too: Gençtürk.
        Some('ç') => {
            let is_turkish = is_one(before, "nrl") && is_vowel(before_that);
            is_consonant(before) && is_consonant(after) && !is_turkish
        }
        // Zariòa; Niccolò, Mònica.
        Some('ò') => is_vowel(before) && (is_letter(after) || before != Some('i')),
        // Kïaviòð; Loïc.
        Some('ï') => is_consonant(before),
        // Nìmec; Forlì.
        Some('ì') => is_letter(after),
        // Kuèera, Èapek; Hélène, Ève.
        Some('è') => is_vowel(after),
        // Dvoøák, Jiøí; Søren, Kiøller.
        Some('ø') => is_one(before, "aoue") || (before == Some('i') && after == Some('í')),
        // Petroviæ; Kærgaard.
        Some('æ') => is_vowel(before) && !is_consonant(after),
        // Jaœkowiak, Œliwa, Jesœs; Lebœuf, Kœnig, Œdipe.
        Some('œ') => {
            let follows = if is_letter(before) {
                "unlfcrdtbehi"
            } else {
                "undrtie"
            };
            is_vowel(before) || !is_one(after, follows)
        }
        // Pawe³, Kwa¹niewski.
        Some('³' | '¹') => is_letter(before) || is_letter(after),
        // Popeº, Baºak; Nº, Mª.
        Some('º' | 'ª') => is_letter(after) || is_letter(at(index.checked_sub(3))),
        // Þule, Ayþe, Ionuþ, Þydrûnas; Þór, Þröstur, Þuríður, Eyþór.
        Some('þ') => {
            let is_icelandic = is_one(after, "oórjúíæáé")
                || (after == Some('u') && at(Some(index + 2)) == Some('r'));
            !is_icelandic || (is_vowel(before) && before != Some('y'))
        }
        Some('ð') => !is_icelandic_eth(letters, before),
        // Yýldýz, Kýlýç; Sýkora, Novotný.
        Some('ý') => {
            let count = letters.iter().filter(|c| **c == 'ý').count();
            is_letter(after)
                && (letters.contains(&'ç') || (count > 1 && letters.last() != Some(&'ý')))
        }
        _ => false,
    }
}

/// Returns true if a `ð` after this letter is that of an Icelandic or Faroese name.
fn is_icelandic_eth(letters: &[char], before: Option<char>) -> bool {
    let word: String = letters.iter().collect();
    let has_accent = word.contains(['á', 'é', 'í', 'ó', 'ú', 'æ']);
    let has_part = WITH_ETH.iter().any(|part| word.contains(part));
    is_letter(before) && (has_accent || has_part || matches!(before, Some('r' | 'f' | 'g')))
}

fn is_wrong_at(letters: &[char], index: usize) -> bool {
    let at = |index: Option<usize>| index.and_then(|index| letters.get(index)).copied();
    let (before, here, after) = (
        at(index.checked_sub(1)),
        at(Some(index)),
        at(Some(index + 1)),
    );
    let Some(here) = here else {
        return false;
    };
    match here {
        '–' | '—' => is_small(before) && is_small(after),
        'š' => is_consonant(before) && is_consonant(after),
        here if CAPITALS.contains(here) => {
            is_small(before) || (is_letter(before) && is_small(after))
        }
        here if SIGNS.contains(here) => {
            let begins = !before.is_some_and(char::is_alphanumeric);
            let mut earlier = letters.iter().take(index);
            let closes = (here == '”' && earlier.clone().any(|c| "„“”\"".contains(*c)))
                || (here == '‹' && earlier.any(|c| *c == '›'));
            (is_letter(before) && is_letter(after))
                || (begins && is_small(after) && !OPENING.contains(here))
                || (is_letter(before) && ENDING.contains(here) && !closes)
        }
        _ => false,
    }
}

/// Returns true if a word is Western European although it could be read as `other`, since each letter that differs stands where only the
/// Western one does: `Hélène` and not `Hélčne`.
pub(super) fn is_surely_western(word: &str, other: &str) -> bool {
    let letters: Vec<char> = word.chars().map(lower).collect();
    let others: Vec<char> = other.chars().map(lower).collect();
    let is_latin = |c: &char| !c.is_alphabetic() || *c < '\u{250}';
    let has_ascii = letters.iter().any(char::is_ascii_alphabetic);
    if has_ascii && others.iter().any(|c| !is_latin(c)) {
        return true;
    }
    let differs = |index: &usize| letters.get(*index) != others.get(*index);
    letters.len() == others.len()
        && (0..letters.len())
            .filter(differs)
            .all(|index| is_western_at(&letters, index))
}

fn is_western_at(letters: &[char], index: usize) -> bool {
    let at = |index: Option<usize>| index.and_then(|index| letters.get(index)).copied();
    let (before, after) = (at(index.checked_sub(1)), at(Some(index + 1)));
    match at(Some(index)) {
        // Irène, Lefèvre.
        Some('è') => {
            let mut rest = letters.iter().skip(index + 1).copied();
            let end = rest.position(|c| !is_consonant(Some(c)));
            let is_e = end.and_then(|end| at(Some(index + 1 + end))) == Some('e');
            !is_vowel(before) && is_e && matches!(end, Some(1 | 2))
        }
        // Benoît.
        Some('î') => is_vowel(before) && is_consonant(after),
        // Anaïs.
        Some('ï') => is_vowel(before) && is_consonant(after),
        // Hafþór.
        Some('þ') => after == Some('ó'),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
