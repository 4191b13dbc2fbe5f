//! Decoding of a table: UTF-8, UTF-16 and Windows-1252 are detected; other encodings are refused, with the line.
//!
//! Excel writes Windows-1252 for "CSV", UTF-8 with a byte order mark for "CSV UTF-8" and UTF-16LE for "Unicode text".

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{
    CsvProblem,
    letters::{has_wrong_letter, is_surely_western},
    quoted,
};

/// The remedy for every file that cannot be decoded.
const REMEDY: &str = "save the table again as \"CSV UTF-8 (comma delimited)\"";

/// A table as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedTable {
    /// The text without byte order mark; every line ends with `\n`.
    pub text: String,
    /// Name of the encoding, as in the WHATWG Encoding Standard.
    pub encoding: &'static str,
}

/// Decodes a table. `declared` is the charset that the sender declares, for encodings that cannot be detected. It is
/// ignored if the bytes are UTF-8 or UTF-16.
///
/// # Errors
/// The bytes are not text, or the encoding is uncertain.
pub fn decode_table(bytes: &[u8], declared: Option<&str>) -> Result<DecodedTable, CsvProblem> {
    refuse_workbook(bytes)?;
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, bytes.get(length..).unwrap_or_default()),
        None => (without_bom(bytes, declared), bytes),
    };
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let Some(text) = text else {
        let (replaced, _) = encoding.decode_without_bom_handling(bytes);
        let line = line_of(&replaced, char::REPLACEMENT_CHARACTER).unwrap_or(1);
        let problem = format!("cannot be read as {}; {REMEDY}", encoding.name());
        return Err(CsvProblem::at(line, problem));
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    // MS-DOS ends files with Ctrl-Z.
    let text = text.trim_end_matches('\u{1a}').to_owned();
    refuse_damage(&text)?;
    if encoding == WINDOWS_1252 {
        refuse_doubtful(bytes, &text)?;
    }
    Ok(DecodedTable {
        text,
        encoding: encoding.name(),
    })
}

fn without_bom(bytes: &[u8], declared: Option<&str>) -> &'static Encoding {
    // Separators and line ends have a zero byte in UTF-16, in tables of every script.
    let zeros_at = |parity: usize| {
        let bytes = bytes.iter().skip(parity).step_by(2);
        bytes.filter(|byte| **byte == 0).count()
    };
    let (even, odd) = (zeros_at(0), zeros_at(1));
    let (most, least) = (even.max(odd), even.min(odd));
    if most > 8 * least && most * 40 > bytes.len() {
        return if even > odd { UTF_16BE } else { UTF_16LE };
    }
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let declared = declared.and_then(|label| Encoding::for_label_no_replacement(label.as_bytes()));
    // A declared Unicode charset is wrong here: the bytes are neither UTF-8 nor UTF-16.
    declared
        .filter(|encoding| encoding.is_ascii_compatible() && *encoding != UTF_8)
        .unwrap_or(WINDOWS_1252)
}

/// Refuses workbooks: their first bytes are those of a ZIP file (.xlsx, .ods) or a compound file (.xls).
fn refuse_workbook(bytes: &[u8]) -> Result<(), CsvProblem> {
    let heads: [&[u8]; 2] = [b"PK\x03\x04", &[0xd0, 0xcf, 0x11, 0xe0]];
    if heads.iter().any(|head| bytes.starts_with(head)) {
        let problem = format!("this is a workbook and no text; {REMEDY}");
        return Err(CsvProblem::of_file(problem));
    }
    let utf_32: [&[u8]; 2] = [&[0xff, 0xfe, 0, 0], &[0, 0, 0xfe, 0xff]];
    if utf_32.iter().any(|head| bytes.starts_with(head)) {
        return Err(CsvProblem::of_file(format!(
            "cannot be read as UTF-32; {REMEDY}"
        )));
    }
    Ok(())
}

fn line_of(text: &str, wanted: char) -> Option<u64> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (before, _) = text.split_once(wanted)?;
    Some(1 + before.matches('\n').count() as u64)
}

/// Refuses text that was damaged before the import, and characters that no table contains.
fn refuse_damage(text: &str) -> Result<(), CsvProblem> {
    for (line, content) in (1..).zip(text.split('\n')) {
        if content.is_ascii() && !content.bytes().any(|byte| byte < b' ' && byte != b'\t') {
            continue;
        }
        for word in content.split([' ', ',', ';', '\t', '|', '"']) {
            if word.contains(char::REPLACEMENT_CHARACTER) {
                let problem = format!(
                    "{} has lost a letter in an earlier conversion; export the table again from its source",
                    quoted(word)
                );
                return Err(CsvProblem::at(line, problem));
            }
            if let Some(control) = word.chars().find(|c| c.is_control() && *c != '\t') {
                let problem = format!(
                    "{} contains the control character U+{:04X}: the file is no text, or text in another encoding; {REMEDY}",
                    quoted(word),
                    u32::from(control)
                );
                return Err(CsvProblem::at(line, problem));
            }
            if let Some(meant) = decoded_twice(word) {
                let problem = format!(
                    "{} should probably be {}: UTF-8 was read as Windows-1252 before; export the table again from its source",
                    quoted(word),
                    quoted(&meant)
                );
                return Err(CsvProblem::at(line, problem));
            }
        }
    }
    Ok(())
}

/// The original word, if its UTF-8 bytes were decoded as Windows-1252: `JÃ¼rgen`; else `None`.
fn decoded_twice(word: &str) -> Option<String> {
    let mut meant = String::new();
    let mut found = false;
    let mut rest = word;
    while let Some(character) = rest.chars().next() {
        let is_ascii = character.is_ascii();
        let end = rest.find(|c: char| c.is_ascii() != is_ascii);
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        match Some(run).filter(|_| !is_ascii).and_then(undone) {
            Some(undone) => {
                found = true;
                meant += &undone;
            }
            None => meant += run,
        }
    }
    found.then_some(meant)
}

/// A run of letters beyond ASCII, read as UTF-8 from its bytes in Windows-1252.
fn undone(run: &str) -> Option<String> {
    let (bytes, _, has_others) = WINDOWS_1252.encode(run);
    let undone = std::str::from_utf8(&bytes).ok().filter(|_| !has_others)?;
    let is_latin = |c: char| c < '\u{250}' || ('\u{2010}'..='\u{20ac}').contains(&c);
    // `ß–` and the like are UTF-8 of rare scripts by accident.
    let is_meant = undone.chars().all(is_latin) || undone.chars().count() > 1;
    is_meant.then(|| undone.to_owned())
}

/// Refuses text that may be in another encoding of one byte a letter: neither MS-DOS's code page 850 nor that of another
/// country has a mark. `chardetng` compares the frequencies of letters, as Firefox does.
fn refuse_doubtful(bytes: &[u8], text: &str) -> Result<(), CsvProblem> {
    if !bytes.contains(&b'\n') && bytes.contains(&b'\r') {
        let mut lines = (1..).zip(text.split('\n'));
        let line = lines.find(|(_, content)| !content.is_ascii());
        let problem = format!("lines end as on old Macs, whose letters are not certain; {REMEDY}");
        return Err(CsvProblem::at(line.map_or(1, |(line, _)| line), problem));
    }
    for (line, content) in (1..).zip(text.split('\n')) {
        let mut words = content.split([' ', ',', ';', '\t', '|']);
        if let Some(word) = words.find(|word| has_wrong_letter(word)) {
            let problem = format!(
                "{} is hardly a name in Windows-1252: the file is probably in another encoding, such as code page 850, Mac OS Roman or Windows-1250; {REMEDY}",
                quoted(word)
            );
            return Err(CsvProblem::at(line, problem));
        }
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let likely = detector.guess(None, Utf8Detection::Deny);
    let (other, _) = likely.decode_without_bom_handling(bytes);
    let other = other.replace("\r\n", "\n").replace('\r', "\n");
    for (line, (content, other)) in (1..).zip(text.split('\n').zip(other.split('\n'))) {
        let separators = [',', ';', '\t', '|'];
        let values = content.split(separators).zip(other.split(separators));
        let mut doubtful = values.filter(|(value, other)| {
            let mut words = value.split(' ').zip(other.split(' '));
            words.any(|(word, other)| word != other && !is_surely_western(word, other))
        });
        if let Some((word, other)) = doubtful.next() {
            let problem = format!(
                "{} could also be {} ({}): the encoding is not certain; {REMEDY}",
                quoted(word),
                quoted(other),
                likely.name()
            );
            return Err(CsvProblem::at(line, problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::decoded_twice;

    #[test]
    fn text_that_was_decoded_twice_is_recognised() {
        for (word, meant) in [
            ("JÃ¼rgen", "Jürgen"),
            ("GroÃŸ", "Groß"),
            ("RenÃ©e", "Renée"),
            ("Ã–zil", "Özil"),
            ("Oâ€™Neill", "O’Neill"),
            ("Ð˜Ð²Ð°Ð½", "Иван"),
            ("DvoÅ™Ã¡k", "Dvořák"),
        ] {
            assert_eq!(decoded_twice(word).as_deref(), Some(meant), "{word}");
        }
        for name in [
            "Jürgen",
            "Weiß–Schmidt",
            "Weiß’s",
            "São",
            "Ñíguez",
            "Иван",
            "Łódź",
            "田中",
            "Straß\u{a0}e",
        ] {
            assert_eq!(decoded_twice(name), None, "{name}");
        }
    }
}
