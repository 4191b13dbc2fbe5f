//! `offhook link`: prints a one-time link that opens the board, for users who may read the data folder.

use std::path::Path;

use api::access;
use runtime::clock::Clock;

use crate::{installation, output};

/// Prints a link.
pub async fn run(config: &Path) -> anyhow::Result<()> {
    let config = installation::configuration(config)?;
    let store = installation::open(&config).await?;
    let path = access::new_link(&store, None, &Clock::system()).await?;
    output::line(format_args!("http://{}{path}", config.listen))?;
    store.database().close().await;
    Ok(())
}
