//! Link and API key of a start: printed to a terminal, or else written to a file for the administrator, because the output
//! of a service goes to a log that others read.

use std::{
    fs,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use tempfile::Builder;

use crate::output;

/// Name of the file in the data folder.
const FILE: &str = "first-start.txt";

/// Secrets for the administrator.
pub struct Secrets {
    /// One-time link that signs in as the administrator.
    pub link: String,
    /// API key, if this start created one.
    pub api_key: Option<String>,
}

/// Prints or writes the secrets, and prints the address of the server.
pub fn hand_over(data: &Path, address: &str, secrets: &Secrets) -> anyhow::Result<()> {
    if std::io::stdout().is_terminal() {
        if let Some(key) = &secrets.api_key {
            output::line(format_args!(
                "API key (shown this once, stored as a hash): {key}"
            ))?;
        }
        output::line(format_args!("Board (one-time link): {}", secrets.link))?;
    } else {
        let file = match write(data, secrets) {
            Ok(file) => file,
            // A link can be created again, a key cannot.
            Err(error) if secrets.api_key.is_none() => {
                let error = format!("{error:#}");
                tracing::warn!(
                    error,
                    "the one-time link to sign in was not written; `offhook link` creates another"
                );
                print_address(address);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        tracing::info!(file = %file.display(), "the one-time link to sign in was written; `offhook link` creates another");
    }
    print_address(address);
    Ok(())
}

/// Prints the address. The server serves without a standard output, too.
fn print_address(address: &str) {
    if let Err(error) = output::line(format_args!("Serving at {address}")) {
        let error = format!("{error:#}");
        tracing::warn!(error, "the address of the server was not printed");
    }
}

/// Beginning of the line with the API key.
const KEY_LINE: &str = "API key (written this once, stored as a hash): ";

/// Replaces the file of an earlier start, but keeps its API key. Only this user may read the file.
fn write(data: &Path, secrets: &Secrets) -> anyhow::Result<PathBuf> {
    let path = data.join(FILE);
    let mut text = format!("Board (one-time link): {}\n", secrets.link);
    match &secrets.api_key {
        Some(key) => text += &format!("{KEY_LINE}{key}\n"),
        // The key of an earlier start, of which only the hash is stored elsewhere.
        None => {
            let before = fs::read_to_string(&path).unwrap_or_default();
            let kept = before.lines().filter(|line| line.starts_with(KEY_LINE));
            text.extend(kept.flat_map(|line| [line, "\n"]));
        }
    }
    let written = || -> std::io::Result<()> {
        // Temporary files have mode 600.
        let mut file = Builder::new()
            .prefix(store::UNFINISHED_PREFIX)
            .tempfile_in(data)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    };
    written().with_context(|| {
        format!(
            "cannot write {}; check free space and permissions",
            path.display()
        )
    })?;
    Ok(path)
}
