//! PBX: name, answer, password, each line.

use std::{sync::Arc, time::Duration};

use phones::pbx::PbxOptions;
use presence::Extension;
use store::StoredPerson;
use telephony::connector::{
    Connector, ConnectorHandle, Health, LoginFault, Software, Trouble, host_and_port,
};
use tokio::{sync::mpsc, time::Instant};

use super::{Fault, Reach, Report, reach};

const CHECK: &str = "telephone";
/// Timeout for all lines. An accepted subscription waits 32 s for its NOTIFY (RFC 6665 §4.1.2.4); after that the connector
/// itself names the missing ones.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(35);
/// Time after which no answer is to be expected from a silent PBX.
const ANSWERS: Duration = Duration::from_secs(6);
/// Maximum number of lines named in a finding.
const NAMED_MAX: usize = 5;
/// Maximum number of extensions without a phone named in a finding.
const UNREGISTERED_NAMED_MAX: usize = 20;

/// Subscribes to every line for a moment like the server: at each PBX to its own.
pub(super) async fn check_all(report: &mut Report, pbxs: Vec<PbxOptions>, people: &[StoredPerson]) {
    let extensions = people
        .iter()
        .flat_map(|person| &person.lines)
        .map(|(_, extension)| extension.clone());
    let extensions: Vec<Extension> = extensions.collect();
    for (pbx, extensions) in PbxOptions::divide(pbxs, &extensions) {
        let extensions = extensions.into_iter().map(Into::into).collect();
        check(report, pbx.connector, extensions).await;
    }
}

async fn check(report: &mut Report, connector: Connector, extensions: Vec<Arc<str>>) {
    let server = connector.servers().join(", ");
    for one in connector.servers() {
        // For a name without a port, DNS may return servers with other names.
        let (host, Some(port)) = host_and_port(one) else {
            continue;
        };
        let (host, port) = (host.trim_matches(['[', ']']), port.parse().unwrap_or(5060));
        if let Reach::Name(what) = reach(host, port, false).await {
            return report.fail(CHECK, Fault::PbxName, what);
        }
    }
    if extensions.is_empty() {
        return report.warn(
            CHECK,
            Fault::PbxNoLines,
            format!("no line to ask {server} for"),
        );
    }
    let (events, mut heard) = mpsc::channel(1_024);
    // The events must be received, but are not used.
    let drain = tokio::spawn(async move { while heard.recv().await.is_some() {} });
    let started = connector.start(extensions.clone(), events);
    let running = match started {
        Ok(running) => running,
        Err(error) => return report.fail(CHECK, Fault::PbxUnusable, error.to_string()),
    };
    let health = settled(&running).await;
    running.stop().await;
    drain.abort();
    report_lines(report, &server, connector.domain(), &health);
    if health.software == Software::FreeSwitch && health.active > 0 {
        let found = connector.unregistered_extensions(&extensions).await;
        tell_unregistered(report, &server, found);
    }
}

/// FreeSWITCH accepts every extension, so a mistyped one is only recognisable by its missing phone.
fn tell_unregistered(report: &mut Report, server: &str, found: Result<Vec<Arc<str>>, String>) {
    let unregistered = match found {
        Ok(unregistered) => unregistered,
        Err(why) => {
            let what = format!("{server} was not asked which extensions have a phone: {why}");
            return report.skip(CHECK, what);
        }
    };
    if unregistered.is_empty() {
        return;
    }
    let named: Vec<&str> = unregistered
        .iter()
        .take(UNREGISTERED_NAMED_MAX)
        .map(AsRef::as_ref)
        .collect();
    let more = match unregistered.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = format!(
        "{server}: no phone is registered for {}{more}, or they do not exist",
        named.join(", ")
    );
    report.warn(CHECK, Fault::PbxUnregistered, what);
}

/// Health after every line has reported, or when nothing more is to be expected.
async fn settled(connector: &ConnectorHandle) -> Health {
    let mut health = connector.health();
    let began = Instant::now();
    loop {
        let now = health.borrow_and_update().clone();
        let spoken = now.pending == 0;
        // All lines use the same password, and a PBX that does not answer at all will not do so later.
        let hopeless = now.trouble.is_some() && (now.reachable || began.elapsed() >= ANSWERS);
        if spoken || hopeless || began.elapsed() >= ANSWER_TIMEOUT {
            return now;
        }
        let pause = tokio::time::timeout(Duration::from_millis(500), health.changed());
        if matches!(pause.await, Ok(Err(_))) {
            return now;
        }
    }
}

fn report_lines(report: &mut Report, server: &str, domain: &str, health: &Health) {
    if let Some(trouble) = &health.trouble {
        let both = || format!("{} ({})", trouble.what, trouble.remedy);
        return match (health.reachable, health.login_fault) {
            (false, _) => report.fail(CHECK, Fault::PbxSilent, both()),
            (true, Some(LoginFault::WrongCredentials)) => {
                report.fail(CHECK, Fault::PbxPassword, trouble.what.clone());
            }
            (true, Some(LoginFault::Other) | None) => {
                report.fail(CHECK, Fault::PbxLogin, both());
            }
        };
    }
    if !health.reachable {
        return report.fail(CHECK, Fault::PbxSilent, format!("{server} does not answer"));
    }
    let quiet = health.lines.saturating_sub(health.active);
    if quiet > 0 {
        let what = format!(
            "{quiet} of {} lines: {}",
            health.lines,
            reasons(health, domain)
        );
        return report.fail(CHECK, Fault::PbxLines, what);
    }
    let what = format!("{server}: all {} lines are watched", health.lines);
    report.fine(CHECK, what);
    if !health.partly_understood.is_empty() {
        let what = format!(
            "{} of {} lines: {}",
            health.partly_understood.len(),
            health.lines,
            by_remedy(health)
        );
        report.warn(CHECK, Fault::PbxRemarks, what);
    }
}

/// Reasons why lines are not watched; at least one.
fn reasons(health: &Health, domain: &str) -> String {
    let mut troubles = health.line_trouble.values();
    if health.line_trouble.is_empty() {
        return format!(
            "no answer for them within {} s (check the load of the PBX and the network)",
            ANSWER_TIMEOUT.as_secs()
        );
    }
    let is_unknown = |trouble: &Trouble| trouble.what.starts_with("404");
    // Asterisk ignores the domain.
    let has_domains = health.software != Software::Asterisk;
    if has_domains && health.active == 0 && troubles.all(is_unknown) {
        return format!(
            "404: no extension is known at {domain} (check domain in [[pbx]] first; if it is right, correct people's extensions)"
        );
    }
    by_remedy(health)
}

/// The first problems, with each remedy once.
fn by_remedy(health: &Health) -> String {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for trouble in health.line_trouble.values().take(NAMED_MAX) {
        match groups
            .iter_mut()
            .find(|(remedy, _)| *remedy == trouble.remedy)
        {
            Some((_, named)) => named.push(&trouble.what),
            None => groups.push((&trouble.remedy, vec![&trouble.what])),
        }
    }
    let text = |(remedy, named): &(&str, Vec<&str>)| format!("{} ({remedy})", named.join("; "));
    let groups: Vec<String> = groups.iter().map(text).collect();
    groups.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    // A22
    #[test]
    fn lines_that_are_not_watched_have_a_reason() {
        let health = Health {
            reachable: true,
            lines: 301,
            pending: 301,
            ..Health::default()
        };
        let reasons = reasons(&health, "pbx.test");
        assert!(reasons.contains("35 s"), "{reasons}");
    }

    #[test]
    fn a_remedy_is_given_once_and_the_domain_first_where_no_extension_is_known() {
        let trouble = |what: &str, remedy: &str| Trouble {
            what: what.into(),
            remedy: remedy.into(),
        };
        let mut health = Health {
            reachable: true,
            lines: 3,
            ..Health::default()
        };
        for extension in ["1001", "1002", "1003"] {
            let trouble = trouble(&format!("404: {extension}"), "correct it");
            health.line_trouble.insert(extension.into(), trouble);
        }
        let unknown = reasons(&health, "pbx.test");
        assert!(unknown.contains("at pbx.test (check domain"), "{unknown}");
        health.software = Software::Asterisk;
        let all = "404: 1001; 404: 1002; 404: 1003 (correct it)";
        assert_eq!(reasons(&health, "pbx.test"), all);
        health.software = Software::Other;
        health
            .line_trouble
            .insert("1002".into(), trouble("403: 1002", "allow it"));
        let some = "404: 1001; 404: 1003 (correct it); 403: 1002 (allow it)";
        assert_eq!(reasons(&health, "pbx.test"), some);
    }
}
