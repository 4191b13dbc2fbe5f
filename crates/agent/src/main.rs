//! `offhook-agent`: reports to Offhook which meeting program uses the microphone. All functions are available on the
//! command line.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use agent::{
    browser,
    clock::local_time,
    connection::client,
    control::{self, Listener, Request, Status},
    files::{Credentials, Files},
    microphone, pairing,
    running::Running,
    secret::Secret,
    trace, tray,
};
use agent_protocol::Attention;
use anyhow::Context;
use clap::{Parser, Subcommand};

/// Reports to Offhook which meeting program uses the microphone, so that your colleagues see that you are in a meeting. It
/// never records, and reports only programs that your administrator has listed.
#[derive(Debug, Parser)]
#[command(name = "offhook-agent", version)]
struct Arguments {
    /// Folder of the agent's files (default: the system's folder for user data).
    #[arg(long, global = true)]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch the microphone and report (the default command).
    Run,
    /// Pair this computer with a server, using the code that Offhook shows under "My computers".
    Pair {
        /// Address of the server, as in the browser.
        server: String,
        /// Code that Offhook shows.
        code: String,
        /// Name of this computer in Offhook.
        #[arg(long)]
        name: Option<String>,
    },
    /// Remove the pairing and this computer's secret.
    Unpair,
    /// Show the connection and the current reports.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Pause reporting.
    Pause {
        /// Duration in minutes.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=10_080))]
        minutes: u64,
        /// Pause until midnight.
        #[arg(long, conflicts_with = "minutes")]
        until_tomorrow: bool,
    },
    /// Resume reporting.
    Resume,
    /// List your profiles, or choose one.
    Profile {
        /// Name of the profile; without it, profiles are listed.
        name: Option<String>,
        /// Return to automatic.
        #[arg(long, conflicts_with = "name")]
        automatic: bool,
    },
    /// Open the board in the browser.
    Board,
    /// Record which programs use the microphone into a file, until Ctrl+C, for a bug report. The file names all programs
    /// that record, listed or not, and leaves the computer only if you send it.
    Record {
        /// File to write; an existing file is overwritten.
        file: PathBuf,
    },
    /// Show the current report.
    Report {
        /// Required: the command only shows the report, which the running agent sends.
        #[arg(long, required = true)]
        dry_run: bool,
    },
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("OFFHOOK_LOG")
                .unwrap_or_else(|_| "info".into()),
        )
        .init();
    let arguments = Arguments::parse();
    // On macOS only the first thread may draw.
    #[cfg(target_os = "macos")]
    if matches!(arguments.command, None | Some(Command::Run)) {
        agent_macos::screen::run_beside(|| i32::from(execute_to_its_end(arguments).is_err()));
    }
    match execute_to_its_end(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::FAILURE,
    }
}

/// Carries out the command and prints an error.
fn execute_to_its_end(arguments: Arguments) -> Result<(), ()> {
    // One thread suffices, because the agent mostly waits.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime
        .context("the agent could not start")
        .and_then(|runtime| runtime.block_on(execute(arguments)));
    done.map_err(|error| eprintln!("offhook-agent: {error:#}"))
}

async fn execute(arguments: Arguments) -> anyhow::Result<()> {
    let files = Files::new(arguments.folder)?;
    match arguments.command.unwrap_or(Command::Run) {
        Command::Run => run(files).await,
        Command::Pair { server, code, name } => pair(&files, &server, &code, name).await,
        Command::Unpair => {
            let before = files.credentials().ok().flatten();
            let was_paired = files.forget()?;
            control::ask(&files.socket(), Request::Reload).await?;
            forget(before).await;
            println!(
                "{}",
                if was_paired {
                    "Unpaired. Remove the computer in Offhook too, under \"My computers\"."
                } else {
                    "This computer is not paired."
                }
            );
            Ok(())
        }
        Command::Status { json: true } => {
            println!(
                "{}",
                serde_json::to_string(&ask(&files, Request::Status).await?)?
            );
            Ok(())
        }
        Command::Status { json: false } => {
            let status = ask(&files, Request::Status).await?;
            print!("{}", described(&status));
            Ok(())
        }
        Command::Pause {
            minutes,
            until_tomorrow,
        } => {
            let (lasting, until) = match until_tomorrow {
                true => (tray::until_tomorrow(&local_time()), "until tomorrow".into()),
                false => (minutes * 60_000, format!("for {minutes} minutes")),
            };
            ask(&files, Request::Pause(lasting)).await?;
            println!("Reporting is paused {until}. Resume: offhook-agent resume");
            Ok(())
        }
        Command::Resume => {
            ask(&files, Request::Pause(0)).await?;
            println!("Reporting.");
            Ok(())
        }
        Command::Profile {
            name: None,
            automatic: false,
        } => {
            print!("{}", profiles(&ask(&files, Request::Status).await?));
            Ok(())
        }
        Command::Profile { name, automatic: _ } => choose(&files, name).await,
        Command::Board => {
            let server = ask(&files, Request::Status).await?.server;
            anyhow::ensure!(!server.is_empty(), "this computer is not paired");
            let opened = browser::open(&server).await;
            opened.with_context(|| format!("{server} could not be opened"))
        }
        Command::Record { file } => {
            let to = std::fs::File::create(&file);
            let to = to.with_context(|| file.display().to_string())?;
            println!("Writing to {}. Stop: Ctrl+C", file.display());
            tokio::select! {
                recorded = trace::record(microphone::of_this_system(), to) => Ok(recorded?),
                asked = until_end_requested() => Ok(asked?),
            }
        }
        Command::Report { dry_run: _ } => {
            let status = ask(&files, Request::Status).await?;
            print!("{}", reported(&status));
            Ok(())
        }
    }
}

async fn ask(files: &Files, request: Request) -> anyhow::Result<Status> {
    let status = control::ask(&files.socket(), request).await?;
    status.context("no agent of yours is running; start one: offhook-agent run")
}

/// Chooses a profile, and waits until it is active or refused.
async fn choose(files: &Files, name: Option<String>) -> anyhow::Result<()> {
    let before = ask(files, Request::Status).await?;
    let known = &before.described.profiles.items;
    // Names compare without regard to case.
    let same = |name: &String| {
        let mut names = known.iter().map(|profile| &profile.name);
        let same = names.find(|known| known.to_lowercase() == name.to_lowercase());
        same.unwrap_or(name).clone()
    };
    let wanted = name.as_ref().map(same);
    ask(files, Request::Choose(wanted.clone())).await?;
    let chosen = async {
        loop {
            let status = ask(files, Request::Status).await?;
            if let Some(why) = status.refused {
                anyhow::bail!("{why}");
            }
            if status.connected && status.described.profiles.chosen == wanted {
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    match tokio::time::timeout(CHOICE_TIMEOUT, chosen).await {
        Ok(chosen) => chosen?,
        Err(_) => anyhow::bail!("the server does not answer; see offhook-agent status"),
    }
    match wanted {
        Some(name) => {
            println!(
                "Profile {name} is active. Back to automatic: offhook-agent profile --automatic"
            )
        }
        None => println!("Your profile is automatic again."),
    }
    Ok(())
}

/// Timeout of a choice.
const CHOICE_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval between checks whether the choice is active.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Profiles, with a mark at the chosen one.
fn profiles(status: &Status) -> String {
    let profiles = &status.described.profiles;
    if profiles.items.is_empty() {
        return "No profiles: the agent is not connected, or you have none.\n".into();
    }
    let lines = profiles.items.iter().map(|profile| {
        let is_chosen = profiles.chosen.as_ref() == Some(&profile.name);
        let mark = if is_chosen { '*' } else { ' ' };
        format!("{mark} {} ({})\n", profile.name, profile.status)
    });
    lines.collect()
}

async fn run(files: Files) -> anyhow::Result<()> {
    #[cfg(windows)]
    agent_windows::console::leave_if_alone();
    files.make_runtime()?;
    let socket = files.socket();
    let listener = Listener::open(&socket).await;
    let listener = listener.with_context(|| socket.display().to_string())?;
    let (requests, pending) = tokio::sync::mpsc::channel(16);
    let (running, server_events) = Running::new(files, client()?)?;
    tokio::spawn(tray::show(running.statuses(), requests.clone()));
    tokio::select! {
        () = control::serve(listener, requests) => {}
        () = running.run(microphone::of_this_system(), server_events, pending) => {}
        asked = until_end_requested() => asked?,
    }
    Ok(())
}

/// Returns when the system or the person ends the agent.
#[cfg(unix)]
async fn until_end_requested() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended,
        _ = terminated.recv() => Ok(()),
    }
}

/// Returns when the system or the person ends the agent.
#[cfg(windows)]
async fn until_end_requested() -> std::io::Result<()> {
    use tokio::signal::windows::{ctrl_close, ctrl_logoff, ctrl_shutdown};
    let (mut closed, mut logged_off, mut shut_down) =
        (ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?);
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended,
        _ = closed.recv() => Ok(()),
        _ = logged_off.recv() => Ok(()),
        _ = shut_down.recv() => Ok(()),
    }
}

async fn pair(files: &Files, server: &str, code: &str, name: Option<String>) -> anyhow::Result<()> {
    let server = pairing::server(server)?;
    let name = name.or_else(host_name).unwrap_or_else(|| "computer".into());
    let paired = pairing::pair(&client()?, &server, code, &name).await?;
    let before = files.credentials().ok().flatten();
    let mut credentials = Credentials {
        server,
        secret: Secret::Token(paired.token.clone()),
        person: paired.person,
    };
    // The code cannot be used again: the secret is stored first.
    files.keep(&credentials)?;
    println!("{name} belongs to {} now.", credentials.person);
    match control::ask(&files.socket(), Request::Reload).await? {
        Some(_) => println!("The running agent is connecting."),
        None => println!("Start the agent: offhook-agent run"),
    }
    match Secret::in_keyring(&paired.token, &credentials.server).await {
        Ok(secret) => {
            credentials.secret = secret;
            files.keep(&credentials)?;
            println!("Its secret is in the system's keyring.");
        }
        Err(why) => {
            tracing::debug!(%why, "no keyring");
            let file = files.credentials_path();
            println!(
                "Its secret is in {}, readable for you only.",
                file.display()
            );
        }
    }
    forget(before).await;
    Ok(())
}

/// Removes an unused secret from the keyring.
async fn forget(credentials: Option<Credentials>) {
    if let Some(credentials) = credentials
        && let Err(error) = credentials.secret.forget().await
    {
        tracing::warn!(%error, "the old secret could not be removed from the keyring; it is invalid once the computer is removed in Offhook");
    }
}

fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/etc/hostname").ok();
    let name = name.or_else(|| std::env::var("COMPUTERNAME").ok())?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn described(status: &Status) -> String {
    let mut lines = Vec::new();
    match (&status.trouble, status.person.is_empty()) {
        (None, _) => lines.push(format!(
            "Connected to {} as {}.",
            status.server, status.person
        )),
        (Some(trouble), true) => lines.push(format!("Not connected: {trouble}.")),
        (Some(trouble), false) => lines.push(format!(
            "Not connected to {} as {}: {trouble}.",
            status.server, status.person
        )),
    }
    if let Some(trouble) = &status.microphone_trouble {
        lines.push(format!("Microphone detection is not available: {trouble}."));
    }
    let shown = &status.described.shown;
    if !shown.status.is_empty() {
        let activity = match shown.activity.as_str() {
            "" => String::new(),
            activity => format!(" – {activity}"),
        };
        lines.push(format!(
            "You are shown as: {}{activity} ({}).",
            shown.status, shown.profile
        ));
    }
    let attention = match status.described.attention {
        Attention::Active => "Keyboard or mouse are in use.",
        Attention::Idle => "Keyboard and mouse are idle.",
        Attention::Locked => "The screen is locked.",
        Attention::Unknown => "This system does not report whether keyboard and mouse are in use.",
    };
    lines.push(attention.to_owned());
    lines.push(reported(status));
    lines.join("\n")
}

fn reported(status: &Status) -> String {
    let described = &status.described;
    let mut lines = Vec::new();
    if let Some(left) = described.paused {
        lines.push(format!(
            "Reporting is paused for {} more minutes.",
            left.div_ceil(60_000)
        ));
    }
    match described.rows {
        0 => lines.push("Nothing is reported: Microphone Sync is off, or your administrator has listed no programs.".into()),
        rows => lines.push(format!("{rows} programs are listed.")),
    }
    for (alias, is_reported) in &described.listed {
        let does = if *is_reported {
            "reported"
        } else {
            "not reported"
        };
        lines.push(format!("{alias} uses the microphone: {does}."));
    }
    if described.unlisted > 0 {
        lines.push(format!(
            "{} other programs use the microphone; they are not listed and not reported.",
            described.unlisted
        ));
    }
    if described.listed.is_empty() && described.unlisted == 0 && status.microphone_trouble.is_none()
    {
        lines.push("No program uses the microphone.".into());
    }
    lines.push(String::new());
    lines.join("\n")
}
