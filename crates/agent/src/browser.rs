//! Opens a page in the person's browser.

use std::io;

/// Opens a page.
///
/// # Errors
/// No browser can be started.
pub async fn open(page: &str) -> io::Result<()> {
    if cfg!(target_os = "linux") && std::env::var_os("INVOCATION_ID").is_some() {
        return beside(page).await;
    }
    open::that_detached(page)
}

/// Starts the browser outside of the agent's systemd unit, because it would inherit the unit's restrictions.
async fn beside(page: &str) -> io::Result<()> {
    let mut run = tokio::process::Command::new("systemd-run");
    run.args(["--user", "--collect", "--quiet", "--", "xdg-open", page]);
    let ended = run.status().await?;
    match ended.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("systemd-run: {ended}"))),
    }
}
