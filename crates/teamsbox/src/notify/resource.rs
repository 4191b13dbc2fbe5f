//! The resource of a presence subscription: one person, or a filter that lists up to 650.

use std::collections::BTreeSet;

use crate::guid::Guid;

/// The most people of a subscription.
pub(crate) const IDS_MAX: usize = 650;

/// Parses `[/]communications/presences/{id}` or `[/]communications/presences?$filter=id in ('…','…')`.
///
/// # Errors
/// The problem of the resource, as a text.
pub(crate) fn parse(resource: &str) -> Result<BTreeSet<Guid>, String> {
    let path = resource.strip_prefix('/').unwrap_or(resource);
    let rest = strip_word(path, "communications/presences").ok_or_else(|| {
        "The emulator delivers notifications for communications/presences only.".to_owned()
    })?;
    if let Some(id) = rest.strip_prefix('/') {
        return single(id);
    }
    if let Some(id) = rest
        .strip_prefix("('")
        .and_then(|rest| rest.strip_suffix("')"))
    {
        return single(id);
    }
    let Some(query) = rest.strip_prefix('?') else {
        return Err("The resource names neither a user nor a filter.".to_owned());
    };
    let query = query.replace('+', " ");
    let query = percent_encoding::percent_decode_str(&query)
        .decode_utf8_lossy()
        .into_owned();
    if query.to_ascii_lowercase().contains("$select") {
        return Err("$select is not supported for presence subscriptions.".to_owned());
    }
    let list = strip_word(&query, "$filter=")
        .and_then(|filter| strip_word(filter.trim(), "id"))
        .and_then(|rest| strip_word(rest.trim_start(), "in"))
        .and_then(|rest| rest.trim().strip_prefix('(')?.strip_suffix(')'))
        .ok_or_else(|| "The filter must have the form id in ('id','id').".to_owned())?;
    let mut ids = BTreeSet::new();
    for part in list.split(',') {
        let part = part.trim();
        let id = part
            .strip_prefix('\'')
            .and_then(|part| part.strip_suffix('\''))
            .ok_or_else(|| "Each id of the filter must stand in single quotes.".to_owned())?;
        ids.insert(guid(id)?);
        if ids.len() > IDS_MAX {
            return Err(format!("The filter lists more than {IDS_MAX} ids."));
        }
    }
    Ok(ids)
}

fn single(id: &str) -> Result<BTreeSet<Guid>, String> {
    Ok(BTreeSet::from([guid(id)?]))
}

fn guid(id: &str) -> Result<Guid, String> {
    let shortened: String = id.chars().take(64).collect();
    id.parse()
        .map_err(|_| format!("'{shortened}' is not an object id."))
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";

    #[test]
    fn rule_36_the_documented_forms_are_read() {
        for text in [
            format!("communications/presences/{A}"),
            format!("/communications/presences/{A}"),
            format!("communications/presences('{A}')"),
            format!("/communications/presences?$filter=id in ('{A}')"),
            format!("communications/presences?$filter=id+in+(%27{A}%27)"),
            format!(
                "/Communications/Presences?$filter=id in ('{A}', '{}')",
                A.to_uppercase()
            ),
        ] {
            assert_eq!(parse(&text).unwrap().len(), 1, "{text}");
        }
    }

    #[test]
    fn rule_36_anything_else_is_refused() {
        let many = |count: u32| {
            let ids: Vec<_> = (0..count)
                .map(|number| format!("'00000000-0000-4000-8000-{number:012}'"))
                .collect();
            format!(
                "/communications/presences?$filter=id in ({})",
                ids.join(",")
            )
        };
        assert_eq!(parse(&many(650)).unwrap().len(), 650);
        for text in [
            many(651),
            "/communications/presences".to_owned(),
            "/communications/presences/anna@contoso.example".to_owned(),
            "/communications/presences?$filter=id in ()".to_owned(),
            format!("/communications/presences?$filter=id in ({A})"),
            format!("/communications/presences?$filter=id in ('{A}"),
            format!("/communications/presences?$filter=id eq '{A}'"),
            format!("/communications/presences?$filter=id in ('{A}')&$select=activity"),
            format!("/communications/presences/{A}?$select=activity"),
            "users".to_owned(),
            String::new(),
        ] {
            assert!(parse(&text).is_err(), "{text:.80}");
        }
    }

    proptest! {
        #[test]
        fn nonsense_never_panics(text in ".{0,80}", tail in "[$?/=()', a-zé]{0,60}") {
            let _ = parse(&text);
            let _ = parse(&format!("communications/presences{tail}"));
        }
    }
}
