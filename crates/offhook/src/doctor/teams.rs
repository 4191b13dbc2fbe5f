//! Tenant: names and addresses, clock, token and permissions, a read, a write and its clear.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use graph::{Client, ClientConfig, GraphError, Operation, SignInFault};
use presence::TeamsUserId;
use runtime::clock::http_date;
use secrecy::ExposeSecret;
use serde_json::Value;
use store::StoredPerson;
use teams::{SignIn, TeamsOptions};

use super::{Fault, Reach, Report, installation::OfTenant, reach};
use crate::installation;

/// Clock difference from which a warning is given; Entra and Graph allow five minutes.
const SKEW_MAX: Duration = Duration::from_secs(60);
/// Timeout for a written presence to show.
const SHOWS: Duration = Duration::from_secs(6);
/// Maximum number of people without an account named in a finding.
const NAMED_MAX: usize = 5;

/// Checks one tenant. Each step depends on the previous one.
pub(super) async fn check(
    report: &mut Report,
    options: TeamsOptions,
    there: &OfTenant<'_>,
    test_person: Option<&str>,
) {
    let config = options.client;
    let sign_in = (Fault::SignInName, Fault::SignInUnreachable);
    if !reachable(report, "sign-in", &config.login, sign_in).await {
        return;
    }
    let graph = (Fault::GraphName, Fault::GraphUnreachable);
    if !reachable(report, "graph", &config.graph, graph).await {
        return;
    }
    clock(report, &config).await;
    if options.sign_in == SignIn::People {
        let what = format!(
            "people sign in by themselves here; the logins of {} of {} people are remembered",
            there.logins,
            there.people.len()
        );
        return report.skip("token", what);
    }
    let people = &*there.people;
    let client = match Client::new(config.clone()) {
        Ok(client) => client,
        Err(error) => return report.fail("graph", Fault::GraphUnreachable, error.to_string()),
    };
    if !token(report, &client, &config).await {
        return;
    }
    let accounts = people.iter().filter_map(|person| person.teams_id.as_ref());
    let linked: Vec<&str> = accounts.map(TeamsUserId::as_str).collect();
    if !read(report, &client, &linked).await {
        return;
    }
    unlinked(report, people);
    match test_person {
        None => report.skip(
            "write",
            "not checked; --test-person NAME writes a person's presence for a moment",
        ),
        Some(name) => write(report, &client, people, name).await,
    }
}

/// True if the person has this id, mail or sign-in name.
pub(super) fn is_called(person: &StoredPerson, name: &str) -> bool {
    installation::goes_by(person, name) || person.name.eq_ignore_ascii_case(name)
}

/// Host and port of an address.
fn host(address: &str) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(address).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    Some((host, url.port_or_known_default()?))
}

async fn reachable(
    report: &mut Report,
    check: &'static str,
    address: &str,
    (name, silent): (Fault, Fault),
) -> bool {
    let Some((host, port)) = host(address) else {
        report.fail(check, name, format!("{address} is no address"));
        return false;
    };
    match reach(&host, port, true).await {
        Reach::Fine => {
            report.fine(check, format!("{host} port {port} answers"));
            true
        }
        Reach::Name(what) => {
            report.fail(check, name, what);
            false
        }
        Reach::Address(what) => {
            report.fail(check, silent, what);
            false
        }
    }
}

/// Compares the clocks. Every answer of Graph contains its time, also a refusal.
async fn clock(report: &mut Report, config: &ClientConfig) {
    const CHECK: &str = "clock";
    let request = reqwest::Client::new().get(format!("{}/v1.0/", config.graph));
    let Ok(answer) = request.timeout(super::CONNECT).send().await else {
        return report.skip(CHECK, "Graph did not tell the time");
    };
    let told = answer.headers().get(reqwest::header::DATE);
    let Some(told) = told.and_then(|date| http_date(date.to_str().ok()?)) else {
        return report.skip(CHECK, "Graph did not tell the time");
    };
    let now = runtime::clock::Clock::system().now();
    let skew = if now > told {
        now.since(told)
    } else {
        told.since(now)
    };
    // The time in the answer has a precision of one second.
    let text = format!("{} s apart from Graph's", skew.as_secs());
    if skew > SKEW_MAX {
        report.fail(CHECK, Fault::ClockSkewed, text);
    } else {
        report.fine(CHECK, text);
    }
}

async fn token(report: &mut Report, client: &Client, config: &ClientConfig) -> bool {
    const CHECK: &str = "token";
    let token = match client.access_token().await {
        Ok(token) => token,
        Err(error) => {
            report.fail(CHECK, sign_in_fault(&error), error.to_string());
            return false;
        }
    };
    let Some(claims) = claims(token.expose_secret()) else {
        // Microsoft does not guarantee that a token is readable; the requests show missing permissions then.
        report.skip("permissions", "the token cannot be read");
        return true;
    };
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_id = config.tenant.len() == 36 && config.tenant.matches('-').count() == 4;
    if is_id && !text("tid").eq_ignore_ascii_case(&config.tenant) {
        let what = format!("of the tenant {} instead of {}", text("tid"), config.tenant);
        report.fail(CHECK, Fault::TokenForeign, what);
        return false;
    }
    report.fine(CHECK, format!("for the application {}", config.client_id));
    let roles: Vec<&str> = claims
        .get("roles")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    permissions(report, &roles)
}

/// Checks the permissions. Returns false if they allow nothing.
fn permissions(report: &mut Report, roles: &[&str]) -> bool {
    const CHECK: &str = "permissions";
    let has = |names: &[&str]| names.iter().any(|name| roles.contains(name));
    let listed = roles.join(", ");
    if roles.is_empty() {
        report.fail(CHECK, Fault::RolesNone, "none");
        return false;
    }
    if !has(&["Presence.ReadWrite.All", "Presence.Read.All"]) {
        report.fail(CHECK, Fault::RolesRead, listed);
        return false;
    }
    if !has(&["Presence.ReadWrite.All"]) {
        report.fail(CHECK, Fault::RolesWrite, listed);
    } else if !has(&["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"]) {
        report.warn(CHECK, Fault::RolesDirectory, listed);
    } else {
        report.fine(CHECK, listed);
    }
    true
}

/// Claims of the token, which contain no secrets; the token itself is never shown.
fn claims(token: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

fn sign_in_fault(error: &GraphError) -> Fault {
    let text = error.to_string();
    match error {
        GraphError::SignIn { code, fault, .. } => refusal_fault(*code, *fault),
        GraphError::Unreachable { .. } if is_tls(&text) => Fault::SignInCertificate,
        GraphError::Unreachable { .. } => Fault::SignInUnreachable,
        // Temporary failures.
        GraphError::Unconfirmed {
            status: 400 | 408 | 409 | 421 | 423..=425,
            ..
        } => Fault::SignInFailing,
        GraphError::Malformed { .. }
        | GraphError::Intercepted { .. }
        | GraphError::Unconfirmed { .. } => Fault::SignInStranger,
        _ => Fault::SignInFailing,
    }
}

/// Fault by Entra's number where it is more precise than the party that can end the refusal.
fn refusal_fault(code: Option<u32>, fault: SignInFault) -> Fault {
    match (code, fault) {
        (Some(90_002 | 900_023), _) => Fault::TenantUnknown,
        (Some(700_016), _) => Fault::ApplicationUnknown,
        (Some(7_000_215), _) => Fault::SecretWrong,
        (Some(7_000_222), _) => Fault::SecretExpired,
        (Some(700_027), _) => Fault::CertificateWrong,
        (Some(53_003), _) => Fault::AccessBlocked,
        (_, SignInFault::Clock) => Fault::ClockSkewed,
        (_, SignInFault::Disabled) => Fault::ApplicationDisabled,
        (_, SignInFault::Consent) => Fault::RolesNone,
        (_, SignInFault::Loop | SignInFault::Microsoft) => Fault::SignInFailing,
        (
            Some(_),
            SignInFault::Configuration
            | SignInFault::Credential
            | SignInFault::Policy
            | SignInFault::Account
            | SignInFault::Locked
            | SignInFault::Person,
        ) => Fault::SignInRefused,
        // Entra names a number with every refusal.
        (
            None,
            SignInFault::Configuration
            | SignInFault::Credential
            | SignInFault::Policy
            | SignInFault::Account
            | SignInFault::Locked
            | SignInFault::Person,
        ) => Fault::SignInStranger,
    }
}

fn is_tls(text: &str) -> bool {
    let text = text.to_lowercase();
    [
        "certificate",
        "tls",
        "unknownissuer",
        "handshake",
        "corrupt message",
    ]
    .iter()
    .any(|word| text.contains(word))
}

fn graph_fault(error: &GraphError, forbidden: Fault) -> Fault {
    match error {
        GraphError::Forbidden { .. } => forbidden,
        GraphError::Unauthorized { .. } => Fault::Unauthorized,
        GraphError::Throttled { .. } => Fault::Throttled,
        GraphError::Service { .. }
        | GraphError::Unconfirmed {
            status: 400 | 408 | 409 | 421 | 423..=425,
            ..
        } => Fault::GraphFailing,
        GraphError::Intercepted { .. } => Fault::GraphIntercepted,
        GraphError::Unreachable { .. } => Fault::GraphUnreachable,
        // Only Graph itself refuses for good.
        GraphError::NotFound { .. } | GraphError::Refused { .. } => Fault::ReadEmpty,
        _ => Fault::GraphStranger,
    }
}

/// Reads the first linked people; without any, a person who cannot exist, which Graph also answers.
async fn read(report: &mut Report, client: &Client, linked: &[&str]) -> bool {
    const CHECK: &str = "read";
    let nobody = ["00000000-0000-0000-0000-000000000001"];
    let asked = linked
        .get(..linked.len().min(NAMED_MAX))
        .unwrap_or_default();
    let asked = if asked.is_empty() { &nobody } else { asked };
    match client.presences(asked, None).await {
        Ok(read) if !linked.is_empty() && read.presences.is_empty() => {
            report.fail(CHECK, Fault::ReadEmpty, asked.join(", "));
            true
        }
        Ok(read) => {
            report.fine(
                CHECK,
                format!(
                    "the presence of {} of {} people",
                    read.presences.len(),
                    linked.len()
                ),
            );
            true
        }
        // Without a linked person Graph may refuse the id, which shows that the request arrives.
        Err(GraphError::Refused { .. } | GraphError::NotFound { .. }) if linked.is_empty() => {
            report.skip(CHECK, "no person has a linked Teams account yet");
            true
        }
        Err(error) => {
            report.fail(
                CHECK,
                graph_fault(&error, Fault::ReadForbidden),
                error.to_string(),
            );
            false
        }
    }
}

fn unlinked(report: &mut Report, people: &[&StoredPerson]) {
    let without: Vec<&str> = people
        .iter()
        .filter(|person| person.teams_id.is_none())
        .map(|person| person.name.as_str())
        .collect();
    if people.is_empty() || without.is_empty() {
        return;
    }
    let named = without
        .get(..without.len().min(NAMED_MAX))
        .unwrap_or_default();
    let what = format!(
        "{} of {}: {}{}; the server links them while it runs",
        without.len(),
        people.len(),
        named.join(", "),
        if without.len() > NAMED_MAX {
            ", …"
        } else {
            ""
        }
    );
    report.warn("accounts", Fault::NobodyLinked, what);
}

async fn write(report: &mut Report, client: &Client, people: &[&StoredPerson], name: &str) {
    const CHECK: &str = "write";
    let found = people.iter().find(|person| is_called(person, name));
    let Some((person, account)) =
        found.and_then(|person| Some((person, person.teams_id.as_ref()?.as_str())))
    else {
        return report.fail(CHECK, Fault::TestPersonUnknown, format!("{name:?}"));
    };
    if person.record.slots.iter().any(Option::is_some) {
        return report.fail(CHECK, Fault::TestPersonBusy, person.name.clone());
    }
    if let Err(error) = client.write(account, Operation::SetSession, None).await {
        let fault = graph_fault(&error, Fault::WriteRefused);
        return report.fail(CHECK, fault, error.to_string());
    }
    let shows = shows(client, account).await;
    if let Err(error) = client.write(account, Operation::ClearSession, None).await {
        return report.fail(CHECK, Fault::ClearRefused, error.to_string());
    }
    match shows {
        Ok(()) => report.fine(
            CHECK,
            format!("{}: written, seen and taken back", person.name),
        ),
        Err(seen) => report.warn(
            CHECK,
            Fault::WriteHidden,
            format!("{}: Teams shows {seen}", person.name),
        ),
    }
}

/// Waits until the written presence shows. The error is the presence shown instead.
async fn shows(client: &Client, account: &str) -> Result<(), String> {
    let began = tokio::time::Instant::now();
    loop {
        let read = client.presences(&[account], None).await;
        let seen = read.ok().and_then(|read| read.presences.into_iter().next());
        let availability = seen.map(|presence| presence.availability);
        if availability.as_deref() == Some("Busy") {
            return Ok(());
        }
        if began.elapsed() >= SHOWS {
            return Err(availability.unwrap_or_else(|| "nothing".into()));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
