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
    /// Seconds of calls in each.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// Measures and prints the figures.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    decrypt::run()?;
    for people in &arguments.people {
        detection::run(*people, arguments.seconds).await?;
    }
    Ok(())
}
