//! `offhook confirm-clock`: confirms to the running server that its clock is right.

use std::path::Path;

use crate::{installation, output, running::RunningServer};

/// Confirms the clock.
pub async fn run(config: &Path) -> anyhow::Result<()> {
    let config = installation::configuration(config)?;
    let server = RunningServer::of(&config).await?;
    server.post_empty("/api/v1/clock/confirm").await?;
    output::line(format_args!(
        "Confirmed: data older than its retention period is deleted within the hour."
    ))?;
    Ok(())
}
