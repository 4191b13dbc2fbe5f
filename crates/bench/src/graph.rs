//! Microsoft's side: how fast notifications are opened, beside what the same core can do with RSA; and how soon a call in Teams
//! is seen by the sweep within its share of the budget, with telephone calls beside it.

mod decrypt;
mod detection;

/// Arguments of the measurement.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// People in the two sweeps.
    #[arg(long, value_delimiter = ',', default_value = "10000,50000")]
    people: Vec<usize>,
    /// Seconds of calls in each: three of Microsoft's windows, for a budget that is overdrawn shows in the second.
    #[arg(long, default_value_t = 90)]
    seconds: u64,
    /// Writes to Teams a second. Each phone call makes four: its begin and its end, for both sides.
    #[arg(long, value_delimiter = ',', default_value = "40", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Vec<u32>,
}

/// Measures and prints the figures.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    decrypt::run()?;
    for people in &arguments.people {
        for rate in &arguments.rate {
            detection::run(*people, *rate, arguments.seconds).await?;
        }
    }
    Ok(())
}
