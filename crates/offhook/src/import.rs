//! `offhook import`: imports people from a CSV file. A running server detects the change.

use std::{fs, path::Path};

use anyhow::Context;
use runtime::{audit::Administration, clock::Clock};
use store::{ColumnUse, ImportSummary, PeopleTable, Progress};

use crate::{installation, output};

/// Maximum length of a file in bytes; larger files are mistakes.
const FILE_MAX: u64 = 256 * 1024 * 1024;

/// Mode of the command.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    /// Import all rows or none.
    Import,
    /// Show how the table is read, and the changes of each row.
    Preview,
}

/// Imports the people of a file, or previews the import.
pub async fn run(config: &Path, file: &Path, mode: Mode) -> anyhow::Result<()> {
    let named = || format!("{}", file.display());
    let size = fs::metadata(file).with_context(named)?.len();
    anyhow::ensure!(
        size <= FILE_MAX,
        "{}: {size} bytes are too many; at most {FILE_MAX} are read",
        named()
    );
    let bytes = fs::read(file).with_context(named)?;
    let table = store::read_people_csv(&bytes, None).with_context(named)?;
    print_table(&table)?;
    let config = installation::configuration(config)?;
    let store = installation::open(&config).await?;
    let clock = Clock::system();
    let change = installation::change(Administration::PeopleImport, "people", &clock);
    let refused = || format!("{}: no person was imported", named());
    match mode {
        Mode::Import => {
            let summary = store.import(&table.people, &change).await;
            let summary = summary.with_context(refused)?;
            output::line(format_args!(
                "{} people added, {} brought up to date",
                summary.added, summary.updated
            ))?;
        }
        Mode::Preview => {
            let progress = Progress::default();
            let summary = store.preview_import(&table.people, &change, &progress);
            let summary = summary.await.with_context(named)?;
            print_preview(&summary)?;
            anyhow::ensure!(
                summary.conflicts.is_empty(),
                "{}: no person can be imported until the conflicts are corrected",
                named()
            );
        }
    }
    store.database().close().await;
    Ok(())
}

/// Prints the encoding, the separator and the meaning of the columns.
fn print_table(table: &PeopleTable) -> anyhow::Result<()> {
    let separator = store::separator_name(table.separator);
    output::line(format_args!(
        "Read as {}, separated by {separator}.",
        table.encoding
    ))?;
    for column in &table.columns {
        // A title may contain any text.
        let title = &column.title;
        match column.used_for.map(ColumnUse::title) {
            Some(used_for) => output::line(format_args!("column {title:?}: {used_for}"))?,
            None => output::line(format_args!("column {title:?}: ignored"))?,
        }
    }
    if table.comments > 0 {
        output::line(format_args!(
            "lines skipped as comments, because they begin with #: {}",
            table.comments
        ))?;
    }
    let missing = table.missing_columns().into_iter();
    let missing: Vec<&str> = missing.map(ColumnUse::title).collect();
    if !missing.is_empty() {
        output::line(format_args!(
            "not in the table, and left unchanged: {}",
            missing.join(", ")
        ))?;
    }
    Ok(())
}

/// Prints the changes of each row.
fn print_preview(summary: &ImportSummary) -> anyhow::Result<()> {
    let line = |line: Option<u64>| line.map_or_else(String::new, |line| format!("line {line}: "));
    for conflict in &summary.conflicts {
        output::line(format_args!(
            "{}conflict: {}: {}",
            line(conflict.line),
            conflict.name,
            conflict.problem
        ))?;
    }
    for row in &summary.differences {
        let what = if row.difference.is_new() {
            "new"
        } else {
            "changed"
        };
        let (name, changes) = (row.difference.name(), row.difference.changes());
        output::line(format_args!("{}{what}: {name}: {changes}", line(row.line)))?;
    }
    output::line(format_args!(
        "{} people would be new, {} changed, {} unchanged; {} conflicts. Nothing has been changed.",
        summary.added,
        summary.updated.saturating_sub(summary.unchanged),
        summary.unchanged,
        summary.conflicts.len()
    ))
}
