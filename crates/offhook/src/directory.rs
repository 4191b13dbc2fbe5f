//! `offhook directory`: lets the running server synchronise people with Entra now, or previews the changes.

use api_types::directory::{Directory, DirectoryAction, DirectorySynchronisation};

use crate::{Configured, installation, output, running::RunningServer};

/// Arguments of `directory`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    configured: Configured,
    /// Only show the changes.
    #[arg(long)]
    dry_run: bool,
    /// Tenant, if people come from several.
    #[arg(long)]
    tenant: Option<String>,
}

/// Sends the request, and prints the changes with their reasons.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let config = installation::configuration(&arguments.configured.config)?;
    let server = RunningServer::of(&config).await?;
    let request = DirectorySynchronisation {
        dry_run: arguments.dry_run,
        tenant: arguments.tenant,
    };
    let outcome = server.post("/api/v1/directory/synchronise", &request);
    output::print(text(&outcome.await?))?;
    Ok(())
}

/// One line for each change and each warning, and the number of accounts.
fn text(outcome: &Directory) -> String {
    let mut text = String::new();
    for DirectoryAction {
        what, name, reason, ..
    } in &outcome.items
    {
        text += &format!("{:<10} {name:<30} {reason}\n", what.name());
    }
    for warning in &outcome.warnings {
        text += &format!("{:<10} {warning}\n", "warning");
    }
    let done = match outcome.dry_run {
        true => "no changes made",
        false => "done",
    };
    text + &format!("{} accounts in the directory; {done}\n", outcome.accounts)
}

#[cfg(test)]
mod tests {
    use api_types::directory::DirectoryActionKind;

    use super::{Directory, DirectoryAction, text};

    #[test]
    fn each_deed_is_a_line() {
        let outcome = Directory {
            at: "2026-11-23T09:00:00Z".into(),
            dry_run: true,
            accounts: 3,
            items: vec![DirectoryAction {
                what: DirectoryActionKind::Ambiguous,
                person: None,
                name: "anna".into(),
                reason: "the mail fits several people: 1, 2".into(),
            }],
            warnings: vec!["2 elements could not be read".into()],
        };
        let shown = text(&outcome);
        assert!(shown.starts_with("ambiguous  anna "), "{shown}");
        let warning = "\nwarning    2 elements could not be read\n";
        assert!(shown.contains(warning), "{shown}");
        assert!(shown.ends_with("3 accounts in the directory; no changes made\n"));
    }
}
