//! Server of the measurement: people with accounts, and no changes of its own.

use anyhow::bail;
use api::access;
use presence::PersonId;
use runtime::clock::Clock;
use serde_json::json;
use store::{Account, Role};

use crate::stage::{Alone, change};

/// Arguments of the server process.
#[derive(Debug, clap::Args)]
pub struct ServerArguments {
    /// Number of people.
    #[arg(long)]
    people: usize,
    /// Number of people with accounts.
    #[arg(long)]
    boards: usize,
}

/// Runs the server until it is killed; prints its address, an API key and links to sign in.
pub async fn serve(arguments: &ServerArguments) -> anyhow::Result<()> {
    let Alone {
        app,
        store,
        _folder,
    } = Alone::start(arguments.people, None).await?;
    let clock = Clock::system();
    let key = access::new_api_key(&store, "bench", &["read", "write"], &clock).await?;
    let mut links = Vec::new();
    for (number, person) in (1..=arguments.people as u64)
        .take(arguments.boards)
        .enumerate()
    {
        let account = Account {
            id: 0,
            name: format!("board-{number}"),
            password_hash: None,
            person: Some(PersonId(person)),
            role: Role::Person,
            location: None,
            created_at: clock.now(),
        };
        let change = change("account.add", "bench");
        let account = store.add_account(&account, &change).await?;
        links.push(access::new_link(&store, Some(account), &clock).await?);
    }
    let url = format!("http://{}", app.address());
    println!("{}", json!({"url": url, "key": key, "links": links}));
    app.failed().await;
    bail!("the server has failed")
}
