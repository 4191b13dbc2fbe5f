//! `offhook-agent`: tells Offhook which meeting program uses the microphone. Everything works on the command line.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use agent::{
    browser,
    clock::local_time,
    connection::client,
    control::{self, Door, Request, Status},
    files::{Credentials, Files},
    microphone, pairing,
    running::Running,
    secret::Secret,
    trace, tray,
};
use agent_protocol::Attention;
use anyhow::Context;
use clap::{Parser, Subcommand};

/// Tells Offhook which meeting program uses the microphone, so that your team sees it. It never listens, and tells only
/// what your administrator has listed.
#[derive(Debug, Parser)]
#[command(name = "offhook-agent", version)]
struct Arguments {
    /// Where the agent keeps its files; usually where the system wants them.
    #[arg(long, global = true)]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch and report; what happens without a command.
    Run,
    /// Connect this computer to a server by the code that Offhook shows under "My computers".
    Pair {
        /// Address of the server, as in the browser.
        server: String,
        /// The code.
        code: String,
        /// What this computer is called there.
        #[arg(long)]
        name: Option<String>,
    },
    /// Forget the server and this computer's secret.
    Unpair,
    /// Show whether it is connected, and what it reports.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Report nothing for a while.
    Pause {
        /// For how many minutes.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=10_080))]
        minutes: u64,
        /// Until midnight.
        #[arg(long, conflicts_with = "minutes")]
        until_tomorrow: bool,
    },
    /// Go on after a pause.
    Resume,
    /// List your profiles, or choose one.
    Profile {
        /// Its name; without one they are listed.
        name: Option<String>,
        /// Go back to automatic.
        #[arg(long, conflicts_with = "name")]
        automatic: bool,
    },
    /// Open the board in the browser.
    Board,
    /// Write what the microphone of this computer tells into a file, until Ctrl+C: for a report of an error. It names all
    /// programs that record, listed or not, and leaves the computer only if you send it.
    Record {
        /// The file; an older one is overwritten.
        file: PathBuf,
    },
    /// Show what is reported now.
    Report {
        /// Only show it: this is all that the command does; what is due is reported by the running agent.
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
    // There the first thread is the only one that may draw.
    #[cfg(target_os = "macos")]
    if matches!(arguments.command, None | Some(Command::Run)) {
        agent_macos::screen::run_beside(|| i32::from(execute_to_its_end(arguments).is_err()));
    }
    match execute_to_its_end(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::FAILURE,
    }
}

/// Does what was asked for; what went wrong is told.
fn execute_to_its_end(arguments: Arguments) -> Result<(), ()> {
    // One thread: the agent waits nearly always.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime
        .context("the agent cannot start")
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
                    "Forgotten. Remove the computer in Offhook too, under \"My computers\"."
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
            println!("Nothing is reported {until}. Go on: offhook-agent resume");
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
            opened.with_context(|| format!("{server} cannot be opened"))
        }
        Command::Record { file } => {
            let to = std::fs::File::create(&file);
            let to = to.with_context(|| file.display().to_string())?;
            println!("Writing into {}. End it: Ctrl+C", file.display());
            tokio::select! {
                recorded = trace::record(microphone::of_this_system(), to) => Ok(recorded?),
                asked = asked_to_end() => Ok(asked?),
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

/// Chooses a profile, and waits until it is in force or refused.
async fn choose(files: &Files, name: Option<String>) -> anyhow::Result<()> {
    let before = ask(files, Request::Status).await?;
    let known = &before.described.profiles.items;
    // However it is written.
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
            tokio::time::sleep(AGAIN).await;
        }
    };
    match tokio::time::timeout(PATIENCE, chosen).await {
        Ok(chosen) => chosen?,
        Err(_) => anyhow::bail!("the server does not answer; see offhook-agent status"),
    }
    match wanted {
        Some(name) => {
            println!("{name} is chosen. Back to automatic: offhook-agent profile --automatic")
        }
        None => println!("Your profile follows from everything else again."),
    }
    Ok(())
}

/// How long a choice may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether it is made.
const AGAIN: Duration = Duration::from_millis(50);

/// The profiles, with the one that was chosen marked.
fn profiles(status: &Status) -> String {
    let profiles = &status.described.profiles;
    if profiles.items.is_empty() {
        return "There is nothing to choose: not connected, or you have no profiles.\n".into();
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
    let door = Door::open(&socket).await;
    let door = door.with_context(|| socket.display().to_string())?;
    let (asked, asking) = tokio::sync::mpsc::channel(16);
    let (running, hearing) = Running::new(files, client()?)?;
    tokio::spawn(tray::show(running.statuses(), asked.clone()));
    tokio::select! {
        () = control::serve(door, asked) => {}
        () = running.run(microphone::of_this_system(), hearing, asking) => {}
        asked = asked_to_end() => asked?,
    }
    Ok(())
}

/// Returns when the system or the person wants the agent to end.
#[cfg(unix)]
async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended,
        _ = terminated.recv() => Ok(()),
    }
}

/// Returns when the system or the person wants the agent to end.
#[cfg(windows)]
async fn asked_to_end() -> std::io::Result<()> {
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
    // The code is used up: whatever happens now, the secret is not lost.
    files.keep(&credentials)?;
    println!("{name} belongs to {} now.", credentials.person);
    match control::ask(&files.socket(), Request::Reload).await? {
        Some(_) => println!("The running agent connects."),
        None => println!("Start the agent: offhook-agent run"),
    }
    match Secret::in_keyring(&paired.token, &credentials.server).await {
        Ok(secret) => {
            credentials.secret = secret;
            files.keep(&credentials)?;
            println!("Its secret is in the system's keyring.");
        }
        Err(why) => {
            tracing::debug!(%why, "there is no keyring");
            let file = files.credentials_path();
            println!("Its secret is in {}, for you only.", file.display());
        }
    }
    forget(before).await;
    Ok(())
}

/// Takes a secret out of the keyring that is of no use any more.
async fn forget(credentials: Option<Credentials>) {
    if let Some(credentials) = credentials
        && let Err(error) = credentials.secret.forget().await
    {
        tracing::warn!(%error, "the old secret is still in the keyring, and worth nothing once the computer is removed");
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
        lines.push(format!("The microphone is not watched: {trouble}."));
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
        Attention::Active => "Somebody is at this computer.",
        Attention::Idle => "Nobody has touched this computer for a while.",
        Attention::Locked => "The screen is locked.",
        Attention::Unknown => "This system does not tell whether somebody is at the computer.",
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
            "Paused for {} more minutes: nothing is reported.",
            left.div_ceil(60_000)
        ));
    }
    match described.rows {
        0 => lines.push("Your administrator has listed no programs, or Microphone Sync is off: nothing is reported.".into()),
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
            "{} other programs use the microphone; they are not listed, and nobody is told.",
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
