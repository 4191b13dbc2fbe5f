//! `offhook serve`: the server of an installation.

use std::{path::Path, sync::Arc};

use presence::Timing;
use server::{App, Doctor, Options, access, clock::Clock};

use crate::{asked_to_stop, doctor, installation};

/// What the first key may do.
pub const EVERYTHING: [&str; 3] = ["read", "write", "admin"];

/// Runs until a signal ends it.
pub async fn run(config: &Path) -> anyhow::Result<()> {
    let file = std::path::absolute(config)?;
    let doctor = Doctor::new(move || Box::pin(doctor::findings(file.clone())));
    let config = installation::configuration(config)?;
    let store = installation::open(&config).await?;
    let _lock = installation::lock(&config)?;
    let vault = Arc::new(installation::vault(&config)?);
    let clock = Clock::system();
    if config.api_key.is_none() && !store.has_any_api_key().await? {
        let key = access::new_api_key(&store, "first start", &EVERYTHING, &clock).await?;
        println!("API key (shown this once, stored as a hash): {key}");
    }
    let app = App::start(Options {
        listen: config.listen,
        store,
        clock,
        tenants: config.tenants,
        pbxs: config.pbxs,
        phones: config.phones,
        timing: Timing::default(),
        public_url: config.public_url,
        open_id: config.open_id,
        api_key: config.api_key,
        vault: Some(vault),
        audit_kept: config.audit_kept,
        doctor: Some(doctor),
        demo: None,
    })
    .await?;
    println!("Board (one-time link): {}", app.new_link().await?);
    tracing::info!(address = %app.address(), "serving");
    if let Some(address) = app.sip_address() {
        tracing::info!(%address, "serving telephones");
    }
    tokio::select! {
        stopped = asked_to_stop() => stopped?,
        () = app.failed() => anyhow::bail!("a part of the server ended; see the log"),
    }
    tracing::info!("stopping");
    app.stop().await;
    Ok(())
}
