//! The program `teamsbox`: a Teams tenant in a box, on the command line.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use teamsbox::{
    App, ClockMode, Config, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_TENANT_ID, Device,
    Knobs, NewTenant, NewUser, Teamsbox,
};
use tracing_subscriber::EnvFilter;

/// A Microsoft Teams tenant in a box: Entra and Microsoft Graph presence, emulated.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Address of the listener; port 0 uses a free port.
    #[arg(long, env = "TEAMSBOX_LISTEN", default_value = "127.0.0.1:8300")]
    listen: SocketAddr,
    /// Real time, or time that POST /box/v1/clock moves.
    #[arg(long, env = "TEAMSBOX_CLOCK", value_enum, default_value_t = ClockOption::Real)]
    clock: ClockOption,
    /// Id of the tenant, a GUID.
    #[arg(long, env = "TEAMSBOX_TENANT", default_value = DEFAULT_TENANT_ID)]
    tenant: String,
    /// People to start with: a CSV file with lines `display name,user principal name[,object id[,devices by blanks]]`.
    #[arg(
        long,
        env = "TEAMSBOX_USERS",
        value_name = "FILE",
        conflicts_with = "empty"
    )]
    users: Option<PathBuf>,
    /// Start without the sample people.
    #[arg(long)]
    empty: bool,
    /// A further host name for page and control plane. May be repeated.
    #[arg(
        long = "allow-host",
        env = "TEAMSBOX_ALLOW_HOST",
        value_name = "NAME",
        value_delimiter = ','
    )]
    allow_hosts: Vec<String>,
    /// Refuse unknown applications, instead of registering them at their first request.
    #[arg(long)]
    known_apps_only: bool,
    /// Serve TLS with a certificate for localhost from an authority made for this run.
    #[arg(long, env = "TEAMSBOX_TLS")]
    tls: bool,
    /// File for the authority's certificate (PEM), which clients are to trust.
    #[arg(long, env = "TEAMSBOX_CA_OUT", value_name = "FILE", requires = "tls")]
    ca_out: Option<PathBuf>,
    /// A choice of undocumented behaviour, such as presenceLimit=10000; GET /box/v1/knobs lists all. May be repeated.
    #[arg(long = "knob", value_name = "NAME=VALUE")]
    knobs: Vec<String>,
    /// A further tenant, by id and domain. May be repeated; POST /box/v1/tenants/{id}/users adds people to it.
    #[arg(long = "add-tenant", value_name = "ID=DOMAIN")]
    tenants: Vec<String>,
    /// Start of a manual clock, such as 2026-01-01T00:00:00Z.
    #[arg(long, env = "TEAMSBOX_CLOCK_START", value_name = "TIME")]
    clock_start: Option<jiff::Timestamp>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ClockOption {
    Real,
    Manual,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_env("TEAMSBOX_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let users = match &options.users {
        Some(file) => match read_users(file) {
            Ok(users) => users,
            Err(problem) => {
                eprintln!("teamsbox: {problem}");
                return ExitCode::from(2);
            }
        },
        None if options.empty => Vec::new(),
        None => teamsbox::sample_users(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("teamsbox: threads cannot be started ({error})");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(run(options, users))
}

/// The knobs and further tenants of the command line.
fn settings(options: &Options) -> Result<(Knobs, Vec<NewTenant>), String> {
    let pair = |option: &str, text: &str| {
        let found = text
            .split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        found.ok_or_else(|| format!("--{option} {text:?}: has no equals sign"))
    };
    let mut knobs = Knobs::default();
    for text in &options.knobs {
        let (name, value) = pair("knob", text)?;
        knobs = knobs
            .with(&name, &value)
            .map_err(|error| format!("--knob {text:?}: {error}"))?;
    }
    let tenants = options.tenants.iter().map(|text| {
        let (tenant_id, domain) = pair("add-tenant", text)?;
        Ok(NewTenant {
            tenant_id,
            domain,
            apps: vec![App::default()],
            users: Vec::new(),
        })
    });
    Ok((knobs, tenants.collect::<Result<_, String>>()?))
}

async fn run(options: Options, users: Vec<NewUser>) -> ExitCode {
    let (knobs, further_tenants) = match settings(&options) {
        Ok(settings) => settings,
        Err(problem) => {
            eprintln!("teamsbox: {problem}");
            return ExitCode::from(2);
        }
    };
    let config = Config {
        listen: options.listen,
        clock: match options.clock {
            ClockOption::Real => ClockMode::Real,
            ClockOption::Manual => ClockMode::Manual,
        },
        tenant_id: options.tenant,
        register_unknown_apps: !options.known_apps_only,
        users,
        allowed_hosts: options.allow_hosts,
        knobs,
        further_tenants,
        clock_start: options.clock_start.map(jiff::Timestamp::as_millisecond),
        tls: options.tls,
        ..Config::default()
    };
    // Before the address is printed: a program that reads it may stop this one at once.
    let stop = match asked_to_stop() {
        Ok(stop) => stop,
        Err(error) => {
            eprintln!("teamsbox: signals cannot be received ({error})");
            return ExitCode::FAILURE;
        }
    };
    let teamsbox = match Teamsbox::start(config).await {
        Ok(teamsbox) => teamsbox,
        Err(error) => {
            eprintln!("teamsbox: {error}");
            return match error {
                teamsbox::StartError::Config(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            };
        }
    };
    if let (Some(file), Some(authority)) = (&options.ca_out, teamsbox.authority_pem())
        && let Err(error) = std::fs::write(file, authority)
    {
        eprintln!(
            "teamsbox: --ca-out {}: cannot be written ({error}): choose a file that can",
            file.display()
        );
        return ExitCode::FAILURE;
    }
    let url = teamsbox.url();
    println!("Teamsbox      {url}");
    println!("Graph         {url}/v1.0");
    println!("Tenant        {}", teamsbox.tenant_id());
    println!("Client id     {DEFAULT_CLIENT_ID}");
    println!("Client secret {DEFAULT_CLIENT_SECRET}");
    println!("People        {}", teamsbox.users().len());
    if !teamsbox.address().ip().is_loopback() {
        tracing::warn!(
            "listening beyond loopback: anybody on the network can drive this tenant without signing in"
        );
    }
    stop.await;
    teamsbox.stop().await;
    ExitCode::SUCCESS
}

/// Receives Ctrl-C and SIGTERM from now on; the future ends with the first of them.
#[cfg(unix)]
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

/// Receives Ctrl-C from now on.
#[cfg(not(unix))]
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn read_users(file: &Path) -> Result<Vec<NewUser>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        format!(
            "--users {}: cannot be read ({error}): give a CSV file",
            file.display()
        )
    })?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let users = lines.map(|(number, line)| {
        parse_user(line).map_err(|problem| {
            format!("--users {}, line {}: {problem}", file.display(), number + 1)
        })
    });
    users.collect()
}

fn parse_user(line: &str) -> Result<NewUser, String> {
    let mut fields = line.split(',').map(str::trim);
    let (Some(display_name), Some(user_principal_name)) = (fields.next(), fields.next()) else {
        return Err("too few fields: write display name,user principal name".to_owned());
    };
    let id = fields.next().filter(|id| !id.is_empty()).map(str::to_owned);
    let devices = fields.next().unwrap_or("desktop").split_whitespace();
    let clients = devices.map(|name| {
        name.parse::<Device>()
            .map_err(|_| format!("device {name:?} is not a client: write desktop, web or mobile"))
    });
    let clients = clients.collect::<Result<_, _>>()?;
    if let Some(surplus) = fields.next() {
        return Err(format!(
            "surplus field {surplus:?}: quoted commas are not supported"
        ));
    }
    Ok(NewUser {
        id,
        display_name: display_name.to_owned(),
        user_principal_name: user_principal_name.to_owned(),
        clients,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_person() {
        let user = parse_user("Anna Bauer, anna@contoso.example").unwrap();
        assert_eq!((user.id, user.clients), (None, vec![Device::Desktop]));
        let user =
            parse_user("Anna,anna@x,a11ce000-0000-4000-8000-000000000001,web mobile").unwrap();
        assert_eq!(user.clients, [Device::Web, Device::Mobile]);
        assert!(parse_user("Anna").is_err());
        assert!(parse_user("Anna,anna@x,,pager").is_err());
    }
}
