//! `offhook demo`: server, simulated Teams tenant, sample people and simulated PBX in one process. The simulated PBX speaks
//! real SIP on loopback, and the server subscribes to it like to any other.

mod clock;
mod day;
mod devices;
mod people;
mod sample;

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context;
use api::access;
use phones::{PhonesOptions, pbx::PbxOptions};
use presence::{Extension, Relationship, TenantName, Timestamp};
use runtime::{clock::Clock, retention::AuditRetention, secrets};
use secrecy::SecretString;
use server::{App, Options};
use store::{ImportPerson, OrganisationId, Store};
use teams::{SignIn, TeamsOptions};
use teamsbox::{ClockMode, Device, Knobs, NewUser, Teamsbox};
use telephony::{
    connector::Connector,
    simulated::{SimulatedPbx, SimulatedPbxConfig},
    sip_connector::{SipConnectorConfig, Transport},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::watch,
    task::JoinHandle,
};
use web::demo::Demo;

use self::devices::Devices;
use crate::{ClockChoice, StopSignals, output, serve};

/// Offset of teamsbox's port from the board's.
const TEAMSBOX_OFFSET: u16 = 100;
/// Time that the demo waits for the parts to connect before it prints the addresses anyway.
const READY_MAX: Duration = Duration::from_secs(20);
/// Domain of the simulated PBX.
const DOMAIN: &str = "pbx.demo";
/// Account with which the server subscribes to it.
const USERNAME: &str = "offhook";

/// Arguments of the demo.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print one line of JSON first, with the addresses and the API key.
    #[arg(long)]
    json: bool,
    /// Run without the scripted day.
    #[arg(long)]
    still: bool,
    /// Port of the board and the API; teamsbox listens 100 above it.
    #[arg(long, default_value_t = 8200)]
    port: u16,
    /// Whether time runs, or is set through teamsbox.
    #[arg(long, value_enum, default_value = "real")]
    clock: ClockChoice,
    /// Number of people.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(25..=5_000))]
    people: u16,
}

/// All parts of the demo.
struct Running {
    app: Arc<App>,
    teamsbox: Arc<Teamsbox>,
    pbx: Arc<SimulatedPbx>,
    api_key: String,
    tasks: Vec<JoinHandle<()>>,
    /// Simulated Teams clients of the people.
    clients: Vec<runtime::clients::Connected>,
    /// Data folder; removed when dropped.
    _folder: tempfile::TempDir,
}

/// Runs until a signal.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let running = start(&arguments).await?;
    let link = running.app.new_link().await?;
    let page = demo_link(&running.app).await?;
    let api = format!("http://{}", running.app.address());
    let sip = running.app.sip_address().context("phones are not served")?;
    if arguments.json {
        let addresses = serde_json::json!({
            "board": link,
            "demo": page,
            "api": api,
            "teamsbox": running.teamsbox.url(),
            "api_key": running.api_key,
            "sip": sip,
        });
        output::line(format_args!("{addresses}"))?;
    } else {
        output::line(format_args!(
            "Offhook demo: {} people, a simulated PBX, a simulated Teams tenant.\n",
            arguments.people
        ))?;
        output::line(format_args!("  Open this   {page}"))?;
        output::line(format_args!(
            "              (board, phone and Teams; opens once; press Enter here for a new link)"
        ))?;
        output::line(format_args!("  Board only  {link}"))?;
        output::line(format_args!("  Teams page  {}/", running.teamsbox.url()))?;
        output::line(format_args!("  API         {api}/api/v1/people"))?;
        output::line(format_args!("  API key     {}", running.api_key))?;
        output::line(format_args!(
            "  Phones      watch sip:1001@{sip} (SIP, event dialog or presence)\n"
        ))?;
        output::line(format_args!("Ctrl+C stops the demo. No data is kept."))?;
    }
    std::io::stdout().flush()?;
    let mut stop = StopSignals::new()?;
    tokio::select! {
        () = stop.asked() => {}
        () = running.app.failed() => anyhow::bail!("a part of the server ended; see the log"),
        never = new_links(&running.app, arguments.json) => never?,
    }
    running.stop().await;
    Ok(())
}

async fn start(arguments: &Arguments) -> anyhow::Result<Running> {
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let manual = arguments.clock == ClockChoice::Manual;
    let people = people::people(arguments.people.into());
    let teamsbox = start_teamsbox(arguments, &people).await?;
    let teamsbox = Arc::new(teamsbox);
    let extensions: Vec<Extension> = people
        .iter()
        .flat_map(|person| person.extensions.clone())
        .collect();
    let (pbx, connector) = start_pbx(&extensions).await?;

    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let store = Store::open(&folder.path().join("demo.db"), OrganisationId::FIRST).await?;
    let now = Timestamp::from_milliseconds(teamsbox.clock().now_milliseconds());
    store.import(&people, &sample::change(now)).await?;
    let (clock, driver) = match manual {
        true => {
            let (clock, driver) = Clock::driven(now);
            (clock, Some(driver))
        }
        false => (Clock::system(), None),
    };
    sample::arrange(&store, clock.now(), !arguments.still).await?;
    let api_key = access::new_api_key(&store, "demo", &serve::EVERYTHING, &clock).await?;
    let devices = Arc::new(Devices {
        teamsbox: teamsbox.clone(),
        pbx: pbx.clone(),
        api_key: api_key.clone(),
        api: OnceLock::new(),
        http: reqwest::Client::new(),
    });
    let (day, running) = watch::channel(!arguments.still);
    let options = Options::alone(store, clock);
    let app = App::start(Options {
        listen: loopback(arguments.port),
        tenants: vec![teams(&teamsbox, manual)],
        pbxs: vec![PbxOptions {
            connector,
            publish: None,
            extensions: Vec::new(),
        }],
        phones: Some(phones()?),
        audit_kept: AuditRetention {
            own_changes: Duration::from_secs(12 * 3600),
            ..options.audit_kept
        },
        demo: Some(Demo {
            teams_page: teamsbox.url(),
            day,
            devices: devices.clone(),
        }),
        ..options
    })
    .await?;
    let app = Arc::new(app);
    // Set once, here.
    let _ = devices.api.set(format!("http://{}", app.address()));
    let clients = app.connect_everybody().await;
    // Continues after the timeout: the missing parts connect later.
    let _ = tokio::time::timeout(READY_MAX, app.everybody_observed()).await;
    let mut tasks = vec![tokio::spawn(day::run(
        teamsbox.clone(),
        pbx.clone(),
        extensions,
        running,
    ))];
    if let Some(driver) = driver {
        tasks.push(tokio::spawn(clock::follow(
            app.clone(),
            teamsbox.clone(),
            driver,
        )));
    }
    Ok(Running {
        app,
        teamsbox,
        pbx,
        api_key,
        tasks,
        clients,
        _folder: folder,
    })
}

/// Lifetime of the tenant's tokens with a manual clock: ten years.
const DRIVEN_TOKEN_LIFETIME: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Starts the simulated Teams tenant with its people.
async fn start_teamsbox(
    arguments: &Arguments,
    people: &[ImportPerson],
) -> anyhow::Result<Teamsbox> {
    let manual = arguments.clock == ClockChoice::Manual;
    let mut knobs = Knobs::default();
    if manual {
        // Offhook measures the lifetime of a token in real time, so a manual clock must not end tokens.
        knobs.token_lifetime = DRIVEN_TOKEN_LIFETIME;
    }
    Teamsbox::start(teamsbox::Config {
        listen: (Ipv4Addr::LOCALHOST, teamsbox_port(arguments.port)?).into(),
        clock: if manual {
            ClockMode::Manual
        } else {
            ClockMode::Real
        },
        users: people.iter().map(teams_user).collect(),
        knobs,
        ..teamsbox::Config::default()
    })
    .await
    .map_err(|error| match error {
        teamsbox::StartError::Listen { address, .. } => anyhow::anyhow!(
            "{address} is in use: teamsbox listens there, {TEAMSBOX_OFFSET} above the board; choose another --port"
        ),
        other => other.into(),
    })
}

/// Starts the simulated PBX. Returns it with its connector.
async fn start_pbx(extensions: &[Extension]) -> anyhow::Result<(Arc<SimulatedPbx>, Connector)> {
    let password = SecretString::from(secrets::new_secret()?);
    let pbx = SimulatedPbx::start(SimulatedPbxConfig {
        identity: None,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        domain: DOMAIN.into(),
        username: USERNAME.into(),
        password: password.clone(),
        extensions: extensions.iter().cloned().map(Into::into).collect(),
    })
    .await
    .context("cannot start the simulated PBX")?;
    let connector = SipConnectorConfig {
        name: "simulated".into(),
        servers: vec![pbx.address().to_string()],
        trust: None,
        name_server: None,
        transport: Some(Transport::Udp),
        domain: DOMAIN.into(),
        username: USERNAME.into(),
        password,
        lists: Vec::new(),
        bind: None,
    };
    Ok((Arc::new(pbx), Connector::Sip(connector)))
}

impl Running {
    async fn stop(self) {
        for task in self.tasks {
            task.abort();
            // The task was cancelled, so its error is expected.
            let _ = task.await;
        }
        drop(self.clients);
        if let Some(app) = Arc::into_inner(self.app) {
            app.stop().await;
        }
        if let Some(pbx) = Arc::into_inner(self.pbx) {
            pbx.stop().await;
        }
        if let Some(teamsbox) = Arc::into_inner(self.teamsbox) {
            teamsbox.stop().await;
        }
    }
}

/// Lets any phone or program on this computer watch without a password.
fn phones() -> anyhow::Result<PhonesOptions> {
    Ok(PhonesOptions {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        tls: None,
        websocket: None,
        address: None,
        domain: DOMAIN.into(),
        trusted: vec!["127.0.0.0/8".parse()?],
        others: Relationship::Employee,
        algorithms: None,
        accounts: Vec::new(),
    })
}

fn teamsbox_port(port: u16) -> anyhow::Result<u16> {
    // Port 0 selects any free port.
    if port == 0 {
        return Ok(0);
    }
    port.checked_add(TEAMSBOX_OFFSET)
        .with_context(|| format!("--port {port}: teamsbox listens {TEAMSBOX_OFFSET} above it, which is above 65535; choose a smaller one"))
}

fn teams(teamsbox: &Teamsbox, manual: bool) -> TeamsOptions {
    TeamsOptions {
        name: TenantName::main().clone(),
        sign_in: SignIn::Application,
        client: graph::ClientConfig {
            login: teamsbox.url(),
            graph: teamsbox.url(),
            tenant: teamsbox.tenant_id().to_owned(),
            client_id: teamsbox::DEFAULT_CLIENT_ID.to_owned(),
            credential: graph::Credential::secret(teamsbox::DEFAULT_CLIENT_SECRET),
        },
        // A manual clock lets hours pass in seconds of real time, with all their sweeps.
        requests_per_30_seconds: (!manual).then_some(1_500),
        notifications: None,
    }
}

fn teams_user(person: &ImportPerson) -> NewUser {
    NewUser {
        id: None,
        display_name: person.name.clone(),
        user_principal_name: person.user_principal_name.clone(),
        clients: vec![Device::Desktop],
    }
}

/// A one-time link to the page with the board, a phone and a Teams client.
async fn demo_link(app: &App) -> anyhow::Result<String> {
    Ok(format!("{}?to=/demo", app.new_link().await?))
}

/// Prints a new link for each line of input; waits forever without a terminal.
async fn new_links(app: &App, json: bool) -> anyhow::Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while !json && lines.next_line().await?.is_some() {
        output::line(format_args!("  Open this   {}", demo_link(app).await?))?;
    }
    std::future::pending().await
}
