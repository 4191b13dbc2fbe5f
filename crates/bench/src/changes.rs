//! Cost of a change: duration of a change of a person, of a change of a relationship and of adding a person, with few and
//! with many people, and number of events on an unaffected board. The anchor is a bare HTTP request to the same server in
//! the same run.

use anyhow::{Context, ensure};
use api::access;
use api_types::{
    people::{NewLine, NewPerson},
    relationships::LevelBody,
};
use presence::PersonId;
use reqwest::{Client, Method};
use runtime::clock::Clock;
use serde::Serialize;
use store::{Account, Role, Store};
use tokio::time::Instant;

use crate::{
    latency::anchor,
    percentiles::Percentiles,
    stage::{Alone, change},
    verdict,
};

/// Number of requests of the anchor.
const ANCHOR: usize = 500;
/// Target: maximum ratio of the duration with many people to that with few.
const GROWTH_MAX: f64 = 2.0;

/// Arguments of the measurement.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Numbers of people, the smallest first.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 50_000])]
    people: Vec<usize>,
    /// Number of changes of each kind.
    #[arg(long, default_value_t = 200)]
    rounds: u64,
}

/// Medians in milliseconds for one number of people.
struct Figures {
    anchor: f64,
    person: f64,
    relationship: f64,
    new_person: f64,
}

/// Measures and prints the figures.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!(
        "{:>8} {:>9} {:>18} {:>18} {:>18}  median ms of {}",
        "people", "anchor", "changed person", "relationship", "new person", arguments.rounds
    );
    let mut all: Vec<Figures> = Vec::new();
    for &people in &arguments.people {
        let figures = measure(people, arguments.rounds).await?;
        println!(
            "{people:>8} {:>9.3} {:>18.3} {:>18.3} {:>18.3}",
            figures.anchor, figures.person, figures.relationship, figures.new_person
        );
        all.push(figures);
    }
    let (Some(few), Some(many)) = (all.first(), all.last()) else {
        return Ok(());
    };
    for (name, of) in [
        (
            "changed person",
            (|figures| figures.person) as fn(&Figures) -> f64,
        ),
        ("relationship", |figures| figures.relationship),
        ("new person", |figures| figures.new_person),
    ] {
        let growth = of(many) / of(few);
        println!(
            "{name}: most / fewest people {growth:.2}; target {GROWTH_MAX}: {}",
            verdict(growth <= GROWTH_MAX)
        );
    }
    Ok(())
}

/// Server, and an API key with all permissions.
struct Server {
    http: Client,
    url: String,
    key: String,
}

impl Server {
    /// Sends a change. Returns the milliseconds until the answer.
    async fn send(&self, method: Method, path: &str, body: &impl Serialize) -> anyhow::Result<f64> {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = request.bearer_auth(&self.key).json(body);
        let began = Instant::now();
        request.send().await?.error_for_status()?;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    }
}

async fn measure(people: usize, rounds: u64) -> anyhow::Result<Figures> {
    let Alone {
        app,
        store,
        _folder,
    } = Alone::start(people, None).await?;
    let clock = Clock::system();
    let server = Server {
        http: Client::new(),
        url: format!("http://{}", app.address()),
        key: access::new_api_key(&store, "bench", &["read", "write", "admin"], &clock).await?,
    };
    // The last person has an open board; the relationships are between others.
    let count = people as u64;
    ensure!(count > 2, "at least three people are needed");
    let mut board = board(&server, &store, PersonId(count)).await?;
    let anchor = anchor(&server.url, ANCHOR).await?.at(0.5) * 1e3;
    let (mut person, mut relationship, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let owner = round * 7 % (count - 2) + 1;
        let level = if round.is_multiple_of(2) {
            "Blocked"
        } else {
            "Assistant"
        };
        let path = format!("/api/v1/people/{owner}/relationships/{}", owner + 1);
        let body = LevelBody {
            level: level.to_owned(),
        };
        relationship.push(server.send(Method::PUT, &path, &body).await?);
    }
    let events_of_relationships = events(&mut board).await?;
    for round in 0..rounds {
        let path = format!("/api/v1/people/{}", round * 7 % count + 1);
        let body = NewPerson {
            name: Some(format!("renamed {round}")),
            ..NewPerson::default()
        };
        person.push(server.send(Method::PATCH, &path, &body).await?);
        let line = NewLine {
            extension: format!("n{round}"),
        };
        let body = NewPerson {
            name: Some(format!("new {round}")),
            lines: Some(vec![line]),
            ..NewPerson::default()
        };
        new.push(server.send(Method::POST, "/api/v1/people", &body).await?);
    }
    ensure!(
        events_of_relationships == 0,
        "an unaffected board got {events_of_relationships} events"
    );
    app.stop().await;
    let median = |values: Vec<f64>| Percentiles::new(values).at(0.5);
    Ok(Figures {
        anchor,
        person: median(person),
        relationship: median(relationship),
        new_person: median(new),
    })
}

/// Opens the event stream of a person like a board.
async fn board(
    server: &Server,
    store: &Store,
    person: PersonId,
) -> anyhow::Result<reqwest::Response> {
    let clock = Clock::system();
    let account = Account {
        id: 0,
        name: "board".into(),
        password_hash: None,
        person: Some(person),
        role: Role::Person,
        location: None,
        created_at: clock.now(),
    };
    let account = store
        .add_account(&account, &change("account.add", "bench"))
        .await?;
    let link = access::new_link(store, Some(account), &clock).await?;
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let answer = client.get(format!("{}{link}", server.url)).send().await?;
    let cookie = answer.headers().get("set-cookie").context("no cookie")?;
    let cookie = cookie.to_str()?.split(';').next().unwrap_or_default();
    let request = client.get(format!("{}/api/v1/events", server.url));
    let mut stream = request.header("cookie", cookie).send().await?;
    // The initial events, and those of the person's own client.
    events(&mut stream).await?;
    Ok(stream)
}

/// Counts the events of a stream until it is quiet.
async fn events(stream: &mut reqwest::Response) -> anyhow::Result<usize> {
    /// Longer than the 50 ms for which the server gathers events.
    const QUIET: std::time::Duration = std::time::Duration::from_millis(300);
    let mut count = 0;
    while let Ok(chunk) = tokio::time::timeout(QUIET, stream.chunk()).await {
        let chunk = chunk?.context("the stream ended")?;
        count += String::from_utf8_lossy(&chunk).matches("event: ").count();
    }
    Ok(count)
}
