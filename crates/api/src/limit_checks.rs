//! Refuses names, texts and lists that are longer than their limits, codes of settings out of their ranges, and times that are none.

use presence::{SettingsGroup, Timestamp, Value};
use runtime::{
    clock::parse_rfc3339,
    limits::{ADDRESS_MAX, NAME_MAX},
};

use crate::problem::{Problem, ProblemCode};

/// Refuses a name that is empty, too long, or not one line.
pub fn name(field: &'static str, text: &str) -> Result<(), Problem> {
    let text = text.trim();
    if text.is_empty() || text.len() > NAME_MAX || text.chars().any(char::is_control) {
        let detail = format!("write 1 to {NAME_MAX} bytes in one line, without control characters");
        let code = match text.is_empty() {
            true => ProblemCode::new("missing"),
            false => ProblemCode::new("not-a-name").with("most", NAME_MAX),
        };
        return Err(Problem::invalid(field, detail).with_code(code));
    }
    // Clients resolve these in addresses before they send them (RFC 3986 §5.2.4).
    if text == "." || text == ".." {
        let detail = format!("{text:?} cannot be part of an address; take another name");
        let code = ProblemCode::new("name-not-possible").with("value", text);
        return Err(Problem::invalid(field, detail).with_code(code));
    }
    Ok(())
}

/// Refuses a text that is too long.
pub fn text(field: &'static str, text: &str, most: usize) -> Result<(), Problem> {
    if text.len() > most {
        let detail = format!("has {} bytes; at most {most} are allowed", text.len());
        let code = ProblemCode::new("too-long").with("most", most);
        return Err(Problem::invalid(field, detail).with_code(code));
    }
    Ok(())
}

/// Refuses a list that is too long.
pub fn list(field: &'static str, length: usize, most: usize) -> Result<(), Problem> {
    if length > most {
        let detail = format!("has {length} entries; at most {most} are allowed: name fewer");
        let code = ProblemCode::new("too-many-entries").with("most", most);
        return Err(Problem::invalid(field, detail).with_code(code));
    }
    Ok(())
}

/// Refuses another item if the number of items has reached its limit.
pub(crate) fn one_more(what: &str, present: usize, most: usize) -> Result<(), Problem> {
    if present >= most {
        let detail = format!(
            "there are {present} {what} already, and at most {most} are allowed; delete some first"
        );
        let code = ProblemCode::new("too-many").with("most", most);
        return Err(Problem::conflict(detail).with_code(code));
    }
    Ok(())
}

/// Code of a refused value of a setting; `None` for a setting that the group does not have.
pub(crate) fn code_of_setting(page: SettingsGroup, key: &str) -> Option<ProblemCode> {
    let setting = page.setting(key)?;
    match setting.default {
        Value::Duration(_) => {
            let (least, most) = setting.range;
            Some(
                ProblemCode::new("not-seconds")
                    .with("least", least)
                    .with("most", most),
            )
        }
        Value::ProfileName(_) => Some(ProblemCode::new("too-long").with("most", NAME_MAX)),
        Value::FeedAddress(_) => Some(ProblemCode::new("too-long").with("most", ADDRESS_MAX)),
        Value::TimeZone(_) => Some(ProblemCode::new("not-a-time-zone")),
        Value::Flag(_) | Value::Mode(_) | Value::Level(_) | Value::Policy(_) => {
            Some(ProblemCode::new("setting-not-possible"))
        }
    }
}

/// A time in a field or a parameter of the query.
pub(crate) fn moment(field: &'static str, text: &str) -> Result<Timestamp, Problem> {
    parse_rfc3339(text).ok_or_else(|| {
        let detail = format!("{text:?} is no time; write it like 2026-11-23T17:00:00Z");
        Problem::invalid(field, detail)
            .with_code(ProblemCode::new("not-a-time").with("value", text))
    })
}
