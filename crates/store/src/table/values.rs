//! Detection of values that a spreadsheet program has changed to numbers, dates or errors.

/// Texts of cells with errors, in English and German.
const ERRORS: [&str; 13] = [
    "#NAME?",
    "#REF!",
    "#N/A",
    "#VALUE!",
    "#DIV/0!",
    "#NULL!",
    "#NUM!",
    "#BEZUG!",
    "#NV",
    "#WERT!",
    "#ZAHL!",
    "#SPILL!",
    "#ÜBERLAUF!",
];

/// Abbreviations of the names of months, in English and German.
const MONTHS: [&str; 17] = [
    "jan", "feb", "mar", "mär", "mrz", "apr", "may", "mai", "jun", "jul", "aug", "sep", "oct",
    "okt", "nov", "dec", "dez",
];

/// The remedy for values that a spreadsheet program has changed.
const REMEDY: &str = "format the column as text, enter the value again and save the file again";

/// The value without its protection from being read as a formula: `'+49` and `="007"`.
pub(super) fn unprotected(value: &str) -> &str {
    let formula = value
        .strip_prefix("=\"")
        .and_then(|value| value.strip_suffix('"'));
    if let Some(text) = formula {
        return text;
    }
    match value.strip_prefix('\'') {
        Some(text) if text.starts_with(['=', '+', '-', '@']) => text,
        Some(_) | None => value,
    }
}

/// An address without the scheme of the link that a spreadsheet program or a browser copied.
pub(super) fn without_scheme(address: &str) -> &str {
    const SCHEME: &str = "mailto:";
    match address.get(..SCHEME.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => {
            address.get(SCHEME.len()..).unwrap_or_default().trim_start()
        }
        Some(_) | None => address,
    }
}

/// The problem of a mail address or UPN that is not of the form `name@domain`: it would match no account and receive no
/// mail.
pub(super) fn address_problem(address: &str) -> Option<String> {
    // Accents may be characters of their own; quotation marks, `＠` and invisible characters are in no address.
    let is_odd = |c: char| {
        let is_sign = c.is_ascii_graphic() && !"<>,;:\"()[]\\".contains(c);
        !(c.is_alphanumeric() || is_sign || ('\u{300}'..='\u{36f}').contains(&c))
    };
    let is_address = address.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && !domain.is_empty() && !domain.contains('@') && !address.contains(is_odd)
    });
    let problem = "is no address such as anna@contoso.example; correct it, or leave it empty";
    (!address.is_empty() && !is_address).then(|| problem.to_owned())
}

/// The problem of a name with invisible characters, or characters that change the direction of the following text (Unicode,
/// category Cf). The joiners of Persian and Indian names are allowed.
pub(super) fn invisible_problem(name: &str) -> Option<String> {
    let is_invisible = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let found = name.chars().find(|c| is_invisible(*c))?;
    Some(format!(
        "contains the invisible character U+{:04X}; write the value again by hand",
        u32::from(found)
    ))
}

/// The problem of a value that is an error of the spreadsheet.
pub(super) fn error_problem(value: &str) -> Option<String> {
    let is_error = ERRORS.iter().any(|error| error.eq_ignore_ascii_case(value));
    let is_narrow = value.len() >= 4 && value.bytes().all(|byte| byte == b'#');
    (is_error || is_narrow).then(|| {
        "is an error of the spreadsheet program and no value; correct the cell and save the file again".to_owned()
    })
}

/// The problem of an extension that a spreadsheet program has changed.
pub(super) fn extension_problem(extension: &str) -> Option<String> {
    if let Some(problem) = rounded_problem(extension) {
        return Some(problem);
    }
    let kind = if is_formatted(extension) {
        "a number that a spreadsheet program has formatted"
    } else if is_date(extension) {
        "a date that a spreadsheet program has made of the extension"
    } else if ["true", "false", "wahr", "falsch"].contains(&&*extension.to_lowercase()) {
        "a truth value of a spreadsheet program"
    } else if !extension.is_empty() && !extension.contains(char::is_alphanumeric) {
        return Some("has neither a digit nor a letter; leave it empty if there is none".into());
    } else {
        return None;
    };
    Some(format!("is {kind}; {REMEDY}"))
}

/// The problem of a value that a spreadsheet program has taken for a number and rounded.
pub(super) fn rounded_problem(value: &str) -> Option<String> {
    is_rounded(value)
        .then(|| format!("is a number that a spreadsheet program has rounded; {REMEDY}"))
}

/// The problem of an extension with zeros that a spreadsheet program may have written for its last digits: it keeps 15
/// digits of a number. No phone number has more (E.164, 6.2).
pub(super) fn cut_problem(extension: &str) -> Option<String> {
    const KEPT: usize = 15;
    let number = extension.strip_prefix('+').unwrap_or(extension);
    let beyond = number.get(KEPT..).filter(|_| is_digits(number));
    let is_cut =
        beyond.is_some_and(|beyond| !beyond.is_empty() && beyond.bytes().all(|byte| byte == b'0'));
    is_cut.then(|| {
        format!(
            "has {} digits, and zeros after the first {KEPT}, which are all that a spreadsheet program keeps of a number; {REMEDY}. If the zeros are right, write =\"{extension}\"",
            number.len()
        )
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `4.93012E+12`. `12E3` may be an extension.
fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let mantissa = mantissa.trim_start_matches(['+', '-']);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let power = exponent.trim_start_matches(['+', '-']);
    let is_number =
        is_digits(whole) && is_digits(power) && (fraction.is_empty() || is_digits(fraction));
    is_number && (!fraction.is_empty() || power.len() < exponent.len())
}

/// `493012,00`, `4.930.123`.
fn is_formatted(text: &str) -> bool {
    let is_separator = |c: char| matches!(c, '.' | ',' | '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}');
    if let Some((whole, fraction)) = text.rsplit_once(['.', ','])
        && is_digits(fraction)
        && fraction.bytes().all(|byte| byte == b'0')
        && whole.split(is_separator).all(is_digits)
    {
        return true;
    }
    let mut groups = text.split(is_separator);
    let first = groups.next().unwrap_or_default();
    let mut groups = groups.peekable();
    groups.peek().is_some()
        && is_digits(first)
        && first.len() <= 3
        && groups.all(|group| group.len() == 3 && is_digits(group))
}

/// `01. Jul`, `Jul-26`, `01.07.2026`, `2026-07-01 00:00:00`.
fn is_date(text: &str) -> bool {
    let text = text.to_lowercase();
    let is_separator = |c: char| matches!(c, '.' | '-' | '/' | ' ' | ',' | ':' | '\u{a0}');
    let parts: Vec<&str> = text
        .split(is_separator)
        .filter(|part| !part.is_empty())
        .collect();
    let is_month = |part: &&&str| {
        let letters = part.chars().all(char::is_alphabetic);
        letters && MONTHS.iter().any(|month| part.starts_with(month)) && part.chars().count() <= 9
    };
    let months = parts.iter().filter(is_month).count();
    let numbers = parts.iter().filter(|part| is_digits(part)).count();
    if months == 1 && (1..=2).contains(&numbers) && months + numbers == parts.len() {
        return true;
    }
    let number = |index: usize| {
        parts
            .get(index)
            .filter(|part| is_digits(part))
            .and_then(|part| part.parse::<u32>().ok())
    };
    let (Some(first), Some(second), Some(third)) = (number(0), number(1), number(2)) else {
        return false;
    };
    let is_year = |year: u32| (1900..=2200).contains(&year);
    let is_day = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    (is_year(first) && is_day(third, second))
        || (is_year(third) && (is_day(first, second) || is_day(second, first)))
}

/// Returns true if a GUID is the nil UUID (RFC 9562, 5.9), which programs write for a missing value.
pub(super) fn is_nil(guid: &str) -> bool {
    guid.bytes().all(|byte| matches!(byte, b'0' | b'-'))
}

/// Returns true if a text is a GUID as Entra writes object ids (RFC 9562, 4).
pub fn is_guid(text: &str) -> bool {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == GROUPS.len()
        && groups.iter().zip(GROUPS).all(|(group, length)| {
            group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

#[cfg(test)]
mod tests {
    use super::{extension_problem, is_guid, unprotected};

    #[test]
    fn numbers_and_dates_of_spreadsheets_are_no_extensions() {
        for destroyed in [
            "4.93012E+12",
            "4,93012E+12",
            "4.93E12",
            "4,93E+012",
            "1E+05",
            "4.9e-3",
            "493012,00",
            "1001.0",
            "4.930.123",
            "1,001",
            "4 930 123",
            "1'001",
            "12.345,00",
            "01. Jul",
            "1-Jul",
            "Jul-26",
            "01.Mrz",
            "März 26",
            "Dez 01",
            "01.07.2026",
            "2026-07-01",
            "7/1/2026",
            "2026-07-01 00:00:00",
            "WAHR",
            "true",
            "-",
            "--",
            "*",
        ] {
            assert!(extension_problem(destroyed).is_some(), "{destroyed}");
        }
        for extension in [
            "1001",
            "007",
            "+4930123456",
            "12E3",
            "anna.becker",
            "100.1",
            "10-22",
            "30.12",
            "julia",
            "may",
            "e5",
            "1-2-3",
            "*12",
            "#12",
            "4930123456789",
        ] {
            assert_eq!(extension_problem(extension), None, "{extension}");
        }
    }

    #[test]
    fn only_guids_are_object_ids() {
        assert!(is_guid("8f2c7e11-0000-4aBc-9def-0123456789ab"));
        for text in [
            "",
            "abc",
            "17",
            "{8f2c7e11-0000-4abc-9def-0123456789ab}",
            "8f2c7e1100004abc9def0123456789ab",
            "8f2c7e11-0000-4abc-9def-0123456789ag",
            "anna@contoso.example",
            "8f2c7e11-0000-4abc-9def-0123456789ab-",
        ] {
            assert!(!is_guid(text), "{text}");
        }
    }

    #[test]
    fn what_protects_from_formulas_is_no_part_of_a_value() {
        for (value, expected) in [
            ("'+4930", "+4930"),
            ("=\"007\"", "007"),
            ("'s-Hertogenbosch", "'s-Hertogenbosch"),
            ("+49", "+49"),
            ("=\"", "=\""),
        ] {
            assert_eq!(unprotected(value), expected);
        }
    }
}
