//! `offhook user`: accounts for signing in, for users who may read the data folder.

use std::path::Path;

use anyhow::Context;
use api::access;
use clap::Subcommand;
use presence::{PersonId, Timestamp};
use runtime::{audit::Administration, clock::Clock};
use store::{Account, Role, Store};

use crate::{Configured, installation, output};

/// Arguments of `user`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    configured: Configured,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add an account and print the one-time link that signs in to it.
    Add {
        /// Name to sign in with.
        name: String,
        /// Role of the account.
        #[arg(long, default_value = "person", value_parser = ["person", "location_admin", "system_admin"])]
        role: String,
        /// Person of the account: mail, sign-in name or id.
        #[arg(long)]
        person: Option<String>,
        /// Location that a location administrator manages.
        #[arg(long)]
        location: Option<String>,
    },
    /// List the accounts.
    List,
    /// Print a new one-time link that signs in to an account.
    Link {
        /// Name of the account.
        name: String,
    },
    /// Delete an account with its sessions.
    Delete {
        /// Name of the account.
        name: String,
    },
}

/// Runs a command.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let path: &Path = &arguments.configured.config;
    let config = installation::configuration(path)?;
    let store = installation::open(&config).await?;
    let clock = Clock::system();
    let done = match arguments.what {
        What::Add {
            name,
            role,
            person,
            location,
        } => {
            let person = match person {
                Some(person) => Some(found(&store, &person, clock.now()).await?),
                None => None,
            };
            let account = Account {
                id: 0,
                name,
                password_hash: None,
                person,
                role: Role::from_name(&role).unwrap_or(Role::Person),
                location,
                created_at: clock.now(),
            };
            let id = store
                .add_account(
                    &account,
                    &installation::change(Administration::AccountAdd, &account.name, &clock),
                )
                .await?;
            let link = access::new_link(&store, Some(id), &clock).await?;
            output::line(format_args!("http://{}{link}", config.listen))?;
            Ok(())
        }
        What::List => list(&store).await,
        What::Link { name } => {
            let account = account(&store, &name).await?;
            let link = access::new_link(&store, Some(account.id), &clock).await?;
            output::line(format_args!("http://{}{link}", config.listen))?;
            Ok(())
        }
        What::Delete { name } => {
            let account = account(&store, &name).await?;
            let change = installation::change(Administration::AccountDelete, &account.name, &clock);
            store.delete_account(account.id, &change).await?;
            Ok(())
        }
    };
    store.database().close().await;
    done
}

async fn account(store: &Store, name: &str) -> anyhow::Result<Account> {
    store
        .account_by_name(name)
        .await?
        .with_context(|| format!("there is no account {name:?}; `offhook user list` lists them"))
}

async fn found(store: &Store, person: &str, now: Timestamp) -> anyhow::Result<PersonId> {
    let people = store.people(now).await?;
    let found = people
        .iter()
        .find(|known| installation::goes_by(known, person));
    let found = found.with_context(|| {
        format!(
            "no person has the mail, sign-in name or id {person:?}; `offhook import` imports people"
        )
    })?;
    Ok(found.id)
}

async fn list(store: &Store) -> anyhow::Result<()> {
    for account in store.accounts().await? {
        let person = account
            .person
            .map_or_else(|| "-".into(), |person| person.to_string());
        let location = account.location.as_deref().unwrap_or("-");
        let (name, role) = (&account.name, account.role.name());
        output::line(format_args!(
            "{name:<30} {role:<15} person {person:<10} location {location}"
        ))?;
    }
    Ok(())
}
