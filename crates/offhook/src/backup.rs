//! `offhook backup` and `offhook restore`.

use std::path::Path;

use crate::installation;

/// Copies the database; a running server goes on meanwhile.
pub async fn backup(config: &Path, file: &Path) -> anyhow::Result<()> {
    let config = installation::configuration(config)?;
    let store = installation::open(&config).await?;
    store.backup(file).await?;
    store.close().await;
    println!("backed up to {}", file.display());
    Ok(())
}

/// Puts a backup in place. The lock makes sure that no server runs.
pub async fn restore(config: &Path, file: &Path, force: bool) -> anyhow::Result<()> {
    let config = installation::configuration(config)?;
    installation::create_folder(&config)?;
    let _lock = installation::lock(&config)?;
    let kept = store::restore(file, &installation::database(&config), force).await?;
    println!("restored {}", file.display());
    if let Some(kept) = kept {
        println!("the database that was there is kept as {}", kept.display());
    }
    Ok(())
}
