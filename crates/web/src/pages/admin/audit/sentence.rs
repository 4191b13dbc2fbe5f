//! Entries of the audit log as sentences in the reader's language.

use api_types::audit::AuditRow;
use i18n::FluentValue;
use runtime::organisation::ORGANISATION;
use serde_json::Value;

use crate::{
    pages::{components::text, page_context::PageContext},
    texts::Texts,
};

/// Prefix of the message keys of kinds.
const SAID: &str = "audit-say-";

/// The message key of a kind; `None` for kinds of other versions, which have no sentence.
fn key_of(what: &str) -> Option<String> {
    let is_known = runtime::audit::names().any(|name| name == what);
    is_known.then(|| format!("{SAID}{}", what.replace('.', "-")))
}

/// The message key for a change that a person made of their own.
fn own_key(what: &str) -> Option<&'static str> {
    let groups = [
        ("appointment.", "audit-own-appointments"),
        ("profile.choose", "audit-own-status"),
        ("profile.automatic", "audit-own-status"),
        ("profile.", "audit-own-profiles"),
        ("relationship.", "audit-own-sharing"),
        ("favourites.", "audit-own-settings"),
        ("settings.", "audit-own-settings"),
        ("person.teams_account", "audit-own-teams"),
        ("device.", "audit-own-devices"),
    ];
    let found = groups.iter().find(|(prefix, _)| what.starts_with(prefix));
    found.map(|(_, key)| *key)
}

/// The entry as a sentence. `parts`: number of the entries that belong to it.
pub(in crate::pages::admin) fn sentence(
    request: &PageContext,
    row: &AuditRow,
    parts: usize,
) -> String {
    let words = request.words;
    let (name, target) = (author(words, &row.who), target(request, row));
    let number = |key| row.after.as_ref()?.get(key)?.as_u64();
    let counted = ["added", "updated", "changes"].map(|key| number(key).unwrap_or(0));
    let count = counted.iter().sum::<u64>().max(parts as u64);
    let key = match own_key(&row.what) {
        Some(key) if row.own && row.who == target => key.to_owned(),
        Some(_) | None => key_of(&row.what).unwrap_or_else(|| "audit-unknown-kind".to_owned()),
    };
    let place = match row.what.as_str() {
        "person.place" => place(request, row.after.as_ref()),
        _ => String::new(),
    };
    let arguments: [(&str, FluentValue<'_>); 5] = [
        ("name", name.into()),
        ("target", target.into()),
        ("scope", place.into()),
        ("value", row.what.as_str().into()),
        ("count", count.into()),
    ];
    words.of(&key, arguments)
}

/// The author's name; programs and keys are named in the reader's language.
fn author(words: Texts, who: &str) -> String {
    let key = match who {
        "command line" => "author-command-line",
        "administrator of the installation" => "author-installation",
        "API key of the configuration" => "author-configuration",
        "demo" => "author-demo",
        name => {
            let key = name.strip_prefix("API key ");
            return key.map_or_else(
                || name.to_owned(),
                |key| words.with("author-key", "name", key),
            );
        }
    };
    words.text(key)
}

/// The name of the changed thing.
fn target(request: &PageContext, row: &AuditRow) -> String {
    let (thing, _) = row.what.split_once('.').unwrap_or((&row.what, ""));
    let (first, rest) = row
        .target
        .split_once('/')
        .map_or((row.target.as_str(), None), |(first, rest)| {
            (first, Some(rest))
        });
    match thing {
        _ if row.what == "settings.set" => scope(request, first),
        "person" | "appointment" | "profile" | "relationship" | "favourites" | "settings"
        | "device" => person(request, row, first),
        "scope" => {
            let named = [&row.before, &row.after].into_iter().flatten();
            let named = named.map(|value| text(value, "name"));
            let mut named = named.filter(|name| !name.is_empty());
            match request.context.organisation.read(|snapshot| {
                let scope = snapshot.scopes.iter().find(|(id, _)| id.as_str() == first);
                scope.is_some()
            }) {
                true => scope(request, first),
                false => named.next().unwrap_or(first).to_owned(),
            }
        }
        "programs" => match rest {
            Some(program) => format!("{program}, {}", scope(request, first)),
            None => scope(request, first),
        },
        "template" => match rest {
            Some(name) => format!("{name} ({})", scope(request, first)),
            None => row.target.clone(),
        },
        "session" => author(request.words, row.target.trim_matches('"')),
        _ => row.target.clone(),
    }
}

/// The name of a person, also of one who is deleted.
fn person(request: &PageContext, row: &AuditRow, id: &str) -> String {
    let name = request.name_of(id);
    if name != id {
        return name;
    }
    let named = [&row.after, &row.before].into_iter().flatten();
    let mut named = named.map(|value| text(value, "name").to_owned());
    named.find(|name| !name.is_empty()).unwrap_or(name)
}

/// The name of a scope, with its location if it is a group.
fn scope(request: &PageContext, id: &str) -> String {
    if id == ORGANISATION.as_str() {
        return request.say("audit-organisation");
    }
    request.context.organisation.read(|snapshot| {
        let find = |id: &str| {
            let mut scopes = snapshot.scopes.iter();
            scopes.find(|(known, _)| known.as_str() == id)
        };
        let Some((_, known)) = find(id) else {
            return id.to_owned();
        };
        match find(known.parent.as_str()) {
            Some((_, location)) => format!("{} / {}", location.name, known.name),
            None => known.name.clone(),
        }
    })
}

/// The location and group of a moved person.
fn place(request: &PageContext, after: Option<&Value>) -> String {
    let id = |key| after.map_or("", |after| text(after, key));
    match [id("group"), id("location")]
        .into_iter()
        .find(|id| !id.is_empty())
    {
        Some(id) => scope(request, id),
        None => request.say("audit-organisation"),
    }
}

#[cfg(test)]
mod tests {
    use i18n::Language;

    use super::*;

    #[test]
    fn each_kind_of_entry_has_a_sentence_in_each_language() {
        for what in runtime::audit::names() {
            let key = key_of(what).unwrap();
            for language in Language::ALL {
                assert!(Texts(language).has(&key), "{key} in {}", language.code());
            }
        }
    }

    #[test]
    fn each_change_of_one_s_own_has_a_sentence_without_content() {
        for own in runtime::audit::Own::ALL {
            let key = own_key(own.name());
            assert!(
                key.is_some_and(|key| Texts(Language::German).has(key)),
                "{own:?}"
            );
        }
    }

    #[test]
    fn programs_and_keys_are_named_in_the_reader_s_language() {
        let german = Texts(Language::German);
        assert_eq!(author(german, "command line"), "Die Befehlszeile");
        assert_eq!(
            author(german, "API key Grafana"),
            "Der API-Schlüssel Grafana"
        );
        assert_eq!(author(german, "Farid Haddad"), "Farid Haddad");
    }
}
