//! `offhook service-account`: accounts with which Offhook subscribes to changes in Teams. They sign in by device code, on
//! Microsoft's page only.

use std::{path::Path, time::Duration};

use anyhow::Context;
use clap::Subcommand;
use graph::{
    Client,
    delegated::{DeviceFlow, DeviceState},
};
use presence::TenantName;
use runtime::clock::Clock;
use teams::{
    forget_service_account, keep_service_account, service_account_scope, service_accounts,
};

use crate::{Configured, installation, output};

/// Arguments of `service-account`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    configured: Configured,
    /// Name of the account's tenant in the configuration.
    #[arg(long, global = true, default_value = TenantName::MAIN)]
    tenant: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sign an account in: prints an address and a code, and waits. Each account watches 650 people.
    Add,
    /// List the accounts by object id.
    List,
    /// Remove an account and its sign-in.
    Remove {
        /// Object id of the account.
        id: String,
    },
}

/// Runs a command. A running server detects the change.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let path: &Path = &arguments.configured.config;
    let config = installation::configuration(path)?;
    let store = installation::open(&config).await?;
    let tenant = TenantName::new(&arguments.tenant);
    match arguments.what {
        What::Add => {
            let vault = installation::vault(&config)?;
            let mut tenants = config.tenants.into_iter();
            let wanted = tenants.find(|options| options.name == tenant);
            let wanted = wanted.with_context(|| {
                format!(
                    "the configuration has no tenant {:?}; \"main\" is the tenant in [teams], the others have the names in [[tenants]]",
                    arguments.tenant
                )
            })?;
            let client = Client::new(wanted.client)?;
            let token = sign_in(&client).await?;
            let name = keep_service_account(&store, &vault, &tenant, &token)
                .await?
                .context("Microsoft returned no account or no refresh token; try again")?;
            output::line(format_args!(
                "{name} is signed in; the server subscribes within half a minute"
            ))?;
        }
        What::List => {
            for id in service_accounts(&store, &tenant).await? {
                output::line(format_args!("{id}"))?;
            }
        }
        What::Remove { id } => {
            let there = forget_service_account(&store, &tenant, &id).await?;
            anyhow::ensure!(
                there,
                "there is no service account {id:?}; `offhook service-account list` lists them"
            );
        }
    }
    store.database().close().await;
    Ok(())
}

async fn sign_in(client: &Client) -> anyhow::Result<graph::delegated::UserToken> {
    let clock = Clock::system();
    let code = client
        .begin_device_code(&service_account_scope(client))
        .await?;
    output::line(format_args!(
        "Open {} and type {}",
        code.verification_uri, code.user_code
    ))?;
    let (mut flow, mut state) = DeviceFlow::new(clock.now().milliseconds(), &code);
    loop {
        match state {
            DeviceState::PollAt(at) => {
                let wait = at.saturating_sub(clock.now().milliseconds()).max(0);
                tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
                let answer = client.poll_device_code(&code).await;
                state = flow.on_answer(clock.now().milliseconds(), answer);
            }
            DeviceState::Done(token) => return Ok(*token),
            DeviceState::Failed(error) => return Err(error.into()),
        }
    }
}
