//! `offhook directory`: lets the running server synchronise people with Entra now, or previews the changes.

use serde_json::{Value, json};

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
    let wish = json!({"dry_run": arguments.dry_run, "tenant": arguments.tenant});
    let body = server.post("/api/v1/directory/synchronise", &wish).await?;
    output::print(text(&body));
    Ok(())
}

/// One line for each change and each warning, and the number of accounts.
fn text(outcome: &Value) -> String {
    let items = outcome.get("items").and_then(Value::as_array);
    let mut text = String::new();
    for item in items.into_iter().flatten() {
        let field = |name| item.get(name).and_then(Value::as_str).unwrap_or_default();
        text += &format!(
            "{:<10} {:<30} {}\n",
            field("what"),
            field("name"),
            field("reason")
        );
    }
    let warnings = outcome.get("warnings").and_then(Value::as_array);
    for warning in warnings.into_iter().flatten().filter_map(Value::as_str) {
        text += &format!("{:<10} {warning}\n", "warning");
    }
    let accounts = outcome.get("accounts").and_then(Value::as_u64).unwrap_or(0);
    let dry = outcome.get("dry_run") == Some(&Value::Bool(true));
    let done = if dry { "no changes made" } else { "done" };
    text + &format!("{accounts} accounts in the directory; {done}\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::text;

    #[test]
    fn each_deed_is_a_line() {
        let outcome = json!({"accounts": 3, "dry_run": true, "items": [
            {"what": "ambiguous", "name": "anna", "reason": "the mail fits several people: 1, 2"}],
            "warnings": ["2 elements could not be read"]});
        let shown = text(&outcome);
        assert!(shown.starts_with("ambiguous  anna "), "{shown}");
        let warning = "\nwarning    2 elements could not be read\n";
        assert!(shown.contains(warning), "{shown}");
        assert!(shown.ends_with("3 accounts in the directory; no changes made\n"));
    }
}
