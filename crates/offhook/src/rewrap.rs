//! `offhook rewrap`: seals the stored secrets with a new key.

use std::path::Path;

use runtime::vault::Vault;

use crate::{installation, output};

/// Seals all secrets that are sealed with the key `old`. The lock guarantees that no server runs.
pub async fn run(config: &Path, old: &Path) -> anyhow::Result<()> {
    let config = installation::configuration(config)?;
    let store = installation::open(&config).await?;
    let _lock = installation::only_server(&config)?;
    let old = Vault::from_file(old)?;
    let sealed = installation::vault(&config)?
        .rewrap(&old, store.database())
        .await?;
    store.database().close().await;
    output::line(format_args!(
        "{sealed} secrets sealed with the new key; the old key is no longer needed"
    ))?;
    Ok(())
}
