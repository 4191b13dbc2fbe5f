//! Measures what the product promises. `cargo run --release -p bench -- latency`.

mod engine;
mod latency;
mod percentiles;
mod stage;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "bench", about)]
enum Command {
    /// People per second and per gigabyte: what the core itself can do.
    Engine(engine::Arguments),
    /// Telephone event to Graph request, and Graph's answer to event on the clients' streams.
    Latency(latency::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Engine(arguments) => engine::run(&arguments),
        Command::Latency(arguments) => latency::run(&arguments).await,
    }
}
