//! `offhook backup` and `offhook restore`.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use api::restores::backups_folder;
use api_types::backups::{Backup, Backups};
use runtime::clock::Clock;
use serde_json::json;
use server::config::Config;
use store::PreparedRestore;

use crate::{installation, output, running::RunningServer};

/// Timeout for a running server to restart with a backup.
const RESTART_MAX: Duration = Duration::from_secs(120);
/// Polling interval during the restart.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Copies the database, also while a server runs.
pub async fn backup(config: &Path, file: &Path) -> anyhow::Result<()> {
    let config = installation::configuration(config)?;
    let store = installation::open(&config).await?;
    store.database().backup(file).await?;
    store.database().close().await;
    output::line(format_args!("Backed up to {}.", file.display()))?;
    Ok(())
}

/// Restores a backup. A running server restarts with it.
pub async fn restore(config: &Path, file: &Path, force: bool) -> anyhow::Result<()> {
    let config = installation::configuration(config)?;
    installation::create_folder(&config)?;
    let database = config.database();
    // Checked in any case, so that faults of the file are reported before the server is asked.
    let prepared = PreparedRestore::new(file, &database, force).await?;
    let Some(_lock) = installation::lock(&config)? else {
        drop(prepared);
        return restore_running(&config, file).await;
    };
    let kept = prepared.apply().await?;
    output::line(format_args!("restored {}", file.display()))?;
    if let Some(kept) = kept {
        output::line(format_args!(
            "The previous database is kept as {}.",
            kept.display()
        ))?;
    }
    Ok(())
}

/// Passes a copy of the backup to the running server, and waits until it serves with it.
async fn restore_running(config: &Config, file: &Path) -> anyhow::Result<()> {
    let copy = hand_over(config, file)?;
    let restored = ask(config, &copy).await;
    let removed = fs::remove_file(&copy);
    restored?;
    removed.with_context(|| format!("cannot remove {}", copy.display()))?;
    output::line(format_args!(
        "Restored {}; the server has restarted with it.",
        file.display()
    ))?;
    Ok(())
}

/// Copies the backup to the folder of the server's own backups, the only one from which it restores.
fn hand_over(config: &Config, file: &Path) -> anyhow::Result<PathBuf> {
    let folder = backups_folder(&config.database());
    let stamp = Clock::system().now().milliseconds();
    let copy = folder.join(format!("offhook-restored-{stamp}.db"));
    let failed = || format!("cannot copy {} to {}", file.display(), copy.display());
    let made = || -> io::Result<fs::File> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let mut options = OpenOptions::new();
        options.create_new(true).write(true).mode(0o600).open(&copy)
    };
    let mut to = made().with_context(failed)?;
    let copied = fs::File::open(file).and_then(|mut from| io::copy(&mut from, &mut to));
    if let Err(error) = copied {
        // Removes an incomplete copy; the error of the copy is reported anyway.
        let _ = fs::remove_file(&copy);
        return Err(error).with_context(failed);
    }
    Ok(copy)
}

async fn ask(config: &Config, copy: &Path) -> anyhow::Result<()> {
    let database = config.database();
    let before = fs::metadata(&database)?.ino();
    let name = copy.file_name().and_then(|name| name.to_str());
    let path = format!("/api/v1/backups/{}/restore", name.unwrap_or_default());
    let server = RunningServer::of(config).await?;
    server.post::<Backup>(&path, &json!({})).await?;
    let begun_again = async {
        // Waits until another file has the name and the server answers again. The database is opened here only then,
        // because opening an older one upgrades it.
        while fs::metadata(&database).is_ok_and(|file| file.ino() == before)
            || !server.answers().await
        {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        RunningServer::of(config)
            .await?
            .get::<Backups>("/api/v1/backups")
            .await?;
        anyhow::Ok(())
    };
    tokio::time::timeout(RESTART_MAX, begun_again)
        .await
        .unwrap_or_else(|_| anyhow::bail!("the server has not restarted; see its log"))
}
