//! `offhook doctor`: checks an installation from its configuration to the PBX lines, and reports each fault with its
//! meaning and remedy. It changes nothing, except the presence of a test person for a moment.

mod fault;
mod installation;
mod notifications;
mod phones;
mod teams;
mod telephone;

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use ::teams::TeamsOptions;
use api_types::doctor;
use fault::Fault;
use phones::Ports;
use presence::Extension;
use serde_json::json;
use store::Store;
use teams::is_called;

use crate::{Configured, output};

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    configured: Configured,
    /// Write the presence of this person for a moment, then clear it: mail, sign-in name or id.
    #[arg(long)]
    test_person: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// It works, with a restriction.
    Warning(Fault),
    Failed(Fault),
    /// Not checked, because an earlier check failed or it was not requested.
    Skipped,
}

/// Finding of a check.
#[derive(Debug)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    /// Names and values of this installation.
    what: String,
}

/// Findings so far, printed as they come.
#[derive(Debug)]
struct Report {
    findings: Vec<Finding>,
    prints: bool,
    colours: bool,
    /// Name of the tenant in the findings, unless it is the main one.
    tenant: Option<String>,
    /// First finding that was not printed.
    output_error: Option<anyhow::Error>,
}

impl Report {
    fn fine(&mut self, check: &'static str, what: impl Into<String>) {
        self.add(check, Verdict::Fine, what.into());
    }

    fn warn(&mut self, check: &'static str, fault: Fault, what: impl Into<String>) {
        self.add(check, Verdict::Warning(fault), what.into());
    }

    fn fail(&mut self, check: &'static str, fault: Fault, what: impl Into<String>) {
        self.add(check, Verdict::Failed(fault), what.into());
    }

    fn skip(&mut self, check: &'static str, why: impl Into<String>) {
        self.add(check, Verdict::Skipped, why.into());
    }

    fn add(&mut self, check: &'static str, verdict: Verdict, what: String) {
        let what = match &self.tenant {
            Some(tenant) => format!("{tenant}: {what}"),
            None => what,
        };
        let finding = Finding {
            check,
            verdict,
            what,
        };
        if self.prints
            && let Err(error) = output::print(finding.text(self.colours))
        {
            self.output_error.get_or_insert(error);
        }
        self.findings.push(finding);
    }

    fn bodies(&self) -> Vec<doctor::Finding> {
        self.findings.iter().map(Finding::body).collect()
    }

    fn failures(&self) -> usize {
        let failed = |finding: &&Finding| matches!(finding.verdict, Verdict::Failed(_));
        self.findings.iter().filter(failed).count()
    }
}

impl Finding {
    fn fault(&self) -> Option<Fault> {
        match self.verdict {
            Verdict::Warning(fault) | Verdict::Failed(fault) => Some(fault),
            Verdict::Fine | Verdict::Skipped => None,
        }
    }

    fn text(&self, colours: bool) -> String {
        let (mark, colour) = match self.verdict {
            Verdict::Fine => ("✔", 32),
            Verdict::Warning(_) => ("!", 33),
            Verdict::Failed(_) => ("✘", 31),
            Verdict::Skipped => ("·", 90),
        };
        let mark = if colours {
            format!("\x1b[{colour}m{mark}\x1b[0m")
        } else {
            mark.to_owned()
        };
        let mut text = format!("{mark} {:<14} {}\n", self.check, self.what);
        if let Some(fault) = self.fault() {
            let (code, means, remedy) = (fault.code(), fault.means(), fault.remedy());
            text += &format!("    {code}: {means}\n    → {remedy}\n");
        }
        text
    }

    fn body(&self) -> doctor::Finding {
        let verdict = match self.verdict {
            Verdict::Fine => doctor::Verdict::Fine,
            Verdict::Warning(_) => doctor::Verdict::Warning,
            Verdict::Failed(_) => doctor::Verdict::Failed,
            Verdict::Skipped => doctor::Verdict::Skipped,
        };
        let fault = self.fault();
        let text = |of: fn(Fault) -> &'static str| fault.map(|fault| of(fault).to_owned());
        doctor::Finding {
            check: self.check.to_owned(),
            verdict,
            what: self.what.clone(),
            fault: text(Fault::code),
            means: text(Fault::means),
            remedy: text(Fault::remedy),
        }
    }
}

/// Place where the doctor runs.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// In a process of its own.
    CommandLine,
    /// In the server, where the database is open and must not be opened again.
    Server(&'a Store),
}

/// Runs all checks, for the server's pages and API.
pub async fn findings(path: PathBuf, store: Store) -> Vec<doctor::Finding> {
    let mut report = Report {
        findings: Vec::new(),
        prints: false,
        colours: false,
        tenant: None,
        output_error: None,
    };
    examine(&mut report, &path, Place::Server(&store), None).await;
    report.bodies()
}

/// Runs all checks and prints the findings. Fails if a check failed.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut report = Report {
        findings: Vec::new(),
        prints: !arguments.json,
        colours: std::io::stdout().is_terminal(),
        tenant: None,
        output_error: None,
    };
    examine(
        &mut report,
        &arguments.configured.config,
        Place::CommandLine,
        arguments.test_person.as_deref(),
    )
    .await;
    if arguments.json {
        output::line(json!(report.bodies()))?;
    }
    if let Some(error) = report.output_error {
        return Err(error);
    }
    match report.failures() {
        0 => Ok(()),
        failures => anyhow::bail!("{failures} of {} checks failed", report.findings.len()),
    }
}

async fn examine(report: &mut Report, path: &Path, place: Place<'_>, test_person: Option<&str>) {
    let Some((config, kept)) = installation::check(report, path, place).await else {
        return;
    };
    let ports = match place {
        Place::CommandLine if matches!(crate::installation::lock(&config), Ok(Some(_))) => {
            Ports::Free
        }
        Place::CommandLine | Place::Server(_) => Ports::InUse,
    };
    if config.tenants.is_empty() {
        report.warn(
            "tenant",
            Fault::TeamsMissing,
            "no [teams] in the configuration",
        );
    }
    // The test person is checked in their own tenant, or in the first one if no tenant has the person.
    let has = |tenant: &TeamsOptions| {
        let there = kept.of_tenant(&tenant.name).people;
        test_person.is_some_and(|name| there.iter().any(|person| is_called(person, name)))
    };
    let tested = config.tenants.iter().position(has).unwrap_or(0);
    for (at, tenant) in config.tenants.into_iter().enumerate() {
        let test_person = test_person.filter(|_| at == tested);
        report.tenant = (!tenant.name.is_main()).then(|| tenant.name.to_string());
        let there = kept.of_tenant(&tenant.name);
        if let Some(options) = &tenant.notifications {
            notifications::check(report, options, there.service_accounts).await;
        }
        teams::check(report, tenant, &there, test_person).await;
        report.tenant = None;
    }
    if let Some(phones) = &config.phones {
        let domains = config.pbxs.iter().map(|pbx| pbx.connector.domain());
        let lines = kept.people.iter().flat_map(|person| &person.lines);
        let extensions: Vec<&Extension> = lines.map(|(_, extension)| extension).collect();
        phones::check(
            report,
            phones,
            &domains.collect::<Vec<_>>(),
            &extensions,
            ports,
        );
    }
    if config.pbxs.is_empty() {
        let what = "no [[pbx]] in the configuration";
        report.warn("telephone", Fault::PbxMissing, what);
    }
    telephone::check_all(report, config.pbxs, &kept.people).await;
}

/// Result of resolving a name and connecting to it.
enum Reach {
    Fine,
    Name(String),
    Address(String),
}

/// Timeout of a connection.
const CONNECT: std::time::Duration = std::time::Duration::from_secs(5);

/// Resolves a name and connects to it.
async fn reach(host: &str, port: u16, connect: bool) -> Reach {
    let mut addresses = match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => addresses.peekable(),
        Err(error) => return Reach::Name(format!("{host}: {error}")),
    };
    if addresses.peek().is_none() {
        return Reach::Name(format!("{host} has no address"));
    }
    if !connect {
        return Reach::Fine;
    }
    let addresses: Vec<_> = addresses.collect();
    let connected =
        tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect(&*addresses)).await;
    match connected {
        Ok(Ok(_)) => Reach::Fine,
        Ok(Err(error)) => Reach::Address(format!("{host} port {port}: {error}")),
        Err(_) => Reach::Address(format!("{host} port {port}: no answer within {CONNECT:?}")),
    }
}
