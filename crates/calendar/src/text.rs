//! Converts the bytes of a feed to unfolded text: line ends, folding, character encoding, and line numbers of the file.
//!
//! RFC 5545 §3.1 folds octets, not characters: a line may be folded inside a UTF-8 character. Lines are therefore unfolded
//! before they are decoded. `calcard` expects decoded text and provides no line numbers.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Properties that `calcard` must keep as text, because it would lose parts of their values: COUNT=0, numbers beyond eight
/// bits, seconds of offsets, and the zone of a time in other forms than RFC 5545's.
const AS_TEXT: [&str; 9] = [
    "DTSTART",
    "DTEND",
    "DTSTAMP",
    "EXDATE",
    "RDATE",
    "RECURRENCE-ID",
    "RRULE",
    "TZOFFSETFROM",
    "TZOFFSETTO",
];

/// Properties with a word or a number as value, in which `calcard` accepts no spaces: `X-MICROSOFT-CDO-BUSYSTATUS: FREE`.
const OF_ONE_WORD: [&str; 8] = [
    "STATUS",
    "TRANSP",
    "CLASS",
    "METHOD",
    "SEQUENCE",
    "DURATION",
    "X-MICROSOFT-CDO-BUSYSTATUS",
    "X-MICROSOFT-CDO-ALLDAYEVENT",
];

/// Unfolded text of a feed.
pub(crate) struct Text {
    /// Text with LF line ends, without blank lines.
    pub(crate) text: String,
    /// Line of the file, from 1, of each line of `text`.
    lines: Vec<u32>,
    /// First line of the file that does not match the announced encoding and was read as Windows-1252.
    pub(crate) guessed: Option<u32>,
    /// True if the announced encoding is unknown.
    pub(crate) is_charset_unknown: bool,
}

impl Text {
    /// Unfolds and decodes a feed. `charset` is the parameter of its Content-Type.
    ///
    /// UTF-8 precedes the announced encoding: servers announce ISO-8859-1 for every file, and text in another encoding is
    /// hardly ever valid UTF-8.
    pub(crate) fn read(bytes: &[u8], charset: Option<&str>) -> Self {
        let announced = charset.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
        let mut text = match wide(bytes, announced) {
            Some(encoding) => {
                let (decoded, _, _) = encoding.decode(bytes);
                Self::unfold(decoded.as_bytes(), None)
            }
            None => Self::unfold(bytes, announced),
        };
        text.is_charset_unknown = charset.is_some() && announced.is_none();
        text
    }

    fn unfold(bytes: &[u8], announced: Option<&'static Encoding>) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut unfolded: Vec<u8> = Vec::with_capacity(bytes.len());
        let mut lines = Vec::new();
        for (line, number) in Lines(bytes).zip(1..) {
            match line {
                [] => {}
                [b' ' | b'\t', rest @ ..] if !lines.is_empty() => unfolded.extend_from_slice(rest),
                _ => {
                    if !lines.is_empty() {
                        unfolded.push(b'\n');
                    }
                    match as_text(line) {
                        Some((head, value)) => {
                            unfolded.extend_from_slice(&head);
                            unfolded.extend_from_slice(b";VALUE=TEXT:");
                            unfolded.extend_from_slice(&value);
                        }
                        None => without_blanks(line, &mut unfolded),
                    }
                    lines.push(number);
                }
            }
        }
        let (text, guessed) = match String::from_utf8(unfolded) {
            Ok(text) => (text, None),
            Err(error) => decode(error.as_bytes(), announced, &lines),
        };
        Self {
            text,
            lines,
            guessed,
            is_charset_unknown: false,
        }
    }

    /// Lines of the file on which events begin.
    pub(crate) fn events(&self) -> Vec<EventLines<'_>> {
        let mut lines = self.text.split('\n').zip(self.lines.iter().copied());
        let mut events = Vec::new();
        while let Some((line, number)) = lines.next() {
            if is(line, "BEGIN:VEVENT") {
                events.push(EventLines {
                    number,
                    rest: lines.clone(),
                });
            }
        }
        events
    }
}

/// Remaining lines with their numbers.
type Numbered<'a> =
    std::iter::Zip<std::str::Split<'a, char>, std::iter::Copied<std::slice::Iter<'a, u32>>>;

/// Position of an event in the file.
pub(crate) struct EventLines<'a> {
    /// Line of BEGIN.
    pub(crate) number: u32,
    rest: Numbered<'a>,
}

impl EventLines<'_> {
    /// Line of a property of the event; the line of BEGIN if the event does not have the property.
    pub(crate) fn of(&self, property: &str) -> u32 {
        let mut inner = 0_usize;
        for (line, number) in self.rest.clone() {
            let name = line.split([':', ';']).next().unwrap_or_default();
            if inner == 0 && name.trim().eq_ignore_ascii_case(property) {
                return number;
            }
            if name.eq_ignore_ascii_case("BEGIN") {
                inner += 1;
            } else if name.eq_ignore_ascii_case("END") {
                match inner.checked_sub(1) {
                    Some(outer) => inner = outer,
                    None => break,
                }
            }
        }
        self.number
    }
}

fn is(line: &str, marker: &str) -> bool {
    line.trim_end().eq_ignore_ascii_case(marker)
}

/// Encoding with line ends that differ from ASCII, which must be decoded before the lines are split.
fn wide(bytes: &[u8], announced: Option<&'static Encoding>) -> Option<&'static Encoding> {
    let by_mark = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let by_zeros = match bytes {
        [b'B', 0, b'E', 0, ..] => Some(UTF_16LE),
        [0, b'B', 0, b'E', ..] => Some(UTF_16BE),
        _ => None,
    };
    // UTF-16 announced for plain ASCII is a mistake of the server.
    let plain = bytes
        .get(..15)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"BEGIN:VCALENDAR"));
    let announced = announced.filter(|one| {
        let utf_16 = *one == UTF_16LE || *one == UTF_16BE;
        if utf_16 {
            !plain
        } else {
            !one.is_ascii_compatible()
        }
    });
    by_mark
        .or(by_zeros)
        .or(announced)
        .filter(|encoding| *encoding != UTF_8)
}

/// Decodes bytes that are not valid UTF-8: as announced, or else line by line as UTF-8 or Windows-1252. The second value is
/// the first line that was guessed, or that has characters outside of the announced encoding.
fn decode(
    bytes: &[u8],
    announced: Option<&'static Encoding>,
    lines: &[u32],
) -> (String, Option<u32>) {
    let mut guessed = None;
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(lines) {
        if !text.is_empty() {
            text.push('\n');
        }
        let announced = announced.filter(|encoding| *encoding != UTF_8);
        let known = match announced {
            Some(encoding) => encoding.decode_without_bom_handling_and_without_replacement(line),
            None => std::str::from_utf8(line).ok().map(Into::into),
        };
        match known {
            Some(known) => text.push_str(&known),
            None => {
                guessed = guessed.or(Some(*number));
                let guess = WINDOWS_1252.decode_without_bom_handling(line).0;
                // Windows-1252 leaves five bytes undefined, which the encoding standard maps to control characters.
                let is_nothing = |c: char| ('\u{80}'..='\u{9f}').contains(&c);
                text.push_str(&guess.replace(is_nothing, "\u{fffd}"));
            }
        }
    }
    (text, guessed)
}

/// Part of a line, changed or unchanged.
type Bytes<'a> = Cow<'a, [u8]>;

/// Appends a line without the spaces around the value of a property of one word.
fn without_blanks(line: &[u8], to: &mut Vec<u8>) {
    let is_one = |head: &[u8]| {
        let name = head.split(|byte| *byte == b';').next().unwrap_or_default();
        let mut names = OF_ONE_WORD.into_iter();
        names.any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    };
    let colon = line.iter().position(|byte| *byte == b':');
    match colon.and_then(|colon| line.split_at_checked(colon + 1)) {
        Some((head, value)) if is_one(head.strip_suffix(b":").unwrap_or(head)) => {
            to.extend_from_slice(head);
            to.extend_from_slice(value.trim_ascii());
        }
        _ => to.extend_from_slice(line),
    }
}

/// Head of a line before the colon and its value, for properties that must stay text.
fn as_text(line: &[u8]) -> Option<(Bytes<'_>, Bytes<'_>)> {
    let name = AS_TEXT.into_iter().find(|name| {
        let head = line.get(..name.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()))
            && matches!(line.get(name.len()), Some(b':' | b';'))
    })?;
    let mut quoted = false;
    let rest = line.get(name.len()..)?;
    let colon = rest.iter().position(|byte| {
        quoted ^= *byte == b'"';
        *byte == b':' && !quoted
    })?;
    let (head, value) = line.split_at_checked(name.len() + colon)?;
    let value = value.get(1..)?;
    if let Some((head, value)) = with_label(head, value) {
        return Some((head.into(), value.into()));
    }
    if has_parameter(head, b"VALUE=DATE") {
        return Some((head.into(), days(value).into()));
    }
    Some((head.into(), value.into()))
}

/// Quotes a label of Outlook that contains a colon: `TZID=(UTC+01:00) Amsterdam, Berlin:20260605T163000`.
fn with_label(head: &[u8], value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let is_label = |part: &[u8]| part.eq_ignore_ascii_case(b";TZID=(");
    let label = head.windows(7).position(is_label)? + 6;
    let (rest, value) = value.split_at_checked(value.iter().rposition(|byte| *byte == b':')?)?;
    let quoted = [
        head.get(..label)?,
        b"\"",
        head.get(label..)?,
        b":",
        rest,
        b"\"",
    ]
    .concat();
    Some((quoted, value.get(1..)?.to_vec()))
}

/// True if the head has this parameter.
fn has_parameter(head: &[u8], parameter: &[u8]) -> bool {
    head.split(|byte| *byte == b';')
        .any(|part| part.eq_ignore_ascii_case(parameter))
}

/// Dates of values that are announced as DATE and have times nevertheless.
fn days(value: &[u8]) -> Vec<u8> {
    let items = value.split(|byte| *byte == b',');
    let days: Vec<&[u8]> = items
        .filter_map(|item| item.split(|byte| matches!(byte, b'T' | b't')).next())
        .collect();
    days.join(&b',')
}

/// Iterator over lines that end with LF, CRLF or CR.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let end = end.unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at_checked(end)?;
        // CR CR LF comes from files that were converted twice, and ends one line.
        let taken = match rest {
            [b'\r', b'\r', b'\n', ..] => 3,
            [b'\r', b'\n', ..] => 2,
            _ => rest.len().min(1),
        };
        self.0 = rest.get(taken..).unwrap_or_default();
        Some(line)
    }
}
