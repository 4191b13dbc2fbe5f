//! `offhook explain`: explains a person's presence in a terminal.

use std::io::IsTerminal;

use serde_json::Value;

use crate::{Configured, installation, output, running::RunningServer};

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    configured: Configured,
    /// Address of the server, instead of that in the configuration.
    #[arg(long, requires = "key")]
    api: Option<String>,
    /// API key for that server.
    #[arg(long, env = "OFFHOOK_API_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Name, mail, sign-in name, extension or id of the person.
    person: String,
}

/// Prints the explanation.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let server = match (arguments.api, arguments.key) {
        (Some(api), Some(key)) => RunningServer::with_key(&api, &key),
        _ => {
            let config = installation::configuration(&arguments.configured.config)?;
            RunningServer::of(&config).await?
        }
    };
    let id = find(&server, &arguments.person).await?;
    let explanation = server
        .get(&format!("/api/v1/people/{id}/explanation"))
        .await?;
    output::print(text(&explanation, std::io::stdout().is_terminal()));
    Ok(())
}

/// Id of the only matching person.
async fn find(server: &RunningServer, wanted: &str) -> anyhow::Result<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server
            .get(&format!("/api/v1/people?limit=1000{cursor}"))
            .await?;
        for person in page
            .get("items")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            match matches(person, wanted) {
                Match::Exact => return Ok(field(person, "id").to_owned()),
                Match::Part => found.push((
                    field(person, "id").to_owned(),
                    field(person, "name").to_owned(),
                )),
                Match::No => {}
            }
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    match found.as_slice() {
        [(id, _)] => Ok(id.clone()),
        [] => anyhow::bail!(
            "no person matches {wanted:?}; give a name, mail, sign-in name, extension or id"
        ),
        several => {
            let names: Vec<&str> = several.iter().take(8).map(|(_, name)| &**name).collect();
            anyhow::bail!(
                "{wanted:?} matches {} people: {}; be more specific",
                several.len(),
                names.join(", ")
            )
        }
    }
}

enum Match {
    Exact,
    Part,
    No,
}

fn matches(person: &Value, wanted: &str) -> Match {
    let same = |text: &str| text.eq_ignore_ascii_case(wanted);
    let lines = person.get("lines").and_then(Value::as_array);
    let has_line = lines
        .into_iter()
        .flatten()
        .any(|line| field(line, "extension") == wanted);
    let exact = ["id", "name", "mail", "userPrincipalName"]
        .into_iter()
        .any(|key| same(field(person, key)));
    if exact || has_line {
        Match::Exact
    } else if field(person, "name")
        .to_lowercase()
        .contains(&wanted.to_lowercase())
    {
        Match::Part
    } else {
        Match::No
    }
}

fn field<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Explanation as text: the visible state, the reasons that decided, and the overruled ones.
fn text(explanation: &Value, colours: bool) -> String {
    let bold = |text: &str| {
        if colours {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    };
    let none = Value::Null;
    let presence = explanation.get("presence").unwrap_or(&none);
    let mut lines = vec![format!(
        "{}: {}, {}",
        bold(field(explanation, "name")),
        bold(field(presence, "status")),
        field(presence, "text"),
    )];
    lines.push(format!(
        "  since {}, profile {}, {}",
        field(presence, "since"),
        field(presence, "profile"),
        field(presence, "confidence"),
    ));
    let reasons = explanation.get("reasons").and_then(Value::as_array);
    for reason in reasons.into_iter().flatten() {
        let counted = reason.get("counted").and_then(Value::as_bool) == Some(true);
        let mark = if counted { "✔" } else { "·" };
        let mut says = format!("{}: {}", field(reason, "source"), field(reason, "says"));
        if !field(reason, "party").is_empty() {
            says = format!("{says} with {}", field(reason, "party"));
        }
        if !field(reason, "about").is_empty() {
            says = format!("{says} “{}”", field(reason, "about"));
        }
        if counted {
            says = bold(&says);
        }
        lines.push(format!("{mark} {says}"));
        let mut detail = format!(
            "{}; since {}",
            field(reason, "rule"),
            field(reason, "since")
        );
        if !field(reason, "lease_end").is_empty() {
            detail = format!("{detail}; until {}", field(reason, "lease_end"));
        }
        if field(reason, "confidence") != "certain" {
            detail = format!("{detail}; {}", field(reason, "confidence"));
        }
        lines.push(format!("    {detail}"));
        if !field(reason, "note").is_empty() {
            lines.push(format!("    {}", field(reason, "note")));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Match, matches, text};

    #[test]
    fn a_person_is_found_by_any_name() {
        let anna = json!({"id": "7", "name": "Anna Becker", "mail": "anna@x.example",
            "userPrincipalName": "", "lines": [{"extension": "1001"}]});
        for wanted in ["7", "anna becker", "ANNA@x.example", "1001"] {
            assert!(matches!(matches(&anna, wanted), Match::Exact), "{wanted}");
        }
        assert!(matches!(matches(&anna, "becker"), Match::Part));
        assert!(matches!(matches(&anna, "bert"), Match::No));
    }

    #[test]
    fn reasons_that_counted_differ_from_overruled_ones() {
        let shown = text(
            &json!({"name": "Anna", "presence": {"status": "Busy", "text": "On the phone",
                "since": "S", "profile": "Available", "confidence": "certain"},
                "reasons": [
                    {"rule": "activity: call", "source": "line 1001", "says": "in a call", "since": "S",
                     "counted": true, "confidence": "certain"},
                    {"rule": "profile 5", "source": "calendar", "says": "appointment", "about": "Review",
                     "since": "S", "counted": false, "confidence": "stale", "note": "suspended"}]}),
            false,
        );
        assert_eq!(
            shown,
            "Anna: Busy, On the phone\n  since S, profile Available, certain\n✔ line 1001: in a call\n    \
             activity: call; since S\n· calendar: appointment “Review”\n    profile 5; since S; stale\n    \
             suspended\n"
        );
    }
}
