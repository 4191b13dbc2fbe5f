//! `offhook explain`: explains a person's presence in a terminal.

use std::io::IsTerminal;

use api_types::{
    people::{PeoplePage, PersonBody},
    presence::Explanation,
};
use presence::Confidence;

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
    /// Print the trace id of each reason's fact, to search for in the log and in Graph's (`client-request-id`).
    #[arg(long)]
    trace: bool,
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
    let explanation: Explanation = server
        .get(&format!(
            "/api/v1/people/{id}/explanation?trace={}",
            arguments.trace
        ))
        .await?;
    output::print(text(&explanation, std::io::stdout().is_terminal()))?;
    Ok(())
}

/// Id of the only matching person.
async fn find(server: &RunningServer, wanted: &str) -> anyhow::Result<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page: PeoplePage = server
            .get(&format!("/api/v1/people?limit=1000{cursor}"))
            .await?;
        for person in page.items {
            match matches(&person, wanted) {
                Match::Exact => return Ok(person.id),
                Match::Part => found.push((person.id, person.name)),
                Match::No => {}
            }
        }
        match page.next {
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

fn matches(person: &PersonBody, wanted: &str) -> Match {
    let has_line = person.lines.iter().any(|line| line.extension == wanted);
    let exact = [
        &person.id,
        &person.name,
        &person.mail,
        &person.user_principal_name,
    ]
    .into_iter()
    .any(|text| text.eq_ignore_ascii_case(wanted));
    if exact || has_line {
        Match::Exact
    } else if person.name.to_lowercase().contains(&wanted.to_lowercase()) {
        Match::Part
    } else {
        Match::No
    }
}

/// Explanation as text: the visible state, the reasons that decided, and the overruled ones.
fn text(explanation: &Explanation, colours: bool) -> String {
    let bold = |text: &str| {
        if colours {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    };
    let presence = &explanation.presence;
    let mut lines = vec![
        format!(
            "{}: {}, {}",
            bold(&explanation.name),
            bold(presence.status.name()),
            presence.text,
        ),
        format!(
            "  since {}, profile {}, {}",
            presence.since.as_deref().unwrap_or_default(),
            presence.profile.as_deref().unwrap_or_default(),
            presence.confidence.name(),
        ),
    ];
    for reason in &explanation.reasons {
        let mark = if reason.counted { "✔" } else { "·" };
        let mut says = format!("{}: {}", reason.source, reason.says);
        if let Some(party) = given(&reason.party) {
            says = format!("{says} with {party}");
        }
        if let Some(about) = given(&reason.about) {
            says = format!("{says} “{about}”");
        }
        if reason.counted {
            says = bold(&says);
        }
        lines.push(format!("{mark} {says}"));
        let mut detail = format!("{}; since {}", reason.rule, reason.since);
        if let Some(end) = &reason.lease_end {
            detail = format!("{detail}; until {end}");
        }
        if reason.confidence != Confidence::Certain {
            detail = format!("{detail}; {}", reason.confidence.name());
        }
        lines.push(format!("    {detail}"));
        if let Some(trace) = &reason.trace {
            lines.push(format!("    trace {trace}"));
        }
        if let Some(note) = &reason.note {
            lines.push(format!("    {note}"));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The text, unless it is empty.
fn given(text: &Option<String>) -> Option<&String> {
    text.as_ref().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Match, matches, text};

    #[test]
    fn a_person_is_found_by_any_name() {
        let anna = serde_json::from_value(json!({"id": "7", "name": "Anna Becker",
            "mail": "anna@x.example", "userPrincipalName": "", "lines": [{"extension": "1001"}]}));
        let anna = anna.unwrap();
        for wanted in ["7", "anna becker", "ANNA@x.example", "1001"] {
            assert!(matches!(matches(&anna, wanted), Match::Exact), "{wanted}");
        }
        assert!(matches!(matches(&anna, "becker"), Match::Part));
        assert!(matches!(matches(&anna, "bert"), Match::No));
    }

    #[test]
    fn reasons_that_counted_differ_from_overruled_ones() {
        let explanation = serde_json::from_value(json!({
            "person": "7", "name": "Anna",
            "presence": {"status": "Busy", "activity": null, "text": "On the phone", "since": "S",
                "until": null, "profile": "Available", "confidence": "certain"},
            "reasons": [
                {"rule": "activity: call", "source": "line 1001", "says": "in a call", "code": "in-a-call",
                 "value": null, "since": "S", "lease_end": null, "counted": true, "confidence": "certain",
                 "note": null, "note_code": null, "note_value": null},
                {"rule": "profile 5", "source": "calendar", "says": "appointment", "code": "appointment",
                 "value": null, "about": "Review", "since": "S", "lease_end": null, "counted": false,
                 "confidence": "stale", "note": "suspended", "note_code": null, "note_value": null}],
        }));
        let shown = text(&explanation.unwrap(), false);
        assert_eq!(
            shown,
            "Anna: Busy, On the phone\n  since S, profile Available, certain\n✔ line 1001: in a call\n    \
             activity: call; since S\n· calendar: appointment “Review”\n    profile 5; since S; stale\n    \
             suspended\n"
        );
    }
}
