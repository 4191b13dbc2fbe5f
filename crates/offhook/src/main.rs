//! `offhook`: command line. Each command is a module; the library crates do the work.

mod backup;
mod confirm_clock;
mod demo;
mod directory;
mod doctor;
mod explain;
mod first_start;
mod import;
mod installation;
mod link;
mod log;
mod output;
mod rewrap;
mod running;
mod serve;
mod service_account;
mod trace_export;
mod user;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use server::config::LogFormat;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Presence synchronisation between Microsoft Teams and PBXs.
#[derive(Debug, Parser)]
#[command(name = "offhook", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(Configured),
    /// Run a demo with sample people, a simulated PBX and a simulated Teams tenant. Needs no configuration.
    Demo(demo::Arguments),
    /// Import people from a CSV file with the columns name, mail, UPN and extension. Encoding and separator are detected.
    Import {
        #[command(flatten)]
        configured: Configured,
        /// Only show how the table is read and what each row would change.
        #[arg(long)]
        dry_run: bool,
        /// File to import.
        file: PathBuf,
    },
    /// Print a one-time link that opens the board.
    Link(Configured),
    /// Add, list and delete accounts for signing in.
    User(user::Arguments),
    /// Synchronise people with Entra now, or preview the changes.
    Directory(directory::Arguments),
    /// Manage the accounts with which Offhook subscribes to changes in Teams.
    ServiceAccount(service_account::Arguments),
    /// Explain a person's presence, by name, mail, sign-in name, extension or id.
    Explain(explain::Arguments),
    /// Check the whole installation: files, tenant, permissions, PBX lines. Reports each fault with its remedy.
    Doctor(doctor::Arguments),
    /// Confirm that the server's clock is right after it jumped ahead by more than a day: the deletion of old data
    /// continues.
    ConfirmClock(Configured),
    /// Back up the database to a new file, also while the server runs.
    Backup {
        #[command(flatten)]
        configured: Configured,
        /// File to create.
        file: PathBuf,
    },
    /// Seal the stored secrets with a new key: give the old one here, the new one as usual. The server must not run.
    Rewrap {
        #[command(flatten)]
        configured: Configured,
        /// File with the old key.
        old_key: PathBuf,
    },
    /// Restore a backup of the database. A running server restarts with it.
    Restore {
        #[command(flatten)]
        configured: Configured,
        /// Backup to restore.
        file: PathBuf,
        /// Replace the current database, which is kept beside the restored one.
        #[arg(long)]
        force: bool,
    },
}

/// Commands that work on an installation.
#[derive(Debug, clap::Args)]
struct Configured {
    /// Configuration file.
    #[arg(
        long,
        global = true,
        env = "OFFHOOK_CONFIG",
        default_value = "offhook.toml"
    )]
    config: PathBuf,
}

/// Clock of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClockChoice {
    /// Real time.
    Real,
    /// Set by `POST /box/v1/clock` of teamsbox.
    Manual,
}

/// Exit code for a configuration that cannot be used, and for wrong arguments.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The server's log begins when its configuration is read.
    if !matches!(arguments.command, Command::Serve(_)) {
        log::start("warn", LogFormat::Text, None);
    }
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(arguments.command)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("offhook: {}", describe(&error));
            let is_configuration = error
                .downcast_ref::<server::config::ConfigError>()
                .is_some();
            if is_configuration {
                ExitCode::from(USAGE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Error and causes in one line, without causes that the text before already contains.
fn describe(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(configured) => serve::run(&configured.config).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Import {
            configured,
            dry_run,
            file,
        } => {
            let mode = match dry_run {
                true => import::Mode::Preview,
                false => import::Mode::Import,
            };
            import::run(&configured.config, &file, mode).await
        }
        Command::Link(configured) => link::run(&configured.config).await,
        Command::User(arguments) => user::run(arguments).await,
        Command::Directory(arguments) => directory::run(arguments).await,
        Command::ServiceAccount(arguments) => service_account::run(arguments).await,
        Command::Explain(arguments) => explain::run(arguments).await,
        Command::Doctor(arguments) => doctor::run(arguments).await,
        Command::ConfirmClock(configured) => confirm_clock::run(&configured.config).await,
        Command::Backup { configured, file } => backup::backup(&configured.config, &file).await,
        Command::Rewrap {
            configured,
            old_key,
        } => rewrap::run(&configured.config, &old_key).await,
        Command::Restore {
            configured,
            file,
            force,
        } => backup::restore(&configured.config, &file, force).await,
    }
}

/// Signals that end a server. Created once for a process, so that no signal is lost between two waits.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for a signal.
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
