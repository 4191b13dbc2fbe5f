//! `offhook import`: people from a CSV file. A running server notices by itself.

use std::{fs, path::Path};

use anyhow::Context;

use server::clock::Clock;

use crate::installation;

/// A file of people is smaller; anything larger was given by mistake.
const FILE_MAX: u64 = 256 * 1024 * 1024;

/// Imports all or nobody.
pub async fn run(config: &Path, file: &Path) -> anyhow::Result<()> {
    let named = || format!("{}", file.display());
    let size = fs::metadata(file).with_context(named)?.len();
    anyhow::ensure!(
        size <= FILE_MAX,
        "{}: {size} bytes are too many; at most {FILE_MAX} are read",
        named()
    );
    let text = fs::read(file).with_context(named)?;
    let people = store::read_people_csv(&text).with_context(named)?;
    let config = installation::configuration(config)?;
    let store = installation::open(&config).await?;
    let clock = Clock::system();
    let change = installation::change("people.import", "people", &clock);
    let summary = store
        .import(&people, &change)
        .await
        .with_context(|| format!("{}: nobody was imported", named()))?;
    println!(
        "{} people added, {} brought up to date",
        summary.added, summary.updated
    );
    store.close().await;
    Ok(())
}
