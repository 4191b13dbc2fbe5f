//! `offhook`: the command line. Each command is a module; what they do is in the library crates.

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
mod rewrap;
mod running;
mod serve;
mod service_account;
mod user;

use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// One truth about what a person is doing: presence between Microsoft Teams and telephone systems.
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
    /// Show it all with sample people, a simulated telephone system and a Teams tenant in a box. Needs nothing.
    Demo(demo::Arguments),
    /// Bring people in from a CSV file with the columns name, mail, UPN and extension. Encoding and separator are detected.
    Import {
        #[command(flatten)]
        configured: Configured,
        /// Only show how the table is read and what each row would change.
        #[arg(long)]
        dry_run: bool,
        /// The file.
        file: PathBuf,
    },
    /// Print a one-time link that opens the board.
    Link(Configured),
    /// Add, list and delete the accounts of those who sign in.
    User(user::Arguments),
    /// Synchronise people with Entra now, or tell what would be done.
    Directory(directory::Arguments),
    /// Accounts with which Offhook subscribes to changes in Teams.
    ServiceAccount(service_account::Arguments),
    /// Say why a person's presence is what it is, by name, mail, sign-in name, extension or id.
    Explain(explain::Arguments),
    /// Check the whole installation: files, tenant, permissions, telephone lines. Says what is wrong and what to do.
    Doctor(doctor::Arguments),
    /// Confirm that the server's clock is right after it jumped ahead by more than a day: old data is deleted again.
    ConfirmClock(Configured),
    /// Copy the database to a new file, while the server runs or not.
    Backup {
        #[command(flatten)]
        configured: Configured,
        /// The new file.
        file: PathBuf,
    },
    /// Seal the stored secrets with a new key: name the old one here, the new one as usual. The server must not run.
    Rewrap {
        #[command(flatten)]
        configured: Configured,
        /// The file with the old key.
        old_key: PathBuf,
    },
    /// Put a backup in the place of the database. A server that runs begins again with it.
    Restore {
        #[command(flatten)]
        configured: Configured,
        /// The backup.
        file: PathBuf,
        /// Replace the present database; it is kept beside the restored one.
        #[arg(long)]
        force: bool,
    },
}

/// Commands that work on an installation.
#[derive(Debug, clap::Args)]
struct Configured {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        env = "OFFHOOK_CONFIG",
        default_value = "offhook.toml"
    )]
    config: PathBuf,
}

/// How the demo's time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClockChoice {
    /// By itself.
    Real,
    /// By `POST /box/v1/clock` of teamsbox.
    Manual,
}

/// Exit code for a configuration that cannot be used, the same as for wrong arguments.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The log goes to stderr: stdout is for what was asked for.
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env("OFFHOOK_LOG")
                .unwrap_or_else(|_| EnvFilter::new(arguments.command.quietness())),
        )
        .with_writer(|| log::OneLine(std::io::stderr()))
        .with_ansi(std::io::stderr().is_terminal())
        .init();
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

/// The error and its causes in one line; a cause that the text before it names already is not repeated.
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

impl Command {
    /// How much is logged if nobody says: a server tells what it does, a command only what is wrong.
    fn quietness(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info",
            Self::Demo(_)
            | Self::Import { .. }
            | Self::Link(_)
            | Self::User(_)
            | Self::Directory(_)
            | Self::ServiceAccount(_)
            | Self::Explain(_)
            | Self::Doctor(_)
            | Self::ConfirmClock(_)
            | Self::Backup { .. }
            | Self::Rewrap { .. }
            | Self::Restore { .. } => "warn",
        }
    }
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
            let wish = match dry_run {
                true => import::Wish::Preview,
                false => import::Wish::Import,
            };
            import::run(&configured.config, &file, wish).await
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

/// The signals that end a server. Made once for a process: what comes while nobody waits is not lost.
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

    /// Waits for one.
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
