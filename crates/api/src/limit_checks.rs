//! Refuses names, texts and lists that are longer than their limits.

use runtime::limits::NAME_MAX;

use crate::problem::Problem;

/// Refuses a name that is empty, too long, or not one line.
pub fn name(field: &'static str, text: &str) -> Result<(), Problem> {
    let text = text.trim();
    if text.is_empty() || text.len() > NAME_MAX || text.chars().any(char::is_control) {
        let detail = format!("write 1 to {NAME_MAX} bytes in one line, without control characters");
        return Err(Problem::invalid(field, detail));
    }
    // Clients resolve these in addresses before they send them (RFC 3986 §5.2.4).
    if text == "." || text == ".." {
        let detail = format!("{text:?} cannot be part of an address; take another name");
        return Err(Problem::invalid(field, detail));
    }
    Ok(())
}

/// Refuses a text that is too long.
pub fn text(field: &'static str, text: &str, most: usize) -> Result<(), Problem> {
    if text.len() > most {
        let detail = format!("has {} bytes; at most {most} are allowed", text.len());
        return Err(Problem::invalid(field, detail));
    }
    Ok(())
}

/// Refuses a list that is too long.
pub fn list(field: &'static str, length: usize, most: usize) -> Result<(), Problem> {
    if length > most {
        let detail = format!("has {length} entries; at most {most} are allowed: name fewer");
        return Err(Problem::invalid(field, detail));
    }
    Ok(())
}

/// Refuses another item if the number of items has reached its limit.
pub(crate) fn one_more(what: &str, present: usize, most: usize) -> Result<(), Problem> {
    if present >= most {
        let detail = format!(
            "there are {present} {what} already, and at most {most} are allowed; delete some first"
        );
        return Err(Problem::conflict(detail));
    }
    Ok(())
}
