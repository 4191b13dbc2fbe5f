//! Measures what the product promises. `cargo run --release -p bench -- latency`.

mod agent;
mod agents;
mod board;
mod changes;
mod engine;
mod graph;
mod latency;
mod percentiles;
mod process;
mod sip;
mod stage;
mod stream;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "bench", about)]
enum Command {
    /// The desktop agent: from the microphone to a colleague, and what it needs.
    Agent(agent::Arguments),
    /// What desktop agents cost the server, and how soon a report is taken in.
    Agents(agents::Arguments),
    /// The server of that measurement, a process of its own.
    #[command(hide = true)]
    AgentsServer(agents::ServerArguments),
    /// The board in a browser, and what a thousand open boards cost.
    Board(board::Arguments),
    /// The server of that measurement, a process of its own.
    #[command(hide = true)]
    BoardServer(board::ServerArguments),
    /// What a change of one person costs with few people and with many.
    Changes(changes::Arguments),
    /// People per second and per gigabyte: what the core itself can do.
    Engine(engine::Arguments),
    /// Notifications per second beside openssl, and how soon the sweep sees a call in Teams.
    Graph(graph::Arguments),
    /// Telephone event to Graph request, and Graph's answer to event on the clients' streams.
    Latency(latency::Arguments),
    /// Telling watchers over SIP, beside Kamailio: CPU, latency, set-up and memory.
    Sip(sip::Arguments),
    /// The server of that measurement, a process of its own.
    #[command(hide = true)]
    SipServer(sip::ServerArguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Agent(arguments) => agent::run(&arguments).await,
        Command::Agents(arguments) => agents::run(&arguments).await,
        Command::AgentsServer(arguments) => agents::serve(&arguments).await,
        Command::Board(arguments) => board::run(&arguments).await,
        Command::BoardServer(arguments) => board::serve(&arguments).await,
        Command::Changes(arguments) => changes::run(&arguments).await,
        Command::Engine(arguments) => engine::run(&arguments),
        Command::Graph(arguments) => graph::run(&arguments).await,
        Command::Latency(arguments) => latency::run(&arguments).await,
        Command::Sip(arguments) => sip::run(&arguments).await,
        Command::SipServer(arguments) => sip::serve(&arguments).await,
    }
}

/// Whether a promise was kept.
const fn verdict(met: bool) -> &'static str {
    if cfg!(debug_assertions) {
        // An unoptimised build proves only that the benchmark runs.
        "-"
    } else if met {
        "met"
    } else {
        "MISSED"
    }
}
