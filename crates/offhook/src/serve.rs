//! `offhook serve`: runs the server of an installation.

use std::{fs::File, path::Path, sync::Arc};

use api::{
    access,
    installation_check::Doctor,
    restores::{AskedRestores, Restore, Restored, Restores},
};
use presence::Timing;
use runtime::clock::Clock;
use server::{App, Options, config::Config};

use crate::{
    StopSignals, doctor,
    first_start::{self, Secrets},
    installation, log,
    trace_export::TraceExport,
};

/// Permissions of the first API key.
pub const EVERYTHING: [&str; 3] = ["read", "write", "admin"];

/// Runs until a signal. Restoring a backup also ends the server, and starts another one with it.
pub async fn run(config: &Path) -> anyhow::Result<()> {
    let file = std::path::absolute(config)?;
    let read = installation::configuration(&file)?;
    let traces = TraceExport::from_environment()?;
    log::start("info", read.log, traces.as_ref());
    let served = run_until_stopped(&file, &read).await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    served
}

async fn run_until_stopped(file: &Path, read: &Config) -> anyhow::Result<()> {
    installation::create_folder(read)?;
    let mut lock = installation::only_server(read)?;
    installation::remove_unfinished(read);
    let mut stop = StopSignals::new()?;
    let (restores, mut asked) = Restores::new();
    while let Some(restore) =
        serve(file, &mut lock, restores.clone(), (&mut asked, &mut stop)).await?
    {
        finish(restore).await;
        restores.begin_again();
    }
    Ok(())
}

async fn finish(restore: Restore) {
    match restore.finish().await {
        Ok(Restored { kept, recorded }) => {
            let kept = kept.map_or_else(|| "none".into(), |kept| kept.display().to_string());
            tracing::info!(
                kept,
                "a backup was restored; the database that was there is kept"
            );
            if let Err(error) = recorded {
                tracing::error!(%error, "the audit log of the restored database does not tell of the restore");
            }
        }
        Err(error) => tracing::error!(%error, "the backup was not restored"),
    }
}

/// Runs one server, until a signal or until a backup is to be restored.
async fn serve(
    file: &Path,
    lock: &mut File,
    restores: Restores,
    (asked, stop): (&mut AskedRestores, &mut StopSignals),
) -> anyhow::Result<Option<Restore>> {
    let config = installation::configuration(file)?;
    let (store, checked) = installation::open_to_serve(&config).await?;
    installation::mark_served(lock)?;
    let vault = Arc::new(installation::vault(&config)?);
    let clock = Clock::system();
    let needs_key = config.api_key.is_none();
    let (data, kept) = (config.data, store.clone());
    let (examined, examined_store) = (file.to_owned(), store.clone());
    let starting = App::start(Options {
        listen: config.listen,
        store,
        checked,
        clock: clock.clone(),
        tenants: config.tenants,
        directories: config.directories,
        pbxs: config.pbxs,
        phones: config.phones,
        timing: Timing::default(),
        public_url: config.public_url,
        proxies: config.proxies,
        open_id: config.open_id,
        api_key: config.api_key,
        vault: Some(vault),
        audit_kept: config.audit_kept,
        doctor: Some(Doctor::new(move || {
            Box::pin(doctor::findings(examined.clone(), examined_store.clone()))
        })),
        restores: Some(restores),
        outside: config.outside,
        demo: None,
    });
    let app = tokio::select! {
        app = starting => app?,
        () = stop.asked() => return Ok(None),
    };
    // Created after the server listens, so that the only key is never one that was not printed.
    let api_key = if needs_key && !kept.has_any_api_key().await? {
        Some(access::new_api_key(&kept, "first start", &EVERYTHING, &clock).await?)
    } else {
        None
    };
    let link = app.new_link().await?;
    let address = format!("http://{}", app.address());
    first_start::hand_over(&data, &address, &Secrets { link, api_key })?;
    tracing::info!(address = %app.address(), "serving");
    if let Some(address) = app.sip_address() {
        tracing::info!(%address, "serving telephones");
    }
    let restore = tokio::select! {
        () = stop.asked() => None,
        () = app.failed() => anyhow::bail!("a part of the server ended; see the log"),
        restore = asked.recv() => restore,
    };
    tracing::info!("stopping");
    app.stop().await;
    Ok(restore)
}
