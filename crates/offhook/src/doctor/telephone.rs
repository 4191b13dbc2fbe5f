//! The telephone system: name, answer, password, each line.

use std::{sync::Arc, time::Duration};

use server::PbxOptions;
use store::StoredPerson;
use telephony::sip_connector::{
    Health, LoginFault, SipConnector, SipConnectorConfig, host_and_port,
};
use tokio::{sync::mpsc, time::Instant};

use super::{Fault, Reach, Report, reach};

const CHECK: &str = "telephone";
/// How long the telephone system may take for all lines.
const PATIENCE: Duration = Duration::from_secs(15);
/// An answer comes sooner than this, if one comes.
const ANSWERS: Duration = Duration::from_secs(6);
/// Lines that are named one by one.
const NAMED_MAX: usize = 5;

/// Subscribes to every line for a moment, as the server does: at each telephone system to its own.
pub(super) async fn check_all(report: &mut Report, pbxs: Vec<PbxOptions>, people: &[StoredPerson]) {
    let extensions = people
        .iter()
        .flat_map(|person| &person.lines)
        .map(|(_, extension)| extension.as_str().into());
    let extensions: Vec<Arc<str>> = extensions.collect();
    for (pbx, extensions) in PbxOptions::divide(pbxs, &extensions) {
        check(report, pbx.connector, extensions).await;
    }
}

async fn check(report: &mut Report, config: SipConnectorConfig, extensions: Vec<Arc<str>>) {
    let server = config.servers.join(", ");
    for one in &config.servers {
        // Of a name without a port the DNS may know servers of other names.
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
    // What is heard is of no interest, but must be taken.
    let drain = tokio::spawn(async move { while heard.recv().await.is_some() {} });
    let connector = match SipConnector::start(config, extensions, events).await {
        Ok(connector) => connector,
        Err(error) => return report.fail(CHECK, Fault::PbxUnusable, error.to_string()),
    };
    let health = settled(&connector).await;
    connector.stop().await;
    drain.abort();
    tell(report, &server, &health);
}

/// The health once every line has spoken, or nothing more is to be expected.
async fn settled(connector: &SipConnector) -> Health {
    let mut health = connector.health();
    let began = Instant::now();
    loop {
        let now = health.borrow_and_update().clone();
        let spoken = now.active + now.line_trouble.len() >= now.lines;
        // One password is everybody's; who does not answer at all will not.
        let hopeless = now.trouble.is_some() && (now.reachable || began.elapsed() >= ANSWERS);
        if spoken || hopeless || began.elapsed() >= PATIENCE {
            return now;
        }
        let pause = tokio::time::timeout(Duration::from_millis(500), health.changed());
        if matches!(pause.await, Ok(Err(_))) {
            return now;
        }
    }
}

fn tell(report: &mut Report, server: &str, health: &Health) {
    if let Some(trouble) = &health.trouble {
        return match (health.reachable, health.login_fault) {
            (false, _) => report.fail(CHECK, Fault::PbxSilent, trouble.what.clone()),
            (true, Some(LoginFault::WrongCredentials)) => {
                report.fail(CHECK, Fault::PbxPassword, trouble.what.clone());
            }
            (true, Some(LoginFault::Other) | None) => {
                let what = format!("{} ({})", trouble.what, trouble.remedy);
                report.fail(CHECK, Fault::PbxLogin, what);
            }
        };
    }
    if !health.reachable {
        return report.fail(CHECK, Fault::PbxSilent, format!("{server} does not answer"));
    }
    let quiet = health.lines.saturating_sub(health.active);
    if quiet == 0 {
        let what = format!("{server}: all {} lines are watched", health.lines);
        return report.fine(CHECK, what);
    }
    let named: Vec<String> = health
        .line_trouble
        .values()
        .take(NAMED_MAX)
        .map(|trouble| format!("{} ({})", trouble.what, trouble.remedy))
        .collect();
    let what = format!("{quiet} of {} lines: {}", health.lines, named.join("; "));
    report.fail(CHECK, Fault::PbxLines, what);
}
