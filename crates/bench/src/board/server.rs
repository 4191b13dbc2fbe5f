//! The server of the measurement: people with accounts, and nothing that changes by itself.

use anyhow::bail;
use presence::PersonId;
use serde_json::json;
use server::{access, clock::Clock};
use store::{Account, Role};

use crate::stage::{Alone, change};

/// Arguments of the server.
#[derive(Debug, clap::Args)]
pub struct ServerArguments {
    /// How many people there are.
    #[arg(long)]
    people: usize,
    /// How many of them have accounts.
    #[arg(long)]
    boards: usize,
}

/// Runs the server until it is killed; prints where it listens, and how one gets in.
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
