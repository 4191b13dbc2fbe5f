//! Measures the performance targets of the product. `cargo run --release -p bench -- latency`.

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
    /// Desktop agent: latency from the microphone to a colleague's screen, and use of resources.
    Agent(agent::Arguments),
    /// Desktop agents: their cost for the server, and the latency of reports.
    Agents(agents::Arguments),
    /// Server of that measurement, in a process of its own.
    #[command(hide = true)]
    AgentsServer(agents::ServerArguments),
    /// Board in a browser, and the cost of a thousand open boards.
    Board(board::Arguments),
    /// Server of that measurement, in a process of its own.
    #[command(hide = true)]
    BoardServer(board::ServerArguments),
    /// Cost of a change of one person, with few and with many people.
    Changes(changes::Arguments),
    /// Core alone: people per second and per gigabyte.
    Engine(engine::Arguments),
    /// Notifications per second compared with openssl, and latency of the sweep for calls in Teams.
    Graph(graph::Arguments),
    /// Latency from a PBX event to the Graph request, and from Graph's answer to the clients' event.
    Latency(latency::Arguments),
    /// Presence server over SIP compared with Kamailio: CPU, latency, set-up and memory.
    Sip(sip::Arguments),
    /// Server of that measurement, in a process of its own.
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

/// Text for a target that was met or missed.
const fn verdict(met: bool) -> &'static str {
    if cfg!(debug_assertions) {
        // An unoptimised build only shows that the benchmark runs.
        "-"
    } else if met {
        "met"
    } else {
        "MISSED"
    }
}
